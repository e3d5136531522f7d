# SPDX-License-Identifier: Apache-2.0
"""curfew serve under load, and beside greedy tenants: other tenants' runs are not affected."""

import base64
import collections
import concurrent.futures
import contextlib
import ctypes
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import threading
import time

from .binary import HEADER, custom, leb, module, section
from .harness import Skipped, Test, expect, expect_equal
from .server import FOREVER, PATIENT, ends_at, fail_start, make_token
from .serving import Server

TESTS = []
WAIT = "new Promise(done => setTimeout(() => done('waited'), {ms}))"


def test(function):
    TESTS.append(function)
    return function


def busiest_worker(server):
    """The process id of the worker that has used the most CPU time."""

    def used(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
        except OSError:
            return -1

    return max(server.children(), key=used)


# ---- No run suffers from its neighbours ---------------------------------------------------------------------------


@test
def saturated(context):
    """With many more loops than processors, beside runs that only wait, no worker is killed."""
    rounds, loops = 8, 200
    with Server(context) as server, concurrent.futures.ThreadPoolExecutor(loops) as clients:
        waiting = [server.submit(WAIT.format(ms=5000), limits={"timeout": "10m"})["id"] for _ in range(10)]
        seen = collections.Counter()
        for _ in range(rounds):
            reports = clients.map(
                lambda _: server.ask(
                    "POST",
                    "/v1/runs",
                    {"source": FOREVER, "wait": True, "durable": False, "limits": {"timeout": "100ms"}},
                ),
                range(loops),
            )
            seen.update(report["outcome"] for report in reports)
        for run in waiting:
            seen[server.wait_for(run, timeout=60)["outcome"]] += 1
        expect_equal("outcomes", seen, {"deadline": rounds * loops, "ok": len(waiting)})
        expect_equal("restarts", server.metric("curfew_worker_restarts_total"), 0)


def slow_to_compile(number):
    """A module that takes some tenths of a second to compile. Each number makes another module."""
    functions = 1000
    steps = b"".join(
        b"\x21"
        + leb(i % 50)
        + b"\x20"
        + leb(i * 7 % 50)
        + b"\x20"
        + leb(i * 13 % 50)
        + b"\x6c\x20"
        + leb(i * 3 % 50)
        + b"\x6a"
        for i in range(300)
    )
    body = leb(1) + leb(50) + b"\x7f\x41" + leb(number) + steps + b"\x0b"
    code = leb(functions) + (leb(len(body)) + body) * functions
    return (
        HEADER
        + section(1, b"\x01\x60\x00\x01\x7f")
        + section(3, leb(functions) + b"\x00" * functions)
        + section(7, b"\x01\x01f\x00\x00")
        + section(10, code)
    )


@test
def slow_compiles_beside_others(context):
    # Claims L21, T2, T19.
    """Compiling under a short deadline does not end runs of other tenants."""
    with Server(context, "--workers", "1") as server:
        waiting = [server.submit(WAIT.format(ms=600000), limits={"timeout": "10m"})["id"] for _ in range(8)]
        for run in waiting:
            server.wait_for(run, "running")
        for number in range(4):
            source = base64.b64encode(slow_to_compile(number)).decode()
            report = server.run(source, lang="wasm", call="f", limits={"timeout": "20ms"})
            expect_equal("the compile", report["outcome"], "deadline")
        others = [server.get(run) for run in waiting]
        expect_equal("the others", {(run["state"], run["attempt"]) for run in others}, {("running", 1)})
        expect_equal("restarts", server.metric("curfew_worker_restarts_total"), 0)
        for run in waiting:
            server.ask("DELETE", f"/v1/runs/{run}")


@test
def silent_worker(context):
    # Claim T43.
    """A worker that does not respond is killed. Its other runs are executed again or report the crash, and the log has
    it."""
    with Server(context, "--workers", "1") as server:
        unseen = [server.submit(WAIT.format(ms=8000), limits={"timeout": "10m"})["id"] for _ in range(4)]
        seen = server.submit(
            "console.log('seen'); await new Promise(done => setTimeout(done, 60000))",
            lang="mjs",
            limits={"timeout": "10m"},
        )["id"]
        for run in (*unseen, seen):
            server.wait_for(run, "running")
        next(name for _, name, _ in server.stream(seen) if name == "output")
        late = server.submit(FOREVER, limits={"timeout": "2s"})["id"]
        server.wait_for(late, "running")
        context.until("nothing computes", lambda: (server.get(late)["used"] or {"cpu_us": 0})["cpu_us"] > 10000)
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
        expect(
            len(lines) == 1 and f"pid={stopped} " in lines[0] and "repeated=4" in lines[0] and "lost=1" in lines[0],
            f"the log: {lines}",
        )


# ---- Turns --------------------------------------------------------------------------------------------------------


@test
def tokens_take_turns(context):
    """Neither many users nor the highest priority let a token overtake another one's turn."""
    data = os.path.join(context.directory(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")
    with Server(context, "--concurrency", "1", data=data, token=greedy) as server:
        first = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        server.wait_for(first, "running")
        for i in range(40):
            server.submit("1", user=f"user-{i}", priority=9)
        run = server.submit("2", token=modest)["id"]
        server.ask("DELETE", f"/v1/runs/{first}")
        context.until("it does not end", lambda: server.ask("GET", f"/v1/runs/{run}", token=modest)["state"] == "done")
        mine = server.ask("GET", f"/v1/runs/{run}", token=modest)
        before = [
            other
            for other in server.ask("GET", "/v1/runs?limit=100")["runs"]
            if other["id"] != first and other["started_ms"] and other["started_ms"] < mine["started_ms"]
        ]
        expect(len(before) <= 3, f"{len(before)} runs of the greedy token went before the other's first one")


@test
def compiling_takes_turns(context):
    # Claim L423.
    """The compilations of one token, for however many users, do not keep another token's program from being
    compiled."""
    data = os.path.join(context.directory(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")

    # It takes about a second.
    body = b"\x41\0\x28\2\0" + b"\x41\5\x6a" * 30_000 + b"\x1a"

    def submit(number, **options):
        content = module([b"\0", body], custom("number", bytes([number])))
        source = base64.b64encode(content).decode()
        return server.submit(source, lang="wasm", call="f", limits={"timeout": "5m"}, **options)["id"]

    with Server(context, data=data, token=greedy) as server:
        runs = [submit(number, user=f"user-{number}") for number in range(12)]
        run = submit(12, token=modest)

        def mine():
            return server.ask("GET", f"/v1/runs/{run}", token=modest)

        context.until("it does not end", lambda: mine()["state"] == "done", 60)
        end_ms, theirs = mine()["ended_ms"], [server.ask("GET", f"/v1/runs/{one}") for one in runs]
        for one in runs:
            server.ask("DELETE", f"/v1/runs/{one}")
        ended = sum(one["state"] == "done" and one["ended_ms"] < end_ms for one in theirs)
        expect(ended < len(runs) / 2, f"{ended} runs of the greedy token went before the other's")


@test
def loading_beside_others(context):
    # Claim L423.
    """What one token has loaded again and again, of tens of MiB each, does not keep another's runs from ending."""
    data = os.path.join(context.directory(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")
    code = [b"\x41\x07\x1a"]

    with Server(context, "--workers", "1", "--max-body", "32MiB", data=data, token=greedy) as server:
        sums = {}
        # Together they are more than the server keeps ready.
        for number in range(4):
            content = module(code, custom("number", bytes([number]) * (24 << 20)))
            server.request("PUT", f"/v1/programs/large-{number}", content, {"Content-Type": "application/wasm"})
            sums[f"large-{number}"] = hashlib.sha256(content).hexdigest()
        reports = []

        def load(first):
            for number in range(8):
                name = f"large-{(first + number) % 4}"
                report = server.submit(None, 200, program=name, call="f", wait=True, limits={"timeout": "1m"})
                reports.append((report["outcome"], report["program"]["sha256"] == sums[name]))

        threads = [threading.Thread(target=load, args=(first,)) for first in range(3)]
        for thread in threads:
            thread.start()
        others = []
        while any(thread.is_alive() for thread in threads):
            others.append(server.submit("6 * 7", 200, token=modest, wait=True)["value"])
        for thread in threads:
            thread.join()
        expect_equal("the large ones", reports, [("ok", True)] * 24)
        expect_equal("the other's", set(others), {42})
        # Three large runs at a time, eight times: it has its turn beside each.
        expect(len(others) >= 8, f"only {len(others)} runs of the other token ended meanwhile")


@test
def shares_of_the_queue(context):
    """The queue of one token leaves capacity for another. Its revocation empties the queue and ends its streams."""
    data = os.path.join(context.directory(), "data")
    greedy, modest = make_token(context, data, "--name", "greedy"), make_token(context, data, "--name", "modest")
    with Server(
        context, "--max-queue", "8", "--max-scheduled", "8", "--concurrency", "1", data=data, token=greedy
    ) as server:
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
        expect(
            not any(name == "report" and data["outcome"] != "cancelled" for _, name, data in stream),
            "the stream of a revoked token goes on",
        )
        server.wait_for_token(server.token)
        for run in late + queued:  # its queued runs
            server.wait_for(run)
        expect_equal("what went on", server.get(first)["state"], "running")


@test
def runs_of_tokens_that_are_over(context):
    """A token's runs that wait for their time are cancelled when it is revoked, also by a server that was started later."""
    data = os.path.join(context.directory(), "data")
    early, late = make_token(context, data, "--name", "early"), make_token(context, data, "--name", "late")
    admin = make_token(context, data, "--name", "root", "--scopes", "admin")

    def revoke(name):
        expect_equal("revoke", context.command([context.curfew, "token", "revoke", "--data", data, name]).code, 0)

    def check(server, run):
        expect_equal("outcome", server.wait_for(run)["report"]["outcome"], "cancelled")

    with Server(context, data=data, token=admin) as server:
        runs = [server.submit("1", delay="24h", token=token)["id"] for token in (early, late)]
        revoke("early")
        check(server, runs[0])
        expect_equal("the other", server.get(runs[1])["state"], "scheduled")
    revoke("late")
    with Server(context, data=data, token=admin) as server:
        check(server, runs[1])


@test
def a_body_after_the_end_of_its_token(context):
    """A request whose token is revoked before its body has arrived is refused."""
    data = os.path.join(context.directory(), "data")
    gone, admin = (
        make_token(context, data, "--name", "gone"),
        make_token(context, data, "--scopes", "admin", "--name", "root"),
    )
    with Server(context, data=data, token=admin) as server:
        connection = server.connect()
        body = json.dumps({"source": "1", "delay": "24h"}).encode()
        connection.putrequest("POST", "/v1/runs")
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            connection.putheader(name, value)
        connection.putheader("Authorization", f"Bearer {gone}")
        connection.endheaders()
        # The server has read the head: it answers a later request.
        server.ask("GET", "/v1/runs", token=gone)
        expect_equal("revoke", context.command([context.curfew, "token", "revoke", "--data", data, "gone"]).code, 0)
        server.wait_for_token(gone, is_known=False)
        connection.send(body)
        expect_equal("status", connection.getresponse().status, 401)
        connection.close()
        expect_equal("runs", server.ask("GET", "/v1/runs")["runs"], [])


@test
def streams_of_all(context):
    """If all event streams are taken, the token that has most of them loses one to a token that has fewer."""
    data = os.path.join(context.directory(), "data")
    alice, bob = make_token(context, data, "--name", "alice"), make_token(context, data, "--name", "bob")
    with Server(context, "--max-streams", "4", data=data, token=alice) as server:
        runs = {token: server.submit(FOREVER, limits={"timeout": "300s"}, token=token)["id"] for token in (alice, bob)}

        def watch(token):
            server.token = token
            return server.stream(runs[token])

        streams = [watch(alice) for _ in range(4)]
        expect_equal("alice's", [stream.status for stream in streams], [200] * 4)
        expect_equal("one more of hers", watch(alice).status, 503)
        streams += [watch(bob), watch(bob)]
        expect_equal("bob's", [stream.status for stream in streams[4:]], [200] * 2)
        expect_equal("a third one of his", watch(bob).status, 503)
        expect_equal("one more of hers then", watch(alice).status, 503)
        for token in (alice, bob):
            server.ask("DELETE", f"/v1/runs/{runs[token]}", token=token)
        ends = [[name for _, name, _ in stream][-1:] for stream in streams]
        expect_equal("those that lasted", (ends[:4].count(["report"]), ends[4:]), (2, [["report"]] * 2))


def wait_request(token):
    """A submission that waits for a run that is far away."""
    body = json.dumps({"source": "1", "wait": True, "delay": "8000h"})
    return (
        f"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@test
def waits_of_all(context):
    """If all connections wait for runs, the token that has most of them gives way: one is answered without the report."""
    data = os.path.join(context.directory(), "data")
    alice, bob = make_token(context, data, "--name", "alice"), make_token(context, data, "--name", "bob")
    waits = wait_request(alice)
    with Server(context, "--max-connections", "20", data=data, token=bob) as server, contextlib.ExitStack() as opened:
        waiting = [opened.enter_context(server.open_socket()) for _ in range(20)]
        for client in waiting:
            client.sendall(waits)

        def count_accepted():
            with contextlib.closing(sqlite3.connect(os.path.join(data, "curfew.db"))) as database:
                return database.execute("SELECT count(*) FROM runs").fetchone()[0]

        context.until(lambda: f"{count_accepted()} of her runs are accepted", lambda: count_accepted() == 20)
        context.until("bob is kept out", lambda: server.request("GET", "/v1/runs").status == 200)
        fields = {"source": "6 * 7", "wait": True}
        # The connection before may only have been let in because the one before that had not been closed yet.
        answer = context.until(
            "bob is kept out again",
            lambda: (one := server.request("POST", "/v1/runs", fields)).status == 200 and one.json(),
        )
        expect_equal("bob's run", answer["value"], 42)
        answers = [client.recv(65536) for client in waiting if select.select([client], [], [], 0.1)[0]]
        expect(0 < len(answers) < 10, f"{len(answers)} of alice's requests were answered")
        for answer in answers:
            head, _, body = answer.partition(b"\r\n\r\n")
            expect(head.startswith(b"HTTP/1.1 202 ") and b"connection: close" in head.lower(), f"{head}")
            run = server.ask("GET", f"/v1/runs/{json.loads(body)['id']}", token=alice)
            expect_equal("her run", run["state"], "scheduled")


@test
def waits_of_all_that_are_not_written(context):
    """A request that gives way before its run has been written is answered as soon as it has been."""
    data = os.path.join(context.directory(), "data")
    alice, bob = make_token(context, data, "--name", "alice"), make_token(context, data, "--name", "bob")
    waits = wait_request(alice)

    def try_once(server):
        """None: it took so long that a write failed."""
        with contextlib.ExitStack() as opened:
            # One connection for all, as the server may still count one that was closed a moment ago.
            own = opened.enter_context(contextlib.closing(server.connect()))
            bobs = server.ask("POST", "/v1/runs", {"source": "1", "delay": "1h"}, 202, connection=own)["id"]
            context.until(
                "earlier connections are still counted",
                lambda: server.metric("curfew_open_connections", token=root, connection=own) == 1,
            )
            scheduled = server.ask("GET", "/v1/stats", token=root, connection=own)["scheduled"]
            database = sqlite3.connect(os.path.join(data, "curfew.db"), isolation_level=None)
            opened.enter_context(contextlib.closing(database)).execute("BEGIN IMMEDIATE")
            waiting = [opened.enter_context(server.open_socket()) for _ in range(6)]
            for client in waiting:
                client.sendall(waits)

            def are_read():
                stats = server.ask("GET", "/v1/stats", token=root, connection=own)
                return stats["scheduled"] == scheduled + len(waiting)

            context.until("the requests are not read", are_read)
            own.request("GET", f"/v1/runs/{bobs}/events", headers={"Authorization": f"Bearer {bob}"})
            expect_equal("his stream", own.getresponse().status, 200)
            seen = server.request("GET", "/v1/runs").status
            database.execute("ROLLBACK")
            if any(select.select([client], [], [], 0)[0] for client in waiting):
                return None
            expect_equal("bob, while nothing can be answered", seen, 503)
            context.until("none of hers gives way", lambda: select.select(waiting, [], [], 0)[0])
            return [client.recv(65536) for client in select.select(waiting, [], [], 0.1)[0]]

    root = make_token(context, data, "--scopes", "admin", "--name", "root")
    with Server(context, "--max-connections", "7", data=data, token=bob) as server:
        answers = context.until("each write fails", lambda: try_once(server))
        expect_equal("hers", [answer.split(b"\r\n")[0] for answer in answers], [b"HTTP/1.1 202 Accepted"])
        expect(b"connection: close" in answers[0].lower(), f"{answers[0]}")


@test
def bodies_of_all(context):
    """The bodies that a token sends, and does not end, leave space for those of others, and so do those of requests that
    wait for a run."""
    data = os.path.join(context.directory(), "data")
    alice, bob = make_token(context, data, "--name", "alice"), make_token(context, data, "--name", "bob")
    root = make_token(context, data, "--scopes", "admin", "--name", "root")
    large = "1;" + " " * (4 << 20)

    def make(source, **fields):
        body = json.dumps({"source": source, **fields}).encode()
        return (
            f"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    with (
        Server(context, "--max-queue-size", "32MiB", "--concurrency", "16", data=data, token=root) as server,
        contextlib.ExitStack() as opened,
    ):
        # Ten requests whose bodies lack their last byte.
        unfinished = [opened.enter_context(server.open_socket()) for _ in range(10)]
        for client in unfinished:
            with contextlib.suppress(OSError):
                client.sendall(make(large)[:-1])
        count = lambda: sum(server.metric(f'curfew_refusals_total{{reason="{name}"}}') for name in ("share", "body"))
        context.until("nothing is refused", count)
        server.submit(large, token=bob)
        statuses = collections.Counter()
        for client in unfinished:
            client.sendall(b"}")
            statuses[client.recv(65536).split(b" ")[1]] += 1
        expect(statuses[b"202"] >= 3 and set(statuses) == {b"202", b"429"}, f"hers: {statuses}")

        # Ten that wait for runs in progress hold no body.
        waiting = make("await new Promise(done => setTimeout(done, 300000));" + " " * (4 << 20), wait=True, lang="mjs")
        for number in range(10):
            client = opened.enter_context(server.open_socket())
            client.sendall(waiting)
            running = lambda: server.ask("GET", "/v1/stats")["running"]
            context.until(lambda: f"{running()} run, not {number + 1}", lambda: running() == number + 1)
        server.submit(large, token=bob)


@test
def expiry_and_priority_of_tokens(context):
    data = os.path.join(context.directory(), "data")
    brief, low = (
        make_token(context, data, "--name", "brief", "--expires", "10s"),
        make_token(context, data, "--name", "low", "--top-priority", "3"),
    )
    with Server(context, data=data, token=brief) as server:
        late = server.submit("1", delay="1h")["id"]
        server.refuse(400, {"source": "1", "priority": 4}, "/priority", "ceiling", token=low)
        expect_equal(
            "lowered", server.ask("GET", f"/v1/runs/{server.submit('1', token=low)['id']}", token=low)["priority"], 3
        )
        server.wait_for_token(brief, is_known=False)
        server.token = make_token(context, data, "--scopes", "admin")
        server.wait_for_token(server.token)
        expect_equal("its run", server.wait_for(late)["outcome"], "cancelled")
    listed = context.command([context.curfew, "token", "list", "--data", data]).out.decode()
    expect("expired" in listed and "priority 3" in listed and "used " in listed, f"list: {listed}")


@test
def programs_of_all(context):
    """An administrator sees, runs and deletes the programs of every token. A token stores at most its quota."""
    js = {"Content-Type": "text/javascript"}
    data = os.path.join(context.directory(), "data")
    ada, bob = (
        make_token(context, data, "--name", "ada", "--programs-size", "2KiB"),
        make_token(context, data, "--name", "bob"),
    )
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
    with Server(
        context,
        "--max-timeout",
        "2s",
        "--max-memory",
        "32MiB",
        "--max-output",
        "1KiB",
        "--max-host-calls",
        "5",
        "--max-fuel",
        "1G",
    ) as server:
        seen = server.run("1")["limits"]
        expect_equal(
            "lowered",
            {key: seen[key] for key in ("timeout_us", "memory_bytes", "output_bytes", "host_calls", "fuel")},
            {"timeout_us": 2000000, "memory_bytes": 32 << 20, "output_bytes": 1024, "host_calls": 5, "fuel": 10**9},
        )
        for key, value in (
            ("timeout", "3s"),
            ("timeout", "unlimited"),
            ("memory", "64MiB"),
            ("output", "2KiB"),
            ("host-calls", 6),
            ("fuel", "unlimited"),
        ):
            server.refuse(400, {"source": "1", "limits": {key: value}}, f"/limits/{key}", "ceiling of this server")
    fail_start(context, "--max-timeout", "5", text="max-timeout", code=2)


@test
def memory_budget(context):
    """Runs start only while their memory limits fit the budget. A run that can never fit is refused."""
    with Server(context, "--memory-budget", "128MiB") as server:
        server.refuse(400, {"source": "1", "limits": {"memory": "256MiB"}}, "/limits/memory", "ceiling of this server")
        runs = [server.submit(WAIT.format(ms=600), limits={"memory": "48MiB"})["id"] for _ in range(6)]
        most = 0
        while any(server.get(run)["state"] != "done" for run in runs):
            most = max(most, server.metric("curfew_runs_running"))  # of one moment, unlike the runs' own states
        expect(1 <= most <= 2, f"{most} ran at once")
        expect_equal("outcomes", {server.get(run)["outcome"] for run in runs}, {"ok"})


@test
def smaller_budget(context):
    """A run that waits across a restart with a smaller budget than it may use gets that budget, and holds nobody up."""
    with Server(context) as server:
        later = server.submit("curfew.limits.memory_bytes", delay="1500ms", limits={"memory": "300MiB"})["id"]
        again = server.submit(
            "console.log('begun'); curfew.checkpoint(1); const end = Date.now() + 2000; while (Date.now() < end);",
            limits={"memory": "300MiB"},
            retry=3,
        )["id"]
        context.until("it has not begun", lambda: server.get(again)["checkpoint"] is not None)
        server.kill()
    with Server(context, "--memory-budget", "128MiB", data=server.data) as server:
        for run in (later, again):
            seen = server.wait_for(run)
            expect_equal("outcome", (seen["outcome"], seen["report"]["limits"]["memory_bytes"]), ("ok", 128 << 20))
        expect_equal("another run", server.run("6 * 7")["value"], 42)
        expect_equal("the log has both", server.log().count("which is the budget"), 2)


# ---- Retention ----------------------------------------------------------------------------------------------------


@test
def nobody_pushes_out_another(context):
    """Excess history is dropped from the owner that has most of it, no more than necessary, and keys stay known."""
    data = os.path.join(context.directory(), "data")
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
                return dict(
                    database.execute(
                        "SELECT tokens.name, count(*) FROM runs JOIN tokens ON owner=tokens.id GROUP BY owner"
                    )
                )

        context.until(lambda: f"large runs stay: {count()}", lambda: count()["greedy"] <= 9, 40)
        left = count()
        expect(left["greedy"] >= 4, f"more was dropped than it took: {left}")
        expect_equal("the other's", left["modest"], len(mine))
        server.stop()
    with Server(context, "--retention-size", "8MiB", data=data, token=greedy) as server:
        server.ask("GET", f"/v1/runs/{first}", status=404)
        expect_equal(
            "the key",
            server.submit(headers=key, **{key: value for key, value in big.items() if key != "wait"})["id"],
            first,
        )


# ---- Event streams ------------------------------------------------------------------------------------------------


@test
def streams_survive_a_restart(context):
    """Event ids continue after a restart, an unknown id replays the stream, and the report always arrives."""
    source = "for (let i = 0; i < 20; i++) console.log(i); await "
    with Server(context) as server:
        crashed = server.submit(source + PATIENT.removeprefix("await "), lang="mjs", limits={"timeout": "10m"})["id"]
        again = server.submit(source + ends_at(5), lang="mjs", retry=3)["id"]
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
        expect_equal(
            "of the crashed one",
            [(name, event.get("outcome")) for _, name, event in events],
            [("state", None), ("report", "crashed")],
        )
        expect(all(number > last[crashed] for number, _, _ in events), f"ids: {events}")
        expect_equal("all seen", server.stream(crashed, events[-1][0]).status, 204)
        events = list(server.stream(again, last[again]))
        expect(
            "".join(event["text"] for _, name, event in events if name == "output").endswith("19\n"),
            f"the second attempt: {events}",
        )
        expect_equal("its end", (events[-1][1], events[-1][2]["outcome"]), ("report", "ok"))
        numbers = [number for number, _, _ in events]
        expect(numbers == sorted(set(numbers)) and numbers[0] > last[again], f"ids: {numbers}")
        for run in (crashed, again):
            expect_equal("an unknown id", list(server.stream(run, 2**50))[-1][1], "report")
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal(
            "from disk, an unknown id", [name for _, name, _ in server.stream(again, 2**50)], ["state", "report"]
        )


# ---- Ambiguous requests -------------------------------------------------------------------------------------------


def answers_to(server, head, body=b""):
    """The status of each answer on a connection that sends this, with the type of the first one."""
    answer = server.raw(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n" + body)
    statuses = re.findall(rb"(?:^|\r\n|\})HTTP/1\.1 (\d+)", answer)
    json.loads(answer.split(b"\r\n\r\n", 1)[1].partition(b"HTTP/1.1 ")[0])
    kind = re.search(rb"[Cc]ontent-[Tt]ype: ([^\r]*)", answer)
    return [int(status) for status in statuses], kind and kind[1].decode()


@test
def ambiguous_requests(context):
    """A request that two parsers could read in two ways is refused once, with a problem, and the connection ends."""
    host = "Host: localhost\n"
    smuggled = b'{"source":"1"}' + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    post = "POST /v1/runs HTTP/1.1\n" + host + "Content-Type: application/json\n"
    cases = [
        ("no host", "GET /healthz HTTP/1.1\n", b"", 400),
        ("two hosts", "GET /healthz HTTP/1.1\nHost: localhost\nHost: localhost\n", b"", 400),
        ("a bad host", "GET /healthz HTTP/1.1\nHost: a b\n", b"", 400),
        ("an empty host", "GET /healthz HTTP/1.1\nHost:\n", b"", 400),
        ("two lengths", post + "Content-Length: 14\nContent-Length: 5\n", smuggled, 400),
        ("a length twice", post + "Content-Length: 14\nContent-Length: 14\n", smuggled, 400),
        ("length and chunks", post + "Content-Length: 14\nTransfer-Encoding: chunked\n", b"0\r\n\r\n" + smuggled, 400),
        ("an unknown encoding", post + "Transfer-Encoding: gzip, chunked\n", b"0\r\n\r\n", 400),
        ("a length after a space", post + "Content-Length : 14\n", smuggled, 400),
        ("a length after a tab", post + "Content-Length\t: 14\n", smuggled, 400),
        ("chunks after a space", post + "Transfer-Encoding : chunked\n", b"0\r\n\r\n" + smuggled, 400),
        ("a length behind a carriage return", post + "X: a\rContent-Length: 14\n", smuggled, 400),
        ("a length on a second line", post + "Content-Length:\n 14\n", smuggled, 400),
        ("a length that continues", post + "Content-Length: 14\n x\n", smuggled, 400),
        ("a header that continues", post + "X: a\n b\nContent-Length: 14\n", smuggled, 400),
        ("a first header that continues", "POST /v1/runs HTTP/1.1\n Content-Length: 14\n" + host, smuggled, 400),
        ("a control character", "GET /healthz HTTP/1.1\n" + host + "X: a\x01b\n", b"", 400),
        ("a name with a space", "GET /healthz HTTP/1.1\n" + host + "X y: a\n", b"", 400),
        ("a content encoding", post + "Content-Encoding: gzip\nContent-Length: 14\n", smuggled[:14], 415),
        ("an expectation", "GET /healthz HTTP/1.1\n" + host + "Expect: x\n", b"", 417),
        ("a NUL in the path", "GET /healthz%00x HTTP/1.1\n" + host, b"", 400),
        ("a NUL in an argument", "GET /v1/runs?state=done%00x HTTP/1.1\n" + host, b"", 400),
        (
            "a NUL in a name",
            "PUT /v1/programs/a%00b HTTP/1.1\n" + host + "Content-Type: text/javascript\nContent-Length: 1\n",
            b"1",
            400,
        ),
    ]
    cases += [
        (f"a length {length!r}", post + f"Content-Length: {length}\n", smuggled, status)
        for length, status in (
            ("+14", 400),
            ("0x0e", 400),
            ("14a", 400),
            ("1 4", 400),
            ("-1", 400),
            ("14, 14", 400),
            ("99999999999999999999", 413),
        )
    ]
    twice = (
        "Authorization",
        "Content-Encoding",
        "Expect",
        "Idempotency-Key",
        "Last-Event-ID",
        "Origin",
        "Sec-Fetch-Site",
    )
    cases += [
        (f"two {name}s", f"GET /healthz HTTP/1.1\n{host}{name}: a\n{name.lower()}: b\n", b"", 400) for name in twice
    ]
    cases.append(("two Content-Types", post + "Content-Type: text/plain\nContent-Length: 14\n", smuggled, 400))
    with Server(context) as server:
        for what, head, body, status in cases:
            expect_equal(what, answers_to(server, head, body), ([status], "application/problem+json"))
        expect_equal("nothing was run", server.ask("GET", "/v1/runs")["runs"], [])
        answer = server.request("DELETE", "/v1/stats")
        expect_equal("what is allowed", (answer.status, answer.headers["allow"]), (405, "GET, HEAD"))


@test
def whole_numbers(context):
    """An integer is accepted in every notation. A null counts as missing."""
    with Server(context) as server:
        headers = {"Content-Type": "application/json"}
        for limits, seen in (
            (b'{"host-calls":5.0}', 5),
            (b'{"host_calls":5e0,"host-calls":null}', 5),
            (b'{"host-calls":7,"host_calls":null}', 7),
        ):
            body = b'{"source":"1","wait":true,"priority":3.0,"delay":0.0,"limits":' + limits + b"}"
            expect_equal(
                str(limits),
                json.loads(server.request("POST", "/v1/runs", body, headers=headers).body)["limits"]["host_calls"],
                seen,
            )
        for limits in (b'{"host-calls":5.5}', b'{"host-calls":1e300}', b'{"host-calls":-1.0}'):
            server.ask("POST", "/v1/runs", b'{"source":"1","limits":' + limits + b"}", 400, headers=headers)


@test
def keys_as_they_are_meant(context):
    """A key is compared by its value, not its notation. A text with a NUL is refused, and so are contradictory
    fields."""
    with Server(context) as server:
        headers = {"Content-Type": "application/json"}
        body = b'{"sou\\u0072ce":"export default (...all) => all","lang":"mjs","par\\u0061ms":[1,2],"wait":true}'
        expect_equal(
            "escaped", json.loads(server.request("POST", "/v1/runs", body, headers=headers).body)["value"], [1, 2]
        )
        body = '{"source":"\'\u00e9\U0001f600\'+\\"\\\\u00e9\\"","wait":true}'.encode()
        expect_equal(
            "a text",
            json.loads(server.request("POST", "/v1/runs", body, headers=headers).body)["value"],
            "\u00e9\U0001f600\u00e9",
        )
        for body, pointer in (
            (b'{"source":"1","params":[],"par\\u0061ms":[1]}', ""),
            (b'{"source":"1","limits":{"timeout":"1s\\u0000x"}}', "/limits/timeout"),
            (b'{"source":"1","delay":"1s\\u0000x"}', "/delay"),
            (b'{"source":"1","limits":{"host-calls":1,"host_calls":2}}', "/limits/host_calls"),
            (b'{"source":"\xff"}', "/source"),
            (b'{"source":"\\udc00"}', "/source"),
            (b'{"source":"1"}x', ""),
            (b'{"source":["1"]}', "/source"),
        ):
            problem = server.ask("POST", "/v1/runs", body, 400, headers=headers)
            expect_equal(body.decode(errors="replace"), problem.get("pointer"), pointer)


@test
def large_bodies_hold_nobody_up(context):
    """Bodies of the maximum size, valid ones and bombs, do not block other requests."""
    size = 14 << 20
    bodies = [
        b'{"source":"1;' + b" " * size + b'","wait":true}',
        b'{"x":[' + b"{}," * (size // 3) + b"{}]}",
        b"{" + b",".join(b'"%d":0' % i for i in range(size // 11)) + b"}",
        b'{"source":"1","params":[' + b"0," * (size // 2) + b"0]}",
    ]
    with Server(context) as server, concurrent.futures.ThreadPoolExecutor(len(bodies)) as clients:

        def send(body):
            return server.request("POST", "/v1/runs", body, headers={"Content-Type": "application/json"}).status

        def worst(while_going):
            worst = 0
            while not while_going():
                start = time.monotonic()
                server.ask("GET", "/healthz")
                worst = max(worst, time.monotonic() - start)
            return worst

        began = time.monotonic()
        sent = [clients.submit(send, body) for body in bodies]
        beside = worst(lambda: all(job.done() for job in sent))
        expect_equal("answers", [job.result() for job in sent], [200, 400, 400, 202])
        took = time.monotonic() - began
        expect(
            beside < max(context.bound(0.25), 0.4 * took), f"a request beside them took {beside:.2f} s of {took:.2f}"
        )


# ---- Floods -------------------------------------------------------------------------------------------------------


@test
def floods_of_events(context):
    """However often a guest writes, it makes few events, no output is lost, and other requests are answered
    meanwhile."""
    source = """const end = Date.now() + 2500; let n = 0;
        for (; Date.now() < end || n < 30000; n++) { console.log(n); curfew.progress(n); } n"""
    with Server(context) as server:

        def ask():
            start = time.monotonic()
            server.ask("POST", "/v1/runs", {"source": "1", "wait": True, "durable": False})
            return time.monotonic() - start

        alone = sorted(ask() for _ in range(40))[20]
        flood = server.submit(
            source, limits={"timeout": "10m", "host-calls": "unlimited", "output": "64MiB"}, durable=False
        )["id"]
        server.wait_for(flood, "running", "done")
        beside = []
        while server.get(flood)["state"] == "running":
            beside.append(ask())
        report = server.wait_for(flood)["report"]
        stream = list(server.stream(flood))
        events = [event for _, name, event in stream if name == "output"]
        seconds = report["used"]["wall_us"] / 1e6
        expect(stream[-1][0] < 4800 * seconds, f"{stream[-1][0]} events in {seconds:.1f} s")
        expect_equal(
            "the last progress", [event for _, name, event in stream if name == "progress"][-1], report["value"] - 1
        )
        expect_equal("all output", report["stdout"].count("\n"), report["value"])
        expect_equal("how it ends", report["stdout"][-2000:], "".join(event["text"] for event in events)[-2000:])
        expect(len(events) < max(report["value"] / 3, 1200 * seconds), f"{len(events)} events in {seconds:.1f} s")
        expect(
            not beside or sorted(beside)[len(beside) // 2] < max(50 * alone, 0.2 * context.slower),
            f"others took {sorted(beside)[len(beside) // 2]:.3f} s, {alone:.4f} s alone",
        )


@test
def floods_of_large_events(context):
    """However large a guest's checkpoints and its progress are, it makes no more of them than others can bear. The last
    ones arrive."""
    size = 256 << 10
    source = f"""const text = 'x'.repeat({size}), end = Date.now() + 2000; let n = 0;
        for (; Date.now() < end || n < 40; n++) {{ curfew.checkpoint([n, text]); curfew.progress([n, text]); }} n"""
    with Server(context) as server:
        run = server.submit(source, limits={"timeout": "10m", "host-calls": "unlimited"}, durable=False)["id"]
        report = server.wait_for(run, timeout=600)["report"]
        stream = list(server.stream(run))
        sent, seconds = stream[-1][0] * size, report["used"]["wall_us"] / 1e6
        expect(sent < (20 * seconds + 8) * (1 << 20), f"{sent >> 20} MiB of events in {seconds:.1f} s")
        for kind in ("checkpoint", "progress"):
            last = [event for _, name, event in stream if name == kind][-1]
            expect_equal(f"the last {kind}", last[0], report["value"] - 1)


def waits_beside(context, server, fields, durable):
    """How long a run that takes a moment took at most beside another, and how long the other one took, in seconds."""
    done, waits = threading.Event(), []

    def ask():
        while not done.is_set():
            start = time.monotonic()
            expect_equal("a bystander", server.run("1", durable=durable)["value"], 1)
            waits.append(time.monotonic() - start)

    with concurrent.futures.ThreadPoolExecutor(1) as clients:
        beside = clients.submit(ask)
        start = time.monotonic()
        try:
            server.submit(status=200, wait=True, **fields)
        finally:
            done.set()
        took = time.monotonic() - start
        beside.result()
    return max(waits), took


@test
def sizes_of_others(context):
    """Nobody waits for the size of what another run writes, returns or reports, in the same worker or in another one,
    in memory or on disk. Each is whole afterwards."""
    size = max(4, int(96 / context.slower))
    text, limits = f"'x'.repeat({size} << 20)", {"timeout": "10m", "output": f"{3 * size}MiB", "memory": "1GiB"}
    sources = {
        "output": f"const part = 'x'.repeat(1 << 20); for (let i = 0; i < {size}; i++) console.log(part); 7",
        "output of bytes that JSON escapes": f"const part = '\\x01'.repeat({size} << 16); console.log(part); 7",
        "output at once": f"console.log({text}); 7",
        "a value": text,
        "a checkpoint": f"curfew.checkpoint({text}); 7",
    }
    with Server(context, "--workers", "1", "--memory-budget", "24GiB") as server:
        for what, source in sources.items():
            for durable in (False, True):
                fields = {"source": source, "limits": limits, "durable": durable}
                worst, took = waits_beside(context, server, fields, durable)
                expect(
                    worst < max(context.bound(0.5), 0.5 * took),
                    f"{what}, {'on disk' if durable else 'in memory'}: a run beside it took {worst:.2f} s of {took:.2f}",
                )
        report = server.run(sources["output"], limits=limits)
        expect_equal("its report", (report["value"], len(report["stdout"])), (7, size * ((1 << 20) + 1)))
        report = server.run(sources["a checkpoint"], limits=limits)
        expect_equal("its checkpoint", len(report["partial"]), size << 20)
        # Under a sanitizer a worker may run out of memory.
        restarts = server.metric("curfew_worker_restarts_total")
        expect(restarts == 0 or context.is_sanitized, f"{restarts} workers died")


@test
def large_checkpoints_are_shown(context):
    """A large checkpoint is shown as a part of its run, also to clients that do not read it, and nobody waits for that.
    Lists leave it out."""
    size = max(4, int(96 / context.slower))
    source = f"curfew.checkpoint('x'.repeat({size} << 20)); await new Promise((go) => setTimeout(go, 600000))"
    limits = {"timeout": "10m", "output": f"{2 * size}MiB", "memory": "1GiB"}
    with Server(context, "--memory-budget", "16GiB") as server:
        run = server.submit(source, lang="mjs", limits=limits, durable=False)["id"]
        server.wait_for_checkpoint(run)
        shown = server.get(run)
        expect_equal("it", (shown["state"], len(shown["checkpoint"]), shown["report"]), ("running", size << 20, None))
        listed = server.ask("GET", "/v1/runs")["runs"]
        expect_equal("the list", [(item["id"], item["checkpoint"]) for item in listed], [(run, None)])

        readers = [server.open_socket() for _ in range(12)]
        worst = 0
        for reader in readers:
            reader.sendall(f"GET /v1/runs/{run} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for reader in readers:
            start = time.monotonic()
            server.ask("GET", "/healthz")
            worst = max(worst, time.monotonic() - start)
            expect(reader.recv(16).startswith(b"HTTP/1.1 200"), "no answer")
        for reader in readers:
            reader.close()
        expect(worst < context.bound(0.25), f"a request beside them took {worst:.2f} s")
        server.ask("DELETE", f"/v1/runs/{run}")


@test
def the_end_of_the_output(context):
    """The last output of a run is in its stream before its report, whatever its size."""
    with Server(context) as server:
        run = server.submit(
            "await new Promise((go) => setTimeout(go, 500)); for (let i = 0; i < 6; i++) console.log(String(i).repeat(1 << 20)); 7",
            lang="mjs",
            limits={"timeout": "5m", "output": "64MiB"},
            durable=False,
        )["id"]
        # The worker has to join what it prints meanwhile.
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        server.process.send_signal(signal.SIGCONT)
        server.wait_for(run, timeout=120)
        events = list(server.stream(run))
        expect_equal("how it ends", [name for _, name, _ in events[-2:]], ["state", "report"])
        output = "".join(event["text"] for _, name, event in events if name == "output")
        expect(
            len(output) > 1 << 20 and events[-1][2]["stdout"].endswith(output),
            f"{len(output)} bytes of output are in the stream",
        )


@test
def large_reports(context):
    """A report of any size is returned with its run and its stream, before and after a restart. Lists leave it out."""
    size = 8 << 20
    source = f"const part = '\\x01'.repeat(1 << 20); for (let i = 0; i < {size >> 20}; i++) console.log(part); 7"

    def look(server, run, small):
        seen = server.request("GET", f"/v1/runs/{run}").json()
        expect_equal("the report", (seen["report"]["value"], len(seen["report"]["stdout"])), (7, size + (size >> 20)))
        expect_equal("the stream", list(server.stream(run))[-1][2]["value"], 7)
        listed = {item["id"]: item for item in server.ask("GET", "/v1/runs?include=report")["runs"]}
        expect_equal(
            "the list",
            (listed[run]["report"], listed[run]["outcome"], listed[small]["report"]["value"]),
            (None, "ok", 1),
        )

    with Server(context) as server:
        run = server.submit(source, limits={"timeout": "5m", "output": "64MiB"})["id"]
        small = server.submit("1")["id"]
        server.wait_for(run, timeout=120)
        server.wait_for(small)
        look(server, run, small)
        server.stop()
    with Server(context, data=server.data) as server:
        look(server, run, small)


@test
def reports_only_in_memory(context):
    """A run that is not on disk is shown with its report after its end, whatever its size and whatever ends after it;
    until another run needs that memory."""
    size = max(2, int(20 / context.slower))
    source = f"const part = '\\x01'.repeat(1 << 20); for (let i = 0; i < {size}; i++) console.log(part); 7"
    limits = {"timeout": "5m", "output": "21MiB"}
    with Server(context, "--memory-budget", "480MiB") as server:
        run = server.submit(source, limits=limits, durable=False)["id"]
        for _ in range(2):
            seen = server.wait_for(run, timeout=120)
            expect_equal("its report", len(seen["report"]["stdout"]), size * ((1 << 20) + 1))
            expect_equal("its stream", list(server.stream(run))[-1][2]["value"], 7)
            server.run(source, limits=limits)
            expect_equal("another run", server.run("6 * 7", durable=False)["value"], 42)
        expect_equal("all memory", server.run("1 + 1", limits={"memory": "480MiB"}, durable=False)["value"], 2)
        expect_equal("the first one then", server.request("GET", f"/v1/runs/{run}").status, 404)


def read_answer(client, size, pause):
    """The report in an answer to a request that was sent before, of more than this size. pause: called in the middle."""
    answer = b""
    while len(answer) < 1 << 20:
        answer += client.recv(1 << 16)
    pause()
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    expect(head.startswith(b"HTTP/1.1 200") and length > size, f"the answer: {head}")
    parts = [body]
    missing = length - len(body)
    while missing > 0:
        part = client.recv(1 << 20)
        expect(part, f"{missing} of {length} bytes are missing")
        parts.append(part)
        missing -= len(part)
    return json.loads(b"".join(parts))


@test
def answers_beside_retention(context):
    """Retention drops no run that somebody waits for, or whose report is being sent, however little it may keep and
    however slow the client is. When the answer is sent the run goes."""
    size, limits = 24 << 20, {"timeout": "5m", "output": "26MiB"}
    source = f"const part = 'x'.repeat(1 << 20); for (let i = 0; i < {size >> 20}; i++) console.log(part); 7"
    small = "console.log('x'.repeat(3 << 20)); 7"
    with Server(context, "--retention-size", "1MiB") as server:
        # This keeps retention at work.
        for _ in range(4):
            server.run(small, limits=limits)

        def submit(source):
            body = json.dumps({"source": source, "wait": True, "limits": limits}).encode()
            client = server.open_socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            head = f"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            client.sendall(f"{head}\r\n\r\n".encode() + body)
            return client

        def keep_busy():
            # Of small reports there is a copy in memory.
            before = [server.run(small, limits=limits)["id"] for _ in range(3)]
            is_gone = lambda: server.request("GET", f"/v1/runs/{before[0]}").status == 404
            context.until("retention drops nothing", is_gone)

        with submit(source) as client:
            report = read_answer(client, size, keep_busy)
        expect_equal("a slow client", len(report["stdout"]), size + (size >> 20))
        run = server.submit(source, limits=limits)["id"]
        stream = server.stream(run)
        server.wait_for(server.submit("1")["id"])
        keep_busy()
        expect_equal("a stream", len(list(stream)[-1][2]["stdout"]), size + (size >> 20))
        for gone in (report["id"], run):
            context.until("it stays", lambda gone=gone: server.request("GET", f"/v1/runs/{gone}").status == 404, 40)


def read_memory(pid, key):
    """A figure of /proc/PID/status, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key + ":")) >> 10


def peak_of(pid, function):
    """How much more memory the process had at some moment of this call than at its beginning, in MiB."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    before = read_memory(pid, "VmRSS")
    function()
    return read_memory(pid, "VmHWM") - before


@test
def memory_of_large_reports(context):
    """Large reports take no more of the server's memory than its budget has for them, however many a token asks for
    at once, how slowly they are read, and whatever is in them. Nothing of them stays in memory."""
    if context.is_sanitized:
        raise Skipped("a sanitizer keeps what was freed")
    size, clients = 24, 4
    source = f"const part = '{{}}'.repeat(1 << 20); for (let i = 0; i < {size}; i++) console.log(part); 7"
    limits = {"timeout": "5m", "output": f"{size + 2}MiB", "host-calls": "unlimited"}
    with Server(context, "--memory-budget", "640MiB", "--retention-size", "200MiB") as server:
        pid = server.process.pid

        def submit(part, **options):
            server.submit(source.format(part), 200, limits=limits, wait=True, **options)

        def submit_all(part, **options):
            with concurrent.futures.ThreadPoolExecutor(clients) as pool:
                list(pool.map(lambda _: submit(part, **options), range(clients)))

        # One takes three to four times its size.
        plain = peak_of(pid, lambda: submit_all("x"))
        expect(plain < 9 * size, f"{clients} reports of {size} MiB took {plain} MiB")
        # As JSON these are six times as large, and retention drops them while more arrive.
        escaped = peak_of(pid, lambda: submit_all("\\x01"))
        expect(escaped < 14 * size, f"{clients} reports of {size} MiB, escaped, took {escaped} MiB")
        left = read_memory(pid, "VmRSS")
        expect(left < 4 * size, f"{left} MiB are left in memory")

        run = server.submit(source.format("y"), limits=limits)["id"]
        server.wait_for(run, timeout=120)
        readers = []

        def read_slowly():
            for _ in range(12):
                reader = server.open_socket()
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.sendall(f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                readers.append(reader)
            time.sleep(1)
            expect_equal("its report", len(server.get(run)["report"]["stdout"]), size * ((1 << 20) + 1))

        slow = peak_of(pid, read_slowly)
        for reader in readers:
            reader.close()
        expect(slow < 2 * size, f"12 clients that do not read took {slow} MiB")


@test
def memory_of_large_events(context):
    """A large event is in memory once, and not for each of the streams that send it."""
    if context.is_sanitized:
        raise Skipped("a sanitizer keeps what was freed")
    size, count = 24, 16
    source = f"""const text = 'x'.repeat({size} << 20); curfew.checkpoint(text);
        await new Promise((go) => setTimeout(go, 600000))"""
    with Server(context) as server:
        pid, readers = server.process.pid, []
        limits = {"timeout": "10m", "output": f"{2 * size}MiB", "memory": "512MiB"}
        run = server.submit(source, lang="mjs", limits=limits)["id"]
        server.wait_for_checkpoint(run)

        def read_slowly():
            for _ in range(count):
                reader = server.open_socket()
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.sendall(f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                readers.append(reader)
            for reader in readers:
                expect(reader.recv(16).startswith(b"HTTP/1.1 200"), "no stream")
            time.sleep(1)

        took = peak_of(pid, read_slowly)
        for reader in readers:
            reader.close()
        expect(took < 2 * size, f"{count} streams of an event of {size} MiB took {took} MiB")
        whole = next(event for _, name, event in server.stream(run) if name == "checkpoint")
        expect_equal("the event", len(whole), size << 20)
        server.ask("DELETE", f"/v1/runs/{run}")


@test
def output_beyond_the_budget(context):
    """An output limit of which the server would need more memory than half of its budget is refused."""
    with Server(context, "--memory-budget", "480MiB") as server:
        server.refuse(400, {"source": "1", "limits": {"output": "22MiB"}}, "/limits/output", "ceiling of this server")
        expect_equal("below it", server.run("1", limits={"output": "21MiB"})["value"], 1)


@test
def requests_at_one_instant(context):
    """Requests of exactly as many connections as libmicrohttpd takes at once (128) are answered, if nothing else wakes
    it. It waited for more, for up to 30 s."""
    count = 128
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Server(context) as server, contextlib.ExitStack() as opened:
        clients = [opened.enter_context(server.open_socket()) for _ in range(count)]

        def ask_all():
            for client in clients:
                client.sendall(request)

        def take_all():
            for client in clients:
                expect(client.recv(4096).startswith(b"HTTP/1.1 200"), "no answer")

        ask_all()
        take_all()
        for _ in range(3):
            server.process.send_signal(signal.SIGSTOP)
            ask_all()
            server.process.send_signal(signal.SIGCONT)
            take_all()


# ---- A full disk --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(context, size):
    """A directory on a file system of this size, and a function that fills the rest of it, or frees that again."""
    directory = os.path.join(context.directory(), "disk")
    os.mkdir(directory)
    if context.command(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", directory]).code != 0:
        raise Skipped("nothing can be mounted here")

    def fill(is_full):
        path = os.path.join(directory, "filler")
        if not is_full:
            os.unlink(path)
            return
        with open(path, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    try:
        yield directory, fill
    finally:
        context.command(["umount", "-l", directory])


@test
def disk_without_space(context):
    """On a full disk durable runs are refused, and everything else goes on. A kill, and a start on the full disk,
    lose and repeat nothing that was accepted."""
    with small_disk(context, "16m") as (disk, fill):
        data = os.path.join(disk, "data")
        own, other = (make_token(context, data, "--name", name) for name in ("own", "other"))
        with Server(context, data=data, token=own) as server:
            kept = [server.submit(f"{number}")["id"] for number in range(5)]
            for run in kept:
                server.wait_for(run)
            later = server.submit("'later'", delay="2s")["id"]
            running = server.submit(WAIT.format(ms=800))["id"]
            large = server.submit(
                "await new Promise((go) => setTimeout(go, 800)); console.log('y'.repeat(2 << 20)); 'large'",
                lang="mjs",
                limits={"output": "4MiB"},
            )["id"]
            for run in (running, large):
                server.wait_for(run, "running")
            fill(True)

            def is_refused():
                body = json.dumps({"source": f"{len(kept)}; // " + "x" * 50000}).encode()
                answer = server.request("POST", "/v1/runs", body, {"Content-Type": "application/json"})
                expect(answer.status in (202, 503), f"a submission: {answer.status} {answer.body[:200]}")
                if answer.status == 202:
                    kept.append(answer.json()["id"])
                return answer.status == 503 and b"disk" in answer.body

            context.until("submissions are still accepted", is_refused)
            context.until("it is ready", lambda: server.request("GET", "/readyz").status == 503)
            server.ask("GET", "/healthz")
            expect_equal("not durable", server.run("6 * 7", durable=False)["value"], 42)
            expect_equal("what is there", server.get(kept[0])["report"]["value"], 0)
            # Their ends cannot be written yet: they may be shown later, but are not lost.
            done = context.command([context.curfew, "token", "revoke", "--data", data, "other"])
            expect_equal("revoking", (done.code, done.err), (0, b""))
            server.wait_for_token(other, False)
            server.kill()

        with Server(context, data=data, token=own) as server:
            expect_equal("what is there", server.get(kept[0])["report"]["value"], 0)
            expect_equal("the revoked token", server.request("GET", "/v1/runs", token=other).status, 401)
            server.kill()

        fill(False)
        with Server(context, data=data, token=own) as server:
            expect_equal("the revoked token", server.request("GET", "/v1/runs", token=other).status, 401)
            for run in [*kept, later]:
                seen = server.wait_for(run)
                expect_equal(f"run {run}", (seen["outcome"], seen["attempt"]), ("ok", 1))
            for run in (running, large):
                seen = server.wait_for(run)
                expect(seen["outcome"] in ("ok", "crashed") and seen["attempt"] == 1, f"run {run}: {seen}")
            ids = [run["id"] for run in server.ask("GET", "/v1/runs?limit=100")["runs"]]
            expect(sorted(set(ids)) == sorted(ids) and set(kept) <= set(ids), f"runs are lost or doubled: {ids}")
            expect_equal("durable again", server.run("3")["value"], 3)
        admin(context, data, "check")


# ---- Upkeep ----


def admin(context, data, *words, code=0):
    done = context.command([context.curfew, "admin", *words, "--data", data])
    expect_equal(" ".join(words), (done.code, done.err.decode()[:300]), (code, ""))
    return done.out.decode()


@test
def upkeep(context):
    """curfew admin beside a running server: it drops, copies and checks data."""
    copy = os.path.join(context.directory(), "copies")
    os.mkdir(copy)
    with Server(context) as server:
        runs = [server.submit(f"'{i}'.repeat(1000)")["id"] for i in range(30)]
        for run in runs:
            server.wait_for(run)
        late = server.submit("7", delay="1h")["id"]
        seen = json.loads(admin(context, server.data, "check", "--json"))
        expect_equal(
            "what is there",
            {key: seen[key] for key in ("problem", "runs", "waiting", "lacking", "unreadable", "reportless")},
            {"problem": None, "runs": 31, "waiting": 1, "lacking": 0, "unreadable": 0, "reportless": 0},
        )
        path = os.path.join(copy, "curfew.db")
        expect("curfew.db: " in admin(context, server.data, "backup", path), "backup says how much it wrote")
        expect_equal("for whom", os.stat(path).st_mode & 0o777, 0o600)
        done = context.command([context.curfew, "admin", "backup", path, "--data", server.data])
        expect(done.code == 125 and b"exists already" in done.err, f"nothing is written over: {done}")
        expect_equal(
            "young ones stay",
            json.loads(admin(context, server.data, "prune", "--older-than", "1h", "--json"))["runs"],
            0,
        )
        half = json.loads(admin(context, server.data, "prune", "--keep", "25KiB", "--json"))["runs"]
        expect(10 < half < 25, f"{half} runs of about 2.5 KiB are dropped where 25 KiB stay")
        expect("dropped" in admin(context, server.data, "prune", "--older-than", "1us"), "prune says what it did")
        expect_equal("the server goes on", server.run("1 + 1")["value"], 2)
        expect_equal("what waits stays", server.get(late)["state"], "scheduled")
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal("left", len(server.ask("GET", "/v1/runs?limit=100")["runs"]), 2)
    with Server(context, data=copy) as server:
        expect_equal(
            "the copy", [run["id"] for run in server.ask("GET", "/v1/runs?limit=100")["runs"]], [late, *runs[::-1]]
        )
        expect_equal("a report of it", server.get(runs[5])["report"]["value"], "5" * 1000)


@test
def copy_beside_an_old_log(context):
    """A copy replaces the database of a server that was killed, whoever opens it first: nothing of what the killed server
    left is written into it."""
    data, copy = os.path.join(context.directory(), "data"), os.path.join(context.directory(), "copy.db")
    with Server(context, data=data) as server:
        runs = [server.run(f"'{i}'.repeat(1000)")["id"] for i in range(5)]
        admin(context, data, "backup", copy)
        for i in range(60):
            server.run(f"'{i}'.repeat(3000)")
        server.kill()
    left = os.path.join(context.directory(), "left")
    shutil.copytree(data, left)
    expect(os.path.getsize(os.path.join(left, "curfew.db-wal")) > 100000, "the server has left no log")
    for first in ("check", "token", "serve"):
        shutil.rmtree(data)
        shutil.copytree(left, data)
        shutil.copy(copy, os.path.join(data, "curfew.db"))
        if first == "check":
            expect_equal("check", json.loads(admin(context, data, "check", "--json"))["runs"], 5)
        elif first == "token":
            done = context.command([context.curfew, "token", "list", "--data", data])
            expect_equal("token list", (done.code, done.out, done.err), (0, b"", b""))
        with Server(context, data=data) as server:
            expect_equal(f"{first} first", [run["id"] for run in server.ask("GET", "/v1/runs")["runs"]], runs[::-1])
            expect_equal("a report of it", server.get(runs[3])["report"]["value"], "3" * 1000)
            server.run("1")
            server.kill()
        # What the server wrote afterwards is in its own log, which stays.
        with Server(context, data=data) as server:
            expect_equal("after another kill", len(server.ask("GET", "/v1/runs")["runs"]), 6)
            server.stop()
        expect_equal("sound", json.loads(admin(context, data, "check", "--json"))["problem"], None)


@test
def damage_is_found(context):
    """curfew admin check names errors, and no command creates a database that was missing."""
    with Server(context) as server:
        ids = [server.submit("1")["id"] for _ in range(3)]
        for run in ids:
            server.wait_for(run)
        server.submit("2", delay="1h")
        server.stop()
    with contextlib.closing(sqlite3.connect(os.path.join(server.data, "curfew.db"))) as database, database:
        database.execute("DELETE FROM reports WHERE place=(SELECT min(place) FROM reports)")
        database.execute("DELETE FROM sources WHERE sha256=(SELECT sha256 FROM runs WHERE state<>4)")
    said = admin(context, server.data, "check", code=1)
    expect("1 ended runs have no report" in said and "1 waiting runs have no source" in said, said)
    with open(os.path.join(server.data, "curfew.db"), "r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)
    done = context.command([context.curfew, "admin", "check", "--data", server.data])
    expect(
        done.code in (1, 125) and (b"malformed" in done.out + done.err or b"damaged" in done.out + done.err),
        f"{done.code} {done.out} {done.err}",
    )
    empty = context.directory()
    for words in (["prune", "--keep", "1GiB"], ["backup", os.path.join(empty, "b")], ["check"]):
        done = context.command([context.curfew, "admin", *words, "--data", empty])
        expect(done.code == 125 and b"there is no database" in done.err and os.listdir(empty) == [], f"{words}: {done}")
    for words, text in (
        (["prune"], "needs --older-than"),
        (["prune", "--keep", "x"], "--keep x"),
        (["prune", "--older-than", "5"], "--older-than 5"),
        (["check", "--keep", "1GiB"], "are for admin prune"),
        (["backup"], "needs the name"),
        ([], "needs one of"),
        (["tidy"], "must be prune"),
        (["check", "x"], "unexpected argument x"),
    ):
        done = context.command([context.curfew, "admin", *words])
        expect(done.code == 2 and text in done.err.decode(), f"{words}: {done}")


# ---- Operators ----------------------------------------------------------------------------------------------------


@test
def reload(context):
    """SIGHUP ends nothing: ceilings and the log's level are read again, and an invalid value changes nothing."""
    path = os.path.join(context.directory(), "config")
    told = os.path.join(context.directory(), "notify")
    with open(path, "w", encoding="utf-8") as file:
        file.write("max-timeout = 20s\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(told)
        listener.settimeout(context.socket_timeout(20))
        with Server(context, "--config", path, env={"NOTIFY_SOCKET": told}) as server:
            expect_equal("ready", listener.recv(100), b"READY=1")
            waiting = server.submit(WAIT.format(ms=1500))["id"]
            server.refuse(400, {"source": "1", "limits": {"timeout": "30s"}}, "/limits/timeout")
            for line, status in (("max-timeout = 40s\nlog-level = error\n", 202), ("max-timeout = 5\n", 202)):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(line)
                server.process.send_signal(signal.SIGHUP)
                expect_equal("reloading", listener.recv(100).split(b"\n")[0], b"RELOADING=1")
                expect_equal("ready again", listener.recv(100), b"READY=1")
                server.ask("POST", "/v1/runs", {"source": "1", "limits": {"timeout": "30s"}}, status)
            expect_equal("what went on", server.wait_for(waiting)["outcome"], "ok")
            expect("max-timeout" in server.log() and "error reload" in server.log(), f"the log: {server.log()}")
            expect(" info run " not in server.log().split("error reload")[1], "lines below the level are written")
            server.stop()
            expect_equal("stopping", listener.recv(100), b"STOPPING=1")


def check_pagemap(pid):
    """No frame numbers in what a worker reads of its pages. Returns how many such files it has."""
    libc, seen = ctypes.CDLL(None, use_errno=True), 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            file = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            continue  # a spare worker that still starts has closed it meanwhile
        if not file.endswith("/pagemap"):
            continue
        copy = libc.syscall(438, os.pidfd_open(pid), int(number), 0)
        if copy < 0:
            raise Skipped("descriptors of another process cannot be had here")
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
            starts = [int(line.split("-")[0], 16) for line in maps if " rw-p " in line]
        entries = [int.from_bytes(os.pread(copy, 8, (start >> 12) * 8), "little") for start in starts]
        present = [entry for entry in entries if entry >> 63]
        expect(present and all(entry & ((1 << 55) - 1) == 0 for entry in present), f"frames are told: {present[:4]}")
        seen += 1
    return seen


@test
def no_frame_numbers(context):
    """A worker's view of its pages does not reveal their physical addresses."""
    with Server(context) as server:
        seen = 0
        for pid in server.children():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself
                seen += check_pagemap(pid)
        if seen == 0:
            raise Skipped("the workers have no such file here")


def tests(context):
    return [Test("server", function.__name__, function) for function in TESTS]
