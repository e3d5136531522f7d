#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures durable runs on one and on three nodes with one PostgreSQL, all on one machine with the clients:
bench/cluster.py --build build

First it measures how many runs a second are submitted, awaited and stored (with wrk, at all nodes at once), with one
node and with three. Then, with three idle nodes, it measures the time from a submission at one node until another node
shows its report, and from a cancel at another node until its answer, which arrives when the run has been stopped and
that is stored. Last, it measures the same while the nodes are busy. The database commits to disk, which is its default.
The results also show how long a commit takes, and how much processor time of the nodes (including their workers) and of
the database a run takes, to estimate the effect of more machines.
"""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from integration.postgres import Postgres  # noqa: E402

SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = os.getenv("BODY")
"""
FOREVER = {"source": "for (;;);", "limits": {"timeout": "60s"}}


def start(curfew, url, directory, number):
    words = [
        curfew,
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        url,
        "--data",
        os.path.join(directory, f"node{number}"),
    ]
    with open(os.path.join(directory, f"log{number}"), "wb") as log:
        process = subprocess.Popen([*words, "--log-level", "warn"], stdout=subprocess.PIPE, stderr=log)
    return process, int(process.stdout.readline().decode().rsplit(":", 1)[1])


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def load(port, script, connections, seconds):
    words = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        script,
        f"http://127.0.0.1:{port}/v1/runs",
    ]
    body = json.dumps({"source": "1 + 1", "wait": True})
    return subprocess.Popen(words, env={**os.environ, "BODY": body}, stdout=subprocess.PIPE, text=True)


def rate_of(output):
    for line in output.splitlines():
        if line.startswith("Requests/sec:"):
            return float(line.split()[1])
    return 0


def processes():
    """For each process its parent and its processor time in seconds."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        found[int(name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return found


def time_of(roots):
    """The processor time of these processes and of all their descendants that still run."""
    found, total = processes(), 0
    below, left = set(), list(roots)
    while left:
        pid = left.pop()
        below.add(pid)
        left += [child for child, (parent, _) in found.items() if parent == pid and child not in below]
    for pid in below:
        total += found.get(pid, (0, 0))[1]
    return total


def measure_disk(directory):
    """The median time of a hundred writes of 8 KiB to disk, in milliseconds."""
    times = []
    path = os.path.join(directory, "disk")
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        for _ in range(100):
            began = time.monotonic()
            os.write(file, bytes(8192))
            os.fdatasync(file)
            times.append(time.monotonic() - began)
    finally:
        os.close(file)
        os.unlink(path)
    return sorted(times)[50] * 1e3


def measure_rate(nodes, postgres, script, connections, seconds):
    ports = [port for _, port in nodes]
    roots = [process.pid for process, _ in nodes], [postgres.process.pid]
    before = [time_of(pids) for pids in roots]
    clients = [load(port, script, connections // len(ports), seconds) for port in ports]
    outputs = [client.communicate()[0] for client in clients]
    slow = [line.split()[1] for output in outputs for line in output.splitlines() if line.strip().startswith("99%")]
    rate = sum(map(rate_of, outputs))
    node, database = [(time_of(pids) - past) / (rate * seconds or 1) * 1e6 for pids, past in zip(roots, before)]
    print(
        f"{len(ports)} node(s), {connections} connections: {rate:8.0f} runs/s   p99 {' '.join(slow)}   "
        f"processor time a run: nodes {node:.0f} us, database {database:.0f} us",
        flush=True,
    )


def wait_for_report(port, run):
    """Waits on the stream of events, which ends with the report."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/v1/runs/{run}/events")
    for line in connection.getresponse():
        if line.startswith(b"event: report"):
            break
    connection.close()


def quantiles(values):
    values = sorted(values)
    return f"p50 {values[len(values) // 2] * 1e3:7.2f} ms   p99 {values[len(values) * 99 // 100] * 1e3:7.2f} ms"


def measure_latency(ports, count):
    reports, cancels = [], []
    for number in range(count):
        here, there = ports[number % 3], ports[(number + 1) % 3]
        began = time.monotonic()
        run = ask(here, "POST", "/v1/runs", {"source": "1 + 1"})["id"]
        wait_for_report(there, run)
        reports.append(time.monotonic() - began)
        run = ask(here, "POST", "/v1/runs", FOREVER)["id"]
        while ask(here, "GET", f"/v1/runs/{run}")["state"] != "running":
            time.sleep(0.002)
        began = time.monotonic()
        ask(there, "DELETE", f"/v1/runs/{run}")
        cancels.append(time.monotonic() - began)
    print(f"  submission to report over another node  {quantiles(reports)}")
    print(f"  cancel over another node                {quantiles(cancels)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=5)
    given = parser.parse_args()
    curfew, postgres, nodes = os.path.abspath(os.path.join(given.build, "curfew")), Postgres(), []
    with tempfile.TemporaryDirectory() as directory:
        script = os.path.join(directory, "post.lua")
        with open(script, "w", encoding="ascii") as file:
            file.write(SCRIPT)
        try:
            nodes.append(start(curfew, postgres.url("postgres"), directory, 0))
            print(f"8 KiB are on disk after {measure_disk(postgres.directory):.2f} ms", flush=True)
            for connections in (32, 128):
                measure_rate(nodes, postgres, script, connections, given.seconds)
            nodes += [start(curfew, postgres.url("postgres"), directory, number) for number in (1, 2)]
            ports = [port for _, port in nodes]
            for connections in (33, 129):
                measure_rate(nodes, postgres, script, connections, given.seconds)
            time.sleep(2)
            print("3 nodes, nothing else to do")
            measure_latency(ports, 100)
            print("3 nodes, beside 24 connections")
            others = [load(port, script, 8, 60) for port in ports]
            try:
                measure_latency(ports, 50)
            finally:
                for other in others:
                    other.kill()
                    other.wait()
        finally:
            threads = [threading.Thread(target=end, args=(process,)) for process, _ in nodes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            postgres.close()


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(30)


if __name__ == "__main__":
    main()
