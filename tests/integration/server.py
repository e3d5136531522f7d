# SPDX-License-Identifier: Apache-2.0
"""curfew serve: its answers, what it refuses, and that no accepted run is lost."""

import concurrent.futures
import contextlib
import gzip
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import warnings

from .harness import ROOT, Failed, Skipped, Test, expect, expect_equal, make_certificate, read, shorten
from .serving import WITHOUT_PARTS, WITHOUT_SHARES, Answer, Server, check_dashboard, submit_to_dying

TESTS = []
FOREVER = "for (;;) {}"
# Waiting times for effects that are not observable. Each is tried, because machines differ in speed.
PAUSES = (0.3, 0.6, 1.2, 2.4, 4.8)
PATIENT = "await new Promise(() => setTimeout(() => {}, 60000))"


def test(function):
    TESTS.append(function)
    return function


def fail_start(context, *options, text, data=None, code=125):
    """The server does not start, and prints the reason in one line."""
    data = data or os.path.join(context.directory(), "data")
    done = context.command([context.curfew, "serve", "--listen", "127.0.0.1:0", "--data", data, *options], timeout=30)
    err = done.err.decode()
    lines = [line for line in err.split("\n") if line.startswith("curfew: ")]
    expect(
        done.code == code and len(lines) == 1 and text in err,
        f"{options}: expected exit {code} and {text!r}, seen {done.code}: {err}",
    )


def ends_at(seconds):
    """JavaScript that ends in this many seconds from now, even if it is started again meanwhile."""
    return f"new Promise(done => setTimeout(done, {time.time() * 1000 + seconds * 1000:.0f} - Date.now()))"


def is_idle(server):
    stats = server.ask("GET", "/v1/stats")
    return stats["running"] + stats["queued"] == 0


def make_token(context, data, *options):
    done = context.command([context.curfew, "token", "create", "--data", data, *options])
    expect(done.code == 0 and done.out.startswith(b"curfew_"), f"token create {options}: {done}")
    return done.out.decode().strip()


# ---- Runs ---------------------------------------------------------------------------------------------------------


@test
def runs(context):
    with Server(context) as server:
        report = server.run("console.log('out'); console.error('err'); curfew.checkpoint([1]); ({a: 40 + 2})")
        expect_equal(
            "value",
            (report["outcome"], report["value"], report["partial"], report["stdout"], report["stderr"]),
            ("ok", {"a": 42}, [1], "out\n", "err\n"),
        )
        accepted = server.submit("1 + 1")
        run = server.wait_for(accepted["id"])
        expect_equal(
            "run",
            (run["id"], run["report"]["id"], run["report"]["value"], run["durable"]),
            (accepted["id"], accepted["id"], 2, True),
        )
        expect(run["queue_us"] >= 0 and run["started_ms"] >= run["created_ms"], f"times: {run}")
        expect_equal("threw", server.run("throw new TypeError('no')")["error"]["name"], "TypeError")
        expect_equal("bad", server.run("let 1")["outcome"], "bad_program")
        expect_equal("deadline", server.run(FOREVER, limits={"timeout": "100ms"})["outcome"], "deadline")
        expect_equal("module", server.run("export default (a, b) => a + b", lang="mjs", params=[2, 3])["value"], 5)
        expect_equal("call", server.run("function twice(x) { return 2 * x }", call="twice", params=[21])["value"], 42)
        expect_equal("user", server.run("curfew.user", user="ada")["value"], "ada")
        expect_equal("not durable", server.run("7", durable=False)["value"], 7)
        first, second = (server.run("[Math.random(), Date.now()]", deterministic=True)["value"] for _ in range(2))
        expect_equal("deterministic", first, second)


@test
def values_pass_as_they_are(context):
    with Server(context) as server:
        body = b'{"source":"export default x => JSON.stringify(x)","lang":"mjs","wait":true,"params":[{"n":123456789012345678901234567890,"s":"\\ud800\\u0000"}]}'
        report = json.loads(server.request("POST", "/v1/runs", body, headers={"Content-Type": "application/json"}).body)
        expect_equal("params", report["value"], '{"n":1.2345678901234568e+29,"s":"\\ud800\\u0000"}')
        report = server.run("({big: 1e21, whole: 12345678901234567890, text: '</script>\\u2028\\ud800'})")
        expect_equal(
            "value", report["value"], {"big": 1e21, "whole": 12345678901234567000, "text": "</script>\u2028\ud800"}
        )


@test
def limits(context):
    with Server(context) as server:
        given = {
            "timeout": "1.5s",
            "grace": "5ms",
            "cpu": "1s",
            "fuel": "3G",
            "loops": 1000000,
            "memory": "32MiB",
            "stack": 524288,
            "output": "64KiB",
            "host-calls": 7,
            "timers": "unlimited",
        }
        seen = server.run("1", limits=given)["limits"]
        expect_equal(
            "limits",
            seen,
            {
                "timeout_us": 1500000,
                "grace_us": 5000,
                "cpu_us": 1000000,
                "fuel": 3 * 10**9,
                "loops": 10**6,
                "memory_bytes": 32 << 20,
                "stack_bytes": 524288,
                "output_bytes": 65536,
                "host_calls": 7,
                "timers": None,
            },
        )
        expect_equal("underscore", server.run("1", limits={"host_calls": 9})["limits"]["host_calls"], 9)
        expect_equal("after the store", server.wait_for(server.submit("1", limits=given)["id"])["limits"], seen)


@test
def bad_fields(context):
    cases = [
        ({}, "/program"),
        ({"source": "1", "program": "a"}, "/source"),
        ({"source": 1}, "/source"),
        ({"source": "1", "lang": "py"}, "/lang"),
        ({"program": 5}, "/program"),
        ({"program": "a", "lang": "js"}, "/lang"),
        ({"source": "1", "x": 1}, "/x"),
        ({"source": "1", "a/b~c": 1}, "/a~1b~0c"),
        ({"source": "1", "params": {}}, "/params"),
        ({"source": "1", "params": "[]"}, "/params"),
        ({"source": "1", "limits": []}, "/limits"),
        ({"source": "1", "limits": {"timeout": 5}}, "/limits/timeout"),
        ({"source": "1", "limits": {"timeout": "0s"}}, "/limits/timeout"),
        ({"source": "1", "limits": {"timeout": True}}, "/limits/timeout"),
        ({"source": "1", "limits": {"timout": "1s"}}, "/limits/timout"),
        ({"source": "1", "limits": {"memory": "unlimited"}}, "/limits/memory"),
        ({"source": "1", "limits": {"memory": "9999GiB"}}, "/limits/memory"),
        ({"source": "1", "limits": {"fuel": -1}}, "/limits/fuel"),
        ({"source": "1", "delay": "5"}, "/delay"),
        ({"source": "1", "delay": -1}, "/delay"),
        ({"source": "1", "delay": "99999h"}, "/delay"),
        ({"source": "1", "delay": [1]}, "/delay"),
        ({"source": "1", "wait": "yes"}, "/wait"),
        ({"source": "1", "wait": 1}, "/wait"),
        ({"source": "1", "durable": 0}, "/durable"),
        ({"source": "1", "priority": 10}, "/priority"),
        ({"source": "1", "priority": 1.5}, "/priority"),
        ({"source": "1", "retry": 11}, "/retry"),
        ({"source": "1", "retry": "1"}, "/retry"),
        ({"source": "1", "user": ""}, "/user"),
        ({"source": "1", "user": "a\0b"}, "/user"),
        ({"source": "1", "user": "x" * 257}, "/user"),
        ({"source": "1", "call": 3}, "/call"),
        ({"source": "!", "lang": "wasm"}, "/source"),
        ([], ""),
        ("text", ""),
        (None, ""),
    ]
    with Server(context) as server:
        for fields, pointer in cases:
            body = json.dumps(fields)
            problem = server.ask("POST", "/v1/runs", body, 400, headers={"Content-Type": "application/json"})
            expect_equal(body[:60], problem.get("pointer"), pointer)
        for body in (
            b"",
            b"{",
            b'{"source":"1"} x',
            b'{"source":"1","source":"2"}',
            b'{"source":"\\ud800"}',
            b"\xff\xfe",
            b"[" * 100000,
            b'{"a":' * 5000,
            b'{"source":"1","params":[1,]}',
            b'{"source":"1","params":[1}',
        ):
            problem = server.ask("POST", "/v1/runs", body, 400, headers={"Content-Type": "application/json"})
            expect("pointer" in problem, f"{body[:40]}: {problem}")
        server.refuse(404, {"program": "nowhere"}, "/program")
        expect_equal("nothing was run", server.ask("GET", "/v1/runs")["runs"], [])


@test
def bad_requests(context):
    with Server(context) as server:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("GET", "/v1", 404),
            ("GET", "/v1/runs/", 404),
            ("GET", "/v1/runs/abc", 404),
            ("POST", "/v1/stats", 405),
            ("PUT", "/v1/runs", 405),
            ("DELETE", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404),
            ("GET", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404),
            ("GET", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/events", 404),
            ("GET", "/v1/programs/nowhere", 404),
            ("DELETE", "/v1/programs/nowhere", 404),
            ("GET", "/v1/runs?limit=0", 400),
            ("GET", "/v1/runs?limit=1001", 400),
            ("GET", "/v1/runs?limit=x", 400),
            ("GET", "/v1/runs?state=x", 400),
            ("GET", "/v1/runs?outcome=x", 400),
            ("GET", "/v1/runs?after=x", 400),
            ("GET", "/v1/runs?colour=red", 400),
            ("GET", "/../etc/passwd", 404),
            ("GET", "/list", 404),
            ("POST", "/index.html", 405),
        ):
            server.ask(method, path, status=status)
        json_type = {"Content-Type": "application/json"}
        for headers, status in (
            ({"Content-Type": "text/plain"}, 415),
            ({}, 415),
            ({"Content-Type": "application/jsonx"}, 415),
            ({**json_type, "Origin": "http://evil.example"}, 403),
            ({**json_type, "Origin": "null"}, 403),
            ({**json_type, "Sec-Fetch-Site": "cross-site"}, 403),
            ({**json_type, "Sec-Fetch-Site": "same-site"}, 403),
            ({**json_type, "Host": "evil.example"}, 403),
            ({**json_type, "Idempotency-Key": "x" * 256}, 400),
        ):
            server.ask("POST", "/v1/runs", '{"source":"1"}', status, headers=headers)
        server.ask("GET", "/v1/runs", status=403, headers={"Host": "rebound.example:80"})
        own = {**json_type, "Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
        server.ask("POST", "/v1/runs", '{"source":"1"}', 202, headers=own)
        expect_equal("head", server.request("HEAD", "/healthz").body, b"")


@test
def malformed_http(context):
    with Server(context) as server:
        for data in (
            b"",
            b"\0" * 100,
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /v1/runs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            b"A" * 200000,
            b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"\x16\x03\x01" + os.urandom(200),
            b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100000 + b"\r\n",
        ):
            server.raw(data, seconds=5)
            server.ask("GET", "/healthz")


@test
def too_large(context):
    with Server(context, "--max-body", "64KiB") as server:
        answer = server.raw(
            b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
            + b" " * 100000
        )
        expect(b" 413 " in answer.split(b"\r\n")[0], f"by length: {answer[:200]}")
        answer = server.raw(
            b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
            ends=False,
        )
        expect(b" 413 " in answer.split(b"\r\n")[0], f"before it is sent: {answer[:200]}")
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        answer = server.raw(
            b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunk * 4
            + b"0\r\n\r\n",
            ends=False,
        )
        expect(b" 413 " in answer.split(b"\r\n")[0], f"in chunks: {answer[:200]}")
        answer = server.raw(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-Padding: " + b"y" * 20000 + b"\r\n\r\n"
        )
        expect(b" 431 " in answer.split(b"\r\n")[0], f"headers: {answer[:200]}")
        server.ask("PUT", "/v1/programs/big", b"1;" + b" " * 65536, 413, headers={"Content-Type": "text/javascript"})
        expect_equal("still", server.run("1")["value"], 1)


# ---- Events -------------------------------------------------------------------------------------------------------


@test
def events(context):
    source = "console.log('é'); curfew.progress({n: 1}); curfew.checkpoint([1]); console.error('x'); await new Promise(f => setTimeout(f, 300)); console.log('b')"
    with Server(context) as server:
        run = server.submit(source, lang="mjs")["id"]
        seen = list(server.stream(run))
        names = [
            (name, data.get("state") if name == "state" else data if name != "report" else data["outcome"])
            for _, name, data in seen
        ]
        expect_equal(
            "events",
            names,
            [
                ("state", "queued"),
                ("state", "running"),
                ("output", {"stream": "stdout", "text": "é\n"}),
                ("progress", {"n": 1}),
                ("checkpoint", [1]),
                ("output", {"stream": "stderr", "text": "x\n"}),
                ("output", {"stream": "stdout", "text": "b\n"}),
                ("state", "done"),
                ("report", "ok"),
            ],
        )
        expect_equal("ids", [number for number, _, _ in seen], list(range(1, 10)))
        for last in (0, 4, 8):
            expect_equal(f"after {last}", list(server.stream(run, last)), seen[last:])
        expect_equal("after the last", server.stream(run, 9).status, 204)
        expect_equal("a bad id", server.stream(run, "x").status, 400)
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal("from disk", [name for _, name, _ in server.stream(run)], ["state", "report"])
        expect_equal("from disk, resumed", list(server.stream(run, 8)), seen[8:])
        expect_equal("from disk, all seen", server.stream(run, 9).status, 204)


@test
def cut_streams(context):
    with Server(context, "--max-streams", "3") as server:
        run = server.submit(PATIENT, lang="mjs", limits={"timeout": "60s"})["id"]
        streams = [server.stream(run) for _ in range(3)]
        server.wait_for(run, "running")
        expect_equal("one too many", server.stream(run).status, 503)
        for stream in streams:
            stream.close()
        server.ask(
            "DELETE", f"/v1/runs/{run}"
        )  # also wakes the streams, which then notice that their clients have disconnected
        context.until("streams that were cut stay open", lambda: server.metric("curfew_open_streams") == 0)


# ---- Retries, cancelling, the list --------------------------------------------------------------------------------


@test
def idempotency(context):
    key = {"Idempotency-Key": "a key"}
    with Server(context) as server:
        first = server.submit("Math.random()", headers=key)["id"]
        expect_equal("again", server.submit("Math.random()", headers=key)["id"], first)
        server.wait_for(first)
        expect_equal("after its end", server.submit("Math.random()", headers=key)["id"], first)
        server.refuse(422, {"source": "other"}, headers=key)
        rounds = 20
        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            for i in range(rounds):
                together = {"Idempotency-Key": f"together {i}"}
                reports = list(
                    executor.map(
                        lambda given: server.submit("Math.random()", 200, headers=given, wait=True), [together] * 8
                    )
                )
                expect_equal("at once", len({report["id"] for report in reports}), 1)
        server.kill()
    with Server(context, data=server.data) as server:
        expect_equal("after a crash", server.submit("Math.random()", headers=key)["id"], first)
        expect_equal("with wait", server.submit("Math.random()", 200, headers=together, wait=True), reports[0])
        server.refuse(422, {"source": "other"}, headers=key)
        expect_equal("how many", len(server.ask("GET", "/v1/runs")["runs"]), rounds + 1)


@test
def cancel(context):
    with Server(context, "--concurrency", "1") as server:
        running = server.submit("console.log('x'); curfew.checkpoint(5); " + FOREVER, limits={"timeout": "60s"})["id"]
        server.wait_for_checkpoint(running)
        queued = server.submit("1")["id"]
        scheduled = server.submit("1", delay="1h")["id"]
        expect_equal("states", (server.get(queued)["state"], server.get(scheduled)["state"]), ("queued", "scheduled"))
        for run in (queued, scheduled, running):
            report = server.ask("DELETE", f"/v1/runs/{run}")
            context.check_report(json.dumps(report))
            expect_equal(run, (report["outcome"], report["id"]), ("cancelled", run))
            expect_equal("again", server.ask("DELETE", f"/v1/runs/{run}"), report)
        expect_equal("kept", (report["partial"], report["stdout"]), (5, "x\n"))
        done = server.submit("1")["id"]
        report = server.wait_for(done)["report"]
        expect_equal("a finished one", server.ask("DELETE", f"/v1/runs/{done}"), report)
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal("on disk", server.ask("DELETE", f"/v1/runs/{done}"), report)
        expect_equal("all done", {run["state"] for run in server.ask("GET", "/v1/runs")["runs"]}, {"done"})


@test
def cancel_while_nothing_can_be_written(context):
    """A run that is cancelled while its start is being written, which then fails, ends as cancelled."""
    with Server(context, "--concurrency", "1") as server, concurrent.futures.ThreadPoolExecutor() as pool:
        first = server.submit(FOREVER, limits={"timeout": "300s"})["id"]
        server.wait_for(first, "running")
        second = server.submit("1")["id"]
        with contextlib.closing(sqlite3.connect(os.path.join(server.data, "curfew.db"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            reports = [pool.submit(server.ask, "DELETE", f"/v1/runs/{first}")]
            server.wait_for(second, "running")
            reports.append(pool.submit(server.ask, "DELETE", f"/v1/runs/{second}"))
            server.wait_for(second, "stopping")
            # Each write fails after some seconds. Those of ends are repeated.
            context.until("no write fails", lambda: server.metric("curfew_store_failures_total") >= 4, 60)
            other.execute("ROLLBACK")
        expect_equal("outcomes", [report.result()["outcome"] for report in reports], ["cancelled"] * 2)
        expect_equal("another", server.run("6 * 7")["value"], 42)


@test
def lists(context):
    with Server(context) as server:
        server.ask("PUT", "/v1/programs/p", b"5", 201, headers={"Content-Type": "text/javascript"})
        ids = [server.submit(f"{i}", durable=i % 3 != 0)["id"] for i in range(10)]
        ids += [server.submit(program="p")["id"] for _ in range(3)]
        ids.append(server.submit("throw 1")["id"])
        for run in ids:
            server.wait_for(run)
        late = server.submit("1", delay="1h")["id"]
        waiting = [server.submit("1", delay="1h", durable=False)["id"] for _ in range(30)][::-1]
        order = [*waiting, late, *ids[::-1]]
        seen = [run["id"] for run in server.ask("GET", "/v1/runs")["runs"]]
        expect_equal("newest first", seen, order)

        def pages(limit, **filters):
            found, after = [], None
            while True:
                query = "&".join(
                    f"{key}={value}"
                    for key, value in {"limit": limit, **filters, **({"after": after} if after else {})}.items()
                )
                page = server.ask("GET", f"/v1/runs?{query}")
                expect(len(page["runs"]) <= limit, "a page is longer than limit")
                found += [run["id"] for run in page["runs"]]
                after = page["next"]
                if after is None:
                    return found

        for limit in (1, 2, 5, 14, 15, 100):
            expect_equal(f"pages of {limit}", pages(limit), order)
        expect_equal("of a program", pages(2, program="p"), ids[10:13][::-1])
        expect_equal("by outcome", pages(2, outcome="threw"), [ids[13]])
        for limit in (2, 5, 29, 30, 31):
            expect_equal("scheduled", pages(limit, state="scheduled"), [*waiting, late])
        expect_equal("done", pages(3, state="done"), ids[::-1])
        server.stop()
    with Server(context, data=server.data) as server:
        durable = [late] + [run for i, run in enumerate(ids) if i >= 10 or i % 3 != 0][::-1]
        expect_equal("from disk", pages(3), durable)


@test
def lists_without_reports(context):
    """The entries of a list have a run's usage, from memory and from disk, and its report only on request."""

    def check(server, run, report):
        for query in ("", "?state=done", "?outcome=deadline", "?limit=1000"):
            (listed,) = server.ask("GET", "/v1/runs" + query)["runs"]
            expect_equal("the report", listed["report"], None)
            expect_equal(
                "used",
                listed["used"],
                {key: report["used"][key] for key in ("wall_us", "cpu_us", "memory_peak_bytes", "output_bytes")},
            )
            expect_equal("how late", listed["stop_latency_us"], report["stop"]["latency_us"])
        expect_equal("with its report", server.ask("GET", "/v1/runs?include=report")["runs"][0]["report"], report)
        expect_equal("alone", server.get(run)["report"], report)
        for query in ("include=report&limit=21", "include=reports", "include="):
            server.ask("GET", "/v1/runs?" + query, status=400)

    with Server(context) as server:
        run = server.submit("console.log('hi');" + FOREVER, limits={"timeout": "100ms"})["id"]
        report = server.wait_for(run)["report"]
        check(server, run, report)
        server.stop()
    with Server(context, data=server.data) as server:
        check(server, run, report)


@test
def reports_of_many_parts(context):
    """A report of many parts is complete for clients that wait, read, cancel and follow, from memory and from disk. So
    is one that an older version stored."""
    length = 5 << 20
    source = f"console.log('abcdefg\\n'.repeat({length // 8 - 1}) + '1234567'); 'x'.repeat(1 << 20)"

    def check(server, run, report):
        expect_equal("looked at", server.get(run)["report"], report)
        expect_equal("cancelled", server.ask("DELETE", f"/v1/runs/{run}"), report)
        expect_equal("listened to", list(server.stream(run))[-1][1:], ("report", report))
        expect_equal("too large for a list", server.ask("GET", "/v1/runs?include=report")["runs"][0]["report"], None)

    with Server(context) as server:
        report = server.submit(source, 200, wait=True, limits={"output": "64MiB"})
        expect_equal("how it ended", (report["outcome"], report["error"]), ("ok", None))
        expect_equal("all of it", (len(report["stdout"]), len(report["value"])), (length, 1 << 20))
        check(server, report["id"], report)
        server.stop()
    with Server(context, data=server.data) as server:
        check(server, report["id"], report)
        server.stop()
    with sqlite3.connect(os.path.join(server.data, "curfew.db")) as database:
        parts = database.execute("SELECT CAST(data AS TEXT) FROM reports ORDER BY place").fetchall()
        expect(len(parts) > 5, f"it is in {len(parts)} parts")
        database.executescript(WITHOUT_PARTS)
        database.execute("UPDATE runs SET report=?", ("".join(text for (text,) in parts),))
        database.executescript("PRAGMA user_version=6;")
    with Server(context, data=server.data) as server:
        check(server, report["id"], report)


@test
def a_lost_report(context):
    """A run whose report the database has lost is not said to be unknown. Lists show it, and a dropped run is unknown."""
    with Server(context) as server:
        run = server.submit("1", 200, wait=True, headers={"Idempotency-Key": "lost"})["id"]
        other = server.submit("2", 200, wait=True)["id"]
        server.stop()
    with sqlite3.connect(os.path.join(server.data, "curfew.db")) as database:
        database.execute("DELETE FROM reports WHERE place IN (SELECT number << 12 FROM runs WHERE id=?)", (run,))
        expect_equal("reports left", database.execute("SELECT count(*) FROM reports").fetchone(), (1,))
    database.close()
    with Server(context, data=server.data) as server:
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events")):
            problem = server.ask(method, f"/v1/runs/{run}{path}", status=500)
            expect_equal(f"{method} {path}", problem["type"], "urn:curfew:problem:report-lost")
            expect("admin check" in problem["detail"], problem["detail"])
        problem = server.submit("1", 500, wait=True, headers={"Idempotency-Key": "lost"})
        expect_equal("the same key", problem["type"], "urn:curfew:problem:report-lost")
        listed = server.ask("GET", "/v1/runs?include=report")["runs"]
        listed = [(each["id"], each["report"] is None) for each in listed]
        expect_equal("the list", listed, [(other, False), (run, True)])
        server.ask("GET", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", status=404)


# ---- Programs -----------------------------------------------------------------------------------------------------


@test
def programs(context):
    js, add = {"Content-Type": "text/javascript"}, b"export default (a, b) => a + b"
    with Server(context) as server:
        stored = server.ask("PUT", "/v1/programs/add", add, 201, headers=js)
        expect_equal("again", server.ask("PUT", "/v1/programs/add", add, 200, headers=js), stored)
        expect_equal("one", server.ask("GET", "/v1/programs/add"), stored)
        expect_equal("run", server.run(program="add", params=[2, 3])["value"], 5)
        changed = server.ask("PUT", "/v1/programs/add?lang=mjs", b"export default (a, b) => a * b", 200)
        expect(
            changed["sha256"] != stored["sha256"] and changed["created_ms"] == stored["created_ms"],
            f"replaced: {changed}",
        )
        expect_equal("run the new one", server.run(program="add", params=[2, 3])["value"], 6)
        problem = server.ask("PUT", "/v1/programs/bad", b"let 1", 422, headers=js)
        expect("SyntaxError" in problem["detail"] and "line 1" in problem["detail"], f"bad: {problem}")
        server.ask("PUT", "/v1/programs/slow", b"1", 415, headers={"Content-Type": "image/png"})
        server.ask("PUT", "/v1/programs/empty", b"", 400, headers=js)
        server.ask("PUT", "/v1/programs/-x", b"1", 400, headers=js)
        server.ask("PUT", "/v1/programs/" + "x" * 129, b"1", 400, headers=js)
        run = server.submit(program="add", params=[4, 5], delay="1s")["id"]
        server.ask("DELETE", "/v1/programs/add", status=204)
        server.ask("DELETE", "/v1/programs/add", status=404)
        server.refuse(404, {"program": "add"}, "/program")
        expect_equal("accepted before", server.wait_for(run)["report"]["value"], 20)
        server.ask("PUT", "/v1/programs/kept", b"7", 201, headers=js)
        server.kill()
    with Server(context, data=server.data) as server:
        expect_equal("list", [item["name"] for item in server.ask("GET", "/v1/programs")["programs"]], ["kept"])
        expect_equal("after a crash", server.run(program="kept")["value"], 7)


# ---- Access -------------------------------------------------------------------------------------------------------


@test
def tokens(context):
    data = os.path.join(context.directory(), "data")
    with Server(context, data=data) as server:
        server.run("1")
        admin = make_token(context, data, "--name", "root", "--scopes", "admin")
        ada = make_token(context, data, "--name", "ada")
        bob = make_token(context, data, "--name", "bob", "--scopes", "run")
        eve = make_token(context, data, "--name", "eve", "--scopes", "read")
        for token in (admin, ada, bob, eve):
            server.wait_for_token(token)
        for token in ("", "curfew_x_y", ada[:-1], ada + "x", ada.upper()):
            server.ask("GET", "/v1/runs", status=401, headers={"Authorization": f"Bearer {token}"})
        server.ask("GET", "/metrics", status=401)
        server.ask("GET", "/healthz")
        expect_equal("page", server.request("GET", "/").status, 200)
        run = server.submit("1", token=ada)["id"]
        server.ask("GET", f"/v1/runs/{run}", token=bob, status=403)
        server.ask("POST", "/v1/runs", {"source": "1"}, token=eve, status=403)
        server.token = ada
        server.wait_for(run)
        expect_equal("its own", [item["id"] for item in server.ask("GET", "/v1/runs")["runs"]], [run])
        for method, path in (("GET", f"/v1/runs/{run}"), ("GET", f"/v1/runs/{run}/events")):
            server.ask(method, path, token=eve, status=404)
        server.ask("DELETE", f"/v1/runs/{run}", token=bob, status=404)
        expect_equal("eve's", server.ask("GET", "/v1/runs", token=eve)["runs"], [])
        expect_equal("the administrator's", len(server.ask("GET", "/v1/runs", token=admin)["runs"]), 2)
        js = {"Content-Type": "text/javascript"}
        server.ask("PUT", "/v1/programs/mine", b"1", 201, headers=js)
        server.ask("PUT", "/v1/programs/ours", b"2", 201, headers=js, token=admin)
        server.ask("POST", "/v1/runs", {"program": "mine"}, 404, token=bob)
        server.ask("POST", "/v1/runs", {"program": "ours"}, 202, token=bob)
        expect_equal(
            "ada's programs", [item["name"] for item in server.ask("GET", "/v1/programs")["programs"]], ["mine", "ours"]
        )
        listed = context.command([context.curfew, "token", "list", "--data", data]).out.decode()
        expect(
            all(name in listed for name in ("root", "ada", "bob", "eve")) and ada.split("_", 2)[2] not in listed,
            f"list: {listed}",
        )
        done = context.command([context.curfew, "token", "revoke", "--data", data, "ada"])
        expect_equal("revoke", done.code, 0)
        server.wait_for_token(ada, is_known=False)
        server.ask("GET", "/v1/runs", status=401)
        log = server.log()
        expect(all(token.split("_", 2)[2] not in log for token in (admin, ada, bob, eve)), "the log has a token")
    with sqlite3.connect(os.path.join(data, "curfew.db")) as database:
        dump = "\n".join(database.iterdump())
    expect(ada.split("_", 2)[2] not in dump, "the database has a token")
    done = context.command([context.curfew, "token", "revoke", "--data", data, "nobody"])
    expect(done.code != 0 and b"nobody" in done.err, f"revoke nobody: {done}")


@test
def figures_of_a_token(context):
    """Sums over all tenants need a scope. A token that may read gets those of its own runs."""
    data = os.path.join(context.directory(), "data")
    scopes = {"ada": "run,read", "bob": "run,read", "watch": "metrics", "root": "admin"}
    token = {name: make_token(context, data, "--name", name, "--scopes", scopes[name]) for name in scopes}
    with Server(context, data=data, token=token["root"]) as server:
        for _ in range(3):
            server.run("1", token=token["ada"])
        server.run("throw 1", token=token["bob"])
        server.run(FOREVER, token=token["bob"], limits={"timeout": "50ms"})
        waiting = server.submit(PATIENT, lang="mjs", limits={"timeout": "60s"}, token=token["ada"])["id"]
        server.wait_for(waiting, "running")
        for name, scope, running, ended in (
            ("ada", "token", 1, {"ok": 3}),
            ("bob", "token", 0, {"threw": 1, "deadline": 1}),
            ("watch", "server", 1, {"ok": 3, "threw": 1, "deadline": 1}),
            ("root", "server", 1, {"ok": 3, "threw": 1, "deadline": 1}),
        ):
            stats = server.ask("GET", "/v1/stats", token=token[name])
            seen = {outcome: count for outcome, count in stats["outcomes"].items() if count}
            expect_equal(
                f"figures of {name}",
                (stats["scope"], stats["running"], seen, stats["runs_total"]),
                (scope, running, ended, sum(ended.values())),
            )
            stops = sum(bucket["count"] for bucket in stats["stop_latency_us"])
            expect_equal(f"stops of {name}", stops, ended.get("deadline", 0))
            expect_equal(f"what {name} sees of the server", stats["workers"] is not None, scope == "server")
            seen = server.request("GET", "/metrics", token=token[name]).status
            expect_equal(f"metrics for {name}", seen, 200 if scope == "server" else 403)
        server.ask("GET", "/v1/runs", status=403, token=token["watch"])
        server.ask("DELETE", f"/v1/runs/{waiting}")


@test
def quotas(context):
    data = os.path.join(context.directory(), "data")
    ceiling = make_token(context, data, "--timeout", "2s", "--memory", "16MiB", "--fuel", "1G")
    few = make_token(context, data, "--running", "1", "--queued", "2")
    rare = make_token(context, data, "--per-minute", "3")
    with Server(context, data=data, token=ceiling) as server:
        expect_equal(
            "lowered",
            {key: server.run("1")["limits"][key] for key in ("timeout_us", "memory_bytes", "fuel")},
            {"timeout_us": 2000000, "memory_bytes": 16 << 20, "fuel": 10**9},
        )
        for key, value in (("timeout", "3s"), ("timeout", "unlimited"), ("memory", "17MiB"), ("fuel", "2G")):
            server.refuse(400, {"source": "1", "limits": {key: value}}, f"/limits/{key}", "ceiling")
        server.token = few
        running = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        waiting = [server.submit("1")["id"] for _ in range(2)]
        server.refuse(429, {"source": "1"})
        server.wait_for(running, "running")
        expect_equal("one at a time", [server.get(run)["state"] for run in waiting], ["queued", "queued"])
        expect_equal(
            "another token is not held up",
            server.ask("POST", "/v1/runs", {"source": "2", "wait": True}, token=ceiling)["value"],
            2,
        )
        server.ask("DELETE", f"/v1/runs/{running}")
        for run in waiting:
            server.wait_for(run)
        server.token = rare
        for _ in range(3):
            server.submit("1")
        answer = server.request("POST", "/v1/runs", {"source": "1"})
        expect(
            answer.status == 429 and 1 <= int(answer.headers["retry-after"]) <= 21,
            f"per minute: {answer.status} {answer.headers}",
        )


@test
def off_loopback(context):
    fail_start(context, "--listen", "0.0.0.0:0", text="needs tokens")
    data = os.path.join(context.directory(), "data")
    token = make_token(context, data)
    with Server(context, listen="0.0.0.0:0", data=data, token=token) as server:
        server.host = "127.0.0.1"
        expect_equal("run", server.run("1")["value"], 1)
        server.ask("GET", "/v1/runs", status=401, token="nobody")


@test
def tls(context):
    key, cert = make_certificate(context.directory())
    trust = ssl.create_default_context(cafile=cert)
    with Server(context, "--tls-cert", cert, "--tls-key", key, tls=trust) as server:
        expect_equal("run", server.run("1")["value"], 1)
        run = server.submit("curfew.progress(1)")["id"]
        expect_equal("events", [name for _, name, _ in server.stream(run)][-1], "report")
        server.raw(b"GET / HTTP/1.1\r\n\r\n")
        server.ask("GET", "/healthz")
        old = ssl.create_default_context(cafile=cert)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the old version is what is tested
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        try:
            with (
                socket.create_connection((server.host, server.port), timeout=context.socket_timeout(10)) as client,
                old.wrap_socket(client, server_hostname=server.host),
            ):
                raise Failed("TLS 1.1 is spoken")
        except (ssl.SSLError, ConnectionError):
            pass
    os.chmod(key, 0o644)
    fail_start(context, "--tls-cert", cert, "--tls-key", key, text="others can read it")
    os.chmod(key, 0o600)
    fail_start(context, "--tls-cert", cert, text="tls-key")
    fail_start(context, "--tls-cert", cert, "--tls-key", os.path.join(context.directory(), "none"), text="none")
    os.chmod(cert, 0o600)  # it is used as the key
    fail_start(context, "--tls-cert", key, "--tls-key", cert, text="HTTPS")


# ---- Queue --------------------------------------------------------------------------------------------------------


def order_of(server, runs):
    """The runs in the order in which they started."""
    views = [server.wait_for(run) for run in runs]
    log = [line.split("id=")[1].split(" ")[0] for line in server.log().split("\n") if " run id=" in line]
    return [run for run in log if run in {view["id"] for view in views}]


@test
def priorities(context):
    with Server(context, "--concurrency", "1") as server:
        block = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        low, usual, high = (server.submit("1", priority=priority)["id"] for priority in (0, 5, 9))
        ada = [server.submit("1", user="ada", priority=3)["id"] for _ in range(4)]
        bob = [server.submit("1", user="bob", priority=3)["id"] for _ in range(2)]
        server.ask("DELETE", f"/v1/runs/{block}")
        expect_equal(
            "order",
            order_of(server, [low, usual, high, *ada, *bob]),
            [high, usual, ada[0], bob[0], ada[1], bob[1], ada[2], ada[3], low],
        )


@test
def deadline_counts_from_the_start(context):
    with Server(context, "--concurrency", "1") as server:
        block = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        run = server.submit("1", limits={"timeout": "1s"})["id"]
        time.sleep(1.1)
        server.ask("DELETE", f"/v1/runs/{block}")
        view = server.wait_for(run)
        expect_equal("outcome", view["outcome"], "ok")
        expect(view["queue_us"] > 1000000, f"queue_us: {view['queue_us']}")


@test
def delays(context):
    with Server(context) as server:
        start = time.monotonic()
        report = server.run("1", delay="300ms")
        expect(time.monotonic() - start >= 0.29, "it started before its time")
        expect_equal("in ms", server.run("1", delay=10)["value"], 1)
        later = server.submit("2", delay="1h")["id"]
        expect_equal("due", server.get(later)["due_ms"] - server.get(later)["created_ms"], 3600000)
        soon = server.submit("1", delay="2s")["id"]
        server.kill()
    time.sleep(2)
    with Server(context, data=server.data) as server:
        expect_equal("after its time", server.wait_for(soon)["report"]["value"], 1)
        expect_equal("still to come", server.get(later)["state"], "scheduled")
        expect_equal("not twice", server.get(report["id"])["attempt"], 1)


@test
def full_queue(context):
    with Server(context, "--concurrency", "1", "--max-queue", "1", "--max-scheduled", "1") as server:
        block = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        server.wait_for(block, "running")
        waiting = [server.submit("1")["id"], server.submit("1", delay="1h")["id"]]
        server.refuse(503, {"source": "1"}, text="queue")
        server.refuse(503, {"source": "1", "delay": "1h"}, text="queue")
        expect_equal("refusals", server.metric('curfew_refusals_total{reason="queue_full"}'), 2)
        server.ask("DELETE", f"/v1/runs/{block}")
        server.wait_for(waiting[0])
        server.submit("1")


@test
def full_of_connections(context):
    with Server(context, "--max-connections", "5") as server:
        idle = [socket.create_connection((server.host, server.port)) for _ in range(5)]
        # An idle connection is closed in favour of a busy one.
        server.ask("GET", "/healthz")
        for connection in idle:
            connection.close()
        body = json.dumps({"source": "for (;;);", "limits": {"timeout": "20s"}, "wait": True}).encode()
        head = f"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

        def refuses(pause):
            """A connection whose request was not read yet may be closed like an idle one."""
            busy = [socket.create_connection((server.host, server.port)) for _ in range(5)]
            for connection in busy:
                connection.sendall(head.encode() + body)
            time.sleep(pause)
            status = server.request("GET", "/healthz").status
            for connection in busy:
                connection.close()
            return status == 503

        expect(any(map(refuses, PAUSES)), "it refuses nobody")
        context.until("it goes on refusing", lambda: server.request("GET", "/healthz").status == 200)


@test
def slow_clients(context):
    with Server(context, "--request-timeout", "1s") as server:
        beginnings = (
            b"",
            b"GET /heal",
            b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        )
        clients = []
        for beginning in beginnings:
            client = socket.create_connection((server.host, server.port), timeout=context.socket_timeout(15))
            client.sendall(beginning)
            clients.append(client)
        dripping = clients[1]

        def is_cut():
            server.ask("GET", "/healthz")
            time.sleep(0.1)
            try:
                dripping.sendall(b"t")
            except OSError:
                return True
            return False

        context.until("a client that sends a byte at a time is not cut off", is_cut, 4)
        for client in clients:
            try:
                while client.recv(4096):
                    pass
            except ConnectionError:
                pass
            client.close()


# ---- Ending and crashing ------------------------------------------------------------------------------------------


@test
def shutdown(context):
    with Server(context, "--concurrency", "3", "--shutdown-timeout", "6s") as server:
        endless = server.submit("console.log('kept'); " + FOREVER, limits={"timeout": "60s"})["id"]
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            waiting = executor.submit(server.submit, FOREVER, 200, wait=True, limits={"timeout": "60s"})
            context.until("two do not run", lambda: server.ask("GET", "/v1/stats")["running"] == 2)
            # It starts last, so that it has not ended when the server is asked to end.
            short = server.submit("await new Promise(f => setTimeout(f, 3000)); 'end'", lang="mjs")["id"]
            server.wait_for(short, "running")
            queued, lost = server.submit("'later'")["id"], server.submit("1", durable=False)["id"]
            server.stop()
            expect_equal("who waits is answered", waiting.result()["outcome"], "cancelled")
        expect(
            "finished=1" in server.log() and "cancelled=3" in server.log() and "left_on_disk=1" in server.log(),
            shorten(server.log(), 2000),
        )
    with Server(context, data=server.data) as server:
        expect_equal(
            "cancelled",
            (server.get(endless)["report"]["outcome"], server.get(endless)["report"]["stdout"]),
            ("cancelled", "kept\n"),
        )
        expect_equal("finished", server.get(short)["report"]["outcome"], "ok")
        expect_equal("left", server.wait_for(queued)["report"]["value"], "later")
        server.ask("GET", f"/v1/runs/{lost}", status=404)


@test
def stray_signals(context):
    """Signals without a meaning for the server do not end it. SIGQUIT ends it in order, without a dump of its
    memory."""
    strays = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGIO, signal.SIGPWR, signal.SIGPIPE]
    with Server(context) as server:
        run = server.submit("await new Promise(done => setTimeout(done, 500)); export default 7", lang="mjs")["id"]
        for number in (*strays, signal.SIGRTMIN, signal.SIGRTMAX):
            server.process.send_signal(number)
            expect_equal(f"after {number!r}", server.run("1")["value"], 1)
        expect_equal("what was going on", server.wait_for(run)["report"]["value"], 7)
        server.process.send_signal(signal.SIGQUIT)
        expect_equal("SIGQUIT", server.process.wait(context.socket_timeout(30)), 0)
        expect("stopped" in server.log(), f"the log: {server.log()}")


@test
def crash(context):
    source = "console.log('said'); console.error('loud'); curfew.checkpoint({step: 3}); " + FOREVER
    with Server(context, "--concurrency", "2") as server:
        lost = server.submit(source, limits={"timeout": "60s"})["id"]
        again = server.submit(source.replace(FOREVER, ends_at(10)), retry=1)["id"]
        queued = server.submit("'queued'", limits={"timeout": "3s"})["id"]
        for run in (lost, again):
            server.wait_for_checkpoint(run)
        with contextlib.closing(sqlite3.connect(os.path.join(server.data, "curfew.db"))) as database:
            written = """SELECT count(*) FROM runs
                WHERE checkpoint IS NOT NULL AND id IN (SELECT run FROM output WHERE data LIKE '%loud%')"""
            context.until("their output is not written", lambda: database.execute(written).fetchone() == (2,))
        server.kill()
    with Server(context, data=server.data) as server:
        report = server.wait_for(lost)["report"]
        context.check_report(json.dumps(report))
        expect_equal(
            "closed",
            (report["outcome"], report["partial"], report["stdout"], report["stderr"], report["id"]),
            ("crashed", {"step": 3}, "said\n", "loud\n", lost),
        )
        view = server.wait_for(again)
        expect_equal(
            "run again", (view["attempt"], view["report"]["outcome"], view["report"]["stdout"]), (2, "ok", "said\n")
        )
        view = server.wait_for(queued)
        expect_equal("queued", (view["attempt"], view["report"]["value"]), (1, "queued"))
        expect_equal("crashed ones", server.metric('curfew_runs_total{outcome="crashed"}'), 1)
    with sqlite3.connect(os.path.join(server.data, "curfew.db")) as database:
        expect_equal("output left over", database.execute("SELECT count(*) FROM output").fetchone()[0], 0)


def check_crashes(context, script, *options):
    done = context.command(
        [
            sys.executable,
            os.path.join(ROOT, "tests", "crash", script),
            "--curfew",
            context.curfew,
            "--directory",
            context.directory(),
            *options,
        ],
        timeout=120,
    )
    expect(done.code == 0, f"exit {done.code}\n{shorten(done.out.decode() + done.err.decode(), 3000)}")


@test
def crashes_under_load(context):
    check_crashes(context, "server.py", "--rounds", str(max(1, int(3 / context.scale))), "--seconds", "0.7")


@test
def dead_workers_under_load(context):
    check_crashes(context, "workers.py", "--seconds", str(max(1, 4 / context.scale)))


@test
def dead_workers(context):
    with Server(context, "--workers", "1") as server:
        lost = server.submit("curfew.checkpoint(1); " + FOREVER, limits={"timeout": "60s"})["id"]
        again = server.submit(f"curfew.checkpoint(1); await {ends_at(5)}; 'done'", lang="mjs", retry=True)["id"]
        for run in (lost, again):
            server.wait_for_checkpoint(run)
        server.kill_children()
        view = server.wait_for(lost)
        expect_equal("lost", (view["report"]["outcome"], view["report"]["partial"]), ("crashed", 1))
        view = server.wait_for(again)
        # The worker that takes over may be killed next.
        expect(view["attempt"] >= 2 and view["report"]["outcome"] == "ok", f"again: {view}")
        expect(server.metric("curfew_worker_restarts_total") >= 1, "no restart was counted")
        expect_equal("still", server.run("1")["value"], 1)


@test
def dead_before_it_began(context):
    """A run that was sent to a worker which died before it began with it is given to another one."""
    with Server(context, "--workers", "1") as server:
        server.run("1")
        for turn in range(3):
            run = submit_to_dying([server], lambda turn=turn: server.submit("6 * 7", durable=turn > 0)["id"])
            view = server.wait_for(run)
            expect_equal("report", (view["outcome"], view["report"]["value"], view["attempt"]), ("ok", 42, 1))
        expect(" repeated=1 " in server.log(), f"the log: {server.log()}")


# ---- The database -------------------------------------------------------------------------------------------------


@test
def bad_starts(context):
    directory = context.directory()
    with Server(context) as server:
        fail_start(context, "--listen", f"127.0.0.1:{server.port}", text="in use")
        fail_start(context, data=server.data, text="another server")
    for words, text in (
        (["--listen", "127.0.0.1"], "--listen 127.0.0.1: must be HOST:PORT"),
        (["--listen", "nowhere.invalid:1"], "nowhere.invalid"),
        (["--listen", "127.0.0.1:99999"], "--listen 127.0.0.1:99999: must be HOST:PORT"),
        (["--listen", "/tmp/socket"], "HOST:PORT"),
        (["--store", "mysql://h/d"], "store: must be postgres://"),
        (["--store", "postgres:/h/d"], "store: must be postgres://"),
        (["--store", "curfew"], "store: must be postgres://"),
        (["--store", "sqlite:"], "store: must be postgres://"),
        (["--config", "/nowhere/file"], "No such file"),
        (["--max-queue", "0"], "--max-queue"),
        (["--log-format", "xml"], "--log-format"),
        (["--shutdown-timeout", "5"], "--shutdown-timeout"),
        (["--wrokers", "1"], "--workers"),
        (["extra"], "extra"),
    ):
        fail_start(context, *words, text=text, code=125 if "nowhere.invalid" in text else 2)
    expect_equal("what was made", [name for name in os.listdir() if name.startswith(("mysql:", "postgres:"))], [])
    fail_start(context, data="/proc/nowhere", text="/proc/nowhere")
    for mode, name in ((0o777, "open"), (0o1777, "sticky"), (0o703, "written")):
        data = os.path.join(directory, name)
        os.mkdir(data)
        os.chmod(data, mode)
        fail_start(context, data=data, text=f"everybody may write to this directory (mode {mode:04o})")
        done = context.command([context.curfew, "token", "create", "--data", data])
        expect(done.code == 125 and b"everybody may write" in done.err, f"token create: {done}")
        expect_equal("what was made there", os.listdir(data), [])
    with open(os.path.join(directory, "file"), "wb") as file:
        file.write(b"1")
    fail_start(context, data=file.name, text="Not a directory")
    path = os.path.join(directory, "settings")
    for line, text in (("nothing", "line 1"), ("wrokers = 1", "wrokers"), ("# c\n\nmax-queue = many", "line 3")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(line)
        fail_start(context, "--config", path, text=text, code=2)


@test
def damaged_database(context):
    with Server(context) as server:
        for i in range(50):
            server.run(f"'{'x' * 2000}' + {i}")
        server.stop()
    path = os.path.join(server.data, "curfew.db")
    with open(path, "rb") as file:
        good = file.read()
    for damaged in (
        b"\0" * 4096 + good[4096:],
        good[:4096] + os.urandom(len(good) - 4096),
        b"not a database" * 1000,
        good[: len(good) // 2],
    ):
        with open(path, "wb") as file:
            file.write(damaged)
        fail_start(context, data=server.data, text="database")
    with open(path, "wb") as file:
        file.write(good)
    with Server(context, data=server.data) as server:
        expect_equal("runs", len(server.ask("GET", "/v1/runs?limit=100")["runs"]), 50)


@test
def large_damaged_database(context):
    """A large database is checked after a crash too, but no request waits for that. The log reports it."""
    with Server(context) as server:
        server.run("1")
        server.stop()
    path = os.path.join(server.data, "curfew.db")
    with sqlite3.connect(path) as database:
        database.executemany("INSERT INTO reports VALUES(?, randomblob(1048576))", ((i << 40,) for i in range(1, 81)))
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name='keys_created'").fetchone()
        (page,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    with Server(context, data=server.data) as server:
        server.run("2")
        server.kill()
    expect(os.path.getsize(path + "-wal") > 0, "the journal is gone")
    with Server(context, data=server.data) as server:
        time.sleep(1)
        expect_equal("as it is", (server.run("3")["value"], "damaged" in server.log()), (3, False))
        server.kill()
    with open(path, "r+b") as file:
        file.seek((root - 1) * page)
        file.write(os.urandom(page))
    with Server(context, data=server.data) as server:
        context.until("the damage is not told", lambda: "the database is damaged" in server.log())
        expect_equal("served all the same", server.run("4")["value"], 4)


@test
def sources_go_with_their_runs(context):
    """Data that neither a run nor a program needs any more is dropped. The rest is kept."""
    with Server(context, "--retention-size", "1024GiB") as server:
        for i in range(300):
            server.submit(f"/* {i} */ 1")
        kept = server.run("'kept'")["id"]
        js = {"Content-Type": "text/javascript"}
        server.ask("PUT", "/v1/programs/one", b"'program'", 201, headers=js)
        server.run("'program'")
        server.ask("PUT", "/v1/programs/two", b"'first'", 201, headers=js)
        server.ask("PUT", "/v1/programs/two", b"'second'", 200, headers=js)
        context.until("they do not end", lambda: is_idle(server))
        server.stop()
    with sqlite3.connect(os.path.join(server.data, "curfew.db")) as database:
        database.execute("UPDATE runs SET ended_us=1 WHERE id<>?", (kept,))
    database.close()

    def sources():
        with sqlite3.connect(f"file:{server.data}/curfew.db?mode=ro", uri=True) as database:
            return {bytes(row[0]).decode() for row in database.execute("SELECT bytes FROM sources")}

    expect_equal("before", len(sources()), 304)
    with Server(context, "--retention-age", "1h", data=server.data) as server:
        context.until("sources stay", lambda: sources() == {"'kept'", "'program'", "'second'"})
        expect_equal(
            "still there", server.ask("POST", "/v1/runs", {"program": "one", "wait": True})["value"], "program"
        )
        expect_equal("brought again", server.run("/* 7 */ 1")["value"], 1)
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal("whole", server.run("/* 7 */ 1")["value"], 1)
    done = context.command([context.curfew, "admin", "check", "--data", server.data])
    expect_equal("sound", done.code, 0)


@test
def prune_while_it_runs(context):
    """After curfew admin prune a server drops the sources that nothing needs any more, and the file becomes smaller."""
    with Server(context, "--retention-size", "1024GiB") as server:
        path = os.path.join(server.data, "curfew.db")
        for i in range(60):
            server.run(f"/* {i} */ console.log('x'.repeat(300000))")
        server.ask("PUT", "/v1/programs/p", b"6 * 7", 201, headers={"Content-Type": "text/javascript"})
        context.until("the log is not copied", lambda: os.path.getsize(path) > 10 << 20)
        done = context.command([context.curfew, "admin", "prune", "--data", server.data, "--older-than", "1ms"])
        expect_equal("prune", done.code, 0)

        def is_tidy():
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                count = database.execute("SELECT count(*) FROM sources").fetchone()[0]
            server.run("1")  # the log is copied only where it grows
            return count <= 2 and os.path.getsize(path) < 10 << 20

        context.until("it is not tidy", is_tidy, 60)
        expect_equal("the program", server.run(program="p")["value"], 42)
        expect_equal("brought again", server.run("/* 7 */ console.log('x'.repeat(300000))")["outcome"], "ok")
    expect_equal("sound", context.command([context.curfew, "admin", "check", "--data", server.data]).code, 0)


@test
def migrations(context):
    with Server(context) as server:
        server.run("1")
        server.stop()
    path = os.path.join(server.data, "curfew.db")
    database = sqlite3.connect(path)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    # The first version had no tokens.
    database.executescript(
        WITHOUT_SHARES
        + "DROP TABLE tokens; ALTER TABLE runs DROP COLUMN allow_fetch; ALTER TABLE runs DROP COLUMN wasi; PRAGMA user_version=1;"
    )
    database.close()
    with Server(context, data=server.data) as server:
        expect_equal("runs", len(server.ask("GET", "/v1/runs")["runs"]), 1)
        make_token(context, server.data)
        server.stop()
    database = sqlite3.connect(path)
    expect_equal("version", database.execute("PRAGMA user_version").fetchone()[0], version)
    database.executescript(f"PRAGMA user_version={version + 1};")
    database.close()
    fail_start(context, data=server.data, text="version")


@test
def full_disk(context):
    with Server(context) as server:
        first = server.submit("1", headers={"Idempotency-Key": "first"})["id"]
        server.wait_for(first)
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
        size = os.path.getsize(os.path.join(server.data, "curfew.db-wal"))
        blocked = server.submit("new Promise(f => setTimeout(() => f('written later'), 800))")["id"]
        server.wait_for(blocked, "running")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size // 2, hard))
        server.refuse(503, {"source": "'" + "x" * 100000 + "'"}, text="disk")
        server.ask("GET", "/readyz", status=503)
        expect_equal("not durable", server.run("2", durable=False)["value"], 2)
        expect_equal("what is there can be read", server.get(first)["report"]["value"], 1)
        expect_equal("its report is not lost", server.wait_for(blocked)["report"]["value"], "written later")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        context.until("it does not recover", lambda: server.request("GET", "/readyz").status == 200)
        expect_equal("durable again", server.run("3")["value"], 3)
        server.kill()
    with Server(context, data=server.data) as server:
        view = server.get(blocked)
        expect_equal("written in the end", (view["report"]["value"], view["attempt"]), ("written later", 1))


@test
def retention(context):
    with Server(context) as server:
        old = server.submit("1")["id"]
        server.wait_for(old)
        server.stop()
    time.sleep(1.2)  # it is old enough when the next server looks for the first time
    with Server(context, "--retention-age", "1s", data=server.data) as server:
        context.until("an old run stays", lambda: server.request("GET", f"/v1/runs/{old}").status == 404)
        # Its source was dropped too, and is stored again with the next run.
        again = server.submit("1", delay="2s")["id"]
        server.kill()
    with Server(context, data=server.data) as server:
        expect_equal("after a crash", server.wait_for(again)["report"]["value"], 1)


# ---- Clients that go away -------------------------------------------------------------------------------------------


def send_waiting(server, key, source=PATIENT, **fields):
    """A connection with a submission that waits."""
    body = json.dumps({"source": source, "lang": "mjs", "wait": True, "limits": {"timeout": "60s"}, **fields}).encode()
    client = server.open_socket()
    client.sendall(
        b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: "
        + key.encode()
        + b"\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )
    return client


def open_waiting(server, *words, **fields):
    """The same, once its run has started, and the run's id. `key` is the number of runs before."""
    known = {run["id"] for run in server.ask("GET", "/v1/runs")["runs"]}
    client = send_waiting(server, str(len(known)), *words, **fields)

    def new():
        runs = server.ask("GET", "/v1/runs")["runs"]
        return [run["id"] for run in runs if run["id"] not in known and run["state"] == "running"]

    return client, server.context.until("the run does not begin", new)[0]


def check_gone(context, *options, tls=None):
    with Server(context, *options, tls=tls) as server:
        before = server.metric("curfew_open_connections")
        for source in (PATIENT, FOREVER):  # one that waits, and one that computes
            client, run = open_waiting(server, source, durable=False)
            client.close()
            seen = server.wait_for(run)
            expect_equal("not durable", (seen["outcome"], seen["report"]["stop"]["cause"]), ("cancelled", "cancelled"))
        client, run = open_waiting(server, durable=False)
        stream = server.stream(run)
        client.close()
        client, kept = open_waiting(server, durable=True)
        client.close()
        # The stream's connection stays.
        context.until(
            "connections that are gone are kept", lambda: server.metric("curfew_open_connections") <= before + 1
        )
        expect_equal("durable", server.get(kept)["state"], "running")
        expect_equal("somebody looks on", server.get(run)["state"], "running")
        stream.close()
        expect_equal("nobody looks on", server.wait_for(run)["outcome"], "cancelled")
        for pause in PAUSES:
            key = str(len(server.ask("GET", "/v1/runs")["runs"]))
            first, run = open_waiting(server, durable=False, user="two")
            again = send_waiting(server, key, durable=False, user="two")
            time.sleep(pause)  # until the other request has been read
            first.close()
            time.sleep(1)
            if server.get(run)["state"] == "running":
                break
            again.close()
        else:
            raise Failed("a run that another one waits for is cancelled")
        again.close()
        expect_equal("the last one has gone", server.wait_for(run)["outcome"], "cancelled")
        expect_equal("the durable one", server.get(kept)["state"], "running")
        server.ask("DELETE", f"/v1/runs/{kept}")


@test
def gone_clients(context):
    check_gone(context)


@test
def gone_clients_tls(context):
    key, cert = make_certificate(context.directory())
    check_gone(context, "--tls-cert", cert, "--tls-key", key, tls=ssl.create_default_context(cafile=cert))


@test
def half_closed(context):
    """A client that closes only its writing half counts as disconnected: it may get the id, and a run that is not
    durable is cancelled."""
    with Server(context) as server:
        for durable in (True, False):
            client, run = open_waiting(server, durable=durable)
            client.shutdown(socket.SHUT_WR)
            client.settimeout(context.socket_timeout(20))
            answer = b""
            while part := client.recv(65536):
                answer += part
            expect(
                answer == b"" or (b" 202 " in answer.split(b"\r\n")[0] and run.encode() in answer),
                f"durable {durable}: {answer}",
            )
            client.close()
            if durable:
                expect_equal("goes on", server.get(run)["state"], "running")
                server.ask("DELETE", f"/v1/runs/{run}")
            else:
                expect_equal("cancelled", server.wait_for(run)["outcome"], "cancelled")


# ---- Metrics and the log ------------------------------------------------------------------------------------------


@test
def figures(context):
    with Server(context) as server:
        server.run(FOREVER, limits={"timeout": "50ms"})
        for _ in range(3):
            server.run("1")
        server.refuse(400, {})
        for name, value in (
            ('curfew_runs_total{outcome="ok"}', 3),
            ('curfew_runs_total{outcome="deadline"}', 1),
            ("curfew_runs_submitted_total", 4),
            ("curfew_stop_latency_seconds_count", 1),
            ('curfew_stop_latency_seconds_bucket{le="+Inf"}', 1),
            ("curfew_queue_wait_seconds_count", 4),
            ("curfew_start_seconds_count", 4),
            ("curfew_runs_running", 0),
            ("curfew_open_streams", 0),
            ("curfew_store_healthy", 1),
        ):
            expect_equal(name, server.metric(name), value)
        expect(server.metric("curfew_workers") >= 1, "no workers")
        text = server.request("GET", "/metrics").body.decode()
        names = {line.split(" ")[2] for line in text.split("\n") if line.startswith("# TYPE")}
        expect_equal(
            "each has its help", {line.split(" ")[2] for line in text.split("\n") if line.startswith("# HELP")}, names
        )
        stats = server.ask("GET", "/v1/stats")
        expect_equal(
            "stats",
            (stats["outcomes"]["ok"], stats["runs_total"], sum(bucket["count"] for bucket in stats["stop_latency_us"])),
            (3, 4, 1),
        )
        server.ask("GET", "/readyz")


@test
def figures_are_true(context):
    """The histograms match the reports, and the counters match the requests."""
    with Server(context) as server:
        reports = [server.run(FOREVER, limits={"timeout": f"{n * context.slower:.0f}ms"}) for n in (20, 60)] + [
            server.run(f"export default {n}", lang="mjs") for n in range(3)
        ]
        runs = server.ask("GET", "/v1/runs")["runs"]

        used = [report["used"] for report in reports]
        for name, count, total in (
            ("curfew_stop_latency_seconds", 2, sum(report["stop"]["latency_us"] for report in reports[:2]) / 1e6),
            (
                "curfew_start_seconds",
                5,
                sum(part["load_us"] + part["compile_us"] + part["start_us"] for part in used) / 1e6,
            ),
            ("curfew_run_seconds", 5, sum(part["wall_us"] for part in used) / 1e6),
            ("curfew_queue_wait_seconds", 5, sum(run["queue_us"] for run in runs) / 1e6),
        ):
            expect_equal(name, server.metric(name + "_count"), count)
            expect(
                abs(server.metric(name + "_sum") - total) < 1e-6,
                f"{name}: expected {total}, seen {server.metric(name + '_sum')}",
            )
            text = server.request("GET", "/metrics").body.decode()
            buckets = [float(line.split(" ")[-1]) for line in text.split("\n") if line.startswith(name + "_bucket")]
            expect(buckets == sorted(buckets) and buckets[-1] == count, f"{name}: {buckets}")


@test
def memory_figures(context):
    def used():
        return server.metric('curfew_memory_regions{state="used"}')

    with Server(context, "--workers", "2") as server:
        context.until("a memory is in use before the first run", lambda: used() == 0)
        waiting = [server.submit(PATIENT, lang="mjs", limits={"timeout": "60s"})["id"] for _ in range(6)]
        context.until("six runs do not have six memories", lambda: used() == 6)
        module = '(module (memory 1) (func (export "run") (loop (br 0))))'
        long = server.submit(module, lang="wat", call="run", limits={"timeout": "60s"})["id"]
        context.until("a module has no memory", lambda: used() > 6)
        for run in [*waiting, long]:
            server.ask("DELETE", f"/v1/runs/{run}")
        context.until("memories are in use without a run", lambda: used() == 0)
        server.run("1")
        context.until("nothing is kept for reuse", lambda: server.metric('curfew_memory_regions{state="pooled"}') >= 1)
        expect(
            4096 <= server.metric("curfew_memory_resident_bytes") <= 2 * (256 << 20),
            f"{server.metric('curfew_memory_resident_bytes')} bytes are kept",
        )
        memory = server.ask("GET", "/v1/stats")["memory"]
        expect_equal(
            "stats",
            memory,
            {
                "regions_in_use": 0,
                "regions_pooled": server.metric('curfew_memory_regions{state="pooled"}'),
                "resident_bytes": server.metric("curfew_memory_resident_bytes"),
            },
        )


@test
def worker_figures(context):
    with Server(context, "--workers", "1") as server:
        run = server.submit("curfew.checkpoint(1); " + PATIENT, lang="mjs", limits={"timeout": "60s"})["id"]
        context.until("it does not come to a worker", lambda: server.get(run)["checkpoint"] == 1)
        server.kill_children()
        expect_equal("report", server.wait_for(run)["outcome"], "crashed")
        context.until("no worker comes", lambda: server.metric("curfew_workers") >= 1)
        after = server.run("1")
        expect_equal("after it", (after["outcome"], after["value"], after["error"]), ("ok", 1, None))
        for name, least in (
            ("curfew_worker_restarts_total", 1),
            ("curfew_worker_crashed_runs_total", 1),
            ('curfew_runs_total{outcome="crashed"}', 1),
        ):
            expect(server.metric(name) >= least, f"{name} is {server.metric(name)}")


@test
def refusal_figures(context):
    """Each refusal is counted under its reason only."""
    data = os.path.join(context.directory(), "data")
    admin = make_token(context, data, "--name", "admin", "--scopes", "admin")
    poor = make_token(context, data, "--name", "poor", "--per-minute", "1")
    runs_only = make_token(context, data, "--name", "r", "--scopes", "run")
    with Server(
        context,
        "--max-queue",
        "1",
        "--concurrency",
        "1",
        "--max-streams",
        "1",
        "--max-body",
        "64KiB",
        data=data,
        token=admin,
    ) as server:
        run = server.submit(PATIENT, lang="mjs", limits={"timeout": "60s"})["id"]
        server.wait_for(run, "running")
        waiting = server.submit("1")["id"]
        stream = server.stream(run)
        context.until("no stream", lambda: server.metric("curfew_open_streams") == 1)

        def refused():
            lines = server.request("GET", "/metrics").body.decode().split("\n")
            return {
                line.split('"')[1]: float(line.split(" ")[-1])
                for line in lines
                if line.startswith("curfew_refusals_total{")
            }

        expected = dict.fromkeys(refused(), 0)
        for reason, status, method, path, body, token in (
            ("queue_full", 503, "POST", "/v1/runs", {"source": "1"}, admin),
            ("streams", 503, "GET", f"/v1/runs/{run}/events", None, admin),
            ("access", 401, "GET", "/v1/runs", None, "nobody"),
            ("access", 403, "GET", "/metrics", None, runs_only),
            ("body", 413, "POST", "/v1/runs", {"source": " " * 70000}, admin),
        ):
            server.ask(method, path, body, status, token=token)
            expected[reason] += 1
            expect_equal(f"after {reason}", refused(), expected)
        server.ask("DELETE", f"/v1/runs/{run}")
        server.wait_for(waiting)
        server.ask("POST", "/v1/runs", {"source": "1"}, 202, token=poor)
        server.ask("POST", "/v1/runs", {"source": "1"}, 429, token=poor)
        expected["quota"] += 1
        expect_equal("after quota", refused(), expected)
        server.ask("GET", "/readyz")
        expect_equal("after a look", refused(), expected)
        stream.close()


@test
def calibration(context):
    if context.is_sanitized:
        raise Skipped("with a sanitizer the figures are of no use")

    def known(server):
        # The stored rate is read, or measured again, only after the server has begun to answer.
        context.until("the calibration is not known", lambda: server.ask("GET", "/v1/calibration")["state"] == "known")
        return server.ask("GET", "/v1/calibration")["calibration"]

    with Server(context) as server:
        expect_equal(
            "nothing was measured", server.ask("GET", "/v1/calibration"), {"state": "unknown", "calibration": None}
        )
        expect_equal("it is begun", server.ask("POST", "/v1/calibration", status=202)["state"], "measuring")
        server.ask("POST", "/v1/calibration", status=202)
        context.until(
            "nobody has the lowest priority",
            lambda: 19 in {os.getpriority(os.PRIO_PROCESS, pid) for pid in server.children()},
        )
        expect_equal("runs go on", server.run("1")["value"], 1)
        figures = known(server)
        expect(all(1000 < value < 10**9 for value in figures["fuel_per_ms"].values()), f"figures: {figures}")
        kept = os.path.join(server.data, "curfew", "calibration.json")
        with open(kept, encoding="utf-8") as file:
            expect_equal("kept", json.load(file), figures)
        server.stop()
        expect_equal(
            "command line",
            json.loads(
                context.command(
                    [context.curfew, "calibrate", "--kept", "--json"], env={"XDG_CACHE_HOME": server.data}
                ).out
            ),
            figures,
        )
    with Server(context, data=server.data) as server:
        expect_equal("after a start", known(server), figures)
        server.stop()
    with open(kept, "w", encoding="utf-8") as file:
        json.dump({**figures, "machine": {"cpu": "another", "cores": 1}}, file)
    with Server(context, data=server.data) as server:
        expect_equal("of this machine again", known(server)["machine"], figures["machine"])
        server.ask("POST", "/v1/calibration", status=202)  # the server ends while it measures
        server.stop(timeout=5)


@test
def dashboard(context):
    check_dashboard(context, os.path.join(ROOT, "contrib", "grafana.json"), 20)


@test
def page(context):
    with Server(context) as server:
        answer = server.request("GET", "/")
        policy = answer.headers["content-security-policy"]
        expect("default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, policy)
        expect_equal(
            "not changed", server.request("GET", "/", headers={"If-None-Match": answer.headers["etag"]}).status, 304
        )
        for name in ("app.js", "style.css"):
            connection = server.connect()
            connection.request("GET", f"/{name}")
            response = connection.getresponse()
            expect(
                response.status == 200 and response.headers["X-Content-Type-Options"] == "nosniff",
                f"{name}: {response.status}",
            )
            connection.close()
        run = server.submit("console.log('<script>alert(1)</script>')")["id"]
        server.wait_for(run)
        answer = server.request("GET", f"/v1/runs/{run}")
        expect(
            answer.headers["content-type"] == "application/json"
            and "sandbox" in answer.headers["content-security-policy"],
            str(answer.headers),
        )


@test
def files_as_gzip(context):
    """A file is sent as gzip to a client that accepts it, and as it is to others. Both are the same, and so is their ETag."""

    def get(server, path, method="GET", **headers):
        with contextlib.closing(server.connect()) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())

    with Server(context) as server:
        for path, kind in (("/", "text/html; charset=utf-8"), ("/openapi.json", "application/json")):
            plain = get(server, path)
            expect_equal("type", plain.headers["content-type"], kind)
            for accepted in ("identity", "gzip;q=0", "br, gzip; q=0.0, *", "gzipped", ""):
                answer = get(server, path, **{"Accept-Encoding": accepted})
                expect_equal(f"plain for {accepted!r}", answer.body, plain.body)
                expect("content-encoding" not in answer.headers, f"{accepted!r}: {answer.headers}")
            for accepted in ("gzip", "deflate, GZIP;q=0.5", "br;q=1.0,gzip"):
                answer = get(server, path, **{"Accept-Encoding": accepted})
                expect_equal(f"for {accepted!r}", answer.headers["content-encoding"], "gzip")
                expect_equal("unpacked", gzip.decompress(answer.body), plain.body)
                for header in ("etag", "content-type", "content-security-policy"):
                    expect_equal(header, answer.headers[header], plain.headers[header])
                expect_equal("varies", answer.headers["vary"], "Accept-Encoding")
                known = {"If-None-Match": answer.headers["etag"], "Accept-Encoding": accepted}
                answer = get(server, path, **known)
                expect_equal("not changed", (answer.status, answer.body), (304, b""))
            answer = get(server, path, "HEAD")
            expect_equal("length", int(answer.headers["content-length"]), len(plain.body))
        expect_equal("openapi.json", plain.json(), json.loads(read("docs/openapi.json")))


@test
def logs(context):
    with Server(context, "--log-format", "json") as server:
        server.run(
            "console.log('guest wrote this'); throw new Error('guest wrote this')",
            user="someone",
            params=["guest got this"],
        )
        server.stop()
        lines = [json.loads(line) for line in server.log().strip().split("\n")]
        run = [line for line in lines if line["event"] == "run"]
        expect(
            len(run) == 1 and run[0]["outcome"] == "threw" and run[0]["level"] == "info", f"one line for a run: {lines}"
        )
        expect("guest" not in server.log(), f"the log has what a guest wrote: {server.log()}")
        # If the system withholds a layer around the workers, there is one more line.
        events = [line["event"] for line in lines if line["event"] != "confinement"]
        expect_equal("events", events, ["listening", "run", "stopping", "stopped"])


@test
def settings(context):
    path = os.path.join(context.directory(), "settings")
    with open(path, "w", encoding="utf-8") as file:
        file.write("# of a test\nconcurrency = 3\nlog-format = json\n\n  max-queue=7  \n")
    with Server(context, "--config", path, "--concurrency", "2") as server:
        expect_equal("the command line goes first", server.ask("GET", "/v1/stats")["concurrency"], 2)
        expect('"event":"listening"' in server.log(), server.log())


def expand_calls(name):
    """The system calls in one of systemd's named sets."""
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    words = [line.strip() for line in done.stdout.split("\n")[1:]]
    return set().union(*(expand_calls(word) for word in words if word and not word.startswith("#")))


@test
def systemd_unit(context):
    """systemd accepts contrib/curfew.service and rates it as well confined, and its filter allows everything that
    workers do."""
    if shutil.which("systemd-analyze") is None:
        raise Skipped("systemd is not installed")
    with open(os.path.join(ROOT, "contrib", "curfew.service"), encoding="utf-8") as file:
        unit = file.read()
    path = os.path.join(context.directory(), "curfew.service")
    with open(path, "w", encoding="utf-8") as file:
        file.write(unit.replace("/usr/local/bin/curfew", context.curfew))
    done = context.command(["systemd-analyze", "verify", "--man=no", path], timeout=60)
    expect_equal("systemd-analyze verify", (done.code, done.out + done.err), (0, b""))
    done = context.command(["systemd-analyze", "security", "--offline=true", "--threshold=25", path], timeout=60)
    expect_equal("systemd-analyze security: " + done.out.decode(errors="replace")[-200:], done.code, 0)
    given = set().union(
        *(expand_calls(word) for words in re.findall("^SystemCallFilter=(.*)$", unit, re.M) for word in words.split())
    )
    with open(os.path.join(ROOT, "worker", "calls.c"), encoding="utf-8") as file:
        source = file.read()
    needed = set(re.findall(r"CALL\((\w+)\)", source[source.index("allowed[]") : source.index("refused[]")]))
    expect(len(needed) > 30 and not needed - given, f"workers may not: {sorted(needed - given)}")


def tests(context):
    return [Test("server", function.__name__, function) for function in TESTS]
