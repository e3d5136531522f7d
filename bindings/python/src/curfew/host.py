# SPDX-License-Identifier: Apache-2.0
"""Host functions: Python callables that programs call."""

from __future__ import annotations

import _thread
import asyncio
import inspect
import itertools
import json
import threading
from queue import SimpleQueue
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from ._json import decode
from ._native import Error, Gone, InvalidError, c_string, ffi, lib

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_MEMBERS = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}
_BITS = {"i": 32, "I": 64}


class HostFunction:
    """A Python callable that a program may call as ``host.NAME``, or import.

    Args:
        call: A function, or a coroutine function: then a JavaScript program gets a promise, and WebAssembly waits.
        module: The module that WebAssembly imports it from, or a component's interface; by default "host".
        type: "ii->i" and the like, of i (i32), I (i64), f (f32), F (f64), for WebAssembly modules; None: JSON.
        fuel: The cost of a call if fuel is limited.

    If it raises an exception, the program sees an Error with the exception's class and message.
    """

    def __init__(
        self, call: Callable[..., Any], *, module: Optional[str] = None, type: Optional[str] = None, fuel: int = 0
    ) -> None:
        if not callable(call):
            raise TypeError(f"a host function must be callable, not {call.__class__.__name__}")
        self.call = call
        self.module = module
        self.type = type
        self.fuel = fuel
        self.is_async = inspect.iscoroutinefunction(call)
        parameters, _, results = (type or "").partition("->")
        self._parameters, self._results = parameters, results

    def _read_arguments(self, call: Any) -> List[Any]:
        if self.type is None:
            return decode(ffi.string(lib.curfew_host_call_get_params(call, ffi.NULL)).decode("utf-8"))
        values = lib.curfew_host_call_get_values(call)
        return [getattr(values[i], _MEMBERS[letter]) for i, letter in enumerate(self._parameters)]

    def _return(self, call: Any, value: Any) -> None:
        if self.type is None:
            text = b"" if value is None else _encode(value).encode("utf-8")
            lib.curfew_host_call_return(call, text or ffi.NULL, len(text))
            return
        values = () if not self._results else value if isinstance(value, (tuple, list)) else (value,)
        if len(values) != len(self._results):
            raise TypeError(f"it answers {len(values)} values, and its type {self.type!r} says {len(self._results)}")
        answer = ffi.new("curfew_value[]", max(len(values), 1))
        for i, (letter, number) in enumerate(zip(self._results, values)):
            if letter in _BITS:
                bits = _BITS[letter]
                number = (int(number) + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
            setattr(answer[i], _MEMBERS[letter], number)
        lib.curfew_host_call_return_values(call, answer)

    def answer(self, call: Any, value: Any) -> None:
        """Answers with the callable's result. A value that cannot be passed becomes an error of the program's call."""
        try:
            self._return(call, value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            throw(call, error)


def throw(call: Any, error: BaseException) -> None:
    """Answers with an error, made of its class and message."""
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    data = message.encode("utf-8", "replace").replace(b"\0", b"?")[:4096]
    lib.curfew_host_call_throw(call, ffi.new("char[]", data.decode("utf-8", "ignore").encode("utf-8")))


# How often, in seconds, a thread that waits for a callable checks whether its run was stopped.
_LOOK_AGAIN = 0.002


class Task:
    """A task for a worker, which can be withdrawn until one has begun it."""

    def __init__(self, task: Callable[[], None]) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._begun = self._withdrawn = False

    def __call__(self) -> None:
        with self._lock:
            self._begun = not self._withdrawn
        if self._begun:
            self._task()

    def withdraw(self) -> bool:
        """False: it has begun."""
        with self._lock:
            self._withdrawn = not self._begun
        return self._withdrawn


class _Workers:
    """Threads with a full stack of their own, because a program decides how little of the calling thread's stack is
    left."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def submit(self, task: Callable[[], None]) -> None:
        with self._lock:
            if self._idle == 0:
                # Thread.start waits, and fails if Ctrl-C interrupts that; this thread may be the main one.
                _thread.start_new_thread(self._start_worker, ())
            else:
                self._idle -= 1
        self._tasks.put(task)

    def _start_worker(self) -> None:
        threading.Thread(target=self._work, name="curfew-host", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._tasks.get()()
            with self._lock:
                self._idle += 1

    def run(self, task: Callable[[], None], is_over: Callable[[], bool] = lambda: False) -> bool:
        """Runs the task on another thread and waits for it. False: is_over() became true first, and the task continues
        alone."""
        done = threading.Lock()
        done.acquire()

        def carry_out() -> None:
            try:
                task()
            finally:
                done.release()

        self.submit(carry_out)
        while not done.acquire(timeout=_LOOK_AGAIN):
            if is_over():
                return False
        return True


workers = _Workers()


def _forget_threads() -> None:
    global workers, _background, _queue, _queue_lock
    workers, _background, _queue, _queue_lock = _Workers(), None, None, threading.Lock()


class _Background:
    """An event loop in a thread of its own, for coroutine functions of runs that are not awaited in an event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="curfew-loop", daemon=True).start()


_background: Optional[_Background] = None
_background_lock = threading.Lock()


def background_loop() -> asyncio.AbstractEventLoop:
    global _background
    with _background_lock:
        if _background is None:
            _background = _Background()
        return _background.loop


# The asynchronous calls without an answer, by the number that each call has as its data.
_pending: Dict[int, Any] = {}
_pending_lock = threading.Lock()
_next_number = 1


def _begin(function: HostFunction, call: Any, loop: asyncio.AbstractEventLoop, arguments: List[Any]) -> None:
    global _next_number
    with _pending_lock:
        number, _next_number = _next_number, _next_number + 1
        _pending[number] = None
    lib.curfew_host_call_set_data(call, ffi.cast("void *", number))

    async def carry_out() -> None:
        task = asyncio.current_task()
        with _pending_lock:
            stopped = number not in _pending
            if not stopped:
                _pending[number] = (loop, task)
        error: Optional[BaseException] = None
        value = None
        try:
            if not stopped:
                value = await function.call(*arguments)
        except BaseException as raised:  # answered below: an unanswered call would keep its run waiting
            error = raised
        with _pending_lock:
            _pending.pop(number, None)
        if error is not None or stopped:
            throw(call, error or asyncio.CancelledError("the run was stopped"))
        else:
            function.answer(call, value)

    try:
        asyncio.run_coroutine_threadsafe(carry_out(), loop)
    except RuntimeError as error:  # the loop is closed
        with _pending_lock:
            _pending.pop(number, None)
        throw(call, error)


# The host functions of existing programs, by the number that the library has for each.
_functions: Dict[int, HostFunction] = {}
_numbers = itertools.count(1)

# How long, in nanoseconds, a thread without work waits before it ends.
_IDLE_NS = 10 * 10**9


def _carry_out(function: Optional[HostFunction], call: Any) -> None:
    """Executes one synchronous call. A run that is stopped does not wait for it, and a later answer is dropped."""
    try:
        if function is None:  # the run was stopped, and its program is gone
            raise InterruptedError("the run was stopped")
        value = function.call(*function._read_arguments(call))
    except BaseException as error:
        throw(call, error)
    else:
        function.answer(call, value)


def _take_calls(queue: Any) -> None:
    number = ffi.new("uintptr_t *")
    place = ffi.cast("void **", number)
    while True:
        call = lib.curfew_call_queue_take(queue, _IDLE_NS, place)
        if call == ffi.NULL:
            return
        _carry_out(_functions.get(number[0]), call)


@ffi.callback("void(void *)")
def _on_waiting(context: Any) -> None:
    """Called when a call has arrived and each thread that takes calls is busy."""
    try:
        threading.Thread(target=_take_calls, args=(_queue,), name="curfew-host", daemon=True).start()
    except RuntimeError as error:  # no more threads can be started
        call = lib.curfew_call_queue_take(_queue, 0, ffi.NULL)
        if call != ffi.NULL:
            throw(call, error)


_queue: Any = None
_queue_lock = threading.Lock()


def _call_queue() -> Any:
    """The queue of all synchronous calls. It is never destroyed: threads may take from it until the process ends."""
    global _queue
    with _queue_lock:
        if _queue is None:
            out = ffi.new("curfew_call_queue **")
            if lib.curfew_call_queue_create(_on_waiting, ffi.NULL, out) != 0:
                raise Error("out of memory", "no_memory")
            _queue = out[0]
        return _queue


@ffi.callback("void(void *, curfew_host_call *)")
def _on_call(context: Any, call: Any) -> None:
    """Begins an asynchronous call."""
    try:
        function = _functions[int(ffi.cast("uintptr_t", context))]
        owner = lib.curfew_host_call_get_context(call)
        loop = ffi.from_handle(owner).loop if owner != ffi.NULL else None
        _begin(function, call, loop or background_loop(), function._read_arguments(call))
    except BaseException as error:
        throw(call, error)


@ffi.callback("void(void *, curfew_host_call *)")
def _on_stopped(context: Any, call: Any) -> None:
    number = int(ffi.cast("uintptr_t", lib.curfew_host_call_get_data(call)))
    with _pending_lock:
        entry = _pending.pop(number, None)
    if entry is not None:
        loop, task = entry
        try:
            loop.call_soon_threadsafe(task.cancel)
        except RuntimeError:
            pass  # the loop is closed, so nothing of it continues


Functions = Mapping[str, Union[Callable[..., Any], HostFunction]]


# The numbers of functions whose programs are gone. They are forgotten with the next program that has functions.
gone = Gone()


def _forget_gone() -> None:
    for number in gone.take():
        _functions.pop(number, None)


def fill_functions(functions: Functions) -> Tuple[Any, List[int], List[Any]]:
    """(array of curfew_host_function, the numbers to forget with the program, the objects to keep alive until the
    library has copied them)."""
    kept: List[Any] = []
    rows = []
    made: List[HostFunction] = []
    _forget_gone()
    if not isinstance(functions, Mapping):
        raise TypeError(f"functions must be a mapping, not {type(functions).__name__}")
    for name, function in functions.items():
        if not isinstance(function, HostFunction):
            function = HostFunction(function)
        text = c_string(name, "name of a host function")
        module = c_string(function.module, "module") if function.module is not None else ffi.NULL
        kind = c_string(function.type, "type") if function.type is not None else ffi.NULL
        kept += [text, module, kind]
        if not isinstance(function.fuel, int) or not 0 <= function.fuel < 1 << 63:
            raise InvalidError(f"fuel of {name!r} must be a whole number, not {function.fuel!r}", "invalid")
        made.append(function)
        rows.append(
            {
                "size": ffi.sizeof("curfew_host_function"),
                "flags": 1 if function.is_async else 0,
                "name": text,
                "module": module,
                "type": kind,
                "fuel": function.fuel,
                "call": _on_call if function.is_async else ffi.NULL,
                "stopped": _on_stopped if function.is_async else ffi.NULL,
                "queue": ffi.NULL if function.is_async else _call_queue(),
            }
        )
    numbers = [next(_numbers) for _ in made]
    for number, function, row in zip(numbers, made, rows):
        _functions[number] = function
        row["context"] = ffi.cast("void *", number)
    return ffi.new("curfew_host_function[]", rows), numbers, kept
