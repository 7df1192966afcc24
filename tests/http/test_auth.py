"""Who may ask: with a token everything is denied but what a visitor and a health check need; without one, loopback."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.halls import plan
from tests.http.conftest import BEARER, TOKEN
from tests.http.reading import log_of
from tests.http.shapes import OPERATIONS, check_problem
from tests.running import Node, command_line, database_url, running_node

ANYBODY = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/asyncapi.json"),
    ("GET", "/v1/tickets/{ticket}"),
    ("GET", "/v1/tickets/{ticket}/menu"),
    ("POST", "/v1/tickets/{ticket}/check-in"),
    ("POST", "/v1/tickets/{ticket}/postpone"),
    ("POST", "/v1/tickets/{ticket}/rejoin"),
    ("POST", "/v1/tickets/{ticket}/cancel"),
}
"""Operations that need no token: health, descriptions, and what holding a ticket's id gives a right to."""


def _issue(guarded: Node) -> str:
    with guarded.client(headers=BEARER) as staff:
        ticket: dict[str, Any] = staff.post("/v1/halls/hall/tickets", json={"service": "tax"}).json()
    return str(ticket["id"])


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS - ANYBODY))
def test_without_the_token_everything_is_denied(guarded: Node, method: str, path: str) -> None:
    """Every operation but those listed is 401 and tells how to ask; a new one is denied until it is listed here."""
    url = path.format(hall="hall", counter="1", alert="none", advice="none", ticket=f"hall.{'0' * 26}", chart="wait")
    with guarded.client() as anybody:
        refused = anybody.request(method, url, json={"service": "tax"} if "phone" in path else {})
    assert refused.status_code == 401
    check_problem(refused, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), sorted(ANYBODY))
def test_what_anybody_may_ask(guarded: Node, method: str, path: str) -> None:
    """Health, descriptions and the holder's own ticket are answered without a token."""
    url = path.format(ticket=_issue(guarded))
    with guarded.client() as anybody:
        answer = anybody.request(method, url, json={"by_s": 60} if "postpone" in path else None)
    assert answer.status_code in (200, 409), answer.text


def test_a_plan_may_let_phones_in(guarded: Node) -> None:
    """Then the menu and a ticket by phone need no token, and nothing else of that hall is open; unknown halls are not
    told from those that are closed to phones."""
    with guarded.client(headers=BEARER) as staff, guarded.client() as phone:
        document = plan("open", phone={"tickets": True, "come_now_ahead": 5})
        staff.put("/v1/halls/open", json=document).raise_for_status()
        menu = phone.get("/v1/halls/open/menu").json()
        assert (menu["phone_tickets"], menu["come_now_ahead"]) == (True, 5)
        assert [(one["name"], one["waiting"]) for one in menu["services"]] == [("税务", 0), ("不动产", 0)]
        taken = phone.post("/v1/halls/open/phone-tickets", json={"service": "tax", "language": "en"})
        assert (taken.status_code, taken.json()["channel"]) == (201, "phone")
        assert phone.get(f"/v1/tickets/{taken.json()['id']}/menu").json()["name"] == "大厅"
        closed = [phone.get(f"/v1/halls/{hall}/menu") for hall in ("hall", "nowhere")]
        assert closed[0].content == closed[1].content
        closed += [phone.post("/v1/halls/open/tickets", json={"service": "tax"}), phone.get("/v1/halls/open/board")]
        assert {one.status_code for one in closed} == {401}


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_description_is_free(guarded: Node, path: str) -> None:
    """An integrator reads the contract before having a token."""
    with guarded.client() as anybody:
        assert anybody.get(path).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer another-token-of-some-length", id="another token"),
        pytest.param(f"Bearer {TOKEN}x", id="one character too many"),
        pytest.param(f"Bearer {TOKEN[:-1]}", id="one too few"),
        pytest.param(f"Basic {TOKEN}", id="another scheme"),
        pytest.param(TOKEN, id="no scheme"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer \xff".encode("latin-1"), id="no ASCII"),
    ],
)
def test_a_wrong_token_is_no_token(guarded: Node, header: str | bytes) -> None:
    """Only the very token counts."""
    given: Any = {"Authorization": header}
    with guarded.client() as anybody:
        assert anybody.get("/v1/halls", headers=given).status_code == 401


@pytest.mark.parametrize("path", ["/nothing", "/v1/halls/hall?access_token=" + TOKEN, "/v1/tickets/a/b", "/V1/halls"])
def test_other_addresses_are_denied_too(guarded: Node, path: str) -> None:
    """What no rule allows is 401, addresses that do not exist and tokens in an address included."""
    with guarded.client() as anybody:
        assert anybody.get(path).status_code == 401


@pytest.mark.parametrize("verb", ["start", "finish", "no-show", "recall", "park", "transfer", "change", "hand-over"])
def test_a_visitor_is_no_clerk(guarded: Node, verb: str) -> None:
    """Holding a ticket's id gives no right to the commands of the staff."""
    with guarded.client() as visitor:
        assert visitor.post(f"/v1/tickets/{_issue(guarded)}/{verb}", json={}).status_code == 401


def test_the_log_says_who_asked(guarded: Node) -> None:
    """A ticket issued with the token and cancelled by its holder has both actors in its events."""
    ticket = _issue(guarded)
    with guarded.client() as visitor:
        assert visitor.post(f"/v1/tickets/{ticket}/cancel").json()["state"] == "cancelled"
    with guarded.client(headers=BEARER) as staff:
        events = [event for event in log_of(staff, "hall") if event["data"].get("ticket") == ticket]
    assert [(event["kind"], event["actor"]) for event in events] == [
        ("ticket_issued", "token"),
        ("ticket_cancelled", "visitor"),
    ]


def test_a_visitors_key_is_not_the_staffs(guarded: Node) -> None:
    """Receipts belong to the actor: a visitor who uses a key of the staff does not get the staff's answer."""
    ticket, key = _issue(guarded), {"Idempotency-Key": "shared"}
    with guarded.client(headers=BEARER) as staff, guarded.client() as visitor:
        staff.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers=key)
        answer = visitor.post(f"/v1/tickets/{ticket}/cancel", headers=key)
    assert (answer.status_code, answer.json()["id"]) == (200, ticket)


def test_a_node_with_a_token_may_listen_anywhere(tmp_path: Path) -> None:
    """With QUEUE_TOKEN set the node serves all addresses of the machine."""
    env = {"QUEUE_AUTH": "token", "QUEUE_TOKEN": TOKEN, "QUEUE_HOST": "0.0.0.0"}  # noqa: S104 (that is the point)
    with running_node(tmp_path, **env) as node:
        port = httpx.URL(node.base_url).port
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/v1/halls").status_code == 401


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--host", "0.0.0.0"), "QUEUE_AUTH=open is for loopback only, not 0.0.0.0"),  # noqa: S104 (refused)
        (("--auth", "token", "--token", "short"), "needs a QUEUE_TOKEN of at least 16 characters"),
    ],
)
def test_an_unguarded_node_is_refused(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    """`serve` ends with exit code 2 and one line that says what to set; nothing was opened."""
    done = command_line("serve", "--port", "0", "--database-url", database_url(tmp_path), *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "queue.db").exists()
