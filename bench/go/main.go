// SPDX-License-Identifier: Apache-2.0

// A greeting that links the packages of typical small programs: formats, JSON, regular expressions.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
)

type greeting struct {
	To    string
	Words []string
}

func main() {
	words := strings.Split("hello there you", " ")
	sort.Strings(words)
	text, err := json.Marshal(greeting{To: "world", Words: words})
	if err != nil || !regexp.MustCompile("h.*o").Match(text) {
		os.Exit(1)
	}
	fmt.Println(string(text), len(os.Args))
}
