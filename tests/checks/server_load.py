# SPDX-License-Identifier: Apache-2.0
"""curfew serve under load, and beside tenants that push: nobody else's run pays for it."""
import base64
import collections
import concurrent.futures
import signal
import os
import threading
import time

from .harness import Test, expect, expect_equal, shorten
from .server import FOREVER, fail_start, make_token
from .serving import Server

TESTS = []
WAIT = "new Promise(done => setTimeout(() => done('waited'), {ms}))"


def test(function):
    TESTS.append(function)
    return function


def busiest_worker(server):
    """The process id of the worker that has used most processor time."""
    def used(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
        except OSError:
            return -1
    return max(server.children(), key=used)


# ---- No run dies of its neighbour ---------------------------------------------------------------------------------


@test
def saturated(context):
    """Many more loops at once than there are processors, beside runs that only wait: no worker is killed for it."""
    rounds, loops = 8, 200
    with Server(context) as server, concurrent.futures.ThreadPoolExecutor(loops) as clients:
        waiting = [server.submit(WAIT.format(ms=5000), limits={"timeout": "10m"})["id"] for _ in range(10)]
        seen = collections.Counter()
        for _ in range(rounds):
            reports = clients.map(lambda _: server.ask("POST", "/v1/runs", {"source": FOREVER, "wait": True, "durable": False, "limits": {"timeout": "100ms"}}), range(loops))
            seen.update(report["outcome"] for report in reports)
        for run in waiting:
            seen[server.wait_for(run, timeout=60)["outcome"]] += 1
        expect_equal("outcomes", seen, {"deadline": rounds * loops, "ok": len(waiting)})
        expect_equal("restarts", server.metric("curfew_worker_restarts_total"), 0)


def slow_to_compile(number):
    """A module that takes some tenths of a second to compile; each number another one."""
    def leb(value):
        out = b""
        while value > 0x7f:
            out, value = out + bytes([value & 0x7f | 0x80]), value >> 7
        return out + bytes([value])

    def section(kind, body):
        return bytes([kind]) + leb(len(body)) + body

    functions = 1000
    steps = b"".join(b"\x21" + leb(i % 50) + b"\x20" + leb(i * 7 % 50) + b"\x20" + leb(i * 13 % 50) + b"\x6c\x20" + leb(i * 3 % 50) + b"\x6a" for i in range(300))
    body = leb(1) + leb(50) + b"\x7f\x41" + leb(number) + steps + b"\x0b"
    code = leb(functions) + (leb(len(body)) + body) * functions
    return b"\0asm\x01\0\0\0" + section(1, b"\x01\x60\x00\x01\x7f") + section(3, leb(functions) + b"\x00" * functions) + section(7, b"\x01\x01f\x00\x00") + section(10, code)


@test
def slow_compiles_beside_others(context):
    """What is compiled under a short deadline is no reason to end what other tenants have running."""
    with Server(context, "--workers", "1") as server:
        waiting = [server.submit(WAIT.format(ms=3000), limits={"timeout": "10m"})["id"] for _ in range(8)]
        for run in waiting:
            server.wait_for(run, "running")
        for number in range(4):
            source = base64.b64encode(slow_to_compile(number)).decode()
            report = server.run(source, lang="wasm", call="f", limits={"timeout": "20ms"})
            expect_equal("the compile", report["outcome"], "deadline")
        expect_equal("the others", [server.wait_for(run)["outcome"] for run in waiting], ["ok"] * len(waiting))
        expect_equal("restarts", server.metric("curfew_worker_restarts_total"), 0)


@test
def silent_worker(context):
    """A worker that does not answer is killed; what shared it is carried out again or says why not, and the log says so."""
    with Server(context, "--workers", "1") as server:
        unseen = [server.submit(WAIT.format(ms=2000), limits={"timeout": "10m"})["id"] for _ in range(4)]
        seen = server.submit("console.log('seen'); await new Promise(done => setTimeout(done, 60000))", lang="mjs", limits={"timeout": "10m"})["id"]
        late = server.submit(FOREVER, limits={"timeout": "1500ms"})["id"]
        for run in (*unseen, seen, late):
            server.wait_for(run, "running")
        time.sleep(0.5)
        stopped = busiest_worker(server)
        os.kill(stopped, signal.SIGSTOP)
        expect_equal("the one that was late", server.wait_for(late)["outcome"], "deadline")
        run = server.wait_for(seen)
        expect_equal("one that was seen", (run["outcome"], run["report"]["stdout"]), ("internal", "seen\n"))
        expect("worker process was killed" in run["report"]["error"]["message"], f"why: {run['report']['error']}")
        expect_equal("those that were not", [server.wait_for(run)["outcome"] for run in unseen], ["ok"] * 4)
        expect_equal("crashed", server.metric("curfew_worker_crashed_runs_total"), 0)
        expect_equal("repeated", server.metric("curfew_worker_repeated_runs_total"), 4)
        lines = [line for line in server.log().split("\n") if " warn worker " in line]
        expect(len(lines) == 1 and f"pid={stopped} " in lines[0] and "repeated=4" in lines[0] and "lost=1" in lines[0], f"the log: {lines}")


# ---- Turns --------------------------------------------------------------------------------------------------------


@test
def tokens_take_turns(context):
    """Neither many users nor the highest priority let a token go before another one's turn."""
    data = os.path.join(context.folder(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")
    with Server(context, "--concurrency", "1", data=data, token=greedy) as server:
        first = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        server.wait_for(first, "running")
        for i in range(40):
            server.submit("1", user=f"user-{i}", priority=9)
        run = server.submit("2", token=modest)["id"]
        server.ask("DELETE", f"/v1/runs/{first}")
        deadline = time.monotonic() + 20 * context.slower
        while server.ask("GET", f"/v1/runs/{run}", token=modest)["state"] != "done":
            expect(time.monotonic() < deadline, "it does not end")
            time.sleep(0.01)
        mine = server.ask("GET", f"/v1/runs/{run}", token=modest)
        before = [other for other in server.ask("GET", "/v1/runs?limit=100")["runs"] if other["id"] != first and other["started_ms"] and other["started_ms"] < mine["started_ms"]]
        expect(len(before) <= 3, f"{len(before)} runs of the greedy token went before the other's first one")


def tests(context):
    return [Test("server", function.__name__, function) for function in TESTS]
