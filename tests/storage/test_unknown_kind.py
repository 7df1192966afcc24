"""A node whose log holds an event of a version to come stops being ready, and does not guess."""

import httpx
import pytest

from api.app import build
from api.service import Service
from queue_service.clock import HandClock
from queue_service.codec import chain_row
from queue_service.database import Database
from queue_service.settings import Settings
from tests.metrics.driving import Drive, at
from tests.running import eventually

DATA = b'{"colour":"red"}'


def append_unknown(drive: Drive) -> None:
    """Another, newer process logs something."""
    seq, head = drive.view.seq + 1, drive.view.head
    head = chain_row(head, "hall", seq, seq, at(8), "me", "api", "hall_painted", 1, DATA)
    row = ("hall", seq, seq, at(8), "hall_painted", 1, "me", "api", DATA.decode(), head)
    with drive.database.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO event VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        connection.exec_driver_sql("UPDATE hall SET last_seq = ?, last_hash = ?", (seq, head))


async def ready(client: httpx.AsyncClient) -> tuple[int, str]:
    """What the node says of itself."""
    answer = await client.get("/readyz")
    return answer.status_code, " ".join(answer.json()["reasons"])


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
async def test_an_unknown_kind_makes_the_node_unready(database: Database, when: str) -> None:
    """/readyz says which kind it is; commands for the hall are not decided, and the log stays as it is."""
    drive = Drive(database, start_ms=at(8))
    drive.plan()
    if when == "before it starts":
        append_unknown(drive)
    service = Service(Settings(database_url=str(database.url)), HandClock(at(8)))
    transport = httpx.ASGITransport(build(service))
    async with service.running(), httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        if when == "while it runs":
            assert (await client.get("/v1/halls/hall/board")).status_code == 200
            assert await ready(client) == (200, "")
            append_unknown(drive)

        async def unready() -> bool:
            status, reasons = await ready(client)
            return status == 503 and "hall_painted version 1" in reasons

        await eventually(unready, "the node is unready")
        answer = await client.post("/v1/halls/hall/tickets", json={"service": "tax"})
        assert answer.status_code == 503
        assert (await client.get("/healthz")).status_code == 200
    assert database.read(lambda one: one.exec_driver_sql("SELECT count(*) FROM ticket").scalar_one()) == 0
