# SPDX-License-Identifier: Apache-2.0
"""Compiling is guest work: whatever a file contains, it is stopped in time, in a process that is killed. The names and
lines in a file do not slow a stop."""

# Claims L21, L87, L88, L89, L422, T19.
import contextlib
import os
import shutil
import signal
import struct
import threading
import time

from .binary import HEADER, custom, leb, module, section
from .harness import Failed, Patience, Test, expect, expect_equal, shorten, tiers
from .serving import Server

TESTS = []
# A run that takes longer than this to compile on any machine is stopped during the compilation.
TIMEOUT = "400ms"
# How late a stop may be on a busy machine.
LATE_S = 0.1


def test(function):
    TESTS.append(function)
    return function


# ---- Files that take long ------------------------------------------------------------------------------------------


# Straight code: the beginning, the repeated part, the end.
STRAIGHT = {
    "sums": (b"\x41\0\x28\2\0", b"\x41\5\x6a", b"\x1a"),
    "differences": (b"\x41\0\x28\2\0", b"\x41\5\x6b", b"\x1a"),
    "loads": (b"\x41\0", b"\x28\2\0", b"\x1a"),
    "products": (b"\x42\3", b"\x42\x85\1\x7e", b"\x1a"),
    "globals": (b"", b"\x23\0\x41\1\x6a\x24\0", b""),
}


def straight(kind, megabytes):
    before, piece, after = STRAIGHT[kind]
    body = before + piece * ((1_048_000 - len(before) - len(after)) // len(piece)) + after
    return module([b"\0"] + [body] * megabytes)


def write(context, content, name="program.wasm"):
    path = os.path.join(context.directory(), name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def watch_memory(process, peaks):
    """Notes the peak memory of a process itself until it has ended."""
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                peaks.extend(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        except OSError:
            return
        time.sleep(0.01)


def run_watched(context, *words):
    """The report of a run, and the peak memory of its process in MiB."""
    words = [context.curfew, "run", "--json", *words]
    process = context.spawn(words, stdin=-3, stdout=-1, stderr=-1)
    peaks = [0]
    watcher = threading.Thread(target=watch_memory, args=(process, peaks))
    start = time.monotonic()
    watcher.start()
    done = context.finish(process, words, start, 30)
    watcher.join()
    return context.check_report(done.out, done), max(peaks) >> 10


def expect_stopped(context, report, mib, file_bytes):
    expect_equal("outcome", report["outcome"], "deadline")
    expect_equal("while", report["stop"]["while"], "compiling")
    expect(
        "while compiling (" in report["error"]["message"] and "curfew compile" in report["error"]["message"],
        f"message: {report['error']['message']}",
    )
    expect(
        report["stop"]["latency_us"] < 1e6 * context.bound(LATE_S), f"stopped {report['stop']['latency_us']} us late"
    )
    # The file is in memory several times; its compilation took gigabytes.
    most = 160 + 4 * (file_bytes >> 20)
    expect(context.is_sanitized or mib < most, f"the process had {mib} MiB, expected less than {most}")


def check_straight(context, kind, megabytes):
    content = straight(kind, megabytes)
    report, mib = run_watched(context, "--timeout", TIMEOUT, "--call", "f", write(context, content))
    expect_stopped(context, report, mib, len(content))


TEXTS = {
    "types": "(module " + "(rec(type(func)))" * 900_000 + ")",
    "functions": "(module " + "(func)" * 2_700_000 + ")",
    "component": "(component " + "(type u8)" * 1_800_000 + ")",
}


def check_text(context, name):
    content = TEXTS[name].encode()
    report, mib = run_watched(context, "--timeout", TIMEOUT, write(context, content, "program.wat"))
    # On a fast machine the parser may finish, and its result is refused.
    if report["outcome"] != "bad_program":
        expect_stopped(context, report, mib, len(content))
    expect(report["used"]["wall_us"] < 1e6 * context.bound(1.5), f"it took {report['used']['wall_us']} us")


# ---- Stopping it ---------------------------------------------------------------------------------------------------


def is_at_work(pid):
    """Whether a process is compiling, and not only starting."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12]) >= 5


def find_compiler(process):
    """The compiler that a process has started, once it is compiling. None: the process ended before."""
    pid, patience = process.pid, Patience(20)
    while process.poll() is None and not patience.is_over():
        # The process may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    for child in file.read().split():
                        with open(f"/proc/{child}/comm", encoding="ascii") as name:
                            if name.read().startswith("curfew-compiler") and is_at_work(child):
                                return int(child)
        time.sleep(0.005)
    if process.poll() is None:
        raise Failed("no process compiles")
    return None


def begin_compiling(context, *words):
    words = [context.curfew, "run", "--json", *words, "--call", "f", write(context, straight("sums", 8))]
    process = context.spawn(words, stdin=-3, stdout=-1, stderr=-1)
    return process, words, find_compiler(process)


def is_gone(pid):
    patience = Patience(10)
    while os.path.exists(f"/proc/{pid}") and not patience.is_over():
        time.sleep(0.01)
    return not os.path.exists(f"/proc/{pid}")


@test
def compiling_is_cancelled(context):
    process, words, compiler = begin_compiling(context, "--timeout", "10m")
    process.send_signal(signal.SIGINT)
    done = context.finish(process, words, time.monotonic(), 20)
    report = context.check_report(done.out, done)
    expect_equal("stop", (report["outcome"], report["stop"]["while"]), ("cancelled", "compiling"))
    expect(is_gone(compiler), "the compiler outlives the run")


@test
def compiling_has_a_limit_of_cpu(context):
    report, _ = context.report(
        "--timeout", "10m", "--cpu", "300ms", "--call", "f", write(context, straight("sums", 8)), timeout=30
    )
    expect_equal("stop", (report["outcome"], report["stop"]["while"]), ("cpu", "compiling"))
    expect(report["used"]["cpu_us"] >= 300_000, f"used {report['used']['cpu_us']} us")


@test
def compiler_is_killed(context):
    """Killing the compiler ends only the runs that wait for it."""
    process, words, compiler = begin_compiling(context, "--timeout", "10m")
    os.kill(compiler, signal.SIGKILL)
    done = context.finish(process, words, time.monotonic(), 20)
    report = context.check_report(done.out, done)
    expect_equal("outcome", report["outcome"], "internal")
    expect("compiler process died of signal 9" in report["error"]["message"], report["error"]["message"])


@test
def compiler_is_missing(context):
    """Without the compiler's program, the library compiles by itself, within limits."""
    directory = context.directory()
    alone = shutil.copy(context.curfew, directory)
    path = write(context, b'(module (func (export "f") (result i32) (i32.const 7)))', "seven.wat")
    done = context.command([alone, "run", "--print", "--call", "f", path], env={"XDG_CACHE_HOME": directory})
    expect_equal("value", (done.code, done.out), (0, b"7\n"))
    path = write(context, straight("sums", 40))
    done = context.command(
        [alone, "run", "--json", "--timeout", TIMEOUT, "--call", "f", path],
        env={"XDG_CACHE_HOME": directory},
        timeout=60,
    )
    report = context.check_report(done.out, done)
    expect_equal("stop", (report["outcome"], report["stop"]["while"]), ("deadline", "compiling"))
    text = write(context, b"(module " + b"(func)" * 400_000 + b")", "long.wat")
    done = context.command([alone, "run", "--json", text], env={"XDG_CACHE_HOME": directory})
    report = context.check_report(done.out, done)
    expect_equal("outcome", report["outcome"], "bad_program")
    expect("1 MiB" in report["error"]["message"], report["error"]["message"])


@test
def compiler_has_a_limit_of_memory(context):
    """A program that needs more memory than the compiler has is refused with that reason."""
    path = write(context, straight("sums", 4))
    done = context.command([context.curfew, "compile", "--memory", "256MiB", "--timeout", "5m", path], timeout=120)
    expect_equal("exit", done.code, 3)
    expect(b"takes more than 256 MiB of memory" in done.err, done.err.decode())


# ---- The cache -----------------------------------------------------------------------------------------------------


@test
def compiled_code_is_kept_once(context):
    """Several processes that compile the same program at once share the result."""
    directory = context.directory()
    path = write(context, module([b"\x41\7\x41\6\x6c\x1a"] * 300), "shared.wasm")
    words = [context.curfew, "run", "--json", "--call", "f", path]
    running = [
        context.spawn(words, env={"XDG_CACHE_HOME": directory}, stdin=-3, stdout=-1, stderr=-1) for _ in range(5)
    ]
    for process in running:
        done = context.finish(process, words, time.monotonic(), 30)
        expect_equal("outcome", context.check_report(done.out, done)["outcome"], "ok")
    kept = [name for _, _, names in os.walk(directory) for name in names]
    expect_equal("files", len([name for name in kept if len(name) == 64]), 1)
    expect(not [name for name in kept if name.startswith(".")], f"left behind: {kept}")


def alone(context):
    """The command without its compiler runs programs that were compiled before."""
    directory = context.directory()
    return shutil.copy(context.curfew, directory)


@test
def tiers_share_code(context):
    """A program that was compiled once is not compiled again, by any kind of run. Without a compiler, nothing else runs
    confined."""
    single, names = alone(context), ["plain", "isolated"]
    words = {"plain": [], "isolated": ["--isolate", "process"]}
    for first in names:
        env = {"XDG_CACHE_HOME": context.directory()}
        path = write(context, module([b"\x41\7\x1a"] * (300 + len(first))), "shared.wasm")
        run = ["run", "--json", "--call", "f", path]
        if first == "isolated":
            done = context.command([single, *run, "--isolate", "process"], env=env)
            report = context.check_report(done.out, done)
            expect("there is no curfew-compiler" in report["error"]["message"], report["error"]["message"])
        expect_equal("first", context.command([context.curfew, *run, *words[first]], env=env).code, 0)
        for again in names:
            done = context.command([single, *run, *words[again]], env=env)
            expect_equal(
                f"{again} after {first}", (done.code, context.check_report(done.out, done)["outcome"]), (0, "ok")
            )


@test
def server_shares_code(context):
    env = {"XDG_CACHE_HOME": context.directory()}
    content = module([b"\x41\5\x1a"] * 400)
    path = write(context, content, "shared.wasm")
    with Server(context, env=env) as server:
        server.ask(
            "PUT", "/v1/programs/shared.wasm?lang=wasm", content, 201, headers={"Content-Type": "application/wasm"}
        )
        expect_equal("run", server.run(program="shared.wasm", call="f")["outcome"], "ok")
    done = context.command([alone(context), "run", "--json", "--isolate", "process", "--call", "f", path], env=env)
    expect_equal("outcome", context.check_report(done.out, done)["outcome"], "ok")


@test
def images_share_code(context):
    """A worker that runs an image gets the code in it, or the cached code."""
    env = {"XDG_CACHE_HOME": context.directory()}
    path = write(context, module([b"\x41\6\x1a"] * 400), "shared.wasm")
    image = os.path.join(context.directory(), "shared.curfew")
    expect_equal("compile", context.command([context.curfew, "compile", path, "-o", image], env=env).code, 0)
    for kept in (True, False):
        if not kept:
            for name in os.listdir(os.path.join(env["XDG_CACHE_HOME"], "curfew")):
                if len(name) == 64:
                    os.remove(os.path.join(env["XDG_CACHE_HOME"], "curfew", name))
        done = context.command([alone(context), "run", "--json", "--isolate", "process", "--call", "f", image], env=env)
        expect_equal("outcome", context.check_report(done.out, done)["outcome"], "ok")


@test
def large_text_in_every_tier(context):
    path = write(context, b'(module (func (export "f")) ' + b"(func i32.const 5 drop)" * 60_000 + b")", "long.wat")
    for words in tiers(context):
        report, _ = context.report("--timeout", "60s", "--call", "f", *words, path, timeout=60)
        expect_equal(f"outcome {words}", report["outcome"], "ok")


@test
def a_large_file(context):
    """100 MiB, most of it data, in every tier. Claim L87."""
    data = bytes(100 << 20)
    path = write(context, module([b"\x41\6\x1a"], section(11, b"\1\1" + leb(len(data)) + data)), "large.wasm")
    for words in tiers(context):
        report, _ = context.report("--timeout", "5m", "--call", "f", *words, path, timeout=300)
        expect_equal(f"outcome {words}", report["outcome"], "ok")
    os.truncate(path, (128 << 20) + 1)
    done = context.run(path)
    expect(done.code == 3 and b"larger than 128 MiB" in done.err, f"{done}")


@test
def compiling_for_a_worker_is_stopped(context):
    """A deadline, a CPU limit and a cancel end the compiler of an isolated run, without killing the worker."""
    for option, outcome in (("--timeout", "deadline"), ("--cpu", "cpu"), (None, "cancelled")):
        # On a slow machine the run may be stopped before the compiler was seen. Then try again with more time.
        for ms in (300, 600, 1200, 2400, 4800):
            words = ["--timeout", "5m", *([option, f"{ms}ms"] if option else [])]
            process, line, compiler = begin_compiling(context, "--isolate", "process", *words)
            if compiler is not None:
                break
            process.communicate()
        if outcome == "cancelled":
            process.send_signal(signal.SIGINT)
        done = context.finish(process, line, time.monotonic(), 20)
        report = context.check_report(done.out, done)
        expect_equal(
            "stop",
            (report["outcome"], report["stop"]["while"], report["stop"]["mode"] != "process"),
            (outcome, "compiling", True),
        )
        expect(is_gone(compiler), f"the compiler outlives the run that ended {outcome}")


@test
def compiler_of_a_worker_is_killed(context):
    process, words, compiler = begin_compiling(context, "--isolate", "process", "--timeout", "10m")
    os.kill(compiler, signal.SIGKILL)
    done = context.finish(process, words, time.monotonic(), 20)
    report = context.check_report(done.out, done)
    expect_equal("outcome", report["outcome"], "internal")
    expect("compiler process died of signal 9" in report["error"]["message"], report["error"]["message"])


def find_entry(directory):
    return next(
        os.path.join(place, name) for place, _, names in os.walk(directory) for name in names if len(name) == 64
    )


@test
def damaged_code_is_compiled_again(context):
    directory = context.directory()
    path = write(context, module([b"\x01"] * 50))
    words = ["--call", "f", path]
    context.report(*words, env={"XDG_CACHE_HOME": directory})
    entry = find_entry(directory)
    with open(entry, "rb") as file:
        whole = file.read()
    damages = [whole[:length] for length in (0, 1, 40, len(whole) // 2, len(whole) - 1)]
    damages += [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        for at in (0, len(whole) // 2, len(whole) - 70, len(whole) - 1)
    ]
    for damaged in damages:
        with open(entry, "wb") as file:
            file.write(damaged)
        report, _ = context.report(*words, env={"XDG_CACHE_HOME": directory})
        expect_equal(f"outcome with {len(damaged)} of {len(whole)} bytes", report["outcome"], "ok")
        with open(entry, "rb") as file:
            expect(file.read() == whole, "it was not compiled again")


# ---- Before anything is compiled -----------------------------------------------------------------------------------

UNKNOWN_IMPORT = section(2, b"\1\3env\7nothing\0\0")


def with_unknown_import(megabytes):
    content = straight("sums", megabytes)
    types = len(HEADER) + len(section(1, b"\1\x60\0\0"))
    return content[:types] + UNKNOWN_IMPORT + content[types:]


@test
def links_are_checked_first(context):
    """A program that takes seconds to compile is refused at once because of its imports."""
    report, _ = context.report("--timeout", "10m", "--call", "f", write(context, with_unknown_import(8)))
    expect_equal("error", (report["outcome"], report["error"]["name"]), ("bad_program", "LinkError"))
    expect("env.nothing" in report["error"]["message"], report["error"]["message"])
    expect(
        report["used"]["cpu_us"] < 1e6 * context.bound(1), f"it took {report['used']['cpu_us']} us of processor time"
    )


@test
def inspecting_compiles_nothing(context):
    path = write(context, with_unknown_import(30))
    done = context.command([context.curfew, "inspect", "--timeout", "5s", path])
    expect_equal("exit", (done.code, done.err), (0, b""))
    expect(b"env.nothing" in done.out and b" f " in done.out, shorten(done.out.decode()))


# ---- Names and lines ---------------------------------------------------------------------------------------------------


def calls(depth):
    """Functions that call each other. The last one traps."""
    return [b"\x10" + leb(index + 1) for index in range(depth)] + [b"\0"]


def many_names(count):
    names = leb(count) + b"\x09\0" * count
    return custom("name", b"\1" + leb(len(names)) + names)


def long_file_name(megabytes, count):
    abbreviations = bytes(
        [
            1,
            0x11,
            1,
            0x10,
            0x17,
            0x11,
            1,
            0x12,
            6,
            0,
            0,
            2,
            0x2E,
            1,
            0x11,
            1,
            0x12,
            6,
            0,
            0,
            3,
            0x1D,
            0,
            0x11,
            1,
            0x12,
            6,
            0x58,
            0x0B,
            0,
            0,
            0,
        ]
    )
    place = struct.pack("<II", 1, 0x7FFFFFF0)
    entries = b"\1" + bytes(4) + place + b"\2" + place + (b"\3" + place + b"\1") * count + b"\0\0"
    body = struct.pack("<HIB", 4, 0, 4) + entries
    names = b"a" * (megabytes << 20) + b"\0\0\0\0\0"
    head = bytes([1, 1, 1, 0xFB, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0]) + names
    line = struct.pack("<HI", 4, len(head)) + head
    return (
        custom(".debug_abbrev", abbreviations)
        + custom(".debug_info", struct.pack("<I", len(body)) + body)
        + custom(".debug_line", struct.pack("<I", len(line)) + line)
    )


NAMES = {
    "names": lambda: many_names(15_000_000),
    "file_name": lambda: long_file_name(20, 2000),
    "short_file_name": lambda: long_file_name(0, 2000),
}


def check_names(context, name):
    content = module(calls(70), NAMES[name]())
    report, mib = run_watched(context, "--timeout", "10m", "--call", "f", write(context, content))
    expect_equal("outcome", (report["outcome"], report["error"]["name"]), ("trapped", "unreachable"))
    expect_equal("frames", len(report["error"]["stack"]), 64)
    # Since the end of the compilation.
    expect(report["used"]["run_us"] < 1e6 * context.bound(0.5), f"the run took {report['used']['run_us']} us")
    most = 160 + 4 * (len(content) >> 20)
    expect(context.is_sanitized or mib < most, f"the process had {mib} MiB, expected less than {most}")


def tests(_):
    made = [Test("compiler", function.__name__, function) for function in TESTS]
    made += [
        Test(
            "compiler",
            f"straight_{kind}_{size}",
            lambda context, kind=kind, size=size: check_straight(context, kind, size),
        )
        for kind in STRAIGHT
        for size in ((1, 120) if kind == "sums" else (20,))
    ]
    made += [Test("compiler", f"text_{name}", lambda context, name=name: check_text(context, name)) for name in TEXTS]
    made += [Test("compiler", f"says_{name}", lambda context, name=name: check_names(context, name)) for name in NAMES]
    return made
