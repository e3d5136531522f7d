# SPDX-License-Identifier: Apache-2.0
"""curfew serve as an HTTP server, and for its operators: errors, connections, certificates, the log, metrics."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import time

from .harness import Skipped, Test, expect, expect_equal, make_certificate, read
from .server import FOREVER, make_token
from .serving import Server

TESTS = []


def test(function):
    TESTS.append(function)
    return function


# ---- Errors -------------------------------------------------------------------------------------------------------


def exchange(server, data):
    """The answer to these bytes, even if the other end closes before it has read them all."""
    with connect(server) as client:
        with contextlib.suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while part := client.recv(65536):
                answer += part
        return answer


@test
def errors_of_the_library(context):
    """A malformed request is answered with a problem too, and the connection ends."""
    host = b"Host: localhost\r\n"
    cases = [
        ("no request", b"garbage garbage\r\n\r\n", 400),
        ("another version", b"GET /healthz HTTP/3.7\r\n" + host + b"\r\n", 505),
        ("a long address", b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
        ("long headers", b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (
            "a bad chunk",
            b"POST /v1/runs HTTP/1.1\r\n"
            + host
            + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
            400,
        ),
    ]
    with Server(context) as server:
        for what, data, status in cases:
            answer = exchange(server, data)
            head, _, body = answer.partition(b"\r\n\r\n")
            expect(head.startswith(b"HTTP/1.1 %d " % status), f"{what}: expected {status}, seen {answer[:200]}")
            expect(b"application/problem+json" in head.lower() and b"close" in head.lower(), f"{what}: {head}")
            problem = json.loads(body)
            expect_equal(what, (problem["status"], problem["type"].startswith("urn:curfew:problem:")), (status, True))
        server.ask("GET", "/healthz")


@test
def arguments(context):
    """An argument that a route does not have, or that is given twice or without a value, is refused by every route."""
    document = json.loads(read("docs/openapi.json"))
    headers = {"Content-Type": "application/json"}
    with Server(context) as server:
        server.ask("PUT", "/v1/programs/name", "1", 201, headers={"Content-Type": "text/javascript"})
        for path, item in document["paths"].items():
            if not path.startswith("/v1/"):
                continue
            place = path.replace("{name}", "name").replace("{id}", "01M00000000000000000000000")
            for method in sorted({"get", "put", "post", "patch", "delete"} & set(item)):
                names = [one["name"] for one in item[method].get("parameters", []) if one["in"] == "query"]
                wrong = ["nothing=1", "=1", "a&b", *(f"{name}=x&{name}=x" for name in names), *names]
                for words in wrong:
                    body = "1" if method in ("put", "post", "patch") else None
                    answer = server.ask(method.upper(), f"{place}?{words}", body, 400, headers=headers)
                    expect_equal(f"{method} {place}?{words}", answer["type"], "urn:curfew:problem:argument")
        server.ask("GET", "/v1/programs/name")
        server.ask("GET", "/healthz?from=balancer")


@test
def heads_have_no_body(context):
    """The answer to HEAD is the head of the one to GET, and nothing follows it: the next answer on the connection, or
    its end."""
    document = json.loads(read("docs/openapi.json"))
    with Server(context) as server:
        server.ask("PUT", "/v1/programs/name", "1", 201, headers={"Content-Type": "text/javascript"})
        server.ask("PUT", "/v1/schedules/name", {"source": "1", "schedule": "@daily"}, 201)
        ended, runs = server.run("1")["id"], server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        for path, item in document["paths"].items():
            if "get" not in item:
                continue
            for run in (ended, runs):
                place = path.replace("{name}", "name").replace("{id}", run)
                host = "HTTP/1.1\r\nHost: localhost\r\n"
                two = f"HEAD {place} {host}\r\nGET /healthz {host}Connection: close\r\n\r\n"
                head, _, rest = server.raw(two.encode()).partition(b"\r\n\r\n")
                expect(head.startswith(b"HTTP/1.1 200 "), f"HEAD {place}: {head}")
                ends = b"connection: close" in head.lower() and rest == b""
                expect(ends or rest.startswith(b"HTTP/1.1 200 "), f"HEAD {place}: {head}, and then {rest[:100]}")


@test
def refusals_arrive(context):
    """A client that sends its whole body before it reads the answer gets the answer, and may continue with its
    connection."""
    data = os.path.join(context.directory(), "data")
    token = make_token(context, data)
    with Server(context, "--max-body", "1MiB", data=data, token=token) as server:
        large, js = b"x" * (20 << 20), {"Content-Type": "application/json"}
        for _ in range(5):
            server.ask("POST", "/v1/runs", large, 413, headers=js)
        server.ask("POST", "/v1/runs", large[: 3 << 20], 401, headers=js, token="nobody")
        server.ask("POST", "/v1/nothing", large[: 3 << 20], 404, headers=js)
        server.ask("PUT", "/v1/runs", large[: 3 << 20], 405, headers=js)
        with contextlib.closing(server.connect()) as connection:
            server.ask("POST", "/v1/runs", large, 413, headers=js, connection=connection)
            connection.request(
                "POST",
                "/v1/runs",
                iter([large[: 1 << 20]] * 3),
                {**js, "Authorization": f"Bearer {token}"},
                encode_chunked=True,
            )
            answer = connection.getresponse()
            expect_equal("in chunks", (answer.status, json.loads(answer.read())["status"]), (413, 413))
            server.ask("GET", "/v1/runs", connection=connection)
        # A client that asks first is answered at once.
        head = f"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n"
        expect(server.raw(head.encode()).startswith(b"HTTP/1.1 413 "), "an expectation is not answered")


# ---- Connections --------------------------------------------------------------------------------------------------


def connect(server):
    return socket.create_connection((server.host, server.port), timeout=server.context.socket_timeout(20))


def is_open(client):
    """Whether the other end has left it open."""
    client.settimeout(0.05)
    try:
        return client.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


@test
def idle_connections(context):
    """Idle connections keep nobody out: the one that was idle longest is closed for a new one."""
    with Server(context, "--max-connections", "100") as server, contextlib.ExitStack() as all_of_them:
        idle = [all_of_them.enter_context(connect(server)) for _ in range(300)]
        for _ in range(20):
            start = time.monotonic()
            server.ask("GET", "/healthz")
            expect(time.monotonic() - start < context.bound(1), "an answer takes too long beside idle connections")
        context.until("more connections than may be are open", lambda: server.metric("curfew_open_connections") <= 101)
        context.until("the idlest one has stayed", lambda: not is_open(idle[0]))
        expect(is_open(idle[-1]), "another one than the idlest has gone")


@test
def few_descriptors(context):
    """If the system allows few descriptors, there are fewer connections, and the server keeps answering."""
    own, few = context.curfew, os.path.join(context.directory(), "few")
    with open(few, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nulimit -n 64\nexec {own} "$@"\n')
    os.chmod(few, 0o755)
    context.curfew = few
    server = Server(context)
    context.curfew = own
    with server, contextlib.ExitStack() as all_of_them:
        for _ in range(150):
            all_of_them.enter_context(connect(server))
        server.ask("GET", "/healthz")
        expect_equal("a run", server.run("6 * 7")["value"], 42)
        expect("ulimit -n" in server.log(), server.log())
    with open(few, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nulimit -n 24\nexec {own} "$@"\n')
    words = [few, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(context.directory(), "data")]
    done = context.command(words, timeout=30)
    expect(done.code == 125 and b"(ulimit -n)" in done.err and done.out == b"", f"too few of them: {done}")


@test
def connections_of_an_address(context):
    """One address gets at most its share. Connections in use are not closed."""
    with Server(context, "--max-address-connections", "8") as server, contextlib.ExitStack() as all_of_them:
        run = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        idle = all_of_them.enter_context(connect(server))
        streams = [server.stream(run) for _ in range(7)]
        for stream in streams:
            all_of_them.callback(stream.close)
        server.ask("GET", "/healthz")
        context.until("the idle one has stayed", lambda: not is_open(idle))
        more = server.stream(run)
        all_of_them.callback(more.close)
        answer = server.request("GET", "/healthz")
        expect_equal(
            "one too many", (answer.status, answer.json()["type"]), (503, "urn:curfew:problem:too-many-connections")
        )
        expect_equal("those in use", [stream.status for stream in [*streams, more]], [200] * 8)
        streams[0].close()
        context.until("the place is not given back", lambda: server.request("GET", "/healthz").status == 200)
        server.ask("DELETE", f"/v1/runs/{run}")


def ask_slowly(client, limit, pause):
    """The answer to a request that is sent after a pause, in pieces, over a third of the limit. None: the machine was
    so slow that either took longer than the limit."""
    request, start = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", time.monotonic()
    time.sleep(pause)
    begun = time.monotonic()
    answer = b""
    with contextlib.suppress(OSError):
        for i in range(0, len(request), 8):
            client.sendall(request[i : i + 8])
            time.sleep(limit / 18)
        answer = client.recv(4096)
    return answer if max(begun - start, time.monotonic() - begun) < 0.95 * limit else None


@test
def idle_time(context):
    """The idle time of a connection does not count against its next request."""
    for limit in (4, 8, 16, 32):
        with Server(context, "--request-timeout", f"{limit}s") as server, connect(server) as client:
            answers = [ask_slowly(client, limit, pause * limit) for pause in (0, 0.8, 0.8)]
        if None not in answers:
            expect(all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers), f"limit {limit} s: {answers}")
            return
    raise Skipped("this machine is too slow for it")


# ---- Reloading ----------------------------------------------------------------------------------------------------


def served_certificate(server):
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    with connect(server) as client, trust.wrap_socket(client) as secure:
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True))


@test
def certificate_anew(context):
    """SIGHUP uses another certificate for new connections. An invalid one changes nothing."""
    first, second = make_certificate(context.directory()), make_certificate(context.directory())
    directory = context.directory()
    key, cert = os.path.join(directory, "key.pem"), os.path.join(directory, "cert.pem")

    def take(pair):
        for source, place in zip(pair, (key, cert)):
            shutil.copyfile(source, place + ".new")
            os.chmod(place + ".new", 0o600)
            os.replace(place + ".new", place)

    def read(path):
        with open(path, encoding="ascii") as file:
            return file.read()

    take(first)
    with Server(context, "--tls-cert", cert, "--tls-key", key, tls=ssl.create_default_context(cafile=cert)) as server:
        open_one = server.connect()
        server.ask("GET", "/healthz", connection=open_one)
        for pair, expected, said in ((second, second, "read again"), ((first[0], second[1]), second, "error reload")):
            take(pair)
            before = server.log().count(said)
            server.process.send_signal(signal.SIGHUP)
            context.until(
                lambda: f"no line {said!r}: {server.log()}",  # noqa: B023
                lambda: server.log().count(said) > before,  # noqa: B023
            )
            expect_equal("what is served", served_certificate(server).strip(), read(expected[1]).strip())
        server.ask("GET", "/healthz", connection=open_one)
        open_one.close()


# ---- What operators see -------------------------------------------------------------------------------------------


@test
def figures(context):
    """Metrics by route and status, of the build, the process and the confinement of workers."""
    with Server(context) as server:
        server.run("1")
        server.ask("GET", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", status=404)
        server.ask("GET", "/nothing", status=404)
        expect_equal("runs", server.metric('curfew_http_answers_total{method="POST",route="/v1/runs",code="200"}'), 1)
        expect_equal(
            "no run", server.metric('curfew_http_answers_total{method="GET",route="/v1/runs/*",code="404"}'), 1
        )
        expect_equal("no route", server.metric('curfew_http_answers_total{method="-",route="-",code="404"}'), 1)
        text = server.request("GET", "/metrics").body.decode()
        expect(
            re.search(r'^curfew_build_info\{version="\d+\.\d+\.\d+",libmicrohttpd="[\d.]+"\} 1$', text, re.M),
            "what it was built from is missing",
        )
        expect(
            abs(server.metric("process_start_time_seconds") - time.time()) < 60 * context.slower, "when it was started"
        )
        expect(
            server.metric("process_resident_memory_bytes") > 1 << 20 and server.metric("process_open_fds") > 5,
            "figures of the process",
        )
        expect(
            server.metric("process_cpu_seconds_total") >= 0 and server.metric("process_threads") >= 4,
            "figures of the process",
        )
        done = context.command([context.curfew, "doctor", "--json"])
        has = {check["name"]: check["available"] for check in json.loads(done.out)["checks"]}
        seen = dict(re.findall(r'^curfew_worker_confinement\{layer="([\w-]+)"\} ([01])$', text, re.M))
        expect_equal("layers", {name: value == "1" for name, value in seen.items()}, {name: has[name] for name in seen})
        expect(len(seen) == 11, f"{len(seen)} layers")


@test
def busy_workers(context):
    with Server(context, "--workers", "2") as server:
        expect_equal("none", server.ask("GET", "/v1/stats")["workers"]["busy"], 0)
        run = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        server.wait_for(run, "running")
        expect_equal("one", server.ask("GET", "/v1/stats")["workers"]["busy"], 1)
        server.ask("DELETE", f"/v1/runs/{run}")


@test
def lines_of_the_log(context):
    """Refusals, changes and submissions are logged, each at its level. A flood of refusals does not make a flood of
    lines."""
    data = os.path.join(context.directory(), "data")
    token = make_token(context, data, "--name", "root", "--scopes", "admin")
    reader = make_token(context, data, "--name", "reader", "--scopes", "read")
    with Server(context, "--log-level", "debug", data=data, token=token) as server:
        server.ask("GET", "/v1/runs", status=401, token="nobody")
        server.ask("POST", "/v1/runs", {"source": "1"}, 403, token=reader)
        server.ask("PUT", "/v1/programs/one", b"1", 201, headers={"Content-Type": "text/javascript"})
        server.ask("PUT", "/v1/programs/one", b"2", 200, headers={"Content-Type": "text/javascript"})
        server.ask("DELETE", "/v1/programs/one", status=204)
        run = server.submit(FOREVER, limits={"timeout": "60s"})["id"]
        server.ask("DELETE", f"/v1/runs/{run}")
        server.wait_for_token(make_token(context, data, "--name", "later"))
        time.sleep(1.1)
        server.ask("GET", "/v1/runs", status=401, token="nobody")  # reports what was left out before
        before, asked = len(server.log()), 0

        def flood():
            """Whether more happened in one second than is logged. A refusal in another second logs how many were left
            out."""
            nonlocal asked
            for count in (100, 1):
                list(clients.map(lambda _: server.ask("GET", "/v1/runs", status=401, token="nobody"), range(count)))
                asked += count
                time.sleep(1.1)
            return re.search(r" status=401 .* unsaid=\d+$", server.log()[before:], re.M)

        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            context.until("all refusals are written", flood)
        log = server.log()
        said, left_out = log.count(" status=401 ", before), re.findall(r" unsaid=(\d+)$", log[before:], re.M)
        expect_equal("refusals", said + sum(map(int, left_out)), asked)
        for pattern in (
            r" warn refused status=401 why=no-token method=GET route=/v1/runs token=- from=127\.0\.0\.1$",
            r" warn refused status=403 why=scope method=POST route=/v1/runs token=[0-9a-f]{12} from=127\.0\.0\.1$",
            r" info program name=one what=stored sha256=[0-9a-f]{64} token=[0-9a-f]{12}$",
            r" info program name=one what=replaced ",
            r" info program name=one what=deleted ",
            r" info token id=[0-9a-f]{12} what=created$",
            rf" debug accepted id={run} ",
            rf" debug cancel id={run} times=1$",
        ):
            expect(re.search(pattern, log, re.M), f"no line like {pattern}: {log[-3000:]}")
        expect(token not in log and reader not in log, "a token is in the log")


@test
def dead_workers(context):
    # Claim T43.
    """The log names a worker that died, the reason, and its runs."""
    with Server(context, "--workers", "1") as server:
        run = server.submit(
            "console.log(1); await new Promise(done => setTimeout(done, 60000))", lang="mjs", limits={"timeout": "10m"}
        )["id"]
        next(name for _, name, _ in server.stream(run) if name == "output")

        def is_over():
            server.kill_children()
            time.sleep(0.1)
            return server.get(run)["state"] == "done"

        context.until("the run goes on", is_over)
        lines = [line for line in server.log().split("\n") if " warn worker " in line and run in line]
        expect(
            len(lines) == 1 and re.search(rf" pid=\d+ why=\".*\" lost=1 repeated=0 runs={run}$", lines[0]),
            f"the log: {server.log()}",
        )


@test
def no_realtime(context):
    # Claim T440.
    """No thread of a worker is in a scheduling class that starves others."""
    with Server(context) as server:
        server.run("1")
        for pid in server.children():
            for task in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(ProcessLookupError):
                    expect_equal(f"class of {pid}/{task}", os.sched_getscheduler(int(task)), os.SCHED_OTHER)


@test
def confinement_is_required(context):
    """A layer that the system withholds is a warning. If it is required, the server does not start."""
    unshare = shutil.which("unshare")
    if unshare is None or os.getuid() != 0:
        raise Skipped("namespaces can be forbidden here by root only")
    # In a namespace in which no further one can be created.
    script = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    forbid = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    data = os.path.join(context.directory(), "data")
    done = context.command(
        [*forbid, context.curfew, "serve", "--listen", "127.0.0.1:0", "--data", data, "--require-confinement"],
        timeout=60,
    )
    err = done.err.decode()
    if "max_net_namespaces" in err or "unshare" in err:
        raise Skipped("the limit of namespaces cannot be set here")
    expect(
        done.code == 125 and "curfew: " in err and "require-confinement" in err and "network-namespace" in err,
        f"{done.code}: {err}",
    )
    expect(" warn confinement missing=" in err, f"no warning: {err}")
    with Server(context, "--require-confinement") as server:
        server.ask("GET", "/healthz")


def tests(context):
    return [Test("server", function.__name__, function) for function in TESTS]
