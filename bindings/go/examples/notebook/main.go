// SPDX-License-Identifier: Apache-2.0

// Keeps a program's state between cells.
package main

import (
	"context"
	"fmt"
	"log"

	"curfew"
)

func main() {
	engine, err := curfew.DefaultEngine()
	if err != nil {
		log.Fatal(err)
	}
	program, err := engine.Program(curfew.Source{})
	if err != nil {
		log.Fatal(err)
	}
	session, err := program.Session(curfew.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, cell := range []string{"const rows = [3, 1, 2]", "rows.sort(); rows.length", "rows.map((x) => x * 10)"} {
		report, err := session.Eval(context.Background(), "", cell, curfew.Limits{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(report.Value))
	}
	// -> null
	// -> 3
	// -> [10,20,30]
}
