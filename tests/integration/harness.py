# SPDX-License-Identifier: Apache-2.0
"""Code that every group needs: processes with a time limit, and reports, each of which is checked."""

import contextlib
import itertools
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import namedtuple

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# alone: it measures the whole machine, so no other test may run at the same time.
Test = namedtuple("Test", "group name run alone", defaults=[False])
Done = namedtuple("Done", "code out err seconds command")

# The contract's table. The groups abi and docs check that the header and the documents agree with it.
EXIT_CODES = {
    "ok": 0,
    "threw": 1,
    "trapped": 1,
    "bad_program": 3,
    "fuel": 121,
    "loops": 122,
    "host_calls": 123,
    "timers": 123,
    "deadline": 124,
    "internal": 125,
    "cancelled": 130,
    "memory": 137,
    "stack": 139,
    "cpu": 152,
    "output": 153,
    "exited": 0,
    "crashed": 134,
    "unsettled": 13,
}
STOPS = set(EXIT_CODES) - {"ok", "threw", "trapped", "bad_program", "internal", "exited", "crashed", "unsettled"}


class Failed(Exception):
    """The test failed. The text says what was expected and what was seen."""


class Skipped(Exception):
    """The test cannot run here. The text says why."""


def crowd():
    """How many threads compete for each processor, now or in the last minute. At least 1."""
    with open("/proc/loadavg", encoding="ascii") as file:
        load, _, _, running, _ = file.read().split()
    return max(1.0, max(float(load), int(running.split("/")[0])) / len(os.sched_getaffinity(0)))


# A machine that is slower by this factor than the one for which bounds were chosen passes as well. Nothing waits longer
# because of that, except that a hang is detected later.
SLOWEST = 4
# The maximum factor for other load. A larger one would only delay the detection of a hang.
CROWD_MAX = 6


class Patience:
    """A time limit in seconds of an idle machine. On a busy machine the seconds pass more slowly. So a process that
    gets a tenth of a processor does not fail, but one that hangs still does."""

    def __init__(self, seconds):
        self.left = seconds * SLOWEST
        self.then = time.monotonic()

    def is_over(self):
        now = time.monotonic()
        self.left -= (now - self.then) / min(crowd(), CROWD_MAX)
        self.then = now
        return self.left <= 0


_ports = itertools.count(os.getpid() % 1000 * 8)


def find_port():
    """A free port that neither a connection nor another test uses meanwhile: it is below the system's own range."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first = int(file.read().split()[0])
    for number in _ports:
        port = max(first, 12000) - 8000 + number % 8000
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def open_terminal():
    """The two ends of a new pseudoterminal."""
    try:
        return pty.openpty()
    except OSError as error:
        raise Skipped(f"this system gives no terminal: {error}") from None


def expect(condition, text):
    if not condition:
        raise Failed(text)


def expect_equal(what, seen, expected):
    if seen != expected:
        raise Failed(f"{what}: expected {shorten(expected)}\n{' ' * len(what)}      seen {shorten(seen)}")


def shorten(value, limit=1200):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2 :]}"


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def _unique_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key is there twice: {keys}")
    return dict(pairs)


def make_certificate(directory):
    """The files of a key and of a certificate for localhost and 127.0.0.1 that nobody signed."""
    if shutil.which("openssl") is None:
        raise Skipped("openssl is not installed")
    key, certificate = os.path.join(directory, "key.pem"), os.path.join(directory, "cert.pem")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        capture_output=True,
        check=False,
    )
    expect(made.returncode == 0, made.stderr.decode())
    return key, certificate


def tiers(context, *more):
    """The options for each way to run a program that can be tested here, and more."""
    isolated = [["--isolate", "process"]] if context.can_confine else []
    return [[], *isolated, *more]


class Context:
    """One invocation of the tests: where the build is, how to run things in it, and how long they may take."""

    def __init__(self, build, wrapper, scale, slower, environment, scratch):
        self.build = os.path.abspath(build)
        self.wrapper = wrapper
        self.scale = scale
        self.slower = slower
        self.scratch = scratch
        self.is_sanitized = bool(environment)
        # A sanitizer or a wrapper makes system calls that a confined worker may not make.
        self.can_confine = not environment and not wrapper
        self.environment = {
            key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "CURFEW_TEST_SCALE")
        }
        self.environment.update(
            environment,
            XDG_CACHE_HOME=os.path.join(scratch, "cache"),
            CURFEW_TEST_SCALE=str(scale),
            CURFEW_TEST_SLOWER=str(slower),
            LC_ALL="C.UTF-8",
        )
        os.makedirs(os.path.join(scratch, "cache"), mode=0o700, exist_ok=True)
        self._lock = threading.Lock()
        self._validator = None
        self._number = 0
        places = [os.path.join(self.build, "curfew"), os.path.join(self.build, "cli", "curfew")]
        self.curfew = next((place for place in places if os.path.isfile(place)), places[0])

    def directory(self):
        """A new empty directory. It is removed with everything else at the end."""
        with self._lock:
            self._number += 1
            path = os.path.join(self.scratch, f"t{self._number}")
        os.mkdir(path)
        return path

    def patience(self, seconds):
        return Patience(seconds * self.slower)

    def until(self, what, holds, seconds=20):
        """Waits until holds() returns a true value, and returns that. what: the error message, or a function that
        returns it."""
        patience = self.patience(seconds)
        while not (value := holds()):
            if patience.is_over():
                raise Failed(what() if callable(what) else what)
            time.sleep(0.02)
        return value

    def bound(self, seconds):
        """An upper bound, on this machine at this moment, for work that takes at most this many seconds on an idle
        machine."""
        return seconds * self.slower * SLOWEST * crowd()

    def socket_timeout(self, seconds):
        """The timeout of a socket, which cannot take the load of the machine into account."""
        return seconds * self.slower * SLOWEST * 2

    def share(self, ms):
        """A time limit for a run in which it gets as much done as in this many milliseconds on an idle machine."""
        return f"{ms * min(self.slower, 4) * SLOWEST * min(crowd(), CROWD_MAX):.0f}ms"

    def spawn(self, words, **options):
        environment = dict(self.environment, **options.pop("env", {}))
        return subprocess.Popen(self.wrapper + list(words), env=environment, start_new_session=True, **options)

    def finish(self, process, words, start, timeout, stdin=None):
        """Waits for a spawned process. One that does not end is killed with all its descendants."""
        patience, given = self.patience(timeout), {"input": stdin}
        while True:
            try:
                out, err = process.communicate(timeout=min(1, max(patience.left, 0.01)), **given)
                break
            except subprocess.TimeoutExpired:
                given = {}  # communicate() resumes where it was
            if patience.is_over():
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                raise Failed(
                    f"not over after {time.monotonic() - start:.0f} s: {' '.join(map(str, words))}\n"
                    f"{shorten((err or b'').decode(errors='replace'), 600)}"
                )
        done = Done(process.returncode, out or b"", err or b"", time.monotonic() - start, words)
        if self.is_sanitized and (done.code == 99 or b"Sanitizer" in done.err):
            raise Failed(
                f"the sanitizer found something: {' '.join(map(str, words))}\n{shorten(done.err.decode(errors='replace'), 4000)}"
            )
        if done.code < 0 and -done.code in (
            signal.SIGSEGV,
            signal.SIGABRT,
            signal.SIGBUS,
            signal.SIGILL,
            signal.SIGFPE,
        ):
            raise Failed(
                f"killed by {signal.Signals(-done.code).name}: {' '.join(map(str, words))}\n{shorten(done.err.decode(errors='replace'), 2000)}"
            )
        return done

    def command(self, words, stdin=b"", timeout=10, stdin_file=None, **options):
        """Runs a command to its end. Its standard input is stdin, or the open file stdin_file."""
        start = time.monotonic()
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        try:
            source = stdin_file if stdin_file is not None else subprocess.PIPE if stdin is not None else None
            process = self.spawn(words, stdin=source, **options)
        except OSError as error:
            raise Failed(f"cannot start {words[0]}: {error.strerror}") from None
        return self.finish(process, words, start, timeout, stdin if stdin_file is None else None)

    def run(self, *words, **options):
        """curfew run WORDS"""
        return self.command([self.curfew, "run", *words], **options)

    def report(self, *words, **options):
        """Runs curfew run --json WORDS. Returns its report, which is checked, and how it ended."""
        done = self.run("--json", *words, **options)
        return self.check_report(done.out, done), done

    def check_report(self, text, done=None):
        try:
            report = json.loads(text, object_pairs_hook=_unique_keys)
        except ValueError as error:
            raise Failed(
                f"no report ({error}): exit {done.code if done else '-'}\nstdout {shorten(repr(text), 400)}\n"
                f"stderr {shorten(repr(done.err if done else b''), 800)}"
            ) from None
        with self._lock:
            if self._validator is None:
                self._validator = jsonschema.Draft202012Validator(json.loads(read("docs/report.schema.json")))
        errors = [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
            for error in self._validator.iter_errors(report)
        ]
        expect(not errors, f"not as docs/report.schema.json has it: {shorten('; '.join(errors))}")
        _check_sense(report)
        # A program that exited has its own code.
        if done is not None and report["outcome"] != "exited" and done.code != EXIT_CODES[report["outcome"]]:
            raise Failed(f"exit: expected {EXIT_CODES[report['outcome']]} for {report['outcome']}, seen {done.code}")
        return report


def _check_sense(report):
    """Checks what a schema cannot express: the parts of a report agree with each other."""
    outcome, used, limits, stop = report["outcome"], report["used"], report["limits"], report["stop"]
    if outcome in STOPS:
        # Not always the first: the outcome of a run that is ended within its grace is the limit that ended it, after
        # the deadline.
        expect(outcome in report["tripped"], f"tripped: {report['tripped']} lacks the outcome {outcome}")
        expect(
            report["tripped"][0] == outcome or limits["grace_us"] > 0,
            f"tripped: {report['tripped']} does not begin with {outcome}",
        )
        expect(report["error"] is not None or stop["mode"] == "cooperative", f"{outcome}: there is no error")
    if outcome == "ok":
        expect(
            report["tripped"] == [] and stop is None and report["error"] is None,
            f"ok, but tripped {report['tripped']}, stop {stop}, error {shorten(report['error'])}",
        )
    if outcome in ("threw", "bad_program", "internal", "unsettled"):
        expect(report["error"] is not None, f"{outcome}: there is no error")
    for key in ("loops", "host_calls", "fuel", "output_bytes"):
        if limits[key] is not None and used[key] is not None:
            expect(used[key] <= limits[key], f"used.{key} {used[key]} is above the limit {limits[key]}")
    for used_key, key in (
        ("memory_peak_bytes", "memory_bytes"),
        ("stack_peak_bytes", "stack_bytes"),
        ("timers_peak", "timers"),
    ):
        if limits[key] is not None:
            expect(used[used_key] <= limits[key], f"used.{used_key} {used[used_key]} is above the limit {limits[key]}")
    parts = used["load_us"] + used["compile_us"] + used["start_us"] + used["run_us"]
    expect(
        parts <= used["wall_us"] + 4,
        f"the parts of the time ({parts} us) are more than all of it ({used['wall_us']} us)",
    )
    for frame in report["error"]["stack"] if report["error"] else []:
        expect(
            frame["native"] == (frame["file"] is None), f"a frame is native or has a file, not both or none: {frame}"
        )


def lines_of(text):
    return re.sub(r"\r", "", text).split("\n")
