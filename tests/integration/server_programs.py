# SPDX-License-Identifier: Apache-2.0
"""curfew serve and its programs: the data about stored programs, and WebAssembly, whose results over HTTP are those of
the command line."""

import base64
import concurrent.futures
import contextlib
import glob
import json
import os
import shlex
import sqlite3

from .cases import CONTROLS, check_entry, check_stream, read_header
from .harness import ROOT, Skipped, Test, expect, expect_equal
from .server import make_token
from .serving import WITHOUT_GRANTS, Server
from .wasm import compiled, component, small_module

TESTS = []
TYPES = {"js": "text/javascript", "mjs": "text/javascript", "wasm": "application/wasm", "wat": "text/wat"}
ADD = b'(module (memory (export "mem") 1) (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
SEVEN = b""";; Text that does not begin with what it is.
(component (core module $m (func (export "f") (result i32) (i32.const 7))) (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))"""


def test(function):
    TESTS.append(function)
    return function


def put(server, name, source, status=201):
    lang = name.rsplit(".", 1)[-1]
    return server.ask("PUT", f"/v1/programs/{name}?lang={lang}", source, status, headers={"Content-Type": TYPES[lang]})


def read_binary(path):
    with open(path, "rb") as file:
        return file.read()


# ---- Stored programs ----------------------------------------------------------------------------------------------


@test
def exports(context):
    module, _ = small_module()
    value = {"kind": "value", "type": None}
    cases = [
        ("script.js", b"function f() {} 1", "js", None),
        (
            "module.mjs",
            "export default (a, b) => a + b; export const é = 1; export {é as 'a\\u0000b'}".encode(),
            "js",
            [{"name": "a\0b", **value}, {"name": "default", **value}, {"name": "é", **value}],
        ),
        ("nothing.mjs", b"1", "js", []),
        (
            "add.wat",
            ADD,
            "module",
            [
                {"name": "mem", "kind": "memory", "type": "1 page or more"},
                {"name": "add", "kind": "function", "type": "(i32, i32) -> i32"},
            ],
        ),
        ("small.wasm", module, "module", [{"name": "run", "kind": "function", "type": "() -> ()"}]),
        ("seven.wat", SEVEN, "component", [{"name": "f", "kind": "function", "type": "func() -> u32"}]),
    ]
    with Server(context) as server:
        for name, source, kind, wanted in cases:
            stored = put(server, name, source)
            expect_equal(name, (stored["kind"], stored["exports"]), (kind, wanted))
            expect_equal(f"{name}, seen again", server.ask("GET", f"/v1/programs/{name}"), stored)
            expect_equal(f"{name}, stored again", put(server, name, source, 200), stored)
        listed = {item["name"]: item["exports"] for item in server.ask("GET", "/v1/programs")["programs"]}
        expect_equal("list", listed, {name: wanted for name, _, _, wanted in cases})
        server.kill()
    with Server(context, data=server.data) as server:
        expect_equal("from disk", server.ask("GET", "/v1/programs/seven.wat")["exports"], cases[-1][3])


def store_described(data, count, exports):
    """Stores so many programs like the one named "first", with long descriptions."""
    description = json.dumps([{"name": "n" * 1000, "kind": "value", "type": None}] * exports)
    with contextlib.closing(sqlite3.connect(os.path.join(data, "curfew.db"))) as database:
        database.execute(
            "INSERT INTO programs SELECT owner, 'name' || value, sha256, language, kind, ?, size, created_us, updated_us "
            "FROM programs, json_each(?) WHERE name='first'",
            (description, json.dumps(list(range(count)))),
        )
        database.commit()


@test
def long_lists(context):
    """A list of programs may be of any size: it is sent while it is read, and the server holds a part of it."""
    data = os.path.join(context.directory(), "data")
    alice, bob = make_token(context, data, "--name", "alice"), make_token(context, data, "--name", "bob")
    admin = make_token(context, data, "--name", "admin", "--scopes", "admin")
    with Server(context, data=data, token=alice) as server:
        for name, token in (("first", alice), ("all", admin)):
            server.ask(
                "PUT", f"/v1/programs/{name}", "1", 201, headers={"Content-Type": "text/javascript"}, token=token
            )
    store_described(data, 100, 900)
    with Server(context, data=data, token=alice) as server:
        before = anonymous_mib(server.process.pid)
        names = {"all", "first", *(f"name{i}" for i in range(100))}
        for token, few in ((alice, False), (admin, False), (bob, True)):
            programs = server.ask("GET", "/v1/programs", token=token)["programs"]
            expect_equal("the programs", {one["name"] for one in programs}, {"all"} if few else names)
            expect_equal("no name twice", len(programs), 1 if few else len(names))
        expect(anonymous_mib(server.process.pid) < before + 60, "the server has held the whole list")
        with contextlib.closing(server.connect()) as connection:
            connection.request("GET", "/v1/programs", headers={"Authorization": f"Bearer {alice}"})
            connection.getresponse().read(100000)
        expect_equal("a client that left", server.run("6 * 7")["value"], 42)


@test
def lists_end_whole(context):
    """A list that is read in pages has its last page, however soon that was read."""
    data = os.path.join(context.directory(), "data")
    with Server(context, data=data) as server:
        server.ask("PUT", "/v1/programs/first", "1", 201, headers={"Content-Type": "text/javascript"})
    store_described(data, 12, 100)
    with Server(context, data=data) as server, concurrent.futures.ThreadPoolExecutor(4) as threads:
        whole = server.request("GET", "/v1/programs").body

        def read(_):
            return server.request("GET", "/v1/programs").body == whole

        json.loads(whole)
        expect(all(threads.map(read, range(60))), "a list was cut off")


@test
def quota_of_many_at_once(context):
    """Programs that a token stores at the same time do not exceed its quota together."""
    data = os.path.join(context.directory(), "data")
    token = make_token(context, data, "--name", "alice", "--programs-size", "1MiB")
    with Server(context, data=data, token=token) as server, concurrent.futures.ThreadPoolExecutor(12) as threads:
        headers = {"Content-Type": "text/javascript"}

        def store(i):
            return server.request("PUT", f"/v1/programs/p{i}", f"//{i}{'x' * 400000}", headers=headers).status

        expect_equal("stored", sorted(threads.map(store, range(12)))[:3], [201, 201, 429])
        stored = [one["name"] for one in server.ask("GET", "/v1/programs")["programs"]]
        expect_equal("in the list", len(stored), 2)
        # What was refused is not reserved any more, and what is replaced does not count.
        server.ask("PUT", f"/v1/programs/{stored[0]}", f"//{'y' * 500000}", headers=headers)
        server.ask("DELETE", f"/v1/programs/{stored[1]}", status=204)
        server.ask("PUT", "/v1/programs/next", f"//{'z' * 500000}", 201, headers=headers)


@test
def bad_programs(context):
    cases = [
        ("a.js", b"let 1", "SyntaxError", "line 1, column 5"),
        ("b.mjs", b"export default 1;\nimport 'nothing'", "ReferenceError", "'nothing'"),
        ("c.wat", b"(module\n  (bogus))", "CompileError", "line 2, column 4"),
        ("d.wat", b"(module (func (result i32)))", "CompileError", "offset 0x18"),
        ("e.wat", b'(module (import "env" "nope" (func)))', "LinkError", "env.nope"),
        ("f.wasm", b"\0asm\1\0\0\0\1\2\3", "CompileError", "offset 0xa"),
        ("g.wasm", b"hello", "CompileError", "does not begin like WebAssembly"),
        ("h.wat", b"(component (bogus))", "CompileError", "line 1, column 13"),
        (
            "i.wat",
            b"(module " + b"".join(b'(func (export "a rather long name %d"))' % i for i in range(24000)) + b")",
            "1 MiB to describe",
            "",
        ),
    ]
    with Server(context) as server:
        put(server, "kept.wat", ADD)
        for name, source, error, place in (
            cases[:-1] if context.is_sanitized else cases
        ):  # the last one takes too long then
            problem = put(server, name, source, 422)
            expect(error in problem["detail"] and place in problem["detail"], f"{name}: {problem}")
            server.ask("GET", f"/v1/programs/{name}", status=404)
        put(server, "kept.wat", b"(module (bogus))", 422)
        expect_equal("what was there", server.run(program="kept.wat", call="add", params=[2, 3])["value"], 5)


@test
def older_database(context):
    """A program that an older version stored has no exports until it is stored again."""
    with Server(context) as server:
        stored = put(server, "seven.wat", SEVEN)
        server.stop()
    with sqlite3.connect(os.path.join(server.data, "curfew.db")) as database:
        database.execute("UPDATE programs SET exports='null', kind='module'")
        database.executescript(WITHOUT_GRANTS + "PRAGMA user_version=2;")
    database.close()
    with Server(context, data=server.data) as server:
        expect_equal("before", server.ask("GET", "/v1/programs/seven.wat")["exports"], None)
        expect_equal("run", server.run(program="seven.wat", call="f")["value"], 7)
        again = put(server, "seven.wat", SEVEN, 200)
        expect_equal(
            "after",
            (again["kind"], again["exports"], again["created_ms"]),
            ("component", stored["exports"], stored["created_ms"]),
        )


# ---- WebAssembly, as on the command line ----------------------------------------------------------------------------


def read_fields(words):
    """Converts options of curfew run to the fields of a submission. None: one of them has no field."""
    fields, limits = {}, {}
    for option, value in zip(words[::2], words[1::2]):
        if option == "--call":
            fields["call"] = value
        elif option == "--params":
            fields["params"] = json.loads(value)
        elif option.startswith("--"):
            limits[option[2:]] = value
    return {**fields, **({"limits": limits} if limits else {})} if len(words) % 2 == 0 and "--" not in words else None


def check_case(server, path):
    """A case of tests/cases/wasm as a stored program, or as a source if it is refused."""
    entries = read_header(path)
    fields = read_fields([word for key, _, value in entries if key == "args" for word in shlex.split(value)])
    if fields is None:
        return 0
    source = read_binary(path)
    name = os.path.basename(path)
    answer = server.request("PUT", f"/v1/programs/{name}", source, headers={"Content-Type": "text/wat"})
    if answer.status == 422:
        report = server.run(source.decode(), lang="wat", **fields)
        expect_equal("a program that is refused", report["outcome"], "bad_program")
        entries = [entry for entry in entries if entry[0] != "frames"]
    else:
        expect(answer.status in (200, 201), f"PUT {name}: {answer.status} {answer.body}")
        report = server.run(program=name, **fields)
        expect_equal("kind", report["program"]["kind"], answer.json()["kind"])
    for key, is_pattern, expected in entries:
        # In a report, a file name is the program's name, which differs if the program is refused.
        if key not in CONTROLS or is_pattern:
            check_entry(report, key, is_pattern, expected)
    for stream in ("stdout", "stderr"):
        lines = [value for key, is_pattern, value in entries if key == stream and not is_pattern]
        if lines:
            check_stream(report, stream, lines)
    return 1


@test
def wasm_cases(context):
    root = os.path.join(ROOT, "tests", "cases", "wasm")
    done, faults = 0, []
    with Server(context) as server:
        for path in sorted(glob.glob(f"{root}/**/*.wat", recursive=True)):
            try:
                done += check_case(server, path)
            except Exception as error:  # every error is reported
                faults.append(f"{os.path.relpath(path, root)}: {error}")
    expect(not faults, "\n".join(faults))
    expect(done > 80, f"only {done} cases were run")
    return done


def compare(context, server, path, options, fields):
    """One binary on the command line, stored, and as source in base64: the results are the same, except times."""

    def facts(report):
        error = report["error"]
        frames = [(frame["function"], frame["wasm_offset"]) for frame in error["stack"]] if error else []
        return (
            report["outcome"],
            report["value"],
            report["stdout"],
            report["stderr"],
            error and (error["name"], error["message"]),
            frames,
            report["program"]["kind"],
            report["program"]["sha256"],
        )

    expected, _ = context.report(*options, path)
    source = read_binary(path)
    server.request("PUT", "/v1/programs/subject", source, headers={"Content-Type": "application/wasm"})
    expect_equal(f"{fields} stored", facts(server.run(program="subject", **fields)), facts(expected))
    given = server.run(base64.b64encode(source).decode(), lang="wasm", durable=False, **fields)
    expect_equal(f"{fields} as source", facts(given), facts(expected))


@test
def binaries(context):
    module, _ = small_module()
    path = os.path.join(context.directory(), "small.wasm")
    with open(path, "wb") as file:
        file.write(module)
    reactor = compiled(context, "reactor", "-mexec-model=reactor")
    world = component(context, "text", os.path.join(ROOT, "tests", "wasm", "text.wit"), "-mexec-model=reactor")
    with Server(context) as server:
        compare(context, server, path, ["--call", "run"], {"call": "run"})
        compare(context, server, path, ["--call", "nope"], {"call": "nope"})
        compare(context, server, reactor, ["--call", "root", "--params", "[49]"], {"call": "root", "params": [49]})
        for call, params in (("add", [2, 40]), ("shout", ["hello"]), ("crash", []), ("add", ["x"])):
            compare(
                context,
                server,
                world,
                ["--call", call, "--params", json.dumps(params)],
                {"call": call, "params": params},
            )
        report = server.run(program="subject", call="spin", limits={"timeout": "100ms"})
        expect_equal("spin", (report["outcome"], report["error"]["stack"][0]["function"]), ("deadline", "spin"))
        server.refuse(400, {"source": "AA=A", "lang": "wasm"}, "/source", "base64")
        server.refuse(400, {"source": "(module)", "lang": "wasm"}, "/source", "base64")
        expect_equal(
            "not WebAssembly", server.run(base64.b64encode(b"hello").decode(), lang="wasm")["outcome"], "bad_program"
        )


@test
def commands(context):
    """WASI programs get arguments and environment as in curfew run, even if the server was killed meanwhile."""
    words = ["show", "a b", "ä", ""]
    env = {"GIVEN": "x=y", "EMPTY": ""}
    with Server(context) as server:
        for kind in (compiled(context, "command"), component(context, "command", "command")):
            expected, _ = context.report("--allow-env", "GIVEN", "--allow-env", "EMPTY", kind, "--", *words, env=env)
            source = read_binary(kind)
            server.request("PUT", "/v1/programs/command", source, headers={"Content-Type": "application/wasm"})
            report = server.run(program="command", args=words, env=env)
            expect_equal(
                "outcome",
                (report["outcome"], report["program"]["kind"]),
                (expected["outcome"], expected["program"]["kind"]),
            )
            expect_equal("what it sees", sorted(report["stdout"].split("\n")), sorted(expected["stdout"].split("\n")))
            for args, code in ((["exit", "7"], 7), (["abort"], 1), (["echo"], 0)):
                expected, done = context.report(kind, "--", *args)
                report = server.run(base64.b64encode(source).decode(), lang="wasm", args=args)
                expect_equal(
                    f"{args}",
                    [report[key] for key in ("outcome", "stdout", "stderr")],
                    [expected[key] for key in ("outcome", "stdout", "stderr")],
                )
                expect_equal(
                    f"{args}: message",
                    report["error"] and report["error"]["message"],
                    expected["error"] and expected["error"]["message"],
                )
        later = server.submit(program="command", args=["show", "later"], env={"A": "1"}, delay="3s")["id"]
        server.kill()
    with Server(context, data=server.data) as server:
        expect_equal(
            "after a crash", server.wait_for(later)["report"]["stdout"], "argument show\nargument later\nvariable A=1\n"
        )
        put(server, "script.js", b"1")
        source = {"source": "(module)", "lang": "wat"}
        for fields, pointer in (
            ({**source, "args": "x"}, "/args"),
            ({**source, "args": [1]}, "/args/0"),
            ({**source, "args": ["a", "b\0"]}, "/args/1"),
            ({**source, "args": [""] * 1025}, "/args"),
            ({**source, "env": []}, "/env"),
            ({**source, "env": {"A": 1}}, "/env/A"),
            ({**source, "env": {"A=B": "x"}}, "/env/A=B"),
            ({**source, "env": {"": "x"}}, "/env/"),
            ({"source": "1", "args": []}, "/args"),
            ({"program": "script.js", "args": ["x"]}, "/args"),
        ):
            server.refuse(400, fields, pointer)


@test
def replaced_in_turns(context):
    """A program may be replaced by its earlier version, and deleted and stored again, any number of times."""
    with Server(context) as server:
        for turn in range(8):
            put(server, "p.js", str(turn % 2), 200 if turn > 0 else 201)
            expect_equal(f"turn {turn}", server.run(program="p.js")["value"], turn % 2)
        for turn in range(4):
            server.request("DELETE", "/v1/programs/p.js")
            put(server, "p.js", str(turn % 2))
            expect_equal(f"stored again, turn {turn}", server.run(program="p.js")["value"], turn % 2)


@test
def kind_of_what_crashed(context):
    """Reports that no worker wrote contain the program's kind."""
    body = '(core module $m (func (export "f") (loop (br 0)))) (core instance $i (instantiate $m)) (func (export "f") (canon lift (core func $i "f")))'
    sources = {
        "component": f";; a comment\n (component {body})",
        "module": '(module (func (export "f") (loop (br 0))))',
    }
    with Server(context) as server:
        for kind, source in sources.items():
            run = server.submit(source, lang="wat", call="f", limits={"timeout": "10m"})["id"]
            context.until("it does not compute", lambda: (server.get(run)["used"] or {"cpu_us": 0})["cpu_us"] > 10000)
            server.kill_children()
            report = server.wait_for(run)["report"]
            expect_equal("report", (report["outcome"], report["program"]["kind"]), ("crashed", kind))


@test
def submitted_commands(context):
    """curfew submit passes on the arguments after "--"."""
    path = compiled(context, "command")
    with Server(context) as server:
        server.request("PUT", "/v1/programs/command", read_binary(path), headers={"Content-Type": "application/wasm"})
        for words in ([path], ["--program", "command"]):
            done = context.command(
                [
                    context.curfew,
                    "submit",
                    "--server",
                    f"http://127.0.0.1:{server.port}",
                    "--wait",
                    *words,
                    "--",
                    "show",
                    "a b",
                ]
            )
            expect_equal(f"{words}: {done.err}", (done.code, done.out), (0, b"argument show\nargument a b\n"))
        done = context.command(
            [context.curfew, "submit", "--server", f"http://127.0.0.1:{server.port}", "--wait", path, "--", "exit", "7"]
        )
        expect_equal("exit code", done.code, 7)


# ---- Many of them -------------------------------------------------------------------------------------------------


def few_descriptors(context, count):
    """The command, none of whose processes has more descriptors than this."""
    path = os.path.join(context.directory(), "few")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nulimit -n {count}\nexec {context.curfew} "$@"\n')
    os.chmod(path, 0o755)
    return path


def run_many(context, count, *options):
    """Stores and runs many modules, half of them also under a fuel limit. Each needs descriptors while it is cached."""
    with Server(context, *options) as server:
        for number in range(count):
            source = b'(module (func (export "f") (result i32) (i32.const %d)))' % number
            put(server, f"number-{number}.wat", source)
            for limits in ({}, {"fuel": "1M"})[: 1 + number % 2]:
                report = server.run(program=f"number-{number}.wat", call="f", limits={"timeout": "60s", **limits})
                expect_equal(f"number {number}, {limits}", (report["outcome"], report["value"]), ("ok", number))
        for number in range(count):
            report = server.run(ADD.decode() + ";;" + str(number), lang="wat", call="add", params=[number, 1])
            expect_equal(f"source {number}", (report["outcome"], report["value"]), ("ok", number + 1))
        expect_equal("restarts", server.metric("curfew_worker_restarts_total"), 0)


@test
def many_are_kept(context):
    # Claim L424.
    """The number of different modules is not limited: a worker drops some before its descriptors run out."""
    run_many(context, 150, "--workers", "1")


@test
def few_are_kept(context):
    """The same if the system allows few descriptors."""
    context.curfew, own = few_descriptors(context, 200), context.curfew
    try:
        run_many(context, 40, "--workers", "1")
    finally:
        context.curfew = own


def anonymous_mib(pid):
    """What a process holds. One that has ended holds nothing."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            return next((int(line.split()[1]) >> 10 for line in status if line.startswith("RssAnon")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


@test
def ended_runs_hold_no_sources(context):
    # Claim L424.
    """Ended runs are kept for reading, but their programs are not, beyond those that stay cached."""
    if context.is_sanitized:
        raise Skipped("a sanitizer holds on to what was freed")
    with Server(context, "--workers", "1") as server:
        for number in range(50):
            source = f"/*{'x' * (5 << 20)}*/ {number}"
            report = server.run(source, durable=False, limits={"timeout": "60s"})
            expect_equal("run", (report["outcome"], report["value"]), ("ok", number))
        for pid in (server.process.pid, *server.children()):
            expect(anonymous_mib(pid) < 64 + 64, f"process {pid} holds {anonymous_mib(pid)} MiB")


def tests(context):
    return [Test("server", function.__name__, function) for function in TESTS]


@test
def common_js(context):
    """A source in CommonJS runs as in Node, with Node's modules; it has no directory for others."""
    with Server(context) as server:
        for source, more, expected in (
            ("const p = require('path'); p.join('a', 'b') + typeof process.exit", {}, "a/bfunction"),
            ("module.exports = (a) => a * 2", {"params": [4]}, 8),
            (
                "exports.handler = async (event) => ({ body: event.a })",
                {"call": "handler", "params": [{"a": 1}]},
                {"body": 1},
            ),
            ("let ran = 0; if (require.main === module) ran = 1; [ran, __filename]", {}, [1, "/source.js"]),
            (
                "try { require('./x'); } catch (error) { error.message }",
                {},
                "Cannot find module './x': this program has no directory to import from",
            ),
            ("try { require('lodash'); } catch (error) { error.code }", {}, "MODULE_NOT_FOUND"),
        ):
            report = server.submit(source, 200, wait=True, **more)
            expect_equal(source, (report["outcome"], report["value"]), ("ok", expected))
