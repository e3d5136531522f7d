// SPDX-License-Identifier: Apache-2.0

package curfew

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

const addModule = `(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))`
const waits = "new Promise((resolve) => setTimeout(resolve, 1e6))"

var (
	background = context.Background()
	forever    = Limits{Timeout: 10 * time.Minute}
	short      = Limits{Timeout: 100 * time.Millisecond}
)

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func newEngine(t *testing.T, options EngineOptions) *Engine {
	engine := must[*Engine](t)(NewEngine(options))
	t.Cleanup(func() { engine.Close() })
	return engine
}

func newProgram(t *testing.T, source Source) *Program {
	engine := must[*Engine](t)(DefaultEngine())
	return must[*Program](t)(engine.Program(source))
}

func js(text string) Source { return Source{Text: []byte(text)} }

func expect(t *testing.T, what string, seen, expected any) {
	t.Helper()
	if !reflect.DeepEqual(seen, expected) {
		t.Fatalf("%s: seen %#v, expected %#v", what, seen, expected)
	}
}

func TestFirstLine(t *testing.T) {
	var value int
	report := must[*Report](t)(Run(background, "6 * 7", Options{}))
	if err := report.Decode(&value); err != nil || value != 42 {
		t.Fatal(value, err)
	}
}

func TestReport(t *testing.T) {
	report := must[*Report](t)(Run(background, "console.log('hi'); console.error('oh'); curfew.checkpoint({done: 1}); null.x", Options{}))
	expect(t, "outcome", []any{report.Outcome, report.OK(), report.ExitCode}, []any{"threw", false, 1})
	expect(t, "output", []string{report.Stdout, report.Stderr, string(report.Partial)}, []string{"hi\n", "oh\n", `{"done":1}`})
	expect(t, "error", []any{report.Error.Name, report.Error.Stack[0].Line}, []any{"TypeError", 1})
	var failed *ProgramFailed
	if !errors.As(report.Err(), &failed) || failed.Report != report || report.Decode(new(int)) == nil {
		t.Fatal(report.Err())
	}
	var all map[string]any
	if err := json.Unmarshal(report.JSON, &all); err != nil || all["schema"] != "curfew.report/1" {
		t.Fatal(err)
	}
}

func TestDeadline(t *testing.T) {
	report := must[*Report](t)(Run(background, "for (;;);", Options{Limits: short}))
	expect(t, "outcome", []any{report.Outcome, report.Tripped, report.ExitCode, report.Limits["timeout_us"]}, []any{"deadline", []string{"deadline"}, 124, 100000.0})
	if report.Error.Stack[0].File != "source.js" || report.Latency() < 0 {
		t.Fatal(report.Error)
	}
}

// The deadline of a context is the run's. A context that is over starts nothing.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(background, 500*time.Millisecond)
	report := must[*Report](t)(Run(ctx, "for (;;);", Options{Limits: forever}))
	if report.Outcome != "deadline" && report.Outcome != "cancelled" {
		t.Fatal(report.Outcome)
	}
	<-ctx.Done()
	if _, err := Run(ctx, "1", Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	cancel()

	ctx, cancel = context.WithCancel(background)
	time.AfterFunc(50*time.Millisecond, cancel)
	report = must[*Report](t)(Run(ctx, "for (;;);", Options{Limits: forever}))
	expect(t, "outcome", report.Outcome, "cancelled")
	if _, err := Run(ctx, "1", Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestEveryLimitHasAField(t *testing.T) {
	names := map[string]bool{}
	for _, name := range limitNames() {
		names[name] = true
	}
	for _, row := range LimitTable() {
		if !names[row.Name] {
			t.Errorf("Limits has no field for %s", row.Name)
		}
		delete(names, row.Name)
		text := map[bool]string{true: "1m", false: "4194304"}[strings.HasSuffix(row.ReportKey, "_us")]
		var limits Limits
		if err := limits.ParseLimit(row.Name, text); err != nil || limits == (Limits{}) {
			t.Fatalf("%s: %v", row.Name, err)
		}
		report := must[*Report](t)(Run(background, "1", Options{Limits: limits}))
		expected := map[bool]float64{true: 60e6, false: 4194304}[strings.HasSuffix(row.ReportKey, "_us")]
		expect(t, row.Name, report.Limits[row.ReportKey], expected)
	}
	if len(names) > 0 {
		t.Errorf("the library has no limits %v", names)
	}
	report := must[*Report](t)(Run(background, "1", Options{Limits: Limits{HostCalls: Unlimited, Timeout: UnlimitedTime}}))
	expect(t, "unlimited", []any{report.Limits["host_calls"], report.Limits["timeout_us"]}, []any{nil, nil})
	expect(t, "exit code", Outcomes()["deadline"], 124)
}

func TestASecretForRequestsIsAPlaceholder(t *testing.T) {
	report, err := Run(background, "secrets.get('TOKEN')", Options{
		Secrets: map[string]string{"TOKEN": "hunter2-hunter2"}, SecretFor: []string{"example.com:X-Key={TOKEN}"}})
	if err != nil {
		t.Fatal(err)
	}
	var value string
	if err := report.Decode(&value); err != nil || value != "[secret TOKEN]" {
		t.Fatal(value, err)
	}
}

func TestWhatIsWrongIsAnErrorThatNamesIt(t *testing.T) {
	cases := map[string]Options{
		"negative":  {Limits: Limits{Timeout: -1}},
		"memory":    {Limits: Limits{Memory: 1}},
		"JSON":      {Params: []any{math.NaN()}},
		"NUL":       {Call: "a\x00b"},
		"http":      {AllowFetch: []string{"http://example.com"}},
		"no secret": {SecretFor: []string{"example.com:X-Key={A}"}},
		"name":      {Secrets: map[string]string{"not a name": "x"}},
		"directory": {Dirs: []Dir{{Host: "a\x00", Guest: "/"}}},
	}
	for words, options := range cases {
		_, err := Run(background, "1", options)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
	engine := newEngine(t, EngineOptions{})
	for words, functions := range map[string]Functions{
		"f must be":   {"f": 3},
		"variadic":    {"f": func(...int) {}},
		"name":        {"not a name": func() {}},
		"numbers of":  {"f": HostFunction{Call: func(int32) {}, Type: "ii->"}},
		"parameter 1": {"f": HostFunction{Call: func(int) {}, Type: "i->"}},
		"result 1":    {"f": HostFunction{Call: func() float64 { return 0 }, Type: "->f"}},
		"2 values":    {"f": func() (int, int) { return 0, 0 }},
	} {
		if _, err := engine.Program(Source{Text: []byte("1"), Functions: functions}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
	if _, err := engine.Program(Source{Language: "python"}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := NewEngine(EngineOptions{Threads: -1}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestParametersAndCalls(t *testing.T) {
	program := newProgram(t, js("export default (a, b) => a + b; export const twice = (x) => x * 2;"))
	expect(t, "text", string(must[*Report](t)(program.Run(background, Options{Params: []any{"ü", "☃"}})).Value), `"ü☃"`)
	expect(t, "call", string(must[*Report](t)(program.Run(background, Options{Params: []any{21}, Call: "twice"})).Value), "42")
	expect(t, "no such", must[*Report](t)(program.Run(background, Options{Call: "nothing"})).Outcome, "bad_program")
}

func TestWebAssemblyImagesFiles(t *testing.T) {
	program := newProgram(t, Source{Text: []byte(addModule), Language: "wat"})
	if err := program.Compile(Limits{}); err != nil || program.Kind() != "module" {
		t.Fatal(err, program.Kind())
	}
	image := must[[]byte](t)(program.Save())
	engine := newEngine(t, EngineOptions{})
	loaded := must[*Program](t)(engine.Load(image, nil))
	expect(t, "sum", string(must[*Report](t)(loaded.Run(background, Options{Call: "add", Params: []any{40, 2}})).Value), "42")
	if _, err := engine.Load(image[:len(image)-1], nil); !errors.Is(err, ErrBadImage) {
		t.Fatal(err)
	}
	var inspected struct{ Kind string }
	if err := json.Unmarshal(must[json.RawMessage](t)(program.Inspect(Limits{})), &inspected); err != nil || inspected.Kind != "module" {
		t.Fatal(err, inspected)
	}
	var failed *Error
	bad := newProgram(t, Source{Text: []byte("\x00asm\x01\x00\x00\x00\xff")})
	if err := bad.Compile(Limits{}); !errors.As(err, &failed) || !errors.Is(err, ErrBadProgram) || failed.Report.Outcome != "bad_program" {
		t.Fatal(err)
	}

	directory := t.TempDir()
	os.WriteFile(filepath.Join(directory, "lib.mjs"), []byte("export const answer = 42;"), 0o600)
	os.WriteFile(filepath.Join(directory, "main.mjs"), []byte("import { answer } from './lib.mjs'; export default () => answer;"), 0o600)
	source := must[Source](t)(ReadSource(filepath.Join(directory, "main.mjs")))
	expect(t, "file", string(must[*Report](t)(engine.Run(background, source, Options{})).Value), "42")
	if _, err := ReadSource(filepath.Join(directory, "gone.mjs")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestSecretsAreGivenAndTakenOut(t *testing.T) {
	report := must[*Report](t)(Run(background, "console.log(secrets.get('TOKEN')); secrets.get('TOKEN').length", Options{Secrets: map[string]string{"TOKEN": "hunter2-hunter2"}}))
	if string(report.Value) != "15" || strings.Contains(report.Stdout, "hunter2") {
		t.Fatal(report.Stdout)
	}
}

func TestStandardInputReachesWASI(t *testing.T) {
	echo := `(module
	  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
	  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
	  (memory (export "memory") 1)
	  (func (export "_start")
	    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
	    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
	    (i32.store (i32.const 4) (i32.load (i32.const 16)))
	    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))`
	path := filepath.Join(t.TempDir(), "stdin")
	os.WriteFile(path, []byte("from Go"), 0o600)
	stdin := must[*os.File](t)(os.Open(path))
	defer stdin.Close()
	report := must[*Report](t)(newProgram(t, Source{Text: []byte(echo), Language: "wat"}).Run(background, Options{
		Stdin: stdin, Args: []string{"a"}, Env: map[string]string{"A": "b"}, Dirs: []Dir{{Host: t.TempDir(), Guest: "/data", Write: true}}}))
	expect(t, "stdout", report.Stdout, "from Go")
}

func TestImportMapsLanguagesAndTheGlobalsOfNode(t *testing.T) {
	directory := t.TempDir()
	os.WriteFile(filepath.Join(directory, "lib.mjs"), []byte("export const answer = 42;"), 0o600)
	source := Source{Text: []byte("import { answer } from '#lib'; export default answer;"), ImportDir: directory, ImportMap: `{"imports": {"#lib": "./lib.mjs"}}`}
	expect(t, "value", string(must[*Report](t)(newProgram(t, source).Run(background, Options{})).Value), "42")
	source.ImportMap = `{"imports": []}`
	if _, err := must[*Engine](t)(DefaultEngine()).Run(background, source, Options{}); err == nil || !strings.Contains(err.Error(), "import") {
		t.Fatalf("it is no import map: %v", err)
	}
	typed := Source{Text: []byte("enum A { B = 6 } const x: number = A.B; x"), Language: "ts"}
	expect(t, "value", string(must[*Report](t)(newProgram(t, typed).Run(background, Options{})).Value), "6")
	globals := js("typeof Buffer + typeof process")
	globals.Node = true
	expect(t, "value", string(must[*Report](t)(newProgram(t, globals).Run(background, Options{})).Value), `"functionobject"`)
}

func TestImportsOfAFileAreRelativeToIt(t *testing.T) {
	directory := t.TempDir()
	os.Mkdir(filepath.Join(directory, "app"), 0o700)
	os.WriteFile(filepath.Join(directory, "lib.mjs"), []byte("export const answer = 42;"), 0o600)
	path := filepath.Join(directory, "app", "main.mjs")
	os.WriteFile(path, []byte("import { answer } from '../lib.mjs'; export default answer;"), 0o600)
	report := must[*Report](t)(newProgram(t, must[Source](t)(ReadSourceBelow(directory+"/app/..", path))).Run(background, Options{}))
	expect(t, "value", string(report.Value), "42")
	expect(t, "name", report.Program.Name, "app/main.mjs")
	report = must[*Report](t)(newProgram(t, must[Source](t)(ReadSource(path))).Run(background, Options{}))
	expect(t, "outcome", report.Outcome, "bad_program")
	if _, err := ReadSourceBelow(filepath.Dir(path), filepath.Join(directory, "lib.mjs")); err == nil || !strings.Contains(err.Error(), "it must hold") {
		t.Fatalf("the file is not below: %v", err)
	}
}

func TestFilesEnvironmentAndTimeZoneReachJavaScript(t *testing.T) {
	source := "export default [(await curfew.files['a/b.bin'].bytes())[1], curfew.env.A, new Date(0).getHours()]"
	report := must[*Report](t)(newProgram(t, js(source)).Run(background, Options{
		Files: map[string][]byte{"a/b.bin": {0, 255}}, Env: map[string]string{"A": "b"}, Timezone: "Asia/Kolkata"}))
	expect(t, "value", string(report.Value), `[255,"b",5]`)
	if _, err := newProgram(t, js("1")).Run(background, Options{Timezone: "Mars/Olympus"}); err == nil {
		t.Fatal("there is no such time zone")
	}
}

func TestStartCancelUsage(t *testing.T) {
	run := must[*Running](t)(newProgram(t, js("for (;;);")).Start(background, Options{Limits: forever}))
	if run.Report() != nil {
		t.Fatal("it has ended")
	}
	run.Usage()
	run.Cancel()
	expect(t, "outcome", run.Wait().Outcome, "cancelled")
	run.Cancel()
	ctx, cancel := context.WithCancel(background)
	run = must[*Running](t)(newProgram(t, js(waits)).Start(ctx, Options{Limits: forever}))
	cancel()
	expect(t, "outcome", run.Wait().Outcome, "cancelled")
	run.Close()
	run.Close()
}

func TestEvents(t *testing.T) {
	var seen []string
	listen := func(event Event) { seen = append(seen, event.Kind+" "+string(event.Data)) }
	program := newProgram(t, js("console.log('one'); curfew.progress({at: 1}); curfew.checkpoint([2]); console.error('two');"))
	must[*Report](t)(program.Run(background, Options{OnEvent: listen}))
	expect(t, "events", seen, []string{"stdout one\n", `progress {"at":1}`, "checkpoint [2]", "stderr two\n"})
}

func TestOverload(t *testing.T) {
	engine := newEngine(t, EngineOptions{MaxRuns: 1})
	program := must[*Program](t)(engine.Program(js(waits)))
	run := must[*Running](t)(program.Start(background, Options{Limits: forever}))
	if _, err := program.Run(background, Options{}); !errors.Is(err, ErrOverloaded) {
		t.Fatal(err)
	}
	run.Close()
	program.Close()
	if _, err := program.Run(background, Options{}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

type row struct {
	Name  string  `json:"name"`
	Price float64 `json:"price"`
}

func TestHostFunctions(t *testing.T) {
	functions := Functions{
		"keep":    func(n int, text string, r row) map[string]any { return map[string]any{"n": n, "text": text, "row": r} },
		"nothing": func() {},
		"fail":    func() error { return errors.New("no such row") },
		"both":    func(ok bool) (int, error) { return 7, map[bool]error{true: nil, false: errors.New("not ok")}[ok] },
		"panics":  func() { panic("at once") },
		"later":   HostFunction{Async: true, Call: func(x int) (int, error) { time.Sleep(time.Millisecond); return x * 2, nil }},
		"fails":   HostFunction{Async: true, Call: func() error { return errors.New("not today") }},
		"odd":     func() float64 { return math.Inf(1) },
	}
	source := `const caught = (f) => { try { return f() } catch (e) { return e.message } };
		export default async () => [host.keep(1, 'ü', {name: 'a', price: 1.5}), typeof host.nothing(), caught(() => host.fail()), host.both(true),
			caught(() => host.both(false)), caught(() => host.panics()), await host.later(21), await host.fails().catch((e) => e.message),
			caught(() => host.keep(1)), caught(() => host.keep('x', 'y', {})).slice(0, 18), caught(() => host.odd()).includes('no JSON')]`
	report := must[*Report](t)(newProgram(t, Source{Text: []byte(source), Functions: functions}).Run(background, Options{}))
	if report.Err() != nil {
		t.Fatal(report.Err())
	}
	expect(t, "value", string(report.Value), `[{"n":1,"row":{"name":"a","price":1.5},"text":"ü"},"undefined","no such row",7,"not ok","panic: at once",42,"not today","keep takes 3 arguments and was given 1","argument 1 of keep",true]`)
}

func TestTypedHostFunctions(t *testing.T) {
	source := `(module (import "env" "mix" (func $mix (param i32 i64 f64) (result f64)))
	  (func (export "f") (result f64) (call $mix (i32.const -1) (i64.const 9007199254740993) (f64.const 0.5))))`
	var seen []any
	mix := HostFunction{Module: "env", Type: "iIF->F", Call: func(a int32, b int64, c float64) float64 { seen = []any{a, b, c}; return c * 2 }}
	report := must[*Report](t)(newProgram(t, Source{Text: []byte(source), Language: "wat", Functions: Functions{"mix": mix}}).Run(background, Options{Call: "f"}))
	expect(t, "value", string(report.Value), "1")
	expect(t, "arguments", seen, []any{int32(-1), int64(9007199254740993), 0.5})
}

// A function that panics with nil, or ends its goroutine like t.Fatal, has failed.
func TestAFunctionThatNeverReturnsHasFailed(t *testing.T) {
	functions := Functions{
		"nothing": func() int { panic(error(nil)) },
		"ends":    func() { runtime.Goexit() },
		"endsCtx": func(context.Context) int { runtime.Goexit(); return 1 },
		"later":   HostFunction{Async: true, Call: func() { runtime.Goexit() }},
	}
	source := `const caught = (f) => { try { return f() } catch (e) { return e.message } };
		export default async () => [caught(() => host.nothing()).startsWith("panic"), caught(() => host.ends()), caught(() => host.endsCtx()), await host.later().catch((e) => e.message)]`
	report := must[*Report](t)(newProgram(t, Source{Text: []byte(source), Functions: functions}).Run(background, Options{Limits: forever}))
	ended := `"the function ended its goroutine"`
	expect(t, "value", string(report.Value), "[true,"+ended+","+ended+","+ended+"]")
}

// A program cannot spoil its report with a value that encoding/json rejects.
func TestDeepValuesSpoilNoReport(t *testing.T) {
	deep := "const deep = n => { let a = 1; while (n-- > 0) a = [a]; return a; };"
	run := func(text string) *Report {
		return must[*Report](t)(newProgram(t, js(deep+text)).Run(background, Options{Limits: Limits{Stack: 4 << 20}}))
	}
	report := run("deep(20000)")
	expect(t, "value", []any{report.Outcome, len(report.Value)}, []any{"ok", 40001})
	report = run("curfew.checkpoint(deep(20000)); null.x")
	expect(t, "partial", []any{report.Outcome, len(report.Partial), report.ExitCode, report.Error.Name}, []any{"threw", 40001, 1, "TypeError"})
	var text string
	if err := run(`"\ud800x"`).Decode(&text); err != nil || text != "\ufffdx" {
		t.Fatal(text, err)
	}
}

// A called function is notified of the stop through its context. The run does not wait for it.
func TestACallOutlivesNoDeadline(t *testing.T) {
	gate := make(chan struct{})
	told := make(chan error, 1)
	functions := Functions{
		"hang":      func() { <-gate },
		"hangAsync": HostFunction{Async: true, Call: func(ctx context.Context) error { <-ctx.Done(); told <- ctx.Err(); return ctx.Err() }},
	}
	for _, source := range []string{"host.hang()", "host.hangAsync()"} {
		report := must[*Report](t)(newProgram(t, Source{Text: []byte(source), Functions: functions}).Run(background, Options{Limits: short}))
		expect(t, source, report.Outcome, "deadline")
	}
	expect(t, "context", <-told, context.Canceled)
	close(gate)
}

func residentBytes(t *testing.T) int {
	var pages int
	text := must[[]byte](t)(os.ReadFile("/proc/self/statm"))
	if _, err := fmt.Sscanf(string(text), "%d %d", new(int), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func TestNothingIsLeftOfRunsAndCalls(t *testing.T) {
	functions := Functions{
		"add":   func(a, b int) int { return a + b },
		"later": HostFunction{Async: true, Call: func(x int) int { return x }},
	}
	program := newProgram(t, Source{Text: []byte("export default async x => [host.add(x, 1), await host.later(x)]"), Functions: functions})
	plain := newProgram(t, js("export default x => x"))
	some := func(count int) {
		for i := 0; i < count; i++ {
			report := must[*Report](t)(program.Run(background, Options{Params: []any{i}}))
			expect(t, "value", string(report.Value), fmt.Sprintf("[%d,%d]", i+1, i))
			must[*Report](t)(plain.Run(background, Options{Params: []any{i}}))
		}
		debug.FreeOSMemory()
	}
	some(500)
	before := residentBytes(t)
	some(3000)
	if more := residentBytes(t) - before; more > 12<<20 {
		t.Fatalf("%d bytes more", more)
	}
}

func TestAFunctionMayRunAProgramWithFunctions(t *testing.T) {
	inner := newProgram(t, Source{Text: []byte("export default x => host.add(x, 1)"), Functions: Functions{"add": func(a, b int) int { return a + b }}})
	functions := Functions{"inner": func(x int) (int, error) {
		report, err := inner.Run(background, Options{Params: []any{x}})
		if err != nil {
			return 0, err
		}
		var value int
		err = json.Unmarshal(report.Value, &value)
		return value, err
	}, "context": func(ctx context.Context, x int) int { return x }}
	source := "export default x => host.inner(x) + host.inner(x + 1) + host.context(1)"
	report := must[*Report](t)(newProgram(t, Source{Text: []byte(source), Functions: functions}).Run(background, Options{Params: []any{1}}))
	expect(t, "value", string(report.Value), "6")
}

func TestManyAtOnce(t *testing.T) {
	engine := newEngine(t, EngineOptions{})
	add := func(a, b int) int { return a + b }
	program := must[*Program](t)(engine.Program(Source{Text: []byte("export default (x) => { let s = 0; for (let i = 0; i < 20; i++) s = host.add(s, x); return s; }"), Functions: Functions{"add": add}}))
	var group sync.WaitGroup
	for x := 0; x < 16; x++ {
		group.Add(1)
		go func(x int) {
			defer group.Done()
			for i := 0; i < 10; i++ {
				report, err := program.Run(background, Options{Params: []any{x}})
				if err != nil || string(report.Value) != fmt.Sprint(20*x) {
					t.Error(err, report)
				}
			}
		}(x)
	}
	group.Wait()

	ctx, cancel := context.WithCancel(background)
	waiting := must[*Program](t)(engine.Program(js(waits)))
	runs := make([]*Running, 500)
	for i := range runs {
		runs[i] = must[*Running](t)(waiting.Start(ctx, Options{Limits: forever}))
	}
	cancel()
	for _, run := range runs {
		expect(t, "outcome", run.Wait().Outcome, "cancelled")
		run.Close()
	}
	expect(t, "active", engine.Stats().RunsActive, uint64(0))
}

func TestSessions(t *testing.T) {
	program := newProgram(t, js("let n = 0; function inc(by) { n += by; return n; } function spin() { for (;;); }"))
	session := must[*Session](t)(program.Session(Options{Limits: Limits{Loops: 100_000_000}}))
	defer session.Close()
	call := func(function string, params ...any) string {
		return string(must[*Report](t)(session.Call(background, function, params, Limits{})).Value)
	}
	expect(t, "calls", []string{call("inc", 2), call("inc", 3)}, []string{"2", "5"})
	expect(t, "cell", string(must[*Report](t)(session.Eval(background, "cell", "const twice = n * 2; twice", Limits{})).Value), "10")
	expect(t, "totals", session.Totals().Calls, uint64(3))
	for i := 0; i < 10; i++ { // also if it is cancelled before the call has begun
		ctx, cancel := context.WithCancel(background)
		go cancel()
		report, err := session.Call(ctx, "spin", nil, forever)
		if err != nil && !errors.Is(err, context.Canceled) || err == nil && report.Outcome != "cancelled" {
			t.Fatal(err, report)
		}
		if err := session.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "anew", call("inc", 1), "1")

	lost := must[*Session](t)(newProgram(t, Source{Text: []byte(`(module (func (export "trap") unreachable))`), Language: "wat"}).Session(Options{}))
	expect(t, "trap", must[*Report](t)(lost.Call(background, "trap", nil, Limits{})).Outcome, "trapped")
	if _, err := lost.Call(background, "trap", nil, Limits{}); lost.Usable() || !errors.Is(err, ErrUnusable) {
		t.Fatal(err)
	}
	if _, err := program.Session(Options{Call: "inc"}); !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
}

func TestACancelledCallOfASessionHasItsGrace(t *testing.T) {
	// Longer than the time after which the cancel of a call that has not begun yet is tried again.
	text := `export const f = async () => {
		const signal = curfew.signal;
		if (!signal.aborted) await new Promise((end) => signal.addEventListener('abort', end));
		await new Promise((end) => setTimeout(end, 50));
		return 'ended well';
	}`
	session := must[*Session](t)(newProgram(t, Source{Text: []byte(text), Language: "mjs"}).Session(Options{}))
	defer session.Close()
	for i := 0; i < 5; i++ {
		ctx, cancel := context.WithTimeout(background, time.Second)
		report := must[*Report](t)(session.Call(ctx, "f", nil, Limits{Timeout: 10 * time.Minute, Grace: 10 * time.Minute}))
		cancel()
		expect(t, "outcome", report.Outcome, "cancelled")
		expect(t, "value", string(report.Value), `"ended well"`)
	}
}

func TestCollection(t *testing.T) {
	for i := 0; i < 20; i++ {
		engine := must[*Engine](t)(NewEngine(EngineOptions{Threads: 1}))
		must[*Running](t)(must[*Program](t)(engine.Program(js("for (;;);"))).Start(background, Options{Limits: Limits{Timeout: 5 * time.Millisecond}}))
		runtime.GC()
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
}

func TestFunctionsAreForgottenWithTheirProgram(t *testing.T) {
	gone := make(chan struct{})
	func() {
		kept := new([1024]byte)
		runtime.SetFinalizer(kept, func(*[1024]byte) { close(gone) })
		program := newProgram(t, Source{Text: []byte("host.add(41)"), Functions: Functions{"add": func(n int) int { return n + len(kept)/1024 }}})
		expect(t, "value", string(must[*Report](t)(program.Run(background, Options{})).Value), "42")
		if _, err := program.engine.Program(Source{Text: []byte("1"), Functions: Functions{"a b": func() { _ = kept }}}); err == nil {
			t.Fatal("a name with a blank was taken")
		}
		program.Close()
	}()
	for i := 0; i < 500; i++ {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("what the function held is still there")
}

func TestTheProcessEndsWithRunsGoingOn(t *testing.T) {
	if os.Getenv("CURFEW_TEST_ENDS") != "" {
		program := newProgram(t, Source{Text: []byte("for (;;) host.tick()"), Functions: Functions{"tick": func() {}}})
		for i := 0; i < 4; i++ {
			must[*Running](t)(program.Start(background, Options{Limits: Limits{Timeout: 10 * time.Minute, HostCalls: Unlimited}}))
		}
		must[*Running](t)(newProgram(t, js(waits)).Start(background, Options{Limits: forever}))
		fmt.Println("end")
		os.Exit(0)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestTheProcessEndsWithRunsGoingOn$")
	command.Env = append(os.Environ(), "CURFEW_TEST_ENDS=1")
	out, err := command.CombinedOutput()
	expect(t, "error", err, nil)
	expect(t, "output", string(out), "end\n")
}

// Go's runtime stops goroutines with SIGURG. Here loops of both worlds are stopped while the other's signals arrive.
func TestTheRuntimesOwnPreemptionGoesOn(t *testing.T) {
	program := newProgram(t, Source{Text: []byte(`(module (func (export "spin") (loop (br 0))))`), Language: "wat"})
	over := make(chan struct{})
	var group sync.WaitGroup
	for i := 0; i < 2; i++ {
		group.Add(1)
		go func() { // only signals preempt it
			defer group.Done()
			for n := uint64(0); ; n++ {
				if n%(1<<26) == 0 {
					select {
					case <-over:
						return
					default:
					}
				}
			}
		}()
	}
	for i := 0; i < 40; i++ {
		report := must[*Report](t)(program.Run(background, Options{Call: "spin", Limits: Limits{Timeout: 10 * time.Millisecond}}))
		expect(t, "outcome", report.Outcome, "deadline")
		runtime.GC() // stops the world, with signals
	}
	close(over)
	group.Wait()
}

func TestReadme(t *testing.T) {
	text := string(must[[]byte](t)(os.ReadFile("README.md")))
	directory := t.TempDir()
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```").FindAllStringSubmatch(text, -1)
	if len(blocks) < 2 {
		t.Fatal("the README has no programs")
	}
	tested := 0
	for i, block := range blocks {
		if !strings.Contains(block[1], "package main") {
			continue
		}
		tested++
		path := filepath.Join(directory, fmt.Sprintf("block%d.go", i))
		os.WriteFile(path, []byte(block[1]), 0o600)
		runExample(t, path, regexp.MustCompile(`// -> (.*)`).FindAllStringSubmatch(block[1], -1))
	}
	if tested < 2 {
		t.Fatalf("%d programs", tested)
	}
}

func runExample(t *testing.T, path string, marks [][]string) {
	t.Helper()
	var expected string
	for _, mark := range marks {
		expected += mark[1] + "\n"
	}
	out, err := exec.Command("go", "run", path).CombinedOutput()
	if err != nil || string(out) != expected {
		t.Fatalf("%s: %v\nseen %q\nexpected %q", path, err, out, expected)
	}
}

func TestExamples(t *testing.T) {
	paths, _ := filepath.Glob("examples/*/main.go")
	if len(paths) != 6 {
		t.Fatal(paths)
	}
	for _, path := range paths {
		text := string(must[[]byte](t)(os.ReadFile(path)))
		runExample(t, path, regexp.MustCompile(`// -> (.*)`).FindAllStringSubmatch(text, -1))
	}
}

func TestReportIsReadAsItsJSONSays(t *testing.T) {
	engine := newEngine(t, EngineOptions{})
	texts := []string{"6 * 7", "console.log('ü'); console.error('\\0x'); curfew.checkpoint({ a: [1] }); ({ b: 'c' })", "undefined", "console.log('x'.repeat(2 ** 21))", "throw 1", "for (;;);"}
	for _, text := range texts {
		for _, limits := range []Limits{{Timeout: 200 * time.Millisecond}, {Timeout: 200*time.Millisecond + 1, CPU: UnlimitedTime, Fuel: 1e9, Loops: 1e9}} {
			report := must[*Report](t)(engine.Run(background, js(text), Options{Limits: limits}))
			parsed := &Report{JSON: report.JSON, ExitCode: report.ExitCode}
			if err := json.Unmarshal(report.JSON, parsed); err != nil || !reflect.DeepEqual(report, parsed) {
				t.Errorf("%s: %v\n%+v\n%+v", text, err, report, parsed)
			}
		}
	}
}

func TestManyRunAtOnce(t *testing.T) {
	program := newProgram(t, js("export default (x) => new Promise((resolve) => setTimeout(() => resolve(x), 20))"))
	var group sync.WaitGroup
	for i := 0; i < 200; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			ctx, cancel := context.WithTimeout(background, 30*time.Second)
			defer cancel()
			report, err := program.Run(ctx, Options{Params: []any{i}})
			if err != nil || string(report.Value) != fmt.Sprint(i) {
				t.Error(i, err, report)
			}
		}(i)
	}
	group.Wait()
}
