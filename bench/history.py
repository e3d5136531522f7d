#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a server with a long history: bench/history.py --build build [--runs 1000000]

Executes some runs, then copies their rows until there are that many ended runs of ten tokens. With that database it
measures how long the start takes, after an orderly end and after a kill; how long lists take, with every filter and
with filters that match nothing; and how long durable submissions take, alone, beside such lists, while the
database is copied, and while a part of it is dropped, by hand and by retention.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

OWNERS, PROGRAMS, SCHEDULES = 10, 100, 20
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Server:
    def __init__(self, build, data, *options):
        words = [os.path.join(build, "curfew"), "serve", "--listen", "127.0.0.1:0", "--data", data]
        start = time.monotonic()
        self.process = subprocess.Popen([*words, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        self.start_s = time.monotonic() - start
        if not line:
            sys.exit("the server does not start")
        self.port = int(line.rsplit(b":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGTERM)

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait()

    def ask(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 400:
            sys.exit(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content)


def make_token(build, place, *options):
    words = [os.path.join(build, "curfew"), "token", "create", *place, *options]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def make_id(ms, number):
    return "".join(DIGITS[(ms >> 5 * i) & 31] for i in range(9, -1, -1)) + "".join(
        DIGITS[(number >> 5 * i) & 31] for i in range(15, -1, -1)
    )


def copy_rows(data, count, owners):
    """Rows like the existing ones, with reports of the same size. One owner has a third of them. They use a hundred
    stored programs; the others have a source of their own."""
    database = sqlite3.connect(os.path.join(data, "curfew.db"))
    database.execute("PRAGMA synchronous=OFF")
    columns = [row[1] for row in database.execute("PRAGMA table_info(runs)")]
    models = [dict(zip(columns, row)) for row in database.execute("SELECT * FROM runs WHERE state=4 ORDER BY number")]
    reports = dict(database.execute("SELECT place / 4096, data FROM reports"))
    first = max(model["number"] for model in models) + 1
    now_us = int(time.time() * 1e6)
    random.seed(7)

    def model_of(i):
        # Most runs succeeded. The others are of few kinds.
        return models[0] if i % 10 else models[1 + i // 10 % (len(models) - 1)]

    def make_row(i):
        ended_us = now_us - (count - i) * 500000
        stored = i % 3 == 0
        made = {
            **model_of(i),
            "number": first + i,
            "id": make_id(ended_us // 1000, i),
            "owner": owners[0] if stored else owners[i % OWNERS],
            "program": f"p{random.randrange(PROGRAMS)}" if stored else None,
            "sha256": model_of(i)["sha256"] if stored else hash_of(i),
            "schedule": f"s{i % SCHEDULES}" if i % 5 == 0 else None,
            "key": None,
            "created_us": ended_us - 1000,
            "started_us": ended_us - 900,
            "ended_us": ended_us,
        }
        return [made[column] for column in columns]

    def hash_of(i):
        return hashlib.sha256(b"%d" % i).hexdigest()

    language = models[0]["language"]
    places = ",".join("?" * len(columns))
    database.executemany(
        "INSERT INTO sources(sha256, language, bytes) VALUES(?, ?, ?)",
        ((hash_of(i), language, b"/* %d */" % i + b" " * 300) for i in range(count) if i % 3),
    )
    database.executemany(f"INSERT INTO runs({','.join(columns)}) VALUES({places})", (make_row(i) for i in range(count)))
    database.executemany(
        "INSERT INTO reports(place, data) VALUES(?, ?)",
        (((first + i) * 4096, reports[model_of(i)["number"]]) for i in range(count)),
    )
    database.execute("DELETE FROM owners")
    database.execute("INSERT INTO owners SELECT owner, sum(bytes) FROM runs GROUP BY owner")
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def make_tokens(build, place):
    """The token of an administrator, and those of the owners. The first one will have the most runs."""
    admin = make_token(build, place, "--name", "admin", "--scopes", "admin")
    return admin, [make_token(build, place, "--name", f"t{i}") for i in range(OWNERS)]


def make_models(server, token):
    for source, limits in (
        ("6 * 7", {}),
        ("throw new Error('no')", {}),
        ("for (;;);", {"timeout": "20ms"}),
        ("let 1", {}),
        ("for (;;);", {"loops": 1000}),
    ):
        server.ask("POST", "/v1/runs", {"source": source, "wait": True, "limits": limits}, token)


def make(build, data, count):
    admin, tokens = make_tokens(build, ["--data", data])
    with Server(build, data) as server:
        make_models(server, tokens[0])
    copy_rows(data, count, [token.split("_")[1] for token in tokens])
    return admin, tokens[0]


def quantiles(took):
    took = sorted(took)
    return f"p50 {took[len(took) // 2] * 1000:.1f} ms, p99 {took[len(took) * 99 // 100] * 1000:.1f} ms, max {took[-1] * 1000:.1f} ms"


def measure_lists(server, admin, owner):
    middle = server.ask("GET", "/v1/runs?limit=1000", token=admin)["next"]
    slowest = ("", 0)
    filters = ["", "?outcome=threw", "?outcome=ok", "?outcome=crashed", "?program=p7", "?program=none", "?schedule=s3"]
    filters += [
        "?schedule=none",
        "?state=done",
        "?state=queued",
        "?program=p7&outcome=threw",
        "?program=p7&schedule=s3",
    ]
    filters += [
        "?program=p7&outcome=crashed",
        "?schedule=s3&outcome=threw",
        "?schedule=s3&outcome=crashed",
        "?limit=1000",
    ]
    filters += ["?program=p7&outcome=ok", "?schedule=s3&outcome=ok&program=p7", "?include=report"]
    for words in [*filters, *(f + ("&" if f else "?") + f"after={middle}" for f in filters if "state" not in f)]:
        for who in (admin, owner):
            took = []
            for _ in range(5):
                start = time.monotonic()
                server.ask("GET", f"/v1/runs{words}", token=who)
                took.append(time.monotonic() - start)
            if sorted(took)[2] > slowest[1]:
                slowest = (words + (" (all tokens)" if who == admin else " (one token)"), sorted(took)[2])
            if sorted(took)[2] > 0.02:
                print(
                    f"  slow: GET /v1/runs{words}, {'all tokens' if who == admin else 'one token'}: {sorted(took)[2] * 1000:.1f} ms"
                )
    print(f"lists, the slowest of {2 * len(filters)}: {slowest[1] * 1000:.1f} ms: {slowest[0]}", flush=True)


def submit_while(server, token, goes_on):
    took = []
    while goes_on():
        start = time.monotonic()
        server.ask("POST", "/v1/runs", {"source": "1", "wait": True}, token)
        took.append(time.monotonic() - start)
        time.sleep(0.005)
    return took


def submit_for(server, token, seconds):
    until = time.monotonic() + seconds
    return submit_while(server, token, lambda: time.monotonic() < until)


def measure_admin(build, server, token, data, *words):
    """Submissions while curfew admin does something with the database."""
    start = time.monotonic()
    command = [os.path.join(build, "curfew"), "admin", words[0], "--data", data, *words[1:]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        took = submit_while(server, token, lambda: process.poll() is None)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}")
    print(f"submissions, while admin {words[0]} runs ({time.monotonic() - start:.1f} s): {quantiles(took)}", flush=True)


def measure_submissions(server, admin, owner, seconds, filters):
    stop = threading.Event()

    def look():
        while not stop.is_set():
            for words in filters:
                server.ask("GET", f"/v1/runs{words}", token=admin)
            stop.wait(0.05)

    thread = threading.Thread(target=look)
    if filters:
        thread.start()
    took = submit_for(server, owner, seconds)
    stop.set()
    if filters:
        thread.join()
    return took


def measure_reading(server, admin, owner, seconds):
    """Lists, and submissions alone and beside lists."""
    measure_lists(server, admin, owner)
    print(f"submissions, alone: {quantiles(measure_submissions(server, admin, owner, seconds, []))}", flush=True)
    filters = ["?limit=1000", "?outcome=threw", "?schedule=none"]
    print(
        f"submissions, beside lists: {quantiles(measure_submissions(server, admin, owner, seconds, filters))}",
        flush=True,
    )


def measure_upkeep(arguments, data, owner, admin, kept):
    """Submissions while the database is copied, and while a quarter and then a half of it are dropped."""
    with Server(arguments.build, data, *kept) as server:
        copy = os.path.join(data, "copy")
        measure_admin(arguments.build, server, owner, data, "backup", copy)
        os.unlink(copy)
        age_s = arguments.runs // 8 * 3  # two runs ended in a second
        measure_admin(arguments.build, server, owner, data, "prune", "--older-than", f"{age_s}s")
        size = server.ask("GET", "/v1/stats", token=admin)["store"]["bytes"]
    with Server(arguments.build, data, "--retention-size", str(size // 2)) as server:
        took = submit_for(server, owner, arguments.seconds)
        left = size - server.ask("GET", "/v1/stats", token=admin)["store"]["bytes"]
        print(f"submissions, while retention drops {left >> 20} MiB of it: {quantiles(took)}", flush=True)


def make_parser(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--runs", type=int, default=1000000)
    parser.add_argument("--seconds", type=int, default=25)
    return parser


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--keep", help="a directory in which the database is made, and found again")
    arguments = parser.parse_args()
    directory = arguments.keep or tempfile.mkdtemp(prefix="curfew-history-")
    data, tokens = os.path.join(directory, "data"), os.path.join(directory, "tokens")
    if not os.path.exists(tokens):
        made = make(arguments.build, data, arguments.runs)
        with open(tokens, "w", encoding="ascii") as file:
            file.write("\n".join(made))
    with open(tokens, encoding="ascii") as file:
        admin, owner = file.read().split("\n")
    size = os.path.getsize(os.path.join(data, "curfew.db"))
    print(f"{arguments.runs} ended runs, {size >> 20} MiB", flush=True)
    kept = ("--retention-size", "1024GiB", "--retention-age", "8760h")
    try:
        with Server(arguments.build, data, *kept) as server:
            print(f"start after an end in order: {server.start_s:.2f} s", flush=True)
            measure_reading(server, admin, owner, arguments.seconds)
            server.end(signal.SIGKILL)
        with Server(arguments.build, data, *kept) as server:
            print(f"start after a kill: {server.start_s:.2f} s", flush=True)
        if arguments.keep:
            data = os.path.join(directory, "copy")
            shutil.copytree(os.path.join(directory, "data"), data)
        measure_upkeep(arguments, data, owner, admin, kept)
    finally:
        shutil.rmtree(data if arguments.keep else directory)


if __name__ == "__main__":
    main()
