# SPDX-License-Identifier: Apache-2.0
"""Run JavaScript and WebAssembly that you do not trust, under hard limits, and always get control back.

>>> import curfew
>>> curfew.run("6 * 7").value
42
>>> curfew.run("for (;;);", limits={"timeout": "100ms"}).outcome
'deadline'
"""

from __future__ import annotations

from typing import Any

from ._native import (
    BadProgramError,
    BusyError,
    Error,
    InvalidError,
    NotFoundError,
    OverloadedError,
    UnusableError,
    lib,
    text_of,
)
from .client import Client, Problem, ServerEvent
from .engine import Dir, Engine, Event, Events, Program, Run, RunUsage, Session, Source, default_engine
from .host import HostFunction
from .limits import LIMIT_TABLE, LimitInfo, Limits
from .report import Frame, ProgramError, ProgramFailed, Report, Stop, Usage

__version__: str = text_of(lib.curfew_version()) or ""

#: Names of all outcomes, with the exit code that ``curfew run`` gives each.
OUTCOMES = {}
_value = 0
while True:
    _name = text_of(lib.curfew_outcome_name(_value))
    if _name is None:
        break
    OUTCOMES[_name] = lib.curfew_outcome_exit_code(_value)
    _value += 1
del _name, _value


def run(source: Source, **options: Any) -> Report:
    """Runs a source once, in the process's default engine. See Engine.program and Program.run for the options."""
    return default_engine().run(source, **options)


async def run_async(source: Source, **options: Any) -> Report:
    """Like :func:`run`, awaited. Cancelling the awaitable cancels the run."""
    return await default_engine().run_async(source, **options)


def program(source: Source, **options: Any) -> Program:
    """A program of the process's default engine. See Engine.program."""
    return default_engine().program(source, **options)


__all__ = [
    "BadProgramError",
    "BusyError",
    "Client",
    "Dir",
    "Engine",
    "Error",
    "Event",
    "Events",
    "Frame",
    "HostFunction",
    "InvalidError",
    "LIMIT_TABLE",
    "LimitInfo",
    "Limits",
    "NotFoundError",
    "OUTCOMES",
    "OverloadedError",
    "Problem",
    "Program",
    "ProgramError",
    "ProgramFailed",
    "Report",
    "Run",
    "RunUsage",
    "ServerEvent",
    "Session",
    "Stop",
    "UnusableError",
    "Usage",
    "default_engine",
    "program",
    "run",
    "run_async",
    "__version__",
]
