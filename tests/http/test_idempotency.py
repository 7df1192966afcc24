"""A request sent again with its key gets its first answer again; what was refused or empty is decided afresh."""

from typing import Any

import httpx

from tests.databases import on_both
from tests.http.conftest import NewHall
from tests.http.reading import log_of, of_kind

pytestmark = on_both("node")

KEYED = {"Idempotency-Key": "k-1"}


def test_the_first_answer_again_though_the_ticket_has_moved_on(client: httpx.Client, new_hall: NewHall) -> None:
    """A repeated issue gets its own 201 with its Location byte for byte, though the ticket is called by now."""
    hall = new_hall(open_counters=1)
    first = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}, headers=KEYED)
    client.post(f"/v1/halls/{hall}/counters/1/call-next")
    again = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}, headers=KEYED)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


def test_a_key_with_another_body_is_refused(client: httpx.Client, new_hall: NewHall) -> None:
    """The same key with another body is 422 key-reused and makes no ticket."""
    hall = new_hall()
    client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}, headers=KEYED)
    other = client.post(f"/v1/halls/{hall}/tickets", json={"service": "land"}, headers=KEYED)
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/key-reused"
    assert len(of_kind(log_of(client, hall), "ticket_issued")) == 1


def test_a_key_with_another_path_is_refused(client: httpx.Client, new_hall: NewHall) -> None:
    """The same key on another command of the hall is 422 key-reused."""
    hall = new_hall(open_counters=1)
    client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}, headers=KEYED)
    other = client.post(f"/v1/halls/{hall}/counters/1/call-next", headers=KEYED)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")


def test_a_key_belongs_to_its_hall(client: httpx.Client, new_hall: NewHall) -> None:
    """Two halls may see the same key: each gets a ticket of its own."""
    halls = [new_hall(), new_hall()]
    answers = [client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}, headers=KEYED) for hall in halls]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["hall"] for answer in answers] == halls


def test_a_refusal_leaves_no_receipt(client: httpx.Client, new_hall: NewHall) -> None:
    """A start refused because nobody was called yet succeeds with the same key once somebody was."""
    hall = new_hall(open_counters=1)
    ticket = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()["id"]
    refused = client.post(f"/v1/tickets/{ticket}/start", headers=KEYED)
    client.post(f"/v1/halls/{hall}/counters/1/call-next")
    started = client.post(f"/v1/tickets/{ticket}/start", headers=KEYED)
    assert (refused.status_code, started.status_code) == (409, 200)
    assert started.json()["state"] == "serving"


def test_an_empty_call_next_leaves_no_receipt(client: httpx.Client, new_hall: NewHall) -> None:
    """A call-next with nobody waiting is decided afresh: the same key calls who has come meanwhile."""
    hall = new_hall(open_counters=1)
    path = f"/v1/halls/{hall}/counters/1/call-next"
    empty = client.post(path, headers=KEYED)
    ticket = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()
    called, again = client.post(path, headers=KEYED), client.post(path, headers=KEYED)
    assert [answer.status_code for answer in (empty, called, again)] == [204, 200, 200]
    assert called.json()["id"] == ticket["id"]
    assert again.content == called.content
    assert len(of_kind(log_of(client, hall), "ticket_called")) == 1


def test_who_was_turned_away_may_ask_again_with_the_same_key(client: httpx.Client, new_hall: NewHall) -> None:
    """Being turned away is logged each time and stores no receipt: once it is over the same key gets a ticket."""
    hall = new_hall()
    client.post(f"/v1/halls/{hall}/suspend", json={"reason": "fire alarm", "turn_away": True})
    wish: dict[str, Any] = {"json": {"service": "tax"}, "headers": KEYED}
    refused = [client.post(f"/v1/halls/{hall}/tickets", **wish) for _ in range(2)]
    client.post(f"/v1/halls/{hall}/resume")
    given = client.post(f"/v1/halls/{hall}/tickets", **wish)
    assert [answer.json()["reason"] for answer in refused] == ["suspended", "suspended"]
    assert given.status_code == 201
    turned_away = of_kind(log_of(client, hall), "turned_away")
    assert turned_away == [{"service": "tax", "reason": "suspended", "channel": "api"}] * 2


def test_a_repeated_plan_keeps_its_etag(client: httpx.Client, new_hall: NewHall) -> None:
    """A repeated PUT with its key answers with the version it made, though the plan has changed since."""
    hall = new_hall()
    document = client.get(f"/v1/halls/{hall}").json()
    first = client.put(f"/v1/halls/{hall}", json={**document, "name": "second"}, headers=KEYED)
    client.put(f"/v1/halls/{hall}", json={**document, "name": "third"})
    again = client.put(f"/v1/halls/{hall}", json={**document, "name": "second"}, headers=KEYED)
    assert (first.headers["etag"], again.headers["etag"]) == ('"2"', '"2"')
    assert again.json()["name"] == "second"
    assert client.get(f"/v1/halls/{hall}").json()["name"] == "third"
