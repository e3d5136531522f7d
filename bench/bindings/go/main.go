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
	"syscall"
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
		case "waiting":
			answer = waiting(waits, count, began)
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}

func waiting(waits *curfew.Program, count int, began time.Time) any {
	ctx, cancel := context.WithCancel(context.Background())
	runs := make([]*curfew.Running, count)
	for i := range runs {
		var err error
		if runs[i], err = waits.Start(ctx, curfew.Options{Limits: limits}); err != nil {
			log.Fatal(err)
		}
	}
	begun := time.Now()
	cancel()
	for _, run := range runs {
		run.Wait()
		run.Close()
	}
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return map[string]any{"start_s": begun.Sub(began).Seconds(), "cancel_s": time.Since(begun).Seconds(), "rss_bytes": usage.Maxrss * 1024}
}
