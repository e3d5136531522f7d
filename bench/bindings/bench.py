# SPDX-License-Identifier: Apache-2.0
"""Measures the Python package: answers each command on standard input with a line of JSON, like bench/fresh.c.

"fresh COUNT": runs of x => x + 1, in ns each; "call COUNT": calls of a host function; "wait COUNT": that many runs in
one event loop, until all of them wait; "cancel COUNT": cancels them, until their memory is back.
"""

import asyncio
import json
import sys
import threading
import time

import curfew

program = curfew.program("export default x => x + 1").compile()
calls = curfew.program(
    "export default n => { for (let i = 0; i < n; i++) host.next(i) }", functions={"next": lambda i: i + 1}
).compile()
waits = curfew.program("new Promise((resolve) => setTimeout(resolve, 1e9))").compile()
# Measurements run on another thread than the main one, which also waits for signals.
LIMITS = {"timeout": "10m", "host_calls": "unlimited"}


def fresh(count):
    samples = []
    for i in range(count):
        began = time.perf_counter_ns()
        program.run(i)
        samples.append(time.perf_counter_ns() - began)
    return {"samples_ns": samples}


def call(count):
    began = time.perf_counter_ns()
    calls.run(count, limits=LIMITS).raise_for_outcome()
    return {"ns": (time.perf_counter_ns() - began) / count}


loop = asyncio.new_event_loop()
tasks = []


def wait(count):
    async def begin():
        began = time.perf_counter()
        tasks.extend(asyncio.ensure_future(waits.run_async(limits=LIMITS)) for _ in range(count))
        while curfew.default_engine().stats()["regions_in_use"] < count:
            await asyncio.sleep(0.01)
        return {"start_s": time.perf_counter() - began}

    return loop.run_until_complete(begin())


def cancel(count):
    async def end():
        began = time.perf_counter()
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        while curfew.default_engine().stats()["regions_in_use"]:
            await asyncio.sleep(0.001)
        taken = time.perf_counter() - began
        assert len(ends) == count and all(isinstance(one, asyncio.CancelledError) for one in ends)
        return {"cancel_s": taken}

    return loop.run_until_complete(end())


def serve():
    for line in sys.stdin:
        name, count = line.split()
        print(json.dumps({"fresh": fresh, "call": call, "wait": wait, "cancel": cancel}[name](int(count))), flush=True)


thread = threading.Thread(target=serve)
thread.start()
thread.join()
