# SPDX-License-Identifier: Apache-2.0
"""The client against the server that CURFEW_SERVER names."""

import json
import os

import pytest

import curfew
from conftest import ADD_WAT, FOREVER

pytestmark = pytest.mark.skipif(not os.environ.get("CURFEW_SERVER"), reason="CURFEW_SERVER names no server")


@pytest.fixture(scope="module")
def client():
    return curfew.Client(os.environ["CURFEW_SERVER"])


def test_a_run_is_submitted_and_waited_for(client):
    report = client.run("export default (a, b) => a + b", params=[40, 2])
    assert (report.outcome, report.value) == ("ok", 42)
    report = client.run("for (;;);", limits=curfew.Limits(timeout=0.1))
    assert (report.outcome, report.exit_code) == ("deadline", 124)
    assert json.loads(report.to_json()) == report.raw
    assert client.run("for (;;);", limits={"timeout": "10s", "loops": "1M"}).tripped == ["loops"]


def test_a_run_is_followed_and_cancelled(client):
    run_id = client.submit("curfew.progress(1); for (;;);", limits=FOREVER)
    kinds = []
    for event in client.events(run_id):
        kinds.append(event.kind)
        if event.kind == "progress":
            assert event.data == 1
            report = client.cancel(run_id)
            assert report is None or report.outcome == "cancelled"
    assert kinds[-1] == "report" and client.get(run_id)["state"] == "done"
    assert client.cancel(run_id).outcome == "cancelled"


def test_the_same_key_never_runs_twice(client):
    first = client.submit("1", idempotency_key="once")
    assert client.submit("1", idempotency_key="once") == first


def test_programs_are_stored(client):
    stored = client.put_program("add", ADD_WAT, language="wat")
    assert stored["kind"] == "module" and client.get_program("add")["sha256"] == stored["sha256"]
    assert client.run(program="add", call="add", params=[1, 2]).value == 3
    assert [program["name"] for program in client.programs()] == ["add"]
    client.delete_program("add")
    assert client.stats()
    assert [node["state"] for node in client.nodes()] == ["active"]
    with pytest.raises(curfew.Problem) as raised:
        client.get_program("add")
    assert raised.value.status == 404


def test_runs_are_listed_over_pages(client):
    wanted = {client.submit(str(n)) for n in range(5)}
    for run_id in wanted:
        client.wait(run_id)
    assert wanted <= {run["id"] for run in client.runs(limit=2, state="done")}


def test_a_refusal_names_the_field(client):
    with pytest.raises(curfew.Problem) as raised:
        client.submit("1", limits={"timeout": "soon"})
    assert raised.value.status in (400, 422) and "timeout" in raised.value.pointer
    with pytest.raises(TypeError):
        client.submit()
    with pytest.raises(TypeError):
        client.submit("1", program="add")
    with pytest.raises(ValueError):
        curfew.Client("127.0.0.1:7433")


def test_a_server_that_is_not_there():
    with pytest.raises(OSError):
        curfew.Client("http://127.0.0.1:1", retries=0).get("x")
