// SPDX-License-Identifier: Apache-2.0

// Keeps the results that a program had when its time was up, and follows its progress.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"curfew"
)

const source = `
	let done = 0;
	while (!curfew.signal.aborted) {
		done += 1;
		if (done % 1000 === 0) curfew.checkpoint({ done });
		if (done === 1000) curfew.progress("begun");
	}
	({ done: done > 0, finished: false })
`

func main() {
	report, err := curfew.Run(context.Background(), source, curfew.Options{
		Limits: curfew.Limits{Timeout: time.Second, Grace: time.Second, HostCalls: curfew.Unlimited},
		OnEvent: func(event curfew.Event) {
			if event.Kind == "progress" {
				fmt.Println(string(event.Data)) // -> "begun"
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Outcome, report.Stop.Mode, string(report.Value)) // -> deadline cooperative {"done":true,"finished":false}
	fmt.Println(len(report.Partial) > 0)                                // -> true
}
