# SPDX-License-Identifier: Apache-2.0
"""The grants of curfew serve to runs: hosts for fetch and secrets of users, within the limits of the server and the
token."""

import concurrent.futures
import functools
import glob
import os
import resource
import sqlite3

from . import fetch_server
from .harness import Skipped, Test, expect, expect_equal, shorten
from .isolation import refuse_sanitizer
from .secrets import Store
from .server import fail_start, make_token
from .serving import WITHOUT_GRANTS, Server

TESTS = []
VALUE = "sesame-4711-open"
ASK = "const r = await fetch('http://{host}{path}'); export default [r.status, await r.text()]"


def test(function):
    TESTS.append(function)
    return function


@functools.lru_cache
def web():
    return fetch_server.Server()  # made by tests(), before any test runs


def here():
    return f"127.0.0.1:{web().port}"


def asking(path, host=None):
    return {"source": ASK.format(host=host or here(), path=path), "lang": "mjs"}


# ---- fetch --------------------------------------------------------------------------------------------------------


@test
def hosts_within_the_ceiling(context):
    # Claim T33.
    refuse_sanitizer(context)
    with Server(context, "--allow-fetch", here(), "--allow-fetch", "*.example.com") as server:
        report = server.run(**asking("/status/200"), allow_fetch=[here()])
        expect_equal("value", report["value"], [200, "a body"])
        # No host unless it is requested, and only the requested ones.
        for allow in ({}, {"allow_fetch": []}, {"allow_fetch": ["a.example.com"]}):
            report = server.run(**asking("/status/200"), **allow)
            expect(report["outcome"] == "threw" and "not allowed" in report["error"]["message"], f"{allow}: {report}")
        run = server.get(server.submit(**asking("/status/200"), allow_fetch=[here(), "a.example.com:80"])["id"])
        expect_equal("shown", run["allow_fetch"], [here(), "a.example.com:80"])
        source = {"source": "1"}
        for host, index in (
            ("example.com", 0),
            ("127.0.0.1", 0),
            ("*.com", 0),
            ("b.example.com:8080", 0),
            ("127.0.0.2:80", 0),
        ):
            server.refuse(403, {**source, "allow_fetch": [host]}, f"/allow_fetch/{index}", "allows")
        server.refuse(403, {**source, "allow_fetch": [here(), "x.org"]}, "/allow_fetch/1")
        for bad, pointer in (
            ("x", "/allow_fetch"),
            ([1], "/allow_fetch/0"),
            (["http://a/"], "/allow_fetch/0"),
            ([""], "/allow_fetch/0"),
            (["a.example.com"] * 65, "/allow_fetch"),
            ({}, "/allow_fetch"),
        ):
            server.refuse(400, {**source, "allow_fetch": bad}, pointer)
    with Server(context) as server:
        server.refuse(403, {**source, "allow_fetch": [here()]}, "/allow_fetch/0", "this server")


@test
def from_the_command_line(context):
    refuse_sanitizer(context)
    path = os.path.join(context.directory(), "ask.mjs")
    with open(path, "w", encoding="utf-8") as file:
        file.write(asking("/status/200")["source"])
    with Server(context, "--allow-fetch", here()) as server:
        words = [context.curfew, "submit", "--server", f"http://127.0.0.1:{server.port}", "--wait", "--print"]
        done = context.command([*words, "--allow-fetch", here(), path])
        expect_equal("printed", (done.code, done.out), (0, b'[200,"a body"]\n'))
        done = context.command([*words, "--allow-fetch", "example.com", path])
        expect(done.code != 0 and b"server allows" in done.err, f"{done}")
        done = context.command([*words, "--allow-fetch", "a b", path])
        expect(done.code == 2 and b"--allow-fetch a b" in done.err, f"{done}")


@test
def ceiling_in_a_file(context):
    refuse_sanitizer(context)
    path = os.path.join(context.directory(), "settings")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"allow-fetch = {here()}\nallow-fetch = example.org\n")
    with Server(context, "--config", path) as server:
        expect_equal(
            "value", server.run(**asking("/status/200"), allow_fetch=[here(), "example.org"])["value"], [200, "a body"]
        )
    with Server(context, "--config", path, "--allow-fetch", "example.org") as server:
        server.refuse(403, {"source": "1", "allow_fetch": [here()]}, "/allow_fetch/0")
    fail_start(context, "--allow-fetch", "http://a/", text="--allow-fetch http://a/", code=2)
    fail_start(context, "--allow-fetch", "a:0", text="--allow-fetch a:0", code=2)


@test
def redirect_to_what_is_private(context):
    refuse_sanitizer(context)
    with Server(context, "--allow-fetch", here(), "--allow-fetch", "example.com") as server:
        for to in ("http://169.254.169.254/", f"http://localhost:{web().port}/", "http://10.0.0.1/"):
            report = server.run(**asking(f"/redirect?to={to}"), allow_fetch=[here(), "example.com"])
            expect(
                report["outcome"] == "threw" and "not allowed" in report["error"]["message"], f"{to}: {report['error']}"
            )


@test
def ceiling_of_a_token(context):
    refuse_sanitizer(context)
    data = os.path.join(context.directory(), "data")
    narrow = make_token(context, data, "--allow-fetch", here())
    wide = make_token(context, data)
    done = context.command([context.curfew, "token", "create", "--data", data, "--allow-fetch", "a b"])
    expect(done.code == 2 and b"--allow-fetch a b" in done.err, f"{done}")
    with Server(context, "--allow-fetch", here(), "--allow-fetch", "example.com", data=data) as server:
        expect_equal("narrow", server.run(**asking("/status/200"), allow_fetch=[here()], token=narrow)["outcome"], "ok")
        server.refuse(
            403, {"source": "1", "allow_fetch": ["example.com"]}, "/allow_fetch/0", "this token", token=narrow
        )
        server.submit("1", allow_fetch=["example.com"], token=wide)


@test
def narrowed_while_it_waited(context):
    """A stored run gets only what the server allows when it starts."""
    refuse_sanitizer(context)
    data = os.path.join(context.directory(), "data")
    with Server(context, "--allow-fetch", here(), data=data) as server:
        kept = server.submit(**asking("/status/200"), allow_fetch=[here()], delay="3s")["id"]
        server.kill()
    with Server(context, "--allow-fetch", "example.com", data=data) as server:
        run = server.wait_for(kept)
        expect_equal("asked for", run["allow_fetch"], [here()])
        expect("not allowed" in run["report"]["error"]["message"], f"{run['report']}")


@test
def many_wait(context):
    """A thousand runs that wait for a server need few threads, end all at once, and close every connection."""
    refuse_sanitizer(context)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 8192:
        raise Skipped("the system gives too few descriptors")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for this process, which has the other ends
    count = max(50, int(1000 / context.slower))
    options = ("--allow-fetch", here(), "--concurrency", str(count), "--workers", "2")
    with Server(context, *options) as server:
        server.ask(
            "PUT",
            "/v1/programs/waits?lang=mjs",
            f"await fetch('http://{here()}/wait/many-' + curfew.params[0])".encode(),
            status=201,
            headers={"Content-Type": "text/javascript"},
        )

        def submit(i):
            return server.submit(
                program="waits",
                params=[i],
                allow_fetch=[here()],
                durable=False,
                limits={"timeout": "10m", "memory": "4MiB"},
            )["id"]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            ids = list(pool.map(submit, range(count)))
        for i in range(count):
            expect(web().wait_for(f"/wait/many-{i}", "open", 60 * context.slower), f"run {i} did not ask")
        threads = len(os.listdir(f"/proc/{server.process.pid}/task"))
        expect(threads < 40, f"the server has {threads} threads")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            reports = list(pool.map(lambda run: server.ask("DELETE", f"/v1/runs/{run}"), ids))
        other = [report for report in reports if report["outcome"] != "cancelled"]
        expect(not other, f"{len(other)} were not cancelled: {shorten(other[:1], 2000)}")
        for i in range(count):
            expect(
                web().wait_for(f"/wait/many-{i}", "closed", 20 * context.slower),
                f"the connection of run {i} stayed open",
            )
        expect_equal("workers", server.metric("curfew_worker_restarts_total"), 0)


@test
def end_closes_connections(context):
    refuse_sanitizer(context)
    with Server(context, "--allow-fetch", here()) as server:
        server.submit(**asking("/wait/server-killed"), allow_fetch=[here()])
        expect(web().wait_for("/wait/server-killed", "open", 20), "it did not ask")
        server.kill()
    expect(web().wait_for("/wait/server-killed", "closed", 10), "the connection stayed open")


# ---- Secrets ------------------------------------------------------------------------------------------------------


def options_of(store):
    return ("--secrets", store.path, "--secrets-key", store.key)


def stored_bytes(directory):
    found = b""
    for path in glob.glob(f"{directory}/**", recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found += file.read()
    return found


@test
def secrets_of_the_user(context):
    # Claim T33.
    """Secrets reach the run, but not its report, its events, the database, the log or the metrics."""
    refuse_sanitizer(context)
    store = Store(context)
    store.set("ann", "TOKEN", VALUE)
    store.set("bob", "TOKEN", "another-value-of-bob")
    show = "const t = secrets.get('TOKEN'); console.log('it is', t); console.error(t); curfew.progress([t]); curfew.checkpoint({t});"
    with Server(context, *options_of(store), "--allow-fetch", here()) as server:
        expect_equal("length", server.run("secrets.get('TOKEN')?.length ?? null", user="ann")["value"], len(VALUE))
        expect_equal("of nobody", server.run("secrets.get('TOKEN') ?? null")["value"], None)
        expect_equal("of one without", server.run("secrets.get('TOKEN') ?? null", user="eve")["value"], None)
        expect_equal(
            "of another", server.run("secrets.get('TOKEN').length", user="bob")["value"], len("another-value-of-bob")
        )
        run = server.submit(show + " t", user="ann")["id"]
        seen = server.wait_for(run)
        events = list(server.stream(run))
        thrown = server.run(show + " throw new Error('no ' + t)", user="ann")
        crashed = server.submit(show + " for (;;) {}", user="ann", limits={"timeout": "300ms"})["id"]
        stopped = server.wait_for(crashed)
        sent = server.run(
            f"const r = await (await fetch('http://{here()}/echo', {{ headers: {{ authorization: secrets.get('TOKEN') }} }})).json();"
            "export default Object.fromEntries(r.headers).authorization.length",
            lang="mjs",
            user="ann",
            allow_fetch=[here()],
        )
        expect_equal("sent where it is to go", sent["value"], len(VALUE))
        expect_equal(
            "outcomes",
            (seen["report"]["outcome"], thrown["outcome"], stopped["report"]["outcome"]),
            ("ok", "threw", "deadline"),
        )
        expect(
            "it is" in seen["report"]["stdout"]
            and {kind for _, kind, _ in events} >= {"output", "progress", "checkpoint", "report"},
            f"{events}",
        )
        shown = [seen, events, thrown, stopped, server.ask("GET", "/v1/runs"), server.ask("GET", "/v1/stats")]
        expect(VALUE not in repr(shown), "a secret is shown")
        expect(VALUE not in server.request("GET", "/metrics").body.decode(), "a secret is in the metrics")
        server.stop()
        expect(VALUE not in server.log(), "a secret is in the log")
        expect(VALUE.encode() not in stored_bytes(server.data), "a secret is in the database")


@test
def secrets_in_requests(context):
    # Claim T700.
    """secret_for: the server puts secrets of the user into requests, also of a run that was submitted before its end."""
    refuse_sanitizer(context)
    store = Store(context)
    store.set("ann", "TOKEN", VALUE)
    source = (
        f"const r = await (await fetch('http://{here()}/echo')).json(); const sent = Object.fromEntries(r.headers)['x-key'];"
        f"export default [secrets.get('TOKEN'), sent === 'a ' + '{VALUE[:6]}' + '{VALUE[6:]}', sent]"
    )
    fields = {"source": source, "lang": "mjs", "allow_fetch": [here()], "secret_for": [f"{here()}:X-Key=a {{TOKEN}}"]}
    expected = ["[secret TOKEN]", True, "a [secret TOKEN]"]
    with Server(context, *options_of(store), "--allow-fetch", here()) as server:
        expect_equal("value", server.run(**fields, user="ann")["value"], expected)
        for user in ({}, {"user": "eve"}):
            report = server.run(**fields, **user)
            expect_equal("without the secret", report["outcome"], "bad_program")
            expect_equal("name", report["error"]["name"], None)
            expect("no secret TOKEN" in report["error"]["message"], f"{report['error']}")
        for bad, pointer, why in (
            ("x", "/secret_for", "array"),
            ([1], "/secret_for/0", "string"),
            (["x"], "/secret_for/0", "/secret_for/0: it is not HOST:HEADER=TEMPLATE"),
            (["a.example:X-A=x"], "/secret_for/0", "/secret_for/0: the template has no {NAME} of a secret"),
            (["a.example:X-A={A}", "a.example:Host={A}"], "/secret_for/1", "/secret_for/1: this header cannot be set"),
            (["a.example:X-A={A}"] * 65, "/secret_for", "64"),
        ):
            server.refuse(400, {**fields, "secret_for": bad}, pointer, why)
        kept = server.submit(**fields, user="ann", delay="2s")["id"]
        server.stop()
    with Server(context, *options_of(store), "--allow-fetch", here(), data=server.data) as server:
        expect_equal("after a restart", server.wait_for(kept)["report"]["value"], expected)
        server.stop()
        expect(VALUE.encode() not in stored_bytes(server.data), "a secret is in the database")


@test
def changed_while_it_serves(context):
    refuse_sanitizer(context)
    store = Store(context)
    store.set("ann", "TOKEN", VALUE)
    with Server(context, *options_of(store)) as server:
        show = "secrets.get('TOKEN')?.length ?? null"
        expect_equal("before", server.run(show, user="ann")["value"], len(VALUE))
        store.set("ann", "TOKEN", "short")
        expect_equal("set", server.run(show, user="ann")["value"], 5)
        expect_equal("removed", store.call("remove", "--user", "ann", "TOKEN").code, 0)
        expect_equal("removed", server.run(show, user="ann")["value"], None)


@test
def token_of_a_user(context):
    # Claim T33.
    """A token that is bound to a user reaches only that user's secrets."""
    refuse_sanitizer(context)
    store = Store(context)
    data = os.path.join(context.directory(), "data")
    store.set("ann", "TOKEN", VALUE)
    bob = make_token(context, data, "--user", "bob")
    anybody = make_token(context, data, "--name", "backend")
    with Server(context, *options_of(store), data=data) as server:
        show = "[curfew.user, secrets.get('TOKEN')?.length ?? null]"
        expect_equal("bob", server.run(show, token=bob)["value"], ["bob", None])
        expect_equal("said", server.run(show, user="bob", token=bob)["value"], ["bob", None])
        server.refuse(403, {"source": "1", "user": "ann"}, "/user", "user of this token", token=bob)
        expect_equal("for ann", server.run(show, user="ann", token=anybody)["value"], ["ann", len(VALUE)])
    make_token(context, data, "--name", "odd", "--user", "\x1b[2J\nx  admin")
    done = context.command([context.curfew, "token", "list", "--data", data])
    expect(b"user bob" in done.out, f"{done.out}")
    expect(b'user "\\u001b[2J\\nx  admin"\n' in done.out, f"a user forges the list: {done.out}")
    done = context.command([context.curfew, "token", "create", "--data", data, "--user", ""])
    expect(done.code == 2 and b"--user" in done.err, f"{done}")


@test
def bad_stores(context):
    store = Store(context)
    store.set("ann", "TOKEN", VALUE)
    other = os.path.join(context.directory(), "other")
    expect_equal("another key", store.call("key", other, store=()).code, 0)
    fail_start(context, "--secrets", store.path, "--secrets-key", other, text="--secrets", code=2)
    fail_start(context, "--secrets", store.path + "x", "--secrets-key", store.key, text="--secrets", code=2)
    fail_start(context, "--secrets", store.path, text="key", code=2)
    fail_start(context, "--secrets-key", store.key, text="needs --secrets", code=2)


@test
def database_without_grants(context):
    """The data of an older version still exists, and grants nothing."""
    refuse_sanitizer(context)
    data = os.path.join(context.directory(), "data")
    token = make_token(context, data, "--name", "old")
    with Server(context, data=data, token=token) as server:
        run = server.submit("1")["id"]
        server.wait_for(run)
    with sqlite3.connect(os.path.join(data, "curfew.db")) as database:
        database.executescript(WITHOUT_GRANTS)
    database.close()
    with Server(context, data=data, token=token) as server:
        expect_equal("a run", server.get(run)["allow_fetch"], [])
        expect_equal("another", server.run("2", user="ann")["value"], 2)


def tests(context):
    web()
    return [Test("server", function.__name__, function) for function in TESTS]
