# SPDX-License-Identifier: Apache-2.0
"""The command line: invalid input leads to one clear line and the documented exit code, and nothing is lost or left
behind."""

import json
import os
import re
import select
import signal
import subprocess
import time

from .harness import EXIT_CODES, Failed, Test, expect, expect_equal, open_terminal, shorten, Skipped, tiers

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def write(context, name, content):
    """A file of this name in a directory of its own."""
    path = os.path.join(context.directory(), name)
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def expect_error(done, code, *parts):
    """One line on stderr with these parts, nothing on stdout, and this exit code."""
    err = done.err.decode(errors="replace")
    what = f"{' '.join(map(str, done.command[1:]))[:300]}\nstdout {shorten(repr(done.out), 200)}\nstderr {shorten(err, 600)}"
    expect(done.code == code, f"exit: expected {code}, seen {done.code}: {what}")
    expect(done.out == b"", f"expected nothing on stdout: {what}")
    expect(
        err.startswith("curfew: ") and err.endswith("\n") and err.count("\n") == 1,
        f"expected one line on stderr: {what}",
    )
    for part in parts:
        expect(part in err, f"expected {part!r} in the message: {what}")


def expect_program_error(done, *parts):
    """The message of a stop, on the first line."""
    err = done.err.decode(errors="replace")
    what = f"exit {done.code}, stderr {shorten(err, 800)}"
    expect(done.code == 3 and done.out == b"" and err.startswith("curfew: "), f"expected exit 3 and a message: {what}")
    for part in parts:
        expect(part in err, f"expected {part!r} in the message: {what}")


# ---- Usage errors -------------------------------------------------------------------------------------------------


@test
def no_command(context):
    expect_error(context.command([context.curfew]), 2, "run", "curfew --help")


@test
def unknown_command(context):
    expect_error(context.command([context.curfew, "rnu", "x.js"]), 2, "rnu", "run")


@test
def file_without_command(context):
    path = write(context, "a.js", "1")
    expect_error(context.command([context.curfew, path]), 2, path, "curfew run")


@test
def unknown_option(context):
    expect_error(context.run("--timout", "1s", "x.js"), 2, "--timout", "--timeout")
    expect_error(context.run("--memroy=1MiB", "x.js"), 2, "--memroy", "--memory")
    expect_error(context.run("-z", "x.js"), 2, "-z")


@test
def no_program(context):
    expect_error(context.run(), 2, "PROGRAM")
    expect_error(context.run(""), 2)


@test
def nothing_to_run(context):
    """A WebAssembly program that is instantiated only says so, on stderr; --quiet and --json say it in the report."""
    module = write(context, "m.wat", '(module (func (export "a")))')
    done = context.run(module)
    expect_equal("exit and output", (done.code, done.out), (0, b""))
    expect(done.err.startswith(b"curfew: no function was called: ") and b"--call" in done.err, f"stderr: {done.err}")
    expect_equal("quiet", context.run("--quiet", module).err, b"")
    for command in ('(module (func (export "_start")))', '(module (func (export "a")))'):
        path = write(context, "c.wat", command)
        done = context.run(path) if "_start" in command else context.run("--call", "a", path)
        expect_equal("it was called", (done.code, done.err), (0, b""))


@test
def memory_to_begin_with(context):
    """A program that begins with more memory than its limit: the first line says how much."""
    done = context.run(write(context, "m.wat", '(module (memory 2000) (func (export "_start")))'))
    expect_equal("exit", done.code, 137)
    expect(b": the program begins with 125 MiB, so give it more (--memory)\n" in done.err, f"stderr: {done.err}")


@test
def two_programs(context):
    expect_error(context.command([context.curfew, "inspect", "a.js", "b.js"]), 2, "b.js")


@test
def option_without_value(context):
    expect_error(context.run("--timeout"), 2, "--timeout")
    expect_error(context.run("x.js", "--json=1"), 2, "--json")


BAD_VALUES = {
    "timeout": [
        "",
        "0",
        "0s",
        "1",
        "-1s",
        "1x",
        "1 s",
        "s",
        "1e9s",
        "99999999999999999999s",
        "9999999h",
        "0.5",
        "NaN",
        "inf",
        "1s1s",
        "١s",
    ],
    "grace": ["", "5", "-1ms", "unlimited", "99999999h"],
    "cpu": ["0ms", "100", "1y", "-0s"],
    "fuel": [
        "0",
        "-5",
        "1.5",
        "10x",
        "1e3",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999",
        "0x10",
        "",
    ],
    "loops": ["0", "many", "10MiB", "+1", " 1"],
    "memory": ["0", "1", "1KiB", "5GiB", "1TiB", "64 MiB", "-64MiB", "unlimited", "99999999999GiB", "1.5"],
    "stack": ["0", "1", "1GiB", "unlimited", "64m"],
    "output": ["0", "unlimited", "-1", "999999GiB"],
    "host-calls": ["0", "-1", "1s"],
    "timers": ["0", "x", "4294967296000000000000"],
}


def check_bad_values(context, name):
    path = write(context, "a.js", "console.log('it ran')")
    for value in BAD_VALUES[name]:
        expect_error(context.run(f"--{name}", value, path), 2, f"--{name}", value[:20])
        expect_error(context.run(f"--{name}={value}", path), 2, f"--{name}")


@test
def good_values(context):
    path = write(context, "a.js", "JSON.stringify(curfew.limits)")
    for words, key, value in [
        (["--timeout", "1.5s"], "timeout_us", 1500000),
        (["--timeout", "unlimited"], "timeout_us", None),
        (["--memory", "32M"], "memory_bytes", 32 << 20),
        (["--memory=33554432"], "memory_bytes", 32 << 20),
        (["--loops", "10M"], "loops", 10**7),
        (["--fuel", "3G"], "fuel", 3 * 10**9),
        (["--host-calls", "2k"], "host_calls", 2000),
        (["--timers", "unlimited"], "timers", None),
        (["--grace", "0ms"], "grace_us", 0),
        (["--cpu", "1m"], "cpu_us", 60 * 10**6),
        (["--timeout", "1h", "--timeout", "2h"], "timeout_us", 7200 * 10**6),
    ]:
        report, _ = context.report(*words, path)
        expect_equal(f"{words}: limits.{key}", report["limits"][key], value)
        expect_equal(f"{words}: curfew.limits", json.loads(report["value"]), report["limits"])


@test
def bad_params(context):
    # Claim T5.
    path = write(context, "a.mjs", "export default x => x")
    for params in (
        "",
        "{}",
        "1",
        "null",
        "[1,]",
        "[1",
        "[1] x",
        "[NaN]",
        "['a']",
        "[01]",
        '["\\x"]',
        "[\x01]",
        "[" * 100000,
        '"abc"',
        "[1e999]",
    ):
        expect_error(context.run("--params", params, path), 2, "--params")
    expect_error(context.run("--params", "[1]", path, "--", "a"), 2, "--params")


@test
def odd_params(context):
    path = write(context, "a.mjs", "export default x => x")
    for params, value in (
        ("[-0]", 0),
        ("[123456789012345678901234567890]", 1.2345678901234568e29),
        ('["\\ud800"]', "\ud800"),
        ('["\\u0000é"]', "\0é"),
        ("[]", None),
        ('[{"__proto__":{"a":1}}]', {"__proto__": {"a": 1}}),
        ("[" * 200 + "]" * 200, json.loads("[" * 199 + "]" * 199)),
    ):
        report, _ = context.report("--params", params, path)
        expect_equal(params[:30], report["value"], value)


@test
def help_and_version(context):
    for words in (
        ["--help"],
        ["-h"],
        ["help"],
        ["run", "--help"],
        ["compile", "-h"],
        ["bench", "--help"],
        ["help", "run"],
    ):
        done = context.command([context.curfew, *words])
        expect(done.code == 0 and b"Usage" in done.out and done.err == b"", f"{words}: exit {done.code}, {done.err!r}")
        expect(max(map(len, done.out.decode().splitlines())) <= 110, f"{words}: lines are too long")
    for command, default in ("run", "10s"), ("compile", "10m"):
        done = context.command([context.curfew, command, "--help"])
        shown = re.search(r"--timeout DUR .*?default (\w+)", done.out.decode(), re.S)
        expect_equal(f"the default of {command} --timeout", shown and shown[1], default)
    done = context.command([context.curfew, "--version"])
    expect(done.code == 0 and re.search(rb"\d+\.\d+\.\d+", done.out), f"--version: {done}")


# ---- Unreadable and malformed programs ----------------------------------------------------------------------------


@test
def missing_file(context):
    expect_program_error(context.run("/proc/nowhere/missing.js"), "missing.js", "No such file")
    report, _ = context.report("/proc/nowhere/missing.js")
    expect_equal("outcome", report["outcome"], "bad_program")


@test
def directory(context):
    expect_program_error(context.run(context.directory()), "directory")


@test
def unreadable(context):
    path = write(context, "a.js", "1")
    os.chmod(path, 0)
    if os.access(path, os.R_OK):  # root can read everything
        return
    expect_program_error(context.run(path), "Permission denied")


@test
def device(context):
    expect_program_error(context.run("/dev/zero", timeout=20), "/dev/zero")


@test
def empty_file(context):
    for name in ("a.js", "a.mjs"):
        report, _ = context.report(write(context, name, ""))
        expect_equal(name, (report["outcome"], report["value"], report["stdout"]), ("ok", None, ""))


@test
def garbage(context):
    for content in (
        b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 10,
        b"\xff\xfe\x00",
        b"\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"1;\0;2",
        b"\xef\xbb",
        os.urandom(4096) + b"\0",
    ):
        report, _ = context.report(write(context, "a.js", content))
        expect_equal(repr(content[:12]), report["outcome"], "bad_program")
        expect_program_error(context.run(write(context, "a.js", content)))


@test
def byte_order_mark(context):
    report, _ = context.report(write(context, "a.js", b"\xef\xbb\xbf1 + 1"))
    expect_equal("a BOM", (report["outcome"], report["value"]), ("ok", 2))


@test
def webassembly_as_javascript(context):
    expect_program_error(context.run(write(context, "a.js", b"\0asm\1\0\0\0")), "WebAssembly")


@test
def large_source(context):
    # Claims L20, L62, L64.
    path = write(context, "a.js", "")
    os.truncate(path, 100_000_000)
    expect_program_error(context.run(path, timeout=10), "16 MiB")
    path = write(context, "b.js", "//" + "x" * 15_000_000 + "\n7")
    report, _ = context.report("--memory", "256MiB", path, timeout=20)
    expect_equal("15 MB", (report["outcome"], report["value"]), ("ok", 7))


SYNTAX_ERRORS = [
    # source, line and column of the mistake
    ("let a = 1;\nlet b = ;\n", 2, 9),
    ("if (", 1, None),
    ("const x = 1;\nconst x = 2;", 2, None),
    ("f(\n\n  }", 3, 3),
    ("'abc", 1, None),
    ("`abc\n", None, None),
    ("/[/", 1, None),
    ("return 1", 1, 1),
    ("import { a } from;", 1, None),
    ("export default 1;\nexport default 2;", 2, None),
    ("é = \u200b;", 1, None),
    ("\tlet let = 1", 1, None),
    ("#!/usr/bin/env node\n1 +", None, None),
]


@test
def syntax_errors(context):
    for source, line, column in SYNTAX_ERRORS:
        path = write(context, "bad.js", source)
        report, _ = context.report(path)
        expect_equal(f"{source!r}: outcome", report["outcome"], "bad_program")
        error = report["error"]
        what = f"{source!r}: {json.dumps(error)}"
        expect(error["name"] == "SyntaxError" and error["message"], what)
        expect(len(error["stack"]) == 1 and error["stack"][0]["file"] == "bad.js", f"one frame is where it is: {what}")
        frame = error["stack"][0]
        expect(frame["line"] >= 1 and (line is None or frame["line"] == line), f"line {line}: {what}")
        expect(column is None or frame["column"] == column, f"column {column}: {what}")


@test
def syntax_error_is_shown(context):
    done = context.run(write(context, "bad.js", "let a = 1;\n\tlet b = ;\n"))
    err = done.err.decode().splitlines()
    expect(done.code == 3 and "SyntaxError" in err[0] and "bad.js:2:" in done.err.decode(), done.err.decode())
    at = next((index for index, line in enumerate(err) if "let b = ;" in line), None)
    expect(at is not None, f"the line itself is not shown: {done.err.decode()}")
    expect("^" in err[at + 1], f"no mark below the line: {done.err.decode()}")
    expect_equal("what the mark is below", err[at].expandtabs()[err[at + 1].expandtabs().index("^")], ";")


@test
def long_line_in_syntax_error(context):
    done = context.run(write(context, "bad.js", "x" * 100000 + " = = 1"))
    expect(done.code == 3 and len(done.err) < 2000, f"exit {done.code}, {len(done.err)} bytes on stderr")


@test
def terminal_escapes_are_not_passed_on(context):
    # Claim T21.
    done = context.run(write(context, "a.js", "throw new Error('\\x1b[2J\\x07 cleared')"))
    expect(done.code == 1 and b"\x1b" not in done.err and b"cleared" in done.err, repr(done.err))
    done = context.run(write(context, "\x1b[31mred.js", "throw new Error('x')"))
    expect(b"\x1b" not in done.err, repr(done.err))


# ---- The report's destination -------------------------------------------------------------------------------------


@test
def report_to_file(context):
    source, directory = write(context, "a.js", "console.log('hi'); [1]"), context.directory()
    path = os.path.join(directory, "r.json")
    done = context.run("--report", path, source)
    expect_equal("stdout", (done.code, done.out), (0, b"hi\n"))
    with open(path, "rb") as file:
        report = context.check_report(file.read())
    expect_equal("value", (report["value"], report["stdout"]), ([1], "hi\n"))
    expect_equal("files left", os.listdir(directory), ["r.json"])


@test
def report_of_a_stop_to_file(context):
    source, directory = write(context, "a.js", "for(;;);"), context.directory()
    path = os.path.join(directory, "r.json")
    done = context.run("--timeout", "100ms", "--report", path, source)
    with open(path, "rb") as file:
        report = context.check_report(file.read())
    expect_equal("outcome", (done.code, report["outcome"]), (124, "deadline"))
    expect_equal("files left", os.listdir(directory), ["r.json"])


@test
def report_nowhere(context):
    source = write(context, "a.js", "console.log('it ran')")
    expect_error(context.run("--report", "/proc/nowhere/r.json", source), 2, "--report", "/proc/nowhere/r.json")
    expect_error(context.run("--report", context.directory(), source), 2, "--report", "directory")
    expect_error(context.run("--report", "", source), 2, "--report")


@test
def report_to_full_device(context):
    source = write(context, "a.js", "1")
    done = context.run("--report", "/dev/full", source)
    expect(done.code == 125 and b"/dev/full" in done.err, f"exit {done.code}: {done.err!r}")


@test
def full_stdout(context):
    source = write(context, "a.js", "console.log('x'); 1")
    for words in (["--json"], ["--print"], []):
        with open("/dev/full", "wb") as full:
            done = context.run(*words, source, stdout=full)
        expect(
            done.code == 125 and done.err.count(b"\n") == 1 and b"No space" in done.err,
            f"{words}: exit {done.code}, {done.err!r}",
        )


@test
def closed_stdout(context):
    """As in cat(1), a failed write is an error of one line, not silence."""
    source = write(context, "a.js", "console.log('x'); 1")
    for words in (["--json"], ["--print"]):
        done = context.command(["sh", "-c", 'exec "$@" >&-', "sh", context.curfew, "run", *words, source])
        expect(done.code == 125 and done.err.count(b"\n") == 1, f"{words}: exit {done.code}, {done.err!r}")


@test
def broken_pipe(context):
    """If the reader disconnects, a program that never ends by itself is ended without a message."""
    source = write(context, "a.js", "for (;;) console.log('x'.repeat(100))")
    words = [context.curfew, "run", "--timeout", "unlimited", "--output", "1GiB", source]
    start = time.monotonic()
    process = context.spawn(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(1000)
    process.stdout.close()
    process.stdout = None
    done = context.finish(process, words, start, 10)
    expect(done.err == b"" and done.code not in (0, 125), f"exit {done.code}, {done.err!r}")


@test
def output_goes_where_the_program_sent_it(context):
    done = context.run(write(context, "a.js", "console.log('out'); console.error('err'); 5"))
    expect_equal("streams", (done.code, done.out, done.err), (0, b"out\n", b"err\n"))


@test
def output_comes_before_the_end(context):
    source = write(context, "a.js", "console.log('early'); setTimeout(() => {}, 1e9)")
    words = [context.curfew, "run", "--timeout", "unlimited", source]
    process = context.spawn(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = process.stdout.readline()
    process.terminate()
    done = context.finish(process, words, time.monotonic(), 10)
    expect_equal("line", (line, done.code), (b"early\n", 130))


@test
def print_value(context):
    note = "curfew: the value is null: the value is a function, which has no JSON\n"
    for source, out, err in (
        ("({a: [1, 'é']})", '{"a":[1,"é"]}\n', ""),
        ("undefined", "null\n", ""),
        ("() => 1", "null\n", note),
        ("console.log('x'); 2", "x\n2\n", ""),
    ):
        done = context.run("--print", write(context, "a.js", source))
        expect_equal(source, (done.code, done.out.decode(), done.err.decode()), (0, out, err))


@test
def text_of_a_stop(context):
    done = context.run(
        "--timeout", "150ms", write(context, "search.js", "function find() {\n\tfor (;;);\n}\n\nfind();\n")
    )
    err = done.err.decode()
    expect(re.match(r"curfew: deadline: stopped after \d+(\.\d+)? m?s \(limit 150 ms\), \d", err), err)
    expect("    at find (search.js:2:" in err and "    at search.js:5:" in err, err)
    expect(re.search(r"^  wall .* of 150 ms · cpu .* · loops .* · memory .* of 64 MiB", err, re.M), err)
    expect("\x1b" not in err, "colour where there is no terminal")
    expect_equal("exit", done.code, 124)


@test
def text_of_an_exception(context):
    done = context.run(write(context, "a.js", "function f() {\n\tnull.x\n}\nf()\n"))
    err = done.err.decode()
    expect(done.code == 1 and "TypeError" in err and "    at f (a.js:2:" in err and "    at a.js:4:" in err, err)


@test
def quiet(context):
    done = context.run("--quiet", "--timeout", "100ms", write(context, "a.js", "for(;;);"))
    expect_equal("quiet", (done.code, done.out, done.err), (124, b"", b""))


@test
def json_is_all_there_is(context):
    done = context.run(
        "--json", "--timeout", "100ms", write(context, "a.js", "console.log(1); console.error(2); for(;;);")
    )
    expect(done.out.count(b"\n") == 1 and done.err == b"", f"{done.out!r} {done.err!r}")


@test
def standard_input(context):
    done = context.run("--lang", "js", "--print", "-", stdin=b"6 * 7")
    expect_equal("-", (done.code, done.out, done.err), (0, b"42\n", b""))
    expect_error(context.run("-", stdin=b"1"), 2, "--lang")
    report, _ = context.report("--lang", "js", "-", stdin=b"import './x.js'")
    expect_equal("imports of standard input", report["outcome"], "bad_program")
    expect_error(context.run("--lang", "python", "-", stdin=b"1"), 2, "--lang", "python")


@test
def closed_standard_input(context):
    done = context.command(["sh", "-c", 'exec "$@" <&-', "sh", context.curfew, "run", "--lang", "js", "-"])
    expect(done.code == 3 and done.err.count(b"\n") >= 1, f"exit {done.code}, {done.err!r}")


@test
def arguments_of_the_program(context):
    source = write(context, "a.mjs", "export default (...words) => words")
    report, _ = context.report(source, "--", "a b", "--json", 'é\n"')
    expect_equal("arguments", report["value"], ["a b", "--json", 'é\n"'])
    done = context.command([os.fsencode(context.curfew), b"run", os.fsencode(source), b"--", b"\xff"])
    expect_error(done, 2)


@test
def arguments_without_dashes(context):
    source = write(context, "a.mjs", "#!/usr/bin/env -S curfew run --\nexport default (...words) => words")
    for words, expected in (
        (["a", "--json", "-x"], ["a", "--json", "-x"]),
        (["--timeout", "5s", "a", "--", "b"], ["a", "--", "b"]),
        (["--", "--json"], ["--json"]),
    ):
        report, _ = context.report(source, *words)
        expect_equal(f"{words}", report["value"], expected)
    report, _ = context.report("--", source, "--json", "a")
    expect_equal("all words behind --", report["value"], ["--json", "a"])
    expect_error(context.run("--", ""), 2, "PROGRAM")
    os.chmod(source, 0o755)
    directory = context.directory()
    os.symlink(context.curfew, os.path.join(directory, "curfew"))
    shown = write(context, "shown.mjs", "#!/usr/bin/env -S curfew run --print --\nexport default (...words) => words")
    os.chmod(shown, 0o755)
    done = context.command([shown, "--help", "a b"], env={"PATH": directory + ":" + os.environ["PATH"]})
    expect(done.code == 0 and json.loads(done.out) == ["--help", "a b"], f"as a script: {done}")


@test
def code_on_the_command_line(context):
    report, _ = context.report("--node", "-e", "process.argv.slice(1)", "a", "b")
    expect_equal("arguments of Node", report["value"], ["a", "b"])
    report, _ = context.report("-e", "curfew.params", "a", "b")
    expect_equal("value", report["value"], ["a", "b"])
    expect_equal("name", report["program"]["name"], "[eval]")
    report, _ = context.report("--eval=export default () => { throw new Error('no') }")
    frame = report["error"]["stack"][0]
    expect_equal("frame", (frame["file"], frame["line"]), ("[eval]", 1))
    directory = context.directory()
    with open(os.path.join(directory, "lib.js"), "w", encoding="utf-8") as file:
        file.write("export const a = 6;")
    report, _ = context.report("-e", "import { a } from './lib.js'; export default a * 7", cwd=directory)
    expect_equal("an import", report["value"], 42)
    for words in tiers(context):
        report, _ = context.report(*words, "-e", "6 * 7")
        expect_equal("value", report["value"], 42)
    expect_error(context.run("x.js", "-e", "1"), 2, "--eval", "x.js")
    expect_error(context.run("-e"), 2, "--eval")
    expect_program_error(context.run("-e", "let ="), "SyntaxError")


@test
def params_from_a_file(context):
    path = write(context, "a.mjs", "export default x => x.length")
    text = json.dumps(["x" * 300000])
    params = write(context, "p.json", text)
    report, _ = context.report("--params", "@" + params, path)
    expect_equal("from a file", report["value"], 300000)
    done = context.run("--print", "--params", "-", path, stdin=text.encode())
    expect(done.code == 0 and done.out == b"300000\n", f"from standard input: {done}")
    expect_error(context.run("--params", "@nowhere", path), 2, "--params @nowhere", "No such file")
    expect_error(context.run("--params", "@" + os.path.dirname(params), path), 2, "--params", "directory")
    expect_error(context.run("--params", "@" + path, path), 2, "--params @", "at byte 0")
    expect_error(context.run("--params", "@/dev/zero", path), 2, "--params @/dev/zero", "16 MiB")
    expect_error(context.run("--params", "-", "--lang", "js", "-", stdin=b"[1]"), 2, "--params -", "standard input")


@test
def environment_of_the_program(context):
    path = write(context, "a.mjs", "export default 1")
    for bad in ("", "=1", "A"):
        expect_error(context.run("--env", bad, path), 2, f"--env {bad}")


@test
def odd_file_names(context):
    for name in ("a b.js", "é.js", "-x.js", "curfew:x.js", "a(b).js", "a:1:2.js", "noending", ".js", "a\nb.js"):
        path = write(context, name, "(function here() {\n\tthrow new Error('x')\n})()")
        report, _ = context.report("./" + name, cwd=os.path.dirname(path))
        expect_equal(f"{name!r}: outcome", report["outcome"], "threw")
        frames = report["error"]["stack"]
        expect(len(frames) == 2 and frames[0]["function"] == "here" and frames[0]["line"] == 2, f"{name!r}: {frames}")


# ---- Signals ------------------------------------------------------------------------------------------------------


def signal_run(context, source, signals, *options):
    """Runs a program that prints a line when it has begun, and one after each signal but the last. Returns its
    report."""
    report, path = os.path.join(context.directory(), "r.json"), write(context, "a.js", source)
    words = [context.curfew, "run", "--report", report, "--timeout", "unlimited", *options, path]
    process = context.spawn(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for number in signals:
        expect(process.stdout.readline(), "it does not begin, or hears nothing")
        process.send_signal(number)
    done = context.finish(process, words, time.monotonic(), 10)
    with open(report, encoding="utf-8") as file:
        return context.check_report(file.read(), done)


@test
def interrupt(context):
    for number in (signal.SIGINT, signal.SIGTERM):
        report = signal_run(context, "(function spin() { console.log('begun'); for(;;); })()", [number])
        expect_equal("outcome", (report["outcome"], report["tripped"]), ("cancelled", ["cancelled"]))
        # The signal may arrive before `log` has returned.
        expect("spin" in [frame["function"] for frame in report["error"]["stack"][:2]], f"{report['error']['stack']}")


@test
def interrupt_while_waiting(context):
    report = signal_run(context, "console.log('begun'); setTimeout(() => {}, 1e6)", [signal.SIGINT])
    expect_equal("outcome", report["outcome"], "cancelled")


@test
def interrupt_with_grace(context):
    # Claim L23.
    source = (
        "curfew.checkpoint('begun'); console.log('begun'); while (!curfew.signal.aborted); curfew.signal.reason.name"
    )
    report = signal_run(context, source, [signal.SIGINT], "--grace", "5m")
    expect_equal(
        "cooperative",
        (report["outcome"], report["stop"]["mode"], report["value"], report["partial"]),
        ("cancelled", "cooperative", "AbortError", "begun"),
    )


@test
def second_interrupt_skips_the_grace(context):
    # Claim L23.
    source = "console.log('begun'); while (!curfew.signal.aborted); console.log('told'); for(;;);"
    report = signal_run(context, source, [signal.SIGINT, signal.SIGINT], "--grace", "1h")
    expect(report["outcome"] == "cancelled" and report["stop"]["mode"] in ("soft", "hard"), json.dumps(report["stop"]))


@test
def early_signals(context):
    """After a signal at any moment of the start, there is a report, or the process ends as that signal demands."""
    path = write(context, "a.js", "for(;;);")
    for step in range(int(20 / min(context.scale, 5))):
        words = [context.curfew, "run", "--json", "--timeout", "10m", path]
        start = time.monotonic()
        process = context.spawn(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(step * 0.001)
        process.send_signal(signal.SIGTERM)
        done = context.finish(process, words, start, 10)
        if done.code != -signal.SIGTERM:
            expect_equal(f"after {step} ms", context.check_report(done.out, done)["outcome"], "cancelled")


# ---- Images and cache ---------------------------------------------------------------------------------------------


def compile_to_image(context, source, *options):
    path = write(context, "a.mjs", source)
    image = path[:-4] + ".curfew"
    done = context.command([context.curfew, "compile", *options, path, "-o", image])
    expect(done.code == 0 and os.path.getsize(image) > 0, f"compile: exit {done.code}, {done.err!r}")
    expect_equal("files", sorted(os.listdir(os.path.dirname(path))), ["a.curfew", "a.mjs"])
    return image


@test
def compile_and_run(context):
    image = compile_to_image(context, "export default x => ({ twice: x * 2 }); export const other = () => 'other'")
    report, _ = context.report("--params", "[21]", image)
    expect_equal("value", (report["value"], report["used"]["compile_us"]), ({"twice": 42}, 0))
    report, _ = context.report("--call", "other", image)
    expect_equal("value", report["value"], "other")
    report, _ = context.report(
        "--timeout", "100ms", compile_to_image(context, "export default function hot() { for(;;); }")
    )
    expect_equal("outcome", (report["outcome"], report["error"]["stack"][0]["function"]), ("deadline", "hot"))


@test
def image_beside_the_program(context):
    path = write(context, "a.js", "1")
    done = context.command([context.curfew, "compile", path])
    expect_equal("compile", (done.code, sorted(os.listdir(os.path.dirname(path)))), (0, ["a.curfew", "a.js"]))


@test
def compile_with_imports(context):
    directory = context.directory()
    for name, text in (
        ("main.mjs", "import { n } from './part.mjs'; export default () => n + 1"),
        ("part.mjs", "export const n = 41"),
    ):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
    image = os.path.join(directory, "main.curfew")
    done = context.command([context.curfew, "compile", os.path.join(directory, "main.mjs"), "-o", image])
    expect_equal("compile", (done.code, done.err), (0, b""))
    os.unlink(os.path.join(directory, "part.mjs"))
    report, _ = context.report(image)
    expect_equal("value", (report["outcome"], report["value"]), ("ok", 42))


@test
def import_of_a_link_to_itself(context):
    path = write(context, "main.mjs", "import './loop.js';")
    os.symlink("loop.js", os.path.join(os.path.dirname(path), "loop.js"))
    report, _ = context.report(path)
    expect_equal("outcome", report["outcome"], "bad_program")
    expect("cannot import" in report["error"]["message"], report["error"]["message"])


@test
def damaged_images(context):
    # Claim T6.
    image = compile_to_image(context, "export default () => 1")
    with open(image, "rb") as file:
        content = file.read()
    step = max(1, len(content) // 24)
    damaged = [content[:length] for length in (0, 1, 7, 8, 16, 100, len(content) // 2, len(content) - 1)]
    damaged += [
        content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        for at in list(range(8, 200, 13)) + list(range(200, len(content), step))
    ]
    damaged += [content + b"\0", content * 2]
    for index, bad in enumerate(damaged):
        path = write(context, "bad.curfew", bad)
        done = context.run("--json", "--timeout", "2s", path)
        report = context.check_report(done.out, done)
        expect(report["outcome"] == "bad_program" or (len(bad) < 8), f"damage {index}: {report['outcome']}")


@test
def compile_errors(context):
    done = context.command(
        [context.curfew, "compile", write(context, "bad.js", "let = ="), "-o", os.path.join(context.directory(), "x")]
    )
    expect(
        done.code == 3 and b"SyntaxError" in done.err and b"bad.js:1:" in done.err, f"exit {done.code}, {done.err!r}"
    )
    path = write(context, "a.js", "1")
    done = context.command([context.curfew, "compile", path, "-o", "/proc/nowhere/a.curfew"])
    expect(
        done.code in (2, 125) and done.err.count(b"\n") == 1 and b"/proc/nowhere" in done.err,
        f"exit {done.code}, {done.err!r}",
    )
    directory = context.directory()
    done = context.command(
        [context.curfew, "compile", "--timeout", "1us", path, "-o", os.path.join(directory, "x.curfew")]
    )
    expect_equal("a deadline too short to parse in", (done.code, os.listdir(directory)), (124, []))


@test
def cache_is_optional(context):
    """No state of the cache's directory keeps a program from running, and no foreign directory is written to."""
    path = write(context, "a.js", "1 + 1")
    shared = context.directory()
    os.mkdir(os.path.join(shared, "curfew"))
    os.chmod(os.path.join(shared, "curfew"), 0o777)
    for cache in ("/proc/nowhere", "/dev/null", "relative", "", shared, "/proc"):
        done = context.run("--print", path, env={"XDG_CACHE_HOME": cache, "HOME": context.directory()})
        expect_equal(f"XDG_CACHE_HOME={cache}", (done.code, done.out, done.err), (0, b"2\n", b""))
        done = context.run(
            "--print", "--fuel", "1G", path, env={"XDG_CACHE_HOME": cache, "HOME": context.directory()}, timeout=30
        )
        expect_equal(f"XDG_CACHE_HOME={cache} --fuel", (done.code, done.out, done.err), (0, b"2\n", b""))
    expect_equal("files in a directory that all may write", os.listdir(os.path.join(shared, "curfew")), [])


@test
def damaged_cache(context):
    # Claim T20.
    path, cache = write(context, "a.js", "1 + 1"), context.directory()
    for fuel in ([], ["--fuel", "1G"]):
        for change in (
            None,
            lambda b: b[:100],
            lambda b: b"",
            lambda b: b[:50] + bytes([b[50] ^ 255]) + b[51:],
            lambda b: b + b"x",
            None,
        ):
            for directory, _, names in os.walk(cache):
                for name in names:
                    if change:
                        with open(os.path.join(directory, name), "rb") as file:
                            content = file.read()
                        with open(os.path.join(directory, name), "wb") as file:
                            file.write(change(content))
            done = context.run("--print", *fuel, path, env={"XDG_CACHE_HOME": cache}, timeout=30)
            expect_equal(f"{fuel}", (done.code, done.out, done.err), (0, b"2\n", b""))


# ---- Other --------------------------------------------------------------------------------------------------------


@test
def bench(context):
    path = write(context, "a.mjs", "export default x => x + 1")
    done = context.command([context.curfew, "bench", "--runs", "20", "--params", "[1]", "--json", path])
    expect(done.code == 0, f"exit {done.code}, {done.err!r}")
    json.loads(done.out)
    done = context.command(
        [context.curfew, "bench", "--runs", "10", "--warm", path, "--vs", write(context, "b.js", "1")]
    )
    expect(done.code == 0 and b"wall" in done.out, f"exit {done.code}, {done.out!r} {done.err!r}")
    expect_error(context.command([context.curfew, "bench", "--runs", "0", path]), 2, "--runs")


@test
def bench_of_a_program_that_fails(context):
    timeout = f"{round(100 * context.slower)}ms"
    for source, code in (("throw new Error('x')", 1), ("for(;;);", 124), ("let = =", 3)):
        done = context.command(
            [context.curfew, "bench", "--runs", "5", "--timeout", timeout, write(context, "a.js", source)]
        )
        expect(done.code == code and done.err, f"{source}: exit {done.code}, {done.out!r} {done.err!r}")


def read_terminal(context, words, seconds):
    """The output of a command whose stderr is a terminal, and its exit code."""
    leader, follower = open_terminal()
    process = context.spawn(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=follower)
    os.close(follower)
    seen, end = b"", context.patience(seconds)
    while not end.is_over():
        if select.select([leader], [], [], 0.1)[0]:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
    os.close(leader)
    try:
        return process.wait(context.socket_timeout(5)), seen.decode(errors="replace")
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Failed(f"not over: {' '.join(words)}") from None


@test
def live_line(context):
    path = write(context, "a.js", "curfew.progress({ at: 7 }); for (;;);")
    code, seen = read_terminal(context, [context.curfew, "run", "--timeout", "2500ms", path], 6)
    expect_equal("exit", code, 124)
    before = seen.partition("curfew: deadline")[0]
    expect("2.5" in before and "7" in before, f"the live line shows no limit or progress: {seen!r}")
    expect(re.search(r"\x1b\[\d*K|\r *\r", before), f"the live line is not taken away: {seen!r}")
    code, seen = read_terminal(context, [context.curfew, "run", "--quiet", "--timeout", "1500ms", path], 6)
    expect_equal("--quiet", (code, seen), (124, ""))


@test
def short_runs_have_no_live_line(context):
    # The line appears after a second. If the run has not ended by then on a busy machine, another run may.
    path = write(context, "a.js", "1")
    seen = [read_terminal(context, [context.curfew, "run", path], 5) for _ in range(5)]
    expect((0, "") in seen, f"short runs: {seen}")


@test
def no_home(context):
    path = write(context, "a.js", "1")
    done = context.command(["env", "-i", context.curfew, "run", "--print", path])
    expect_equal("without environment", (done.code, done.out, done.err), (0, b"1\n", b""))


@test
def low_address_space(context):
    """Too little address space for guest memories is reported as an error of the host."""
    if context.is_sanitized:
        raise Skipped("a sanitizer needs more address space than that itself")
    path = write(context, "a.js", "1")
    done = context.command(["sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh", context.curfew, "run", "--json", path])
    expect(done.code == 125, f"exit {done.code}, {shorten(repr(done.out), 300)} {done.err!r}")


@test
def nothing_is_left_behind(context):
    """No file remains beside the program, none in the directory for temporary files, and no process."""
    directory, temporary = context.directory(), context.directory()
    path = os.path.join(directory, "a.js")
    with open(path, "w", encoding="utf-8") as file:
        file.write("console.log('x'); for(;;);")
    context.run("--timeout", "100ms", path, cwd=directory, env={"TMPDIR": temporary})
    expect_equal("files", (os.listdir(directory), os.listdir(temporary)), (["a.js"], []))


@test
def several_at_once(context):
    path = write(context, "a.js", "let n = 0; for (let i = 0; i < 1e5; i++) n += i; n")
    words = [context.curfew, "run", "--print", path]
    env = {"XDG_CACHE_HOME": context.directory()}
    start = time.monotonic()
    processes = [context.spawn(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)]
    for done in [context.finish(process, words, start, 20) for process in processes]:
        expect_equal("each", (done.code, done.out, done.err), (0, b"4999950000\n", b""))


@test
def exit_codes(context):
    for outcome, source, options in (
        ("threw", "throw 1", []),
        ("bad_program", "(", []),
        ("fuel", "for(;;);", ["--fuel", "100k"]),
        ("loops", "for(;;);", ["--loops", "100"]),
        ("host_calls", "for(;;) curfew.progress(1)", ["--host-calls", "5"]),
        ("timers", "for(;;) setTimeout(() => {}, 1e5)", []),
        ("deadline", "for(;;);", ["--timeout", "50ms"]),
        ("memory", "const a = []; for(;;) a.push(new Array(1000).fill(1))", ["--timeout", "60s"]),
        ("cpu", "for(;;);", ["--cpu", "50ms"]),
        ("output", "for(;;) console.log('x')", ["--output", "100"]),
    ):
        report, done = context.report(*options, write(context, "a.js", source))
        expect_equal(source, (report["outcome"], done.code), (outcome, EXIT_CODES[outcome]))


# These compare a helper process with the clock, so they run alone.
ALONE = {live_line, short_runs_have_no_live_line, early_signals, several_at_once}


def tests(context):
    made = [Test("cli", function.__name__, function, function in ALONE) for function in TESTS]
    made += [
        Test("cli", f"bad_values_{name}", lambda context, name=name: check_bad_values(context, name))
        for name in sorted(BAD_VALUES)
    ]
    return made
