# SPDX-License-Identifier: Apache-2.0
"""Engines, programs, runs and sessions."""

from __future__ import annotations

import base64
import asyncio
import atexit
import json
import math
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Any,
    AsyncIterator,
    Callable,
    Deque,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from . import _native, host
from ._json import decode
from ._native import (
    BadProgramError,
    BusyError,
    Error,
    InvalidError,
    Owned,
    bytes_of,
    c_string,
    check,
    ffi,
    lib,
    text_of,
)
from .limits import LIMIT_TABLE, Limits, fill_limits
from .report import Report, take_report

Source = Union[str, bytes, Path]
LimitsLike = Union[None, Limits, Mapping[str, Any]]

_LANGUAGES = {"js": 0, "mjs": 1, "wasm": 2, "wat": 3, "ts": 4, "mts": 5, "tar": 6}
_EVENTS = ("stdout", "stderr", "progress", "checkpoint")
_RUN_DETERMINISTIC, _RUN_STDIN = 1, 2
# Looked up once, because each run creates these.
_OPTIONS = ffi.typeof("curfew_run_options *")
_OPTIONS_SIZE = ffi.sizeof("curfew_run_options")
_RUN_OUT, _REPORT_OUT = ffi.typeof("curfew_run **"), ffi.typeof("curfew_report **")
_FAILURE = ffi.typeof("curfew_failure *")
_encode_params = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Event(NamedTuple):
    """Output or a message of a run. ``kind`` is "stdout" or "stderr" (data: bytes), "progress" or "checkpoint" (data:
    the decoded JSON)."""

    kind: str
    data: Any


@dataclass(frozen=True)
class Dir:
    """A directory that a WASI program may open, with everything in it and nothing above it."""

    host: Union[str, "os.PathLike[str]"]  #: its path
    guest: str  #: the path under which the program sees it
    write: bool = False  #: files may be written, made and removed


@dataclass(frozen=True)
class RunUsage:
    """What a run has used so far. Times are in seconds."""

    wall: float
    cpu: float
    memory_bytes: int
    output_bytes: int


# ---- Options of a run ----------------------------------------------------------------------------------------------


def _strings(values: Sequence[Any], what: str, kept: List[Any]) -> Any:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{what} must be a list of strings, not one string")
    texts = [c_string(value, what) for value in values]
    array = ffi.new("const char *[]", texts) if texts else ffi.NULL
    kept += [texts, array]
    return array


def _items(mapping: Any, what: str) -> Any:
    """The items of a mapping with names."""
    if not isinstance(mapping, Mapping):
        raise TypeError(f"{what} must be a mapping, not {type(mapping).__name__}")
    return mapping.items()


def _env_line(name: Any, value: Any) -> bytes:
    line = bytes_of(name, "the name of a variable of env")
    if not line or b"=" in line:
        raise InvalidError(f"env {name!r}: this is not the name of a variable", "invalid")
    return line + b"=" + bytes_of(value, f"env {name}")


def _params_text(params: Any) -> bytes:
    if isinstance(params, (str, bytes)) or not isinstance(params, Sequence):
        raise TypeError(f"params must be a list of arguments, not {type(params).__name__}")
    try:
        return _encode_params(list(params)).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"params have no JSON: {error}", "invalid") from None


def _files_text(files: Mapping[str, Union[str, bytes]]) -> bytes:
    made = {
        name: data
        if isinstance(data, str)
        else {"base64": base64.b64encode(bytes_of(data, f"file {name}")).decode("ascii")}
        for name, data in _items(files, "files")
    }
    return json.dumps(made, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Options:
    """A curfew_run_options, and the objects that must stay alive while it is used."""

    def __init__(
        self,
        *,
        limits: LimitsLike = None,
        call: Optional[str] = None,
        params: Sequence[Any] = (),
        user: Optional[str] = None,
        secrets: Optional[Mapping[str, Union[str, bytes]]] = None,
        allow_fetch: Sequence[str] = (),
        secret_for: Sequence[str] = (),
        args: Sequence[str] = (),
        env: Optional[Mapping[str, str]] = None,
        dirs: Sequence[Dir] = (),
        stdin: Union[None, str, bytes, int] = None,
        timezone: Optional[str] = None,
        files: Optional[Mapping[str, Union[str, bytes]]] = None,
        deterministic: bool = False,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            hint = f"; it is a limit: limits={{{name!r}: ...}}" if name in LIMIT_TABLE else ""
            raise TypeError(f"there is no option {name!r}{hint}")
        self.kept: List[Any] = []
        self._values: List[Any] = []
        self._stdin: Optional[int] = None
        options = self.pointer = ffi.new(_OPTIONS)
        options.size = _OPTIONS_SIZE
        if deterministic:
            options.flags = _RUN_DETERMINISTIC
        if limits is not None:
            options.limits = self._keep(fill_limits(limits))
        if call is not None:
            options.call = self._keep(c_string(call, "call"))
        if params != ():
            text = _params_text(params)
            options.params = self._keep(ffi.from_buffer(text))
            options.params_length = len(text)
        if user is not None:
            options.user = self._keep(c_string(user, "user"))
        if secrets:
            self._fill_secrets(secrets)
        if allow_fetch:
            options.allow_fetch = _strings(allow_fetch, "allow_fetch", self.kept)
            options.allow_fetch_count = len(allow_fetch)
        if secret_for:
            options.secret_for = _strings(secret_for, "secret_for", self.kept)
            options.secret_for_count = len(secret_for)
        if args:
            options.args, options.arg_count = _strings(args, "args", self.kept), len(args)
        if env:
            lines = [_env_line(name, value) for name, value in _items(env, "env")]
            options.env, options.env_count = _strings(lines, "env", self.kept), len(lines)
        if dirs:
            self._fill_dirs(dirs)
        if timezone is not None:
            options.timezone = self._keep(c_string(timezone, "timezone"))
        if files:
            text = _files_text(files)
            options.files, options.files_length = self._keep(ffi.new("char[]", text)), len(text)
        if stdin is not None:
            options.flags |= _RUN_STDIN
            options.stdin_fd = stdin if isinstance(stdin, int) else self._write_stdin(bytes_of(stdin, "stdin"))

    def _keep(self, value: Any) -> Any:
        self.kept.append(value)
        return value

    def _fill_secrets(self, secrets: Mapping[str, Union[str, bytes]]) -> None:
        rows = []
        for name, value in _items(secrets, "secrets"):
            data = self._keep(ffi.new("char[]", bytes_of(value, f"secret {name}")))
            self._values.append(data)
            rows.append(
                {"name": self._keep(c_string(name, "name of a secret")), "value": data, "value_length": len(data) - 1}
            )
        self.pointer.secrets = self._keep(ffi.new("curfew_secret[]", rows))
        self.pointer.secret_count = len(rows)

    def _fill_dirs(self, dirs: Sequence[Dir]) -> None:
        for entry in dirs:
            if not isinstance(entry, Dir):
                raise TypeError(f"dirs must hold curfew.Dir(host, guest), not {type(entry).__name__}")
        rows = [
            {
                "host": self._keep(c_string(os.fspath(entry.host), "dir")),
                "guest": self._keep(c_string(entry.guest, "dir")),
                "flags": 1 if entry.write else 0,
            }
            for entry in dirs
        ]
        self.pointer.dirs = self._keep(ffi.new("curfew_dir[]", rows))
        self.pointer.dir_count = len(rows)

    def _write_stdin(self, data: bytes) -> int:
        for file in _gone_files.take():
            os.close(file)
        self._stdin = os.memfd_create("stdin")
        self._file = _gone_files.follow([self._stdin])
        _write_all(self._stdin, data)
        os.lseek(self._stdin, 0, os.SEEK_SET)
        return self._stdin

    def wipe(self) -> None:
        """Overwrites the copies of secrets. The library has its own copies by now."""
        for data in self._values:
            ffi.memmove(data, bytes(len(data)), len(data))
        self._values.clear()

    def close(self) -> None:
        """Wipes secrets and closes the files that were made for the run."""
        self.wipe()
        file, self._stdin = self._stdin, None
        if file is not None:
            ffi.gc(self._file, None)
            os.close(file)


# Files that were not closed before their owner was gone.
_gone_files = _native.Gone()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


# ---- Engine --------------------------------------------------------------------------------------------------------


class Engine(Owned):
    """An engine. It is heavy, and any threads may share it. Programs, runs and sessions belong to one engine.

    Args:
        threads: Runs that compute at once; None: one for each core.
        cache_dir: Directory for compiled code, made if missing; must belong to this user. None: none.
        resident_bytes: Memory kept ready for reuse; None: the library's default.
        max_runs: Runs in progress at once; one more is refused with OverloadedError. None: the library's default.
    """

    _kind = "engine"
    _free = lib.curfew_engine_destroy

    def __init__(
        self,
        *,
        threads: Optional[int] = None,
        cache_dir: Union[None, str, "os.PathLike[str]"] = None,
        resident_bytes: Optional[int] = None,
        max_runs: Optional[int] = None,
    ) -> None:
        self._pointer = None
        options = ffi.new("curfew_engine_options *", {"size": ffi.sizeof("curfew_engine_options")})
        directory = c_string(os.fspath(cache_dir), "cache_dir") if cache_dir is not None else ffi.NULL
        options.cache_dir = directory
        for name, value in (("threads", threads), ("resident_bytes", resident_bytes), ("max_runs", max_runs)):
            if value is not None:
                if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                    raise InvalidError(f"{name} must be a whole number above 0, not {value!r}", "invalid")
                setattr(options, name, value)
        out, failure = ffi.new("curfew_engine **"), ffi.new("curfew_failure *")
        check(lib.curfew_engine_create(options, out, failure), failure)
        super().__init__(out[0])

    def program(
        self,
        source: Source,
        *,
        language: Optional[str] = None,
        name: Optional[str] = None,
        import_dir: Union[None, str, "os.PathLike[str]"] = None,
        import_map: Union[None, str, Mapping[str, Any]] = None,
        node: bool = False,
        functions: Optional[host.Functions] = None,
        once: bool = False,
    ) -> "Program":
        """A program of this source. Nothing is parsed before it is compiled or run.

        Args:
            source: Text of JavaScript or WebAssembly, bytes of a module or component, or the path of a file.
            language: "js", "mjs", "ts", "mts", "wasm", "wat" or "tar" (a bundle of files); None: by the file's suffix or
                the bytes' header, else "js".
            name: Shown in stacks and reports.
            import_dir: Directory that imports may read, and nothing above it; of a file its own by default. It must hold
                the file, and relative imports are relative to the file; those of other sources are relative to import_dir.
            import_map: An import map, as a dict or as JSON text. Its addresses begin at the top of import_dir.
            node: The program has Node's globals from the beginning: process, Buffer, global, setImmediate.
            functions: Host functions by name: callables, coroutine functions or HostFunction.
            once: The program will be run once: no image of its parsed form is kept.
        """
        read, is_path = _read_source(source, language, name, import_dir)
        flags = (_SOURCE_ONCE if once else 0) | (_SOURCE_PATH if is_path else 0) | (_SOURCE_NODE if node else 0)
        return Program._create(self, read, _import_map_text(import_map), flags, functions)

    def load(self, image: bytes, *, functions: Optional[host.Functions] = None) -> "Program":
        """A program of the bytes that Program.save returned."""
        data = bytes_of(image, "image")
        out, failure = ffi.new("curfew_program **"), ffi.new("curfew_failure *")
        check(lib.curfew_program_load(self._get(), data, len(data), out, failure), failure)
        return Program(self, out[0], functions)

    def run(self, source: Source, **options: Any) -> Report:
        """Runs a source once. The options are those of :meth:`program`, and those of :meth:`Program.run`."""
        with self.program(source, **_take(options, _SOURCE_OPTIONS), once=True) as program:
            return program.run(**options)

    async def run_async(self, source: Source, **options: Any) -> Report:
        """Like :meth:`run`, awaited. Cancelling the awaitable cancels the run."""
        with self.program(source, **_take(options, _SOURCE_OPTIONS), once=True) as program:
            return await program.run_async(**options)

    def stats(self) -> Dict[str, int]:
        """runs_active, regions_in_use, regions_pooled, runs_total, resident_bytes."""
        stats = ffi.new("curfew_engine_stats *", {"size": ffi.sizeof("curfew_engine_stats")})
        lib.curfew_engine_get_stats(self._get(), stats)
        return {
            name: getattr(stats, name)
            for name, _ in ffi.typeof("curfew_engine_stats").fields
            if name not in ("size", "reserved")
        }


_SOURCE_OPTIONS = ("language", "name", "import_dir", "import_map", "node", "functions")
_SOURCE_ONCE, _SOURCE_PATH, _SOURCE_NODE = 1, 2, 4


def _take(options: Dict[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    return {name: options.pop(name) for name in names if name in options}


# ---- Program -------------------------------------------------------------------------------------------------------


def _read_source(
    source: Source, language: Optional[str], name: Optional[str], import_dir: Union[None, str, "os.PathLike[str]"]
) -> Tuple[Tuple[bytes, int, str, Optional[str]], bool]:
    """What Program._create takes, and whether the name is the file's path below import_dir."""
    is_path = False
    if isinstance(source, Path):
        data = source.read_bytes()
        suffix = source.suffix.lstrip(".")
        language = language or (suffix if suffix in _LANGUAGES else None)
        if import_dir is not None and name is None:
            name, is_path = _path_below(source, import_dir), True
        name = name or source.name
        if import_dir is None and language != "tar":
            import_dir = source.parent
    else:
        data = bytes_of(source, "source")
    language = language or ("wasm" if data.startswith(b"\0asm") else "js")
    if language not in _LANGUAGES:
        raise InvalidError(f"language must be one of {', '.join(_LANGUAGES)}, not {language!r}", "invalid")
    default = {
        "js": "source.js",
        "mjs": "source.mjs",
        "wasm": "source.wasm",
        "wat": "source.wat",
        "ts": "source.ts",
        "mts": "source.mts",
        "tar": "source.tar",
    }[language]
    directory = None if import_dir is None else os.fspath(import_dir)
    return (data, _LANGUAGES[language], name or default, directory), is_path


def _path_below(file: Path, directory: Union[str, "os.PathLike[str]"]) -> str:
    try:
        return str(file.resolve().relative_to(Path(directory).resolve()))
    except ValueError:
        raise InvalidError(f"import_dir {os.fspath(directory)}: it must hold {file}", "invalid") from None


def _import_map_text(import_map: Union[None, str, Mapping[str, Any]]) -> Optional[bytes]:
    if import_map is None:
        return None
    text = import_map if isinstance(import_map, str) else json.dumps(import_map)
    return text.encode("utf-8", "surrogatepass")


class Program(Owned):
    """A program. It is immutable, and any threads may share it. Each run of it starts afresh."""

    _kind = "program"
    _free = lib.curfew_program_destroy

    def __init__(self, engine: Engine, pointer: Any, functions: Optional[host.Functions] = None) -> None:
        super().__init__(pointer)
        self.engine = engine
        self._has_functions = bool(functions)
        if functions:
            array, numbers, kept = host.fill_functions(functions)
            self._numbers = host.gone.follow(numbers)
            failure = ffi.new("curfew_failure *")
            check(lib.curfew_program_set_functions(pointer, array, len(numbers), failure), failure)
            del kept

    @classmethod
    def _create(
        cls,
        engine: Engine,
        read: Tuple[bytes, int, str, Optional[str]],
        import_map: Optional[bytes],
        flags: int,
        functions: Optional[host.Functions],
    ) -> "Program":
        data, number, shown, directory = read
        text = ffi.from_buffer("char[]", data) if data else ffi.new("char[1]")
        kept = [c_string(shown, "name"), c_string(directory, "import_dir") if directory is not None else ffi.NULL]
        struct = ffi.new(
            "curfew_source *",
            {
                "size": ffi.sizeof("curfew_source"),
                "language": number,
                "name": kept[0],
                "text": text,
                "text_length": len(data),
                "import_dir": kept[1],
                "flags": flags,
            },
        )
        if import_map is not None:
            kept.append(ffi.from_buffer("char[]", import_map) if import_map else ffi.new("char[1]"))
            struct.import_map, struct.import_map_length = kept[-1], len(import_map)
        out, failure = ffi.new("curfew_program **"), ffi.new("curfew_failure *")
        check(lib.curfew_program_create(engine._get(), struct, out, failure), failure)
        return cls(engine, out[0], functions)

    @property
    def kind(self) -> str:
        """ "js", "module" or "component"; of WebAssembly text known after its first run or compile."""
        return text_of(lib.curfew_program_kind(self._get())) or ""

    def compile(self, limits: LimitsLike = None) -> "Program":
        """Parses and compiles now, under these limits, and returns the program. BadProgramError has the report."""
        filled, failure, report = fill_limits(limits), ffi.new("curfew_failure *"), ffi.new("curfew_report **")
        self._check_loaded(
            lib.curfew_program_compile(self._get(), filled or ffi.NULL, report, failure), report, failure
        )
        return self

    def inspect(self, limits: LimitsLike = None) -> Dict[str, Any]:
        """Describes the program: kind, imports, exports, what it needs (docs/INSPECT.md). No code of it runs."""
        filled, failure, report = fill_limits(limits), ffi.new("curfew_failure *"), ffi.new("curfew_report **")
        text, length = ffi.new("char **"), ffi.new("size_t *")
        status = lib.curfew_program_inspect(self._get(), filled or ffi.NULL, text, length, report, failure)
        self._check_loaded(status, report, failure)
        try:
            return json.loads(bytes(ffi.buffer(text[0], length[0])))
        finally:
            lib.curfew_free(text[0])

    @staticmethod
    def _check_loaded(status: int, report: Any, failure: Any) -> None:
        taken = take_report(report[0], True) if report[0] != ffi.NULL else None
        try:
            check(status, failure)
        except BadProgramError as error:
            error.report = taken
            raise

    def save(self) -> bytes:
        """The image of a compiled program, for Engine.load. It needs :meth:`compile` first."""
        image, length, failure = ffi.new("void **"), ffi.new("size_t *"), ffi.new("curfew_failure *")
        check(lib.curfew_program_save(self._get(), image, length, failure), failure)
        data = bytes(ffi.buffer(image[0], length[0]))
        lib.curfew_free(image[0])
        return data

    def run(self, *params: Any, on_event: Optional[Callable[[Event], None]] = None, **options: Any) -> Report:
        """Runs the program and waits.

        Args:
            params: The call's arguments; or ``params=[...]``.
            limits: A Limits or a mapping: {"timeout": "250ms", "memory": "16MiB"}.
            call: Exported or global function to call.
            user: Seen as ``curfew.user``.
            secrets: Values of ``secrets.get(NAME)``; removed from everything that the run prints or returns.
            allow_fetch: Hosts that ``fetch`` may reach: "HOST", "HOST:PORT", "*.DOMAIN".
            secret_for: Headers with secrets that the host puts into requests: "HOST:HEADER=TEMPLATE", with ``{NAME}``
                in TEMPLATE. ``secrets.get`` returns a placeholder for these.
            args, dirs: For WASI programs.
            env, stdin: The environment (``curfew.env``) and standard input (``curfew.stdin``, or WASI's).
            timezone: The time zone of ``Date`` and ``Intl``: "Europe/Berlin".
            files: ``curfew.files`` of a JavaScript program: names and their text or bytes.
            deterministic: Fixed clock, seeded random.
            on_event: Called with each Event, while the program waits, so it must be short.

        Ctrl-C cancels the run, and KeyboardInterrupt is raised when it has ended. An exception of on_event cancels it
        too, and is raised here.
        """
        _join(params, options)
        if on_event is None and not self._has_functions and not _ending:
            is_main = threading.current_thread() is threading.main_thread()
            return self._run_watched(options) if is_main else self._run_here(options)
        run = Run.__new__(Run)  # so that it can be closed if Ctrl-C arrives when it has just been started
        try:
            run.__init__(self, on_event, False, None, options)
            return run.wait()
        finally:
            run.close()

    def _run_here(self, options: Dict[str, Any]) -> Report:
        given = _Options(**options)
        out, failure = ffi.new(_REPORT_OUT), ffi.new(_FAILURE)
        try:
            status = lib.curfew_program_run(self._get(), given.pointer, out, failure)
        finally:
            given.close()
        check(status, failure)
        return take_report(out[0], True)

    def _run_watched(self, options: Dict[str, Any]) -> Report:
        """Ctrl-C needs the main thread, so another thread waits. But a brief run ends sooner than a thread could be
        woken."""
        given = _Options(**options)
        out, failure = ffi.new(_RUN_OUT), ffi.new(_FAILURE)
        try:
            check(lib.curfew_run_start(self._get(), given.pointer, out, failure), failure)
            given.wipe()
            return take_report(_look_at(out[0]) or _wait_for(out[0]), False)
        finally:
            # A run that was interrupted must not continue.
            lib.curfew_run_destroy(out[0])
            given.close()

    def start(
        self, *params: Any, on_event: Optional[Callable[[Event], None]] = None, events: bool = False, **options: Any
    ) -> "Run":
        """Starts the program on the engine's threads and returns at once. The options are those of :meth:`run`.

        events: Keep events for :meth:`Run.events`.
        """
        _join(params, options)
        return Run(self, on_event, events, None, options)

    async def run_async(
        self, *params: Any, on_event: Optional[Callable[[Event], None]] = None, **options: Any
    ) -> Report:
        """Like :meth:`run`, awaited. Cancelling the awaitable cancels the run, and waits for its end."""
        run = self.start_async(*params, on_event=on_event, **options)
        try:
            return await run
        finally:
            run.close()

    def start_async(
        self, *params: Any, on_event: Optional[Callable[[Event], None]] = None, events: bool = False, **options: Any
    ) -> "Run":
        """Like :meth:`start`, for the running event loop: coroutine functions of the host run in it. ``await`` the
        run."""
        _join(params, options)
        return Run(self, on_event, events, asyncio.get_running_loop(), options)

    def session(self, **options: Any) -> "Session":
        """Creates a session, which keeps the program's state between calls. The options are those of :meth:`run` except
        call and params."""
        return Session(self, options)


def _join(params: Tuple[Any, ...], options: Dict[str, Any]) -> None:
    if params:
        if "params" in options:
            raise TypeError("params are given twice")
        options["params"] = params


# How often the main thread checks a run before it sleeps: for some 50 us.
_LOOKS = 150


def _look_at(run: Any) -> Any:
    """The report of a run that ends soon. None: it continues."""
    for _ in range(_LOOKS):
        report = lib.curfew_run_get_report(run)
        if report:
            return ffi.cast("curfew_report *", report)
    return None


class _Flag:
    """What one thread sets once, and others wait for. On the main thread Ctrl-C may interrupt the wait at any place,
    also after it has taken the lock; so what counts is is_set."""

    # How often a waiting thread wakes by itself, in seconds. A signal that arrives between the interpreter's last look
    # and the sleep does not wake it.
    WAKE_S = 0.1

    def __init__(self) -> None:
        self.is_set = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        self.is_set = True
        self._lock.release()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits at most timeout seconds, and returns is_set."""
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not self.is_set:
            left = min(self.WAKE_S, until - time.monotonic())
            if left < 0:
                break
            if self._lock.acquire(timeout=left):
                self._lock.release()
        return self.is_set


def _cancel_and_wait(done: _Flag, cancel: Callable[[], None]) -> None:
    """Cancels and waits. Each further Ctrl-C cancels again, which skips the grace."""
    while not done.is_set:
        try:
            cancel()
            done.wait()
        except BaseException:
            continue


def _do_on_worker(work: Callable[[], None], cancel: Callable[[], None]) -> None:
    """Does this work on another thread, so that Ctrl-C reaches this one. Then the work is cancelled and waited for, and
    KeyboardInterrupt is raised."""
    done = _Flag()

    def do() -> None:
        try:
            work()
        finally:
            done.set()

    task = host.Task(do)
    try:
        host.workers.submit(task)
        done.wait()
    except BaseException:
        _cancel_and_wait(done, lambda: done.set() if task.withdraw() else cancel())
        raise


def _wait_for(run: Any) -> Any:
    """The report of a run."""
    _do_on_worker(lambda: lib.curfew_run_wait(run), lambda: lib.curfew_run_cancel(run))
    return ffi.cast("curfew_report *", lib.curfew_run_wait(run))


# ---- Run -----------------------------------------------------------------------------------------------------------


def _start_run(run: "Run", program: Any, options: Any, out: Any, failure: Any) -> None:
    """Starts it, and makes the object its owner. Whenever Ctrl-C arrives, either the object owns the run afterwards, or
    the run is destroyed."""
    is_owned, gc, destroy = False, ffi.gc, lib.curfew_run_destroy
    try:
        check(lib.curfew_run_start(program, options, out, failure), failure)
        pointer = out[0]
        # The interpreter looks for signals after a call, not between these two.
        is_owned = True
        run._pointer = gc(pointer, destroy)
        run._own(run._pointer)
    except BaseException:
        if not is_owned:
            destroy(out[0])
        raise


# Runs in progress. They are kept until they have ended, even if nobody else refers to them.
_live: Dict[int, "Run"] = {}
_ending = False


@ffi.callback("void(void *, curfew_run *)")
def _on_done(context: Any, pointer: Any) -> None:
    ffi.from_handle(context)._has_ended()


@ffi.callback("void(void *, curfew_event_kind, const char *, size_t)")
def _on_event(context: Any, kind: int, data: Any, length: int) -> None:
    ffi.from_handle(context)._take_event(kind, bytes(ffi.buffer(data, length)))


class Run(Owned):
    """An execution that was started. It continues to its end, even if nothing refers to it any more."""

    _kind = "run"
    _free = lib.curfew_run_destroy

    def __init__(
        self,
        program: Program,
        on_event: Optional[Callable[[Event], None]],
        events: bool,
        loop: Optional[asyncio.AbstractEventLoop],
        options: Dict[str, Any],
    ) -> None:
        self._pointer = None
        if _ending:
            raise Error("the interpreter is ending")
        self.loop = loop
        self._program = program  # keeps the host functions alive as well
        self._on_event = on_event
        self._events: Optional[Deque[Event]] = deque() if events else None
        self._change = threading.Condition() if events else None
        self._wakers: List[Callable[[], None]] = []
        self._raised: Optional[BaseException] = None
        self._report: Optional[Report] = None
        self._lock = threading.Lock()
        self._done = _Flag()
        self._handle = ffi.new_handle(self)
        self._given = _Options(**options)
        pointer = self._given.pointer
        pointer.on_done, pointer.on_done_context = _on_done, self._handle
        pointer.host_context = self._handle
        if on_event is not None or events:
            pointer.on_event, pointer.on_event_context = _on_event, self._handle
        out, failure = ffi.new(_RUN_OUT), ffi.new(_FAILURE)
        _sweep()
        _live[id(self)] = self
        try:
            # Ctrl-C may arrive after the start.
            _start_run(self, program._get(), pointer, out, failure)
            self._given.wipe()
        except BaseException:
            self._pointer = None
            _live.pop(id(self), None)
            self._given.close()
            raise

    # The engine's threads call these.

    @property
    def _ended(self) -> bool:
        return self._done.is_set

    def _has_ended(self) -> None:
        self._given.close()
        with self._lock:
            self._done.set()
            wakers, self._wakers = self._wakers, []
        if self._change is not None:
            with self._change:
                self._change.notify_all()
        for wake in wakers:
            wake()

    def _take_event(self, kind: int, data: bytes) -> None:
        event = Event(_EVENTS[kind], decode(data) if kind >= 2 else data)
        if self._on_event is not None and self._raised is None:
            host.workers.run(lambda: self._call_listener(event))
        if self._events is not None:
            with self._change:
                self._events.append(event)
                self._change.notify_all()
            with self._lock:
                wakers, self._wakers = self._wakers, []
            for wake in wakers:
                wake()

    def _call_listener(self, event: Event) -> None:
        try:
            self._on_event(event)
        except BaseException as error:
            self._raised = error
            self.cancel()

    # The thread that started the run calls these.

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._ended

    @property
    def report(self) -> Optional[Report]:
        """The report, or None while the run is in progress."""
        return self._take_report() if self._ended else None

    def _take_report(self) -> Report:
        with self._lock:
            if self._report is None:
                self._report = take_report(ffi.cast("curfew_report *", lib.curfew_run_wait(self._get())), False)
                self._given.close()
        _live.pop(id(self), None)
        if self._raised is not None:
            raise self._raised
        return self._report

    def wait(self, timeout: Optional[float] = None) -> Report:
        """Waits for the end (at most timeout seconds, then TimeoutError). Ctrl-C cancels the run."""
        try:
            has_ended = self._done.wait(timeout)
        except KeyboardInterrupt:
            _cancel_and_wait(self._done, self.cancel)
            raise
        if not has_ended:
            raise TimeoutError(f"the run goes on after {timeout} s")
        return self._take_report()

    def __await__(self) -> Any:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Report:
        loop = asyncio.get_running_loop()
        cancelled: Optional[asyncio.CancelledError] = None
        while not self._ended:
            future = loop.create_future()
            self._wake_with(loop, future)
            try:
                await future
            except asyncio.CancelledError as error:
                # Wait until the run has ended, so that it does not outlive its awaitable.
                cancelled = error
                self.cancel()
        if cancelled is not None:
            # The report is not made, because the cancelled caller never reads it.
            raise self._raised or cancelled
        return self._take_report()

    def _wake_with(self, loop: asyncio.AbstractEventLoop, future: "asyncio.Future[None]") -> None:
        with self._lock:
            if not self._ended and not (self._events is not None and self._events):
                self._wakers.append(lambda: _settle_in(loop, future))
                return
        _settle(future)

    def cancel(self) -> None:
        """Cancels the run, from any thread. A second call skips the grace."""
        pointer = self._pointer
        if pointer is not None and not self._ended:
            lib.curfew_run_cancel(self._get())

    def usage(self) -> RunUsage:
        """What the run has used so far."""
        usage = ffi.new("curfew_run_usage *", {"size": ffi.sizeof("curfew_run_usage")})
        lib.curfew_run_get_usage(self._get(), usage)
        return RunUsage(usage.wall_ns / 1e9, usage.cpu_ns / 1e9, usage.memory_bytes, usage.output_bytes)

    def events(self) -> "Events":
        """The run's events, for ``for`` and ``async for``, until it has ended. Start it with events=True."""
        if self._events is None:
            raise Error("the run was started without events=True")
        return Events(self)

    def close(self) -> None:
        """Cancels the run if it is in progress, and waits for its end."""
        if self._pointer is None:
            return
        if not self._ended and self._made_in == _native.generation:
            self.cancel()
            self._done.wait()
        _live.pop(id(self), None)
        super().close()
        self._given.close()


# The futures, by loop, that threads of the engine have ended. One wake-up of a loop settles all of its futures.
_unsettled: Dict[asyncio.AbstractEventLoop, List["asyncio.Future[None]"]] = {}
_unsettled_lock = threading.Lock()


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _settle_in(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[None]") -> None:
    with _unsettled_lock:
        futures = _unsettled.setdefault(loop, [])
        futures.append(future)
        if len(futures) > 1:
            return
    try:
        loop.call_soon_threadsafe(_settle_all, loop)
    except RuntimeError:
        # The loop is closed, so nothing waits for its futures.
        with _unsettled_lock:
            _unsettled.pop(loop, None)


def _settle_all(loop: asyncio.AbstractEventLoop) -> None:
    with _unsettled_lock:
        futures = _unsettled.pop(loop, [])
    for future in futures:
        _settle(future)


class Events:
    """The events of a run, one by one, each once."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        run = self._run
        with run._change:
            while not run._events:
                if run._ended:
                    raise StopIteration
                run._change.wait(_Flag.WAKE_S)
            return run._events.popleft()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        run = self._run
        loop = asyncio.get_running_loop()
        while not run._events:
            if run._ended:
                raise StopAsyncIteration
            future = loop.create_future()
            run._wake_with(loop, future)
            await future
        return run._events.popleft()


def _sweep() -> None:
    """Drops ended runs whose results nobody asked for. It is called only now and then, because it checks all runs."""
    if len(_live) >= _sweep.due:
        for run in [run for run in list(_live.values()) if run._ended]:
            _live.pop(id(run), None)
        _sweep.due = 2 * len(_live) + 64


_sweep.due = 64  # type: ignore[attr-defined]


# ---- Session -------------------------------------------------------------------------------------------------------


class Session(Owned):
    """One program's state, kept between calls. It executes one call at a time: a concurrent one raises BusyError."""

    _kind = "session"
    _free = lib.curfew_session_destroy

    def __init__(self, program: Program, options: Dict[str, Any]) -> None:
        self._pointer = None
        self.loop = None
        self._program = program
        self._lock = threading.Lock()
        self._current: Optional[object] = (
            None  # the call, from the moment it is made: its thread may not have begun it yet
        )
        self._given = _Options(**options)
        out, failure = ffi.new("curfew_session **"), ffi.new("curfew_failure *")
        check(lib.curfew_session_create(program._get(), self._given.pointer, out, failure), failure)
        super().__init__(out[0])
        self._given.wipe()

    def call(self, function: Optional[str] = None, *params: Any, limits: LimitsLike = None) -> Report:
        """Calls a function that the program exports, and waits. Ctrl-C cancels the call."""
        return self._wait_for(self._prepare_call(function, params, limits))

    async def call_async(self, function: Optional[str] = None, *params: Any, limits: LimitsLike = None) -> Report:
        """Like :meth:`call`, awaited. Cancelling the awaitable cancels the call."""
        return await self._await(self._prepare_call(function, params, limits))

    def eval(self, text: str, *, name: Optional[str] = None, limits: LimitsLike = None) -> Report:
        """Evaluates text as the session's next cell, and waits. It works only for JavaScript."""
        return self._wait_for(self._prepare_eval(text, name, limits))

    async def eval_async(self, text: str, *, name: Optional[str] = None, limits: LimitsLike = None) -> Report:
        """Like :meth:`eval`, awaited."""
        return await self._await(self._prepare_eval(text, name, limits))

    def _prepare_call(self, function: Optional[str], params: Sequence[Any], limits: LimitsLike) -> Callable[[], Report]:
        name = c_string(function, "function") if function is not None else ffi.NULL
        text = ffi.new("char[]", _params_text(params)) if params else ffi.NULL
        filled = fill_limits(limits)
        return lambda: self._take(
            lambda out, failure: lib.curfew_session_call(self._get(), name, text, filled or ffi.NULL, out, failure)
        )

    def _prepare_eval(self, text: str, name: Optional[str], limits: LimitsLike) -> Callable[[], Report]:
        data = bytes_of(text, "text")
        shown = c_string(name, "name") if name is not None else ffi.NULL
        filled = fill_limits(limits)
        return lambda: self._take(
            lambda out, failure: lib.curfew_session_eval(
                self._get(), shown, data, len(data), filled or ffi.NULL, out, failure
            )
        )

    @staticmethod
    def _take(call: Callable[[Any, Any], int]) -> Report:
        out, failure = ffi.new("curfew_report **"), ffi.new("curfew_failure *")
        check(call(out, failure), failure)
        return take_report(out[0], True)

    def _claim(self, call: object) -> None:
        with self._lock:
            if self._current is not None:
                raise BusyError("a call of this session is in progress", "in_use")
            self._current = call

    def _leave(self, call: object) -> None:
        """Has no effect if the session was not claimed for this call."""
        with self._lock:
            if self._current is call:
                self._current = None

    def _carry_out(self, me: object, call: Callable[[], Any], outcome: List[Any]) -> None:
        """Makes the call, on a thread that Ctrl-C does not interrupt."""
        try:
            made = (call(), None)
        except BaseException as error:
            made = (None, error)
        self._leave(me)
        outcome.append(made)

    def _wait_for(self, call: Callable[[], Any]) -> Any:
        me = object()
        outcome: List[Any] = []
        try:
            self._claim(me)
            if threading.current_thread() is not threading.main_thread():
                return call()
            # A signal's handler runs only between two steps of the interpreter. So the main thread does not wait in the
            # library.
            _do_on_worker(lambda: self._carry_out(me, call, outcome), lambda: self._cancel(me))
        finally:
            self._leave(me)
        return _outcome_of(outcome[0])

    async def _await(self, call: Callable[[], Report]) -> Report:
        me = object()
        outcome: List[Any] = []
        try:
            self._claim(me)
            loop = asyncio.get_running_loop()
            future: "asyncio.Future[None]" = loop.create_future()

            def do() -> None:
                self._carry_out(me, call, outcome)
                _settle_in(loop, future)

            host.workers.submit(do)
            cancelled = None
            while not outcome:
                try:
                    await asyncio.wait([future])
                except asyncio.CancelledError as error:
                    cancelled = error
                    self._cancel(me)
            if cancelled is not None:
                raise cancelled
        finally:
            self._leave(me)
        return _outcome_of(outcome[0])

    def cancel(self) -> None:
        """Cancels the call in progress, from any thread; a second time skips the grace. It has no effect if there is no
        call."""
        call = self._current
        if call is not None:
            self._cancel(call)

    def _cancel(self, call: object) -> None:
        # The library does not know a call before its thread has begun it.
        if not self._try_cancel(call):
            host.workers.submit(lambda: self._cancel_when_begun(call))

    def _try_cancel(self, call: object) -> bool:
        """Cancels this call. False: it has not begun."""
        with self._lock:
            return self._current is not call or self._pointer is None or lib.curfew_session_cancel(self._pointer)

    def _cancel_when_begun(self, call: object) -> None:
        while not self._try_cancel(call):
            time.sleep(_CANCEL_AGAIN)

    def reset(self) -> None:
        """Drops the state: the next call begins with the program's image."""
        failure = ffi.new("curfew_failure *")
        self._wait_for(lambda: check(lib.curfew_session_reset(self._get(), failure), failure))

    @property
    def usable(self) -> bool:
        """Whether the next call would find a state. False after a stop that lost it, until a reset."""
        return bool(lib.curfew_session_is_usable(self._get()))

    def totals(self) -> Dict[str, int]:
        """What all its calls have used. Times are in nanoseconds. fuel is None if it was not metered."""
        totals = ffi.new("curfew_session_totals *", {"size": ffi.sizeof("curfew_session_totals")})
        lib.curfew_session_get_totals(self._get(), totals)
        return {
            name: None if getattr(totals, name) == _native.UNLIMITED else getattr(totals, name)
            for name, _ in ffi.typeof("curfew_session_totals").fields
            if name not in ("size", "reserved")
        }

    def close(self) -> None:
        """Ends the session. A call in progress is cancelled and awaited."""
        with self._lock:
            super().close()
        self._given.close()


# How often, in seconds, the cancel of a call that has not begun yet is tried again.
_CANCEL_AGAIN = 0.005


def _outcome_of(outcome: Tuple[Any, Optional[BaseException]]) -> Any:
    value, error = outcome
    if error is not None:
        raise error
    return value


# ---- The default engine --------------------------------------------------------------------------------------------

_default: Optional[Engine] = None
_default_lock = threading.Lock()


def default_engine() -> Engine:
    """The engine of curfew.run, created at its first use. After a fork the child gets its own."""
    global _default
    with _default_lock:
        if _default is None or _default._made_in != _native.generation:
            _default = Engine()
        return _default


def _after_fork() -> None:
    global _default_lock, _unsettled_lock
    _live.clear()
    _unsettled.clear()
    _default_lock, _unsettled_lock = threading.Lock(), threading.Lock()
    host._forget_threads()


os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _end() -> None:
    """Cancels runs and waits for their ends, because no thread of an engine may call into an interpreter that has
    ended."""
    global _ending
    _ending = True
    runs = list(_live.values())
    for run in runs:
        run.cancel()
    for run in runs:
        if run._made_in == _native.generation:
            run.cancel()
            run._done.wait(30)
