// SPDX-License-Identifier: Apache-2.0

// Runner for goja. Reads one command per line and answers each with one line of JSON. "speed FILE" runs a program once
// in a new runtime. "fresh COUNT" makes that many runs of x => x + 1, each in a new runtime, from a program compiled
// once.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
)

func speed(path string) (any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	program, err := goja.Compile(path, string(text), false)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	value, err := goja.New().RunProgram(program)
	elapsed := time.Since(start)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ns": elapsed.Nanoseconds(), "value": value.String()}, nil
}

func fresh(count int) (any, error) {
	program, err := goja.Compile("fresh.js", "(x => x + 1)", false)
	if err != nil {
		return nil, err
	}
	samples := make([]int64, count)
	for i := range samples {
		start := time.Now()
		vm := goja.New()
		function, err := vm.RunProgram(program)
		if err != nil {
			return nil, err
		}
		call, _ := goja.AssertFunction(function)
		value, err := call(goja.Undefined(), vm.ToValue(i))
		if err != nil {
			return nil, err
		}
		samples[i] = time.Since(start).Nanoseconds()
		if value.ToInteger() != int64(i)+1 {
			return nil, fmt.Errorf("%d + 1 gave %s", i, value)
		}
	}
	return map[string]any{"samples_ns": samples}, nil
}

func answer(line string) (any, error) {
	verb, argument, _ := strings.Cut(line, " ")
	if verb == "speed" {
		return speed(argument)
	}
	count, err := strconv.Atoi(argument)
	if verb != "fresh" || err != nil {
		return nil, fmt.Errorf("unknown command: %s", line)
	}
	return fresh(count)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		reply, err := answer(lines.Text())
		if err != nil {
			reply = map[string]any{"error": err.Error()}
		}
		text, _ := json.Marshal(reply)
		fmt.Println(string(text))
	}
}
