"""A node inside the tests, under real uvicorn on a real socket: one for each module, with a hall for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.client import QueueClient
from tests.databases import asked_for, kept_by
from tests.running import Inner, inner_node
from tests.stream.lobby import Lobby, Nodes, new_hall

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a module share an event loop, as they share a node."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Inner, QueueClient]]:
    """A node and a client of it."""
    async with inner_node(tmp_path_factory.mktemp("node")) as node, QueueClient(node.base_url) as client:
        yield node, client


@pytest_asyncio.fixture(loop_scope="module")
async def lobby(shared_node: tuple[Inner, QueueClient]) -> Lobby:
    """A new hall on the module's node, under the machine's clock."""
    return await new_hall(*shared_node)


@pytest_asyncio.fixture(loop_scope="module")
async def nodes(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Nodes]:
    """Nodes of the test's own, for what needs a clock, a setting, an end; `on_both` kinds of databases, if asked."""
    own = Nodes(kept_by(asked_for(request), tmp_path))
    yield own
    await own.stop()
