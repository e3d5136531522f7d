#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills workers under load, and checks that only their own runs are affected.

crash/workers.py --curfew build/curfew [--seconds 60] [--rate 10] [--directory DIR]

Clients submit runs as fast as they are answered: short ones, ones that compute, ones that wait, durable ones and
others, some with retry after a crash. Meanwhile workers are killed (SIGKILL) at a rate, whether they are busy, idle or
just starting. Each run must end: with its own value, or as crashed, but then only after as many attempts as it was
granted. The server's list afterwards must match the answers, and no more runs may have crashed than the killed workers
can have had.
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

CLIENTS = 16
WORKERS = 3
RETRIES = 10  # the maximum
RUNS_EACH = 16  # the maximum of a worker: see --concurrency below


class Ledger:
    """The answers that clients received."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reports = {}  # id: outcome
        self.given_up = set()  # those that crashed though they were to be run again
        self.faults = []
        self.kills = 0
        self.slowest_us = 0

    def fault(self, text):
        with self.lock:
            self.faults.append(text)


def start(curfew, directory):
    words = [
        curfew,
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        directory,
        "--workers",
        str(WORKERS),
        "--concurrency",
        str(WORKERS * RUNS_EACH),
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    found = re.search(r":(\d+)\n$", process.stdout.readline().decode())
    if not found:
        sys.exit("the server does not start")
    return process, int(found[1])


def make(number):
    source = {
        0: f"{number}",
        1: f"let x = 0; for (let i = 0; i < 100000; i++) x += i; {number}",
        2: f"await new Promise(f => setTimeout(f, 30)); export default {number}",
    }[number % 3]
    return {
        "source": source,
        "lang": "mjs" if number % 3 == 2 else "js",
        "wait": True,
        "durable": number % 2 == 0,
        "retry": RETRIES if number % 5 == 0 else 0,
        "limits": {"timeout": "60s"},
    }


def client(port, ledger, stop):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    while not stop.is_set():
        number = random.randrange(10**9)
        fields = make(number)
        begun = time.monotonic()
        try:
            connection.request("POST", "/v1/runs", json.dumps(fields), {"Content-Type": "application/json"})
            response = connection.getresponse()
            report = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return ledger.fault(f"no answer for {fields}: {error!r}")
        if response.status != 200:
            ledger.fault(f"{response.status} for {fields}: {report}")
            continue
        outcome = report["outcome"]
        if outcome == "ok" and report["value"] != number:
            ledger.fault(f"another value than {number}: {report}")
        elif outcome not in ("ok", "crashed"):
            ledger.fault(f"ended with {outcome}: {report['error']}")
        with ledger.lock:
            ledger.reports[report["id"]] = outcome
            if outcome == "crashed" and fields["retry"]:
                ledger.given_up.add(report["id"])
            ledger.slowest_us = max(ledger.slowest_us, int((time.monotonic() - begun) * 1e6))
    return None


def find_workers(server):
    found = []
    for task in os.listdir(f"/proc/{server}/task"):
        try:
            with open(f"/proc/{server}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
        except OSError:
            pass
    return found


def kill_workers(server, ledger, stop, rate):
    """Kills workers at this rate, but none before a run has ended since the last kill: if no worker becomes ready, runs
    are given up."""
    due, answered = time.monotonic(), -1
    while not stop.is_set():
        workers = find_workers(server)
        if workers and len(ledger.reports) > answered:
            answered = len(ledger.reports)
            try:
                os.kill(random.choice(workers), signal.SIGKILL)
                ledger.kills += 1
            except ProcessLookupError:
                pass
        due += 1 / rate
        stop.wait(max(0, due - time.monotonic()))


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    return connection.getresponse().read()


def read_all(port):
    runs, after = {}, None
    while True:
        page = json.loads(ask(port, "/v1/runs?limit=20&include=report" + (f"&after={after}" if after else "")))
        runs.update((run["id"], run) for run in page["runs"])
        after = page["next"]
        if after is None:
            return runs


def read_metric(port, name):
    return int(float(re.search(rf"^{re.escape(name)} (\S+)$", ask(port, "/metrics").decode(), re.M)[1]))


def check(port, ledger):
    """Checks the server's list."""
    runs = read_all(port)
    for run in runs.values():
        if run["state"] != "done":
            ledger.fault(f"it is {run['state']}: {run['id']}")
        elif ledger.reports.get(run["id"]) != run["outcome"]:
            ledger.fault(f"answered {ledger.reports.get(run['id'])}, kept {run['outcome']}: {run['id']}")
        elif run["outcome"] == "crashed" and run["attempt"] != 1 + run["retry"]:
            ledger.fault(f"not run again after {run['attempt']} of {1 + run['retry']} attempts: {run['id']}")
    for run in ledger.given_up - runs.keys():
        ledger.fault(f"not run again, or not in the list: {run}")
    lost = read_metric(port, "curfew_worker_crashed_runs_total")
    crashed = sum(outcome == "crashed" for outcome in ledger.reports.values())
    told = sum(read_metric(port, f'curfew_runs_total{{outcome="{outcome}"}}') for outcome in ("ok", "crashed"))
    if told != len(ledger.reports):
        ledger.fault(f"{len(ledger.reports)} runs were answered, and {told} are counted")
    if not crashed <= lost <= ledger.kills * CLIENTS:
        ledger.fault(f"{crashed} runs crashed and {lost} were lost, with {ledger.kills} workers killed")
    return crashed, lost


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curfew", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=10, help="workers killed in a second")
    parser.add_argument("--directory")
    arguments = parser.parse_args()
    directory = os.path.join(arguments.directory or tempfile.mkdtemp(prefix="curfew-crash-"), "data")
    ledger, stop, calm = Ledger(), threading.Event(), threading.Event()
    process, port = start(arguments.curfew, directory)
    killer = threading.Thread(target=kill_workers, args=(process.pid, ledger, calm, arguments.rate))
    threads = [threading.Thread(target=client, args=(port, ledger, stop)) for _ in range(CLIENTS)] + [killer]
    try:
        for thread in threads:
            thread.start()
        time.sleep(arguments.seconds)
        calm.set()
        killer.join()
        time.sleep(1)  # some of these runs end without a kill
        stop.set()
        for thread in threads:
            thread.join()
        crashed, lost = check(port, ledger)
        restarts = read_metric(port, "curfew_worker_restarts_total")
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    if code != 0:
        ledger.fault(f"the server ended with {code}")
    if restarts < ledger.kills / 2:
        ledger.fault(f"{ledger.kills} workers were killed, and {restarts} came in their place")
    print(
        f"{ledger.kills} workers killed in {arguments.seconds:g} s, {restarts} started in their place; {len(ledger.reports)} runs answered, {crashed} of them crashed, "
        f"{len(ledger.given_up)} of these in each of their {1 + RETRIES} attempts, {lost - crashed} lost and run again; the slowest answer took {ledger.slowest_us / 1e6:.2f} s; {len(ledger.faults)} faults"
    )
    print("\n".join(ledger.faults[:20]))
    return 1 if ledger.faults or not ledger.reports or not ledger.kills else 0


if __name__ == "__main__":
    sys.exit(main())
