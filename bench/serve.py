#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures runs per second through curfew serve, on one machine with the client (wrk): bench/serve.py --build build

Each line is a way to submit: durable or not, with the source or a stored program, and with a number of connections.
After each, the number of runs that the server reports as ended is compared with the number of answers to the client.
Then it measures how long a cancel takes from the request to its answer, which arrives when the run is stopped, under
the same load; and many waiting runs, some of them watched by an event stream each, with the memory of all processes and
how long another run takes meanwhile. In between it measures /healthz beside large bodies and idle connections, and
other runs beside guests that flood.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

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
    done = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            script,
            f"http://127.0.0.1:{port}/v1/runs",
        ],
        env={**os.environ, "BODY": json.dumps({**fields, "wait": True})},
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout:
        sys.exit(done.stdout)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    answered = int(re.search(r"(\d+) requests in", done.stdout)[1])
    latency = {part: re.search(rf"\n\s+{part}%\s+(\S+)", done.stdout)[1] for part in (50, 99)}
    ended = json.loads(ask(port, "GET", "/v1/stats"))["runs_total"] - before
    if not answered <= ended <= answered + 3 * connections:
        sys.exit(f"{answered} requests were answered, and {ended} runs ended")
    return rate, latency


def wrk(port, script, fields, connections, seconds):
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}/v1/runs"],
        env={**os.environ, "BODY": json.dumps({**fields, "wait": True})},
        stdout=subprocess.DEVNULL,
    )


def submit(port, **fields):
    return json.loads(ask(port, "POST", "/v1/runs", json.dumps(fields), {"Content-Type": "application/json"}))


PAUSED_SCRIPT = (
    SCRIPT
    + """function delay() return tonumber(os.getenv("PAUSE")) * (0.5 + math.random()) end
"""
)
LARGE = """import http.client, sys, time
body = b'{"source":"1;' + b" " * (14 << 20) + b'","wait":true}'
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    connection.request("POST", "/v1/runs", body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    connection.close()
"""


def quantiles(values):
    values = sorted(values)
    return ", ".join(f"p{q} {values[min(len(values) - 1, len(values) * q // 100)] * 1000:.2f} ms" for q in (50, 99))


def ask_again_and_again(port, seconds, method, path, body=None):
    """How long answers take, each on its own connection, with 5 ms in between."""
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        start = time.monotonic()
        ask(port, method, path, body, {"Content-Type": "application/json"} if body else None)
        took.append(time.monotonic() - start)
        time.sleep(0.005)
    return took


def measure_half(port, directory, rate, seconds):
    """Latency at half of the maximum rate, with connections that pause, each for another time: else all ask at once."""
    script, connections = os.path.join(directory, "half.lua"), 128
    with open(script, "w", encoding="utf-8") as file:
        file.write(PAUSED_SCRIPT)
    os.environ["PAUSE"] = str(max(1, round(connections / (rate / 2) * 1000)))
    half, latency = measure(port, script, {"program": "add", "params": [1, 2]}, connections, seconds)
    print(f"{'at half of that':28} {connections:11} {half:9.0f} {latency[50]:>9} {latency[99]:>9}", flush=True)


def measure_health(port):
    """How long /healthz takes alone, beside eight clients that send bodies of 14 MiB, and beside 1,000 idle
    connections."""
    print(f"/healthz, alone: {quantiles(ask_again_and_again(port, 3, 'GET', '/healthz'))}", flush=True)
    senders = [subprocess.Popen([sys.executable, "-c", LARGE, str(port), "6"]) for _ in range(8)]
    time.sleep(0.5)
    print(
        f"/healthz, eight clients sending 14 MiB: {quantiles(ask_again_and_again(port, 5, 'GET', '/healthz'))}",
        flush=True,
    )
    for sender in senders:
        sender.wait()
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
    print(f"/healthz, 1,000 idle connections: {quantiles(ask_again_and_again(port, 3, 'GET', '/healthz'))}", flush=True)
    for connection in idle:
        connection.close()


FLOODS = [
    ("computes", ";"),
    ("floods progress", "curfew.progress(n);"),
    ("floods checkpoints", "curfew.checkpoint(n);"),
    ("floods output", "console.log(n);"),
]


def measure_floods(port):
    """How long another run takes while a guest computes, and while one sends as many events as it can."""
    body = json.dumps({"source": "1", "wait": True, "durable": False})
    for name, what in FLOODS:
        source = f"const end = Date.now() + 4500; let n = 0; for (; Date.now() < end; n++) {{ {what} }} n"
        flood = submit(
            port, source=source, limits={"timeout": "60s", "host-calls": "unlimited", "output": "100MiB"}, durable=False
        )["id"]
        while json.loads(ask(port, "GET", f"/v1/runs/{flood}"))["state"] != "running":
            time.sleep(0.001)
        print(
            f"another run while a guest {name}: {quantiles(ask_again_and_again(port, 4, 'POST', '/v1/runs', body))}",
            flush=True,
        )
        while json.loads(ask(port, "GET", f"/v1/runs/{flood}"))["state"] != "done":
            time.sleep(0.05)


def measure_cancel(port, script, count):
    load, took = wrk(port, script, {"program": "add", "params": [1, 2]}, 16, 3600), []
    try:
        for _ in range(count):
            run = submit(port, source="for (;;);")["id"]
            while json.loads(ask(port, "GET", f"/v1/runs/{run}"))["state"] != "running":
                time.sleep(0.001)
            start = time.monotonic()
            outcome = json.loads(ask(port, "DELETE", f"/v1/runs/{run}"))["outcome"]
            took.append(time.monotonic() - start)
            if outcome != "cancelled":
                sys.exit(f"a run that was cancelled ended as {outcome}")
    finally:
        load.kill()
        load.wait()
    print(f"cancel, to the answer, 16 connections submitting: {quantiles(took)}, {count} times", flush=True)


def processes(pid):
    yield pid
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            for child in file.read().split():
                yield from processes(int(child))


def held_bytes(pid):
    """The proportional set size of a process and its descendants."""
    total = 0
    for one in processes(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M)[1]) << 10
    return total


def open_stream(port, run):
    stream = socket.create_connection(("127.0.0.1", port))
    stream.sendall(f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    if not stream.recv(4096).startswith(b"HTTP/1.1 200"):
        sys.exit("an event stream was refused")
    return stream


def measure_crowd(server, port, waiting, watched):
    before = held_bytes(server.pid)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"source": "await new Promise((done) => setTimeout(done, 6e5))", "limits": {"timeout": "10m"}})
    runs = []
    for _ in range(waiting):
        connection.request("POST", "/v1/runs", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        runs.append(json.loads(answer.read()).get("id"))
        if answer.status != 202:
            sys.exit(f"run {len(runs)} was answered with {answer.status}")
    until = time.monotonic() + 60
    while (running := json.loads(ask(port, "GET", "/v1/stats"))["running"]) < waiting and time.monotonic() < until:
        time.sleep(0.1)
    streams = [open_stream(port, run) for run in runs[:watched]]
    took = []
    for _ in range(100):
        start = time.monotonic()
        submit(port, source="1 + 1", wait=True)
        took.append(time.monotonic() - start)
    print(
        f"{running} runs waiting, {len(streams)} event streams: {(held_bytes(server.pid) - before) / 1e6:.0f} MB more than "
        f"none; another run meanwhile: {quantiles(took)}",
        flush=True,
    )
    for stream in streams:
        stream.close()


def serve(arguments, directory, *options):
    server = subprocess.Popen(
        [
            os.path.join(arguments.build, "curfew"),
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            os.path.join(directory, "data"),
            "--shutdown-timeout",
            "1ms",
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return server, int(server.stdout.readline().rsplit(b":", 1)[1])


def end(server):
    server.send_signal(signal.SIGTERM)
    server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing; install it (Debian: wrk)")
    directory = tempfile.mkdtemp(prefix="curfew-bench-")
    script = os.path.join(directory, "post.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT)
    server, port = serve(arguments, directory)
    try:
        ask(port, "PUT", "/v1/programs/add", "export default (a, b) => a + b", {"Content-Type": "text/javascript"})
        print(f"{'':28} {'connections':>11} {'runs/s':>9} {'p50':>9} {'p99':>9}")
        for name, fields, connections in CASES:
            measure(port, script, fields, connections, 1)
            rate, latency = measure(port, script, fields, connections, arguments.seconds)
            print(f"{name:28} {connections:11} {rate:9.0f} {latency[50]:>9} {latency[99]:>9}", flush=True)
        measure_half(port, directory, rate, arguments.seconds)
        measure_cancel(port, script, 300)
        measure_health(port)
        measure_floods(port)
        end(server)
        server, port = serve(
            arguments,
            directory,
            "--concurrency",
            "11k",
            "--max-streams",
            "2k",
            "--max-connections",
            "4k",
            "--max-queue",
            "20k",
            "--memory-budget",
            "1024GiB",
        )
        measure_crowd(server, port, 10000, 1000)
    finally:
        end(server)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
