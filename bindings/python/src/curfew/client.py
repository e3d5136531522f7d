# SPDX-License-Identifier: Apache-2.0
"""A client of ``curfew serve`` (docs/openapi.json of the project). It needs nothing but Python's own library."""

from __future__ import annotations

import base64
import http.client
import json
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Union
from urllib.parse import quote, urlencode, urlsplit

from ._json import decode
from .limits import LIMIT_TABLE, Limits
from .report import Report

#: Answers that say "try again": the server is starting, full, or this client asks too often.
_AGAIN = (429, 503)


class Problem(Exception):
    """A request that the server refused, with the fields of problem+json."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        title = problem.get("title") or f"HTTP {status}"
        detail = problem.get("detail")
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status = status  #: of HTTP
        self.problem = problem  #: the JSON object
        self.pointer = problem.get("pointer")  #: JSON pointer of the field at fault


class ServerEvent(NamedTuple):
    """An event of a run's stream: id, kind ("state", "progress", "checkpoint", "output", "report"), data (the decoded
    JSON)."""

    id: Optional[str]
    kind: str
    data: Any


def _limit_text(name: str, value: Any) -> Any:
    """A limit in the form that the server accepts: text with a unit, or a whole number."""
    info = LIMIT_TABLE.get(name)
    if info is not None and info.unit == "duration" and not isinstance(value, str):
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        return f"{round(seconds * 1e9)}ns"
    return value


def _limits_json(limits: Union[Limits, Mapping[str, Any]]) -> Dict[str, Any]:
    given = (
        {name: getattr(limits, name) for name in Limits.__dataclass_fields__} if isinstance(limits, Limits) else limits
    )
    named = {str(name).replace("-", "_"): value for name, value in given.items()}
    return {name.replace("_", "-"): _limit_text(name, value) for name, value in named.items() if value is not None}


def _data(value: Any) -> Any:
    """Bytes as JSON represents them; anything else unchanged."""
    return {"base64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else value


class Client:
    """A server at a URL. Any thread may use it, since each request has its own connection.

    Args:
        url: "http://127.0.0.1:7433".
        token: Sent as ``Authorization: Bearer``.
        timeout: The maximum silence of the server in seconds, except while a request waits.
        retries: How often a request that is safe to repeat is sent again, if the server is unreachable or asks for it.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:7433", *, token: Optional[str] = None, timeout: float = 30, retries: int = 3
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(f"{url!r} is not the URL of a server: http://HOST:PORT")
        self._parts = parts
        self._token = token
        self._timeout = timeout
        self._retries = retries

    def __repr__(self) -> str:
        return f"<curfew.Client {self._parts.scheme}://{self._parts.netloc}>"

    # ---- Requests

    def _connect(self, timeout: Optional[float]) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=timeout)

    @contextmanager
    def _send(
        self, method: str, path: str, body: Optional[bytes], headers: Mapping[str, str], timeout: Optional[float]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._connect(timeout)
        try:
            sent = dict(headers)
            if self._token is not None:
                sent["Authorization"] = f"Bearer {self._token}"
            connection.request(method, self._parts.path.rstrip("/") + path, body, sent)
            response = connection.getresponse()
            if response.status >= 400:
                raise Problem(response.status, _read_problem(response))
            yield response
        finally:
            connection.close()

    def _ask(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        headers: Mapping[str, str] = {},
        *,
        safe: bool = True,
        timeout: Optional[float] = None,
    ) -> Any:
        """The JSON of the answer, or None. A request that is safe to repeat is repeated if that may help."""
        for attempt in range(self._retries + 1 if safe else 1):
            try:
                with self._send(method, path, body, headers, timeout or self._timeout) as response:
                    data = response.read()
                    return decode(data) if data else None
            except Problem as problem:
                if problem.status not in _AGAIN or attempt == self._retries or not safe:
                    raise
            except (OSError, http.client.HTTPException):
                if attempt == self._retries or not safe:
                    raise
            time.sleep(min(0.1 * 2**attempt, 5))
        raise AssertionError("unreachable")

    # ---- Runs

    def submit(
        self,
        source: Union[None, str, bytes] = None,
        *,
        program: Optional[str] = None,
        language: Optional[str] = None,
        call: Optional[str] = None,
        params: Sequence[Any] = (),
        limits: Union[None, Limits, Mapping[str, Any]] = None,
        idempotency_key: Optional[str] = None,
        **fields: Any,
    ) -> str:
        """Submits a run of a source or a stored program and returns its id.

        language: "js", "mjs"..., as the server takes ``lang``; of bytes that are WebAssembly "wasm".
        idempotency_key: Makes a repetition safe: the same key never runs twice. With a key the request is repeated.
        fields: Further ones of the submission: user, delay, priority, retry, durable, allow_fetch, args, env, stdin, files,
            timezone, ... Of stdin and files bytes become {"base64": ...}.
        """
        body = self._submission(source, program, language, call, params, limits, fields)
        return self._post(body, idempotency_key, None)["id"]

    def run(self, source: Union[None, str, bytes] = None, **options: Any) -> Report:
        """Submits a run and waits for its report. The options are those of :meth:`submit`."""
        return self.wait(self.submit(source, **options))

    @staticmethod
    def _submission(
        source: Any,
        program: Optional[str],
        language: Optional[str],
        call: Optional[str],
        params: Sequence[Any],
        limits: Any,
        fields: Mapping[str, Any],
    ) -> Dict[str, Any]:
        if (source is None) == (program is None):
            raise TypeError("give either a source or the name of a stored program")
        body: Dict[str, Any] = dict(fields)
        if "stdin" in body:
            body["stdin"] = _data(body["stdin"])
        if isinstance(body.get("files"), dict):
            body["files"] = {name: _data(data) for name, data in body["files"].items()}
        if program is not None:
            body["program"] = program
        elif isinstance(source, bytes) and source.startswith(b"\0asm"):
            body["source"], language = base64.b64encode(source).decode("ascii"), "wasm"
        elif isinstance(source, bytes) and (language == "tar" or source[257:262] == b"ustar"):
            body["source"], language = base64.b64encode(source).decode("ascii"), "tar"
        else:
            body["source"] = source.decode("utf-8") if isinstance(source, bytes) else source
        if language is not None:
            body["lang"] = language
        if call is not None:
            body["call"] = call
        if len(params):
            body["params"] = list(params)
        if limits is not None:
            body["limits"] = _limits_json(limits)
        return body

    def _post(self, body: Mapping[str, Any], key: Optional[str], timeout: Optional[float]) -> Any:
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key is not None else {})}
        data = json.dumps(body, allow_nan=False).encode("utf-8")
        return self._ask("POST", "/v1/runs", data, headers, safe=key is not None, timeout=timeout)

    def get(self, run_id: str) -> Dict[str, Any]:
        """A run: id, state, report (None until it has ended), ..."""
        return self._ask("GET", f"/v1/runs/{quote(run_id, safe='')}")

    def runs(self, **filters: Any) -> Iterator[Dict[str, Any]]:
        """Runs, newest first, page by page. The filters are state, program, outcome, and limit (of a page)."""
        after: Optional[str] = None
        while True:
            query = urlencode({**filters, **({"after": after} if after else {})})
            page = self._ask("GET", "/v1/runs" + (f"?{query}" if query else ""))
            yield from page["runs"]
            after = page.get("next")
            if after is None:
                return

    def wait(self, run_id: str) -> Report:
        """Waits for the report of a run, also across a restart of the server."""
        for event in self.events(run_id):
            if event.kind == "report":
                return _report_of(event.data)
        return _report_of(self.get(run_id)["report"])

    def cancel(self, run_id: str) -> Optional[Report]:
        """Cancels a run and returns its report, even if it had ended before. None: it is still stopping."""
        answer = self._ask("DELETE", f"/v1/runs/{quote(run_id, safe='')}")
        return _report_of(answer) if isinstance(answer, dict) and "outcome" in answer and "schema" in answer else None

    def events(self, run_id: str, *, last_event_id: Optional[str] = None) -> Iterator[ServerEvent]:
        """A run's events from the first one (or from the one after last_event_id) to its report. A broken stream is
        resumed."""
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_event_id} if last_event_id else {})}
            try:
                with self._send(
                    "GET", f"/v1/runs/{quote(run_id, safe='')}/events", None, headers, self._timeout * 2
                ) as response:
                    if response.status == 204:
                        return
                    for event in _read_events(response):
                        failures = 0
                        last_event_id = event.id or last_event_id
                        yield event
                        if event.kind == "report":
                            return
            except Problem as problem:
                if problem.status not in _AGAIN or failures >= self._retries:
                    raise
            except (OSError, http.client.HTTPException):
                if failures >= self._retries:
                    raise
            failures += 1
            time.sleep(min(0.1 * 2**failures, 5))

    # ---- Programs

    def put_program(self, name: str, source: Union[str, bytes], *, language: Optional[str] = None) -> Dict[str, Any]:
        """Stores a program. Returns name, sha256, kind, exports. Storing the same bytes again changes nothing."""
        data = source.encode("utf-8") if isinstance(source, str) else bytes(source)
        kinds = {"wasm": "application/wasm", "js": "text/javascript", "mjs": "text/javascript"}
        language = language or ("wasm" if data.startswith(b"\0asm") else "js")
        headers = {"Content-Type": kinds.get(language, "text/plain")}
        return self._ask("PUT", f"/v1/programs/{quote(name, safe='')}?lang={quote(language)}", data, headers)

    def programs(self) -> Sequence[Dict[str, Any]]:
        """All stored programs."""
        return self._ask("GET", "/v1/programs")["programs"]

    def get_program(self, name: str) -> Dict[str, Any]:
        """A stored program. Raises a Problem with status 404 if there is none."""
        return self._ask("GET", f"/v1/programs/{quote(name, safe='')}")

    def delete_program(self, name: str) -> None:
        """Removes a stored program. Runs that were accepted continue."""
        self._ask("DELETE", f"/v1/programs/{quote(name, safe='')}")

    def nodes(self) -> List[Dict[str, Any]]:
        """The servers that share the database of this one. Needs the scope admin."""
        return self._ask("GET", "/v1/nodes")["nodes"]

    def stats(self) -> Dict[str, Any]:
        """Figures of the server."""
        return self._ask("GET", "/v1/stats")


def _report_of(report: Any) -> Report:
    return Report(b"", raw=report)


def _read_problem(response: http.client.HTTPResponse) -> Mapping[str, Any]:
    try:
        problem = json.loads(response.read(1 << 16))
        return problem if isinstance(problem, dict) else {}
    except ValueError:
        return {}


def _read_events(response: http.client.HTTPResponse) -> Iterator[ServerEvent]:
    """The events of a stream in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    event_id, kind, lines = None, "message", []
    for raw in response:
        line = raw.decode("utf-8").rstrip("\r\n")
        if not line:
            if lines:
                yield ServerEvent(event_id, kind, decode("\n".join(lines)))
            kind, lines = "message", []
            continue
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            lines.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            event_id = value
