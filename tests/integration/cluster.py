# SPDX-License-Identifier: Apache-2.0
"""Many servers on one PostgreSQL: the tests of a server again that concern its database, and the runs of a node that
dies, is suspended, or loses the database."""

import concurrent.futures
import contextlib
import os
import signal
import threading
import time

from . import server as of_server
from . import server_grants, server_load, server_programs, server_schedules, server_webhooks
from .harness import Skipped, Test, expect, expect_equal, shorten
from .programs import check_listed, names_in
from .postgres import PASSWORD, OnPostgres, Postgres, own, shared
from .server import FOREVER, ends_at, make_token
from .serving import Server, submit_to_dying

TESTS = []
WAITING = "new Promise(() => setTimeout(() => {}, 1e9))"
# The lease of nodes that a test lets expire. Other nodes have one that no busy machine makes them lose.
LEASE = 3
LONG_LEASE = 10


def test(function):
    TESTS.append(function)
    return function


# ---- The same tests ------------------------------------------------------------------------------------------------

# The tests of a server that concern its database, and do not read SQLite's file.
SAME = [
    "runs",
    "idempotency",
    "cancel",
    "lists",
    "lists_without_reports",
    "large_reports",
    "programs",
    "quotas",
    "delays",
    "programs_of_all",
    "runs_of_tokens_that_are_over",
]


def run_again(context, function):
    with shared(context) as on:
        function(on)


def same_tests():
    modules = (of_server, server_grants, server_programs, server_load)
    functions = {function.__name__: function for module in modules for function in module.TESTS}
    same = {f"same_{name}": functions[name] for name in SAME}
    same |= {f"same_schedules_{function.__name__}": function for function in server_schedules.TESTS}
    same |= {f"same_webhooks_{function.__name__}": function for function in server_webhooks.TESTS}
    return [
        Test("cluster", name, lambda context, function=function: run_again(context, function))
        for name, function in same.items()
    ]


@test
def store(context):
    """The unit tests of the store, on PostgreSQL."""
    with own(context) as on:
        url = on.postgres.url("postgres")
        reset = (
            f"{on.postgres.programs}/psql '{url}' -Xq -c 'SET client_min_messages=error' "
            "-c 'DROP SCHEMA IF EXISTS curfew CASCADE'"
        )
        path = os.path.join(context.build, "tests", "store_test")
        environment = {**os.environ, "CURFEW_TEST_STORE": url, "CURFEW_TEST_RESET": reset}
        for name in names_in(context, path):
            with contextlib.suppress(Skipped):
                check_listed(context, path, name, 120, env=environment)


# ---- Nodes ---------------------------------------------------------------------------------------------------------


class Nodes:
    """Servers that share one database."""

    def __init__(self, on, count, *options, token=None, lease=LONG_LEASE):
        self.on, self.token = on, token
        self.options = ["--lease", f"{lease}s", *options]
        self.place = os.path.join(on.directory(), "database")
        self.all = []
        for _ in range(count):
            self.start()

    def start(self, *options):
        place = self.on.store_options(self.place)
        words = [*place, *self.options, *options]
        self.all.append(Server(self.on.context, *words, token=self.token))
        return self.all[-1]

    def query(self, text):
        return self.on.postgres.query(f"SET search_path=curfew; {text}", self.on.postgres.database_of(self.place))


@contextlib.contextmanager
def nodes(on, count, *options, **more):
    made = Nodes(on, 0, *options, **more)
    try:
        for _ in range(count):
            made.start()
        yield made
        for node in made.all:
            if node.process.poll() is None:
                node.stop()
            expect(PASSWORD not in node.log(), "the password is in a log")
    finally:
        for node in made.all:
            if node.process.poll() is None:
                node.process.send_signal(signal.SIGCONT)
                node.kill()


def holder(cluster, run):
    """The node that executes a run, by its index in cluster.all."""
    number = cluster.query(f"SELECT node FROM runs WHERE id='{run}'")
    name = cluster.query(f"SELECT name FROM nodes WHERE number={number or 0}")
    for node in cluster.all:
        if name.endswith(f"process {node.process.pid}"):
            return node
    return None


@test
def one_service(context):
    """Every node gives the same answers as the one that executes the run."""
    with shared(context) as on, nodes(on, 3) as cluster:
        a, b, c = cluster.all
        run = a.submit("console.log('x'); 6 * 7")["id"]
        reports = [node.wait_for(run)["report"] for node in cluster.all]
        expect(all(report == reports[0] for report in reports), f"not the same: {shorten(reports, 2000)}")
        expect_equal("value", reports[0]["value"], 42)
        b.ask("PUT", "/v1/programs/p", b"export default n => n + 1", 201, headers={"Content-Type": "text/javascript"})
        expect_equal("a program of another node", c.run(program="p", params=[1])["value"], 2)
        expect_equal(
            "lists", {tuple(r["id"] for r in n.ask("GET", "/v1/runs")["runs"]) for n in cluster.all}.__len__(), 1
        )
        listed = c.ask("GET", "/v1/nodes")["nodes"]
        expect_equal("nodes", [node["state"] for node in listed], ["active"] * 3)
        expect(all(0 < node["lease_ms"] <= LONG_LEASE * 1000 for node in listed), str(listed))
        addresses = sorted(f"127.0.0.1:{node.port}" for node in cluster.all)  # each was started with port 0
        expect_equal("addresses", sorted(node["address"] for node in listed), addresses)


@test
def spread(context):
    """Other nodes execute the runs for which one node has no capacity."""
    with shared(context) as on, nodes(on, 3, "--concurrency", "2") as cluster:
        sleep = "new Promise(f => setTimeout(() => f(1), 400))"
        runs = [cluster.all[0].submit(sleep, limits={"timeout": "60s"})["id"] for _ in range(12)]
        context.until(
            "the runs stay on one node",
            lambda: int(cluster.query("SELECT count(DISTINCT node) FROM runs WHERE state<>1 AND node<>0")) == 3,
        )
        for run in runs:
            expect_equal("value", cluster.all[1].wait_for(run)["report"]["value"], 1)
        expect_equal("once each", cluster.query("SELECT DISTINCT attempt FROM runs"), "1")


@test
def events_of_others(context):
    # Claim L605.
    """A stream at another node has the same events, with the same numbers, as at the node that executes the run."""
    source = """for (let i = 0; i < 5; i++) { console.log(i); curfew.progress(i);
    await new Promise(f => setTimeout(f, 150)); }"""
    with shared(context) as on, nodes(on, 2) as cluster:
        a, b = cluster.all
        run = a.submit(source, limits={"timeout": "60s"})["id"]
        here, there = a.stream(run), b.stream(run)
        events, others = list(here), list(there)
        expect_equal("numbers ascend", [n for n, _, _ in others], sorted({n for n, _, _ in others}))
        own_events = {number: (kind, data) for number, kind, data in events}
        for number, kind, data in others:
            expect_equal(f"event {number}", (kind, data), own_events[number])
        seen = [data for _, kind, data in others if kind == "progress"]
        expect_equal("progress", seen, list(range(5)))
        expect_equal("the last one", others[-1][1], "report")
        # The stream can begin after any event, at any node.
        middle = others[len(others) // 2][0]
        again = list(b.stream(run, last=middle))
        expect(all(number > middle for number, _, _ in again) and again[-1][1] == "report", str(again)[:500])


@test
def cancel_over_another(context):
    """A run can be cancelled at another node, whether it is being executed or waits."""
    with shared(context) as on, nodes(on, 3, "--concurrency", "1") as cluster:
        a, b, c = cluster.all
        running = [a.submit(FOREVER, limits={"timeout": "600s"})["id"] for _ in range(3)]
        for run in running:
            a.wait_for(run, "running")
        waiting = b.submit("1", limits={"timeout": "600s"})["id"]
        expect_equal("it waits", c.get(waiting)["state"], "queued")
        began = time.monotonic()
        expect_equal("waiting", c.ask("DELETE", f"/v1/runs/{waiting}")["outcome"], "cancelled")
        for run in running:
            other = next(node for node in cluster.all if node is not holder(cluster, run))
            expect_equal("running", other.ask("DELETE", f"/v1/runs/{run}")["outcome"], "cancelled")
        took = time.monotonic() - began
        expect(took < context.bound(4), f"it took {took:.1f} s")
        for node in cluster.all:
            expect_equal("ended", node.get(waiting)["report"]["outcome"], "cancelled")


@test
def one_run_for_a_key(context):
    """Requests with the same key to all nodes at once make one run. Another body is refused everywhere. Claim L603."""
    with shared(context) as on, nodes(on, 3) as cluster:

        def ask(number):
            node = cluster.all[number % 3]
            answer = node.request(
                "POST", "/v1/runs", {"source": "Math.random()", "wait": True}, {"Idempotency-Key": f"k{number // 12}"}
            )
            return number // 12, answer

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(ask, range(72)))
        for group in range(6):
            mine = [answer for number, answer in answers if number == group]
            expect(all(answer.status == 200 for answer in mine), str([(a.status, a.body[:200]) for a in mine]))
            expect_equal("one report", len({answer.json()["id"] for answer in mine}), 1)
        expect_equal("one run for each key", cluster.query("SELECT count(*) FROM runs"), "6")
        for node in cluster.all:
            refused = node.request("POST", "/v1/runs", {"source": "2"}, {"Idempotency-Key": "k0"})
            expect_equal("another body", refused.status, 422)


def confirm_by(on, names):
    """Commits wait until one of these replicas has confirmed them. Empty: they do not wait."""
    on.postgres.query(f"ALTER SYSTEM SET synchronous_standby_names='{names}'")
    on.postgres.query("SELECT pg_reload_conf()")
    shown = "SELECT current_setting('synchronous_standby_names')"
    on.context.until("the setting is not taken", lambda: on.postgres.query(shown) == names)


KEYED = ("POST", "/v1/runs", {"source": "6 * 7"}, {"Idempotency-Key": "the same"})


@test
def a_key_is_as_sure_as_its_run(context):
    """A repeated key is answered only when the replica that has to confirm commits has confirmed its run."""
    with own(context) as on, nodes(on, 2) as cluster:
        a, b = cluster.all
        answers = []
        run = a.request(*KEYED).json()["id"]
        a.wait_for(run)
        confirm_by(on, "nobody")
        thread = threading.Thread(target=lambda: answers.append(b.request(*KEYED).json()["id"]))
        thread.start()
        try:
            thread.join(2)
            expect_equal("answers without a replica", answers, [])
        finally:
            confirm_by(on, "")
        thread.join(60)
        expect_equal("answers", answers, [run])


@test
def a_key_that_one_node_refused(context):
    """A node that does not know whether it has written a run answers 503. If the run is there, another node answers
    with it, so the first one must not remove it."""
    with own(context) as on, nodes(on, 2, lease=60) as cluster:
        a, b = cluster.all
        confirm_by(on, "nobody")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            first = pool.submit(a.request, *KEYED)
            while not first.done():
                on.postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event='SyncRep'")
                time.sleep(0.1)
        expect_equal("without a result", first.result().status, 503)
        a.process.send_signal(signal.SIGSTOP)
        confirm_by(on, "")
        run = b.request(*KEYED).json()["id"]
        a.process.send_signal(signal.SIGCONT)
        for node in (b, a):
            expect_equal("value", node.wait_for(run)["report"]["value"], 42)
        expect_equal("runs", cluster.query("SELECT count(*), max(attempt) FROM runs"), "1|1")


@test
def a_node_is_killed(context):
    """When a node dies, other nodes take its runs over within the lease and a second: with retry they are executed
    again, otherwise they have crashed. Claim L600."""
    with shared(context) as on, nodes(on, 3, "--concurrency", "2", lease=LEASE) as cluster:
        a, b, c = cluster.all
        time.sleep(LEASE + 0.5)  # a node that has just started gives the others a lease
        lost = a.submit("console.log('so far'); " + FOREVER, limits={"timeout": "600s"})["id"]
        a.wait_for(lost, "running")
        context.until("its output", lambda: cluster.query("SELECT count(*) FROM output") != "0")
        again = a.submit(WAITING, retry=1, limits={"timeout": "600s"})["id"]
        a.wait_for(again, "running")
        victim = holder(cluster, lost)
        expect(victim is a and holder(cluster, again) is a, "a run that could begin at once did not")
        a.kill()
        began = time.monotonic()
        report = b.wait_for(lost)["report"]
        took = time.monotonic() - began
        expect_equal("without retry", report["outcome"], "crashed")
        expect("so far" in report["stdout"], str(report))
        # The lease, the period of a renewal until it is noticed, and the delay of a busy machine.
        expect(took < (LEASE + 1) * context.slower + context.bound(0.25), f"it took {took:.1f} s")
        context.until("it does not begin again", lambda: c.get(again)["attempt"] == 2)
        c.ask("DELETE", f"/v1/runs/{again}")
        ended = c.wait_for(again)
        expect_equal("with retry", (ended["report"]["outcome"], ended["attempt"]), ("cancelled", 2))
        states = [node["state"] for node in b.ask("GET", "/v1/nodes")["nodes"]]
        expect_equal("nodes", sorted(states), ["active", "active", "over"])


@test
def workers_died_before_they_began(context):
    """Runs that were sent to workers which died before they began with them are executed once, whichever node has them."""
    with shared(context) as on, nodes(on, 2, "--workers", "1") as cluster:
        for node in cluster.all:
            node.run("1")
        for _ in range(3):
            submit = lambda: [node.submit("6 * 7")["id"] for node in cluster.all * 3]
            for run in submit_to_dying(cluster.all, submit):
                view = cluster.all[0].wait_for(run)
                expect_equal("report", (view["outcome"], view["report"]["value"], view["attempt"]), ("ok", 42, 1))
        for node in cluster.all:
            expect(" repeated=" in node.log(), f"the log: {node.log()}")


@test
def the_database_forgets_an_end(context):
    """A database to which another one failed over may lack the last commits. A run whose end it has lost is executed
    again, also by the node that knows the end."""
    with shared(context) as on, nodes(on, 1) as cluster:
        node = cluster.all[0]
        run = node.submit("6 * 7")["id"]
        node.wait_for(run)
        cluster.query(
            "DELETE FROM reports; UPDATE runs SET state=1, node=0, ended_us=0, outcome=NULL, report_bytes=0, "
            f"started_us=0, attempt=0, last_event=0 WHERE id='{run}'"
        )
        context.until("it stays as it was", lambda: cluster.query("SELECT state FROM runs") == "4")
        expect_equal("value", node.wait_for(run)["report"]["value"], 42)
        expect_equal("reports", cluster.query("SELECT count(*) FROM reports"), "1")


@test
def a_node_sleeps(context):
    """A node that was suspended for longer than its lease writes nothing when it resumes, and continues with another
    number. Claim L601."""
    with shared(context) as on, nodes(on, 2, lease=LEASE) as cluster:
        a, b = cluster.all
        time.sleep(LEASE + 0.5)
        # It has not ended when its node is suspended, and has ended when the node resumes.
        run = a.submit(f"curfew.checkpoint(1); {ends_at(LEASE)}.then(() => 'mine')", limits={"timeout": "60s"})["id"]
        a.wait_for_checkpoint(run)
        a.process.send_signal(signal.SIGSTOP)
        report = b.wait_for(run)["report"]
        expect_equal("taken", report["outcome"], "crashed")
        a.process.send_signal(signal.SIGCONT)
        context.until("it does not join anew", lambda: "joins again" in a.log())
        context.until("it is not ready", lambda: a.request("GET", "/readyz").status == 200)
        for node in cluster.all:
            expect_equal("the report stays", node.get(run)["report"], report)
        expect_equal("it goes on", a.run("8")["value"], 8)
        expect_equal(
            "one of each",
            cluster.query("SELECT count(*) FROM reports WHERE part=0"),
            cluster.query("SELECT count(*) FROM runs"),
        )


@test
def the_database_goes_and_comes(context):
    """While the database is unavailable, every node reports that, with Retry-After. Runs in progress continue, and no
    report is lost. Claim L604."""
    with own(context) as on, nodes(on, 2, lease=LEASE) as cluster:
        a, b = cluster.all
        ended = a.run("1")["id"]
        running = a.submit("new Promise(f => setTimeout(() => f('kept'), 2500))", limits={"timeout": "60s"})["id"]
        a.wait_for(running, "running")
        for how in (signal.SIGINT, signal.SIGQUIT):
            on.postgres.stop(how)
            for node in cluster.all:
                context.until("readyz does not say it", lambda node=node: node.request("GET", "/readyz").status == 503)
                for method, path, body in (
                    ("POST", "/v1/runs", {"source": "2"}),
                    ("POST", "/v1/runs", {"program": "p"}),
                    ("GET", "/v1/runs", None),
                    ("GET", "/v1/nodes", None),
                    ("GET", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", None),
                    ("DELETE", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", None),
                ):
                    answer = node.request(method, path, body)
                    expect(
                        answer.status == 503 and int(answer.headers["retry-after"]) > 0,
                        f"{method} {path}: {answer.status} {answer.body[:300]}",
                    )
            key = {"Idempotency-Key": f"k{how}"}
            expect_equal("with a key", a.request("POST", "/v1/runs", {"source": "3"}, key).status, 503)
            expect_equal("what needs no disk", b.run("4", durable=False)["value"], 4)
            time.sleep(LEASE + 0.5)
            on.postgres.start()
            for node in cluster.all:
                context.until("it does not recover", lambda node=node: node.request("GET", "/readyz").status == 200)
            expect_equal("a report that had to wait", b.wait_for(running)["report"]["value"], "kept")
            # A submission that may have been stored is removed before its key is looked up.
            context.until(
                "the key is not free", lambda key=key: a.request("POST", "/v1/runs", {"source": "3"}, key).status == 202
            )
            expect_equal("once more", b.wait_for(a.submit("3", headers=key)["id"])["report"]["value"], 3)
        expect_equal("what was there", b.get(ended)["report"]["value"], 1)
        expect(all("process" in node["name"] for node in a.ask("GET", "/v1/nodes")["nodes"]), "names")


def shown_as_queued(node):
    """The queue's metrics at this node."""
    lines = node.request("GET", "/metrics").body.decode().split("\n")
    return next((float(line.split()[1]) for line in lines if line.startswith("curfew_runs_queued ")), None)


@test
def quotas_of_all(context):
    """The limits of a token hold over all nodes together, and so do its queue and its revocation. Claim L602."""
    with shared(context) as on:
        place = Nodes(on, 0).place
        token = make_token(on, place, "--scopes", "run,read,metrics", "--running", "2", "--queued", "3")
        with nodes(on, 0, token=token) as cluster:
            cluster.place = place
            for _ in range(2):
                cluster.start()
            a, b = cluster.all
            runs = []
            for number in range(5):
                runs.append(cluster.all[number % 2].submit(FOREVER, limits={"timeout": "600s"})["id"])
            context.until("none begins", lambda: cluster.query("SELECT count(*) FROM runs WHERE state=2") == "2")
            for node in cluster.all:
                context.until("it does not count", lambda node=node: shown_as_queued(node) == 1.5)
            expect_equal("at once, over all nodes", cluster.query("SELECT count(*) FROM runs WHERE state=2"), "2")
            for node in cluster.all:
                expect_equal("too many wait", node.request("POST", "/v1/runs", {"source": "1"}).status, 429)
            for run in runs:
                a.ask("DELETE", f"/v1/runs/{run}")


@test
def turns_of_all(context):
    """Tokens take turns over all nodes: a token with few runs does not wait for one with many."""
    with shared(context) as on:
        place = Nodes(on, 0).place
        many, few = make_token(on, place), make_token(on, place)
        with nodes(on, 0, "--concurrency", "1", token=many) as cluster:
            cluster.place = place
            for _ in range(3):
                cluster.start()
            sleep = "new Promise(f => setTimeout(() => f(1), 150))"
            blocked = [node.submit(FOREVER, limits={"timeout": "600s"})["id"] for node in cluster.all]
            for run in blocked:
                cluster.all[0].wait_for(run, "running")
            first = [cluster.all[number % 3].submit(sleep, limits={"timeout": "60s"})["id"] for number in range(120)]
            headers = {"Authorization": f"Bearer {few}"}
            second = [
                node.ask("POST", "/v1/runs", {"source": sleep}, 202, headers=headers)["id"] for node in cluster.all
            ]
            for run in blocked:
                cluster.all[0].ask("DELETE", f"/v1/runs/{run}")
            context.until(
                "the few have not ended",
                lambda: cluster.query(f"SELECT count(*) FROM runs WHERE state=4 AND id IN {tuple(second)}") == "3",
                60,
            )
            last = f"(SELECT max(started_us) FROM runs WHERE id IN {tuple(second)})"
            before = int(cluster.query(f"SELECT count(*) FROM runs WHERE state=4 AND started_us < {last}"))
            expect(before < 3 + 30, f"before the last of the few {before} of {len(first)} others had begun")
            for run in first:
                cluster.all[0].request("DELETE", f"/v1/runs/{run}")


@test
def what_waits_goes_on_elsewhere(context):
    """A run that waits at one node is started by another that has capacity first, and only once, even if its node is
    killed."""
    with shared(context) as on, nodes(on, 2, "--concurrency", "1", lease=LEASE) as cluster:
        a, b = cluster.all
        time.sleep(LEASE + 0.5)
        blocked = [node.submit(FOREVER, limits={"timeout": "600s"})["id"] for node in cluster.all]
        for run in blocked:
            a.wait_for(run, "running")
        waits = a.submit("'moved'", limits={"timeout": "60s"})["id"]
        context.until(
            "it is not on the node that took it",
            lambda: holder(cluster, waits) is a or cluster.query(f"SELECT state FROM runs WHERE id='{waits}'") != "1",
        )
        expect_equal("as others see it", b.get(waits)["state"], "queued")
        theirs = next(run for run in blocked if holder(cluster, run) is b)
        b.ask("DELETE", f"/v1/runs/{theirs}")
        ended = a.wait_for(waits)
        expect_equal("on the other node", (ended["report"]["value"], ended["attempt"]), ("moved", 1))
        # Also a run whose node dies before it has started.
        b.wait_for(b.submit(FOREVER, limits={"timeout": "600s"})["id"], "running")
        waits = a.submit("'once'", limits={"timeout": "60s"})["id"]
        context.until("it is not written", lambda: holder(cluster, waits) is a)
        expect(holder(cluster, waits) is a, "it does not wait where it was submitted")
        for run in cluster.query("SELECT id FROM runs WHERE state=2").split():
            if holder(cluster, run) is b:
                a.kill()
                b.ask("DELETE", f"/v1/runs/{run}")
        ended = b.wait_for(waits)
        expect_equal("after its node died", (ended["report"]["value"], ended["attempt"]), ("once", 1))


@test
def waiting_is_shown(context):
    """The metric for adding nodes counts the runs that wait in the database, once over all nodes."""
    with shared(context) as on:
        place = Nodes(on, 0).place
        token = make_token(on, place, "--running", "1", "--scopes", "run,read,metrics")
        with nodes(on, 0, "--concurrency", "4", token=token) as cluster:
            cluster.place = place
            for _ in range(2):
                cluster.start()
            for number in range(5):
                cluster.all[number % 2].submit(FOREVER, limits={"timeout": "600s"})
            context.until("four wait", lambda: sum(map(shown_as_queued, cluster.all)) == 4)


@test
def a_newer_version_beside(context):
    """After a newer version has changed tables, nodes of this version that may stay continue, and others may join."""
    newer = "ALTER TABLE runs ADD COLUMN newer int; ALTER TABLE programs ADD COLUMN newer text; "
    newer += "INSERT INTO schema_version SELECT max(version) + 1, 1 FROM schema_version"
    with shared(context) as on, nodes(on, 2) as cluster:
        a, b = cluster.all

        def use_all():
            run = a.run("6 * 7")["id"]
            expect_equal("at another node", b.wait_for(run)["report"]["value"], 42)
            goes_on = a.submit(FOREVER, limits={"timeout": "600s"})["id"]
            a.wait_for(goes_on, "running")
            expect_equal("cancelled over another", b.ask("DELETE", f"/v1/runs/{goes_on}")["outcome"], "cancelled")
            for node in cluster.all:
                expect(run in [one["id"] for one in node.ask("GET", "/v1/runs")["runs"]], "it is not listed")
                node.ask("GET", "/v1/programs")
            delayed = a.ask("POST", "/v1/runs", {"source": "1", "delay": "200ms"}, 202)["id"]
            expect_equal("taken later", b.wait_for(delayed)["report"]["value"], 1)

        use_all()
        use_all()
        cluster.query(newer)
        use_all()
        a.process.send_signal(signal.SIGTERM)
        a.process.wait(context.socket_timeout(60))
        cluster.all[0] = a = cluster.start()
        cluster.all.pop()
        use_all()


@test
def a_newer_version_instead(context):
    """After a newer version has made the database unusable for this one, nodes of this version say so and leave the runs
    to others. They continue as soon as they may."""
    newer = "INSERT INTO schema_version SELECT max(version) + 1, max(version) + 1 FROM schema_version"
    with shared(context) as on, nodes(on, 1) as cluster:
        (node,) = cluster.all
        run = node.submit(FOREVER, limits={"timeout": "600s"}, retry=3)["id"]
        waits = node.submit("6 * 7", delay="1s")["id"]
        node.wait_for(run, "running")
        cluster.query(newer)

        def refusal():
            answer = node.request("GET", "/readyz")
            return answer.status == 503 and b"curfew of version" in answer.body

        context.until("it is not ready, and says why", refusal, 60)
        cluster.query("DELETE FROM schema_version WHERE version=oldest AND version>1")
        expect_equal("the one that waited", node.wait_for(waits, timeout=60)["report"]["value"], 42)
        context.until("it runs again", lambda: node.get(run)["attempt"] > 1 and node.get(run)["state"] == "running", 60)
        expect_equal("its end", node.ask("DELETE", f"/v1/runs/{run}")["outcome"], "cancelled")


@test
def history_is_not_read(context):
    """The repeated queries of a node take no longer after very many runs have ended. Claim L606."""
    columns = (
        "owner, state, name, sha256, language, params, limits, flags, priority, retry, attempt, created_us, due_us"
    )
    columns += ", started_us, ended_us, queue_us, outcome, bytes, report_bytes, node, memory"
    touched = "SELECT heap_blks_hit + heap_blks_read FROM pg_statio_user_tables WHERE relname='runs'"
    with shared(context) as on, nodes(on, 1) as cluster:
        run = cluster.all[0].run("throw 1")["id"]
        threw = cluster.query("SELECT outcome FROM runs")
        cluster.query("DELETE FROM runs")
        run = cluster.all[0].run("1")["id"]
        cluster.query("ALTER TABLE runs SET (autovacuum_enabled = off)")
        # Insert the rows in the state in which runs start, then update them to their end, so that indexes have both. Do
        # it in one transaction, or the node would start them.
        cluster.query(f"""INSERT INTO runs(id, {columns}) SELECT left(id, 22)||to_char(n, 'FM0000'), {columns} FROM runs, generate_series(1, 6000) n
            WHERE id='{run}'; UPDATE runs SET state=2, program='p', schedule='s' WHERE id<>'{run}'; UPDATE runs SET
            program='q', schedule='t', outcome={threw} WHERE number%2=0 AND program='p';
            UPDATE runs SET state=4 WHERE id<>'{run}'""")
        blocks = int(cluster.query("SELECT pg_relation_size('runs') / 8192"))
        expect(blocks > 500, f"a table of only {blocks} blocks")

        def is_calm():
            before = int(cluster.query(touched))
            time.sleep(3)
            return int(cluster.query(touched)) - before < blocks

        # The first query to visit them finds that they have ended, and marks the index entries.
        context.until("all of the table is read again and again", is_calm, 40)

        before = int(cluster.query(touched))
        for one in ("program=none", "schedule=none", "program=p", "schedule=s") * 6:
            for other in "limit=5", "outcome=threw&limit=5":
                listed = cluster.all[0].ask("GET", f"/v1/runs?{one}&{other}")["runs"]
                expect_equal(f"{one}, {other}", len(listed), 0 if "none" in one or "threw" in other else 5)
        time.sleep(3)
        read = int(cluster.query(touched)) - before
        expect(read < blocks, f"short lists read {read} blocks of {blocks}")


@test
def unused_sources(context):
    """A source is dropped when neither a run nor a program has needed it for a while, and no earlier."""
    kept = "SELECT encode(bytes, 'escape') FROM sources ORDER BY 1"
    with shared(context) as on, nodes(on, 1) as cluster:
        (node,) = cluster.all
        once, twice = [node.run(f"'{text}'")["id"] for text in ("once", "twice", "twice")][:2]
        headers = {"Content-Type": "text/javascript"}
        for name, text, status in ("p", b"'replaced'", 201), ("p", b"'kept'", 200), ("q", b"'deleted'", 201):
            node.ask("PUT", f"/v1/programs/{name}", text, status, headers=headers)
        node.ask("DELETE", "/v1/programs/q", None, 204)
        cluster.query(f"DELETE FROM runs WHERE id IN ('{once}', '{twice}')")
        # A clean-up follows each start of a node.
        node = cluster.start()
        node.run("'new'")
        five = ["'deleted'", "'kept'", "'new'", "'once'", "'replaced'", "'twice'"]
        expect_equal("at first", cluster.query(kept).split(), five)
        cluster.query("UPDATE loose SET since_us=0")
        cluster.start()
        needed = ["'kept'", "'new'", "'twice'"]
        context.until("the unused ones are dropped", lambda: cluster.query(kept).split() == needed, 40)
        expect_equal("what is still checked", cluster.query("SELECT count(*) FROM loose"), "0")


@test
def drain(context):
    """A node that is to end accepts nothing new, and finishes its runs or hands them back. No run waits for its
    lease."""
    with shared(context) as on, nodes(on, 2, "--concurrency", "2", "--shutdown-timeout", "3s") as cluster:
        a, b = cluster.all
        short = a.submit("new Promise(f => setTimeout(() => f('done'), 900))", limits={"timeout": "60s"})["id"]
        long = a.submit(WAITING, retry=1, limits={"timeout": "600s"})["id"]
        for run in (short, long):
            a.wait_for(run, "running")
        thread = threading.Thread(target=a.stop)
        thread.start()
        ended = b.wait_for(short)
        expect_equal("finished", (ended["report"]["value"], ended["attempt"]), ("done", 1))
        context.until("it does not begin again", lambda: b.get(long)["attempt"] == 2)
        b.ask("DELETE", f"/v1/runs/{long}")
        ended = b.wait_for(long)
        expect_equal("handed back", (ended["report"]["outcome"], ended["attempt"]), ("cancelled", 2))
        thread.join()
        expect_equal("it has left", [n["state"] for n in b.ask("GET", "/v1/nodes")["nodes"]], ["over", "active"])


# ---- A failing database ----------------------------------------------------------------------------------------------

ROLE = "server-of-all"


@contextlib.contextmanager
def limited_nodes(context, count, *token):
    """Nodes whose database user is no superuser, so that it can be limited. Yields a function that executes SQL, and
    the nodes.

    token: what the token may do that they are asked with; without it one that may do all.
    """
    with own(context) as on:
        postgres = on.postgres
        postgres.query(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{PASSWORD}'")
        place = os.path.join(on.directory(), "database")
        name = postgres.database_of(place)
        postgres.query(f'GRANT CREATE ON DATABASE {name} TO "{ROLE}"')
        on.url = postgres.url(name).replace("owner:", f"{ROLE}:")
        with nodes(on, 0, token=make_token(on, place, *token) if token else None) as cluster:
            cluster.place = place
            for _ in range(count):
                cluster.start()
            yield lambda text: postgres.query(text.replace("DATABASE", f"DATABASE {name}"), name), cluster


# Closes the connections of the nodes, so that they connect again.
END_ALL = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename='{ROLE}'"


def refuses(context, node, word):
    """The node reports why it is not ready, and refuses clients."""
    context.until(
        f"readyz does not say {word!r}: {node.request('GET', '/readyz').body!r}",
        lambda: node.request("GET", "/readyz").status == 503 and word in node.request("GET", "/readyz").body.decode(),
        30,
    )
    answer = node.request("POST", "/v1/runs", {"source": "2"})
    expect(
        answer.status == 503 and int(answer.headers["retry-after"]) > 0, f"POST: {answer.status} {answer.body[:300]}"
    )
    expect(PASSWORD not in node.request("GET", "/readyz").body.decode(), "the password is told")


def recovers(context, node, before):
    context.until("it does not recover", lambda: node.request("GET", "/readyz").status == 200, 40)
    expect_equal("what was there", node.get(before)["report"]["value"], 1)
    context.until(
        "it takes nothing", lambda: node.request("POST", "/v1/runs", {"source": "3", "wait": True}).status == 200, 30
    )


def goes_wrong(context, word, begins, ends, is_cut=True):
    """If the database rejects writes, a run in progress continues, and its report appears when writes work again."""
    with limited_nodes(context, 2) as (change, cluster):
        a, b = cluster.all
        before = a.run("1")["id"]
        goes_on = a.submit("new Promise(f => setTimeout(() => f('kept'), 1500))", limits={"timeout": "60s"})["id"]
        a.wait_for(goes_on, "running")
        change(begins)
        if is_cut:
            change(END_ALL)
        for node in cluster.all:
            refuses(context, node, word)
        change(ends)
        for node in cluster.all:
            recovers(context, node, before)
        expect_equal("the report that had to wait", b.wait_for(goes_on)["report"]["value"], "kept")


@test
def too_many_connections(context):
    goes_wrong(
        context,
        "too many connections",
        f'ALTER ROLE "{ROLE}" CONNECTION LIMIT 0',
        f'ALTER ROLE "{ROLE}" CONNECTION LIMIT -1',
    )


@test
def quotas_while_counting(context):
    """While the query of the queue is slow, the node keeps its last result: no quota is unlimited meanwhile."""
    slow = """SET search_path=curfew; ALTER TABLE tokens ENABLE ROW LEVEL SECURITY;
        ALTER TABLE tokens FORCE ROW LEVEL SECURITY; CREATE POLICY slow ON tokens USING (pg_sleep(0.4) IS NOT NULL)"""
    of_token = ("--running", "1", "--queued", "2", "--per-minute", "10k", "--scopes", "run,read,metrics")
    with limited_nodes(context, 1, *of_token) as (change, cluster):
        node, runs = cluster.all[0], []
        for number in range(3):
            context.until("it is not taken", lambda n=number: shown_as_queued(node) == max(0, n - 1))
            runs.append(node.submit(FOREVER, limits={"timeout": "600s"})["id"])
        context.until("two wait", lambda: shown_as_queued(node) == 2)
        change(slow)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            expect_equal("while it counts", node.request("POST", "/v1/runs", {"source": "1"}).status, 429)
            time.sleep(0.02)
        for run in runs:
            node.ask("DELETE", f"/v1/runs/{run}")


@test
def another_password(context):
    goes_wrong(
        context,
        "password",
        f"ALTER ROLE \"{ROLE}\" PASSWORD 'another-one'",
        f"ALTER ROLE \"{ROLE}\" PASSWORD '{PASSWORD}'",
    )


@test
def read_only(context):
    goes_wrong(
        context,
        "read-only",
        "ALTER DATABASE SET default_transaction_read_only=on",
        "BEGIN; SET TRANSACTION READ WRITE; ALTER DATABASE RESET default_transaction_read_only; COMMIT",
    )


@test
def without_its_schema(context):
    goes_wrong(
        context,
        "does not exist",
        "ALTER SCHEMA curfew RENAME TO elsewhere",
        "ALTER SCHEMA elsewhere RENAME TO curfew",
        is_cut=False,
    )


@test
def connections_ended(context):
    """Connections that the database closed while they were idle are noticed before they are used, so there is no
    503."""
    with limited_nodes(context, 2) as (change, cluster):
        cluster.all[0].run("1")

        def ask(node):
            return node.request("GET", "/v1/runs").status

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for _ in range(4):
                list(pool.map(ask, cluster.all * 16))  # opens all connections for reading
                ended = change("SELECT coalesce(max(backend_start), now()) FROM pg_stat_activity")
                change(END_ALL)
                there = f"SELECT count(*) FROM pg_stat_activity WHERE usename='{ROLE}' AND backend_start<='{ended}'"
                context.until("they do not end", lambda there=there: change(there) == "0")
                expect_equal("GET", list(pool.map(ask, cluster.all * 8)), [200] * 16)


@test
def transactions_killed(context):
    """If transactions are aborted again and again, nothing is lost: every accepted run exists, and ends once."""
    with limited_nodes(context, 2) as (change, cluster):
        stop, accepted = threading.Event(), []

        def submit(number):
            while not stop.is_set():
                answer = cluster.all[number % 2].request("POST", "/v1/runs", {"source": "5"})
                expect(answer.status in (202, 503), f"{answer.status} {answer.body[:200]}")
                if answer.status == 202:
                    accepted.append(answer.json()["id"])

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            made = [pool.submit(submit, number) for number in range(4)]
            try:
                for _ in range(12):
                    time.sleep(0.4)
                    change(END_ALL)
            finally:
                stop.set()
            for one in made:
                one.result()
        expect(len(accepted) > 10, f"only {len(accepted)} were accepted")
        for node in cluster.all:
            context.until("it does not recover", lambda node=node: node.request("GET", "/v1/runs").status == 200, 40)
        for number, run in enumerate(accepted):
            expect_equal("value", cluster.all[number % 2].wait_for(run, timeout=60)["report"]["value"], 5)
        expect_equal("at once", cluster.query("SELECT max(attempt) FROM runs WHERE state=4"), "1")


@test
def slow_queries(context):
    """A lock on a table delays no request for long: it is answered with 503, and later everything continues."""
    with limited_nodes(context, 2) as (change, cluster):
        a, b = cluster.all
        before = a.run("1")["id"]
        goes_on = a.submit("new Promise(f => setTimeout(() => f('kept'), 1500))", limits={"timeout": "60s"})["id"]
        a.wait_for(goes_on, "running")
        locker = threading.Thread(
            target=change,
            args=("BEGIN; LOCK TABLE curfew.runs IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(25); ROLLBACK",),
        )
        locker.start()
        try:
            context.until(
                "it is not locked",
                lambda: change("SELECT count(*) FROM pg_locks WHERE mode='AccessExclusiveLock' AND granted") != "0",
            )
            began = time.monotonic()
            answer = a.request("POST", "/v1/runs", {"source": "2"})
            took = time.monotonic() - began
            expect(
                answer.status == 503 and int(answer.headers["retry-after"]) > 0,
                f"POST: {answer.status} {answer.body[:300]}",
            )
            expect(took < context.bound(5), f"it took {took:.1f} s")
            context.until("readyz does not say it", lambda: a.request("GET", "/readyz").status == 503)
            began = time.monotonic()
            refused = a.request("POST", "/v1/runs", {"source": "2"})
            took = time.monotonic() - began
            expect(refused.status == 503 and took < context.bound(5), f"{refused.status} after {took:.1f} s")
        finally:
            locker.join()
        for node in cluster.all:
            recovers(context, node, before)
        expect_equal("the report that had to wait", b.wait_for(goes_on)["report"]["value"], "kept")


@test
def its_disk_is_full(context):
    """A database on a full disk accepts nothing, and reports that. Nothing is lost when there is space again."""
    if os.geteuid() != 0:
        raise Skipped("a disk of its own needs root")
    postgres = Postgres("max_wal_size=64MB", "wal_recycle=off", size=192 << 20)
    on = OnPostgres(context, postgres)
    try:
        with nodes(on, 2) as cluster:
            a, b = cluster.all
            before = a.run("1")["id"]
            goes_on = a.submit("new Promise(f => setTimeout(() => f('kept'), 1500))", limits={"timeout": "60s"})["id"]
            a.wait_for(goes_on, "running")
            ballast = os.path.join(postgres.directory, "ballast")
            with open(ballast, "wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while file.write(bytes(4096)) > 0:
                        pass
            body = {"source": "/*" + "x" * 900000 + "*/ 2"}
            context.until("it takes all", lambda: a.request("POST", "/v1/runs", body).status == 503, 60)
            context.until("readyz does not say it", lambda: a.request("GET", "/readyz").status == 503, 30)
            os.unlink(ballast)
            if postgres.process.poll() is not None:
                postgres.start()
            for node in cluster.all:
                recovers(context, node, before)
            expect_equal("the report that had to wait", b.wait_for(goes_on)["report"]["value"], "kept")
    finally:
        postgres.close()


# ---- Unusable databases ----------------------------------------------------------------------------------------------


def fail(on, url, text, command=("serve", "--listen", "127.0.0.1:0")):
    done = on.context.command(
        [on.curfew, *command, "--data", os.path.join(on.directory(), "d"), "--store", url], timeout=40
    )
    err = done.err.decode()
    expect(done.code == 125 and text in err, f"expected {text!r}, seen {done.code}: {err}")
    expect(PASSWORD not in err and "wrong-one" not in err, f"the password is told: {err}")


@test
def what_cannot_be_used(context):
    """Each is reported in one line that does not contain the password."""
    with own(context) as on:
        name = on.postgres.database_of("x")
        fail(on, on.postgres.url(name, "wrong-one"), "password authentication failed")
        fail(on, on.postgres.url("nowhere"), "does not exist")
        fail(on, f"postgres://owner:{PASSWORD}@127.0.0.1:1/x", "onnection")
        fail(on, on.postgres.url(name, options="&options=-cdefault_transaction_read_only%3Don"), "read-only")
        fail(on, on.postgres.url(name), "it contains no database of curfew", command=("admin", "check"))
        on.postgres.query(
            "CREATE SCHEMA curfew; CREATE TABLE curfew.schema_version(version bigint PRIMARY KEY, oldest bigint); "
            "INSERT INTO curfew.schema_version VALUES(99, 98)",
            name,
        )
        fail(on, on.postgres.url(name), "the database has version 99")
        fail(on, on.postgres.url(name), "the database has version 99", command=("token", "list"))


@test
def where_it_is_told(context):
    """The address can be read from a file or the environment, so that it is not among the arguments that other users
    see."""
    with shared(context) as on:
        url = on.store_options(os.path.join(on.directory(), "d"))[1]
        path = os.path.join(on.directory(), "store")
        with open(path, "w", encoding="ascii") as file:
            file.write(url + "\n")
        with Server(on.context, "--store", "@" + path) as server:
            expect_equal("from a file", server.run("1")["value"], 1)
        with Server(on.context, "--store", url) as server:
            with open(f"/proc/{server.process.pid}/cmdline", "rb") as file:
                expect(PASSWORD.encode() not in file.read(), "the password is in the list of processes")
            expect_equal("from the argument", len(server.ask("GET", "/v1/runs")["runs"]), 1)
        done = on.context.command([on.curfew, "admin", "check", "--json"], env={"CURFEW_STORE": url})
        expect(done.code == 0 and b'"runs":1' in done.out, str(done))
        done = on.context.command([on.curfew, "token", "list", "--store", "@/nowhere"])
        expect(done.code == 2 and b"/nowhere" in done.err, str(done))


def tests(context):
    return same_tests() + [
        Test("cluster", function.__name__, lambda context, function=function: function(context)) for function in TESTS
    ]


__all__ = ["OnPostgres", "tests"]
