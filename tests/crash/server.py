#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the server under load, again and again, and checks that no accepted run was lost or executed twice.

crash/server.py --curfew build/curfew [--rounds 20] [--seconds 2] [--directory DIR]

Clients submit durable runs as fast as they can, some with a key that they repeat after a lost connection. The server is
killed (SIGKILL) at a random moment and started again on the same directory. In the end every run that was answered with
202 or 200 must exist, have ended, and have started at most once unless it was submitted with retry. Every report that a
client received must be the stored one. Each key must have led to one run.
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

CLIENTS = 8


class Ledger:
    """The answers that clients received."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = {}  # id: whether it has retry
        self.reports = {}  # id: report
        self.keys = {}  # key: id
        self.lost_answers = 0


def start(curfew, directory):
    process = subprocess.Popen(
        [curfew, "serve", "--listen", "127.0.0.1:0", "--data", directory, "--max-queue", "100k"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    line = process.stdout.readline().decode()
    found = re.search(r":(\d+)\n$", line)
    if not found:
        sys.exit(f"the server does not start again: {line!r}")
    return process, int(found[1])


def submit(connection, number, key):
    body = {"source": f"console.log({number}); {number}", "wait": number % 3 == 0, "retry": 3 if number % 7 == 0 else 0}
    if number % 5 == 0:
        body["source"] = f"await new Promise(f => setTimeout(f, 20)); {number}"
        body["lang"] = "mjs"
    if number % 11 == 0:
        body["delay"] = "100ms"
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    connection.request("POST", "/v1/runs", json.dumps(body), headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read()), body


def client(port, ledger, name, stop, pending):
    """pending: a submission with a key whose answer was lost. It is to be repeated."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    while not stop.is_set():
        number = pending.pop() if pending else random.randrange(10**9)
        key = f"{name}-{number}" if number % 2 == 0 else None
        try:
            status, answer, body = submit(connection, number, key)
        except (OSError, http.client.HTTPException, ValueError):
            with ledger.lock:
                ledger.lost_answers += 1
            if key:
                pending.append(number)
            return
        if status not in (200, 202):
            continue
        with ledger.lock:
            ledger.accepted[answer["id"]] = body["retry"] > 0
            if status == 200:
                ledger.reports[answer["id"]] = answer
            if key:
                before = ledger.keys.setdefault(key, answer["id"])
                if before != answer["id"]:
                    sys.exit(f"the key {key} led to two runs: {before} and {answer['id']}")


def read_all(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    runs, after = {}, None
    while True:
        connection.request("GET", "/v1/runs?limit=20&include=report" + (f"&after={after}" if after else ""))
        page = json.loads(connection.getresponse().read())
        for run in page["runs"]:
            if run["id"] in runs:
                sys.exit(f"the run {run['id']} is listed twice")
            runs[run["id"]] = run
        after = page["next"]
        if after is None:
            return runs


def wait_until_done(port, seconds):
    deadline = time.monotonic() + seconds
    while True:
        runs = read_all(port)
        left = [run for run in runs.values() if run["state"] != "done"]
        if not left:
            return runs
        if time.monotonic() > deadline:
            sys.exit(f"{len(left)} runs do not end, for example {left[0]}")
        time.sleep(0.2)


def check(ledger, runs):
    faults = []
    for run, with_retry in ledger.accepted.items():
        if run not in runs:
            faults.append(f"lost: {run}")
        elif runs[run]["attempt"] > 1 and not with_retry:
            faults.append(f"started {runs[run]['attempt']} times: {run}")
        elif runs[run]["outcome"] not in ("ok", "crashed"):
            faults.append(f"ended with {runs[run]['outcome']}: {run}")
    for run, report in ledger.reports.items():
        if run in runs and runs[run]["report"] != report:
            faults.append(f"the report changed: {run}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curfew", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--directory")
    arguments = parser.parse_args()
    directory = os.path.join(arguments.directory or tempfile.mkdtemp(prefix="curfew-crash-"), "data")
    ledger = Ledger()
    pending = [[] for _ in range(CLIENTS)]
    for _ in range(arguments.rounds):
        process, port = start(arguments.curfew, directory)
        stop = threading.Event()
        threads = [
            threading.Thread(target=client, args=(port, ledger, f"c{i}", stop, pending[i])) for i in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(arguments.seconds * random.uniform(0.3, 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop.set()
        for thread in threads:
            thread.join()
    process, port = start(arguments.curfew, directory)
    try:
        runs = wait_until_done(port, 60)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    faults = check(ledger, runs)
    crashed = sum(run["outcome"] == "crashed" for run in runs.values())
    print(
        f"{arguments.rounds} kills, {len(ledger.accepted)} runs accepted ({len(ledger.reports)} reports given, {ledger.lost_answers} answers lost), "
        f"{len(runs)} kept, {crashed} of them crashed with the server, {len(faults)} faults"
    )
    print("\n".join(faults[:20]))
    return 1 if faults or not ledger.accepted else 0


if __name__ == "__main__":
    sys.exit(main())
