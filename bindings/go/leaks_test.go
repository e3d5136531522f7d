// SPDX-License-Identifier: Apache-2.0

package curfew

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

var brief = Limits{Timeout: 5 * time.Minute, Grace: 10 * time.Millisecond}

func leaksOfRuns(t *testing.T, engine *Engine) {
	program := must[*Program](t)(engine.Program(js("export default (x) => { console.log(x); curfew.progress(x); return { x } }")))
	defer program.Close()
	seen := 0
	full := Options{Limits: brief, Params: []any{1}, User: "me", Secrets: map[string]string{"key": "a secret value"}, Env: map[string]string{"A": "b"},
		Timezone: "Europe/Berlin", Files: map[string][]byte{"a": []byte("bytes")}}
	listening := full
	listening.OnEvent = func(Event) { seen++ }
	for _, options := range []Options{full, listening} {
		expect(t, "value", string(must[*Report](t)(program.Run(background, options)).Value), `{"x":1}`)
	}
	expect(t, "events", seen, 2)
	if _, err := program.Run(background, Options{Timezone: "Nowhere"}); err == nil {
		t.Fatal("a time zone that does not exist")
	}
	if _, err := program.Run(background, Options{Params: []any{make(chan int)}}); err == nil {
		t.Fatal("a channel as a parameter")
	}
	if _, err := engine.Load([]byte("no image"), nil); err == nil {
		t.Fatal("no image")
	}
	loaded := must[*Program](t)(engine.Load(must[[]byte](t)(program.Save()), nil))
	defer loaded.Close()
	must[*Report](t)(loaded.Run(background, full))
	if _, err := program.Inspect(Limits{}); err != nil {
		t.Fatal(err)
	}
	for text, outcome := range map[string]string{"null.x": "threw", "(": "bad_program"} {
		expect(t, text, must[*Report](t)(engine.Run(background, js(text), Options{Limits: brief})).Outcome, outcome)
	}

	session := must[*Session](t)(program.Session(Options{Limits: brief}))
	defer session.Close()
	must[*Report](t)(session.Call(background, "default", []any{3}, Limits{}))
	if err := session.Reset(); err != nil {
		t.Fatal(err)
	}
	must[*Report](t)(session.Eval(background, "", "null.x", Limits{}))
}

func leaksOfStops(t *testing.T, engine *Engine) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for _, text := range []string{"for (;;);", waits} {
		program := must[*Program](t)(engine.Program(js(text)))
		run := must[*Running](t)(program.Start(ctx, Options{Limits: brief}))
		program.Close() // the run goes on
		run.Usage()
		if text == waits {
			cancel()
		} else {
			run.Cancel()
		}
		expect(t, text, run.Wait().Outcome, "cancelled")
	}
}

func leaksOfFunctions(t *testing.T, engine *Engine) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	functions := Functions{
		"next":   func(x int) int { return x + 1 },
		"fail":   func() error { return errors.New("no such row") },
		"panics": func() { panic("at once") },
		"later":  HostFunction{Async: true, Call: func(x int) int { return x }},
		"hangs": HostFunction{Async: true, Call: func(ended context.Context) error {
			cancel()
			<-ended.Done()
			return ended.Err()
		}},
	}
	source := js("export default async () => { let n = host.next(1); for (const name of ['fail', 'panics']) try { host[name]() } catch { n++ }" +
		" return n + await host.later(4) }")
	source.Functions = functions
	expect(t, "value", string(must[*Report](t)(engine.Run(background, source, Options{Limits: brief})).Value), "8")
	source = js("host.hangs()")
	source.Functions = functions
	if report := must[*Report](t)(engine.Run(ctx, source, Options{Limits: brief})); report.OK() {
		t.Fatal("it hangs")
	}
	source.Functions = Functions{"not a name": func() {}}
	if _, err := engine.Program(source); err == nil {
		t.Fatal("not a name")
	}
}

// Everything, CURFEW_COUNT times, well and badly. tests/integration/bindings.py runs this under valgrind, and expects that
// nothing is left CURFEW_COUNT times.
func TestLeaks(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("CURFEW_COUNT"))
	if err != nil {
		count = 1
	}
	for i := 0; i < count; i++ {
		engine := must[*Engine](t)(NewEngine(EngineOptions{Threads: 1}))
		leaksOfRuns(t, engine)
		leaksOfStops(t, engine)
		leaksOfFunctions(t, engine)
		engine.Close()
		collect()
	}
}

// collect lets the finalizers run of what is not in use any more. One may leave what the next one frees.
func collect() {
	for i := 0; i < 5; i++ {
		runtime.GC()
		time.Sleep(100 * time.Millisecond)
	}
}
