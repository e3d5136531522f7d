#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs per second through curfew serve, on one machine with the client (wrk): bench/serve.py --build build

Each line is a way to submit: on disk or not, with the source or a stored program, and with how many connections. After
each, what the server says it has ended is compared with what the client was answered.
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

CASES = [
    ("in memory, source", {"source": "1 + 1", "durable": False}, 32),
    ("in memory, stored program", {"program": "add", "params": [1, 2], "durable": False}, 32),
    ("on disk, source", {"source": "1 + 1"}, 32),
    ("on disk, source", {"source": "1 + 1"}, 128),
    ("on disk, stored program", {"program": "add", "params": [1, 2]}, 128),
]
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = os.getenv("BODY")
"""


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers or {})
    return connection.getresponse().read()


def measure(port, script, fields, connections, seconds):
    before = json.loads(ask(port, "GET", "/v1/stats"))["runs_total"]
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{port}/v1/runs"],
                          env={**os.environ, "BODY": json.dumps({**fields, "wait": True})}, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout:
        sys.exit(done.stdout)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    answered = int(re.search(r"(\d+) requests in", done.stdout)[1])
    latency = {part: re.search(rf"\n\s+{part}%\s+(\S+)", done.stdout)[1] for part in (50, 99)}
    ended = json.loads(ask(port, "GET", "/v1/stats"))["runs_total"] - before
    if not answered <= ended <= answered + 3 * connections:
        sys.exit(f"{answered} requests were answered, and {ended} runs ended")
    return rate, latency


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing; install it (Debian: wrk)")
    folder = tempfile.mkdtemp(prefix="curfew-bench-")
    script = os.path.join(folder, "post.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT)
    server = subprocess.Popen([os.path.join(arguments.build, "curfew"), "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(folder, "data")],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = int(server.stdout.readline().rsplit(b":", 1)[1])
        ask(port, "PUT", "/v1/programs/add", "export default (a, b) => a + b", {"Content-Type": "text/javascript"})
        print(f"{'':28} {'connections':>11} {'runs/s':>9} {'p50':>9} {'p99':>9}")
        for name, fields, connections in CASES:
            measure(port, script, fields, connections, 1)
            rate, latency = measure(port, script, fields, connections, arguments.seconds)
            print(f"{name:28} {connections:11} {rate:9.0f} {latency[50]:>9} {latency[99]:>9}", flush=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
        shutil.rmtree(folder)


main()
