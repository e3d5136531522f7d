# SPDX-License-Identifier: Apache-2.0
"""curfew serve under load, and beside tenants that push: nobody else's run pays for it."""
import base64
import collections
import concurrent.futures
import contextlib
import os
import signal
import sqlite3
import time

from .harness import Test, expect, expect_equal
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
    # Claims L21, T2, T19.
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
    # Claim T43.
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


@test
def shares_of_the_queue(context):
    """What one token has waiting leaves places for another; its revocation gives them back and ends its streams."""
    data = os.path.join(context.folder(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")
    with Server(context, "--max-queue", "8", "--max-scheduled", "8", "--concurrency", "1", data=data, token=greedy) as server:
        first = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        server.wait_for(first, "running")
        late = [server.submit("1", delay="24h")["id"] for _ in range(4)]
        queued = [server.submit("1")["id"] for _ in range(4)]
        for fields in ({"delay": "24h"}, {}):
            server.refuse(429, {"source": "1", **fields}, text="share")
            server.submit("2", token=modest, **fields)
        stream = server.stream(late[0])
        expect_equal("the stream", next(iter(stream))[2], {"state": "scheduled"})
        done = context.command([context.curfew, "token", "revoke", "--data", data, "greedy"])
        expect_equal("revoke", done.code, 0)
        server.token = make_token(context, data, "--name", "root", "--scopes", "admin")
        expect(not any(name == "report" and data["outcome"] != "cancelled" for _, name, data in stream), "the stream of a revoked token goes on")
        time.sleep(1.5)
        states = {run["id"]: run["state"] for run in server.ask("GET", "/v1/runs?limit=100")["runs"]}
        expect_equal("what it had waiting", {states[run] for run in late + queued}, {"done"})
        expect_equal("what went on", states[first], "running")


@test
def expiry_and_priority_of_tokens(context):
    data = os.path.join(context.folder(), "data")
    brief, low = make_token(context, data, "--name", "brief", "--expires", "4s"), make_token(context, data, "--name", "low", "--top-priority", "3")
    with Server(context, data=data, token=brief) as server:
        late = server.submit("1", delay="1h")["id"]
        server.refuse(400, {"source": "1", "priority": 4}, "/priority", "ceiling", token=low)
        expect_equal("lowered", server.ask("GET", f"/v1/runs/{server.submit('1', token=low)['id']}", token=low)["priority"], 3)
        deadline = time.monotonic() + 20 * context.slower
        while server.request("GET", f"/v1/runs/{late}").status != 401:
            expect(time.monotonic() < deadline, "it does not expire")
            time.sleep(0.2)
        admin = make_token(context, data, "--scopes", "admin")
        time.sleep(1.2)
        expect_equal("its run", server.ask("GET", f"/v1/runs/{late}", token=admin)["outcome"], "cancelled")
    listed = context.command([context.curfew, "token", "list", "--data", data]).out.decode()
    expect("expired" in listed and "priority 3" in listed and "used " in listed, f"list: {listed}")


@test
def programs_of_all(context):
    """An administrator sees, runs and deletes what any token has stored; a token stores no more than it may."""
    js = {"Content-Type": "text/javascript"}
    data = os.path.join(context.folder(), "data")
    ada, bob = make_token(context, data, "--name", "ada", "--programs-size", "2KiB"), make_token(context, data, "--name", "bob")
    admin = make_token(context, data, "--name", "root", "--scopes", "admin")
    with Server(context, data=data, token=ada) as server:
        server.ask("PUT", "/v1/programs/one", b"1;" + b" " * 1000, 201, headers=js)
        server.ask("PUT", "/v1/programs/one", b"2;" + b" " * 1900, 200, headers=js)
        server.ask("PUT", "/v1/programs/two", b"3;" + b" " * 1000, 429, headers=js)
        server.ask("PUT", "/v1/programs/one", b"4", 201, headers=js, token=bob)
        server.ask("PUT", "/v1/programs/bobs", b"6", 201, headers=js, token=bob)
        seen = server.ask("GET", "/v1/programs", token=admin)["programs"]
        owners = {(item["name"], item.get("token")) for item in seen}
        ids = {name: token for name, token in owners}
        expect_equal("all", sorted(name for name, _ in owners), ["bobs", "one", "one"])
        expect_equal("run", server.ask("POST", "/v1/runs", {"program": "bobs", "wait": True}, token=admin)["value"], 6)
        server.ask("POST", "/v1/runs", {"program": "one"}, 409, token=admin)
        server.ask("GET", f"/v1/programs?token={ids['bobs']}", status=403)
        expect_equal("bob's", len(server.ask("GET", f"/v1/programs?token={ids['bobs']}", token=admin)["programs"]), 2)
        server.ask("DELETE", f"/v1/programs/one?token={ids['bobs']}", status=204, token=admin)
        expect_equal("ada's is there", server.run(program="one")["value"], 2)


# ---- Memory and ceilings ------------------------------------------------------------------------------------------


@test
def ceilings_of_the_server(context):
    with Server(context, "--max-timeout", "2s", "--max-memory", "32MiB", "--max-output", "1KiB", "--max-host-calls", "5", "--max-fuel", "1G") as server:
        seen = server.run("1")["limits"]
        expect_equal("lowered", {key: seen[key] for key in ("timeout_us", "memory_bytes", "output_bytes", "host_calls", "fuel")},
                     {"timeout_us": 2000000, "memory_bytes": 32 << 20, "output_bytes": 1024, "host_calls": 5, "fuel": 10**9})
        for key, value in (("timeout", "3s"), ("timeout", "unlimited"), ("memory", "64MiB"), ("output", "2KiB"), ("host-calls", 6), ("fuel", "unlimited")):
            server.refuse(400, {"source": "1", "limits": {key: value}}, f"/limits/{key}", "ceiling of this server")
    fail_start(context, "--max-timeout", "5", text="max-timeout", code=2)


@test
def memory_budget(context):
    """Runs are begun only while their memory limits fit; what never fits is refused."""
    with Server(context, "--memory-budget", "128MiB") as server:
        server.refuse(400, {"source": "1", "limits": {"memory": "256MiB"}}, "/limits/memory", "ceiling of this server")
        runs = [server.submit(WAIT.format(ms=600), limits={"memory": "48MiB"})["id"] for _ in range(6)]
        most = 0
        while any(server.get(run)["state"] != "done" for run in runs):
            most = max(most, sum(server.get(run)["state"] == "running" for run in runs))
        expect(1 <= most <= 2, f"{most} ran at once")
        expect_equal("outcomes", {server.get(run)["outcome"] for run in runs}, {"ok"})


# ---- What is kept -------------------------------------------------------------------------------------------------


@test
def nobody_pushes_out_another(context):
    """The history that is too much is dropped from whoever has most of it, no more than it takes, and keys stay known."""
    data = os.path.join(context.folder(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")
    big = {"source": "console.log('x'.repeat(900000))", "wait": True}
    with Server(context, "--retention-size", "8MiB", data=data, token=greedy) as server:
        key = {"Idempotency-Key": "first"}
        mine = [server.submit(f"{i}", token=modest)["id"] for i in range(10)]
        first = server.submit(headers=key, **{key: value for key, value in big.items() if key != "wait"})["id"]
        for _ in range(20):
            server.ask("POST", "/v1/runs", big)
        def count():
            with contextlib.closing(sqlite3.connect(os.path.join(data, "curfew.db"))) as database:
                return dict(database.execute("SELECT tokens.name, count(*) FROM runs JOIN tokens ON owner=tokens.id GROUP BY owner"))

        deadline = time.monotonic() + 40 * context.slower
        while (left := count())["greedy"] > 9:
            expect(time.monotonic() < deadline, f"large runs stay: {left}")
            time.sleep(0.3)
        expect(left["greedy"] >= 4, f"more was dropped than it took: {left}")
        expect_equal("the other's", left["modest"], len(mine))
        server.stop()
    with Server(context, "--retention-size", "8MiB", data=data, token=greedy) as server:
        server.ask("GET", f"/v1/runs/{first}", status=404)
        expect_equal("the key", server.submit(headers=key, **{key: value for key, value in big.items() if key != "wait"})["id"], first)


# ---- Event streams ------------------------------------------------------------------------------------------------


@test
def streams_survive_a_restart(context):
    """Ids go on over a restart, an id that a stream never had replays it, and the report always comes."""
    source = "for (let i = 0; i < 20; i++) console.log(i); await new Promise(done => setTimeout(done, 60000))"
    with Server(context) as server:
        crashed = server.submit(source, lang="mjs", limits={"timeout": "10m"})["id"]
        again = server.submit(source.replace("60000", "1500"), lang="mjs", retry=3)["id"]
        last = {}
        for run in (crashed, again):
            stream = server.stream(run)
            for number, name, event in stream:
                last[run] = number
                if name == "output" and event["text"].endswith("19\n"):
                    break
            stream.close()
        server.kill()
    with Server(context, data=server.data) as server:
        events = list(server.stream(crashed, last[crashed]))
        expect_equal("of the crashed one", [(name, event.get("outcome")) for _, name, event in events], [("state", None), ("report", "crashed")])
        expect(all(number > last[crashed] for number, _, _ in events), f"ids: {events}")
        expect_equal("all seen", server.stream(crashed, events[-1][0]).status, 204)
        events = list(server.stream(again, last[again]))
        expect("".join(event["text"] for _, name, event in events if name == "output").endswith("19\n"), f"the second attempt: {events}")
        expect_equal("its end", (events[-1][1], events[-1][2]["outcome"]), ("report", "ok"))
        numbers = [number for number, _, _ in events]
        expect(numbers == sorted(set(numbers)) and numbers[0] > last[again], f"ids: {numbers}")
        for run in (crashed, again):
            expect_equal("an unknown id", list(server.stream(run, 2**50))[-1][1], "report")
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal("from disk, an unknown id", [name for _, name, _ in server.stream(again, 2**50)], ["state", "report"])


def tests(context):
    return [Test("server", function.__name__, function) for function in TESTS]
