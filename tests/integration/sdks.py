# SPDX-License-Identifier: Apache-2.0
"""The SDKs of OpenAI and Anthropic, bundled for a browser, and a server on this machine that streams to them."""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading

from . import pinned
from .harness import ROOT, Skipped, Test, expect, expect_equal
from .isolation import Isolated, refuse_sanitizer

PINNED = os.path.join(ROOT, "tests", "packages", "sdks")
INSTALL = (
    'cp "$1"/package.json "$1"/package-lock.json "$2" && cd "$2" && exec npm ci --no-audit --no-fund --loglevel=error'
)

# What is asked for first is seen by the program before the server sends the rest: HERE/seen tells the server so.
OPENAI = """
import OpenAI from 'openai';
const [base] = curfew.params;
const client = new OpenAI({ apiKey: 'key', baseURL: base + '/v1', maxRetries: 0 });
const seen = [];
const stream = await client.chat.completions.create({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
for await (const part of stream) {
	if (!part.choices[0].delta.content) continue;
	seen.push(part.choices[0].delta.content);
	if (seen.length === 1) await fetch(base + '/seen');
}
const form = await client.files.create({ purpose: 'assistants', file: new File(['ä text'], 'a.txt') });
const failed = await client.models.retrieve('none').catch((error) => [error.constructor === OpenAI.NotFoundError, error.status, error.message]);
// The server closes the connection within the stream: what the program catches is not an unhandled rejection besides.
const ask = { messages: [{ role: 'user', content: 'hi' }], stream: true };
let cut;
try { for await (const part of await client.chat.completions.create({ ...ask, model: 'cut' })); } catch (error) { cut = error.name; }
const again = [];
for await (const part of await client.chat.completions.create({ ...ask, model: 'again' }, { maxRetries: 2 })) again.push(part.choices[0].delta.content ?? '');
export default { seen, form, failed, cut, again: again.join('') };
"""
ANTHROPIC = """
import Anthropic from '@anthropic-ai/sdk';
const [base] = curfew.params;
const client = new Anthropic({ apiKey: 'key', baseURL: base, maxRetries: 0 });
const seen = [];
const stream = client.messages.stream({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] });
for await (const event of stream) {
	if (event.type !== 'content_block_delta') continue;
	seen.push(event.delta.text);
	if (seen.length === 1) await fetch(base + '/seen');
}
const { content, stop_reason, usage } = await stream.finalMessage();
const failed = await client.models.retrieve('none').catch((error) => [error.constructor === Anthropic.NotFoundError, error.status]);
const ask = { max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
const stopped = client.messages.stream({ ...ask, model: 'stopped' });
stopped.on('text', () => stopped.abort());
const aborted = await stopped.done().catch((error) => error instanceof Anthropic.APIUserAbortError);
const again = await client.messages.stream({ ...ask, model: 'again' }, { maxRetries: 2 }).finalText();
export default { seen, content, stop_reason, tokens: usage.output_tokens, failed, aborted, again };
"""


def chunk(text, **more):
    delta = {"content": text} if text else {}
    choices = [{"index": 0, "delta": delta, "finish_reason": None if text else "stop"}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


def delta(text):
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


EMPTY = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None}
EVENTS = {
    "/v1/chat/completions": [[chunk("Hel")], [chunk("lo, "), chunk("wörld"), chunk("")]],
    "/v1/messages": [
        [
            {"type": "message_start", "message": {**EMPTY, "usage": {"input_tokens": 1, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            delta("Hel"),
        ],
        [
            delta("lo, wörld"),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
            {"type": "message_stop"},
        ],
    ],
}


class Service(http.server.BaseHTTPRequestHandler):
    """Answers like both services. A stream stops after its first part until /seen is asked for."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_GET(self):
        if self.path == "/seen":
            self.server.seen.set()
            return self.answer(200, {})
        return self.answer(404, {"error": {"message": "there is none", "type": "not_found_error"}})

    def do_POST(self):
        body = (
            self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self.chunks()
        )
        self.server.asked.append((self.path, body, dict(self.headers)))
        if self.path == "/v1/files":
            name = b'filename="a.txt"' in body and "ä text".encode() in body
            return self.answer(200, {"id": "file", "whole": name, "type": self.headers["Content-Type"].split(";")[0]})
        model = json.loads(body)["model"]
        if model == "again" and model not in self.server.refused:
            self.server.refused.append(model)
            return self.answer(429, {"error": {"message": "later", "type": "rate_limit_error"}})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, events in enumerate(EVENTS[self.path]):
            if number and model == "cut":
                self.close_connection = True
                return None
            if number and model == "m":
                self.server.streamed.append(self.server.seen.wait(150))
            for event in events:
                name = f"event: {event['type']}\n" if "type" in event else ""
                self.send(f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n")
        if "chat" in self.path:
            self.send("data: [DONE]\n\n")
        self.send("")  # an empty chunk is the last one
        return None

    def chunks(self):
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole


class Server:
    def __enter__(self):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        self.http.daemon_threads = True
        self.http.seen, self.http.asked, self.http.streamed = threading.Event(), [], []
        self.http.refused = []
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.http.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.http.seen.set()
        self.http.shutdown()
        self.http.server_close()


def packages():
    if shutil.which("npm") is None:
        raise Skipped("there is no npm")
    with open(os.path.join(PINNED, "package-lock.json"), "rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:16]
    place = pinned.place("sdks", version)
    return pinned.make(place, "the SDKs of npm", "bash", "-c", INSTALL, "install", PINNED, "{}", timeout=600)


def bundle(context, text):
    """The text and what it imports as one file, made by esbuild."""
    directory = context.directory()
    os.symlink(os.path.join(packages(), "node_modules"), os.path.join(directory, "node_modules"))
    with open(os.path.join(directory, "main.js"), "w", encoding="utf-8") as file:
        file.write(text)
    command = ["node_modules/.bin/esbuild", "main.js", "--bundle", "--format=esm", "--platform=browser"]
    done = subprocess.run(
        [*command, "--outfile=bundle.mjs", "--log-level=error"], cwd=directory, capture_output=True, check=False
    )
    expect(done.returncode == 0, f"esbuild: {done.stderr.decode()[:500]}")
    return os.path.join(directory, "bundle.mjs")


def check(context, text, path, expected):
    file = bundle(context, text)
    for runner in (context, Isolated(context)):
        with Server() as server:
            host = server.base.removeprefix("http://")
            report, _ = runner.report("--timeout", "3m", "--allow-fetch", host, file, server.base, timeout=200)
            expect(report["outcome"] == "ok", f"{report['outcome']}: {report['error']}\n{report['stderr']}")
            expect_equal("value", report["value"], expected)
            # The first part was seen before the rest was sent.
            expect_equal("streamed", server.http.streamed, [True])
            asked = {
                where: (json.loads(body), headers) for where, body, headers in server.http.asked if "files" not in where
            }
            body, headers = asked[path]
            expect_equal("asked", [body["stream"], body["messages"][0]["content"]], [True, "hi"])
            expect("key" in (headers.get("authorization") or headers.get("x-api-key") or ""), f"{headers}")
        # Without the option nothing is asked for.
        report, _ = runner.report("--timeout", "3m", file, "http://127.0.0.1:9", timeout=200)
        expect(
            report["outcome"] == "threw" and "--allow-fetch 127.0.0.1:9" in json.dumps(report["error"]),
            f"{report['error']}",
        )
    return 2


def check_openai(context):
    form = {"id": "file", "whole": True, "type": "multipart/form-data"}
    failed = [True, 404, "404 there is none"]
    expected = {"seen": ["Hel", "lo, ", "wörld"], "form": form, "failed": failed, "cut": "TypeError"}
    expected["again"] = "Hello, wörld"
    return check(context, OPENAI, "/v1/chat/completions", expected)


def check_anthropic(context):
    content = [{"type": "text", "text": "Hello, wörld"}]
    expected = {"seen": ["Hel", "lo, wörld"], "content": content, "stop_reason": "end_turn", "tokens": 7}
    expected |= {"failed": [True, 404], "aborted": True, "again": "Hello, wörld"}
    return check(context, ANTHROPIC, "/v1/messages", expected)


def tests(context):
    def whole(function):
        def run(context):
            refuse_sanitizer(context)
            return function(context)

        return run

    return [Test("fetch", "sdk_openai", whole(check_openai)), Test("fetch", "sdk_anthropic", whole(check_anthropic))]
