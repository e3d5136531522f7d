// SPDX-License-Identifier: Apache-2.0

package curfew

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"encoding/json"
	"runtime"
	"time"
)

// Session keeps one program's state between calls. It executes one call at a time: a concurrent one returns ErrInUse.
type Session struct {
	owned[*C.curfew_session]
	program *Program
}

// Session creates a session. Options must not have Call, Params and OnEvent. Their Limits are totals over all its
// calls.
func (p *Program) Session(options Options) (*Session, error) {
	if options.Call != "" || options.Params != nil || options.OnEvent != nil {
		return nil, invalid("a session has no call, params or listener: its calls do")
	}
	memory := new(arena)
	defer memory.free()
	given, err := options.fill(memory)
	if err != nil {
		return nil, err
	}
	session := &Session{program: p}
	session.free = func(s *C.curfew_session) { C.curfew_session_destroy(s) }
	err = p.use(func(program *C.curfew_program) error {
		var pointer *C.curfew_session
		var failure C.curfew_failure
		if status := C.curfew_session_create(program, given, &pointer, &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		session.pointer = pointer
		return nil
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(session, func(s *Session) { s.Close() })
	return session, nil
}

// Call calls a function that the program exports. When ctx ends, the call is cancelled, and its report says so.
func (s *Session) Call(ctx context.Context, function string, params []any, limits Limits) (*Report, error) {
	if params == nil {
		params = []any{}
	}
	text, err := json.Marshal(params)
	if err != nil {
		return nil, invalid("params have no JSON: %v", err)
	}
	return s.do(ctx, function, text, limits, func(session *C.curfew_session, name, data *C.char, length C.size_t, given *C.curfew_limits, report **C.curfew_report, failure *C.curfew_failure) C.curfew_status {
		return C.curfew_session_call(session, name, data, given, report, failure)
	})
}

// Eval evaluates text as the session's next cell. Stacks show name ("": "cell 1"...). It works only for JavaScript.
func (s *Session) Eval(ctx context.Context, name, text string, limits Limits) (*Report, error) {
	return s.do(ctx, name, []byte(text), limits, func(session *C.curfew_session, name, data *C.char, length C.size_t, given *C.curfew_limits, report **C.curfew_report, failure *C.curfew_failure) C.curfew_status {
		return C.curfew_session_eval(session, name, data, length, given, report, failure)
	})
}

// cancelAgain is how often the cancel of a call that has not begun yet is tried again.
const cancelAgain = 5 * time.Millisecond

func (s *Session) do(ctx context.Context, name string, text []byte, limits Limits, call func(*C.curfew_session, *C.char, *C.char, C.size_t, *C.curfew_limits, **C.curfew_report, *C.curfew_failure) C.curfew_status) (*Report, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	memory := new(arena)
	defer memory.free()
	given, err := limits.fill()
	if err != nil {
		return nil, err
	}
	var cName *C.char
	if name != "" {
		if cName, err = memory.text(name, "the name"); err != nil {
			return nil, err
		}
	}
	data := (*C.char)(memory.copy(text))
	done := make(chan struct{})
	defer close(done)
	if ctx.Done() != nil {
		go s.cancelWith(ctx, done)
	}
	var taken *Report
	err = s.use(func(session *C.curfew_session) error {
		var failure C.curfew_failure
		var report *C.curfew_report
		if status := call(session, cName, data, C.size_t(len(text)), &given, &report, &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		taken = takeReport(report)
		C.curfew_report_destroy(report)
		return nil
	})
	return taken, err
}

func (s *Session) cancelWith(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	for !s.Cancel() {
		select {
		case <-done:
			return
		case <-time.After(cancelAgain):
		}
	}
}

// Cancel cancels the call in progress; a second time skips the grace. It returns whether there was a call.
func (s *Session) Cancel() bool {
	cancelled := false
	s.use(func(session *C.curfew_session) error {
		cancelled = bool(C.curfew_session_cancel(session))
		return nil
	})
	return cancelled
}

// Reset drops the state: the next call begins with the program's image.
func (s *Session) Reset() error {
	return s.use(func(session *C.curfew_session) error {
		var failure C.curfew_failure
		if status := C.curfew_session_reset(session, &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		return nil
	})
}

// Usable says whether the next call would find a state.
func (s *Session) Usable() bool {
	usable := false
	s.use(func(session *C.curfew_session) error {
		usable = bool(C.curfew_session_is_usable(session))
		return nil
	})
	return usable
}

// SessionTotals are what all calls of a session have used.
type SessionTotals struct {
	Calls       uint64
	Wall, CPU   time.Duration
	Fuel        uint64 // Unlimited: not metered
	Loops       uint64
	OutputBytes uint64
	HostCalls   uint64
	MemoryBytes uint64 // the state's memory now; 0: there is none yet
}

// Totals returns what all its calls have used.
func (s *Session) Totals() SessionTotals {
	var totals SessionTotals
	s.use(func(session *C.curfew_session) error {
		got := C.curfew_session_totals{size: C.sizeof_curfew_session_totals}
		C.curfew_session_get_totals(session, &got)
		totals = SessionTotals{uint64(got.calls), time.Duration(got.wall_ns), time.Duration(got.cpu_ns), uint64(got.fuel), uint64(got.loops),
			uint64(got.output_bytes), uint64(got.host_calls), uint64(got.memory_bytes)}
		return nil
	})
	return totals
}
