# SPDX-License-Identifier: Apache-2.0
"""Schedules of curfew serve: runs that recur by cron, even after a time without a server."""

import concurrent.futures
import datetime
import json
import os
import time

from .harness import Test, expect, expect_equal
from .server import make_token
from .serving import Server

TESTS = []
LOOP = "for (;;) {}"


def test(function):
    TESTS.append(function)
    return function


def put(server, name, status=201, token=None, **fields):
    return server.ask("PUT", f"/v1/schedules/{name}", fields, status, token=token)


def get(server, name, **options):
    return server.ask("GET", f"/v1/schedules/{name}", **options)


def make_due(server, name, late=1):
    """Sets the next time of a schedule to this many seconds ago."""
    server.change_store(f"UPDATE schedules SET next_us={int((time.time() - late) * 1e6)} WHERE name='{name}'")


def wait_until(server, name, wanted, timeout=20, **options):
    seen = None

    def has_come():
        nonlocal seen
        seen = get(server, name, **options)
        return wanted(seen)

    server.context.until(lambda: f"it does not come: {seen}", has_come, timeout)
    return seen


def time_of(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)


@test
def comes_again(context):
    # Claim L620.
    """Each time makes one run, of the token that stored the schedule. The next time is the first one after now."""
    with Server(context) as server:
        stored = put(server, "nightly", schedule="0 3 * * *", source="[curfew.params, 6 * 7]", params=[1])
        next_time = time_of(stored["next_ms"])
        expect_equal("next", (next_time.hour, next_time.minute, next_time.second), (3, 0, 0))
        expect(0 < stored["next_ms"] / 1000 - time.time() <= 24 * 3600, f"{stored}")
        expect_equal("so far", (stored["runs"], stored["last_run"], stored["last_ms"]), (0, None, None))
        ids = []
        for count in (1, 2):
            make_due(server, "nightly")
            seen = wait_until(server, "nightly", lambda one, count=count: one["runs"] == count)
            ids.append(seen["last_run"])
            expect_equal("the next one again", seen["next_ms"], stored["next_ms"])
            run = server.wait_for(seen["last_run"])
            expect_equal("run", (run["schedule"], run["report"]["value"]), ("nightly", [[1], 42]))
        expect(ids[0] != ids[1], "one run twice")
        expect_equal("runs", len(server.ask("GET", "/v1/runs")["runs"]), 2)
        put(server, "other", schedule="0 3 * * *", source="1")
        server.run("1")
        expect_equal("of it", [run["id"] for run in server.ask("GET", "/v1/runs?schedule=nightly")["runs"]], ids[::-1])
        page = server.ask("GET", "/v1/runs?schedule=nightly&limit=1")
        rest = server.ask("GET", f"/v1/runs?schedule=nightly&after={page['next']}")["runs"]
        expect_equal("page by page", [page["runs"][0]["id"], *(run["id"] for run in rest)], ids[::-1])
        for none in ("other", "nightly&outcome=threw", "nightly&state=queued", "nightly&program=x", "%27"):
            expect_equal(none, server.ask("GET", f"/v1/runs?schedule={none}")["runs"], [])
        server.request("DELETE", "/v1/schedules/other")
        expect_equal(
            "in the list", [one["name"] for one in server.ask("GET", "/v1/schedules")["schedules"]], ["nightly"]
        )
        expect_equal("what is submitted", get(server, "nightly")["submission"]["params"], [1])
        expect_equal("counted", server.metric('curfew_schedule_turns_total{result="run"}'), 2)
        server.stop()
    with Server(context, data=server.data) as server:
        expect_equal("kept", [run["id"] for run in server.ask("GET", "/v1/runs?schedule=nightly")["runs"]], ids[::-1])


@test
def zones(context):
    # Claim L620.
    with Server(context) as server:
        stored = put(server, "there", schedule="30 12 * * *", zone="Asia/Kolkata", source="1")
        expect_equal(
            "half past twelve there", (time_of(stored["next_ms"]).hour, time_of(stored["next_ms"]).minute), (7, 0)
        )
        expect_equal("shown", (stored["zone"], stored["schedule"]), ("Asia/Kolkata", "30 12 * * *"))


@test
def missed_while_down(context):
    # Claim L621.
    """After three days without a server there is one run, not three. A schedule for a future time keeps waiting."""
    with Server(context) as server:
        put(server, "often", schedule="*/5 * * * *", source="1")
        later = put(server, "later", schedule="0 0 1 1 *", source="1")
        server.kill()
    make_due(server, "often", late=3 * 24 * 3600)
    with Server(context, data=server.data) as server:
        seen = wait_until(server, "often", lambda one: one["runs"] == 1)
        server.wait_for(seen["last_run"])
        expect(seen["next_ms"] > time.time() * 1000, f"{seen}")
        time.sleep(1.2)
        expect_equal("runs", get(server, "often")["runs"], 1)
        expect_equal("another", (get(server, "later")["runs"], get(server, "later")["next_ms"]), (0, later["next_ms"]))


@test
def killed_at_its_time(context):
    # Claim L621.
    """Whenever the server is killed, a turn has one run."""
    data = os.path.join(context.directory(), "data")
    for round in range(4):
        with Server(context, data=data) as server:
            if round == 0:
                # A turn also has its run if the one of the turn before has not ended yet.
                put(server, "turn", schedule="0 0 1 1 *", source="1", overlap="allow")
            make_due(server, "turn")
            time.sleep(0.15 * round)
            server.kill()
        with Server(context, data=data) as server:
            wait_until(server, "turn", lambda one, round=round: one["runs"] == round + 1)
            time.sleep(0.7)
            expect_equal("turns", get(server, "turn")["runs"], round + 1)
            expect_equal("runs", len(server.ask("GET", "/v1/runs")["runs"]), round + 1)


@test
def overlaps(context):
    # Claim L622.
    limits = {"timeout": "60s"}
    with Server(context) as server:
        for name, overlap in (("skip", None), ("allow", "allow"), ("replace", "replace")):
            put(server, name, schedule="@daily", source=LOOP, limits=limits, overlap=overlap)
            make_due(server, name)
            first = wait_until(server, name, lambda one: one["runs"] == 1)["last_run"]
            server.wait_for(first, "running")
            make_due(server, name)
            second = wait_until(server, name, lambda one: one["runs"] + one["skipped"] == 2)
            if name == "skip":
                expect_equal("left out", (second["runs"], second["last_run"]), (1, first))
                expect("had not ended" in second["problem"], f"{second}")
            elif name == "allow":
                expect_equal("both", (second["runs"], server.get(first)["state"]), (2, "running"))
            else:
                expect_equal("the first one", server.wait_for(first)["outcome"], "cancelled")
                expect(second["last_run"] != first, f"{second}")
        expect_equal("counted", server.metric('curfew_schedule_turns_total{result="none"}'), 1)


@test
def paused_and_ended(context):
    with Server(context) as server:
        put(server, "one", schedule="@hourly", source="1")
        seen = server.ask("PATCH", "/v1/schedules/one", {"paused": True})
        expect_equal("paused", (seen["paused"], seen["next_ms"]), (True, None))
        seen = server.ask("PATCH", "/v1/schedules/one", {"paused": False})
        expect(not seen["paused"] and seen["next_ms"] > time.time() * 1000, f"{seen}")
        put(server, "asleep", schedule="@hourly", source="1", paused=True)
        expect_equal("from the start", get(server, "asleep")["next_ms"], None)
        expect_equal("gone", server.request("DELETE", "/v1/schedules/one").status, 204)
        server.ask("GET", "/v1/schedules/one", status=404)
        server.ask("DELETE", "/v1/schedules/one", status=404)
        server.ask("PATCH", "/v1/schedules/one", {"paused": True}, 404)
        for body in ({}, {"paused": 1}, {"paused": True, "x": 1}, []):
            server.ask("PATCH", "/v1/schedules/asleep", body, 400)


@test
def replaced(context):
    with Server(context) as server:
        first = put(server, "one", schedule="@daily", source="1")
        expect_equal("the same again", put(server, "one", 200, schedule="@daily", source="1"), first)
        make_due(server, "one")
        wait_until(server, "one", lambda one: one["runs"] == 1)
        second = put(server, "one", 200, schedule="@daily", source="2")
        expect_equal("kept", (second["runs"], second["created_ms"]), (1, first["created_ms"]))
        make_due(server, "one")
        seen = wait_until(server, "one", lambda one: one["runs"] == 2)
        expect_equal("value", server.wait_for(seen["last_run"])["report"]["value"], 2)


@test
def from_a_submission(context):
    """POST /v1/runs with schedule; a key makes its retry safe."""
    with Server(context) as server:
        stored = server.submit("1", status=201, schedule="0 3 * * *", zone="Europe/Berlin")
        expect_equal("stored", get(server, stored["name"])["zone"], "Europe/Berlin")
        headers = {"Idempotency-Key": "k 1"}
        first = server.submit("2", status=201, schedule="@daily", headers=headers)
        expect_equal("again", server.submit("2", status=200, schedule="@daily", headers=headers), first)
        server.submit("3", status=422, schedule="@daily", headers=headers)
        expect_equal("schedules", len(server.ask("GET", "/v1/schedules")["schedules"]), 2)
        # A key is for one thing: a run or a schedule.
        server.refuse(422, {"source": "2"}, headers=headers)
        of_run = {"Idempotency-Key": "k 2"}
        run = server.submit("4", headers=of_run)["id"]
        server.refuse(422, {"source": "4", "schedule": "@daily"}, headers=of_run)
        server.wait_for(run)
        server.refuse(422, {"source": "4", "schedule": "@daily"}, headers=of_run)
        expect_equal("the run", server.submit("4", headers=of_run)["id"], run)
        expect_equal("schedules", len(server.ask("GET", "/v1/schedules")["schedules"]), 2)


@test
def maximum_of_many_at_once(context):
    """Schedules that a token stores at the same time do not exceed its maximum together."""
    with Server(context, "--max-schedules", "3") as server, concurrent.futures.ThreadPoolExecutor(12) as threads:
        body = json.dumps({"schedule": "@daily", "source": "1"})

        def store(name):
            headers = {"Content-Type": "application/json"}
            return name, server.request("PUT", f"/v1/schedules/{name}", body, headers=headers).status

        for turn in range(10):
            statuses = dict(threads.map(store, [f"turn{turn}-{i}" for i in range(12)]))
            stored = [one["name"] for one in server.ask("GET", "/v1/schedules")["schedules"]]
            expect_equal("stored", {name for name, status in statuses.items() if status == 201}, set(stored))
            expect_equal("others", set(statuses.values()), {201, 429})
            expect(len(stored) <= 3, f"{len(stored)} schedules")
            # What was refused is not reserved any more, and what is replaced does not count.
            for i in range(len(stored), 3):
                put(server, f"more{turn}-{i}", schedule="@daily", source="1")
            put(server, stored[0], 200, schedule="@daily", source="2")
            put(server, "one-too-many", 429, schedule="@daily", source="1")
            for one in server.ask("GET", "/v1/schedules")["schedules"]:
                server.ask("DELETE", f"/v1/schedules/{one['name']}", status=204)


@test
def bad_input(context):
    """One line names the field and the value, and nothing is stored."""
    with Server(context, "--max-schedules", "2") as server:
        for fields, pointer, text in (
            ({"schedule": "61 * * * *"}, "/schedule", '/schedule: minute "61": must be from 0 to 59'),
            ({"schedule": "* * * *"}, "/schedule", "five fields"),
            ({"schedule": "* * 31 2 *"}, "/schedule", "no such day"),
            ({"schedule": 5}, "/schedule", "must be a string"),
            ({"schedule": ""}, "/schedule", "empty"),
            ({"schedule": "@daily", "zone": "Mars/Base"}, "/zone", "Mars/Base"),
            ({"schedule": "@daily", "overlap": "maybe"}, "/overlap", "skip, allow or replace"),
            ({"schedule": "@daily", "paused": "yes"}, "/paused", "true or false"),
            ({"schedule": "@daily", "wait": True}, "/wait", "no report"),
            ({"schedule": "@daily", "delay": "1s"}, "/delay", "itself says"),
            ({"schedule": "@daily", "durable": False}, "/durable", "durable"),
            ({"zone": "Europe/Berlin"}, "/zone", "belongs to schedule"),
            ({"overlap": "skip"}, "/overlap", "belongs to schedule"),
            ({"schedule": "@daily", "limits": {"timeout": "0"}}, "/limits/timeout", None),
        ):
            server.refuse(400, {"source": "1", **fields}, pointer, text)
        server.refuse(404, {"program": "none", "schedule": "@daily"}, "/program")
        problem = server.ask("PUT", "/v1/schedules/x", {"source": "1"}, 400)
        expect_equal("pointer", problem["pointer"], "/schedule")
        server.ask("PUT", "/v1/schedules/-x", {"source": "1", "schedule": "@daily"}, 400)
        server.ask("PUT", "/v1/schedules/x", {"source": "1" * 300000, "schedule": "@daily"}, 413)
        expect_equal(
            "status", server.request("PUT", "/v1/schedules/x", b"{}", {"Content-Type": "text/plain"}).status, 415
        )
        expect_equal("none", server.ask("GET", "/v1/schedules")["schedules"], [])
        # Claim L623.
        for name in "ab":
            put(server, name, schedule="@daily", source="1")
        problem = put(server, "c", 429, schedule="@daily", source="1")
        expect("max-schedules" in problem["detail"], f"{problem}")
        put(server, "a", 200, schedule="@hourly", source="1")


@test
def what_cannot_run_any_more(context):
    """If the program is missing, the schedule reports that, and tries again the next time."""
    with Server(context) as server:
        server.ask("PUT", "/v1/programs/job?lang=js", b"7", status=201, headers={"Content-Type": "text/javascript"})
        put(server, "one", schedule="@daily", program="job")
        server.request("DELETE", "/v1/programs/job")
        make_due(server, "one")
        seen = wait_until(server, "one", lambda one: one["skipped"] == 1)
        expect("no program" in seen["problem"] and seen["next_ms"] > time.time() * 1000, f"{seen}")
        server.ask("PUT", "/v1/programs/job?lang=js", b"7", status=201, headers={"Content-Type": "text/javascript"})
        make_due(server, "one")
        seen = wait_until(server, "one", lambda one: one["runs"] == 1)
        expect_equal("value", (server.wait_for(seen["last_run"])["report"]["value"], seen["problem"]), (7, None))


@test
def of_tokens(context):
    # Claim L623.
    """Each token sees and ends its own schedules, and an administrator those of all. A revoked token's schedules make
    no runs."""
    data = os.path.join(context.directory(), "data")
    ann, bob = make_token(context, data, "--name", "ann"), make_token(context, data, "--name", "bob")
    admin = make_token(context, data, "--name", "root", "--scopes", "admin")
    with Server(context, data=data, token=ann) as server:
        put(server, "job", schedule="@daily", source="'ann'")
        server.ask("GET", "/v1/schedules/job", status=404, token=bob)
        server.ask("DELETE", "/v1/schedules/job", status=404, token=bob)
        put(server, "job", schedule="@daily", source="'bob'", token=bob)
        expect_equal("bob's", len(server.ask("GET", "/v1/schedules", token=bob)["schedules"]), 1)
        listed = server.ask("GET", "/v1/schedules", token=admin)["schedules"]
        expect_equal("all", len(listed), 2)
        server.ask("GET", "/v1/schedules/job", status=409, token=admin)
        owner = get(server, "job", token=bob)["token"]
        expect_equal("one", get(server, f"job?token={owner}", token=admin)["submission"]["source"], "'bob'")
        server.ask("GET", f"/v1/schedules?token={owner}", status=403)
        make_due(server, "job")
        seen = wait_until(server, "job", lambda one: one["runs"] == 1)
        expect_equal("value", server.wait_for(seen["last_run"])["report"]["value"], "ann")
        done = context.command([context.curfew, "token", "revoke", "--data", data, "bob"])
        expect_equal("revoked", done.code, 0)
        server.wait_for_token(bob, is_known=False)
        before = get(server, f"job?token={owner}", token=admin)
        make_due(server, "job")
        wait_until(server, "job", lambda one: one["runs"] == 2)
        after = wait_until(server, f"job?token={owner}", lambda one: one["problem"], token=admin)
        expect_equal("no run of bob's", after["runs"], before["runs"])
        expect("token" in after["problem"], f"{after}")


@test
def while_the_queue_is_full(context):
    """A turn is not lost: its run starts when there is capacity."""
    with Server(context, "--concurrency", "1", "--max-queue", "1") as server:
        put(server, "one", schedule="@daily", source="1")
        block = server.submit(LOOP, limits={"timeout": "60s"})["id"]
        server.wait_for(block, "running")
        waiting = server.submit("1")["id"]
        make_due(server, "one")
        time.sleep(1.2)
        expect_equal("not yet", get(server, "one")["runs"], 0)
        server.ask("DELETE", f"/v1/runs/{block}")
        server.wait_for(waiting)
        seen = wait_until(server, "one", lambda one: one["runs"] == 1, timeout=60)
        expect_equal("value", server.wait_for(seen["last_run"])["report"]["value"], 1)


def tests(context):
    return [Test("server", f"schedules_{function.__name__}", function) for function in TESTS]
