# SPDX-License-Identifier: Apache-2.0
"""Measures the Python package: answers each command on standard input with a line of JSON, like bench/fresh.c.

"fresh COUNT": runs of x => x + 1, in ns each; "call COUNT": calls of a host function; "waiting COUNT": that many runs
in one event loop, until the last has ended.
"""

import asyncio
import json
import resource
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


def waiting(count):
    async def main():
        began = time.perf_counter()
        tasks = [asyncio.ensure_future(waits.run_async(limits=LIMITS)) for _ in range(count)]
        while curfew.default_engine().stats()["runs_active"] < count:
            await asyncio.sleep(0.01)
        begun = time.perf_counter()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return {"start_s": begun - began, "cancel_s": time.perf_counter() - begun}

    answer = asyncio.run(main())
    return {**answer, "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def serve():
    for line in sys.stdin:
        name, count = line.split()
        print(json.dumps({"fresh": fresh, "call": call, "waiting": waiting}[name](int(count))), flush=True)


thread = threading.Thread(target=serve)
thread.start()
thread.join()
