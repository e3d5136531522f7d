# SPDX-License-Identifier: Apache-2.0
"""Runs in an event loop."""

import asyncio
import threading
import time

import pytest

import curfew
from conftest import FOREVER, SHORT

WAITS = "new Promise((resolve) => setTimeout(resolve, 1e6))"


def test_a_run_is_awaited():
    async def main():
        assert (await curfew.run_async("6*7")).value == 42
        assert (await curfew.run_async("for (;;);", limits=SHORT)).outcome == "deadline"

    asyncio.run(main())


def test_a_cancelled_awaitable_cancels_the_run(engine):
    async def main():
        task = asyncio.create_task(engine.program("for (;;);").run_async(limits=FOREVER))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.stats()["runs_active"] == 0

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 300


def test_a_timeout_of_asyncio_ends_the_run(engine):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(engine.program("for (;;);").run_async(limits=FOREVER), 0.1)
        assert engine.stats()["runs_active"] == 0

    asyncio.run(main())


def test_many_wait_in_one_loop_and_are_all_cancelled(engine):
    async def main():
        program = engine.program(WAITS)
        tasks = [asyncio.create_task(program.run_async(limits=FOREVER)) for _ in range(500)]
        while engine.stats()["runs_active"] < 500:
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert engine.stats()["runs_active"] == 0

    asyncio.run(main())


def test_progress_is_an_async_iterator(engine):
    async def main():
        program = engine.program(
            "export default async () => { for (let i = 0; i < 3; i++) { curfew.progress(i); await 0; } return 'end'; }"
        )
        run = program.start_async(events=True)
        assert [event.data async for event in run.events()] == [0, 1, 2]
        assert (await run).value == "end"
        assert (await run).value == "end"

    asyncio.run(main())


def test_coroutine_functions_run_in_the_loop_of_the_run(engine):
    async def main():
        loop = asyncio.get_running_loop()

        async def fetch(x):
            assert asyncio.get_running_loop() is loop
            await asyncio.sleep(0.01)
            return x * 2

        program = engine.program(
            "export default async () => Promise.all([1, 2, 3].map((x) => host.fetch(x)))", functions={"fetch": fetch}
        )
        assert (await program.run_async()).value == [2, 4, 6]

    asyncio.run(main())


def test_a_stop_cancels_the_coroutine(engine):
    async def main():
        began, ended = asyncio.Event(), asyncio.Event()

        async def hang():
            began.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.set()
                raise

        program = engine.program("host.hang()", functions={"hang": hang})
        run = program.start_async(limits=FOREVER)
        await asyncio.wait_for(began.wait(), 300)
        run.cancel()
        assert (await run).outcome == "cancelled"
        await asyncio.wait_for(ended.wait(), 300)

    asyncio.run(main())


def test_sessions_are_awaited(engine):
    async def main():
        session = engine.program("let n = 0; function inc() { return ++n; } function spin() { for (;;); }").session()
        assert (await session.call_async("inc")).value == 1
        assert (await session.eval_async("n + 10")).value == 11
        task = asyncio.create_task(session.call_async("spin", limits=FOREVER))
        await asyncio.sleep(0.1)
        with pytest.raises(curfew.BusyError):
            session.call("inc")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(20):  # also where it is cancelled before a thread has begun with it
            session.reset()
            task = asyncio.create_task(session.call_async("spin", limits=FOREVER))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_a_session_is_in_use_from_the_moment_of_the_call(engine):
    async def main():
        session = engine.program("let n = 0; function inc() { return ++n; } function spin() { for (;;); }").session()
        # The library looks at this text for longer than another call takes: that one would come first.
        first = asyncio.create_task(session.eval_async(f"/*{'x' * (2**24 - 100)}*/ inc()"))
        await asyncio.sleep(0)
        for call in (session.call_async("inc"), session.eval_async("inc()")):
            with pytest.raises(curfew.BusyError):
                await call
        for use in (lambda: session.call("inc"), session.reset):
            with pytest.raises(curfew.BusyError):
                use()
        assert (await first).outcome == "ok"
        assert (await session.call_async("inc")).value == 2
        spinning = asyncio.create_task(session.call_async("spin", limits=FOREVER))
        await asyncio.sleep(0)
        session.cancel()
        assert (await spinning).outcome == "cancelled"

    asyncio.run(main())


def test_a_cancelled_call_of_a_session_has_its_grace(engine):
    # Longer than the time after which the cancel of a call that has not begun yet is tried again.
    text = """export const f = async () => {
        host.begun();
        const signal = curfew.signal;
        if (!signal.aborted) await new Promise((end) => signal.addEventListener('abort', end));
        await new Promise((end) => setTimeout(end, 50));
        return 'ended well';
    }"""
    begun = threading.Event()
    session = engine.program(text, language="mjs", functions={"begun": begun.set}).session()
    limits = {"timeout": "10m", "grace": "10m"}

    async def main():
        for _ in range(5):
            waiting = asyncio.create_task(session.call_async("f", limits=limits))
            while not begun.is_set():
                await asyncio.sleep(0.01)
            begun.clear()
            session.cancel()
            report = await waiting
            assert (report.outcome, report.value) == ("cancelled", "ended well")

    asyncio.run(main())
