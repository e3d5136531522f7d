// SPDX-License-Identifier: Apache-2.0

package curfew

// #include "bridge.h"
import "C"

import (
	"encoding/json"
	"fmt"
	"time"
	"unsafe"
)

// Report is the result of one run. docs/report.schema.json describes every key.
type Report struct {
	ID      string   `json:"id"`      // a ULID
	Outcome string   `json:"outcome"` // "ok", "threw", "deadline"...: the host latched it, so a program cannot forge it
	Tripped []string `json:"tripped"` // every limit that was exceeded when the run stopped, the first one first
	Stop    *struct {
		Cause     string `json:"cause"`
		Mode      string `json:"mode"`       // "cooperative", "soft", "hard" or "process"
		LatencyUS int64  `json:"latency_us"` // microseconds since its time was up
	} `json:"stop"` // nil if it was not stopped
	Value           json.RawMessage `json:"value"`   // "null" if there is none
	Partial         json.RawMessage `json:"partial"` // the last value passed to curfew.checkpoint
	Error           *ProgramError   `json:"error"`   // the exception, or the place where it was stopped
	Limits          map[string]any  `json:"limits"`  // nil: unlimited
	Used            Usage           `json:"used"`
	Stdout          string          `json:"stdout"`
	Stderr          string          `json:"stderr"`
	OutputTruncated bool            `json:"output_truncated"`
	Program         struct {
		Name   string `json:"name"`
		Kind   string `json:"kind"` // "js", "module" or "component"
		SHA256 string `json:"sha256"`
	} `json:"program"`

	ExitCode int    `json:"-"` // of `curfew run`; in a report from a server it is derived from the outcome
	JSON     []byte `json:"-"` // all of it, as one line
}

// Usage is what a run has used. A field is nil if it was not counted. Times are in microseconds.
type Usage struct {
	WallUS          float64  `json:"wall_us"`
	CPUUS           float64  `json:"cpu_us"`
	Fuel            *uint64  `json:"fuel"`
	Loops           *uint64  `json:"loops"`
	MemoryPeakBytes uint64   `json:"memory_peak_bytes"`
	StackPeakBytes  *uint64  `json:"stack_peak_bytes"`
	OutputBytes     uint64   `json:"output_bytes"`
	HostCalls       uint64   `json:"host_calls"`
	TimersPeak      *uint64  `json:"timers_peak"`
	LoadUS          *float64 `json:"load_us"`
	CompileUS       *float64 `json:"compile_us"`
	StartUS         *float64 `json:"start_us"`
	RunUS           *float64 `json:"run_us"`
}

// Frame is one frame of a stack.
type Frame struct {
	Function   string  `json:"function"`
	File       string  `json:"file"` // "" for a native frame
	Line       int     `json:"line"` // from 1; 0: unknown
	Column     int     `json:"column"`
	Native     bool    `json:"native"`
	WasmOffset *uint64 `json:"wasm_offset"`
}

// ProgramError is the exception of a program, the reason why it does not load, or the place where it was stopped.
type ProgramError struct {
	Name    string  `json:"name"`
	Message string  `json:"message"`
	Stack   []Frame `json:"stack"` // innermost first
}

// plainReport is a Report without its methods, so that encoding/json reads it by its fields.
type plainReport Report

// UnmarshalJSON reads a report that a server sent.
func (r *Report) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*plainReport)(r)); err != nil {
		return err
	}
	r.JSON = append([]byte(nil), text...)
	r.ExitCode = Outcomes()[r.Outcome]
	return nil
}

// OK says whether the program finished.
func (r *Report) OK() bool { return r.Outcome == "ok" }

// Decode decodes the value into v, like encoding/json. It returns an error if the program did not finish.
func (r *Report) Decode(v any) error {
	if err := r.Err(); err != nil {
		return err
	}
	return json.Unmarshal(r.Value, v)
}

// Err is nil if the program finished, and otherwise a *ProgramFailed.
func (r *Report) Err() error {
	if r.OK() {
		return nil
	}
	return &ProgramFailed{r}
}

// ProgramFailed is the error of a Report whose program did not finish.
type ProgramFailed struct{ Report *Report }

func (e *ProgramFailed) Error() string {
	r := e.Report
	if r.Error == nil || r.Error.Message == "" {
		return r.Outcome
	}
	if r.Error.Name == "" || r.Error.Name == r.Outcome {
		return r.Outcome + ": " + r.Error.Message
	}
	return fmt.Sprintf("%s: %s: %s", r.Outcome, r.Error.Name, r.Error.Message)
}

// Latency is how long the program ran on after its time was up. 0: it was not stopped.
func (r *Report) Latency() time.Duration {
	if r.Stop == nil {
		return 0
	}
	return time.Duration(r.Stop.LatencyUS) * time.Microsecond
}

// takeReport converts a report of the library's. nil stays nil.
func takeReport(report *C.curfew_report) *Report {
	if report == nil {
		return nil
	}
	var text *C.char
	var length C.size_t
	if C.curfew_report_to_json(report, &text, &length) != C.CURFEW_OK {
		return &Report{Outcome: "internal"}
	}
	taken := &Report{JSON: C.GoBytes(unsafe.Pointer(text), C.int(length))}
	C.curfew_free(unsafe.Pointer(text))
	if !report.has_error && report.stop_mode == C.CURFEW_STOP_NONE {
		taken.read(report)
	} else if err := json.Unmarshal(taken.JSON, (*plainReport)(taken)); err != nil {
		// The program's data is nested deeper than encoding/json reads.
		taken.read(report)
		taken.Error = &ProgramError{Name: C.GoString(report.error_name), Message: C.GoString(report.error_message)}
	}
	taken.ExitCode = int(C.curfew_outcome_exit_code(report.outcome))
	if report.outcome == C.CURFEW_OUTCOME_EXITED {
		taken.ExitCode = int(report.exit_code)
	}
	return taken
}

// read fills the fields of a report without an error and without a stop, without parsing its JSON, which takes longer
// than a small run. A test compares the results.
func (r *Report) read(report *C.curfew_report) {
	r.ID = C.GoString(&report.id[0])
	r.Outcome = C.GoString(C.curfew_outcome_name(report.outcome))
	r.Tripped = make([]string, report.tripped_count)
	for i := range r.Tripped {
		r.Tripped[i] = C.GoString(C.curfew_outcome_name(report.tripped[i]))
	}
	r.Value, r.Partial = rawJSON(report.value), rawJSON(report.partial)
	r.Stdout = C.GoStringN(report.stdout_text, C.int(report.stdout_length))
	r.Stderr = C.GoStringN(report.stderr_text, C.int(report.stderr_length))
	r.OutputTruncated = bool(report.output_truncated)
	r.Program.Name, r.Program.Kind, r.Program.SHA256 = C.GoString(report.program_name), C.GoString(report.program_kind), C.GoString(&report.program_sha256[0])
	r.Limits = readLimits(&report.limits)
	r.Used = readUsage(&report.used)
}

func readUsage(used *C.curfew_used) Usage {
	time := func(ns C.uint64_t) float64 { return float64(ns / 1000) }
	some := func(ns C.uint64_t) *float64 { us := time(ns); return &us }
	count := func(n C.uint64_t) *uint64 {
		if uint64(n) == Unlimited {
			return nil
		}
		copied := uint64(n)
		return &copied
	}
	return Usage{
		WallUS: time(used.wall_ns), CPUUS: time(used.cpu_ns), Fuel: count(used.fuel), Loops: count(used.loops),
		MemoryPeakBytes: uint64(used.memory_peak_bytes), StackPeakBytes: count(used.stack_peak_bytes), OutputBytes: uint64(used.output_bytes),
		HostCalls: uint64(used.host_calls), TimersPeak: count(used.timers_peak), LoadUS: some(used.load_ns), CompileUS: some(used.compile_ns),
		StartUS: some(used.start_ns), RunUS: some(used.run_ns),
	}
}

func rawJSON(text *C.char) json.RawMessage {
	if text == nil {
		return json.RawMessage("null")
	}
	return json.RawMessage(C.GoString(text))
}

// Outcomes returns the names of all outcomes with the exit code that `curfew run` gives each.
func Outcomes() map[string]int {
	outcomes := map[string]int{}
	for i := C.curfew_outcome(0); C.curfew_outcome_name(i) != nil; i++ {
		outcomes[C.GoString(C.curfew_outcome_name(i))] = int(C.curfew_outcome_exit_code(i))
	}
	return outcomes
}
