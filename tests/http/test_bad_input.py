"""Whatever is sent, the answer is one clear problem document, no fault of ours is logged, and nothing is written."""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from queue_service.database import Database
from tests.databases import on_both
from tests.halls import plan
from tests.http.bad_requests import ALL, JSON, STATES, Bad
from tests.http.conftest import NewHall
from tests.http.shapes import check_problem
from tests.running import Node, database_url

pytestmark = on_both("node")

TABLES = ("hall", "event", "ticket", "leg", "receipt")
LIMIT_BYTES = 1_048_576


def rows_of(node: Node) -> dict[str, int]:
    """How many rows each table of a node's database has."""
    with closing(Database(database_url(node.folder))) as database:
        return database.read(
            lambda one: {name: one.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in TABLES}  # noqa: S608
        )


class Place:
    """A hall with a ticket that waits, one that is served at counter 1, one that is finished; counter 3 is closed."""

    def __init__(self, node: Node, client: httpx.Client, hall: str) -> None:
        """Issue and serve."""
        self.node = node
        self.client = client
        tickets = [client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()["id"] for _ in range(3)]
        for finish in (False, True):
            called = client.post(f"/v1/halls/{hall}/counters/1/call-next", json={"finish_current": finish})
            client.post(f"/v1/tickets/{called.json()['id']}/start")
        self.names = {"hall": hall, "finished": tickets[0], "serving": tickets[1], "waiting": tickets[2]}

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return rows_of(self.node)

    def named(self, text: str) -> str:
        """Text with the names of this hall and its tickets."""
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def send(self, bad: Bad) -> httpx.Response:
        """Send a bad request."""
        content = bad.content
        if content is not None and len(content) < 10_000:
            content = self.named(content.decode("latin-1")).encode("latin-1")
        headers: Any = {**(JSON if content is not None else {}), **bad.headers}
        return self.client.request(bad.method, self.named(bad.path), content=content, headers=headers)


@pytest.fixture(scope="module")
def place(node: Node, client: httpx.Client, new_hall: NewHall) -> Place:
    """The hall that all bad requests are sent to."""
    return Place(node, client, new_hall(open_counters=2))


WORDS: list[tuple[bytes, str]] = [
    (b'{"service": "tax", "channel": "paper"}', "/channel: Input should be 'kiosk', 'desk', 'phone', 'web' or 'api'"),
    (b"[]", "/: Input should be an object"),
    (b"", "/: Field required"),
]


@pytest.mark.parametrize(("body", "detail"), WORDS)
def test_faults_are_told_in_no_words_of_python(place: Place, body: bytes, detail: str) -> None:
    """Neither how it writes the members of a closed set, nor what it calls an object."""
    answer = place.client.post(place.named("/v1/halls/{hall}/tickets"), content=body, headers=JSON)
    assert check_problem(answer, "invalid-request")["detail"] == detail


def test_faults_of_a_plan_are_told_in_no_words_of_python(place: Place) -> None:
    """Nor the class that was to be made of an entry."""
    alerts = {"burn": [{"kind": "breach_foreseen", "long_s": 60, "short_s": 60, "limit": 2}]}
    answer = place.client.put("/v1/halls/words", json={**plan("words", services=["tax"]), "alerts": alerts})
    told = check_problem(answer, "invalid-request")["detail"]
    assert "/services/0: Input should be an object" in told
    assert "/kind: Input should be 'burning_fast' or 'burning_slowly'" in told


def test_a_title_says_nothing_about_a_ticket_where_there_is_none(place: Place) -> None:
    """A hall that is not suspended cannot be resumed; a clerk who is at the counter is at no other."""
    resumed = check_problem(place.client.post(place.named("/v1/halls/{hall}/resume")), "wrong-state")
    assert (resumed["title"], resumed["detail"]) == (
        "The present state does not allow this.",
        "Nothing is suspended here.",
    )
    path = place.named("/v1/halls/{hall}/counters/1")
    clerk = place.client.get(path).json()["clerk"]
    relieved = check_problem(place.client.post(f"{path}/relieve", json={"clerk": clerk}), "clerk-elsewhere")
    assert relieved["title"] == "The clerk is signed on already."
    assert relieved["detail"] == f"{clerk} is signed on here already."


def test_a_body_called_nothing_is_told_what_it_must_be_called(place: Place) -> None:
    """As `curl -d` and the plainest clients send it; the text is the remedy."""
    answer = place.client.post(place.named("/v1/halls/{hall}/tickets"), content=b'{"service": "tax"}')
    assert "content-type" not in answer.request.headers
    assert check_problem(answer, "not-called-json")["detail"] == "Send it with Content-Type: application/json."


@pytest.mark.parametrize("name", ALL)
def test_a_bad_request_is_refused_and_nothing_is_written(place: Place, name: str) -> None:
    """It gets its status and its type of problem, the place of the fault, and every table stays as it was."""
    before = place.rows()
    response = place.send(ALL[name])
    assert response.status_code == ALL[name].status, response.text
    document = check_problem(response, ALL[name].problem)
    if ALL[name].place is not None:
        faults = document.get("faults") or [document]
        assert ALL[name].place in [fault["place"] for fault in faults], document
    assert place.rows() == before
    assert "Traceback" not in place.node.log
    assert "SELECT" not in response.text


@pytest.mark.parametrize("name", STATES)
def test_a_wrong_state_is_told(place: Place, name: str) -> None:
    """A 409 names the state that things are in now."""
    document = place.send(STATES[name]).json()
    assert document["state"] in ("waiting", "serving", "finished", "closed", "running")


@pytest.mark.parametrize("with_key", [False, True])
def test_a_body_too_large_by_its_own_word(place: Place, with_key: bool) -> None:
    """A Content-Length beyond the bound is 413 before a byte of the body was read."""
    body = b'{"service": "tax"}'.ljust(LIMIT_BYTES + 1)
    headers = {**JSON, **({"Idempotency-Key": "large"} if with_key else {})}
    before = place.rows()
    response = place.client.post(f"/v1/halls/{place.names['hall']}/tickets", content=body, headers=headers)
    assert response.status_code == 413
    assert "1048576 bytes" in check_problem(response, "too-large")["detail"]
    assert place.rows() == before


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tickets"), ("POST", "/resume"), ("POST", "/counters/1/call-next"), ("PUT", "")]
)
def test_a_body_too_large_piece_by_piece(place: Place, method: str, path: str) -> None:
    """A body without a length is 413 once more than the bound has come, whichever command it is for."""

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 65_536

    before = place.rows()
    url = f"/v1/halls/{place.names['hall']}{path}"
    response = place.client.request(method, url, content=pieces(), headers=JSON)
    assert response.status_code == 413
    assert "1048576 bytes" in check_problem(response, "too-large")["detail"]
    assert place.rows() == before


@pytest.mark.parametrize("path", ["/v1/halls/{hall}/tickets", "/v1/tickets/{waiting}/cancel"])
def test_a_client_that_hangs_up_in_the_midst_of_its_body(place: Place, path: str) -> None:
    """Half a request does nothing, and is no fault of ours."""
    before = place.rows()
    url = httpx.URL(place.node.base_url)
    head = (
        f"POST {place.named(path)} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
        connection.sendall(head.encode() + b'{"service"')
    assert place.client.get("/healthz").status_code == 200
    assert place.rows() == before
    assert "Traceback" not in place.node.log


def test_a_body_at_the_bound_is_taken(place: Place) -> None:
    """Exactly as many bytes as allowed are not too many."""
    body = b'{"service": "tax"}'.ljust(LIMIT_BYTES)
    response = place.client.post(f"/v1/halls/{place.names['hall']}/tickets", content=body, headers=JSON)
    assert response.status_code == 201


def test_a_plan_that_contradicts_itself_is_told_every_fault(place: Place) -> None:
    """All contradictions of a plan are named at once, each with its place in the document."""
    document = plan(
        "contradictory",
        zones=[{"id": "east", "name": "-"}, {"id": "east", "name": "-"}],
        services=[
            {"id": "tax", "name": "-", "prefix": "A"},
            {"id": "tax", "name": "-", "prefix": "A", "zone": "north"},
            {"id": "land", "name": "-", "prefix": "Z", "hours": [{"start": "12:00", "end": "12:00"}]},
        ],
        counters=[{"id": "1", "name": "-", "services": ["tax", "visa"]}],
        calendar={"peaks": [{"start": "11:00", "end": "09:00"}]},
        check_in_channels=["kiosk"],
    )
    before = place.rows()
    response = place.client.put("/v1/halls/contradictory", json=document)
    assert response.status_code == 422
    problem = check_problem(response, "plan-faulty")
    assert {fault["place"] for fault in problem["faults"]} == {
        "/zones/1/id",
        "/services/1/id",
        "/services/1/prefix",
        "/services/1/zone",
        "/services/2/hours/0/end",
        "/services/2/id",
        "/counters/0/services/1",
        "/calendar/peaks/0/end",
        "/check_in_channels/0",
        "/emergency_prefix",
    }
    assert all(fault["message"] for fault in problem["faults"])
    assert place.rows() == before
    assert place.client.get("/v1/halls/contradictory").status_code == 404


def test_many_faults_are_named_together(place: Place) -> None:
    """A request with three faults is told all three."""
    body = {"service": 1, "items": "x", "colour": "red"}
    response = place.client.post(f"/v1/halls/{place.names['hall']}/tickets", json=body)
    faults = check_problem(response, "invalid-request")["faults"]
    assert {fault["place"] for fault in faults} == {"/service", "/items", "/colour"}


def test_what_is_refused_leaves_a_turned_away_visitor_only(client: httpx.Client, new_hall: NewHall, node: Node) -> None:
    """The one refusal that is logged is a visitor turned away, as it must be counted."""
    hall = new_hall()
    client.post(f"/v1/halls/{hall}/suspend", json={"reason": "fire alarm", "turn_away": True})
    before = rows_of(node)
    response = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}, headers={"Idempotency-Key": "k"})
    assert response.status_code == 409
    after = rows_of(node)
    assert {table: after[table] - before[table] for table in TABLES} == {**dict.fromkeys(TABLES, 0), "event": 1}
