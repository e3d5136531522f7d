// SPDX-License-Identifier: Apache-2.0

// Cancels a run by its context.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"curfew"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	report, err := curfew.Run(ctx, "for (;;);", curfew.Options{Limits: curfew.Limits{Timeout: 30 * time.Second}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Outcome) // -> cancelled
}
