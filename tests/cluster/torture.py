#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks the nodes and the database of one service for a long time, and checks the history that its clients saw.

cluster/torture.py --curfew build/curfew [--seconds 600] [--nodes 3] [--seed N] [--older OTHER/curfew]

Clients submit, follow, cancel and read runs, each at any node. Meanwhile nodes are killed, suspended for longer than
their lease and ended in order, their links are cut and delayed, and their clocks moved by minutes. PostgreSQL is
restarted, its disk is filled, and its replica takes over. Links need network namespaces and so root, small disks need
root, clocks a C compiler. Anything that is missing is reported. With --older, the executable of an earlier version, all
nodes begin as that one; they are upgraded and put back, one at a time. In the end everything is repaired, and then the
following must hold:
- each run that was accepted has ended exactly once, and every node shows the same report of it;
- a run changed the outside (it requests a server here) at most once, plus once for each retry;
- a key has one run, however often and to whichever nodes it was sent, and all answers named that run;
- the events of a run arrived in order, each once, even if the stream was resumed at another node.
"""

import argparse
import collections
import http.client
import http.server
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from places import Clocks, Pair, make_network  # noqa: E402

from integration.serving import parse_events  # noqa: E402

LEASE = 2.0


class Effects(http.server.ThreadingHTTPServer):
    """Counts the requests for each path."""

    daemon_threads = True

    def __init__(self, address):
        super().__init__((address, 0), EffectHandler)
        self.place = f"{address}:{self.server_port}"
        self.counts, self.lock = collections.Counter(), threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class EffectHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with self.server.lock:
            self.server.counts[self.path[1:]] += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        pass


class Node:
    """One server. Whenever it has ended, it is started again with the same address."""

    def __init__(self, versions, url, directory, number, effects, network, clocks, token):
        self.versions, self.version = versions, 0
        self.directory, self.number, self.port, self.token = directory, number, None, token
        self.address, self.prefix = network.join(number)
        self.words = ["serve", "--store", url, "--data", os.path.join(directory, "data"), "--lease", f"{LEASE:g}s"]
        self.words += ["--allow-fetch", effects, "--concurrency", "6", "--shutdown-timeout", "2s"]
        self.environment = {**os.environ, **clocks.environment(number)}
        self.process = None

    def start(self):
        listen = f"{self.address}:{self.port or 0}"
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.versions[self.version], *self.words, "--listen", listen],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment,
            )
        line = self.process.stdout.readline().decode()
        if "listening on" not in line:
            self.process.wait()
            return False
        self.port = int(line.rsplit(":", 1)[1])
        return True

    def start_until(self, seconds):
        end = time.monotonic() + seconds
        while not self.start():
            if time.monotonic() > end:
                raise RuntimeError("a node does not start")
            time.sleep(0.3)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(60)
        self.process.stdout.close()

    @property
    def headers(self):
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}

    def ask(self, method, path, body=None, headers=None, timeout=20):
        """Status and JSON. 0: it is unknown whether the request was executed."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=timeout)
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None, {**self.headers, **(headers or {})}
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()


class History:
    """The requests of the clients and the answers that they saw."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = {}  # id: the submission
        self.keys = collections.defaultdict(set)  # key: the ids in the answers
        self.retries = {}  # name of an effect: retries
        self.reports = collections.defaultdict(set)  # id: the reports that were seen
        self.statuses = collections.Counter()
        self.wrong = []

    def note(self, words):
        with self.lock:
            self.wrong.append(words)

    def saw_report(self, run, report):
        with self.lock:
            self.reports[run].add(json.dumps(report, sort_keys=True))


# ---- Clients ---------------------------------------------------------------------------------------------------------


def source_of(name, place, kind):
    effect = f"await fetch('http://{place}/{name}', {{method: 'POST'}});"
    if kind == "quick":
        return f"{effect} export default {json.dumps(name)}"
    return f"""{effect} for (let i = 0; i < 8; i++) {{ curfew.progress(i); console.log(i);
        await new Promise(f => setTimeout(f, 60)); }} export default {json.dumps(name)}"""


def submit(nodes, history, effects, stop, number):
    """Submits new runs. Some have keys, which are sent to several nodes at once, and again after an unknown result."""
    rng = random.Random(number)
    count = 0
    while not stop.is_set():
        count += 1
        name = f"e{number}-{count}"
        kind, retry = rng.choice(["quick", "slow"]), rng.choice([0, 0, 1, 2])
        body = {"source": source_of(name, effects.place, kind), "lang": "mjs", "retry": retry}
        body |= {"allow_fetch": [effects.place], "limits": {"timeout": "60s"}}
        if rng.random() < 0.1:
            body["delay"] = "1s"
        key = name if rng.random() < 0.5 else None
        with history.lock:
            history.retries[name] = retry
        for node in rng.sample(nodes, k=len(nodes) if key else 1):
            status, answer = node.ask("POST", "/v1/runs", body, {"Idempotency-Key": key} if key else None)
            with history.lock:
                history.statuses[status] += 1
                if status == 202:
                    history.accepted[answer["id"]] = name
                    if key:
                        history.keys[key].add(answer["id"])
                elif status not in (0, 429, 503):
                    history.wrong.append(f"POST: {status} {answer}")
        time.sleep(rng.random() * 0.05)


def pick(history, rng):
    with history.lock:
        runs = list(history.accepted)
    return rng.choice(runs[-50:]) if runs else None


def look(nodes, history, stop, number):
    """Reads runs at any node, cancels a few, and lists."""
    rng = random.Random(number)
    while not stop.is_set():
        run = pick(history, rng)
        if run is None:
            time.sleep(0.05)
            continue
        method = "DELETE" if rng.random() < 0.02 else "GET"
        status, answer = rng.choice(nodes).ask(method, f"/v1/runs/{run}")
        if status == 200 and (method == "DELETE" or answer["state"] == "done"):
            history.saw_report(run, answer if method == "DELETE" else answer["report"])
        elif status not in (0, 200, 503) and (method, status) != ("DELETE", 202):  # 202: the node is shutting down
            history.note(f"{method} {run}: {status} {answer}")
        time.sleep(0.01)


def read_events(node, run, last):
    """The events after the one with this number: (number, kind, data)."""
    connection = http.client.HTTPConnection(node.address, node.port, timeout=20)
    try:
        place = {"Last-Event-ID": str(last)} if last else {}
        connection.request("GET", f"/v1/runs/{run}/events", headers={**node.headers, **place})
        answer = connection.getresponse()
        if answer.status != 200:
            return
        yield from parse_events(answer)
    except (OSError, http.client.HTTPException, ValueError):
        return
    finally:
        connection.close()


def follow(nodes, history, stop, number):
    """Follows one run after the other to its report, and moves to another node whenever a stream ends early."""
    rng = random.Random(number)
    while not stop.is_set():
        run = pick(history, rng)
        if run is None:
            time.sleep(0.05)
            continue
        last, seen, end = 0, [], time.monotonic() + 60
        while time.monotonic() < end and (not seen or seen[-1][1] != "report") and not stop.is_set():
            for event in read_events(rng.choice(nodes), run, last):
                if event[0] <= last:
                    history.note(f"events of {run}: {event[0]} comes after {last}")
                last = event[0]
                seen.append(event)
            time.sleep(0.05)
        attempts = collections.defaultdict(list)
        for at, kind, data in seen:
            if kind == "progress":
                attempts[at >> 32].append(data)
        for values in attempts.values():
            if values != sorted(set(values)) and len(attempts) > 1:
                continue  # a worker's own retry begins again in the same turn
            if values != sorted(set(values)):
                history.note(f"progress of {run}: {values}")
        if seen and seen[-1][1] == "report":
            history.saw_report(run, seen[-1][2])


# ---- Faults ------------------------------------------------------------------------------------------------------------


def break_node(node, how, seconds, network, clocks, rng):
    """Breaks one node for some seconds."""
    if how == "clock":
        clocks.move(node.number, rng.uniform(-300, 300))
    elif how in ("cut", "slow"):
        (network.cut if how == "cut" else network.slow)(node.number, seconds)
    elif how == "stop":
        node.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        node.process.send_signal(signal.SIGCONT)
    else:
        node.end(signal.SIGKILL if how == "kill" else signal.SIGTERM)
        if how == "upgrade":
            node.version = 1 - node.version
        else:
            time.sleep(seconds)
        node.start_until(90)


def break_database(database, how, seconds):
    if how == "restart":
        database.restart(signal.SIGINT, seconds)
    elif how == "crash":
        database.restart(signal.SIGQUIT, seconds)
    elif how == "fail over":
        database.fail_over(seconds)
    else:
        database.fill(seconds)


def kinds_of(network, clocks, database, has_older):
    """The faults that are possible here, of nodes and of the database. Impossible ones are reported."""
    of_nodes, of_database = ["kill", "stop", "end"], ["restart", "crash", "fail over"]
    of_nodes += ["upgrade"] if has_older else []
    for extra, why, kinds in (
        (["cut", "slow"], network.why, of_nodes),
        (["clock"], clocks.why, of_nodes),
        (["fill"], database.why, of_database),
    ):
        if why is None:
            kinds += extra
        else:
            print(f"not done here: {', '.join(extra)} ({why})", flush=True)
    return of_nodes, of_database


def turns(kinds, rng):
    """Yields each fault equally often."""
    while True:
        yield from rng.sample(kinds, k=len(kinds))


def break_all(nodes, places, stop, rng, counts, history):
    network, clocks, database = places
    of_nodes, of_database = (turns(kinds, rng) for kinds in kinds_of(*places, len(nodes[0].versions) > 1))
    while not stop.wait(rng.uniform(1, 3)):
        try:
            if rng.random() < 0.3:
                how = next(of_database)
                counts[how] += 1
                break_database(database, how, rng.uniform(0, 2) * LEASE)
            else:
                how = next(of_nodes)
                counts[how] += 1
                break_node(rng.choice(nodes), how, rng.uniform(0.5, 2.5) * LEASE, network, clocks, rng)
        except Exception as error:
            history.note(f"the fault {how} could not be made: {error!r}")
            return


# ---- Judging ------------------------------------------------------------------------------------------------------------


def wait_for_all(nodes, history, seconds):
    """Waits until every accepted run has ended, according to each node."""
    end = time.monotonic() + seconds
    left = {(node, run) for node in nodes for run in history.accepted}
    while left and time.monotonic() < end:
        for node, run in list(left):
            status, answer = node.ask("GET", f"/v1/runs/{run}")
            if status == 200 and answer["state"] == "done":
                history.saw_report(run, answer["report"])
                left.discard((node, run))
            elif status == 404:
                history.note(f"run {run} was accepted, and is not there")
                left.discard((node, run))
        time.sleep(0.2)
    for _, run in left:
        history.note(f"run {run} was accepted, and has not ended")


def judge(history, effects, database):
    for run, reports in history.reports.items():
        if len(reports) != 1:
            history.note(f"run {run} has several reports: {[r[:300] for r in reports]}")
    for key, runs in history.keys.items():
        if len(runs) != 1:
            history.note(f"the key {key} was answered with {runs}")
    twice = database.query("SELECT key FROM curfew.runs WHERE key IS NOT NULL GROUP BY owner, key HAVING count(*)>1")
    if twice:
        history.note(f"keys with several runs: {twice}")
    left = database.query("SELECT id FROM curfew.runs WHERE state<>4")
    if left:
        history.note(f"not ended in the database: {left.split()[:5]}")
    told = "SELECT count(*) FROM curfew.reports WHERE run=number AND part=0"
    wrong = database.query(f"SELECT id FROM curfew.runs WHERE state=4 AND ({told})<>1")
    if wrong:
        history.note(f"ended without a report, or with several: {wrong.split()[:5]}")
    for name, count in effects.counts.items():
        if count > history.retries[name] + 1:
            history.note(f"{name} was carried out {count} times, with {history.retries[name]} retries")
    for run, name in history.accepted.items():
        report = json.loads(next(iter(history.reports[run]), "null"))
        if report is not None and report["outcome"] == "ok" and (effects.counts[name] < 1 or report["value"] != name):
            history.note(f"run {run} ended ok without its effect: {report['value']}")


def make_token(curfew, url):
    words = [curfew, "token", "create", "--store", url, "--scopes", "run,read,admin"]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--curfew", required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--older", help="executable of an earlier version")
    parser.add_argument("--keep", help="directory that the logs of the nodes are left in")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(1 << 30)
    print(f"seed {seed}", flush=True)
    rng, history, counts, stop, calm = (
        random.Random(seed),
        History(),
        collections.Counter(),
        threading.Event(),
        threading.Event(),
    )
    nodes, network, database = [], make_network(given.nodes), None
    versions = [os.path.abspath(path) for path in (given.older, given.curfew) if path]
    with tempfile.TemporaryDirectory() as scratch:
        directory = given.keep or scratch
        try:
            os.makedirs(directory, exist_ok=True)
            effects, clocks, database = Effects(network.address), Clocks(scratch), Pair(network)
            places = (network, clocks, database)
            token = make_token(versions[0], database.url())
            for number in range(given.nodes):
                place = os.path.join(directory, f"node{number}")
                os.makedirs(place, exist_ok=True)
                nodes.append(Node(versions, database.url(), place, number, effects.place, network, clocks, token))
                nodes[-1].start_until(30)
            clients = [(submit, (nodes, history, effects, stop, seed + n)) for n in range(3)]
            clients += [(look, (nodes, history, stop, seed + 10)), (look, (nodes, history, stop, seed + 11))]
            clients += [(follow, (nodes, history, stop, seed + 20 + n)) for n in range(3)]
            threads = [threading.Thread(target=call, args=args, daemon=True) for call, args in clients]
            faults = threading.Thread(target=break_all, args=(nodes, places, calm, rng, counts, history), daemon=True)
            for thread in [*threads, faults]:
                thread.start()
            time.sleep(given.seconds)
            calm.set()
            faults.join(120)
            stop.set()
            for thread in threads:
                thread.join(120)
            wait_for_all(nodes, history, 120)
            judge(history, effects, database)
        finally:
            for node in nodes:
                if node.process is not None and node.process.poll() is None:
                    node.end(signal.SIGTERM)
            if database is not None:
                database.close()
            network.close()
    outcomes = collections.Counter(
        json.loads(next(iter(history.reports[run]), "null") or "null")["outcome"]
        for run in history.accepted
        if history.reports[run]
    )
    print(
        f"{len(history.accepted)} runs accepted, {dict(outcomes)}; answers {dict(history.statuses)}; faults {dict(counts)}"
    )
    print("\n".join(history.wrong[:20]) or "nothing wrong")
    sys.exit(1 if history.wrong else 0)


if __name__ == "__main__":
    main()
