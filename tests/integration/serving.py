# SPDX-License-Identifier: Apache-2.0
"""A server for tests. It is started on a free port of this machine, used over HTTP, and ended by its process id. Every
answer is checked against docs/openapi.json."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import jsonschema

from .harness import Failed, expect, read, shorten


# Turns a database into one of the version before it recorded failures of programs and schedules.
WITHOUT_MISHAPS = "".join(
    f"DROP INDEX runs_{name}_outcome;" for name in ("program", "any_program", "schedule", "any_schedule")
)
# Turns a database into one of the version before it recorded unused sources, and found runs by their schedule.
WITHOUT_LOOSE = (
    WITHOUT_MISHAPS
    + """DROP TRIGGER runs_loosen; DROP TRIGGER programs_loosen; DROP TRIGGER programs_replace;
DROP TABLE loose; DROP INDEX runs_schedule; DROP INDEX runs_any_schedule;"""
)
# Turns a database into one of the version before schedules.
WITHOUT_SCHEDULES = (
    WITHOUT_LOOSE
    + " DROP TABLE schedules; ALTER TABLE runs DROP COLUMN schedule; DROP INDEX runs_hook;"
    + "".join(
        f"ALTER TABLE runs DROP COLUMN hook_{name};"
        for name in ("url", "secret", "state", "attempts", "status", "us", "due_us", "problem")
    )
)
# Turns a database into one of the version before reports were stored apart from runs.
WITHOUT_PARTS = (
    WITHOUT_SCHEDULES
    + """DROP TRIGGER runs_drop_report; DROP INDEX runs_program; DROP INDEX runs_any_program; DROP INDEX runs_owner_outcome;
CREATE INDEX runs_program ON runs(program, id) WHERE program IS NOT NULL; ALTER TABLE runs ADD COLUMN report TEXT;
UPDATE runs SET report=(SELECT CAST(data AS TEXT) FROM reports WHERE place=number*4096); DROP TABLE reports;
ALTER TABLE runs DROP COLUMN report_bytes; ALTER TABLE runs DROP COLUMN wall_us; ALTER TABLE runs DROP COLUMN cpu_us;
ALTER TABLE runs DROP COLUMN memory_bytes; ALTER TABLE runs DROP COLUMN output_bytes; ALTER TABLE runs DROP COLUMN stop_us;"""
)
# Turns a database into one of the version before it counted the shares of owners.
WITHOUT_SHARES = (
    WITHOUT_PARTS
    + """ALTER TABLE tokens DROP COLUMN priority; ALTER TABLE tokens DROP COLUMN expires_us;
ALTER TABLE tokens DROP COLUMN used_us; ALTER TABLE tokens DROP COLUMN programs_bytes; DROP TRIGGER runs_grow; DROP TRIGGER runs_drop;
DROP TRIGGER runs_drop_key; ALTER TABLE runs DROP COLUMN bytes; DROP TABLE counters; DROP TABLE owners; DROP TABLE keys;
DROP INDEX runs_ended; DROP INDEX runs_outcome;"""
)
# Turns a database into one of the version before it stored grants.
WITHOUT_GRANTS = (
    WITHOUT_SHARES
    + """ALTER TABLE runs DROP COLUMN allow_fetch; ALTER TABLE tokens DROP COLUMN user;
ALTER TABLE tokens DROP COLUMN allow_fetch; ALTER TABLE runs DROP COLUMN wasi; PRAGMA user_version=3;"""
)


class Description:
    """docs/openapi.json: the answers of each route."""

    def __init__(self):
        self.document = json.loads(read("docs/openapi.json"))
        report = json.loads(read("docs/report.schema.json"))
        self.resolver = jsonschema.RefResolver(
            "openapi.json", self.document, store={"openapi.json": self.document, "report.schema.json": report}
        )
        self.paths = [
            (re.compile("^" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$"), item)
            for path, item in self.document["paths"].items()
        ]

    def resolve(self, part):
        while "$ref" in part:
            part = self.resolver.resolve(part["$ref"])[1]
        return part

    def find(self, method, path):
        for pattern, item in self.paths:
            if pattern.match(path):
                return item.get("get" if method == "HEAD" else method.lower(), {"responses": {}}), True
        return {"responses": {}}, False

    def check(self, method, path, answer):
        operation, known = self.find(method, path.split("?")[0])
        what = f"{method} {path} -> {answer.status} {shorten(answer.body.decode(errors='replace'), 600)}"
        responses = dict(operation["responses"])
        if not known or not responses:
            responses = {
                key: {"$ref": f"#/components/responses/{name}"}
                for key, name in (("403", "Forbidden"), ("404", "NotFound"), ("405", "Method"), ("503", "Unavailable"))
            }
        expect(str(answer.status) in responses, f"not an answer that docs/openapi.json has: {what}")
        response = self.resolve(responses[str(answer.status)])
        for name, header in response.get("headers", {}).items():
            expect(not header.get("required") or name.lower() in answer.headers, f"without the header {name}: {what}")
        content = response.get("content")
        if content is None:
            expect(answer.body == b"", f"an answer without a body has one: {what}")
            return
        kind = answer.headers.get("content-type", "").split(";")[0]
        expect(kind in content, f"the content type is {kind}: {what}")
        if kind.endswith("json") and method != "HEAD":
            schema = content[kind]["schema"]
            validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
            errors = [
                f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
                for error in validator.iter_errors(answer.json())
            ]
            expect(not errors, f"not as docs/openapi.json has it: {shorten('; '.join(errors), 600)}\n{what}")


# One for each thread, because a resolver keeps its position.
_own = threading.local()


def description():
    if not hasattr(_own, "description"):
        _own.description = Description()
    return _own.description


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, {key.lower(): value for key, value in headers}, body

    def json(self):
        return json.loads(self.body)


def parse_events(lines):
    """Id, kind and data of each event of a stream."""
    event = {}
    for line in lines:
        line = line.decode().rstrip("\n")
        if line == "" and "event" in event:
            yield int(event["id"]), event["event"], json.loads(event["data"])
            event = {}
        elif line and not line.startswith(":"):
            key, _, value = line.partition(": ")
            event[key] = value


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, response, connection):
        self.response, self.connection = response, connection
        self.status = response.status

    def __iter__(self):
        return parse_events(self.response)

    def close(self):
        self.connection.close()


def signal_all(pids, number):
    """Sends a signal to each. One may have ended by itself meanwhile."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def submit_to_dying(servers, submit):
    """What submit returns, where the workers of these servers die before they begin with what it submits."""
    stopped = [child for server in servers for child in server.children()]
    signal_all(stopped, signal.SIGSTOP)
    submitted = submit()
    time.sleep(0.2)
    signal_all(stopped, signal.SIGKILL)
    return submitted


class Server:
    """curfew serve with these options, until stop or kill. Use it in a with statement."""

    def __init__(self, context, *options, data=None, token=None, tls=None, listen="127.0.0.1:0", wait=20, env=None):
        self.context, self.token, self.tls = context, token, tls
        self.data = data or os.path.join(context.directory(), "data")
        self.log_path = os.path.join(context.directory(), "log")
        place = context.store_options(self.data) if hasattr(context, "store_options") else []
        # Runs that never end are not waited for, unless that is what the test is about.
        brief = [] if "--shutdown-timeout" in options else ["--shutdown-timeout", "2s"]
        self.words = [context.curfew, "serve", "--listen", listen, "--data", self.data, *place, *brief, *options]
        with open(self.log_path, "wb") as log:
            self.process = context.spawn(
                self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=env or {}
            )
        ready = select.poll()  # select() cannot wait for descriptors from 1024 on
        ready.register(self.process.stdout, select.POLLIN)
        patience = context.patience(wait)
        while not ready.poll(1000):
            if patience.is_over():
                self.kill()
                raise Failed("the server does not begin to listen\n" + self.log())
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"curfew: listening on (https?)://(\S+):(\d+)\n", line)
        if not found:
            code = self.process.wait(context.socket_timeout(10))
            raise Failed(f"the server does not start: exit {code}, {line!r}\n{self.log()}")
        self.host, self.port = found[2], int(found[3])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.kill()
        elif self.process.poll() is None:
            self.stop()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def change_store(self, statement):
        """Changes the server's database directly, whatever its kind."""
        if hasattr(self.context, "store_options"):
            postgres = self.context.postgres
            postgres.query(f"SET search_path=curfew; {statement}", postgres.database_of(self.data))
            return
        with sqlite3.connect(os.path.join(self.data, "curfew.db"), timeout=60) as database:
            database.execute(statement)
        database.close()

    def stop(self, timeout=20):
        """Ends the server in order."""
        self.process.send_signal(signal.SIGTERM)
        patience = self.context.patience(timeout)
        while (code := self.process.poll()) is None:
            if patience.is_over():
                self.kill()
                raise Failed("the server does not end after SIGTERM\n" + shorten(self.log(), 2000))
            time.sleep(0.01)
        self.process.stdout.close()
        expect(
            code == 0 and "Sanitizer" not in self.log(), f"the server ended with {code}\n{shorten(self.log(), 4000)}"
        )

    def kill(self):
        """Ends the server like a crash. Its workers end with it."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    # ---- Requests --------------------------------------------------------------------------------------------------

    def connect(self):
        timeout = self.context.socket_timeout(60)
        if self.tls is not None:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def _headers(self, headers, token):
        token = self.token if token is None else token
        return {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}

    def request(self, method, path, body=None, headers=None, token=None, connection=None):
        """A checked answer. body: bytes, or an object that is sent as JSON."""
        headers = self._headers(headers, token)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"{method} {path}: no answer: {error!r}\n{shorten(self.log(), 2000)}") from None
        finally:
            if own:
                connection.close()
        description().check(method, path, answer)
        return answer

    def ask(self, method, path, body=None, status=200, **options):
        """The JSON of an answer, which must have this status."""
        answer = self.request(method, path, body, **options)
        expect(
            answer.status == status,
            f"{method} {path}: expected {status}, seen {answer.status} {shorten(answer.body.decode(errors='replace'), 800)}",
        )
        return answer.json() if answer.body else None

    def submit(self, source=None, status=202, token=None, headers=None, **fields):
        if source is not None:
            fields["source"] = source
        return self.ask("POST", "/v1/runs", fields, status, token=token, headers=headers)

    def run(self, source=None, **fields):
        """The report of a run, after waiting for it."""
        report = self.submit(source, status=200, wait=True, **fields)
        return self.context.check_report(json.dumps(report))

    def refuse(self, status, fields, pointer=None, text=None, **options):
        problem = self.ask("POST", "/v1/runs", fields, status, **options)
        expect(
            pointer is None or problem.get("pointer") == pointer,
            f"{shorten(fields)}: expected the pointer {pointer}: {problem}",
        )
        expect(text is None or text in problem["detail"], f"{shorten(fields)}: expected {text!r}: {problem}")
        return problem

    def get(self, run, **options):
        return self.ask("GET", f"/v1/runs/{run}", **options)

    def wait_for(self, run, *states, timeout=20):
        """The run, once it is in one of these states (default: done)."""
        patience = self.context.patience(timeout)
        while True:
            seen = self.get(run)
            if seen["state"] in (states or ("done",)):
                return seen
            if patience.is_over():
                raise Failed(f"run {run} is still {seen['state']}, not {states or 'done'}\n{shorten(self.log(), 2000)}")
            time.sleep(0.01)

    def wait_for_checkpoint(self, run):
        """The run, once its program has reached a checkpoint."""
        self.context.until("no checkpoint", lambda: self.get(run)["checkpoint"] is not None)
        return self.get(run)

    def wait_for_token(self, token, is_known=True):
        """Waits until the server has seen that this token is there, or gone. Before it has seen the first one, anyone may ask."""

        def is_refused(which):
            return self.request("GET", "/v1/programs", token=which).status == 401

        self.context.until(
            f"the server does not see that a token is {'there' if is_known else 'gone'}",
            lambda: is_refused("curfew_unknown") and is_refused(token) != is_known,
        )

    def stream(self, run, last=None, token=None):
        connection = self.connect()
        connection.request(
            "GET",
            f"/v1/runs/{run}/events",
            headers=self._headers({"Last-Event-ID": str(last)} if last is not None else {}, token),
        )
        return Stream(connection.getresponse(), connection)

    def open_socket(self):
        client = socket.create_connection((self.host, self.port), timeout=self.context.socket_timeout(10))
        return self.tls.wrap_socket(client, server_hostname=self.host) if self.tls is not None else client

    def raw(self, data, ends=True, seconds=None):
        """The answer to these bytes, until the connection ends, or for some seconds. ends: nothing is sent after
        them."""
        seconds = seconds or self.context.socket_timeout(10)
        with socket.create_connection((self.host, self.port), timeout=seconds) as client:
            try:
                client.sendall(data)
                if ends:
                    client.shutdown(socket.SHUT_WR)
                answer = b""
                while part := client.recv(65536):
                    answer += part
                return answer
            except OSError:
                return b""

    def children(self):
        """The server's processes: the workers, and one that measures."""
        found, tasks = set(), f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/children", encoding="ascii") as children:
                found.update(map(int, children.read().split()))
        return found

    def kill_children(self):
        signal_all(self.children(), signal.SIGKILL)

    def metric(self, name, **options):
        """A value of /metrics. The name includes its labels. options: of request()."""
        for line in self.request("GET", "/metrics", **options).body.decode().split("\n"):
            if line.startswith(name + " "):
                return float(line.split(" ")[-1])
        raise Failed(f"/metrics has no {name}")


def check_dashboard(context, path, count):
    """The page for Grafana has more than `count` queries, all of metrics and labels that a server has."""
    with open(path, encoding="utf-8") as file:
        expressions = [target["expr"] for panel in json.load(file)["panels"] for target in panel["targets"]]
    with Server(context) as server:
        text = server.request("GET", "/metrics").body.decode()
    there = {re.match("[a-z_]+", line)[0] for line in text.split("\n") if line and not line.startswith("#")}
    asked = {name for expression in expressions for name in re.findall(r"(?:curfew|process)_[a-z_]+", expression)}
    expect(len(expressions) > count and asked <= there, f"not there: {sorted(asked - there)}")
    labels = {
        label for one in expressions for found in re.findall(r"by \(([a-z, ]+)\)", one) for label in found.split(", ")
    }
    # Prometheus adds the label of the instance.
    expect(all(f"{label}=" in text for label in labels - {"instance"}), f"labels: {labels}")
