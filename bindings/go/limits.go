// SPDX-License-Identifier: Apache-2.0

package curfew

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"math"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Unlimited means that there is no limit. For a duration, use UnlimitedTime.
const Unlimited = math.MaxUint64

// UnlimitedTime means that a time is not limited.
const UnlimitedTime = time.Duration(math.MaxInt64)

// Limits are the limits of a run. A zero field takes the library's default.
type Limits struct {
	Timeout   time.Duration // wall-clock deadline for everything: load, compile, start, run, waiting, jobs
	Grace     time.Duration // after the deadline or a cancel, how long the program may continue to end by itself
	CPU       time.Duration // CPU time of the run, waiting excluded
	Fuel      uint64        // deterministic instruction budget
	Loops     uint64        // JavaScript loop iterations plus calls
	Memory    uint64        // guest memory, all of it, in bytes
	Stack     uint64        // guest stack, in bytes
	Output    uint64        // captured stdout + stderr + value, in bytes
	HostCalls uint64        // calls out of the sandbox
	Timers    uint64        // timers pending at once
}

// limitField is a limit in Go and in C: a time or a count.
type limitField struct {
	time  *time.Duration
	count *uint64
	c     *C.uint64_t
}

// limitFields are the limits by the library's names.
func limitFields(l *Limits, c *C.curfew_limits) map[string]limitField {
	return map[string]limitField{
		"timeout":    {&l.Timeout, nil, &c.timeout_ns},
		"grace":      {&l.Grace, nil, &c.grace_ns},
		"cpu":        {&l.CPU, nil, &c.cpu_ns},
		"fuel":       {nil, &l.Fuel, &c.fuel},
		"loops":      {nil, &l.Loops, &c.loops},
		"memory":     {nil, &l.Memory, &c.memory_bytes},
		"stack":      {nil, &l.Stack, &c.stack_bytes},
		"output":     {nil, &l.Output, &c.output_bytes},
		"host-calls": {nil, &l.HostCalls, &c.host_calls},
		"timers":     {nil, &l.Timers, &c.timers},
	}
}

// limitNames are the limits that Limits has a field for.
func limitNames() (names []string) {
	for name := range limitFields(new(Limits), new(C.curfew_limits)) {
		names = append(names, name)
	}
	return names
}

func (l *Limits) fill() (C.curfew_limits, error) {
	filled := C.curfew_limits{size: C.sizeof_curfew_limits}
	if *l == (Limits{}) {
		return filled, nil
	}
	for name, field := range limitFields(l, &filled) {
		switch {
		case field.count != nil:
			*field.c = C.uint64_t(*field.count)
		case *field.time < 0:
			return filled, invalid("limit %s is negative: %v", name, *field.time)
		case *field.time == UnlimitedTime:
			*field.c = Unlimited
		default:
			*field.c = C.uint64_t(*field.time)
		}
	}
	return filled, nil
}

// ParseLimit sets one limit from text in the form of the command line: "300ms", "64MiB", "10M", "unlimited".
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
	field, known := limitFields(l, &given)[name]
	switch {
	case !known:
		return invalid("this package has no field for the limit %s", name)
	case field.count != nil:
		*field.count = uint64(*field.c)
	case *field.c > math.MaxInt64:
		*field.time = UnlimitedTime
	default:
		*field.time = time.Duration(*field.c)
	}
	return nil
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

// limitPlace is the position of a limit in the C struct, and its key in a report.
type limitPlace struct {
	key        string
	offset     uintptr
	isDuration bool
}

var (
	limitPlaces     []limitPlace
	limitPlacesOnce sync.Once
)

func findLimitPlaces() {
	var count C.size_t
	for _, row := range unsafe.Slice(C.curfew_limit_table(&count), 64)[:count] {
		limitPlaces = append(limitPlaces, limitPlace{C.GoString(row.report_key), uintptr(row.offset), row.unit == C.CURFEW_UNIT_DURATION})
	}
}

// readLimits returns the limits in the form of a report's JSON.
func readLimits(limits *C.curfew_limits) map[string]any {
	limitPlacesOnce.Do(findLimitPlaces)
	read := make(map[string]any, len(limitPlaces))
	for _, place := range limitPlaces {
		value := uint64(*(*C.uint64_t)(unsafe.Add(unsafe.Pointer(limits), place.offset)))
		switch {
		case value == Unlimited:
			read[place.key] = nil
		case place.isDuration:
			read[place.key] = float64(value) / 1000
		default:
			read[place.key] = float64(value)
		}
	}
	return read
}
