# SPDX-License-Identifier: Apache-2.0
"""Input and output of JavaScript programs: standard input and output, the environment, exit codes."""

import fcntl
import os
import subprocess
import termios
import time

from .harness import Test, expect, expect_equal, tiers

_tests = []


def test(function):
    _tests.append(function)
    return function


def tests(context):
    return [Test("cli", function.__name__, function) for function in _tests]


def write(context, name, text):
    path = os.path.join(context.directory(), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


UPPER = """
const upper = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()); } });
await curfew.stdin.pipeThrough(new TextDecoderStream()).pipeThrough(upper).pipeTo(curfew.stdout);
"""
COPY = """
const writer = curfew.stdout.getWriter();
for await (const chunk of curfew.stdin) await writer.write(chunk);
"""


@test
def a_filter(context):
    path = write(context, "upper.mjs", UPPER)
    for words in tiers(context):
        done = context.run(*words, path, stdin="hallo über\n".encode())
        expect(done.code == 0 and done.out.decode() == "HALLO ÜBER\n" and done.err == b"", f"{words}: {done}")


@test
def nothing_to_read(context):
    path = write(context, "read.mjs", "export default (await curfew.stdin.getReader().read()).done")
    report, _ = context.report(path, stdin=b"")
    expect_equal("at the end", report["value"], True)
    done = context.command(["sh", "-c", 'exec "$@" <&-', "sh", context.curfew, "run", "--print", path])
    expect(done.code == 1 and b"Standard input cannot be read: " in done.err, f"closed: {done}")
    done = context.run("--print", "--lang", "js", "-", stdin=b"curfew.stdin.getReader().read().then((r) => r.done)")
    expect(done.code == 0 and done.out == b"true\n", f"the program came from there: {done}")
    directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    done = context.run(path, stdin_file=directory)
    os.close(directory)
    expect(done.code == 1 and b"Standard input cannot be read: Is a directory" in done.err, f"a directory: {done}")


@test
def waiting_for_input_is_stopped(context):
    # Claim L520.
    path = write(context, "read.mjs", "await curfew.stdin.getReader().read()")
    for words in tiers(context):
        reading, writing = os.pipe()
        report, _ = context.report("--timeout", "300ms", *words, path, stdin_file=reading)
        os.close(reading)
        os.close(writing)
        expect_equal("outcome", report["outcome"], "deadline")
        expect_equal("while", report["stop"]["while"], "waiting")
        expect_equal("where", report["error"]["stack"][-1]["line"], 1)


@test
def input_that_nobody_wants(context):
    # Claim L520: only data that the program asks for is read.
    path = write(
        context, "one.mjs", "const { value } = await curfew.stdin.getReader().read(); export default value.length"
    )
    with open(write(context, "data", "x" * 300000), "rb") as file:
        report, _ = context.report(path, stdin_file=file)
        expect_equal("a chunk", report["value"], 65536)
        expect(os.lseek(file.fileno(), 0, os.SEEK_CUR) <= 131072, "more was read than asked for")
    report, _ = context.report("-e", "curfew.stdin; 1", stdin=None)
    expect_equal("not read", report["value"], 1)


@test
def much_in_and_out(context):
    # Claim L521: data that passes through is not kept.
    path, size = write(context, "copy.mjs", COPY), 60 << 20
    data = os.urandom(1 << 20)
    source = os.path.join(context.directory(), "data")
    with open(source, "wb") as file:
        for _ in range(60):
            file.write(data)
    with open(source, "rb") as file, open(source + ".out", "wb") as out:
        done = context.run("--output", "1G", "--timeout", "10m", path, stdin_file=file, stdout=out, timeout=60)
    expect(done.code == 0 and os.path.getsize(source + ".out") == size, f"{done}")
    with open(source + ".out", "rb") as file:
        expect(file.read(1 << 20) == data, "the bytes are not the same")


@test
def a_slow_reader(context):
    # Claim L521: the reader of the output sets the pace, and a stop ends the wait for it.
    path = write(
        context,
        "flood.mjs",
        "const w = curfew.stdout.getWriter(), b = new Uint8Array(65536);\nfor (;;) await w.write(b);",
    )
    process = context.spawn(
        [context.curfew, "run", "--output", "1G", "--timeout", "10m", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    filled = bytearray(4)
    context.until(
        "the pipe is not filled",
        lambda: (
            fcntl.ioctl(process.stdout, termios.FIONREAD, filled) == 0 and int.from_bytes(filled, "little") >= 65536
        ),
    )
    time.sleep(1 * context.slower)
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    process.terminate()
    start = time.monotonic()
    out, err = process.communicate(timeout=context.socket_timeout(10))
    expect(process.returncode == 130 and len(out) > 65536, f"exit {process.returncode}, {len(out)} bytes, {err!r}")
    expect(time.monotonic() - start < context.bound(2), "the stop was late")
    expect(context.is_sanitized or resident < 200 << 20, f"{resident} bytes are kept")


@test
def output_is_limited(context):
    report, _ = context.report("--output", "1000", "-e", "curfew.stdout.getWriter().write(new Uint8Array(1001))")
    expect_equal("outcome", report["outcome"], "output")
    report, _ = context.report(
        "-e",
        "curfew.stderr.getWriter().write('a'); curfew.stdout.getWriter().write(new TextEncoder().encode('é').buffer); 1",
    )
    expect_equal("both", (report["stdout"], report["stderr"]), ("é", "a"))
    report, _ = context.report("-e", "curfew.stdout.getWriter().write(7)")
    expect("neither a string nor bytes" in report["error"]["message"], f"{report['error']}")


@test
def exit_codes(context):
    for code in (0, 1, 7, 124, 255):
        done = context.run("-e", f"try {{ curfew.exit({code}) }} finally {{ console.log('no') }}")
        expect(done.code == code and done.out == b"" and done.err == b"", f"{code}: {done}")
    for words in tiers(context):
        report, done = context.report(
            *words, "-e", "console.log('a'); curfew.checkpoint(1); setTimeout(() => curfew.exit(9), 10)"
        )
        expect_equal(
            "outcome",
            (report["outcome"], report["stdout"], report["partial"], report["value"], done.code),
            ("exited", "a\n", 1, None, 9),
        )
        expect_equal(
            "what a report says of it",
            (report["error"]["name"], report["error"]["message"], report["error"]["stack"]),
            ("exit", "exit code 9", []),
        )
    for bad in ("-1", "256", "1.5", "'1'", "NaN", "null"):
        report, _ = context.report("-e", f"curfew.exit({bad})")
        expect_equal(bad, report["error"]["name"], "RangeError")


@test
def environment(context):
    words = [
        "--env",
        "A=1",
        "--env",
        'B==x"\né',
        "--env",
        "A=2",
        "--allow-env",
        "GIVEN",
        "--allow-env",
        "MISSING",
        "--env",
        "EMPTY=",
    ]
    expected = {"A": "2", "B": '=x"\né', "GIVEN": "g", "EMPTY": ""}
    for more in tiers(context):
        report, _ = context.report(*words, *more, "-e", "curfew.env", env={"GIVEN": "g", "OTHER": "o"})
        expect_equal("curfew.env", report["value"], expected)
    report, _ = context.report("-e", "[curfew.env, Object.isFrozen(curfew.env)]", env={"OTHER": "o"})
    expect_equal("without any", report["value"], [{}, True])
    large = "x" * 100000
    report, _ = context.report("--env", "L=" + large, "-e", "curfew.env.L.length")
    expect_equal("a large one", report["value"], 100000)


@test
def a_time_zone(context):
    path = write(context, "zone.js", "[new Date(0).getHours(), new Date(0).toLocaleTimeString()]")
    for words in tiers(context, ["--deterministic"]):
        report, _ = context.report(*words, "--timezone", "Asia/Kolkata", path)
        expect_equal("value", report["value"], [5, "5:30:00 AM"])
    for name in ("Mars/Olympus", "../x", "Europe", "x" * 300):
        done = context.run("--timezone", name, path)
        expect(done.code == 2 and done.out == b"", f"{name}: {done}")
        expect(b"timezone " + name[:50].encode() in done.err and done.err.count(b"\n") <= 2, f"{name}: {done}")
