// SPDX-License-Identifier: Apache-2.0

// A thousand runs that wait, in one process: none of them holds a thread.
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
	program, err := engine.Program(curfew.Source{Text: []byte("export default async (n) => { await new Promise((done) => setTimeout(done, 50)); return n; }")})
	if err != nil {
		log.Fatal(err)
	}
	runs := make([]*curfew.Running, 1000)
	for n := range runs {
		if runs[n], err = program.Start(context.Background(), curfew.Options{Params: []any{n}}); err != nil {
			log.Fatal(err)
		}
	}
	sum := 0
	for _, run := range runs {
		var value int
		if err := run.Wait().Decode(&value); err != nil {
			log.Fatal(err)
		}
		sum += value
	}
	fmt.Println(sum) // -> 499500
}
