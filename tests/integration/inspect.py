# SPDX-License-Identifier: Apache-2.0
"""curfew inspect describes a program without running it. curfew calibrate measures how much fuel a millisecond of work
takes."""

import json
import os
import re

from .cli import expect_error, expect_program_error, write
from .harness import Test, expect, expect_equal, shorten

TESTS = []

WASI = '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'
MODULE = f"""(module {WASI} (memory (export "memory") 2 100) (table 10 funcref)
 (global (export "g") (mut i32) (i32.const 0)) (func (export "add") (param i32 i64) (result f64) (f64.const 0))
 (func $start (loop $l br $l)) (start $start))"""
COMPONENT = """(component (core module $m (memory 3) (func (export "f") (result i32) i32.const 1))
 (core instance $i (instantiate $m)) (func (export "f") (result u32) (canon lift (core func $i "f"))))"""
ENDLESS = '(module (func (export "run") (loop $l br $l)))'


def test(function):
    TESTS.append(function)
    return function


def inspect(context, path, *words):
    done = context.command([context.curfew, "inspect", "--json", *words, path])
    expect(done.code == 0 and done.err == b"", f"exit {done.code}: {shorten(done.err.decode(), 400)}")
    about = json.loads(done.out)
    expect_equal("schema", about["schema"], "curfew.inspect/1")
    return about


def names(items):
    return [item["name"] for item in items]


@test
def inspect_module(context):
    about = inspect(context, write(context, "m.wat", MODULE))
    expect_equal("kind", (about["kind"], about["name"], about["bytes"]), ("module", "m.wat", len(MODULE)))
    expect_equal(
        "needs",
        about["needs"],
        {"memory_bytes": 2 * 65536 + 80, "memory_most_bytes": 100 * 65536, "table_elements": 10, "wasi": True},
    )
    expect_equal(
        "imports",
        about["imports"],
        [
            {
                "module": "wasi_snapshot_preview1",
                "name": "fd_write",
                "kind": "function",
                "type": "(i32, i32, i32, i32) -> i32",
            }
        ],
    )
    expect_equal(
        "exports",
        [(e["name"], e["kind"], e["type"]) for e in about["exports"]],
        [("memory", "memory", "2 to 100 pages"), ("g", "global", "mut i32"), ("add", "function", "(i32, i64) -> f64")],
    )


@test
def inspect_component(context):
    about = inspect(context, write(context, "c.wat", COMPONENT))
    expect_equal("kind", about["kind"], "component")
    expect_equal("memory", about["needs"]["memory_bytes"], 3 * 65536)
    expect_equal("exports", [(e["name"], e["type"]) for e in about["exports"]], [("f", "func() -> u32")])


@test
def inspect_without_memory(context):
    """A module without memory differs from one with a memory of no bytes. Tables count as memory in both."""

    def tell(text):
        path = write(context, "n.wat", text)
        about = inspect(context, path)["needs"]
        done = context.command([context.curfew, "inspect", path])
        line = [line.strip() for line in done.out.decode().splitlines() if line.startswith("  memory ")]
        return about["memory_bytes"], about["memory_most_bytes"], about["table_elements"], line

    expect_equal("none", tell(ENDLESS), (None, None, 0, ["memory  none"]))
    expect_equal("a table", tell("(module (table 10 funcref))"), (80, None, 10, ["memory  none"]))
    expect_equal(
        "empty", tell("(module (memory 0 1))"), (0, 65536, 0, ["memory  0 B to begin with, may grow to 64 KiB"])
    )
    expect_equal(
        "component",
        tell("(component (core module $m) (core instance (instantiate $m)))"),
        (None, None, 0, ["memory  none"]),
    )


@test
def inspect_javascript(context):
    """The names that a module exports, including those of re-exports. No code of it runs."""
    directory = context.directory()
    for name, text in (
        ("b.mjs", "export const z = 1; export {z as 'a b'};"),
        ("s.js", "for (;;);"),
        ("a.mjs", "import {z} from './b.mjs'; export * from './b.mjs'; export default () => z; for (;;);"),
    ):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
    about = inspect(context, os.path.join(directory, "a.mjs"))
    expect_equal("exports", names(about["exports"]), ["a b", "default", "z"])
    expect_equal("imports", names(about["imports"]), ["./b.mjs"])
    expect(about["needs"]["memory_bytes"] > 1 << 20 and not about["needs"]["wasi"], f"needs: {about['needs']}")
    script = inspect(context, os.path.join(directory, "s.js"))
    expect_equal("of a script", (script["kind"], script["exports"]), ("js", None))


@test
def inspect_image(context):
    for name, text in (("m.wat", MODULE), ("a.mjs", "export default 1; export let b;")):
        path, image = write(context, name, text), os.path.join(context.directory(), "p.curfew")
        expect_equal("compile", context.command([context.curfew, "compile", path, "-o", image]).code, 0)
        before, after = inspect(context, path), inspect(context, image)
        expect_equal("bytes", after.pop("bytes"), os.path.getsize(image))
        del before["bytes"]
        expect_equal(f"image of {name}", after, before)


@test
def inspect_text(context):
    done = context.command([context.curfew, "inspect", write(context, "m.wat", MODULE)])
    text = done.out.decode()
    for part in (
        "m.wat: module, ",
        "sha256 ",
        "WASI    yes",
        "imports\n",
        "wasi_snapshot_preview1.fd_write",
        "exports\n",
    ):
        expect(part in text, f"expected {part!r} in {text}")
    columns = {
        line.index(word) for line in text.splitlines() for word in ("2 to 100", "mut i32", "(i32, i64)") if word in line
    }
    expect_equal("columns of types", len(columns), 1)


@test
def inspect_errors(context):
    """The same errors as in curfew run."""

    def run(*words):
        return context.command([context.curfew, "inspect", *words])

    expect_error(run(), 2, "PROGRAM")
    expect_error(run("-"), 2, "--lang")
    expect_error(run("x.js", "--", "a"), 2, "arguments")
    expect_error(run("--memory", "1", "x.js"), 2, "memory")
    expect_program_error(run("/nonexistent.wasm"), "/nonexistent.wasm")
    expect_program_error(run(write(context, "b.wat", "(module (func i32.nothing))")), "CompileError", "b.wat:1:15")
    expect_program_error(run(write(context, "b.wasm", b"\0asm\1\0\0\0\7\5\1\1f\0\3")), "CompileError")
    expect_program_error(run(write(context, "c.js", "let x = ;")), "SyntaxError", "c.js:1:9")
    quiet = run("--quiet", write(context, "d.js", "let x = ;"))
    expect_equal("--quiet", (quiet.code, quiet.out, quiet.err), (3, b"", b""))


@test
def inspect_without_linking(context):
    """A program that cannot be linked, or has an invalid function, can still be inspected."""
    text = '(module (import "x" "y" (func (param i64))) (func (export "f") i32.add))'
    about = inspect(context, write(context, "a.wat", text))
    expect_equal("imports", about["imports"], [{"module": "x", "name": "y", "kind": "function", "type": "(i64) -> ()"}])
    expect_equal("exports", names(about["exports"]), ["f"])


# ---- Calibration --------------------------------------------------------------------------------------------------


def own_cache(context):
    return {"XDG_CACHE_HOME": context.directory()}


@test
def calibrate_keeps_figures(context):
    # Claim L36.
    env = own_cache(context)
    done = context.command([context.curfew, "calibrate", "--json"], env=env, timeout=60)
    expect_equal("exit", (done.code, done.err), (0, b""))
    figures = json.loads(done.out)
    expect_equal("schema", figures["schema"], "curfew.calibration/2")
    expect_equal("kinds", sorted(figures["fuel_per_ms"]), ["calls", "float", "integer", "javascript", "memory"])
    expect(all(value > 1000 for value in figures["fuel_per_ms"].values()), f"too little: {figures}")
    with open(os.path.join(env["XDG_CACHE_HOME"], "curfew", "calibration.json"), encoding="utf-8") as file:
        expect_equal("kept", json.load(file), figures)
    # Both use the stored rate, and print nothing.
    for name, text, rate in (
        ("a.js", "1", figures["fuel_per_ms"]["javascript"]),
        ("a.wat", ENDLESS, figures["webassembly_fuel_per_ms"]),
    ):
        report, done = context.report("--fuel", "20ms", write(context, name, text), env=env)
        expect_equal(f"limits.fuel of {name}", report["limits"]["fuel"], 20 * rate)
        expect_equal("stderr", done.err, b"")


@test
def calibrate_first(context):
    """If no rate is stored, or it is of another machine, it is measured before the run."""
    env, path = own_cache(context), write(context, "a.wat", ENDLESS)
    done = context.run("--fuel", "5ms", "--call", "run", path, env=env, timeout=60)
    expect_equal("exit", done.code, 121)
    expect(b"curfew calibrate" in done.err.splitlines()[0], f"expected a line about it: {done.err}")
    kept = os.path.join(env["XDG_CACHE_HOME"], "curfew", "calibration.json")
    with open(kept, encoding="utf-8") as file:
        figures = json.load(file)
    figures["machine"]["cpu"] = "another"
    for text in (json.dumps(figures), "{", ""):
        with open(kept, "w", encoding="utf-8") as file:
            file.write(text)
        done = context.run("--quiet", "--fuel", "5ms", "--call", "run", path, env=env, timeout=60)
        expect_equal("exit and what was said", (done.code, done.err), (121, b""))
        with open(kept, encoding="utf-8") as file:
            expect(json.load(file)["machine"]["cpu"] != "another", "it was not measured again")


@test
def fuel_as_time_is_checked(context):
    # Claim L36.
    path = write(context, "a.js", "1")
    expect_error(context.run("--fuel", "5parsec", path), 2, "--fuel")
    expect_error(context.run("--fuel", "0ms", path), 2, "--fuel")
    expect_error(context.command([context.curfew, "compile", "--fuel", "5ms", path]), 2, "--fuel")
    expect_error(context.command([context.curfew, "calibrate", "x"]), 2, "x", "calibrate")
    # The last option counts.
    report, _ = context.report("--fuel", "5ms", "--fuel", "1M", path)
    expect_equal("limits.fuel", report["limits"]["fuel"], 1000000)
    bench = context.command([context.curfew, "bench", "--json", "--runs", "2", "--fuel", "5ms", path], timeout=60)
    expect(bench.code == 0 and re.search(rb'"fuel":\{"min":\d', bench.out), f"bench: exit {bench.code}: {bench.err}")


def tests(context):
    return [Test("cli", function.__name__, function) for function in TESTS]
