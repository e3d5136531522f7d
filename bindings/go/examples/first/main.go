// SPDX-License-Identifier: Apache-2.0

// Runs a program, and shows the report of one that never ends.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"curfew"
)

func main() {
	report, err := curfew.Run(context.Background(), "6 * 7", curfew.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(report.Value)) // -> 42

	report, err = curfew.Run(context.Background(), "for (;;);", curfew.Options{Limits: curfew.Limits{Timeout: 500 * time.Millisecond}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Outcome, "at line", report.Error.Stack[0].Line) // -> deadline at line 1
}
