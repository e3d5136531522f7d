# SPDX-License-Identifier: Apache-2.0
"""leaks.py COUNT: does everything COUNT times, well and badly. tests/integration/bindings.py runs it under valgrind, and
expects that nothing is left COUNT times."""

import asyncio
import contextlib
import gc
import os
import sys
import tempfile

import curfew

LIMITS = {"timeout": "5m", "grace": "10ms"}
WAITS = "new Promise((resolve) => setTimeout(resolve, 1e9))"


def refused(error, call, *values, **options):
    try:
        call(*values, **options)
    except error:
        return
    raise AssertionError(f"{call} did not fail")


def fail(*_):
    raise KeyError("no such row")


async def later(value):
    await asyncio.sleep(0)
    return value


async def never():
    await asyncio.sleep(1e6)


def run_all(engine):
    program = engine.program("export default (x) => { console.log(x); curfew.progress(x); return { x } }")
    events = []
    report = program.run(
        1,
        on_event=events.append,
        limits=LIMITS,
        user="me",
        secrets={"key": "a secret value"},
        env={"A": "b"},
        files={"a": "text", "b/c": b"bytes"},
        timezone="Europe/Berlin",
    )
    assert report.value == {"x": 1} and len(events) == 2, report
    refused(ZeroDivisionError, program.run, 1, on_event=lambda event: 1 / 0, limits=LIMITS)
    refused(curfew.InvalidError, program.run, limits={"tiemout": "1s"})
    refused(curfew.InvalidError, program.run, object())
    refused(curfew.InvalidError, program.run, timezone="Nowhere")
    assert engine.program("null.x").run(limits=LIMITS).outcome == "threw"
    refused(curfew.BadProgramError, engine.program("(").compile)
    refused(curfew.Error, engine.load, b"no image")
    with engine.load(program.save()) as loaded:
        assert loaded.run(2, limits=LIMITS).ok
    assert program.inspect()["kind"] == "js"

    functions = {"next": lambda x: x + 1, "fail": fail, "wrong": object, "later": later, "never": never}
    calls = engine.program(
        "export default async () => { let n = host.next(1); for (const name of ['fail', 'wrong']) try { host[name]() }"
        " catch { n++ } return n + await host.later(4) }",
        functions=functions,
    )
    assert calls.run(limits=LIMITS).value == 8
    refused(curfew.InvalidError, engine.program, "1", functions={"not a name": fail})
    forever = engine.program("host.never()", functions=functions).start(limits=LIMITS)
    forever.cancel()
    assert forever.wait().outcome == "cancelled"

    run = engine.program("for (;;);").start(limits=LIMITS)  # its program is collected
    gc.collect()
    assert run.usage() is not None
    run.cancel()
    assert run.wait().outcome == "cancelled"
    engine.program(WAITS).start(limits=LIMITS).close()

    with program.session(limits=LIMITS) as session:
        assert session.call(None, 3).value == {"x": 3}
        session.reset()
        assert session.eval("null.x").outcome == "threw"
        refused(curfew.InvalidError, session.call, None, object())
        session.totals()

    asyncio.run(wait_for_all(engine, program))


async def wait_for_all(engine, program):
    assert (await program.run_async(4, limits=LIMITS)).ok
    task = asyncio.create_task(engine.program(WAITS).run_async(limits=LIMITS))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    run = program.start_async(5, events=True, limits=LIMITS)
    assert len([event async for event in run.events()]) == 2
    await run


def main(count):
    for _ in range(count):
        with tempfile.TemporaryDirectory() as cache, curfew.Engine(threads=1, cache_dir=cache) as engine:
            run_all(engine)
        gc.collect()


if __name__ == "__main__":
    os.umask(0o077)
    main(int(sys.argv[1]))
