# SPDX-License-Identifier: Apache-2.0
"""The inputs for measuring compilation: files that take long, a Go program, and processes whose memory is watched."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))

from integration.binary import leb, module  # noqa: E402

HELLO = """(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
 (memory (export "memory") 1) (data (i32.const 16) "hello\\n") (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
 (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""


def straight(megabytes):
    """Functions of 1 MiB without a branch: a load, and then additions of constants."""
    body = b"\x41\0\x28\2\0" + b"\x41\5\x6a" * 349_000 + b"\x1a"
    return module([b"\0"] + [body] * megabytes)


def ordinary(megabytes):
    """Many functions of 1 KiB with typical code: loads, stores, branches, calls, a loop."""
    piece = (
        b"\x02\x40\x41\0\x28\2\0\x45\x0d\0\x41\x10\x41\x14\x28\2\0\x41\7\x6a\x36\2\0\x0b"  # block, load, br_if, store
    )
    bodies = [b"\0"]
    for index in range(megabytes * 1000):
        call = b"\x10" + leb(index // 2) if index else b""
        bodies.append(
            piece * 38
            + b"\x03\x40\x41\x18\x41\x18\x28\2\0\x41\1\x6a\x36\2\0\x41\x18\x28\2\0\x41\x0a\x49\x0d\0\x0b"
            + call
        )
    return module(bodies)


def text(megabytes):
    return b"(module " + b"(func i32.const 5 drop)" * (megabytes * (1 << 20) // 24 - 1) + b")"


def go_program(directory):
    """A Go program for WASI that prints hello, of about 4 MB. None: there is no Go."""
    go = shutil.which("go")
    target = os.path.join(directory, "hello-go.wasm")
    if go is None:
        return None
    done = subprocess.run(
        [go, "build", "-o", target, "."],
        cwd=os.path.join(HERE, "go"),
        capture_output=True,
        env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOCACHE": os.path.join(directory, "go")},
    )
    return target if done.returncode == 0 else None


def write(directory, name, content):
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def children(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            for child in file.read().split():
                yield int(child)
                yield from children(child)


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        values = dict(line.split(":", 1) for line in file)
    return values["Name"].strip(), int(values.get("VmHWM", "0").split()[0])


def watch(process, peaks):
    """Notes the peak memory of a process and of its descendants, by name, in KiB."""
    while process.poll() is None:
        try:
            for pid in [process.pid, *children(process.pid)]:
                name, kib = peak(pid)
                peaks[name] = max(peaks.get(name, 0), kib)
        except OSError:
            pass
        time.sleep(0.005)


def run_watched(words, cache):
    """The report of a run, and the peak memory of each process."""
    peaks = {}
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_CACHE_HOME": cache},
    )
    watcher = threading.Thread(target=watch, args=(process, peaks))
    watcher.start()
    out = process.stdout.read()
    process.wait()
    watcher.join()
    return json.loads(out), peaks


def timed(words, cache):
    """Wall-clock time of a process, in ns, and its exit code."""
    start = time.perf_counter_ns()
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_CACHE_HOME": cache},
        check=False,
    )
    return time.perf_counter_ns() - start, done.returncode
