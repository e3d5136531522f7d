// SPDX-License-Identifier: Apache-2.0

// Measures the Go package. The commands are those of ../bench.py.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"curfew"
)

var limits = curfew.Limits{Timeout: 10 * time.Minute, HostCalls: curfew.Unlimited}

func program(text string, functions curfew.Functions) *curfew.Program {
	engine, err := curfew.DefaultEngine()
	if err != nil {
		log.Fatal(err)
	}
	made, err := engine.Program(curfew.Source{Text: []byte(text), Functions: functions})
	if err == nil {
		err = made.Compile(curfew.Limits{})
	}
	if err != nil {
		log.Fatal(err)
	}
	return made
}

func run(p *curfew.Program, options curfew.Options) {
	report, err := p.Run(context.Background(), options)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	add := program("export default x => x + 1", nil)
	calls := program("export default n => { for (let i = 0; i < n; i++) host.next(i) }", curfew.Functions{"next": func(i int) int { return i + 1 }})
	waits := program("new Promise((resolve) => setTimeout(resolve, 1e9))", nil)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var name string
		var count int
		fmt.Sscan(lines.Text(), &name, &count)
		var answer any
		began := time.Now()
		switch name {
		case "fresh":
			samples := make([]int64, count)
			for i := range samples {
				one := time.Now()
				run(add, curfew.Options{Params: []any{i}})
				samples[i] = time.Since(one).Nanoseconds()
			}
			answer = map[string]any{"samples_ns": samples}
		case "call":
			run(calls, curfew.Options{Params: []any{count}, Limits: limits})
			answer = map[string]any{"ns": float64(time.Since(began).Nanoseconds()) / float64(count)}
		case "wait":
			answer = wait(waits, count)
		case "cancel":
			answer = cancel()
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}

var waiting []*curfew.Running
var ctx, cancelAll = context.WithCancel(context.Background())

func regionsInUse() uint64 {
	engine, err := curfew.DefaultEngine()
	if err != nil {
		log.Fatal(err)
	}
	return engine.Stats().RegionsInUse
}

func wait(waits *curfew.Program, count int) any {
	began := time.Now()
	for i := 0; i < count; i++ {
		run, err := waits.Start(ctx, curfew.Options{Limits: limits})
		if err != nil {
			log.Fatal(err)
		}
		waiting = append(waiting, run)
	}
	for regionsInUse() < uint64(count) {
		time.Sleep(10 * time.Millisecond)
	}
	return map[string]any{"start_s": time.Since(began).Seconds()}
}

func cancel() any {
	began := time.Now()
	cancelAll()
	for _, run := range waiting {
		if outcome := run.Wait().Outcome; outcome != "cancelled" {
			log.Fatal(outcome)
		}
		run.Close()
	}
	for regionsInUse() > 0 {
		time.Sleep(time.Millisecond)
	}
	return map[string]any{"cancel_s": time.Since(began).Seconds()}
}
