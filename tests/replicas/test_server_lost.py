"""PostgreSQL goes away under a running node, as in a crash, and comes back."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.databases import Server
from tests.faults.proving import verify
from tests.halls import plan
from tests.http.shapes import check_problem
from tests.running import WAIT_S, assigned, running_node, until

SETTINGS = {"autovacuum": "off"}


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, with durability on."""
    made = Server(SETTINGS, "lost").make().start()
    yield made
    made.remove()


def take(client: httpx.Client, key: str) -> httpx.Response:
    """Take a ticket by a key."""
    return client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers={"Idempotency-Key": key})


def test_a_crashed_server_loses_nothing_acknowledged_and_is_found_again(server: Server, tmp_path: Path) -> None:
    """Stopped at once (as a crash is) and started again: 503 with Retry-After in between, then the node goes on; what
    was acknowledged is there, the retries by key give one ticket each, and the log proves true."""
    with running_node(assigned(tmp_path, server.url("postgres"))) as node, node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        given = [take(client, f"before-{number}").json() for number in range(20)]
        server.stop(signal.SIGQUIT)
        refused = take(client, "between")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        server.start()
        until(lambda: take(client, "between").status_code == 201, "commands are decided again")
        for number, ticket in enumerate(given):
            again = take(client, f"before-{number}")
            assert (again.status_code, again.json()["id"]) == (201, ticket["id"])
        assert take(client, "between").json()["number"] == "A021"
        until(lambda: client.get("/readyz").status_code == 200, "it is ready")
        assert "Traceback" not in node.log
    verify(tmp_path)


def test_what_is_asked_meanwhile_is_answered_from_memory_or_503(server: Server, tmp_path: Path) -> None:
    """Every address that reads, of a hall, of an open ticket and of one that is over: no fault of the node's."""
    with running_node(assigned(tmp_path, server.url("postgres"))) as node, node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        first, second = (take(client, f"{number}").json()["id"] for number in range(2))
        assert client.post(f"/v1/tickets/{first}/cancel").status_code == 200
        reads = [path for path, item in client.get("/openapi.json").json()["paths"].items() if "get" in item]
        server.stop(signal.SIGQUIT)
        answers = {
            address: client.get(address)
            for path in reads
            for ticket in (first, second)
            for address in [path.format(hall="hall", ticket=ticket, chart="wait", counter="1", name="x")]
        }
        assert {address: one.status_code for address, one in answers.items() if one.status_code == 500} == {}
        refused = {address: one for address, one in answers.items() if one.status_code == 503}
        assert all(one.headers["retry-after"] for one in refused.values())
        assert {
            f"/v1/tickets/{first}",
            "/v1/halls",
            "/v1/halls/hall/events",
            "/v1/halls/hall/charts/wait.svg",
        } <= refused.keys()
        assert "Traceback" not in node.log


def test_nobody_hangs_on_a_table_that_somebody_holds(server: Server, tmp_path: Path) -> None:
    """Whoever wants to read it is told to come again, within seconds."""
    with running_node(assigned(tmp_path, server.url("postgres"))) as node, node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        with psycopg.connect(server.url("postgres")) as other:
            other.execute("LOCK TABLE leg IN ACCESS EXCLUSIVE MODE")
            check_problem(client.get("/v1/halls/hall/legs.csv", timeout=WAIT_S), "unreadable")
            other.rollback()
        assert client.get("/v1/halls/hall/legs.csv").status_code == 200
