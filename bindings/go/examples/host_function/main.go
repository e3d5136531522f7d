// SPDX-License-Identifier: Apache-2.0

// Gives a program a host function.
package main

import (
	"context"
	"fmt"
	"log"

	"curfew"
)

func main() {
	stock := map[string]int{"apples": 3, "pears": 0}
	engine, err := curfew.DefaultEngine()
	if err != nil {
		log.Fatal(err)
	}
	program, err := engine.Program(curfew.Source{
		Text:      []byte("export default (names) => names.filter((name) => host.inStock(name) > 0)"),
		Functions: curfew.Functions{"inStock": func(name string) int { return stock[name] }},
	})
	if err != nil {
		log.Fatal(err)
	}
	report, err := program.Run(context.Background(), curfew.Options{Params: []any{[]string{"apples", "pears", "plums"}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(report.Value)) // -> ["apples"]
}
