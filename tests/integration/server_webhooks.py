# SPDX-License-Identifier: Apache-2.0
"""Webhooks of curfew serve: which receiver is notified of a run's end, how that is signed and repeated, and which hosts
are allowed."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .harness import Test, expect, expect_equal
from .isolation import refuse_sanitizer
from .secrets import Store
from .server import fail_start, make_token
from .server_grants import options_of
from .serving import Server

TESTS = []
KEY = b"a key of thirty-two bytes, or so"


def test(function):
    TESTS.append(function)
    return function


class Receiver:
    """Receives posts, and answers with a status that can be changed. None: it does not answer."""

    def __init__(self, status=200, port=0, headers=()):
        self.status, self.seen, self.released, self.headers = status, [], threading.Event(), headers
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the sender was killed meanwhile
                receiver.seen.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
                if receiver.status is None:
                    receiver.released.wait(60)
                    return
                self.send_response(receiver.status)
                if receiver.status // 100 == 3:
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                for name, value in receiver.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):
                    self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def url(self, path="/hook"):
        return f"http://{self.host}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def odd_receiver(answer):
    """Answers every request with these bytes, whatever they are, and yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                connection.recv(1 << 20)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def wait_hook(server, run, wanted, timeout=30):
    hook = None

    def has_come():
        nonlocal hook
        hook = server.get(run)["webhook"]
        return wanted(hook)

    server.context.until(lambda: f"it does not come: {hook}\n{server.log()[-2000:]}", has_come, timeout)
    return hook


def is_delivered(hook):
    return hook["state"] == "delivered"


def make_due(server, run):
    server.change_store(f"UPDATE runs SET hook_due_us=1 WHERE id='{run}'")


def verify(headers, body, key):
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    expect_equal("signature", headers["webhook-signature"], f"v1,{wanted}")
    expect(abs(int(headers["webhook-timestamp"]) - time.time()) < 600, f"{headers}")


@test
def told_and_signed(context):
    # Claim L624.
    """The headers of the Standard Webhooks specification, with plain keys and with whsec_ keys."""
    refuse_sanitizer(context)
    store = Store(context)
    store.set("ann", "HOOK", KEY.decode())
    store.set("ann", "OTHER", "whsec_" + base64.b64encode(KEY).decode())
    with Receiver() as receiver, Server(context, "--allow-webhook", receiver.host, *options_of(store)) as server:
        for name in ("HOOK", "OTHER"):
            run = server.submit("[6 * 7, 'ä']", user="ann", webhook={"url": receiver.url("/a?b=c"), "secret": name})[
                "id"
            ]
            hook = wait_hook(server, run, is_delivered)
            expect_equal(
                "hook", (hook["attempts"], hook["status"], hook["problem"], hook["next_ms"]), (1, 200, None, None)
            )
            path, headers, body = receiver.seen[-1]
            expect_equal(
                "to", (path, headers["content-type"], headers["webhook-id"]), ("/a?b=c", "application/json", run)
            )
            verify(headers, body, KEY)
            told = json.loads(body)
            expect_equal("type", (told["type"], sorted(told)), ("run.ended", ["data", "timestamp", "type"]))
            datetime.datetime.fromisoformat(told["timestamp"].replace("Z", "+00:00"))
            expect_equal("run", (told["data"]["id"], told["data"]["outcome"]), (run, "ok"))
            expect_equal("report", told["data"]["report"]["value"], [42, "ä"])
        run = server.submit("1", webhook={"url": receiver.url()})["id"]
        wait_hook(server, run, is_delivered)
        expect("webhook-signature" not in receiver.seen[-1][1], "signed without a key")
        expect_equal("counted", server.metric('curfew_webhook_attempts_total{result="delivered"}'), 3)
        expect_equal("another run", server.get(server.submit("1")["id"])["webhook"], None)


@test
def tried_again(context):
    # Claim L624.
    """A failure is shown, and repeated later. After an answer of 410 there are no more attempts. Restarts change
    nothing."""
    refuse_sanitizer(context)
    with Receiver(500) as receiver:
        options = ("--allow-webhook", receiver.host)
        with Server(context, *options) as server:
            run = server.submit("1", webhook={"url": receiver.url()})["id"]
            hook = wait_hook(server, run, lambda hook: hook["attempts"] == 1)
            expect_equal("failed", (hook["state"], hook["status"]), ("waiting", 500))
            expect(0 < hook["next_ms"] - hook["last_ms"] < 60000, f"{hook}")
            make_due(server, run)
            hook = wait_hook(server, run, lambda hook: hook["attempts"] == 2)
            expect(hook["next_ms"] - hook["last_ms"] > 200000, f"{hook}")
            server.kill()
        with Server(context, *options, data=server.data) as server:
            again = server.get(run)["webhook"]
            # A database that nodes share uses its own clock.
            expect(abs(again["next_ms"] - hook["next_ms"]) < 1000, f"as it was: {again}")
            expect_equal("as it was", {**again, "next_ms": hook["next_ms"]}, hook)
            receiver.status = 302
            make_due(server, run)
            hook = wait_hook(server, run, lambda hook: hook["attempts"] == 3)
            expect("not followed" in hook["problem"] and len(receiver.seen) == 3, f"{hook}")
            receiver.status = 204
            make_due(server, run)
            hook = wait_hook(server, run, is_delivered)
            expect_equal("in the end", (hook["attempts"], hook["status"], hook["problem"]), (4, 204, None))
            receiver.status = 410
            run = server.submit("1", webhook={"url": receiver.url()})["id"]
            hook = wait_hook(server, run, lambda hook: hook["state"] != "waiting")
            expect_equal("gone", (hook["state"], hook["status"], hook["next_ms"]), ("given_up", 410, None))
        expect_equal("one id", len({headers["webhook-id"] for _, headers, _ in receiver.seen[:4]}), 1)


@test
def told_to_wait(context):
    # Claim L624.
    """Retry-After delays the next attempt by up to a day. It never makes it earlier, and an invalid value is
    ignored."""
    date = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)).strftime(
        "%a, %d %b %Y %H:%M:%S GMT"
    )
    cases = (
        (429, "600", 600),
        (503, date, 7200),
        (503, "999999999999999999999999", 86400),
        (429, "1", 5),
        (429, "-5", 5),
        (500, "soon", 5),
        (429, "Thu, 01 Jan 1970 00:00:00 GMT", 5),
        (503, "", 5),
    )
    with Receiver() as receiver, Server(context, "--allow-webhook", receiver.host) as server:
        for status, after, seconds in cases:
            receiver.status, receiver.headers = status, [("Retry-After", after)]
            run = server.submit("1", webhook={"url": receiver.url()})["id"]
            hook = wait_hook(server, run, lambda hook: hook["attempts"] == 1)
            wait = (hook["next_ms"] - hook["last_ms"]) / 1000
            expect(
                hook["state"] == "waiting" and seconds - 60 < wait < seconds + 60 and wait > 4,
                f"Retry-After: {after}: {hook}",
            )
        receiver.status, receiver.headers = 410, [("Retry-After", "600")]
        run = server.submit("1", webhook={"url": receiver.url()})["id"]
        wait_hook(server, run, lambda hook: hook["state"] == "given_up")


@test
def nobody_listens(context):
    """The run ends, the server is killed, and the next server notifies the receiver."""
    refuse_sanitizer(context)
    with Receiver() as receiver:
        port, url = receiver.port, receiver.url()
    with Server(context, "--allow-webhook", f"127.0.0.1:{port}") as server:
        run = server.submit("1", webhook={"url": url})["id"]
        expect_equal("outcome", server.wait_for(run)["outcome"], "ok")
        hook = wait_hook(server, run, lambda hook: hook["attempts"] == 1)
        expect(hook["status"] is None and "connect" in hook["problem"], f"{hook}")
        server.kill()
    with Receiver(port=port) as receiver, Server(context, "--allow-webhook", receiver.host, data=server.data) as server:
        make_due(server, run)
        wait_hook(server, run, is_delivered)
        expect_equal("told", [json.loads(body)["data"]["id"] for _, _, body in receiver.seen], [run])


@test
def crash_before_it_is_told(context):
    # Claim L624.
    """The end and the pending notification are stored in one write."""
    refuse_sanitizer(context)
    with Receiver() as receiver:
        options = ("--allow-webhook", receiver.host)
        with Server(context, *options) as server:
            runs = [server.submit("1", webhook={"url": receiver.url()})["id"] for _ in range(20)]
            server.kill()
        with Server(context, *options, data=server.data) as server:
            for run in runs:
                server.wait_for(run)
            # An attempt that the server before had begun is delayed by a minute.
            server.change_store("UPDATE runs SET hook_due_us=1 WHERE hook_due_us>1")
            for run in runs:
                wait_hook(server, run, is_delivered)
        expect_equal("told", {json.loads(body)["data"]["id"] for _, _, body in receiver.seen}, set(runs))


@test
def where_it_may_go(context):
    # Claim T620.
    refuse_sanitizer(context)
    data = os.path.join(context.directory(), "data")
    with Receiver() as receiver:
        narrow = make_token(context, data, "--allow-fetch", "example.com")
        wide = make_token(context, data)
        options = ("--allow-webhook", receiver.host, "--allow-webhook", "*.example.com")
        with Server(context, *options, data=data, token=wide) as server:
            for url in (
                "http://example.org/",
                "http://127.0.0.1/",
                f"http://127.0.0.1:{receiver.port + 1}/",
                "http://10.0.0.1/",
                f"http://localhost:{receiver.port}/",
                f"https://127.0.0.2:{receiver.port}/",
                "http://a.example.com:8080/",
            ):
                server.refuse(403, {"source": "1", "webhook": {"url": url}}, "/webhook/url", "allow-webhook")
            server.refuse(
                403, {"source": "1", "webhook": {"url": receiver.url()}}, "/webhook/url", "token", token=narrow
            )
            run = server.submit("1", delay="4s", webhook={"url": receiver.url()})["id"]
            server.kill()
        # The host was allowed at the submission, but is not allowed at the end.
        with Server(context, "--allow-webhook", "example.com", data=data, token=wide) as server:
            hook = wait_hook(server, run, lambda hook: hook["state"] == "given_up")
            expect("allowed" in hook["problem"], f"{hook}")
        expect_equal("asked", receiver.seen, [])
    with Server(context, data=data, token=wide) as server:
        server.refuse(403, {"source": "1", "webhook": {"url": "https://example.com/"}}, "/webhook/url")
    fail_start(context, "--allow-webhook", "http://a/", text="--allow-webhook http://a/", code=2)


@test
def bad_hooks(context):
    with Server(context, "--allow-webhook", "example.com") as server:
        good = "https://example.com/x"
        for hook, pointer in (
            ("x", "/webhook"),
            ([], "/webhook"),
            ({}, "/webhook/url"),
            ({"url": 1}, "/webhook/url"),
            ({"url": ""}, "/webhook/url"),
            ({"url": "example.com"}, "/webhook/url"),
            ({"url": "ftp://example.com/"}, "/webhook/url"),
            ({"url": "http://user@example.com/"}, "/webhook/url"),
            ({"url": "http://example.com\\@evil.org/"}, "/webhook/url"),
            ({"url": "http://example.com/#x"}, "/webhook/url"),
            ({"url": "http://example.com/a b"}, "/webhook/url"),
            ({"url": "http://exämple.com/"}, "/webhook/url"),
            ({"url": "http://*.example.com/"}, "/webhook/url"),
            ({"url": "http:///x"}, "/webhook/url"),
            ({"url": "http://example.com:0/"}, "/webhook/url"),
            ({"url": "http://example.com:99999/"}, "/webhook/url"),
            ({"url": "https://example.com/" + "x" * 2048}, "/webhook/url"),
            ({"url": good, "secret": 1}, "/webhook/secret"),
            ({"url": good, "secret": "HOOK"}, "/webhook/secret"),
            ({"url": good, "other": 1}, "/webhook/other"),
        ):
            server.refuse(400, {"source": "1", "webhook": hook}, pointer)
        server.refuse(400, {"source": "1", "durable": False, "webhook": {"url": good}}, "/webhook", "durable")
        store = Store(context)
        store.set("ann", "HOOK", KEY.decode())
    with Server(context, "--allow-webhook", "example.com", *options_of(store)) as server:
        server.refuse(400, {"source": "1", "webhook": {"url": good, "secret": "HOOK"}}, "/webhook/secret", "user")


@test
def secret_that_is_not_there(context):
    refuse_sanitizer(context)
    store = Store(context)
    store.set("ann", "HOOK", KEY.decode())
    with Receiver() as receiver, Server(context, "--allow-webhook", receiver.host, *options_of(store)) as server:
        run = server.submit("1", user="bob", webhook={"url": receiver.url(), "secret": "HOOK"})["id"]
        hook = wait_hook(server, run, lambda hook: hook["attempts"] == 1)
        expect("no secret" in hook["problem"] and hook["state"] == "waiting" and not receiver.seen, f"{hook}")
        store.set("bob", "HOOK", KEY.decode())
        make_due(server, run)
        wait_hook(server, run, is_delivered)
        verify(*receiver.seen[-1][1:], KEY)


@test
def holds_nobody_up(context):
    # Claim T621.
    """If the receivers of one token never answer, runs continue, and another token's receivers are notified."""
    refuse_sanitizer(context)
    data = os.path.join(context.directory(), "data")
    ann, bob = make_token(context, data), make_token(context, data)
    with Receiver(None) as slow, Receiver() as quick:
        options = ("--allow-webhook", slow.host, "--allow-webhook", quick.host)
        with Server(context, *options, data=data, token=ann) as server:
            began = time.monotonic()
            stuck = [server.submit("1", webhook={"url": slow.url()})["id"] for _ in range(60)]
            for run in stuck:
                expect_equal("outcome", server.wait_for(run)["outcome"], "ok")
            context.until("nobody is told", lambda: slow.seen)
            # Each attempt ends after 15 s, and frees its slot.
            most = 16 * (1 + int(time.monotonic() - began) // 15)
            expect(0 < len(slow.seen) <= most, f"{len(slow.seen)} of one token at once")
            expect_equal("a run", server.run("6 * 7")["value"], 42)
            server.token = bob
            run = server.submit("1", webhook={"url": quick.url()})["id"]
            wait_hook(server, run, is_delivered, timeout=10)


@test
def log_has_nothing_that_was_sent(context):
    # Claim T622.
    """What clients, programs and receivers send is in no line of the log, at any level, and not in the metrics."""
    refuse_sanitizer(context)
    said = "MARKER-OF-THE-TEST"
    answers = (
        f"HTTP/1.1 abc {said}\r\n\r\n",
        f"{said}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nX: a\0{said}\r\n\r\n",
        f"HTTP/1.1 302 {said}\r\nLocation: http://x/{said}\r\n\r\n",
        f"HTTP/1.1 500 \x1b[31m{said}\r\nRetry-After: {said}\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + f"X: {said}\r\n" * 10000 + "\r\n",
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {said}\r\n\r\n{said}",
        f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n{said}",
        "",
    )
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(odd_receiver(answer.encode())) for answer in answers]
        options = [word for port in ports for word in ("--allow-webhook", f"127.0.0.1:{port}")]
        server = stack.enter_context(Server(context, "--log-level", "debug", *options))
        runs = []
        for port in ports:
            url = f"http://127.0.0.1:{port}/{said}?{said}"
            fields = {"source": f"throw new Error('{said}')", "params": [said], "webhook": {"url": url}}
            headers = {"Idempotency-Key": f"{said}-{port}", "Cookie": said}
            runs.append(server.ask("POST", "/v1/runs", fields, 202, headers=headers)["id"])
        for run in runs:
            hook = wait_hook(server, run, lambda hook: hook["attempts"] == 1)
            expect(said not in (hook["problem"] or ""), f"{hook}")
        fields = {"source": said}
        for method, path, body, status, headers in (
            ("POST", "/v1/runs", {"source": "1", said: 1}, 400, {}),
            ("POST", "/v1/runs", {"source": "1", "webhook": {"url": f"http://x/{said}"}}, 403, {}),
            ("POST", "/v1/runs", fields, 400, {"Idempotency-Key": said * 100}),
            ("POST", "/v1/runs", fields, 422, {"Idempotency-Key": f"{said}-{ports[0]}"}),
            ("GET", f"/v1/{said}?{said}", None, 404, {"Authorization": f"Bearer {said}"}),
            ("GET", f"/v1/runs?{said}={said}", None, 400, {}),
        ):
            server.ask(method, path, body, status, headers=headers)
        expect(said not in server.request("GET", "/metrics").body.decode(), "it is in the metrics")
        log = server.log()
        expect("webhook" in log and "accepted" in log, f"the log lacks what it should have: {log[-2000:]}")
        expect(said.lower() not in log.lower(), f"it is in the log: {log[:4000]}")
        expect(log.isascii() and "\x1b" not in log, f"control characters: {log[:4000]!r}")


@test
def large_report(context):
    """A long value is left out, and the notification says what was left out."""
    refuse_sanitizer(context)
    with Receiver() as receiver, Server(context, "--allow-webhook", receiver.host) as server:
        run = server.submit("console.log('x'.repeat(100000))", webhook={"url": receiver.url()})["id"]
        wait_hook(server, run, is_delivered)
        told = json.loads(receiver.seen[-1][2])
        expect_equal("told", (told["data"]["report"], told["data"]["used"]["output_bytes"] > 100000), (None, True))


@test
def of_a_schedule(context):
    refuse_sanitizer(context)
    with Receiver() as receiver, Server(context, "--allow-webhook", receiver.host) as server:
        fields = {"schedule": "@daily", "source": "1", "webhook": {"url": receiver.url()}}
        server.ask("PUT", "/v1/schedules/one", fields, 201)
        server.change_store("UPDATE schedules SET next_us=1000")
        context.until("nobody is told", lambda: receiver.seen)
        expect_equal("told", [json.loads(body)["data"]["schedule"] for _, _, body in receiver.seen], ["one"])


def tests(context):
    return [Test("server", f"webhooks_{function.__name__}", function) for function in TESTS]
