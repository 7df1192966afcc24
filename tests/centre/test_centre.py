"""A centre follows halls at nodes of their own, shows each as its own node does, and decides nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.answers import FollowedList
from tests.centre.halls import followed, put_hall, seq_of, shown, until_followed, work
from tests.cli.conftest import Command, queue_service
from tests.databases import Kind, kept_by
from tests.faults.proving import prove_all
from tests.http.conftest import BEARER, TOKEN
from tests.http.shapes import AT_A_CENTRE, OPERATIONS, check_problem
from tests.running import Node, command_line, running_node, until
from tests.stream.sockets import assert_gapless, hall_socket

__all__ = ["queue_service"]

NOT_COMMANDS = AT_A_CENTRE | {("POST", "/v1/node/confirm-clock"), ("POST", "/v1/halls/{hall}/plan-check")}
"""They change nothing of a hall."""
REASON = {"reason": "asked"}
BODIES: dict[str, dict[str, Any]] = {
    "announced": {"number": "A001", "display": "lobby", "voice": "none"},
    "answer": {"answer": "accepted"},
    "backfill": {**REASON, "tickets": [{"service": "tax", "arrived_at": "2026-11-24T09:00:00Z"}]},
    "call": {"number": "A001", **REASON},
    "change": {"service": "land", **REASON},
    "hand-over": {"to_counter": "2"},
    "open": {"clerk": "wang"},
    "park": REASON,
    "pause": REASON,
    "phone-tickets": {"service": "tax"},
    "postpone": {"by_s": 60},
    "relieve": {"clerk": "wang"},
    "suspend": REASON,
    "tickets": {"service": "tax"},
    "transfer": {"service": "land"},
}
"""Of the commands that need one, by the last word of their path."""


@dataclass
class District:
    """Two halls at nodes of their own (the first asks for a token), and a centre."""

    nodes: dict[str, Node]
    centre: Node
    options: dict[str, dict[str, Any]]

    def work(self, hall: str, visitors: int) -> int:
        """Visitors come to a hall; where its log ends then."""
        return work(self.nodes[hall], hall, visitors, **self.options[hall])


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """With a log at each hall before the centre begins, on a server. In the end each database is proved, and no log has
    a fault."""
    options: dict[str, dict[str, Any]] = {"east": {"headers": BEARER}, "west": {}}
    with ExitStack() as stack:
        east = stack.enter_context(running_node(tmp_path_factory.mktemp("east"), "--auth", "token", QUEUE_TOKEN=TOKEN))
        west = stack.enter_context(running_node(tmp_path_factory.mktemp("west")))
        nodes = {"east": east, "west": west}
        for hall, node in nodes.items():
            put_hall(node, hall, **options[hall])
            work(node, hall, 20, **options[hall])
        folder: Path = kept_by(Kind.POSTGRESQL, tmp_path_factory.mktemp("centre"))
        follow = [f"--follow={hall}={node.base_url}" for hall, node in nodes.items()]
        token = {"QUEUE_FOLLOW_TOKENS": f'{{"east": "{TOKEN}"}}', "QUEUE_FOLLOW_S": "0.1"}
        centre = stack.enter_context(running_node(folder, *follow, **token))
        yield District(nodes, centre, options)
        for node in (*nodes.values(), centre):
            prove_all(node.folder)
    for node in (*nodes.values(), centre):
        assert "Traceback" not in node.log, node.log


@pytest.fixture
def client(district: District) -> Iterator[httpx.Client]:
    """Of the centre."""
    with district.centre.client() as one:
        yield one


def test_a_centre_shows_each_hall_as_its_own_node_does(district: District, client: httpx.Client) -> None:
    """What was there before it began and what came after: log, board, tickets, legs and report are the same."""
    for hall, node in district.nodes.items():
        until_followed(client, hall, district.work(hall, 10))
        with node.client(**district.options[hall]) as at_the_hall:
            assert shown(client, hall) == shown(at_the_hall, hall)
    assert {one["id"] for one in client.get("/v1/halls").json()["items"]} == {"east", "west"}


async def test_displays_at_the_centre_see_every_event(district: District) -> None:
    """In order, once, as at the hall itself."""
    async with hall_socket(district.centre.base_url, "west") as display:
        place = await display.frame()
        with district.nodes["west"].client() as at_the_hall:
            for _ in range(5):
                at_the_hall.post("/v1/halls/west/tickets", json={"service": "tax"}).raise_for_status()
            seq = seq_of(at_the_hall, "west")
        assert_gapless(await display.until(seq), place["seq"])


def test_it_tells_how_fresh_each_hall_is(district: District, client: httpx.Client) -> None:
    """By name, in readiness and in metrics; a hall whose log is followed to its end is not stale."""
    for hall, node in district.nodes.items():
        until(lambda hall=hall: not followed(client, hall)["stale"], "it is followed")  # type: ignore[misc]
        found = followed(client, hall)
        assert (found["node"], found["problem"], found["other_history"]) == (node.base_url, None, None)
        assert 0 <= found["lag_s"] < 15
    FollowedList.model_validate(client.get("/v1/following").json())
    assert client.get("/readyz").json() == {"status": "ready", "reasons": [], "stale_halls": []}
    as_of = followed(client, "east")["as_of"]
    assert client.get("/v1/halls/east/board").json()["as_of"] >= as_of


def test_the_metrics_of_all_halls_are_at_the_centre(district: District, client: httpx.Client) -> None:
    """Gauges of each hall, counters of what was taken in since it began, and how fresh each hall is."""
    until(lambda: not followed(client, "east")["stale"], "it is followed")
    before = sample(client, "queue_calls_total", "east", service="tax")
    until_followed(client, "east", district.work("east", 12))
    for hall in district.nodes:
        assert sample(client, "queue_waiting", hall, service="tax") > 0
        assert sample(client, "queue_follow_lag_seconds", hall) < 15
        assert sample(client, "queue_follow_other_history", hall) == 0
    assert sample(client, "queue_calls_total", "east", service="tax") > before


def sample(client: httpx.Client, name: str, hall: str, **labels: str) -> float:
    """The value of a series of a hall; 0 where there is none yet."""
    wanted = {f'{label}="{value}"' for label, value in {"hall": hall, **labels}.items()}
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f"{name}{{") and wanted <= set(line[len(name) + 1 : line.index("}")].split(",")):
            return float(line.rpartition(" ")[2])
    return 0.0


def test_no_command_is_taken(district: District, client: httpx.Client) -> None:
    """Each is 403 `read-only` and names the hall's own node; nothing of the hall changes."""
    until(lambda: not followed(client, "west")["stale"], "it is followed")
    ticket = client.get("/v1/halls/west/tickets").json()["items"][0]["id"]
    before = seq_of(client, "west")
    names = {"hall": "west", "ticket": ticket, "counter": "1", "alert": "none", "advice": "none"}
    commands = {one for one in OPERATIONS if one[0] != "GET"} - NOT_COMMANDS
    assert len(commands) > 30
    for method, path in sorted(commands):
        body = client.get("/v1/halls/west").json() if method == "PUT" else BODIES.get(path.rpartition("/")[2], {})
        answer = client.request(method, path.format(**names), json=body)
        assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text}"
        assert check_problem(answer, "read-only")["node"] == district.nodes["west"].base_url
    unknown = client.post("/v1/halls/nowhere/tickets", json={"service": "tax"})
    assert (unknown.status_code, "node" in unknown.json()) == (403, False)
    advised = client.get("/v1/halls/west/staffing").json()
    assert (advised["advice"], advised["given"]) == ([], [])
    with district.nodes["west"].client() as at_the_hall:
        assert seq_of(at_the_hall, "west") == seq_of(client, "west") == before


def test_there_is_nothing_to_accept_where_histories_are_the_same(district: District, client: httpx.Client) -> None:
    """At the centre, and at a node that follows nobody."""
    for node in (district.centre, district.nodes["west"]):
        with node.client() as one:
            check_problem(one.post("/v1/halls/west/accept-history"), "no-other-history")
    done = command_line("accept-history", "west", "--url", district.centre.base_url)
    assert (done.returncode, "answered 409: Nothing of west is to be accepted." in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--follow", "west"), "follow: write it as HALL=VALUE, not 'west'"),
        (("--follow", "west=ftp://west"), "QUEUE_FOLLOW: west is followed at http://HOST or https://HOST"),
        (("--follow", "west=http://me:secret@west"), "QUEUE_FOLLOW: west is followed at http://HOST"),
        (("--follow", "West Hall=http://west"), "QUEUE_FOLLOW: 'West Hall' is no hall's id."),
        (("--follow-tokens", "west=x"), "QUEUE_FOLLOW_TOKENS: west is not followed."),
        (("--follow", "west=http://west", "--hall", "plan.toml"), "A node that follows halls makes none"),
    ],
)
def test_what_cannot_be_followed_is_named(
    queue_service: Command, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """Before anything is opened."""
    done = queue_service("serve", "--database-url", f"sqlite:///{tmp_path / 'queue.db'}", *options)
    assert (done.code, said in done.err) == (2, True), done.err
    assert not (tmp_path / "queue.db").exists()
