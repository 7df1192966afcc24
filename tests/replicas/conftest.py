"""Several real server processes on one PostgreSQL database, for the tests of a module."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.databases import new_postgres_url
from tests.halls import plan
from tests.http.reading import log_of
from tests.running import Node, assigned, database_url, running_node

Replicas = Callable[[int], list[Node]]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """`replicas(2)`: so many nodes of the module's database; at the end their logs must show no fault of their own."""
    url = new_postgres_url()
    nodes: list[Node] = []
    with ExitStack() as stack:

        def enough(size: int) -> list[Node]:
            while len(nodes) < size:
                folder: Path = assigned(tmp_path_factory.mktemp("replica"), url)
                nodes.append(stack.enter_context(running_node(folder)))
            return nodes[:size]

        yield enough
    for node in nodes:
        assert "Traceback" not in node.log, node.log


@pytest.fixture
def beside(replicas: Replicas) -> Iterator["psycopg.Connection[object]"]:
    """A connection of the test's own to the database of the replicas."""
    with psycopg.connect(database_url(replicas(1)[0].folder)) as connection:
        yield connection


def new_folder(path: Path) -> Path:
    """Make it."""
    path.mkdir()
    return path


def made_by(node: Node, hall: str) -> dict[int, tuple[str, str | None]]:
    """The events of a hall's log by their seq, in the form in which the clients of `tests.faults.load` remember theirs:
    kind and ticket. None is missing."""
    with node.client() as client:
        log = log_of(client, hall)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    return {event["seq"]: (event["kind"], event["data"].get("ticket")) for event in log}


def put_hall(node: Node, hall: str, counters: int = 0, **changes: object) -> str:
    """Make a hall with so many counters, all open."""
    with node.client() as client:
        document = plan(hall, windows=max(counters, 1), **changes)
        assert client.put(f"/v1/halls/{hall}", json=document).status_code == 201
        for number in range(1, counters + 1):
            opened = client.post(f"/v1/halls/{hall}/counters/{number}/open", json={"clerk": f"clerk-{number}"})
            assert opened.status_code == 200, opened.text
    return hall


def answered(answer: httpx.Response, *statuses: int) -> httpx.Response:
    """The answer, if it is one of these."""
    assert answer.status_code in statuses, f"{answer.request.url}: {answer.status_code} {answer.text}"
    return answer
