// SPDX-License-Identifier: Apache-2.0

package curfew

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/cgo"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Functions are host functions by name: each a Go function, or a HostFunction.
//
// A Go function may take a context.Context first, which ends when the run is stopped. Its other parameters are decoded
// from JSON. It returns nothing, a value, an error, or both. An error is an exception that the program may catch.
type Functions map[string]any

// HostFunction is a Go function with options.
type HostFunction struct {
	Call   any    // a function, as in Functions
	Module string // the module that WebAssembly imports it from, or a component's interface; "": "host"
	Type   string // "ii->i" and the like, of i (int32), I (int64), f (float32), F (float64); "": JSON
	Fuel   uint64 // the cost of a call if fuel is limited
	Async  bool   // the program gets a promise for the answer, and WebAssembly waits without holding a thread
}

// lookAgain is how often a call of a function with a context checks whether its run was stopped.
const lookAgain = 2 * time.Millisecond

// boundFunction is a host function whose signature was examined: how its parameters and results are passed.
type boundFunction struct {
	HostFunction
	name    string
	call    reflect.Value
	takes   []reflect.Type
	context bool
	results int // without the error
	fails   bool
}

var (
	contextType = reflect.TypeOf((*context.Context)(nil)).Elem()
	errorType   = reflect.TypeOf((*error)(nil)).Elem()
)

func bind(name string, given any) (*boundFunction, error) {
	bound := &boundFunction{name: name}
	switch value := given.(type) {
	case HostFunction:
		bound.HostFunction = value
	default:
		bound.Call = value
	}
	bound.call = reflect.ValueOf(bound.Call)
	if bound.call.Kind() != reflect.Func || bound.call.IsNil() || bound.call.Type().IsVariadic() {
		return nil, invalid("host function %s must be a function without variadic parameters, not %T", name, bound.Call)
	}
	kind := bound.call.Type()
	for i := 0; i < kind.NumIn(); i++ {
		if i == 0 && kind.In(0) == contextType {
			bound.context = true
			continue
		}
		bound.takes = append(bound.takes, kind.In(i))
	}
	bound.results = kind.NumOut()
	if bound.results > 0 && kind.Out(bound.results-1) == errorType {
		bound.fails = true
		bound.results--
	}
	return bound, bound.check()
}

var letters = map[byte]reflect.Kind{'i': reflect.Int32, 'I': reflect.Int64, 'f': reflect.Float32, 'F': reflect.Float64}

// check returns an error if the Go function does not have the signature that its type requires.
func (b *boundFunction) check() error {
	if b.Type == "" {
		if b.results > 1 {
			return invalid("host function %s returns %d values; one and an error can be passed", b.name, b.results)
		}
		return nil
	}
	parameters, results, found := strings.Cut(b.Type, "->")
	if !found {
		return invalid("host function %s: %q is not a type like \"ii->i\"", b.name, b.Type)
	}
	if len(parameters) != len(b.takes) || len(results) != b.results {
		return invalid("host function %s: its type %q has other numbers of values than %s", b.name, b.Type, b.call.Type())
	}
	for i := range parameters {
		if letters[parameters[i]] != b.takes[i].Kind() {
			return invalid("host function %s: parameter %d of its type %q is not a Go %s", b.name, i+1, b.Type, b.takes[i])
		}
	}
	for i := range results {
		if letters[results[i]] != b.call.Type().Out(i).Kind() {
			return invalid("host function %s: result %d of its type %q is not a Go %s", b.name, i+1, b.Type, b.call.Type().Out(i))
		}
	}
	return nil
}

// setFunctions gives the program its functions. The library notifies when their handles are no longer used.
func (p *Program) setFunctions(functions Functions) (err error) {
	if len(functions) == 0 {
		return nil
	}
	memory := new(arena)
	defer memory.free()
	handles := make([]cgo.Handle, 0, len(functions))
	defer func() {
		for i := range handles {
			if err != nil {
				handles[i].Delete()
			}
		}
	}()
	rows := unsafe.Slice((*C.curfew_host_function)(memory.bytes(len(functions)*C.sizeof_curfew_host_function)), len(functions))
	i := 0
	for name, given := range functions {
		bound, err := bind(name, given)
		if err != nil {
			return err
		}
		handles = append(handles, cgo.NewHandle(bound))
		if err := bound.fill(memory, &rows[i], handles[i]); err != nil {
			return err
		}
		i++
	}
	return p.use(func(program *C.curfew_program) error {
		var failure C.curfew_failure
		if status := C.curfew_program_set_functions(program, &rows[0], C.size_t(len(rows)), &failure); status != C.CURFEW_OK {
			return newError(status, &failure)
		}
		return nil
	})
}

func (b *boundFunction) fill(memory *arena, row *C.curfew_host_function, handle cgo.Handle) error {
	var module, kind *C.char
	name, err := memory.text(b.name, "the name of a host function")
	if err == nil && b.Module != "" {
		module, err = memory.text(b.Module, "a module")
	}
	if err == nil && b.Type != "" {
		kind, err = memory.text(b.Type, "a type")
	}
	if err != nil {
		return err
	}
	if !C.bridge_function(row, name, module, kind, C.uint64_t(b.Fuel), C.bool(b.Async), C.uintptr_t(handle)) {
		return &Error{Status: "NO_MEMORY", Message: "out of memory"}
	}
	return nil
}

// ---- Calls

// hostCall is one call. The goroutine that takes the pointer answers it.
type hostCall struct {
	pointer *C.curfew_host_call
	taken   atomic.Bool
	cancel  context.CancelFunc
	before  func() // the answer; nil: nothing
}

// take returns the call to the first caller, and nil after that.
func (h *hostCall) take() *C.curfew_host_call {
	if h.taken.Swap(true) {
		return nil
	}
	if h.before != nil {
		h.before()
	}
	return h.pointer
}

func (h *hostCall) throw(message string) {
	if call := h.take(); call != nil {
		text := C.CString(strings.ReplaceAll(message, "\x00", "?"))
		C.curfew_host_call_throw(call, text)
		C.free(unsafe.Pointer(text))
	}
}

//export goHostWaiting
func goHostWaiting() {
	go takeCalls()
}

// takeCalls executes synchronous calls until none has arrived for a while. The executing thread waits for the answer,
// but only until its run is stopped. Then the answer is dropped.
func takeCalls() {
	for {
		taken := C.bridge_take()
		if taken.call == nil {
			return
		}
		cgo.Handle(taken.handle).Value().(*boundFunction).carryOut(taken.call)
	}
}

func (b *boundFunction) carryOut(call *C.curfew_host_call) {
	made := &hostCall{pointer: call}
	defer made.throw("the function ended its goroutine") // no effect if it was answered
	ctx := context.Background()
	if b.context {
		watched, end := watch(call)
		defer end()
		ctx = watched
		made.before = end
	}
	arguments, err := b.read(ctx, call)
	if err == nil {
		var results []reflect.Value
		if results, err = b.invoke(arguments); err == nil {
			b.answer(made, results)
			return
		}
	}
	made.throw(err.Error())
}

// watch makes a context that ends with the run, or when end is called. After that, the call is no longer accessed.
func watch(call *C.curfew_host_call) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(lookAgain)
		defer again.Stop()
		for {
			select {
			case <-over:
				return
			case <-again.C:
				if C.curfew_host_call_is_stopped(call) {
					cancel()
					return
				}
			}
		}
	}()
	var once sync.Once
	return ctx, func() {
		once.Do(func() {
			close(over)
			<-ended
			cancel()
		})
	}
}

//export goHostCall
func goHostCall(handle C.uintptr_t, call *C.curfew_host_call) {
	bound := cgo.Handle(handle).Value().(*boundFunction)
	made := &hostCall{pointer: call}
	ctx, cancel := context.WithCancel(context.Background())
	made.cancel = cancel
	arguments, err := bound.read(ctx, call)
	if err != nil {
		made.throw(err.Error())
		cancel()
		return
	}
	bound.begin(made, call, arguments)
}

// The asynchronous calls without an answer, by the number that each has as its data.
var (
	pending  sync.Map
	nextCall atomic.Uint64
)

// begin executes an asynchronous call in a goroutine of its own.
func (b *boundFunction) begin(made *hostCall, call *C.curfew_host_call, arguments []reflect.Value) {
	number := nextCall.Add(1)
	pending.Store(number, made)
	C.bridge_set_data(call, C.uintptr_t(number))
	if C.curfew_host_call_is_stopped(call) {
		made.cancel()
	}
	go func() {
		defer made.cancel()
		defer pending.Delete(number)
		defer made.throw("the function ended its goroutine") // no effect if it was answered
		results, err := b.invoke(arguments)
		if err != nil {
			made.throw(err.Error())
			return
		}
		b.answer(made, results)
	}()
}

//export goHostReleased
func goHostReleased(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}

//export goHostStopped
func goHostStopped(call *C.curfew_host_call) {
	found, ok := pending.LoadAndDelete(uint64(C.bridge_get_data(call)))
	if !ok {
		return // it is answered, or about to begin and then checks by itself
	}
	made := found.(*hostCall)
	made.cancel()
	made.throw("the run was stopped")
}

// invoke calls the function. A panic becomes an error of the call.
func (b *boundFunction) invoke(arguments []reflect.Value) (results []reflect.Value, err error) {
	returned := false
	defer func() {
		if reason := recover(); !returned {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	results = b.call.Call(arguments)
	returned = true
	if b.fails {
		last, _ := results[len(results)-1].Interface().(error)
		return results[:len(results)-1], last
	}
	return results, nil
}

// read decodes the arguments.
func (b *boundFunction) read(ctx context.Context, call *C.curfew_host_call) ([]reflect.Value, error) {
	var arguments []reflect.Value
	if b.context {
		arguments = append(arguments, reflect.ValueOf(ctx))
	}
	if b.Type != "" {
		values := unsafe.Slice((*uint64)(unsafe.Pointer(C.curfew_host_call_get_values(call))), len(b.takes))
		for i, kind := range b.takes {
			value := reflect.NewAt(kind, unsafe.Pointer(&values[i])).Elem()
			arguments = append(arguments, reflect.ValueOf(value.Interface()))
		}
		return arguments, nil
	}
	var length C.size_t
	text := C.curfew_host_call_get_params(call, &length)
	var parts []json.RawMessage
	if err := json.Unmarshal(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(length)), &parts); err != nil {
		return nil, err
	}
	if len(parts) != len(b.takes) {
		return nil, fmt.Errorf("%s takes %d arguments and was given %d", b.name, len(b.takes), len(parts))
	}
	for i, part := range parts {
		value := reflect.New(b.takes[i])
		if err := json.Unmarshal(part, value.Interface()); err != nil {
			return nil, fmt.Errorf("argument %d of %s: %w", i+1, b.name, err)
		}
		arguments = append(arguments, value.Elem())
	}
	return arguments, nil
}

// answer passes the results on. It has no effect if the run was stopped first.
func (b *boundFunction) answer(made *hostCall, results []reflect.Value) {
	if b.Type != "" {
		var values [16]C.curfew_value
		for i, result := range results {
			reflect.NewAt(result.Type(), unsafe.Pointer(&values[i])).Elem().Set(result)
		}
		if call := made.take(); call != nil {
			C.curfew_host_call_return_values(call, &values[0])
		}
		return
	}
	var text []byte
	if len(results) > 0 {
		var err error
		if text, err = json.Marshal(results[0].Interface()); err != nil {
			made.throw(fmt.Sprintf("the answer of %s has no JSON: %v", b.name, err))
			return
		}
	}
	if call := made.take(); call != nil {
		if len(text) == 0 {
			C.curfew_host_call_return(call, nil, 0)
			return
		}
		C.curfew_host_call_return(call, (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
	}
}
