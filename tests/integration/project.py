# SPDX-License-Identifier: Apache-2.0
"""The project itself: the layers of the sources, the header alone, the binary interface, documents that must match the
code."""

import glob
import json
import os
import re
import shutil

from .harness import EXIT_CODES, ROOT, Skipped, Test, expect, expect_equal, read, shorten

# ---- Layers and header --------------------------------------------------------------------------------------------


def check_layers(context):
    done = context.command([os.path.join(ROOT, "scripts", "layers")])
    expect(done.code == 0, done.out.decode())


def layers(context):
    return [Test("layers", "order", check_layers)]


def check_lint(context, part):
    needed = {
        "c": ["clang-format-16", "--version"],
        "tidy": ["clang-tidy-16", "--version"],
        "rust": ["cargo", "fmt", "--version"],
        "javascript": ["npm", "--version"],
    }.get(part)
    if needed and (shutil.which(needed[0]) is None or context.command(needed).code != 0):
        raise Skipped(f"missing: {' '.join(needed[:2]).replace(' --version', '')}")
    done = context.command([os.path.join(ROOT, "scripts", "lint"), part], timeout=300)
    expect(done.code == 0, shorten(done.out.decode() + done.err.decode(), 3000))


def lint(context):
    parts = ("text", "c", "tidy", "rust", "python", "javascript")
    return [Test("lint", part, lambda context, part=part: check_lint(context, part)) for part in parts]


def find_compiler(*names):
    path = next((path for path in map(shutil.which, names) if path), None)
    if path is None:
        raise Skipped(f"no compiler: {' or '.join(names)}")
    return path


STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-pedantic-errors", "-Werror", "-fsyntax-only"]


def check_header(context, compilers, language, standard):
    source = os.path.join(context.directory(), "header." + ("c" if language == "c" else "cc"))
    with open(source, "w", encoding="utf-8") as file:
        # Include it twice: the second time must have no effect.
        file.write(
            '#include "curfew.h"\n#include "curfew.h"\nint use(void);\nint use(void) { return CURFEW_OUTCOME_FINISHED; }\n'
        )
    done = context.command(
        [
            find_compiler(*compilers),
            "-x",
            language,
            f"-std={standard}",
            *STRICT,
            "-I",
            os.path.join(ROOT, "include"),
            source,
        ],
        timeout=60,
    )
    expect(done.code == 0, done.err.decode())


def header(context):
    c, cxx = ("cc", "gcc", "clang", "clang-16"), ("c++", "g++", "clang++", "clang++-16")
    kinds = [("c99", c, "c", "c99"), ("c11", c, "c", "c11"), ("c++17", cxx, "c++", "c++17")]
    return [Test("header", name, lambda context, kind=kind: check_header(context, *kind)) for name, *kind in kinds]


# ---- Binary interface ---------------------------------------------------------------------------------------------


def check_symbols(context):
    library = os.path.join(context.build, "libcurfew.so")
    if not os.path.exists(library):
        library = os.path.join(context.build, "src", "libcurfew.so")
    expect(os.path.exists(library), "libcurfew.so is not built")
    done = context.command(["nm", "-D", "--defined-only", library])
    seen = sorted(line.split()[-1].partition("@")[0] for line in done.out.decode().splitlines())
    expected = read("tests/abi/symbols.txt").split()
    extra, gone = sorted(set(seen) - set(expected)), sorted(set(expected) - set(seen))
    expect(
        not extra and not gone,
        f"exported but not in tests/abi/symbols.txt: {shorten(' '.join(extra)) or '-'}\nno longer exported: {' '.join(gone) or '-'}",
    )


def check_declared(context):
    declared = sorted(set(re.findall(r"^CURFEW_API [^;(]*?\*?(curfew_\w+)\(", read("include/curfew.h"), re.M)))
    expect_equal("functions of include/curfew.h", declared, read("tests/abi/symbols.txt").split())


def signatures():
    """The functions of the header, one on each line."""
    text = re.sub(r"/\*.*?\*/", "", read("include/curfew.h"), flags=re.S)
    found = re.findall(r"^CURFEW_API ([^;]*);", text, re.M)
    return sorted((" ".join(each.split()) for each in found), key=lambda each: re.search(r"curfew_\w+(?=\()", each)[0])


def check_signatures(context):
    expect_equal("functions of include/curfew.h", signatures(), read("tests/abi/signatures.txt").splitlines())


# A change of a list, and whether programs that were built before still work.
CHANGES = (
    ("symbols.txt", "curfew_run_start\n", "", False),
    ("symbols.txt", "curfew_run_start\n", "curfew_run_start\ncurfew_run_star\n", True),
    ("layout.txt", "curfew_source.text 16 8\n", "curfew_source.text 24 8\n", False),
    ("layout.txt", "CURFEW_OUTCOME_CPU 13 cpu", "CURFEW_OUTCOME_CPU 14 cpu", False),
    ("layout.txt", "sizeof curfew_source 80", "sizeof curfew_source 88", True),
    ("layout.txt", "sizeof curfew_source 80", "sizeof curfew_source 72", False),
    ("layout.txt", "sizeof curfew_dir 24", "sizeof curfew_dir 32", False),
    ("signatures.txt", "void curfew_run_cancel(curfew_run *run)", "int curfew_run_cancel(curfew_run *run)", False),
)


def check_compare(context):
    """tests/abi/compare finds each kind of break between a release and the current state, and nothing else."""
    place = context.directory()
    lists = os.path.join(place, "tests", "abi")
    os.makedirs(lists)
    for name in ("compare", "symbols.txt", "layout.txt", "signatures.txt"):
        shutil.copy(os.path.join(ROOT, "tests/abi", name), lists)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a release"], ["tag", "v1"]):
        done = context.command([*git, *words], cwd=place)
        expect(done.code == 0, done.err.decode())
    compare = [os.path.join(lists, "compare"), "v1"]
    expect_equal("the same", context.command(compare, cwd=place)[:2], (0, b""))
    for name, was, becomes, works in CHANGES:
        before = read(os.path.join("tests/abi", name))
        expect_equal(f"{was!r} in {name}", before.count(was), 1)
        with open(os.path.join(lists, name), "w", encoding="utf-8") as file:
            file.write(before.replace(was, becomes))
        done = context.command(compare, cwd=place)
        expect_equal(f"{was!r} becomes {becomes!r}: exit code", done.code, 0 if works else 1)
        expect(works or was.split()[0].encode() in done.out or was.split()[1].encode() in done.out, done.out.decode())
        shutil.copy(os.path.join(ROOT, "tests/abi", name), lists)


def check_layout(context):
    path = os.path.join(context.build, "tests", "layout")
    expect(os.path.exists(path), f"{path} is not built")
    seen = context.command([path]).out.decode().splitlines()
    frozen = read("tests/abi/layout.txt").splitlines()
    # Structs with a size are append-only, and so are lists: a longer one is no break.
    changed = [line for line in frozen if line not in seen and not line.startswith("sizeof ")]
    expect(not changed, "moved or gone:\n" + "\n".join(changed))
    expect_equal("new since tests/abi/layout.txt", [line for line in seen if line not in frozen], [])


def abi(context):
    return [
        Test("abi", "symbols", check_symbols),
        Test("abi", "declared", check_declared),
        Test("abi", "layout", check_layout),
        Test("abi", "signatures", check_signatures),
        Test("abi", "compare", check_compare),
    ]


# ---- Documents ----------------------------------------------------------------------------------------------------

COMMANDS = ("run", "compile", "inspect", "calibrate", "bench", "secret", "submit", "ps", "logs", "cancel", "programs")


def options_of(context, command):
    """Names of the long options of a command's help."""
    done = context.command([context.curfew, command, "--help"])
    expect_equal(f"{command} --help", done.code, 0)
    return set(re.findall(r"--([a-z][a-z-]*)", done.out.decode()))


def check_man(context):
    page = os.path.join(os.path.dirname(context.curfew), "curfew.1")
    if not os.path.exists(page):
        page = os.path.join(context.build, "cli", "curfew.1")
    with open(page, encoding="utf-8") as file:
        text = file.read().replace("\\-", "-")
    for command in COMMANDS:
        missing = [name for name in sorted(options_of(context, command)) if f"--{name}" not in text]
        expect(not missing, f"options of {command} that the man page lacks: {missing}")
    codes = [int(code) for code in re.findall(r"^\.B (\d+)$", text, re.M)]
    expect_equal("exit codes, in order", codes, sorted(codes))
    expect_equal(
        "variables of the environment",
        sorted(re.findall(r"^\.B ([A-Z_]+)$", text, re.M)),
        sorted(variables_read() - {"HOME", "TERM", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}),
    )


def variables_read():
    """The variables of its environment that the command reads."""
    paths = [path for place in ("cli", "server") for path in glob.glob(os.path.join(ROOT, place, "*.c"))]
    return {name for path in paths for name in re.findall(r'getenv\("([A-Z_]+)"\)', read(path))}


def check_completion(context):
    for shell in ("bash", "zsh", "fish"):
        done = context.command([context.curfew, "--generate", shell])
        text = done.out.decode()
        wanted = {name for command in COMMANDS for name in options_of(context, command)} | {
            "list put get remove",
            "create list revoke",
        }
        missing = [name for name in sorted(wanted) if name not in text]
        expect(done.code == 0 and not missing, f"{shell}: options that completion lacks: {missing}")
        if shutil.which(shell):
            path = os.path.join(context.directory(), "completion")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            parsed = context.command([shell, "-n", path])
            expect(parsed.code == 0, f"{shell}: {parsed.err.decode()}")


def check_readme_options(context):
    """Everything in a document that looks like one of our options is one."""
    known = {name for command in COMMANDS for name in options_of(context, command)} | {"help", "version", "generate"}
    for document in ("README.md", "docs/LIMITS.md", "docs/INSPECT.md", "docs/THREAT_MODEL.md", "docs/ARCHITECTURE.md"):
        if not os.path.exists(os.path.join(ROOT, document)):
            expect(False, f"{document} is missing")
        lines = [line for line in read(document).splitlines() if "curfew" in line and "--" in line]
        used = {name for line in lines for name in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", line)}
        expect(used <= known, f"{document} names options that do not exist: {sorted(used - known)}")


def check_limits_documented(context):
    text = read("docs/LIMITS.md")
    report, _ = context.report(os.path.join(ROOT, "examples", "hello.js"))
    for key in report["limits"]:
        name = re.sub(r"_(us|bytes)$", "", key).replace("_", "-")
        expect(
            re.search(rf"`(--)?{name}\b|^#+ .*\b{name}\b", text, re.M | re.I),
            f"docs/LIMITS.md has nothing of the limit {name}",
        )


def outcomes_of_header():
    return {name: int(code) for name, code in re.findall(r'X\(\w+, \d+, "(\w+)", (\d+), "', read("include/curfew.h"))}


def check_outcomes(context):
    expect_equal("outcomes of include/curfew.h", outcomes_of_header(), EXIT_CODES)
    text = read("README.md")
    for outcome, code in EXIT_CODES.items():
        line = next(
            (line for line in text.splitlines() if f"`{outcome}`" in line and re.search(rf"\b{code}\b", line)), None
        )
        expect(line is not None, f"README.md has no line with `{outcome}` and its exit code {code}")


def check_schema(context):
    schema = json.loads(read("docs/report.schema.json"))
    outcomes = schema["$defs"]["outcome"]["enum"]
    missing = [name for name in EXIT_CODES if name not in outcomes]
    expect(not missing, f"docs/report.schema.json lacks the outcomes {missing}")
    report, _ = context.report(os.path.join(ROOT, "examples", "hello.js"))
    expect_equal("keys that docs/report.schema.json requires", sorted(schema["required"]), sorted(report))


def check_embedding(context):
    """The embedding in README.md is the example that is compiled and run."""
    code = [line for line in read("examples/embed.c").splitlines() if line.strip()]
    readme = read("README.md").splitlines()
    start = next((index for index, line in enumerate(code) if line.startswith("#include")), 0)
    missing = [line for line in code[start:] if line not in readme]
    expect(not missing, "lines of examples/embed.c that README.md lacks:\n" + "\n".join(missing))


def check_linking(context):
    """The command in README.md builds the embedding, and the program prints what README.md shows."""
    command, output = re.search(r"^\$ (cc .*) -o embed\n\$ \./embed\n(.*)$", read("README.md"), re.M).groups()
    find_compiler("cc")
    made = os.path.join(context.directory(), "embed")
    words = [word.replace("build/", context.build + "/") for word in command.split()]
    done = context.command([*words, "-o", made], timeout=120, cwd=ROOT)
    expect(done.code == 0, f"{command}\n{shorten(done.err.decode(), 2000)}")
    expect_equal("embed", context.command([made], timeout=60).out.decode(), output + "\n")


def check_sources(context):
    """Every file has its licence, and lines are not too long."""
    done = context.command(["git", "-C", ROOT, "ls-files", "*.c", "*.h", "*.js", "*.mjs", "*.py", "meson.build"])
    bad = []
    for name in done.out.decode().split():
        if name.startswith("tests/attacks/js/") or not os.path.isfile(os.path.join(ROOT, name)):
            continue
        lines = read(name).splitlines()
        if "SPDX-License-Identifier" not in "".join(lines[:2]):
            bad.append(f"{name}: no SPDX line")
    expect(not bad, "\n".join(bad))


# ---- The errands of docs/CONTRIBUTING.md: a forgotten place is found ------------------------------------------------


def check_limit_places(context):
    """Each limit of the library's table is in every hand-written list, and these have no others."""
    report, _ = context.report(os.path.join(ROOT, "examples", "hello.js"))
    keys = list(report["limits"])
    schema = json.loads(read("docs/report.schema.json"))["properties"]["limits"]
    expect_equal("limits of docs/report.schema.json", sorted(schema["properties"]), sorted(keys))
    listed = re.search(r"const limitNames = \[(.*?)\]", read("guest/prelude/70-curfew.js"), re.S)[1]
    expect_equal("limitNames of guest/prelude/70-curfew.js, in order", re.findall(r"'(\w+)'", listed), keys)
    flags = [re.sub(r"_(us|bytes)$", "", key) for key in keys]
    shown = re.findall(r"\bkey: '(\w+)'", read("console/web/limits.js"))
    expect_equal("limits that console/web/limits.js lacks", [name for name in flags if name not in shown], [])
    offered = json.loads(read("docs/openapi.json"))["components"]["schemas"]["Limits"]["properties"]
    expect_equal("Limits of docs/openapi.json", sorted(offered), sorted(keys))


def check_route_places(context):
    """The routes of the server are the paths that docs/openapi.json describes."""
    table = re.search(r"static const route table\[\] = \{(.*?)\n\};", read("server/routes.c"), re.S)[1]
    served = {(path.replace("*", "{}"), method) for path, method in re.findall(r'\{"(/[^"]*)", "([A-Z]+)"', table)}
    paths = json.loads(read("docs/openapi.json"))["paths"]
    described = {
        (re.sub(r"\{\w+\}", "{}", path), method.upper())
        for path, item in paths.items()
        for method in item
        if method in ("get", "put", "post", "patch", "delete")
    }
    files = {("/", "GET"), ("/openapi.json", "GET"), ("/report.schema.json", "GET")}
    expect_equal("routes without a description", sorted(served - described), [])
    expect_equal("descriptions without a route", sorted(described - served - files), [])
    tests = "".join(read(os.path.relpath(path, ROOT)) for path in glob.glob(os.path.join(ROOT, "tests", "*", "*.py")))
    asked = {
        (path, method)
        for path, method in served
        if re.search(
            rf'"{method}",\s*f?"' + re.escape(path).replace(r"\{\}", r"""[^"?/]+""") + '["?]', tests.replace("'", '"')
        )
    }
    expect_equal("routes that no test asks", sorted(served - asked), [])


def check_web_places(context):
    """A case uses each interface that programs have, and each file of the prelude is built."""
    listed = re.search(r"const interfaces = \{(.*?)\};", read("guest/prelude/90-globals.js"), re.S)[1]
    cases = "".join(
        read(os.path.relpath(path, ROOT))
        for path in glob.glob(os.path.join(ROOT, "tests", "cases", "**", "*js"), recursive=True)
    )
    names = re.findall(r"\b[A-Z]\w+", listed)
    expect(len(names) > 40, "no interfaces found in guest/prelude/90-globals.js")
    expect_equal("not in any of tests/cases", [name for name in names if not re.search(rf"\b{name}\b", cases)], [])
    documented = read("docs/COMPATIBILITY.md")
    expect_equal(
        "not in docs/COMPATIBILITY.md", [name for name in names if not re.search(rf"\b{name}\b", documented)], []
    )
    there = sorted(name for name in os.listdir(os.path.join(ROOT, "guest", "prelude")) if name.endswith(".js"))
    build = read("guest/meson.build")
    expect_equal("files that guest/meson.build lacks", [name for name in there if f"prelude/{name}'" not in build], [])


def check_wasmtime_places(context):
    """Only one version of Wasmtime is built, tested and documented."""
    version = re.search(r'^wasmtime = \{ version = "=([\d.]+)"', read("engine/Cargo.toml"), re.M)[1]
    for name in ("engine/Cargo.toml", "tests/conformance/Cargo.toml", "tests/componentize/Cargo.toml"):
        wanted = set(re.findall(r'^(?:wasmtime[\w-]*|wiggle|wasi-preview1\S*) = .*?"=([\d.]+)"', read(name), re.M))
        wanted |= set(re.findall(r'^version = "=([\d.]+)"', read(name), re.M))
        expect(wanted == {version}, f"{name} has Wasmtime {sorted(wanted)}, engine/Cargo.toml {version}")
    for name in ("engine/Cargo.lock", "tests/conformance/Cargo.lock", "tests/componentize/Cargo.lock"):
        locked = set(re.findall(r'^name = "wasmtime"\nversion = "([\d.]+)"', read(name), re.M))
        expect(locked <= {version}, f"{name} has Wasmtime {sorted(locked)}, engine/Cargo.toml {version}")
    expect(
        f"| Wasmtime | {version}" in read("docs/DEPENDENCIES.md"),
        f"docs/DEPENDENCIES.md does not name Wasmtime {version}",
    )


ERRANDS = [
    ("limit", check_limit_places),
    ("route", check_route_places),
    ("web_api", check_web_places),
    ("wasmtime", check_wasmtime_places),
]


def docs(context):
    tests = [
        ("man", check_man),
        ("completion", check_completion),
        ("options", check_readme_options),
        ("limits", check_limits_documented),
        ("outcomes", check_outcomes),
        ("schema", check_schema),
        ("embedding", check_embedding),
        ("linking", check_linking),
        ("sources", check_sources),
    ]
    return [Test("docs", name, run) for name, run in tests] + [
        Test("docs", f"errand_{name}", run) for name, run in ERRANDS
    ]
