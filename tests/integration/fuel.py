# SPDX-License-Identifier: Apache-2.0
"""Fuel is a property of a program: it is the same however often it runs, whatever the limit, and however it ends. So are
loops and calls."""

import os

from .harness import Test, expect, expect_equal

# Far more than any program here uses.
PLENTY = 10**12

MODULES = {
    "recursion": """(func $fib (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
         (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
        (func (export "run") (drop (call $fib (i32.const 15))))""",
    "tail_calls": """(func $down (param i32)
        (if (local.get 0) (then (return_call $down (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (call $down (i32.const 5000)))""",
    "exceptions": """(tag $t) (func $throws (param i32) (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t))))
        (func (export "run") (local i32) (loop $l
         (block $h (try_table (catch_all $h) (call $throws (local.get 0))))
         (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))""",
    "br_table": """(func (export "run") (local i32 i32) (loop $l
        (block $c (block $b (block $a (br_table $a $b $c (i32.rem_u (local.get 0) (i32.const 4))))
         (local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.mul (local.get 1) (i32.mul (i32.const 5)
          (i32.add (local.get 1) (i32.xor (local.get 0) (i32.sub (local.get 1) (i32.const 3)))))))))
         (br $c)) (local.set 1 (i32.const 1)))
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))""",
    "indirect_calls": """(type $f (func (param i32) (result i32))) (table funcref (elem $one $two))
        (func $one (type $f) (i32.add (local.get 0) (i32.const 1))) (func $two (type $f) (i32.mul (local.get 0) (i32.const 3)))
        (func (export "run") (local i32 i32) (loop $l
         (local.set 1 (call_indirect (type $f) (local.get 1) (i32.and (local.get 0) (i32.const 1))))
         (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))""",
    "bulk": """(memory 40) (func (export "run") (local i32) (loop $l
        (memory.fill (i32.const 0) (local.get 0) (i32.mul (local.get 0) (i32.const 40000)))
        (memory.copy (i32.const 100) (i32.const 0) (i32.mul (local.get 0) (i32.const 30000)))
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50)))))""",
    "growth": """(memory 1 100) (table 1 funcref) (func (export "run") (local i32) (loop $l
        (drop (memory.grow (i32.const 1))) (drop (table.grow (ref.null func) (i32.const 5)))
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50)))))""",
    "start": """(func $s (local i32) (loop $l
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 500))))) (start $s)
        (func (export "run"))""",
    "wasi": """(import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 16) "x")
        (func (export "run") (local i32)
         (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1)) (loop $l
         (drop (call $y)) (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
         (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50)))))""",
}

# A trap does not lose the count: the fuel used until then is known.
TRAPS = {
    "unreachable": '(func (export "run") (local i32) (loop $l (if (i32.eq (local.get 0) (i32.const 100)) (then unreachable))'
    " (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $l)))",
    "division": '(func (export "run") (local i32) (local.set 0 (i32.const 100)) (loop $l'
    " (drop (i32.div_u (i32.const 1) (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (br $l)))",
    "bounds": '(memory 1) (func (export "run") (local i32) (loop $l (drop (i32.load (local.get 0)))'
    " (local.set 0 (i32.add (local.get 0) (i32.const 4096))) (br $l)))",
    "bulk_bounds": '(memory 1) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 65537)))',
    "exception": "(tag $t) (func $f (param i32) (if (i32.eqz (local.get 0)) (then (throw $t)))"
    ' (call $f (i32.sub (local.get 0) (i32.const 1)))) (func (export "run") (call $f (i32.const 50)))',
}

# Two core modules in each of two components that call each other: all of them share one count.
COMPONENT = """(component
    (component $inner
        (core module $m (func (export "f") (param i32) (result i32) (local i32) (loop $l
            (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0)))) (local.get 1)))
        (core instance $i (instantiate $m))
        (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))
    (component $outer
        (import "f" (func $f (param "n" u32) (result u32)))
        (core func $lowered (canon lower (func $f)))
        (core module $helper (func (export "h") (param i32) (result i32) (i32.add (local.get 0) (i32.const 7))))
        (core instance $h (instantiate $helper))
        (core module $m (import "" "f" (func $f (param i32) (result i32))) (import "h" "h" (func $h (param i32) (result i32)))
            (func (export "run") (result i32) (local i32 i32) (loop $l
                (local.set 1 (call $f (call $h (local.get 0))))
                (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50)))) (local.get 1)))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $lowered)))) (with "h" (instance $h))))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $outer (with "f" (func $a "f"))))
    (export "run" (func $b "run")))"""

SCRIPTS = {
    "loops": "let s = 0; for (let i = 0; i < 3000; i++) s += i % 7; s",
    "recursion": "const f = n => n < 2 ? n : f(n - 1) + f(n - 2); f(14)",
    "objects": "const a = []; for (let i = 0; i < 500; i++) a.push({ i, name: 'n' + i }); a.map(o => o.name).join().length",
    "json": "let t = '[]'; for (let i = 0; i < 40; i++) t = JSON.stringify([JSON.parse(t), { i }]); t.length",
    "regular_expression": "'a'.repeat(200).replace(/(a+)b|a/g, 'x').length",
    "sort": "Array.from({ length: 400 }, (_, i) => (i * 7919) % 401).sort((a, b) => a - b)[7]",
    "strings": "let s = ''; for (let i = 0; i < 300; i++) s += String.fromCharCode(65 + i % 26); s.split('A').length",
    "exceptions": "let n = 0; for (let i = 0; i < 300; i++) try { if (i % 3 == 0) throw new TypeError('x' + i) } catch (e) { n++ } n",
    "generators": "function* g() { for (let i = 0; i < 300; i++) yield i } let s = 0; for (const x of g()) s += x; s",
    "promises": "(async () => { let s = 0; for (let i = 0; i < 200; i++) s += await i; return s })()",
    "awaits": "await 1; for (let i = 0; i < 20; i++); await 2",
    "settled": "new Promise(r => setTimeout(r, 3)).then(() => [1, 2].map(x => x))",
    "digest": "crypto.subtle.digest('SHA-256', new Uint8Array(9)).then(d => new Uint8Array(d)[0])",
    "timers": "new Promise(r => { let n = 0; const t = setInterval(() => { if (++n == 5) { clearInterval(t); r(n) } }, 1) })",
    "garbage": "let keep; for (let i = 0; i < 3000; i++) { const a = { b: null }; a.b = { a, text: 'x'.repeat(i % 50) }; keep = a } keep.b.text.length",
    "checkpoints": "for (let i = 0; i < 20; i++) { curfew.checkpoint({ i }); curfew.progress(i) } 1",
    "output": "for (let i = 0; i < 20; i++) console.log('line', i, { i })",
    "limits": "Object.keys(curfew.limits).length + String(curfew.limits.timeout_us)",
    "nothing": "",
    "big_integers": "let x = 1n; for (let i = 1n; i < 120n; i++) x *= i; String(x).length",
    "proxies": "let n = 0; const p = new Proxy({}, { get: (t, k) => n++ }); for (let i = 0; i < 300; i++) p.x; n",
}

THROWING = {
    "thrown": "let i = 0; for (;;) if (++i == 1000) throw new Error('at ' + i)",
    "stack": "const f = () => f() + 1; f()",
    "rejected": "(async () => { for (let i = 0; i < 50; i++) await i; null.x })()",
}

# How far a loop gets before it is stopped varies, and the count must match that.
ENDLESS = """(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (func (export "run") (loop $l (br $l))))"""


def write(context, text, ending="wat"):
    path = os.path.join(context.directory(), f"program.{ending}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def used(context, path, limit, *options):
    report, _ = context.report("--fuel", str(limit), "--deterministic", *options, path)
    return report["outcome"], report["used"]["fuel"], report


def check_exact(context, path, *options, outcome="ok"):
    # Claim L26.
    """The fuel is the same with every limit that suffices. With one unit less, the run is stopped."""
    ended, fuel, _ = used(context, path, PLENTY, *options)
    expect_equal("outcome", ended, outcome)
    expect(fuel > 0, "nothing was used")
    for limit in (PLENTY, 10**15, fuel + 1, fuel):
        expect_equal(f"with a limit of {limit}", used(context, path, limit, *options)[:2], (outcome, fuel))
    for limit in (fuel - 1, fuel // 2, 1):
        if limit > 0:
            expect_equal(f"with a limit of {limit}", used(context, path, limit, *options)[:2], ("fuel", limit))
    return 8


def check_module(context, text, outcome="ok"):
    return check_exact(context, write(context, f"(module {text})"), "--call", "run", outcome=outcome)


def check_component(context):
    return check_exact(context, write(context, COMPONENT), "--call", "run")


def check_trap_of_component(context):
    text = COMPONENT.replace(
        "(local.get 1)))\n        (core instance $i (instantiate $m))",
        "unreachable))\n        (core instance $i (instantiate $m))",
        1,
    )
    expect(text != COMPONENT, "the component has no place for a trap")
    return check_exact(context, write(context, text), "--call", "run", outcome="trapped")


def check_loops(context, path, outcome):
    # Claim L38.
    """The same for loops and calls, wherever the last ones are: in the program or in what its promises call."""

    def ends(limit):
        report, _ = context.report("--loops", str(limit), "--deterministic", path)
        return report["outcome"], report["used"]["loops"]

    ended, loops = ends("unlimited")
    expect_equal("outcome", ended, outcome)
    expect_equal("with that limit", ends(loops), (outcome, loops))
    for limit in {loops - 1, loops - 2, loops - 3, loops - 4, loops // 2, 1}:
        if 0 < limit < loops:
            expect_equal(f"with a limit of {limit} loops", ends(limit), ("loops", limit))


def check_script(context, text, outcome="ok", ending="js"):
    path = write(context, text, ending)
    check_loops(context, path, outcome)
    return check_exact(context, path, outcome=outcome)


def check_image(context):
    """A program's image uses the same fuel as its source."""
    path = write(context, SCRIPTS["objects"], "js")
    image = path[:-3] + ".curfew"
    context.command([context.curfew, "compile", "-o", image, path])
    expect_equal("fuel", used(context, image, PLENTY)[:2], used(context, path, PLENTY)[:2])
    return check_exact(context, image)


def check_script_position(context):
    """The program ends at the statement where the fuel ends, and everything before it was executed."""
    text = "let i = 0;\nfor (; i < 300; i++)\n\tcurfew.checkpoint(i);\nfor (; i < 600; i++)\n\tcurfew.checkpoint(i);\n"
    path = write(context, text, "js")
    _, fuel, report = used(context, path, PLENTY, "--host-calls", "unlimited")
    expect_equal("all of it", report["partial"], 599)
    last = -1
    for percent in (93, 94, 95, 96, 97, 98, 99):
        outcome, _, report = used(context, path, fuel * percent // 100, "--host-calls", "unlimited")
        reached = report["partial"] if report["partial"] is not None else -1
        expect_equal("outcome", outcome, "fuel")
        expect(last <= reached < 600, f"{reached} after {last}")
        line = next(frame["line"] for frame in report["error"]["stack"] if frame["file"])
        expect(
            line in ((2, 3) if reached < 299 else (3, 4, 5) if reached == 299 else (4, 5)),
            f"line {line} at {reached}: {report['error']['stack']}",
        )
        last = reached
    return 7


def check_script_stopped(context, text, *stop):
    """The fuel that was used until a stop is known, whatever the kind of stop."""
    outcome, fuel, report = used(context, write(context, text, "js"), PLENTY, *stop)
    expect(outcome in ("deadline", "cpu", "loops", "memory"), f"{outcome}")
    # On a busy machine it may have ended before it began.
    is_before = fuel == 0 and not report["error"]["stack"]
    expect(is_before or 1000 < fuel < PLENTY, f"{fuel} of fuel in {report['used']['cpu_us']} us")


def check_stopped_before(context):
    """A metered run that ended before its program began has used no fuel."""
    for path, *words in ((write(context, "1", "js"),), (write(context, ENDLESS), "--call", "run")):
        outcome, fuel, _ = used(context, path, PLENTY, *words, "--timeout", "1us")
        expect_equal("used", (outcome, fuel), ("deadline", 0))
    outcome, fuel, _ = used(context, write(context, "(", "js"), PLENTY)
    expect_equal("no program", (outcome, fuel), ("bad_program", 0))


def check_script_stopped_by_itself(context):
    """A program that exceeds another limit by itself does so at the same place, with the same fuel."""
    for text, *stop in (
        ("for (;;);", "--loops", "12345"),
        ("const a = []; for (;;) a.push([1, 2, 3])", "--memory", "8MiB"),
        ("for (;;) setTimeout(() => {}, 1e6)", "--timers", "30"),
        ("for (;;) curfew.checkpoint(1)", "--host-calls", "30"),
    ):
        path = write(context, text, "js")
        seen = {used(context, path, limit, *stop)[:2] for limit in (PLENTY, 10**15, PLENTY)}
        expect_equal(f"different ends of {text}", len(seen), 1)


def check_stopped(context, *stop):
    """At least about one instruction in a nanosecond. The time limit stopped it."""
    outcome, fuel, report = used(context, write(context, ENDLESS), PLENTY, "--call", "run", *stop)
    expect(outcome in ("deadline", "cpu"), f"{outcome}")
    expect(fuel > 1000 and fuel < PLENTY, f"{fuel} of fuel in {report['used']['cpu_us']} us")


def check_table(context):
    # Claims L27, L28, L29, L30, L31, L32, L35.
    """The costs in docs/LIMITS.md, added up by hand."""
    text = """(module (memory 1) (func $f) (func (export "run") (local i32)
        (loop $l (call $f) (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10))))
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 1600)) (drop (memory.grow (i32.const 0)))))"""
    # The function and its code outside of the loop; then the loop ten times, each time with a call of an empty
    # function.
    outside = 1 + (3 + 1 + 1600 // 16) + (1 + 500)
    inside = 1 + 1 + 6 + 1
    expect_equal("fuel", used(context, write(context, text), PLENTY, "--call", "run")[1], outside + 10 * inside)


def tests(context):
    checks = {
        f"module_{name}": lambda context, text=text: check_module(context, text) for name, text in MODULES.items()
    }
    for name, text in TRAPS.items():
        checks[f"trap_{name}"] = lambda context, text=text: check_module(context, text, "trapped")
    checks["component"] = check_component
    checks["trap_component"] = check_trap_of_component
    checks["stopped_deadline"] = lambda context: check_stopped(context, "--timeout", "200ms")
    checks["stopped_cpu"] = lambda context: check_stopped(context, "--cpu", "100ms")
    checks["table"] = check_table
    for name, text in SCRIPTS.items():
        checks[f"script_{name}"] = lambda context, text=text: check_script(context, text)
    for name, text in THROWING.items():
        checks[f"script_{name}"] = lambda context, text=text: check_script(context, text, "threw")
    checks["script_module"] = lambda context: check_script(
        context, "export default () => [1, 2, 3].map(n => n * 2)", ending="mjs"
    )
    checks["script_image"] = check_image
    checks["script_position"] = check_script_position
    checks["script_stopped"] = lambda context: check_script_stopped(context, "for (;;);", "--timeout", "200ms")
    checks["script_stopped_hard"] = lambda context: check_script_stopped(
        context, "const a = Array(1e7).fill(1); for (;;) a.indexOf(2)", "--cpu", "500ms", "--memory", "1GiB"
    )
    checks["stopped_before"] = check_stopped_before
    checks["script_stopped_by_itself"] = check_script_stopped_by_itself
    return [Test("fuel", name, check) for name, check in checks.items()]
