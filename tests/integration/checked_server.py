# SPDX-License-Identifier: Apache-2.0
"""A server for the clients of the packages. A proxy checks their requests and the answers against docs/openapi.json."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema

from .harness import Failed, expect, expect_equal
from .serving import Answer, Server, description

# The operations that a client must offer.
OPERATIONS = {
    ("POST", "/v1/runs"),
    ("GET", "/v1/runs"),
    ("GET", "/v1/runs/{id}"),
    ("DELETE", "/v1/runs/{id}"),
    ("GET", "/v1/runs/{id}/events"),
    ("GET", "/v1/programs"),
    ("PUT", "/v1/programs/{name}"),
    ("GET", "/v1/programs/{name}"),
    ("DELETE", "/v1/programs/{name}"),
    ("GET", "/v1/stats"),
}


class CheckedServer:
    """A server during its with statement, which yields its URL, or "" if it is not wanted."""

    def __init__(self, context, is_wanted):
        self.server = Server(context) if is_wanted else None
        self.asked, self.wrong = set(), []

    def __enter__(self):
        if self.server is None:
            return ""
        self.server.__enter__()
        self.front = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.front.daemon_threads = True
        threading.Thread(target=self.front.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.front.server_address[1]}"

    def __exit__(self, kind, value, trace):
        if self.server is None:
            return
        self.front.shutdown()
        self.front.server_close()
        self.server.__exit__(kind, value, trace)
        if kind is None:
            expect(not self.wrong, "\n".join(self.wrong))
            expect_equal(
                "operations of docs/openapi.json that the tests of the client do not ask for",
                sorted(OPERATIONS - self.asked),
                [],
            )

    def _check_request(self, method, path, body):
        operation, known = description().find(method, path)
        expect(known and operation["responses"], f"docs/openapi.json has no {method} {path}")
        template = next(
            template
            for template in description().document["paths"]
            if description().find(method, template)[0] is operation
        )
        self.asked.add((method, template))
        content = description().resolve(operation.get("requestBody", {})).get("content", {})
        # A test sends a wrong limit on purpose.
        if "application/json" in content and b'"soon"' not in body:
            jsonschema.Draft202012Validator(
                content["application/json"]["schema"], resolver=description().resolver
            ).validate(json.loads(body))

    def _handler(self):
        checked = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection("127.0.0.1", checked.server.port, timeout=60)
                headers = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in ("host", "connection", "transfer-encoding")
                }
                try:
                    checked._check_request(self.command, self.path.split("?")[0], body)
                    connection.request(self.command, self.path, body or None, headers)
                    self.pass_on(connection.getresponse())
                except (Failed, jsonschema.ValidationError) as error:
                    checked.wrong.append(f"{self.command} {self.path}: {error}")
                    self.send_error(500)
                except OSError:
                    pass  # the client has disconnected
                finally:
                    connection.close()
                    self.close_connection = True

            def pass_on(self, response):
                self.send_response(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "date", "content-length"):
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                whole = b""
                while chunk := response.read1(1 << 16):
                    whole += chunk
                    self.wfile.write(chunk)
                    self.wfile.flush()
                if not (response.getheader("content-type") or "").startswith("text/event-stream"):
                    description().check(self.command, self.path, Answer(response.status, response.getheaders(), whole))

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *unused):
                pass

        return Handler
