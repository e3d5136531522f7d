#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs programs of every kind on one server for a long time, and checks that nothing leaks, is lost, or ends wrongly.

crash/soak.py --curfew build/curfew [--seconds 600] [--clients 4]

Clients submit programs that finish, throw, loop, recurse, allocate, print too much, wait, hide from their deadline, and
are cancelled. Every run has to end as its program says. The memory, descriptors and threads of the server and its
workers are read ten times a second. In the last third of the time they must not be higher than in the second third
(memory: by more than a tenth and 32 MiB).
"""

import argparse
import glob
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter

from server import start

# The submissions, and the allowed outcomes. A loop may also exceed another limit on the way.
MODULE = '(module (func (export "_start") (loop (br 0))))'
PROGRAMS = [
    ({"source": "6 * 7"}, {"ok"}),
    ({"source": "console.log('x'.repeat(1000)); [1, {a: 2}]"}, {"ok"}),
    ({"source": "await new Promise(f => setTimeout(f, 30)); 1", "lang": "mjs"}, {"ok"}),
    ({"source": "throw new Error('on purpose')"}, {"threw"}),
    ({"source": "let ("}, {"bad_program"}),
    ({"source": "for (;;);", "limits": {"timeout": "60ms"}}, {"deadline"}),
    ({"source": "for (;;) try { for (;;); } finally { continue; }", "limits": {"timeout": "60ms"}}, {"deadline"}),
    ({"source": "const f = () => 1 + f(); f()", "limits": {"timeout": "5s"}}, {"stack", "threw"}),
    (
        {"source": "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))", "limits": {"memory": "32MiB"}},
        {"memory"},
    ),
    ({"source": "for (;;) console.log('x'.repeat(999))", "limits": {"output": "64KiB"}}, {"output"}),
    ({"source": "/(a+)+$/.test('a'.repeat(40) + 'b')", "limits": {"timeout": "60ms"}}, {"deadline"}),
    ({"source": "await new Promise(() => {})", "lang": "mjs"}, {"unsettled"}),
    ({"source": MODULE, "lang": "wat", "limits": {"timeout": "60ms"}}, {"deadline"}),
    ({"source": MODULE, "lang": "wat", "limits": {"fuel": "1M"}}, {"fuel"}),
]


class Figures:
    """The memory, descriptors and threads of a process and its children over time."""

    def __init__(self, pid):
        self.pid = pid
        self.rows = []

    def family(self):
        try:
            children = "".join(open(path).read() for path in glob.glob(f"/proc/{self.pid}/task/*/children"))
        except OSError:
            children = ""
        return [self.pid, *map(int, children.split())]

    def sample(self):
        row = [0, 0, 0]
        for pid in self.family():
            try:
                rollup = open(f"/proc/{pid}/smaps_rollup").read()
                row[0] += int(rollup.split("Pss:")[1].split()[0])
                row[1] += len(os.listdir(f"/proc/{pid}/fd"))
                row[2] += len(os.listdir(f"/proc/{pid}/task"))
            except (OSError, IndexError):
                continue  # it has just ended
        self.rows.append(row)

    def most(self, begin, end):
        """The third largest value of each, because a worker that is being replaced counts twice for a moment."""
        part = self.rows[int(len(self.rows) * begin) : int(len(self.rows) * end)]
        return [sorted(column)[-3:][0] for column in zip(*part)]


def submit_all(port, stop, seen, wrong):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.is_set():
        body, outcomes = random.choice(PROGRAMS)
        try:
            connection.request(
                "POST", "/v1/runs", json.dumps({**body, "wait": True}), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            wrong.append(f"no answer to {body['source'][:40]}: {error!r}")
            return
        outcome = answer.get("outcome", f"status {response.status}")
        seen[outcome] += 1
        if outcome not in outcomes:
            wrong.append(f"{body['source'][:60]}: {outcome}, {json.dumps(answer.get('error'))[:200]}")


def cancel_some(port, stop, seen, wrong):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.is_set():
        connection.request(
            "POST", "/v1/runs", json.dumps({"source": "for (;;);"}), {"Content-Type": "application/json"}
        )
        run = json.loads(connection.getresponse().read())["id"]
        time.sleep(random.random() / 20)
        connection.request("DELETE", f"/v1/runs/{run}")
        answer = json.loads(connection.getresponse().read())
        seen[answer["outcome"]] += 1
        if answer["outcome"] != "cancelled":
            wrong.append(f"cancelled, but ended {answer['outcome']}")


def judge(figures):
    before, after = figures.most(1 / 3, 2 / 3), figures.most(2 / 3, 1)
    print("      memory KiB  descriptors  threads")
    for name, row in (("then", before), ("now", after)):
        print(f"{name:5} {row[0]:10}  {row[1]:11}  {row[2]:7}")
    if after[0] > before[0] * 1.1 + 32 * 1024:
        yield f"memory grows: from {before[0]} to {after[0]} KiB"
    if after[1] > before[1] + 16:
        yield f"descriptors grow: from {before[1]} to {after[1]}"
    if after[2] > before[2] + 8:
        yield f"threads grow: from {before[2]} to {after[2]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--curfew", required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=4)
    given = parser.parse_args()
    stop, seen, wrong = threading.Event(), Counter(), []
    with tempfile.TemporaryDirectory() as directory:
        process, port = start(given.curfew, directory)
        try:
            figures = Figures(process.pid)
            work = [submit_all] * given.clients + [cancel_some]
            threads = [threading.Thread(target=call, args=(port, stop, seen, wrong)) for call in work]
            for thread in threads:
                thread.start()
            end = time.monotonic() + given.seconds
            while time.monotonic() < end and process.poll() is None:
                figures.sample()
                time.sleep(0.1)
            stop.set()
            for thread in threads:
                thread.join()
            if process.poll() is not None:
                wrong.append(f"the server ended by itself: {process.returncode}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    wrong += judge(figures)
    print(f"{sum(seen.values())} runs: " + ", ".join(f"{count} {name}" for name, count in seen.most_common()))
    print("\n".join(wrong[:20]) or "nothing wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
