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
    os.mkfifo(os.path.join(directory, "pipe"))
    os.symlink("pipe", os.path.join(directory, "to-pipe"))

    def words(what, path, rights=""):
        report, _ = context.report("--dir", f"{directory}::/data{rights}", program, "--", what, path)
        return report["outcome"], report["stdout"]

    expect_equal("read", words("read", "/data/text"), ("ok", "content\n"))
    for path in ("/data/../text", "/etc/hostname", "/data/outside"):
        expect_equal(path, words("read", path)[0], "exited")
    # Nobody has the other end: to open it would take for ever.
    for path in ("/data/pipe", "/data/to-pipe"):
        expect_equal(path, words("read", path), ("exited", "Not supported\n"))
        expect_equal(f"write {path}", words("write", path, ":rw"), ("exited", "Not supported\n"))
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


# ---- What instances begin with -----------------------------------------------------------------------------------


def wide(number):
    """LEB128"""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def large_section(number, content):
    return bytes([number]) + wide(len(content)) + content


def module_with_data(size):
    """A module whose only function does nothing, with so many bytes of data."""
    pages = size // 65536 + 1
    return (
        HEADER
        + section(1, b"\1\x60\0\0")
        + section(3, b"\1\0")
        + large_section(5, b"\1\0" + wide(pages))
        + section(7, b"\1\3run\0\0")
        + section(10, b"\1\2\0\x0b")
        + large_section(11, b"\1\0\x41\0\x0b" + wide(size) + b"x" * size)
    )


def component_of(module, count):
    """The text of a component that instantiates a module so often, with one memory and one table."""
    again = '(core instance (instantiate $d (with "m" (instance $m))))' * count
    return f"""(component
        (core module $owner (memory (export "m") 17) (table (export "t") 2000 funcref))
        (core module $d {module})
        (core module $r (func (export "run")))
        (core instance $m (instantiate $owner))
        {again}
        (core instance $i (instantiate $r)) (func (export "run") (canon lift (core func $i "run"))))"""


MANY = {
    "data": '(import "m" "m" (memory 17)) (data (i32.const 0) "%s")' % ("x" * 1000000),
    "elements": '(import "m" "t" (table 2000 funcref)) (func $f) (elem (i32.const 0) func %s)' % ("$f " * 2000),
    "globals": "(global (mut i64) (i64.const 1))" * 2000,
}


def check_beginning(context, *options):
    """An instance that begins with much can be stopped meanwhile."""
    # Claims L35, T1, T8.
    programs = {"module": write(context, module_with_data(100 << 20))}
    for name, module in MANY.items():
        programs[name] = write(context, component_of(module, 480).encode(), f"{name}.wat")
    for name, path in programs.items():
        words = ["--memory", "200MiB", "--call", "run", *options, path]
        whole, _ = context.report("--timeout", "5m", *words, timeout=60)
        expect_equal(f"{name}: outcome", whole["outcome"], "ok")
        used = whole["used"]
        before, takes = used["wall_us"] - used["run_us"], used["run_us"]
        seen = []
        # Compiled code is loaded faster the second time, so only some of these stops come while an instance begins.
        for part in (1, 2, 3, 5, 7):
            timeout = max(before // 2 + takes * part // 8, 10_000)
            report, _ = context.report("--timeout", f"{timeout}us", *words, timeout=60)
            if report["outcome"] == "deadline":
                if name == "data" and report["stop"]["mode"] == "hard":
                    expect(report["error"]["stack"], "no frame says which data was being written")
                seen.append(report["stop"]["latency_us"])
        # A busy machine may make some of them late.
        late = sorted(seen)[: max(len(seen) // 2, 1)]
        expect(not late or late[-1] < 1e6 * context.bound(0.02), f"{name}: late by {seen} us of {takes}")


def check_beginning_is_bounded(context):
    """What the host keeps for instances is bounded, and so is what it fills at once."""
    # Claims L700, L701.
    for text, message in (
        (component_of("(global (mut i64) (i64.const 1))" * 3000, 400), "definitions of all module instances"),
        (component_of(f"(func $f) (elem func {'$f ' * 3000})", 400), "elements that all instances begin with"),
        ("(module (func $f) (table 1000001 funcref (ref.func $f)))", "elements that all instances begin with"),
    ):
        report, _ = context.report(write(context, text.encode(), "many.wat"))
        expect_equal("outcome", report["outcome"], "bad_program")
        expect(message in report["error"]["message"], report["error"]["message"])


BEGINS = """(module
    (memory (export "memory") 40)
    (global $sum (mut i32) (i32.const 0))
    (data $first (i32.const 5) "FIRST")
    (data $kept "passive")
    (data $over (i32.const 1000000) "OVER")
    (data $last (i32.const 1999999) "Z")
    (func $start (global.set $sum (i32.load8_u (i32.const 1999999))))
    (start $start)
    (func (export "run") (result i32 i32 i32 i32 i32)
        (memory.init $kept (i32.const 0) (i32.const 0) (i32.const 3))
        (i32.load8_u (i32.const 1)) (i32.load8_u (i32.const 5)) (i32.load8_u (i32.const 1000001))
        (i32.load8_u (i32.const 1999999)) (global.get $sum)))"""


def check_beginning_in_order(context, *options):
    """Large segments are written in the order of the file, before the start function, and the others stay usable."""
    text = BEGINS.replace("FIRST", "a" * 1200000).replace("OVER", "b" * 1200000)
    report, _ = context.report("--call", "run", *options, write(context, text.encode(), "begins.wat"))
    expect_equal("outcome", (report["outcome"], report["error"]), ("ok", None))
    expect_equal("value", report["value"], [ord("a"), ord("a"), ord("b"), ord("Z"), ord("Z")])
    beyond = text.replace("i32.const 1000000", "i32.const 2000000")
    report, _ = context.report("--call", "run", *options, write(context, beyond.encode(), "beyond.wat"))
    expect_equal("outcome", (report["outcome"], report["error"]["name"]), ("trapped", "memory_out_of_bounds"))


# ---- Large buffers --------------------------------------------------------------------------------------------------

COPIES = """(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 12000)
    (data (i32.const 0) "large")
    (func (export "run") (result i32 i32)
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 1) (i64.const 66)
            (i64.const 66) (i32.const 0) (i32.const 64)))
        (i32.store (i32.const 100) (i32.const 200)) (i32.store (i32.const 104) (i32.const 700000000))
        (drop (call $CALL (i32.load (i32.const 64)) (i32.const 100) (i32.const 1) (i32.const 68)))
        (i32.load (i32.const 68)) (i32.load (i32.const 104))))"""


def check_large_buffers(context):
    """The host copies no more than a piece at once, however large a guest's buffer is."""
    # Claims L42, L50.
    directory = context.directory()
    with open(os.path.join(directory, "large"), "wb") as file:
        file.truncate(800000000)
    for call in ("fd_read", "fd_write"):
        path = write(context, COPIES.replace("CALL", call).encode(), "copies.wat")
        words = ("--memory", "800MiB", "--dir", f"{directory}::/:rw", "--call", "run", path)
        report, _ = context.report(*words)
        expect_equal(f"{call}: value", (report["outcome"], report["value"]), ("ok", [1 << 20, 700000000]))


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
    checks["beginning"] = check_beginning
    checks["beginning_metered"] = lambda context: check_beginning(context, "--fuel", "1000000G")
    checks["beginning_is_bounded"] = check_beginning_is_bounded
    checks["beginning_in_order"] = check_beginning_in_order
    checks["beginning_in_order_metered"] = lambda context: check_beginning_in_order(context, "--fuel", "1M")
    checks["large_buffers"] = check_large_buffers
    checks["reactor"] = check_reactor
    checks["lines"] = check_lines
    checks["world"] = check_world
    return [Test("wasm", name, check) for name, check in checks.items()]
