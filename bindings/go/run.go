// SPDX-License-Identifier: Apache-2.0

package curfew

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// Options are the options of a run.
type Options struct {
	Limits        Limits
	Call          string            // exported or global function to call; "": none named
	Params        []any             // the call's arguments; JSON
	User          string            // seen as curfew.user
	Secrets       map[string]string // values of secrets.get(NAME); removed from everything that the run prints or returns
	AllowFetch    []string          // hosts that fetch may reach: "HOST", "HOST:PORT", "*.DOMAIN"
	SecretFor     []string          // headers with secrets that the host puts into requests: "HOST:HEADER=TEMPLATE", with {NAME} in TEMPLATE
	Args          []string          // WASI: the program's arguments, its name left out
	Env           map[string]string // the environment: curfew.env, or a WASI program's
	Dirs          []Dir             // WASI: directories that it may open
	Stdin         *os.File          // standard input (curfew.stdin, or WASI's); it must stay open until the end
	Timezone      string            // the time zone of Date and Intl: "Europe/Berlin"; "": UTC
	Files         map[string][]byte // curfew.files of a JavaScript program
	Deterministic bool              // fixed clock, seeded random

	// OnEvent is called with each event, by a thread of the engine, while the program waits. So it must be short.
	OnEvent func(Event)
}

// Dir is a directory that a WASI program may open, with everything in it and nothing above it.
type Dir struct {
	Host, Guest string
	Write       bool // files may be written, made and removed
}

// Event is output or a message of a run.
type Event struct {
	Kind string // "stdout", "stderr", "progress" or "checkpoint"
	Data []byte // bytes of output, or JSON of progress and checkpoints
}

var eventKinds = [...]string{"stdout", "stderr", "progress", "checkpoint"}

// A run may compute on its caller's thread, because waking another thread takes longer than a small program. So many
// may do that at once as Go itself runs. A run that waits there holds its thread; further runs use the engine's
// threads. So do runs that call Go, because cgo accepts calls from another stack only on threads that are not its own.
var inline = make(chan struct{}, runtime.GOMAXPROCS(0))

// Run runs the program and waits. When ctx ends, the run is cancelled, and its report says so.
func (p *Program) Run(ctx context.Context, options Options) (*Report, error) {
	if !p.callable && options.OnEvent == nil {
		select {
		case inline <- struct{}{}:
			defer func() { <-inline }()
			return p.runHere(ctx, options)
		default:
		}
	}
	run, err := p.start(ctx, options)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	select {
	case <-run.done:
	case <-ctx.Done():
		run.Cancel()
		<-run.done
	}
	return run.Report(), nil
}

// runHere runs the program on the caller's thread.
func (p *Program) runHere(ctx context.Context, options Options) (*Report, error) {
	memory := new(arena)
	defer memory.free()
	given, err := options.prepare(ctx, memory)
	if err != nil {
		return nil, err
	}
	if ctx.Done() != nil {
		var cancel *C.curfew_cancel
		if err := p.engine.use(func(engine *C.curfew_engine) error {
			if status := C.curfew_cancel_create(engine, &cancel); status != C.CURFEW_OK {
				return &Error{Status: "NO_MEMORY", Message: C.GoString(C.curfew_status_text(status))}
			}
			return nil
		}); err != nil {
			return nil, err
		}
		given.cancel = cancel
		over, watched := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(watched)
			select {
			case <-over:
			case <-ctx.Done():
				C.curfew_cancel_fire(cancel)
			}
		}()
		defer func() {
			close(over)
			<-watched
			C.curfew_cancel_destroy(cancel)
		}()
	}
	var taken *Report
	err = p.use(func(program *C.curfew_program) error {
		var failure C.curfew_failure
		var report *C.curfew_report
		if status := C.curfew_program_run(program, given, &report, &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		taken = takeReport(report)
		C.curfew_report_destroy(report)
		return nil
	})
	runtime.KeepAlive(options.Stdin)
	return taken, err
}

// Start starts the program on the engine's threads. When ctx ends, the run is cancelled.
func (p *Program) Start(ctx context.Context, options Options) (*Running, error) {
	run, err := p.start(ctx, options)
	if err != nil {
		return nil, err
	}
	if ctx.Done() != nil {
		go func() {
			select {
			case <-run.done:
			case <-ctx.Done():
				run.Cancel()
			}
		}()
	}
	return run, nil
}

// Running is a run that was started. It continues to its end, even if nothing refers to it any more.
type Running struct {
	owned[*C.curfew_run]
	done    chan struct{}
	onEvent func(Event)
	handle  cgo.Handle
	program *Program
	once    sync.Once
	report  *Report
}

// prepare fills the options for C, with the deadline of ctx among the limits.
func (options Options) prepare(ctx context.Context, memory *arena) (*C.curfew_run_options, error) {
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		if left <= 0 {
			return nil, context.DeadlineExceeded
		}
		if options.Limits.Timeout == 0 {
			options.Limits.Timeout = 10 * time.Second // the library's default
		}
		if left < options.Limits.Timeout {
			options.Limits.Timeout = left
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return options.fill(memory)
}

func (p *Program) start(ctx context.Context, options Options) (*Running, error) {
	memory := new(arena)
	defer memory.free()
	given, err := options.prepare(ctx, memory)
	if err != nil {
		return nil, err
	}
	run := &Running{done: make(chan struct{}), onEvent: options.OnEvent, program: p}
	run.free = func(r *C.curfew_run) { C.curfew_run_destroy(r) }
	run.handle = cgo.NewHandle(run)
	err = p.use(func(program *C.curfew_program) error {
		var pointer *C.curfew_run
		var failure C.curfew_failure
		status := C.bridge_start(program, given, C.uintptr_t(run.handle), C.bool(options.OnEvent != nil), &pointer, &failure)
		run.pointer = pointer
		if status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		return nil
	})
	runtime.KeepAlive(options.Stdin)
	if err != nil {
		run.handle.Delete()
		return nil, err
	}
	runtime.SetFinalizer(run, func(r *Running) { r.Close() })
	return run, nil
}

//export goRunDone
func goRunDone(handle C.uintptr_t) {
	run := cgo.Handle(handle).Value().(*Running)
	cgo.Handle(handle).Delete()
	close(run.done)
}

//export goRunEvent
func goRunEvent(handle C.uintptr_t, kind C.int, data *C.char, length C.size_t) {
	run := cgo.Handle(handle).Value().(*Running)
	run.onEvent(Event{eventKinds[kind], C.GoBytes(unsafe.Pointer(data), C.int(length))})
}

// Done is closed when the run has ended.
func (r *Running) Done() <-chan struct{} { return r.done }

// Wait waits for the end.
func (r *Running) Wait() *Report {
	<-r.done
	return r.Report()
}

// Report returns the report, or nil while the run is in progress, or if it was closed before.
func (r *Running) Report() *Report {
	select {
	case <-r.done:
	default:
		return nil
	}
	r.once.Do(func() {
		r.use(func(run *C.curfew_run) error {
			r.report = takeReport(C.curfew_run_get_report(run))
			if r.report == nil { // after the callback, before the publication
				r.report = takeReport(C.curfew_run_wait(run))
			}
			return nil
		})
	})
	return r.report
}

// Cancel cancels the run. A second call skips the grace.
func (r *Running) Cancel() {
	r.use(func(run *C.curfew_run) error {
		C.curfew_run_cancel(run)
		return nil
	})
}

// RunUsage is what a run has used so far.
type RunUsage struct {
	Wall, CPU                time.Duration
	MemoryBytes, OutputBytes uint64
}

// Usage returns what the run has used so far.
func (r *Running) Usage() RunUsage {
	var usage RunUsage
	r.use(func(run *C.curfew_run) error {
		got := C.curfew_run_usage{size: C.sizeof_curfew_run_usage}
		C.curfew_run_get_usage(run, &got)
		usage = RunUsage{time.Duration(got.wall_ns), time.Duration(got.cpu_ns), uint64(got.memory_bytes), uint64(got.output_bytes)}
		return nil
	})
	return usage
}

// ---- Options for C

func (o *Options) fill(memory *arena) (*C.curfew_run_options, error) {
	given := (*C.curfew_run_options)(memory.bytes(C.sizeof_curfew_run_options))
	limits, err := o.Limits.fill()
	if err != nil {
		return nil, err
	}
	given.size = C.sizeof_curfew_run_options
	given.limits = (*C.curfew_limits)(memory.copy(unsafe.Slice((*byte)(unsafe.Pointer(&limits)), int(unsafe.Sizeof(limits)))))
	if o.Deterministic {
		given.flags |= C.CURFEW_RUN_DETERMINISTIC
	}
	if o.Stdin != nil {
		given.flags |= C.CURFEW_RUN_STDIN
		given.stdin_fd = C.int32_t(o.Stdin.Fd())
	}
	for _, step := range []func(*arena, *C.curfew_run_options) error{o.fillCall, o.fillData, o.fillSecrets, o.fillLists, o.fillDirs} {
		if err := step(memory, given); err != nil {
			return nil, err
		}
	}
	return given, nil
}

func (o *Options) fillCall(memory *arena, given *C.curfew_run_options) (err error) {
	if o.Call != "" {
		if given.call, err = memory.text(o.Call, "the call"); err != nil {
			return err
		}
	}
	if o.User != "" {
		if given.user, err = memory.text(o.User, "the user"); err != nil {
			return err
		}
	}
	if len(o.Params) > 0 {
		text, err := json.Marshal(o.Params)
		if err != nil {
			return invalid("params have no JSON: %v", err)
		}
		given.params = (*C.char)(memory.copy(text))
		given.params_length = C.size_t(len(text))
	}
	return nil
}

func (o *Options) fillData(memory *arena, given *C.curfew_run_options) (err error) {
	if o.Timezone != "" {
		if given.timezone, err = memory.text(o.Timezone, "the time zone"); err != nil {
			return err
		}
	}
	if len(o.Files) == 0 {
		return nil
	}
	files := make(map[string]map[string][]byte, len(o.Files)) // encoding/json writes bytes as base64
	for name, data := range o.Files {
		if data == nil {
			data = []byte{}
		}
		files[name] = map[string][]byte{"base64": data}
	}
	text, err := json.Marshal(files)
	if err != nil {
		return invalid("files have no JSON: %v", err)
	}
	given.files, given.files_length = (*C.char)(memory.copy(text)), C.size_t(len(text))
	return nil
}

func (o *Options) fillSecrets(memory *arena, given *C.curfew_run_options) error {
	if len(o.Secrets) == 0 {
		return nil
	}
	rows := unsafe.Slice((*C.curfew_secret)(memory.bytes(len(o.Secrets)*C.sizeof_curfew_secret)), len(o.Secrets))
	i := 0
	for name, value := range o.Secrets {
		text, err := memory.text(name, "the name of a secret")
		if err != nil {
			return err
		}
		rows[i] = C.curfew_secret{name: text, value: (*C.char)(memory.copy([]byte(value))), value_length: C.size_t(len(value))}
		i++
	}
	given.secrets, given.secret_count = &rows[0], C.size_t(len(rows))
	return nil
}

func (o *Options) fillLists(memory *arena, given *C.curfew_run_options) (err error) {
	var lines []string
	for name, value := range o.Env {
		lines = append(lines, name+"="+value)
	}
	if given.allow_fetch, given.allow_fetch_count, err = memory.texts(o.AllowFetch, "a host of AllowFetch"); err != nil {
		return err
	}
	if given.secret_for, given.secret_for_count, err = memory.texts(o.SecretFor, "an entry of SecretFor"); err != nil {
		return err
	}
	if given.args, given.arg_count, err = memory.texts(o.Args, "an argument"); err != nil {
		return err
	}
	given.env, given.env_count, err = memory.texts(lines, "the environment")
	return err
}

func (o *Options) fillDirs(memory *arena, given *C.curfew_run_options) (err error) {
	if len(o.Dirs) == 0 {
		return nil
	}
	rows := unsafe.Slice((*C.curfew_dir)(memory.bytes(len(o.Dirs)*C.sizeof_curfew_dir)), len(o.Dirs))
	for i, dir := range o.Dirs {
		if rows[i].host, err = memory.text(dir.Host, "a directory"); err != nil {
			return err
		}
		if rows[i].guest, err = memory.text(dir.Guest, "a directory"); err != nil {
			return err
		}
		if dir.Write {
			rows[i].flags = C.CURFEW_DIR_WRITE
		}
	}
	given.dirs, given.dir_count = &rows[0], C.size_t(len(rows))
	return nil
}
