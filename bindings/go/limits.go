// SPDX-License-Identifier: Apache-2.0

package curfew

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"math"
	"strings"
	"time"
	"unsafe"
)

// Unlimited says that there is no limit; for a duration, UnlimitedTime.
const Unlimited = math.MaxUint64

// UnlimitedTime says that a time is not limited.
const UnlimitedTime = time.Duration(math.MaxInt64)

// Limits are what a run may use. A zero field takes the library's default.
type Limits struct {
	Timeout   time.Duration // wall-clock deadline for everything: load, compile, start, run, waiting, jobs
	Grace     time.Duration // after the deadline or a cancel, how long the program may go on to end by itself
	CPU       time.Duration // CPU time of the run, waiting excluded
	Fuel      uint64        // deterministic instruction budget
	Loops     uint64        // JavaScript loop iterations plus calls
	Memory    uint64        // guest memory, all of it, in bytes
	Stack     uint64        // guest stack, in bytes
	Output    uint64        // captured stdout + stderr + value, in bytes
	HostCalls uint64        // calls out of the sandbox
	Timers    uint64        // timers pending at once
}

// fields are the limits by the library's names.
func (l *Limits) fields() map[string]uint64 {
	return map[string]uint64{
		"timeout": nanoseconds(l.Timeout), "grace": nanoseconds(l.Grace), "cpu": nanoseconds(l.CPU), "fuel": l.Fuel, "loops": l.Loops,
		"memory": l.Memory, "stack": l.Stack, "output": l.Output, "host-calls": l.HostCalls, "timers": l.Timers,
	}
}

func nanoseconds(d time.Duration) uint64 {
	if d == UnlimitedTime {
		return Unlimited
	}
	return uint64(d)
}

func (l *Limits) fill() (C.curfew_limits, error) {
	filled := C.curfew_limits{size: C.sizeof_curfew_limits}
	for _, d := range []time.Duration{l.Timeout, l.Grace, l.CPU} {
		if d < 0 {
			return filled, invalid("a limit is negative: %v", d)
		}
	}
	filled.timeout_ns = C.uint64_t(nanoseconds(l.Timeout))
	filled.grace_ns = C.uint64_t(nanoseconds(l.Grace))
	filled.cpu_ns = C.uint64_t(nanoseconds(l.CPU))
	filled.fuel = C.uint64_t(l.Fuel)
	filled.loops = C.uint64_t(l.Loops)
	filled.memory_bytes = C.uint64_t(l.Memory)
	filled.stack_bytes = C.uint64_t(l.Stack)
	filled.output_bytes = C.uint64_t(l.Output)
	filled.host_calls = C.uint64_t(l.HostCalls)
	filled.timers = C.uint64_t(l.Timers)
	return filled, nil
}

// ParseLimit sets one limit from text as the command line takes it: "300ms", "64MiB", "10M", "unlimited".
func (l *Limits) ParseLimit(name, text string) error {
	memory := new(arena)
	defer memory.free()
	given := C.curfew_limits{size: C.sizeof_curfew_limits}
	var failure C.curfew_failure
	cName, err := memory.text(name, "the name")
	if err != nil {
		return err
	}
	cText, err := memory.text(text, "the limit")
	if err != nil {
		return err
	}
	if status := C.curfew_limits_set(&given, cName, cText, &failure); status != C.CURFEW_OK {
		return newError(status, &failure)
	}
	l.set(name, &given)
	return nil
}

func (l *Limits) set(name string, given *C.curfew_limits) {
	duration := func(ns C.uint64_t) time.Duration {
		if ns > math.MaxInt64 {
			return UnlimitedTime
		}
		return time.Duration(ns)
	}
	switch name {
	case "timeout":
		l.Timeout = duration(given.timeout_ns)
	case "grace":
		l.Grace = duration(given.grace_ns)
	case "cpu":
		l.CPU = duration(given.cpu_ns)
	case "fuel":
		l.Fuel = uint64(given.fuel)
	case "loops":
		l.Loops = uint64(given.loops)
	case "memory":
		l.Memory = uint64(given.memory_bytes)
	case "stack":
		l.Stack = uint64(given.stack_bytes)
	case "output":
		l.Output = uint64(given.output_bytes)
	case "host-calls":
		l.HostCalls = uint64(given.host_calls)
	case "timers":
		l.Timers = uint64(given.timers)
	}
}

// LimitInfo is one row of the library's table of limits.
type LimitInfo struct {
	Name, ReportKey, Meaning string
}

// LimitTable returns the library's table of limits.
func LimitTable() []LimitInfo {
	var count C.size_t
	rows := unsafe.Slice(C.curfew_limit_table(&count), 64)[:count]
	table := make([]LimitInfo, len(rows))
	for i := range rows {
		table[i] = LimitInfo{C.GoString(rows[i].name), C.GoString(rows[i].report_key), strings.TrimSpace(C.GoString(rows[i].meaning))}
	}
	return table
}
