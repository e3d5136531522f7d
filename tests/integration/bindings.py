# SPDX-License-Identifier: Apache-2.0
"""The packages for other languages, built and used like their users do."""

import glob
import hashlib
import os
import re
import shutil
import threading
import xml.etree.ElementTree

from .checked_server import CheckedServer
from .harness import ROOT, Skipped, Test, expect, expect_equal, read, shorten
from .programs import with_dependencies

# Debian's Python: apt-packages.txt has the packages to build and test with it.
PYTHON = "/usr/bin/python3"


class Package:
    """A package, built once for all of its tests by build(context), which returns its place."""

    def __init__(self, build):
        self._lock = threading.Lock()
        self._build = build
        self._place = None

    def place(self, context):
        if context.is_sanitized:
            raise Skipped("the interpreter has no sanitizer")
        with self._lock:
            if self._place is None:
                self._place = self._build(context)
            return self._place


def run(context, command, timeout=180, **options):
    done = context.command(command, timeout=timeout, **options)
    expect(
        done.code == 0,
        f"exit {done.code}: {' '.join(command)}\n{shorten((done.out + done.err).decode(errors='replace'), 3000)}",
    )
    return done.out.decode()


# ---- Python -------------------------------------------------------------------------------------------------------


def build_python(context):
    """Installs the wheel, and returns the directory."""
    directory = context.directory()
    source = os.path.join(directory, "bindings", "python")
    # The build writes files beside the source.
    shutil.copytree(os.path.join(ROOT, "bindings", "python"), source)
    shutil.copytree(os.path.join(ROOT, "include"), os.path.join(directory, "include"))
    wheels, site = os.path.join(directory, "wheels"), os.path.join(directory, "site")
    pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    run(
        context,
        [*pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", wheels, source],
        env={"CURFEW_BUILD": context.build},
    )
    (wheel,) = glob.glob(os.path.join(wheels, "curfew-*-py3-none-linux_*.whl"))
    run(context, [*pip, "install", "--no-deps", "--target", site, wheel])
    return site


WHEEL = Package(build_python)


def check_python(context, path):
    environment = {"PYTHONPATH": WHEEL.place(context), "PYTHONDONTWRITEBYTECODE": "1"}
    with CheckedServer(context, path.endswith("test_client.py")) as url:
        out = run(
            context,
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", path],
            env={**environment, "CURFEW_SERVER": url},
            cwd=context.directory(),
        )
    return int(re.search(r"(\d+) passed", out)[1])


# ---- Node ---------------------------------------------------------------------------------------------------------


def build_node(context):
    """A directory of tests in which the package is installed."""
    directory, source = context.directory(), os.path.join(ROOT, "bindings", "node")
    package = os.path.join(directory, "node_modules", "curfew")
    run(context, [os.path.join(source, "build"), context.build, package])
    os.symlink(
        os.path.join("curfew", "node_modules", "typescript"), os.path.join(directory, "node_modules", "typescript")
    )
    for name in [*glob.glob(os.path.join(source, "test", "*")), os.path.join(source, "README.md")]:
        shutil.copy(name, directory)
    shutil.copytree(os.path.join(source, "examples"), os.path.join(directory, "examples"))
    return directory


NODE = Package(build_node)


def check_node(context, name):
    place = NODE.place(context)
    with CheckedServer(context, name == "client.test.mjs") as url:
        out = run(context, ["node", "--test", name], cwd=place, env={"NO_COLOR": "1", "CURFEW_SERVER": url})
    return int(re.search(r"pass (\d+)", out)[1])


# ---- Go -----------------------------------------------------------------------------------------------------------


def go_environment(context):
    """The environment in which the library of the build is found. Compiled packages stay in the user's own cache. Go
    looks there by these flags, not by what pkg-config says, and not by the contents of the header."""
    directory = context.directory()
    header = hashlib.sha256(read("include/curfew.h").encode()).hexdigest()[:16]
    with open(os.path.join(directory, "curfew.pc"), "w", encoding="utf-8") as file:
        file.write(
            f"Name: curfew\nDescription: the library of the build\nVersion: 0\nCflags: -I{ROOT}/include\n"
            "Libs: -lcurfew\n"
        )
    return {
        "PKG_CONFIG_PATH": directory,
        "CGO_CFLAGS": f"-O2 -g -DCURFEW_HEADER=0x{header}",
        "CGO_LDFLAGS": f"-O2 -g -L{context.build} -Wl,-rpath,{context.build}",
        "GOCACHE": os.path.expanduser("~/.cache/go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "",
    }


def check_go(context, race):
    if context.is_sanitized:
        raise Skipped("Go has no sanitizer of these")
    if shutil.which("go") is None:
        raise Skipped("there is no Go")
    environment, directory = go_environment(context), os.path.join(ROOT, "bindings", "go")
    if race:
        # Debian has a separate package for the detector's runtime.
        root = run(context, ["go", "env", "GOROOT"], env=environment).strip()
        if not glob.glob(os.path.join(root, "src", "runtime", "race", "**", "race_linux*.syso"), recursive=True):
            raise Skipped("this Go has no race detector")
    else:
        run(context, ["go", "vet", "./..."], cwd=directory, env=environment)
        expect(run(context, ["gofmt", "-l", "."], cwd=directory) == "", "gofmt would change something")
    with CheckedServer(context, True) as url:
        out = run(
            context,
            ["go", "test", "-count=1", "-v", *(["-race"] if race else []), "."],
            timeout=300,
            cwd=directory,
            env={**environment, "CURFEW_SERVER": url},
        )
    return len(re.findall(r"^--- PASS", out, re.M))


# ---- Rust ---------------------------------------------------------------------------------------------------------

RUST_EXAMPLES = {
    "first": "42\ndeadline at line Some(1)\n",
    "host_function": '["apples"]\n',
    "cancel": "cancelled\n",
    "partial_results": '"begun"\ndeadline cooperative {"done":true,"finished":false} true\n',
    "many_at_once": "499500\n",
    "notebook": "null\n3\n[10,20,30]\n",
}


# One test at a time fills the directory of compiled crates.
RUST_TARGET = threading.Lock()


def rust_options(context):
    manifest, environment = os.path.join(ROOT, "bindings/rust/Cargo.toml"), {"CURFEW_LIB_DIR": context.build}
    locked = ["bindings/rust/Cargo.toml", "bindings/rust/Cargo.lock"]
    with RUST_TARGET:
        target = with_dependencies(context, "rust", manifest, "curfew", locked, environment)
    return ["--locked", "--quiet", "--manifest-path", manifest, "--target-dir", target]


def check_rust(context):
    if context.is_sanitized:
        raise Skipped("the crate is built without sanitizers")
    directory = os.path.join(ROOT, "bindings", "rust")
    options = rust_options(context)
    environment = {"CURFEW_LIB_DIR": context.build}
    with CheckedServer(context, True) as url:
        out = run(context, ["cargo", "test", *options], timeout=600, env={**environment, "CURFEW_SERVER": url})
    for name, expected in RUST_EXAMPLES.items():
        seen = run(context, ["cargo", "run", *options, "--example", name], env=environment)
        expect(seen == expected, f"example {name}: {seen!r}, expected {expected!r}")
    found = {name.removesuffix(".rs") for name in os.listdir(os.path.join(directory, "examples"))}
    expect(found == set(RUST_EXAMPLES), f"examples that are not tried: {found ^ set(RUST_EXAMPLES)}")
    return sum(int(count) for count in re.findall(r"(\d+) passed", out)) + len(RUST_EXAMPLES)


# ---- Memory -------------------------------------------------------------------------------------------------------

# How often the programs of this section do everything.
COUNT = 2
MEMCHECK = [
    "valgrind",
    # Memcheck knows the stacks of threads, not those of programs, Go's or Node's. So only what it says of the heap counts.
    "--undef-value-errors=no",
    "--leak-check=full",
    "--show-leak-kinds=all",
    "--leak-resolution=high",
    "--num-callers=20",
    "--xml=yes",
]
OF_ALLOCATORS = re.compile(r"/vgpreload|/libc\.so|/ld-linux|/libstdc")
# Of Go's runtime: it reads texts by whole vectors, and keeps its threads.
OF_GO = {"indexbytebody", "_cgo_try_pthread_create"}
# Of each thread that has executed a guest, until it ends: its stack for signals. Go's threads do not end.
OF_THREADS = "wasmtime::runtime::vm::sys::unix::signals::lazy_per_thread_init"
OF_THE_LIBRARY = re.compile(r"curfew|/leaks|/libjansson|/libsqlite3|/libsodium")


def faults(path):
    """What is wrong with the heap in a report of Memcheck: blocks of the library or a package that nothing refers to, those
    of which one is left each time, and accesses outside of a block."""
    for error in xml.etree.ElementTree.parse(path).iter("error"):
        kind, blocks = error.findtext("kind"), int(error.findtext("xwhat/leakedblocks") or 0)
        frames = [
            frame
            for frame in error.find("stack").iter("frame")
            if not OF_ALLOCATORS.search(frame.findtext("obj") or "")
        ]
        if not frames or not OF_THE_LIBRARY.search(frames[0].findtext("obj") or ""):
            continue
        if frames[0].findtext("fn") in OF_GO:
            continue
        if kind == "Leak_StillReachable" and frames[0].findtext("fn") == OF_THREADS:
            continue
        if kind.startswith("Leak_"):
            wrong = kind == "Leak_DefinitelyLost" or blocks >= COUNT
        else:
            wrong = "block of size" in (error.findtext("auxwhat") or "") or kind in {"InvalidFree", "MismatchedFree"}
        if wrong:
            names = [frame.findtext("fn") or frame.findtext("ip") for frame in frames[:8]]
            yield f"{kind}, {blocks} blocks: {' < '.join(names)}"


def python_of_leaks(context):
    site = WHEEL.place(context)
    program = os.path.join(ROOT, "bindings/python/tests/leaks.py")
    # Python unloads the library at its end. What the library keeps once for each process would not be referred to then.
    loaded = os.path.join(site, "curfew/lib/libcurfew.so.0")
    return [PYTHON, program, str(COUNT)], {"PYTHONPATH": site, "PYTHONMALLOC": "malloc", "LD_PRELOAD": loaded}


def node_of_leaks(context):
    return ["node", "--expose-gc", os.path.join(NODE.place(context), "leaks.mjs"), str(COUNT)], {}


def go_of_leaks(context):
    if shutil.which("go") is None:
        raise Skipped("there is no Go")
    environment, program = go_environment(context), os.path.join(context.directory(), "leaks")
    run(context, ["go", "test", "-c", "-o", program], cwd=os.path.join(ROOT, "bindings", "go"), env=environment)
    return [program, "-test.run=^TestLeaks$"], {}


def rust_of_leaks(context):
    command = ["cargo", "test", *rust_options(context), "--test", "leaks", "--no-run", "--message-format=json"]
    out = run(context, command, timeout=600, env={"CURFEW_LIB_DIR": context.build})
    return [re.search(r'"executable":"([^"]+/leaks-[^"]+)"', out)[1]], {}


LEAKS = {"python": python_of_leaks, "node": node_of_leaks, "go": go_of_leaks, "rust": rust_of_leaks}


def check_leaks(context, language):
    """Calls that succeed and fail, and what is stopped, dropped or collected in use, leave nothing."""
    if context.is_sanitized:
        raise Skipped("valgrind runs no sanitizer")
    if shutil.which("valgrind") is None:
        raise Skipped("there is no valgrind")
    command, environment = LEAKS[language](context)
    found = os.path.join(context.directory(), "memcheck.xml")
    memcheck = [*MEMCHECK, "--xml-file=" + found, *command]
    run(context, memcheck, timeout=1200, env={"CURFEW_COUNT": str(COUNT), "RUST_BACKTRACE": "0", **environment})
    expect_equal("left in memory", list(faults(found)), [])


# ---- The README's first lines ---------------------------------------------------------------------------------------


def line_of(name):
    """The code for a language in the table at the top of README.md."""
    return re.search(r"^\| \[" + re.escape(name) + r"\]\([^)]+\) \| `([^`]+)` \|$", read("README.md"), re.M)[1]


def in_python(context, line):
    return run(
        context,
        [PYTHON, "-c", f"import curfew; print({line})"],
        env={"PYTHONPATH": WHEEL.place(context)},
        cwd=context.directory(),
    )


def in_node(context, line):
    return run(
        context,
        ["node", "--input-type=module", "-e", f"import * as curfew from 'curfew'; console.log({line})"],
        cwd=NODE.place(context),
    )


def in_go(context, line):
    if shutil.which("go") is None:
        raise Skipped("there is no Go")
    directory = context.directory()
    with open(os.path.join(directory, "go.mod"), "w", encoding="utf-8") as file:
        file.write(f"module first\n\ngo 1.19\n\nrequire curfew v0.0.0\n\nreplace curfew => {ROOT}/bindings/go\n")
    with open(os.path.join(directory, "main.go"), "w", encoding="utf-8") as file:
        file.write(
            'package main\n\nimport (\n"context"\n"curfew"\n"fmt"\n)\n\nfunc main() {\nctx := context.Background()\n'
            f"report, err := {line}\nfmt.Println(string(report.Value), err)\n}}\n"
        )
    return run(context, ["go", "run", "."], cwd=directory, env=go_environment(context)).replace(" <nil>", "")


def in_rust(context, line):
    directory = context.directory()
    os.mkdir(os.path.join(directory, "src"))
    with open(os.path.join(directory, "Cargo.toml"), "w", encoding="utf-8") as file:
        file.write(
            f'[package]\nname = "first"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\ncurfew = {{ path = "{ROOT}/bindings/rust" }}\n'
        )
    with open(os.path.join(directory, "src/main.rs"), "w", encoding="utf-8") as file:
        file.write(
            f'fn main() -> curfew::Result<()> {{\n    println!("{{}}", {line}.value::<i32>()?);\n    Ok(())\n}}\n'
        )
    shutil.copy(os.path.join(ROOT, "bindings/rust/Cargo.lock"), directory)
    return run(
        context,
        ["cargo", "run", "--quiet", "--offline", "--target-dir", rust_options(context)[-1]],
        cwd=directory,
        env={"CURFEW_LIB_DIR": context.build, "LD_LIBRARY_PATH": context.build},
        timeout=600,
    )


def in_c(context, line):
    source, program = (os.path.join(context.directory(), name) for name in ("first.c", "first"))
    with open(source, "w", encoding="utf-8") as file:
        file.write(
            '#include "curfew.h"\n#include <stdio.h>\nint main(void)\n{\n\tcurfew_engine *engine;\n\tcurfew_program *program;\n\tcurfew_report *report;\n'
            '\tcurfew_failure failure;\n\tcurfew_source source = {.size = sizeof source, .name = "first.js", .text = "6 * 7", .text_length = 5};\n'
            "\tif (curfew_engine_create(NULL, &engine, &failure) || curfew_program_create(engine, &source, &program, &failure) ||\n"
            f"\t    {line})\n\t\treturn 1;\n\tputs(report->value);\n\tcurfew_report_destroy(report);\n"
            "\tcurfew_program_destroy(program);\n\tcurfew_engine_destroy(engine);\n\treturn 0;\n}\n"
        )
    run(
        context,
        [
            "cc",
            "-I" + os.path.join(ROOT, "include"),
            source,
            "-o",
            program,
            "-L" + context.build,
            "-lcurfew",
            "-Wl,-rpath," + context.build,
        ],
    )
    return run(context, [program])


def in_shell(context, line):
    return run(context, ["sh", "-c", line], env={"PATH": context.build + ":" + os.environ["PATH"]})


FIRST_LINES = {"Python": in_python, "Node": in_node, "Go": in_go, "Rust": in_rust, "C": in_c, "command line": in_shell}


def check_first_line(context, name):
    if context.is_sanitized:
        raise Skipped("the same without sanitizers")
    expect(FIRST_LINES[name](context, line_of(name)) == "42\n", f"README.md: the line for {name} does not give 42")


# ---- The features of all ---------------------------------------------------------------------------------------------

SOURCES = {"Python": "python/src/**/*.py", "Node": "node/src/*.[ch]", "Go": "go/*.[cgh]*", "Rust": "rust/src/**/*.rs"}
OPTION_STRUCTS = ("curfew_engine_options", "curfew_source", "curfew_run_options", "curfew_host_function", "curfew_dir")


def rows_of_features():
    """The rows of docs/BINDINGS.md: feature, names in C (fields with their structs), the entries of the languages."""
    for line in re.findall(r"^\| (?!feature|--)(.*) \|$", read("docs/BINDINGS.md"), re.M):
        feature, c, *has = line.split(" | ")
        names, struct = [], None
        for name in re.findall(r"`([^`]+)`", c):
            struct = name.partition(".")[0] if "." in name and not name.startswith(".") else struct
            names.append(struct + name if name.startswith(".") else name)
        yield feature, names, has


def check_features(context):
    """docs/BINDINGS.md has each function and option of the library once, and its entries for each package match its
    source."""
    fields = {
        line.split()[0]
        for line in read("tests/abi/layout.txt").splitlines()
        if line.startswith(tuple(struct + "." for struct in OPTION_STRUCTS))
        and not re.search(r"\.(size|reserved\d?) ", line)
    }
    rows = list(rows_of_features())
    listed = [name for _, names, _ in rows for name in names]
    expect_equal("named twice", sorted({name for name in listed if listed.count(name) > 1}), [])
    expect_equal("functions and options", sorted(listed), sorted(fields | set(read("tests/abi/symbols.txt").split())))
    reasons = set(re.findall(r"^(\d+)\. ", read("docs/BINDINGS.md"), re.M))
    used = {entry.strip("()") for _, _, has in rows for entry in has} - {"yes"}
    expect_equal("reasons", used, reasons)
    for at, (language, pattern) in enumerate(SOURCES.items()):
        paths = glob.glob(os.path.join(ROOT, "bindings", pattern), recursive=True)
        source = "".join(open(path, encoding="utf-8").read() for path in paths if not path.endswith("_test.go"))
        for feature, names, has in rows:
            functions = [name for name in names if "." not in name]
            calls = [name for name in functions if re.search(rf"\b{name}\s*\(", without_declarations(language, source))]
            if has[at] == "yes" or has[at].startswith("("):
                expect(
                    calls or not functions,
                    f"{language}: {feature}: docs/BINDINGS.md says {has[at]}, and nothing calls {functions}",
                )
            else:
                expect(
                    not calls, f"{language}: {feature}: docs/BINDINGS.md has a reason against it, and {calls} is called"
                )
    return len(rows)


def without_declarations(language, source):
    """The source without declarations: Rust and Python declare all functions."""
    return re.sub(r"pub fn curfew_\w+\(|^\w[\w *]* \**curfew_\w+\(.*;$", "", source, flags=re.M)


# ---- All ----------------------------------------------------------------------------------------------------------


def tests(context):
    def each(pattern, name, check):
        return [
            Test("bindings", name(os.path.basename(source)), lambda context, source=source: check(context, source))
            for source in sorted(glob.glob(os.path.join(ROOT, "bindings", pattern)))
        ]

    return [
        *each("python/tests/test_*.py", lambda name: "python/" + name[5:-3], check_python),
        *each(
            "node/test/*.test.mjs",
            lambda name: "node/" + name.removesuffix(".test.mjs"),
            lambda context, path: check_node(context, os.path.basename(path)),
        ),
        *[
            Test(
                "bindings",
                "readme-" + name.lower().replace(" ", "-"),
                lambda context, name=name: check_first_line(context, name),
            )
            for name in FIRST_LINES
        ],
        Test("bindings", "features", check_features),
        Test("bindings", "go", lambda context: check_go(context, False)),
        Test("bindings", "go-race", lambda context: check_go(context, True)),
        Test("bindings", "rust", check_rust),
        *[Test("bindings", "leaks-" + name, lambda context, name=name: check_leaks(context, name)) for name in LEAKS],
    ]
