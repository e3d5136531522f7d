# SPDX-License-Identifier: Apache-2.0
"""curfew serve against its own description: Schemathesis sends requests that /openapi.json allows, and others that it
forbids.

It is installed once from pinned packages into a directory of the user's cache.
"""

import os
import re
import sys

from . import pinned
from .harness import Test, expect, shorten
from .serving import Server


# The schema defines the format of quantities, but not their maximum, nor how two arguments depend on each other.
HOOKS = r"""
import re
import schemathesis

IN_RANGE = {"timeout": "2s", "grace": "5ms", "cpu": "1s", "fuel": "10M", "loops": "1M", "memory": "64MiB", "stack": "1MiB", "output": "1MiB",
            "host-calls": "1k", "host_calls": "1k", "timers": "100", "delay": "10ms"}
CRON = re.compile(r"[0-9A-Za-z*?,/-]+([ \t]+[0-9A-Za-z*?,/-]+){4}")
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
QUANTITY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?(ns|us|ms|s|m|h|KiB|MiB|GiB|K|M|G|k)?")


@schemathesis.hook
def before_call(context, case, kwargs):
    body, query = case.body, case.query
    # Whether a stored program is one of WASI's only its bytes say.
    if isinstance(body, dict) and isinstance(body.get("program"), str):
        body.pop("args", None)
        body.pop("files", None)
    # Of which numbers the fields of a time are, and which zones there are, the schema says in words.
    if isinstance(body, dict) and CRON.fullmatch(str(body.get("schedule"))):
        body["schedule"] = "30 3 * * 1-5"
    if isinstance(body, dict) and isinstance(body.get("zone"), str) and ZONE.fullmatch(body["zone"]):
        body["zone"] = "Europe/Berlin"
    # The schema does not list the time zones.
    if isinstance(body, dict) and isinstance(body.get("timezone"), str) and re.fullmatch(r"(?s)[^\0]{1,128}", body["timezone"]):
        body["timezone"] = "Europe/Berlin"
    if isinstance(query, dict) and query.get("include") == "report" and re.fullmatch("[0-9]+", str(query.get("limit"))):
        query["limit"] = min(int(query["limit"]), 20)
    for part in (body, body.get("limits")) if isinstance(body, dict) else ():
        for key, value in part.items() if isinstance(part, dict) else ():
            if key in IN_RANGE and isinstance(value, str) and QUANTITY.fullmatch(value):
                part[key] = IN_RANGE[key]
"""

# A program that does not load is 422, and so is a key that was used before. DELETE of a run ends the run, and keeps it.
SETTINGS = """
[[operations]]
include-name = "PUT /v1/programs/{name}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"]

[[operations]]
include-name = "POST /v1/runs"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"]

[[operations]]
include-name = "PUT /v1/schedules/{name}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"]

[[operations]]
include-path-regex = "^/v1/runs/"
checks.use_after_free.enabled = false
"""


def described(context):
    """Requests that the description allows are accepted, others are refused, and every answer conforms to it."""
    packages, directory = (
        pinned.python_packages("Schemathesis", "schemathesis", "schemathesis.txt"),
        context.directory(),
    )
    for name, text in (("hooks.py", HOOKS), ("schemathesis.toml", SETTINGS)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((packages, directory)),
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with Server(context) as server:
        url = f"http://{server.host}:{server.port}"
        words = [
            sys.executable,
            os.path.join(packages, "bin", "schemathesis"),
            "--config-file",
            "schemathesis.toml",
            "run",
            f"{url}/openapi.json",
            "--url",
            url,
            "--generation-deterministic",
            "--max-examples",
            "30",
            "--no-color",
        ]
        done = context.command(words, cwd=directory, env=environment, timeout=300)
        text = (done.out + done.err).decode(errors="replace")
        cases = re.search(r"(\d+) generated", text)
        expect(done.code == 0, f"exit {done.code}\n{shorten(text, 6000)}")
        expect(cases and int(cases[1]) > 200, f"few cases: {shorten(text[-1500:], 1500)}")
        server.ask("GET", "/healthz")


def tests(context):
    return [Test("server", "described", described)]
