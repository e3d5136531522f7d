# SPDX-License-Identifier: Apache-2.0
"""Limits of a run, as Python values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Dict, Mapping, Optional, Union

from ._native import InvalidError, UNLIMITED, c_string, check, ffi, lib, text_of

#: A duration: text with a unit ("250ms"), a timedelta, or a number of seconds.
Duration = Union[str, float, int, timedelta]
#: A size: text with a unit ("64MiB"), or a number of bytes.
Size = Union[str, int]
#: A count: text ("10M", "unlimited") or a number.
Count = Union[str, int]


@dataclass(frozen=True)
class Limits:
    """The limits of a run. A field that is None takes the library's default. "unlimited" must be written out.

    Attributes:
        timeout: Wall-clock deadline for everything: load, compile, start, run, waiting, jobs (seconds).
        grace: After the deadline or a cancel, how long the program may continue to end by itself (seconds).
        cpu: CPU time of the run, waiting excluded (seconds).
        fuel: Deterministic instruction budget.
        loops: JavaScript loop iterations plus calls.
        memory: Guest memory, all of it (bytes).
        stack: Guest stack (bytes).
        output: Captured stdout + stderr + value (bytes).
        host_calls: Calls out of the sandbox.
        timers: Timers pending at once.
    """

    timeout: Optional[Duration] = None
    grace: Optional[Duration] = None
    cpu: Optional[Duration] = None
    fuel: Optional[Count] = None
    loops: Optional[Count] = None
    memory: Optional[Size] = None
    stack: Optional[Size] = None
    output: Optional[Size] = None
    host_calls: Optional[Count] = None
    timers: Optional[Count] = None


@dataclass(frozen=True)
class LimitInfo:
    """One row of the library's table of limits."""

    name: str
    report_key: str
    meaning: str
    unit: str  #: "duration" (nanoseconds), "bytes" or "count"
    default: Optional[int]  #: None: unlimited
    minimum: int
    ceiling: int
    may_be_unlimited: bool
    outcome: str
    offset: int


def _read_table() -> Dict[str, LimitInfo]:
    count = ffi.new("size_t *")
    rows = lib.curfew_limit_table(count)
    units = {0: "duration", 1: "bytes", 2: "count"}
    table = {}
    for row in (rows[i] for i in range(count[0])):
        name = text_of(row.name).replace("-", "_")
        default = None if row.default_value == UNLIMITED else row.default_value
        table[name] = LimitInfo(
            name,
            text_of(row.report_key),
            text_of(row.meaning),
            units[row.unit],
            default,
            row.minimum,
            row.ceiling,
            row.may_be_unlimited,
            text_of(lib.curfew_outcome_name(row.outcome)),
            row.offset,
        )
    return table


#: The library's table of limits, by the names that Limits has.
LIMIT_TABLE: Mapping[str, LimitInfo] = _read_table()
_NAMES = tuple(field.name for field in fields(Limits))


def _number(info: LimitInfo, value: Any) -> int:
    """The value in the unit of the C struct."""
    if isinstance(value, bool) or not isinstance(value, (int, float, timedelta)):
        raise TypeError(
            f"limit {info.name} must be a number or a text like "
            f"{dict(duration='250ms', bytes='64MiB').get(info.unit, '10M')!r}, not {type(value).__name__}"
        )
    if info.unit == "duration":
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        if isinstance(seconds, float) and not 0 <= seconds < 1e9:
            raise InvalidError(f"limit {info.name}: {value!r} is not a time in seconds", "invalid")
        number = round(seconds * 1_000_000_000)
    elif isinstance(value, int):
        number = value
    else:
        raise TypeError(f"limit {info.name} must be a whole number, not {type(value).__name__}")
    if number < 0 or number >= UNLIMITED:
        raise InvalidError(f"limit {info.name}: {value!r} is out of range", "invalid")
    if number == 0 and info.minimum > 0:
        raise InvalidError(f'limit {info.name} is 0; "unlimited" is the way to say that there is none', "invalid")
    return number


def fill_limits(limits: Union[None, Limits, Mapping[str, Any]]) -> Any:
    """A curfew_limits with these values. None stays None."""
    if limits is None:
        return None
    if isinstance(limits, Limits):
        given = {name: getattr(limits, name) for name in _NAMES}
    elif isinstance(limits, Mapping):
        given = {str(name).replace("-", "_"): value for name, value in limits.items()}
    else:
        raise TypeError(f"limits must be a Limits or a mapping, not {type(limits).__name__}")
    filled = ffi.new("curfew_limits *", {"size": ffi.sizeof("curfew_limits")})
    failure = ffi.new("curfew_failure *")
    for name, value in given.items():
        info = LIMIT_TABLE.get(name)
        if info is None:
            raise InvalidError(f"there is no limit {name!r}; there are {', '.join(LIMIT_TABLE)}", "invalid")
        if value is None:
            continue
        if isinstance(value, str):
            flag = info.name.replace("_", "-")
            check(
                lib.curfew_limits_set(filled, c_string(flag, "limit"), c_string(value, f"limit {name}"), failure),
                failure,
            )
        else:
            ffi.cast("uint64_t *", ffi.cast("char *", filled) + info.offset)[0] = _number(info, value)
    return filled
