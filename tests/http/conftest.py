"""One real server process for each module of tests, and clients of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.databases import asked_for, kept_by
from tests.halls import plan
from tests.http.desk import Desks, desks_in
from tests.http.served import Place, served
from tests.running import Node, running_node

NewHall = Callable[..., str]
TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A server process; at the end its log must show no fault of its own."""
    folder: Path = kept_by(asked_for(request), tmp_path_factory.mktemp("node"))
    with running_node(folder) as running:
        yield running
    assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="module")
def client(node: Node) -> Iterator[httpx.Client]:
    """A client of the module's node."""
    with node.client() as one:
        yield one


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A server process that asks for TOKEN, with the hall `hall` whose counter 1 is open."""
    with running_node(tmp_path_factory.mktemp("guarded"), "--auth", "token", QUEUE_TOKEN=TOKEN) as running:
        with running.client(headers=BEARER) as client:
            assert client.put("/v1/halls/hall", json=plan()).status_code == 201
            assert client.post("/v1/halls/hall/counters/1/open", json={"clerk": "li"}).status_code == 200
        yield running
    assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="module")
def new_hall(client: httpx.Client) -> NewHall:
    """Makes halls: `new_hall(open_counters=2, **changes)` gives the id of a new one with some counters open."""
    numbers = count(1)

    def make(open_counters: int = 0, windows: int = 3, **changes: Any) -> str:
        hall = f"hall-{next(numbers)}"
        document = plan(hall, windows=max(windows, open_counters), **changes)
        assert client.put(f"/v1/halls/{hall}", json=document).status_code == 201
        for number in range(1, open_counters + 1):
            opened = client.post(f"/v1/halls/{hall}/counters/{number}/open", json={"clerk": f"clerk-{number}"})
            assert opened.status_code == 200, opened.text
        return hall

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """A node in this process whose connections are watched."""
    async with served(tmp_path_factory.mktemp("inside")) as place:
        yield place


@pytest.fixture
def place(inside: Place) -> Place:
    """The same, with nothing written down yet."""
    inside.long.clear()
    return inside


@pytest.fixture
async def desks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desks]:
    """Halls under a clock set by hand."""
    async with desks_in(kept_by(asked_for(request), tmp_path)) as made:
        yield made
