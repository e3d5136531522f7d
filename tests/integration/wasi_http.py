# SPDX-License-Identifier: Apache-2.0
"""Requests of components by wasi:http: the hosts and limits are those of fetch. Every test runs in the process itself, and
in a confined process, where a broker makes the requests."""

import functools
import json
import os
import time

from .fetch_server import Server
from .harness import ROOT, Test, expect, expect_equal, shorten
from .isolation import Isolated, refuse_sanitizer

GUEST = os.path.join(ROOT, "tests", "wasm", "http.wat")
TESTS = []


def test(function):
    TESTS.append(function)
    return function


@functools.lru_cache
def server():
    return Server()  # made by tests(), before any test runs


def authority():
    return f"127.0.0.1:{server().port}"


def call(context, function, *params, words=(), outcome="ok", allow=True):
    allowed = ("--allow-fetch", authority()) if allow else ()
    given = ("--call", function, "--params", json.dumps(params))
    report, _ = context.report("--timeout", "5m", *allowed, *words, *given, GUEST, timeout=60)
    expect(
        report["outcome"] == outcome,
        f"expected {outcome}, seen {report['outcome']}: {shorten(report['error'])}\n{report['stderr']}",
    )
    return report


def exchange(context, path, body="", **options):
    """The status and length of the answer, and its text."""
    head, _, text = call(context, "exchange", authority(), path, body, **options)["value"].partition("\n")
    return head, text


@test
def requests(context):
    seen = json.loads(exchange(context, "/echo/a?b=c")[1])
    headers = dict(seen["headers"])
    expect_equal(
        "GET", [seen["method"], seen["path"], seen["query"], seen["length"]], ["GET", "/echo/a", {"b": "c"}, 0]
    )
    expect_equal("host", headers["host"], authority())
    expect_equal("nothing is asked to be packed", headers["accept-encoding"], "identity")
    body = "0123456789" * 5000
    seen = json.loads(exchange(context, "/echo", body)[1])
    expect_equal("POST", [seen["method"], seen["length"], seen["body"]], ["POST", len(body), body[:1000]])
    expect_equal("a server that reads late", exchange(context, "/upload", body)[1], str(len(body)))
    expect_equal("status", exchange(context, "/status/404"), ("404 6", "a body"))
    expect_equal("chunks", exchange(context, "/chunks?count=3"), ("200 18", "chunk0chunk1chunk2"))
    # The component reads the body as text, and gzip is none.
    packed = call(context, "exchange", authority(), "/gzip/x", "", outcome="trapped")
    expect("invalid utf-8" in packed["error"]["message"], "the body is passed on as it was sent")
    expect_equal("a redirect is the program's own matter", exchange(context, "/redirect?to=/echo")[0], "302 5")


@test
def secret_headers(context):
    # Claim T700. The server tells the value, which is removed from the report.
    given = ("--secret", "TOKEN=sesame-4711", "--secret-for", f"{authority()}:X-Key=a {{TOKEN}}")
    seen = json.loads(exchange(context, "/echo", words=given)[1])
    expect_equal("header", dict(seen["headers"]).get("x-key"), "a [secret TOKEN]")


@test
def large_bodies(context):
    report = call(context, "exchange", authority(), "/bytes?count=50000000", "", words=("--memory", "8MiB"))
    expect_equal("length", report["value"].partition("\n")[0], "200 50000000")


@test
def counts_and_limits(context):
    # Claim L48.
    report = call(context, "exchange", authority(), "/echo", "")
    expect_equal("host calls of one request", report["used"]["host_calls"], 1)
    report = call(context, "race", authority(), "/echo", 5, words=("--host-calls", "4"), outcome="host_calls")
    report = call(context, "race", authority(), "/hold", 30, words=("--memory", "256MiB"))
    expect_equal("answers of 30 at once", report["value"], 30)


@test
def refused(context):
    code = "error 15"  # HTTP-request-denied
    expect_equal("without --allow-fetch", exchange(context, "/echo", allow=False)[0], code)
    for other in ("127.0.0.1:1", "localhost:80", f"[::1]:{server().port}"):
        report = call(context, "exchange", other, "/echo", "")
        expect_equal(other, report["value"], code)
    report = call(context, "exchange", "127.0.0.1:1", "/", "", words=("--allow-fetch", "127.0.0.1:1"))
    expect_equal("nobody listens", report["value"], "error 6")
    report = call(context, "exchange", "user@" + authority(), "/", "")
    expect(report["value"].startswith("error 38 the URL must be http or https, without a user"), report["value"])


@test
def failing_servers(context):
    for path, code in (("/nothing", "error 7"), ("/garbage", "error 35"), ("/long-header", "error 38 a header")):
        head = exchange(context, path)[0]
        expect(head.startswith(code), f"{path}: expected {code}, seen {head}")
    expect_equal("a body that is cut off", exchange(context, "/partial")[0], "200 cut")


@test
def stopped(context):
    # Claim L17. A stop ends the request, whether it waits for the answer or reads it.
    for path in ("/wait/wasi-http", "/slow/wasi-http"):
        path += str(time.monotonic_ns())
        report = call(context, "exchange", authority(), path, "", words=("--timeout", "300ms"), outcome="deadline")
        names = [frame["function"] for frame in report["error"]["stack"]]
        expect("exchange" in names, f"the stack of a stop in {path}: {names}")
        server().wait_for(path, "closed", 30)


@test
def texts_are_bounded(context):
    # Claim T690. What a request keeps in the host does not grow with what the program passes.
    expect_equal("small", call(context, "set", "PURGE", authority())["value"], 2)
    expect_equal("a long method", call(context, "set", "A" * 5000, authority())["value"], 1)
    expect_equal("a long authority", call(context, "set", "PURGE", "a" * 5000)["value"], 1)


def inspected(context):
    shown = context.command([context.curfew, "inspect", GUEST])
    expect_equal("exit", shown.code, 0)
    text = shown.out.decode()
    expect("  HTTP    yes: --allow-fetch says what it may reach\n" in text, text)


def isolated(function):
    def check(context):
        refuse_sanitizer(context)
        function(Isolated(context))

    return check


def tests(context):
    server()
    return [
        Test("fetch", f"wasi_http/{name}", check)
        for function in TESTS
        for name, check in ((function.__name__, function), (f"isolated_{function.__name__}", isolated(function)))
    ] + [Test("fetch", "wasi_http/inspected", inspected)]
