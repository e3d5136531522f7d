# SPDX-License-Identifier: Apache-2.0
"""Host functions and sessions."""

import gc
import os
import threading
import time

import pytest

import curfew
from curfew import host
from conftest import SHORT, add


def value_of(engine, source, functions, **options):
    report = engine.program(source, functions=functions).run(**options)
    assert report.ok, str(report)
    return report.value


def test_json_there_and_back(engine):
    seen = []

    def keep(*values):
        seen.extend(values)
        return {"got": list(values)}

    assert value_of(engine, "host.keep(1, 'ü', [null, true], {a: 1.5})", {"keep": keep}) == {
        "got": [1, "ü", [None, True], {"a": 1.5}]
    }
    assert seen == [1, "ü", [None, True], {"a": 1.5}]
    assert value_of(engine, "typeof host.nothing()", {"nothing": lambda: None}) == "undefined"


def test_what_it_raises_the_program_catches(engine):
    def fail():
        raise KeyError("no such row")

    assert value_of(engine, "try { host.fail() } catch (e) { e.message }", {"fail": fail}) == "KeyError: 'no such row'"
    report = engine.program("host.fail()", functions={"fail": fail}).run()
    assert report.outcome == "threw" and "no such row" in report.error.message


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration("x")])
def test_whatever_it_raises_is_an_error_of_the_call(engine, error):
    def fail():
        raise error

    async def fail_later():
        raise error

    functions = {"fail": fail, "later": fail_later}
    source = "const name = e => e.message.split(':')[0]; try { host.fail() } catch (e) { name(e) }"
    assert value_of(engine, source, functions) == type(error).__name__
    source = "export default () => host.later().then(() => 'no', e => e.message.length > 0)"
    assert value_of(engine, source, functions) is True


def test_a_collection_inside_a_function_is_no_harm(engine):
    def collect(x):
        engine.program("1", functions={"f": lambda: None})
        gc.collect()
        return x

    assert value_of(engine, "host.collect(1) + host.collect(2)", {"collect": collect}) == 3


@pytest.mark.parametrize("value", [object(), float("inf"), {1, 2}, b"bytes"])
def test_an_answer_without_json_is_an_error_of_the_call(engine, value):
    assert value_of(engine, "try { host.odd() } catch (e) { 'refused' }", {"odd": lambda: value}) == "refused"


def test_a_deep_program_does_not_take_the_callables_stack(engine):
    def recurse(depth):
        return depth if depth == 0 else recurse(depth - 1)

    source = "function deep(n) { return n ? deep(n - 1) : host.recurse(400); } let n = 0; try { for (;;) deep(n += 50); } catch (e) { n > 100 }"
    assert value_of(engine, source, {"recurse": recurse}, limits={"host_calls": "unlimited"}) is True


def test_typed_functions_of_modules(engine):
    source = """(module (import "env" "mix" (func $mix (param i32 i64 f64) (result f64)))
      (func (export "f") (result f64) (call $mix (i32.const -1) (i64.const 9007199254740993) (f64.const 0.5))))"""
    seen = []

    def mix(a, b, c):
        seen.append((a, b, c))
        return c * 2

    program = engine.program(
        source, language="wat", functions={"mix": curfew.HostFunction(mix, module="env", type="iIF->F")}
    )
    assert program.run(call="f").value == 1.0 and seen == [(-1, 9007199254740993, 0.5)]
    wrong = engine.program(
        source, language="wat", functions={"mix": curfew.HostFunction(lambda *_: "x", module="env", type="iIF->F")}
    )
    assert wrong.run(call="f").outcome == "trapped"


@pytest.mark.parametrize(
    "function, exception",
    [
        (3, TypeError),
        (curfew.HostFunction(add, type="x->"), curfew.InvalidError),
        (curfew.HostFunction(add, fuel=-1), curfew.InvalidError),
    ],
)
def test_a_function_that_is_none_is_refused(engine, function, exception):
    with pytest.raises(exception):
        engine.program("1", functions={"f": function})
    with pytest.raises(curfew.InvalidError):
        engine.program("1", functions={"not a name": add})


def test_calls_of_many_runs_at_once(engine):
    program = engine.program(
        "export default (x) => { let s = 0; for (let i = 0; i < 50; i++) s = host.add(s, x); return s; }",
        functions={"add": add},
    )
    runs = [program.start(x) for x in range(20)]
    assert [run.wait().value for run in runs] == [50 * x for x in range(20)]


def test_a_function_may_run_a_program_with_functions(engine):
    inner = engine.program("export default (x) => host.add(x, 1)", functions={"add": add})
    outer = "export default (x) => host.inner(x) + host.inner(x + 1)"
    assert value_of(engine, outer, {"inner": lambda x: inner.run(x).value}, params=[1]) == 5


def test_functions_are_forgotten_with_their_program(engine):
    gc.collect()
    host._forget_gone()
    before = len(host._functions)
    for _ in range(10):
        assert value_of(engine, "host.f()", {"f": lambda: 1, "g": lambda: 2}) == 1
    gc.collect()
    host._forget_gone()  # as the next program with functions does
    assert len(host._functions) == before


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_is_left_of_runs_and_calls(engine):
    async def later(x):
        return x

    functions = {"add": add, "later": later}
    program = engine.program("export default async (x) => [host.add(x, 1), await host.later(x)]", functions=functions)

    def some(count):
        for i in range(count):
            assert program.run(i).value == [i + 1, i]
            assert engine.run("host.add(1, 2)", functions=functions).value == 3

    some(300)
    gc.collect()
    before = resident_bytes()
    some(2000)
    gc.collect()
    assert resident_bytes() - before < 8 << 20


def test_coroutine_functions_without_a_loop(engine):
    async def double(x):
        return x * 2

    async def fail():
        raise ValueError("not today")

    source = "export default async () => [await host.double(21), await host.fail().catch((e) => e.message)]"
    assert value_of(engine, source, {"double": double, "fail": fail}) == [42, "ValueError: not today"]


def test_a_call_outlives_no_deadline(engine):
    gate = threading.Event()
    program = engine.program("host.wait(); 'went on'", functions={"wait": lambda: gate.wait(600)})
    began = time.monotonic()
    assert program.run(limits=SHORT).outcome == "deadline"
    assert time.monotonic() - began < 30
    gate.set()


def test_a_session_keeps_its_state(engine):
    with engine.program("let n = 0; function inc(by) { n += by; return n; }").session(
        limits={"loops": "1M"}
    ) as session:
        assert session.call("inc", 2).value == 2
        assert session.call("inc", 3).value == 5
        assert session.eval("const twice = n * 2; twice", name="cell").value == 10
        assert session.totals()["calls"] == 3
        session.reset()
        assert session.call("inc", 1).value == 1
        report = session.call("inc", 1, limits={"timeout": "1s"})
        assert report.value == 2 and session.usable


def test_a_session_that_lost_its_state_says_so(engine):
    module = '(module (func (export "trap") unreachable) (func (export "one") (result i32) i32.const 1))'
    session = engine.program(module, language="wat").session()
    assert session.call("one").value == 1
    assert session.call("trap").outcome == "trapped"
    assert not session.usable
    with pytest.raises(curfew.UnusableError):
        session.call("one")
    session.reset()
    assert session.call("one").value == 1
