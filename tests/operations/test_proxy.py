"""Through the proxy of deploy/haproxy, as committed, to two real nodes on one PostgreSQL database."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import httpx
import pytest

from api.client import HallFollower
from tests.databases import free_port, new_postgres_url
from tests.faults.proving import prove_all
from tests.http.reading import log_of, of_kind
from tests.operations.proxy import Proxy, running_proxy
from tests.replicas.conftest import answered, put_hall
from tests.running import ROOT, Node, assigned, eventually, start_node
from tests.stream.relay import Relay, relay
from tests.stream.sockets import assert_gapless, hall_socket

DRAIN_S = 2
"""Longer than two checks of the proxy, as haproxy.cfg asks for."""
SAMPLE = ROOT / "deploy" / "halls" / "fengxian.toml"
STOPPED = -signal.SIGTERM
BODY = {"service": "tax"}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """Two, which drain when they are asked to stop; a test may put others in their places."""
    url = new_postgres_url()
    folders = [assigned(tmp_path_factory.mktemp("node"), url) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(_started, folders))
        yield started
        assert set(pool.map(Node.stop, started)) <= {0, STOPPED}
    for node in started:
        assert "Traceback" not in node.log, node.log


def _started(folder: Path) -> Node:
    return start_node(folder, "--hall", str(SAMPLE), QUEUE_DRAIN_S=str(DRAIN_S))


@pytest.fixture(scope="module")
def proxy(nodes: list[Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Before the two nodes."""
    with running_proxy(tmp_path_factory.mktemp("proxy"), *(node.base_url for node in nodes)) as one:
        yield one


def key(word: object) -> dict[str, str]:
    """A request's key."""
    return {"Idempotency-Key": str(word)}


async def test_requests_of_one_client_go_to_both_nodes(proxy: Proxy, nodes: list[Node]) -> None:
    """Nothing ties a client to a node: its tickets are given by both, with dense numbers."""
    path = f"/v1/halls/{put_hall(nodes[0], 'both')}/tickets"
    before = proxy.standing("stot")
    async with proxy.client() as client:
        numbers = [answered(await client.post(path, json=BODY), 201).json()["number"] for _ in range(10)]
    assert numbers == [f"A{number:03d}" for number in range(1, 11)]
    assert {int(given) - int(before[node]) for node, given in proxy.standing("stot").items()} == {5}


async def test_nodes_that_start_together_make_the_sample_hall_once(proxy: Proxy) -> None:
    """As in compose.replicas.yaml: both are told to make it if it is new."""
    async with proxy.client() as client:
        halls = [answered(await client.get("/v1/halls"), 200).json()["items"] for _ in range(2)]
        assert [[hall["id"] for hall in items if hall["id"] == SAMPLE.stem] for items in halls] == [[SAMPLE.stem]] * 2
        log = answered(await client.get(f"/v1/halls/{SAMPLE.stem}/events"), 200).json()["items"]
    assert [event["kind"] for event in log if event["kind"].startswith("plan")] == ["plan_changed"]


async def test_displays_follow_through_the_proxy(proxy: Proxy, nodes: list[Node]) -> None:
    """Websockets pass, one to each node; both are shown every event of both nodes."""
    hall = put_hall(nodes[0], "shown")
    async with hall_socket(proxy.base_url, hall) as one, hall_socket(proxy.base_url, hall) as other:
        first = [(await socket.frame())["seq"] for socket in (one, other)]
        async with proxy.client() as client:
            path = f"/v1/halls/{hall}/tickets"
            last = [answered(await client.post(path, json=BODY), 201).json()["seq"] for _ in range(4)][-1]
        for socket, seq in zip((one, other), first, strict=True):
            assert_gapless(await socket.until(last), seq)
        assert set(proxy.standing("scur", "streams").values()) == {"1"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), ("POST", "/v1/node/confirm-clock")])
async def test_what_tells_of_one_node_is_not_asked_through_the_proxy(proxy: Proxy, method: str, path: str) -> None:
    """404, as a problem document, before any node is asked."""
    async with proxy.client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_any_node_the_proxy_speaks_as_the_service_does(tmp_path: Path) -> None:
    """Nodes that are away: 503 with Retry-After as a problem document, nothing done."""
    with running_proxy(tmp_path, *[f"http://127.0.0.1:{free_port()}"] * 2, status="DOWN") as proxy:
        async with proxy.client() as client:
            answer = await client.post("/v1/halls/hall/tickets", json=BODY)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("1", "application/problem+json")


# -- an answer that gets lost between node and proxy


@pytest.fixture
async def lossy(nodes: list[Node], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Proxy, Relay]]:
    """A proxy whose line to the first node can lose the answers to commands."""
    async with relay(nodes[0].base_url) as line:
        line.loses_answers_like = b"HTTP/1.1 201 "
        proxies = running_proxy(tmp_path_factory.mktemp("lossy"), line.base_url, nodes[1].base_url)
        proxy = await asyncio.to_thread(proxies.__enter__)
        yield proxy, line
        await asyncio.to_thread(proxies.__exit__, None, None, None)


async def test_a_command_with_a_key_is_repeated_at_the_other_node(
    lossy: tuple[Proxy, Relay], nodes: list[Node]
) -> None:
    """It was done, its answer was lost: the proxy asks the other node under the same key, and the visitor gets the
    ticket that there is, once."""
    proxy, line = lossy
    hall = put_hall(nodes[0], "keyed")
    line.lost_answers = 1
    async with proxy.client() as client:
        path = f"/v1/halls/{hall}/tickets"
        answers = [answered(await client.post(path, json=BODY, headers=key(f"keyed-{turn}")), 201) for turn in range(2)]
    assert line.lost_answers == 0
    assert [answer.json()["number"] for answer in answers] == ["A001", "A002"]
    assert ["idempotency-replayed" in answer.headers for answer in answers].count(True) == 1
    assert issued(nodes, hall) == 2


async def test_a_command_without_a_key_is_not_repeated(lossy: tuple[Proxy, Relay], nodes: list[Node]) -> None:
    """Whether it was done cannot be known: 503 with Retry-After, as a problem document, and not a second ticket."""
    proxy, line = lossy
    hall = put_hall(nodes[0], "unkeyed")
    line.lost_answers = 1
    async with proxy.client() as client:
        answers = [await client.post(f"/v1/halls/{hall}/tickets", json=BODY) for _ in range(2)]
    assert sorted(answer.status_code for answer in answers) == [201, 503]
    [lost] = [answer for answer in answers if answer.status_code == 503]
    assert (lost.json()["type"], lost.headers["retry-after"]) == ("/problems/outcome-unknown", "1")
    assert lost.headers["content-type"] == "application/problem+json"
    assert issued(nodes, hall) == 2


def issued(nodes: list[Node], hall: str) -> int:
    """How many tickets the hall's log holds."""
    with nodes[0].client() as client:
        return len(of_kind(log_of(client, hall), "ticket_issued"))


# -- nodes that stop


class Visitors:
    """They take tickets without a pause, through the proxy, and repeat what was 503 under its key."""

    def __init__(self, proxy: Proxy, hall: str) -> None:
        """`given`: ticket ids; `refusals`: every answer that was no ticket."""
        self._proxy, self._path = proxy, f"/v1/halls/{hall}/tickets"
        self.given: list[str] = []
        self.refusals: list[httpx.Response] = []
        self.stop = asyncio.Event()

    async def run(self, names: int = 2) -> None:
        """Until `stop`, and until each has the ticket it asked for."""
        await asyncio.gather(*(self._visitor(name) for name in range(names)))

    async def _visitor(self, name: int) -> None:
        async with self._proxy.client() as client:
            for turn in count():
                if self.stop.is_set():
                    return
                while (answer := await client.post(self._path, json=BODY, headers=key(f"{name}-{turn}"))).is_error:
                    self.refusals.append(answer)
                self.given.append(answer.json()["id"])


async def given_more(visitors: Visitors, tickets: int = 20) -> None:
    """Wait until so many more tickets were given."""
    enough = len(visitors.given) + tickets
    await eventually(lambda: len(visitors.given) >= enough, "tickets are given")


async def watch(proxy: Proxy, hall: str, seen: list[int]) -> None:
    """A display behind the proxy, which comes back by itself: the place of everything that it was shown."""
    async with HallFollower(proxy.base_url, hall, first_delay_s=0.05) as display:
        async for _ in display:
            seen.append(display.seq)  # noqa: PERF401 (it goes on for ever; what it has seen so far is asked for)


def started_again(node: Node) -> Node:
    """A node anew, at its old address."""
    return start_node(node.folder, "--port", node.base_url.rpartition(":")[2])


async def test_a_rolling_restart_behind_the_proxy_shows_nothing_but_503(proxy: Proxy, nodes: list[Node]) -> None:
    """Both nodes are stopped and started, one after the other, under load. The proxy has turned away from a node
    before it closes; whatever is answered is a ticket or 503; a display goes on without a gap; all tickets are kept."""
    hall = put_hall(nodes[0], "rolling")
    visitors, seen = Visitors(proxy, hall), list[int]()
    load = asyncio.create_task(visitors.run())
    watching = asyncio.create_task(watch(proxy, hall, seen))
    for place, name in enumerate(("node-1", "node-2")):
        await given_more(visitors)
        nodes[place].process.terminate()
        await asyncio.to_thread(proxy.sees, name, "DOWN")
        assert nodes[place].process.poll() is None, "it drains"
        assert await asyncio.to_thread(nodes[place].stop) in (0, STOPPED)
        nodes[place] = await asyncio.to_thread(started_again, nodes[place])
        await asyncio.to_thread(proxy.sees, name, "UP")
    await given_more(visitors)
    visitors.stop.set()
    await load
    with nodes[0].client() as client:
        log = log_of(client, hall)
    await eventually(lambda: seen[-1] == log[-1]["seq"], "the display has been shown all")
    watching.cancel()
    await asyncio.wait([watching])
    assert {answer.status_code for answer in visitors.refusals} <= {503}
    assert sorted(event["ticket"] for event in of_kind(log, "ticket_issued")) == sorted(visitors.given)
    assert seen == [event["seq"] for event in log[seen[0] - 1 :]]
    assert prove_all(nodes[0].folder) > 0
