// SPDX-License-Identifier: Apache-2.0

// Package curfew runs JavaScript and WebAssembly that you do not trust, under hard limits, and always gets control back.
//
// An Engine is heavy and shared. A Program is immutable and shared. Each run starts afresh and ends in a Report. An
// error of this package says that a call of the library failed. What a program did is never an error, but a Report.
//
// A context given to a run cancels it. The context's deadline is one of the run's limits.
package curfew

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Error says why a call of the library failed. Match its Status, or use errors.Is with one of the Err values.
type Error struct {
	// Status is the library's: "INVALID", "OVERLOADED", "BAD_PROGRAM"...
	Status string
	// Message is one line that names what and where.
	Message string
	// Report is set if a program does not load. It has the reason.
	Report *Report
}

func (e *Error) Error() string { return "curfew: " + e.Message }

// Is reports whether target is an Error of the same status.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Status == e.Status
}

// Errors to compare with by errors.Is.
var (
	ErrInvalid    = &Error{Status: "INVALID", Message: "an argument is missing, malformed or out of range"}
	ErrOverloaded = &Error{Status: "OVERLOADED", Message: "the engine has reached its maximum number of runs: try again later"}
	ErrBadProgram = &Error{Status: "BAD_PROGRAM", Message: "the program does not load"}
	ErrBadImage   = &Error{Status: "BAD_IMAGE", Message: "the image is damaged or belongs to another build"}
	ErrInUse      = &Error{Status: "IN_USE", Message: "a call of this session is in progress"}
	ErrUnusable   = &Error{Status: "UNUSABLE", Message: "the session's state was lost: reset it"}
	ErrClosed     = &Error{Status: "CLOSED", Message: "it is closed"}
)

func newError(status C.curfew_status, failure *C.curfew_failure) *Error {
	message := C.GoString(&failure.message[0])
	if message == "" {
		message = C.GoString(C.curfew_status_text(status))
	}
	return &Error{Status: C.GoString(C.bridge_status_name(status)), Message: message}
}

func invalid(format string, values ...any) error {
	return &Error{Status: "INVALID", Message: fmt.Sprintf(format, values...)}
}

// Version returns the library's version.
func Version() string { return C.GoString(C.curfew_version()) }

// ---- Engine

// EngineOptions are the options of NewEngine. A zero field takes the library's default.
type EngineOptions struct {
	Threads       int    // runs that compute at once; one for each core
	CacheDir      string // directory for compiled code, made if missing; must belong to this user
	ResidentBytes int64  // memory kept ready for reuse
	MaxRuns       int    // runs in progress at once; one more is ErrOverloaded
}

// Engine is heavy and may be used by any goroutines at once.
type Engine struct {
	owned[*C.curfew_engine]
}

// owned is a pointer of the library's with one owner. It is freed once.
type owned[P comparable] struct {
	lock    sync.RWMutex
	pointer P
	free    func(P)
}

// use calls f with the pointer, which is not freed during the call. ErrClosed: it was freed before.
func (o *owned[P]) use(f func(P) error) error {
	var none P
	o.lock.RLock()
	defer o.lock.RUnlock()
	if o.pointer == none {
		return ErrClosed
	}
	return f(o.pointer)
}

// Close frees the resources. A second call does nothing.
func (o *owned[P]) Close() error {
	var none P
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.pointer != none {
		o.free(o.pointer)
		o.pointer = none
	}
	return nil
}

// NewEngine creates an engine. Close it, or let the garbage collector do that.
func NewEngine(options EngineOptions) (*Engine, error) {
	if options.Threads < 0 || options.ResidentBytes < 0 || options.MaxRuns < 0 {
		return nil, invalid("an option of the engine is negative: %+v", options)
	}
	var engine *C.curfew_engine
	var failure C.curfew_failure
	given := (*C.curfew_engine_options)(C.calloc(1, C.sizeof_curfew_engine_options))
	defer C.free(unsafe.Pointer(given))
	given.size = C.sizeof_curfew_engine_options
	given.threads = C.uint32_t(options.Threads)
	given.resident_bytes = C.uint64_t(options.ResidentBytes)
	given.max_runs = C.uint32_t(options.MaxRuns)
	if options.CacheDir != "" {
		given.cache_dir = C.CString(options.CacheDir)
		defer C.free(unsafe.Pointer(given.cache_dir))
	}
	if status := C.curfew_engine_create(given, &engine, &failure); status != C.CURFEW_OK {
		return nil, newError(status, &failure)
	}
	made := &Engine{}
	made.pointer, made.free = engine, func(e *C.curfew_engine) { C.curfew_engine_destroy(e) }
	runtime.SetFinalizer(made, func(e *Engine) { e.Close() })
	return made, nil
}

// EngineStats are figures of an engine.
type EngineStats struct {
	RunsActive, RegionsInUse, RegionsPooled, RunsTotal, ResidentBytes uint64
}

// Stats returns figures of the engine; zeros if it is closed.
func (e *Engine) Stats() EngineStats {
	var stats EngineStats
	e.use(func(engine *C.curfew_engine) error {
		got := C.curfew_engine_stats{size: C.sizeof_curfew_engine_stats}
		C.curfew_engine_get_stats(engine, &got)
		stats = EngineStats{uint64(got.runs_active), uint64(got.regions_in_use), uint64(got.regions_pooled), uint64(got.runs_total), uint64(got.resident_bytes)}
		return nil
	})
	return stats
}

var defaultEngine = struct {
	sync.Mutex
	engine *Engine
}{}

// DefaultEngine returns the engine that Run uses. It is created at its first use.
func DefaultEngine() (*Engine, error) {
	defaultEngine.Lock()
	defer defaultEngine.Unlock()
	var err error
	if defaultEngine.engine == nil {
		defaultEngine.engine, err = NewEngine(EngineOptions{})
	}
	return defaultEngine.engine, err
}

// Run runs the text of a JavaScript program once, in the process's own engine.
func Run(ctx context.Context, text string, options Options) (*Report, error) {
	engine, err := DefaultEngine()
	if err != nil {
		return nil, err
	}
	return engine.Run(ctx, Source{Text: []byte(text)}, options)
}

// Run runs a source once.
func (e *Engine) Run(ctx context.Context, source Source, options Options) (*Report, error) {
	source.Once = true
	program, err := e.Program(source)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	return program.Run(ctx, options)
}

// ---- Program

// Source is the source of a program.
type Source struct {
	Text       []byte    // JavaScript, WebAssembly text, or the bytes of a module or component
	Language   string    // "js", "mjs", "ts", "mts", "wasm", "wat", "tar" (a bundle of files); "": by the bytes' header, else "js"
	Name       string    // shown in stacks and reports
	NameIsPath bool      // Name is its path below ImportDir: relative imports are relative to it, not to ImportDir
	ImportDir  string    // directory that imports may read, and nothing above it; "": none
	ImportMap  string    // an import map, as JSON; its addresses begin at the top of ImportDir
	Node       bool      // it has Node's globals from the beginning: process, Buffer, global, setImmediate
	Once       bool      // it will be run once: no image of its parsed form is kept
	Functions  Functions // host functions by name
}

// ReadSource is the source of a file: its name, its language by its suffix, and its directory for imports.
func ReadSource(path string) (Source, error) {
	text, err := os.ReadFile(path)
	suffix := strings.TrimPrefix(filepath.Ext(path), ".")
	if _, known := languages[suffix]; !known {
		suffix = ""
	}
	source := Source{Text: text, Language: suffix, Name: filepath.Base(path)}
	if suffix != "tar" { // which contains its files
		source.ImportDir = filepath.Dir(path)
	}
	return source, err
}

// ReadSourceBelow is the source of a file that may import from all of importDir, which must hold it. Relative imports
// are relative to the file.
func ReadSourceBelow(importDir, path string) (Source, error) {
	source, err := ReadSource(path)
	if err == nil {
		source.ImportDir, source.NameIsPath = importDir, true
		source.Name, err = pathBelow(importDir, path)
	}
	return source, err
}

func pathBelow(dir, path string) (string, error) {
	var real [2]string
	for i, name := range []string{dir, path} {
		absolute, err := filepath.Abs(name)
		if err == nil {
			real[i], err = filepath.EvalSymlinks(absolute)
		}
		if err != nil {
			return "", err
		}
	}
	below, err := filepath.Rel(real[0], real[1])
	if err == nil && (below == ".." || strings.HasPrefix(below, "../")) {
		err = invalid("import directory %s: it must hold %s", dir, path)
	}
	return below, err
}

var languages = map[string]C.curfew_language{
	"js": C.CURFEW_LANGUAGE_JS, "mjs": C.CURFEW_LANGUAGE_JS_MODULE, "ts": C.CURFEW_LANGUAGE_TS, "mts": C.CURFEW_LANGUAGE_TS_MODULE, "wasm": C.CURFEW_LANGUAGE_WASM, "wat": C.CURFEW_LANGUAGE_WAT, "tar": C.CURFEW_LANGUAGE_BUNDLE,
}

// Program is immutable and may be used by any goroutines at once; each run of it begins afresh.
type Program struct {
	owned[*C.curfew_program]
	engine   *Engine
	callable bool // it may call Go: it has host functions
}

// Program creates a program; nothing is parsed before it is compiled or run.
func (e *Engine) Program(source Source) (*Program, error) {
	if source.Language == "" {
		source.Language = "js"
		if strings.HasPrefix(string(source.Text[:min(4, len(source.Text))]), "\x00asm") {
			source.Language = "wasm"
		}
	}
	language, known := languages[source.Language]
	if !known {
		return nil, invalid("language must be js, mjs, ts, mts, wasm, wat or tar, not %q", source.Language)
	}
	if source.Name == "" {
		source.Name = "source." + source.Language
	}
	memory := new(arena)
	defer memory.free()
	given := (*C.curfew_source)(memory.bytes(C.sizeof_curfew_source))
	given.size = C.sizeof_curfew_source
	given.language = language
	given.text = (*C.char)(memory.copy(source.Text))
	given.text_length = C.size_t(len(source.Text))
	if source.Once {
		given.flags = C.CURFEW_SOURCE_ONCE
	}
	if source.NameIsPath {
		given.flags |= C.CURFEW_SOURCE_PATH
	}
	if source.Node {
		given.flags |= C.CURFEW_SOURCE_NODE
	}
	if source.ImportMap != "" {
		given.import_map = (*C.char)(memory.copy([]byte(source.ImportMap)))
		given.import_map_length = C.size_t(len(source.ImportMap))
	}
	var err error
	if given.name, err = memory.text(source.Name, "the name"); err == nil && source.ImportDir != "" {
		given.import_dir, err = memory.text(source.ImportDir, "the import directory")
	}
	if err != nil {
		return nil, err
	}
	return e.makeProgram(source.Functions, func(engine *C.curfew_engine, program **C.curfew_program, failure *C.curfew_failure) C.curfew_status {
		return C.curfew_program_create(engine, given, program, failure)
	})
}

// Load makes a program of what Save returned.
func (e *Engine) Load(image []byte, functions Functions) (*Program, error) {
	memory := new(arena)
	defer memory.free()
	data := memory.copy(image)
	return e.makeProgram(functions, func(engine *C.curfew_engine, program **C.curfew_program, failure *C.curfew_failure) C.curfew_status {
		return C.curfew_program_load(engine, data, C.size_t(len(image)), program, failure)
	})
}

func (e *Engine) makeProgram(functions Functions, create func(*C.curfew_engine, **C.curfew_program, *C.curfew_failure) C.curfew_status) (*Program, error) {
	made := &Program{engine: e, callable: len(functions) > 0}
	err := e.use(func(engine *C.curfew_engine) error {
		var pointer *C.curfew_program
		var failure C.curfew_failure
		if status := create(engine, &pointer, &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		made.pointer = pointer
		return nil
	})
	if err != nil {
		return nil, err
	}
	made.free = func(p *C.curfew_program) { C.curfew_program_destroy(p) }
	runtime.SetFinalizer(made, func(p *Program) { p.Close() })
	if err := made.setFunctions(functions); err != nil {
		made.Close()
		return nil, err
	}
	return made, nil
}

// Kind is "js", "module" or "component"; of WebAssembly text known after its first run or compile.
func (p *Program) Kind() string {
	var kind string
	p.use(func(program *C.curfew_program) error {
		kind = C.GoString(C.curfew_program_kind(program))
		return nil
	})
	return kind
}

// Compile parses and compiles now, under these limits. ErrBadProgram: the Error has the report.
func (p *Program) Compile(limits Limits) error {
	return p.load(limits, func(program *C.curfew_program, given *C.curfew_limits, report **C.curfew_report, failure *C.curfew_failure) C.curfew_status {
		return C.curfew_program_compile(program, given, report, failure)
	})
}

// Inspect returns what the program is, as JSON (docs/INSPECT.md). Nothing of it runs.
func (p *Program) Inspect(limits Limits) (json.RawMessage, error) {
	var text *C.char
	var length C.size_t
	err := p.load(limits, func(program *C.curfew_program, given *C.curfew_limits, report **C.curfew_report, failure *C.curfew_failure) C.curfew_status {
		return C.curfew_program_inspect(program, given, &text, &length, report, failure)
	})
	if err != nil {
		return nil, err
	}
	defer C.curfew_free(unsafe.Pointer(text))
	return C.GoBytes(unsafe.Pointer(text), C.int(length)), nil
}

func (p *Program) load(limits Limits, call func(*C.curfew_program, *C.curfew_limits, **C.curfew_report, *C.curfew_failure) C.curfew_status) error {
	given, err := limits.fill()
	if err != nil {
		return err
	}
	return p.use(func(program *C.curfew_program) error {
		var failure C.curfew_failure
		var report *C.curfew_report
		status := call(program, &given, &report, &failure)
		taken := takeReport(report)
		C.curfew_report_destroy(report)
		if status == C.CURFEW_OK {
			return nil
		}
		failed := newError(status, &failure)
		failed.Report = taken
		return failed
	})
}

// Save returns the image of a compiled program, for Engine.Load.
func (p *Program) Save() ([]byte, error) {
	var image unsafe.Pointer
	var length C.size_t
	err := p.use(func(program *C.curfew_program) error {
		var failure C.curfew_failure
		if status := C.curfew_program_save(program, &image, &length, &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer C.curfew_free(image)
	return C.GoBytes(image, C.int(length)), nil
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// ---- Memory of C's

// arena is memory of C's that is freed at once: Go's pointers may not be stored in what C keeps.
type arena struct {
	pieces []unsafe.Pointer
	sizes  []int
}

func (a *arena) bytes(size int) unsafe.Pointer {
	piece := C.calloc(1, C.size_t(size+1))
	a.pieces, a.sizes = append(a.pieces, piece), append(a.sizes, size)
	return piece
}

func (a *arena) copy(data []byte) unsafe.Pointer {
	piece := a.bytes(len(data))
	copy(unsafe.Slice((*byte)(piece), len(data)+1), data)
	return piece
}

func (a *arena) text(text, what string) (*C.char, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, invalid("%s holds a NUL", what)
	}
	return (*C.char)(a.copy([]byte(text))), nil
}

// texts is an array of strings; nil for none.
func (a *arena) texts(values []string, what string) (**C.char, C.size_t, error) {
	if len(values) == 0 {
		return nil, 0, nil
	}
	array := unsafe.Slice((**C.char)(a.bytes(len(values)*int(unsafe.Sizeof(uintptr(0))))), len(values))
	for i, value := range values {
		text, err := a.text(value, what)
		if err != nil {
			return nil, 0, err
		}
		array[i] = text
	}
	return &array[0], C.size_t(len(values)), nil
}

// free wipes what may have been a secret.
func (a *arena) free() {
	for i, piece := range a.pieces {
		data := unsafe.Slice((*byte)(piece), a.sizes[i]+1)
		for j := range data {
			data[j] = 0
		}
		C.free(piece)
	}
	a.pieces, a.sizes = nil, nil
}
