# SPDX-License-Identifier: Apache-2.0
"""Reports: the results of runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Tuple

from ._json import decode
from ._native import check, ffi, lib, text_of


@dataclass(frozen=True)
class Frame:
    """One frame of a stack."""

    function: str
    file: Optional[str]  #: None for a native frame
    line: Optional[int]  #: from 1
    column: Optional[int]  #: from 1
    native: bool = False  #: a function built into the engine
    wasm_offset: Optional[int] = None  #: WebAssembly: offset of the instruction in the file

    def __str__(self) -> str:
        if self.native:
            return f"{self.function} (native)"
        place = self.file or "?"
        if self.line:
            place += f":{self.line}" + (f":{self.column}" if self.column else "")
        elif self.wasm_offset is not None:
            place += f":0x{self.wasm_offset:x}"
        return f"{self.function} ({place})"


@dataclass(frozen=True)
class ProgramError:
    """The exception of a program, the reason why it does not load, or the place where it was stopped."""

    name: Optional[str]
    message: Optional[str]
    stack: Tuple[Frame, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: the report's object, all of it


@dataclass(frozen=True)
class Stop:
    """How a run was stopped."""

    cause: str  #: the outcome that stopped it
    mode: str  #: "cooperative", "soft", "hard" or "process"
    latency_us: int  #: microseconds after its time was up
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Usage:
    """What a run has used. Times are in microseconds. A value that was not counted is None."""

    wall_us: Optional[float]
    cpu_us: Optional[float]
    fuel: Optional[int]
    loops: Optional[int]
    memory_peak_bytes: Optional[int]
    stack_peak_bytes: Optional[int]
    output_bytes: Optional[int]
    host_calls: Optional[int]
    timers_peak: Optional[int]
    load_us: Optional[float]
    compile_us: Optional[float]
    start_us: Optional[float]
    run_us: Optional[float]


_USED = tuple(Usage.__dataclass_fields__)
_NOT_READ = object()


class Report:
    """The result of one run. It is filled once, when the run has ended. docs/report.schema.json describes every key.

    A report is no exception: read ``outcome``, or call :meth:`raise_for_outcome`.
    """

    # The JSON of a library's report is made at its first use, because making it takes longer than a small run.
    __slots__ = ("_pointer", "_json", "_raw", "_exit_code", "_value")

    def __init__(
        self, text: bytes, exit_code: Optional[int] = None, raw: Optional[dict] = None, pointer: Any = None
    ) -> None:
        self._json = text
        self._raw = raw
        self._exit_code = exit_code
        self._pointer = pointer
        self._value = _NOT_READ

    def __reduce__(self) -> Any:
        return Report, (self._text(), self._exit_code, None if self._text() else self._raw)

    def _text(self) -> bytes:
        if not self._json and self._pointer is not None:
            self._json = _json_of(self._pointer)
        return self._json

    @property
    def raw(self) -> Mapping[str, Any]:
        """The report's JSON object, with every key."""
        if self._raw is None:
            self._raw = decode(self._text())
        return self._raw

    def to_json(self) -> str:
        """The report as one line of JSON."""
        return self._text().decode("utf-8") or json.dumps(self._raw)

    @property
    def id(self) -> str:
        """The run's ULID."""
        return self.raw["id"]

    @property
    def outcome(self) -> str:
        """ "ok", "threw", "deadline"...: what the host latched; a program cannot forge it."""
        return self.raw["outcome"] if self._pointer is None else _OUTCOMES[self._pointer.outcome]

    @property
    def ok(self) -> bool:
        """Whether the program finished."""
        return self.outcome == "ok"

    @property
    def tripped(self) -> List[str]:
        """Every limit that was exceeded when the run stopped, the first one first."""
        return self.raw["tripped"]

    @property
    def value(self) -> Any:
        """The value returned, as decoded JSON. None: there is none."""
        if self._value is _NOT_READ:
            if self._pointer is None:
                self._value = self.raw["value"]
            else:
                text = self._pointer.value
                self._value = decode(ffi.string(text)) if text else None
        return self._value

    @property
    def partial(self) -> Any:
        """The last value that the program passed to ``curfew.checkpoint``."""
        return self.raw["partial"]

    @property
    def stdout(self) -> str:
        return self.raw["stdout"]

    @property
    def stderr(self) -> str:
        return self.raw["stderr"]

    @property
    def output_truncated(self) -> bool:
        """Whether stdout or stderr were truncated at the output limit."""
        return self.raw["output_truncated"]

    @property
    def stop(self) -> Optional[Stop]:
        """How the run was stopped; None if it was not."""
        stop = self.raw["stop"]
        return None if stop is None else Stop(stop["cause"], stop["mode"], stop["latency_us"], stop)

    @property
    def error(self) -> Optional[ProgramError]:
        """What was thrown, or where the program was stopped. None: neither is known."""
        error = self.raw["error"]
        if error is None:
            return None
        return ProgramError(error["name"], error["message"], tuple(_frame(frame) for frame in error["stack"]), error)

    @property
    def used(self) -> Usage:
        """What the run has used."""
        used = self.raw["used"]
        return Usage(*(used.get(name) for name in _USED))

    @property
    def limits(self) -> Mapping[str, Optional[float]]:
        """Every limit in the report's units. None: unlimited."""
        return self.raw["limits"]

    @property
    def exit_code(self) -> int:
        """The exit code of ``curfew run``; of a report from a server by its outcome alone."""
        return _OUTCOME_EXIT_CODES[self.outcome] if self._exit_code is None else self._exit_code

    def raise_for_outcome(self) -> "Report":
        """Returns the report if the program finished, else raises ProgramFailed with it."""
        if not self.ok:
            raise ProgramFailed(self)
        return self

    def __repr__(self) -> str:
        return f"<curfew.Report {self.id}: {self.outcome}>"

    def __str__(self) -> str:
        error = self.error
        if error is None or not (error.name or error.message):
            return self.outcome
        what = ": ".join(part for part in (error.name, error.message) if part and part != self.outcome)
        return f"{self.outcome}: {what}" if what else self.outcome


class ProgramFailed(Exception):
    """Raised by :meth:`Report.raise_for_outcome` alone: the program did not finish; ``report`` says what it did."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


def _frame(frame: Mapping[str, Any]) -> Frame:
    return Frame(
        frame["function"], frame["file"], frame["line"], frame["column"], frame["native"], frame["wasm_offset"]
    )


_TEXT_OUT, _LENGTH_OUT = ffi.typeof("char **"), ffi.typeof("size_t *")
_EXITED = lib.CURFEW_OUTCOME_EXITED
_EXIT_CODES = [lib.curfew_outcome_exit_code(value) for value in range(64)]
_OUTCOMES = [text_of(lib.curfew_outcome_name(value)) for value in range(64)]
_OUTCOME_EXIT_CODES = {name: code for name, code in zip(_OUTCOMES, _EXIT_CODES) if name is not None}


def _json_of(pointer: Any) -> bytes:
    text, length = ffi.new(_TEXT_OUT), ffi.new(_LENGTH_OUT)
    check(lib.curfew_report_to_json(pointer, text, length), ffi.new("curfew_failure *"))
    made = bytes(ffi.buffer(text[0], length[0]))
    lib.curfew_free(text[0])
    return made


def take_report(pointer: Any, owned: bool) -> Report:
    """Makes a Report of a curfew_report. If owned, the Report destroys it later. Otherwise its contents are copied."""
    outcome = pointer.outcome
    exit_code = pointer.exit_code if outcome == _EXITED else _EXIT_CODES[outcome]
    if owned:
        return Report(b"", exit_code, None, ffi.gc(pointer, lib.curfew_report_destroy))
    return Report(_json_of(pointer), exit_code)
