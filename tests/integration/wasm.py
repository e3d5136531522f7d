# SPDX-License-Identifier: Apache-2.0
"""WebAssembly files: damaged ones, offsets in binaries, and C programs (tests/wasm) compiled here, as modules and as
components."""

import os
import subprocess
import threading

from .harness import ROOT, Failed, Test, expect, expect_equal, shorten

HEADER = b"\0asm\1\0\0\0"


def write(context, content, name="program.wasm"):
    path = os.path.join(context.directory(), name)
    with open(path, "wb") as file:
        file.write(content)
    return path


# ---- Files that are damaged -----------------------------------------------------------------------------------------

DAMAGED = {
    "empty": (b"", "unexpected end"),
    "magic": (b"hello", "does not begin like WebAssembly"),
    "script": (b"console.log(1)\n", "does not begin like WebAssembly"),
    "short": (b"\0as", "unexpected end"),
    "version": (b"\0asm\2\0\0\0", "unknown binary version"),
    "truncated": (HEADER + b"\1\4\1\x60", "unexpected end"),
    "section": (HEADER + b"\x3f\0", "section"),
    "component_truncated": (b"\0asm\x0d\0\1\0\1\5" + HEADER, "unexpected end"),
}


def check_damaged(context, name):
    content, message = DAMAGED[name]
    report, _ = context.report(write(context, content))
    expect_equal("outcome", report["outcome"], "bad_program")
    expect_equal("error.name", report["error"]["name"], "CompileError")
    expect(message in report["error"]["message"], f"message: expected {message}, seen {report['error']['message']}")
    expect("\n" not in report["error"]["message"], f"message: more than one line: {report['error']['message']}")


def check_every_length(context):
    """A truncated module is refused."""
    module, _ = small_module()
    for length in range(len(module)):
        report, _ = context.report(write(context, module[:length]))
        # Truncated at the end of a section it is another module, without code for its functions, or without functions.
        expect(report["outcome"] == "bad_program" or length in (8, 14), f"cut at {length}: {report['outcome']}")


# ---- Offsets ------------------------------------------------------------------------------------------------------


def section(number, content):
    return bytes([number, len(content)]) + content


def small_module():
    """A module whose function 0, exported as run, calls 1 in a loop, which fills memory and divides; and the offsets of
    these."""
    call, divide = b"\x10\x01", b"\x6d"
    fill = b"\x41\0\x41\0\x41\xe8\x07\xfc\x0b\0"
    bodies = [b"\0\x03\x40" + call + b"\x0b\x0b", b"\0" + fill + b"\x41\1\x41\0" + divide + b"\x1a\x0b"]
    start = (
        HEADER + section(1, b"\1\x60\0\0") + section(3, b"\2\0\0") + section(5, b"\1\0\1") + section(7, b"\1\3run\0\0")
    )
    code = b"\2" + b"".join(bytes([len(body)]) + body for body in bodies)
    module = start + section(10, code)
    offsets = {"call": module.index(b"\x03\x40" + call) + 2, "divide": module.index(b"\x41\1\x41\0" + divide) + 4}
    return module, offsets


def check_offsets(context, *options):
    """Offsets are those of the file, whatever was inserted: guards, calls in place of bulk instructions."""
    module, offsets = small_module()
    report, _ = context.report("--call", "run", *options, write(context, module))
    expect_equal("error.name", report["error"]["name"], "integer_divide_by_zero")
    seen = [(frame["function"], frame["wasm_offset"]) for frame in report["error"]["stack"]]
    expect_equal("stack", seen, [("func[1]", offsets["divide"]), ("run", offsets["call"])])


def check_standard_input(context):
    module, _ = small_module()
    done = context.run("--lang", "wasm", "--call", "run", "-", stdin=module)
    expect(done.code == 1 and b"integer_divide_by_zero" in done.err, f"exit {done.code}: {done.err!r}")
    done = context.run(
        "--lang",
        "wat",
        "--print",
        "--call",
        "run",
        "-",
        stdin=b'(module (func (export "run") (result i32) (i32.const 42)))',
    )
    expect_equal("text", (done.code, done.out), (0, b"42\n"))


# ---- Programs in C --------------------------------------------------------------------------------------------------

_making = threading.Lock()


def make(context, words, target):
    """Runs the command that makes a file, unless the file exists. Only one runs at a time."""
    with _making:
        if not os.path.exists(target):
            try:
                done = subprocess.run([*words], capture_output=True, timeout=600, check=False)
            except OSError as error:
                raise Failed(f"cannot start {words[0]}: {error.strerror}") from None
            expect(done.returncode == 0, f"{' '.join(words)}\n{shorten(done.stderr.decode(errors='replace'))}")
    return target


def compiled(context, name, *options):
    target = os.path.join(context.scratch, f"{name}.wasm")
    source = os.path.join(ROOT, "tests", "wasm", f"{name}.c")
    return make(context, ["clang-16", "--target=wasm32-wasi", "-O1", *options, "-o", target, source], target)


def component(context, name, kind, *options):
    target = os.path.join(context.scratch, f"{name}.component.wasm")
    return make(
        context,
        [os.path.join(ROOT, "scripts", "componentize"), compiled(context, name, *options), target, kind],
        target,
    )


def command(context, kind):
    return compiled(context, "command") if kind == "module" else component(context, "command", "command")


def check_command_words(context, kind):
    report, _ = context.report(
        "--allow-env", "GIVEN", command(context, kind), "--", "show", "a b", "ä", env={"GIVEN": "x=y", "OTHER": "z"}
    )
    expect_equal("report", (report["outcome"], report["value"], report["program"]["kind"]), ("ok", None, kind))
    expect_equal("stdout", report["stdout"], "argument show\nargument a b\nargument ä\nvariable GIVEN=x=y\n")


def check_command_input(context, kind):
    report, _ = context.report(command(context, kind), "--", "echo", stdin=b"one\ntwo\n")
    expect_equal(
        "streams",
        (report["outcome"], report["stdout"], report["stderr"]),
        ("ok", "read one\nread two\n", "end of input\n"),
    )


def check_command_files(context, kind):
    directory, program = context.directory(), command(context, kind)
    with open(os.path.join(directory, "text"), "w", encoding="utf-8") as file:
        file.write("content\n")
    os.symlink("/etc/hostname", os.path.join(directory, "outside"))

    def words(what, path, rights=""):
        report, _ = context.report("--dir", f"{directory}::/data{rights}", program, "--", what, path)
        return report["outcome"], report["stdout"]

    expect_equal("read", words("read", "/data/text"), ("ok", "content\n"))
    for path in ("/data/../text", "/etc/hostname", "/data/outside"):
        expect_equal(path, words("read", path)[0], "exited")
    expect_equal("write", words("write", "/data/new")[0], "exited")
    expect(not os.path.exists(os.path.join(directory, "new")), "it was written all the same")
    expect_equal("write, :rw", words("write", "/data/new", ":rw"), ("ok", ""))
    with open(os.path.join(directory, "new"), encoding="utf-8") as file:
        expect_equal("content", file.read(), "written")
    report, _ = context.report(program, "--", "read", "/data/text")
    expect_equal("without --dir", report["outcome"], "exited")


def check_command_imports(context, kind):
    """Calls that reach only what the run was given are no host calls: an interpreter's standard library fits the
    defaults."""
    directory = context.directory()
    with open(os.path.join(directory, "text"), "w", encoding="utf-8") as file:
        file.write("content\n")
    report, _ = context.report(
        "--dir",
        f"{directory}::/data",
        "--timeout",
        "60s",
        "--host-calls",
        "1",
        command(context, kind),
        "--",
        "import",
        "/data",
        str(int(1000 / context.scale)),
        timeout=60,
    )
    expect_equal("imported", (report["outcome"], report["stdout"]), ("ok", "imported\n"))
    expect_equal("host calls", report["used"]["host_calls"], 0)


def check_command_exit(context, kind):
    report, done = context.report(command(context, kind), "--", "exit", "7")
    # Preview 2 has one code for every failure.
    code = 7 if kind == "module" else 1
    expect_equal(
        "exit", (report["outcome"], done.code, report["error"]["message"]), ("exited", code, f"exit code {code}")
    )
    report, done = context.report(command(context, kind), "--", "abort")
    expect_equal("abort", (report["outcome"], done.code, report["error"]["name"]), ("trapped", 1, "unreachable"))
    expect("abort" in [frame["function"] for frame in report["error"]["stack"]], f"frames: {report['error']['stack']}")


def check_command_sleep(context, kind):
    program = command(context, kind)
    report, _ = context.report(program, "--", "sleep", "1")
    expect_equal("slept", (report["outcome"], report["stdout"]), ("ok", "slept\n"))
    expect(report["used"]["wall_us"] >= 1_000_000, f"it took {report['used']['wall_us']} us")
    report, done = context.report("--timeout", "200ms", program, "--", "sleep", "3600")
    expect_equal("stopped", (report["outcome"], report["stdout"]), ("deadline", ""))
    names = [frame["function"] for frame in report["error"]["stack"]]
    expect("nanosleep" in names and "main" in names, f"the stack of a program that sleeps: {names}")
    expect(done.seconds < 0.2 + context.bound(1), f"it took {done.seconds:.2f} s")


def check_command_deterministic(context, kind):
    program = command(context, kind)
    reports = [context.report("--deterministic", "--fuel", "100M", program, "--", "show")[0] for _ in range(2)]
    expect_equal("fuel", reports[1]["used"]["fuel"], reports[0]["used"]["fuel"])
    expect(reports[0]["used"]["fuel"] > 0, "no fuel was used")


def check_reactor(context):
    program = compiled(context, "reactor", "-mexec-model=reactor")
    report, _ = context.report("--call", "root", "--params", "[49]", program)
    expect_equal("root", (report["outcome"], report["value"], report["stdout"]), ("ok", 7, "root of 49\n"))


def check_lines(context):
    program = compiled(context, "lines", "-mexec-model=reactor", "-g")
    report, _ = context.report("--call", "run", program)
    expect_equal("error.name", report["error"]["name"], "integer_divide_by_zero")
    with open(os.path.join(ROOT, "tests", "wasm", "lines.c"), encoding="utf-8") as file:
        text = file.read().split("\n")
    wanted = [("divide", "return 100 / by;"), ("middle", "return divide(by) + 1;"), ("run", "return middle(zero) + 1;")]
    seen = [(frame["function"], text[frame["line"] - 1].strip()) for frame in report["error"]["stack"]]
    expect_equal("stack", seen, wanted)
    expect(
        all(frame["file"].endswith("lines.c") and frame["column"] for frame in report["error"]["stack"]),
        f"{report['error']['stack']}",
    )


def check_world(context):
    program = component(context, "text", os.path.join(ROOT, "tests", "wasm", "text.wit"), "-mexec-model=reactor")

    def call(name, params, *options):
        return context.report("--call", name, "--params", params, *options, program)[0]

    report = call("add", "[2, 40]")
    expect_equal("add", (report["outcome"], report["value"], report["program"]["kind"]), ("ok", 42, "component"))
    report = call("shout", '["hello"]')
    expect_equal("shout", (report["outcome"], report["value"], report["stdout"]), ("ok", "HELLO", "shouting 5 bytes\n"))
    report = call("crash", "[]")
    expect_equal(
        "crash",
        (report["outcome"], report["error"]["name"], report["error"]["stack"][0]["function"]),
        ("trapped", "unreachable", "crash"),
    )
    with open(program, "rb") as file:
        content = file.read()
    expect_equal("what stands at the offset", content[report["error"]["stack"][0]["wasm_offset"]], 0)
    report = call("spin", "[]", "--timeout", "1s")
    expect_equal("spin", (report["outcome"], report["error"]["stack"][0]["function"]), ("deadline", "spin"))


def tests(context):
    checks = {f"damaged_{name}": lambda context, name=name: check_damaged(context, name) for name in DAMAGED}
    checks["every_length"] = check_every_length
    checks["offsets"] = check_offsets
    checks["offsets_metered"] = lambda context: check_offsets(context, "--fuel", "1M")
    checks["standard_input"] = check_standard_input
    for kind in ("module", "component"):
        for check in (
            check_command_words,
            check_command_input,
            check_command_files,
            check_command_imports,
            check_command_exit,
            check_command_sleep,
            check_command_deterministic,
        ):
            checks[f"{check.__name__[6:]}_{kind}"] = lambda context, check=check, kind=kind: check(context, kind)
    checks["reactor"] = check_reactor
    checks["lines"] = check_lines
    checks["world"] = check_world
    return [Test("wasm", name, check) for name, check in checks.items()]
