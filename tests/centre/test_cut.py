"""The line between a hall and its centre is cut: the hall goes on, the centre says that it is stale, and catches up."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from queue_service.clock import HandClock, SystemClock
from queue_service.freshness import STALE_MS
from tests.centre.halls import put_hall, work
from tests.centre.line import line
from tests.faults.proving import prove_all
from tests.http.conftest import TOKEN
from tests.replicas.conftest import new_folder
from tests.running import WAIT_S, Inner, eventually, inner_node, running_node
from tests.stream.other_process import put_plans
from tests.stream.sockets import assert_gapless, hall_socket

HALL = "/v1/halls/hall"
UNREAD = "the hall's node cannot be read"


async def followed(centre: Inner, hall: str = "hall") -> dict[str, Any]:
    """What the centre says of a hall that it follows."""
    items = (await centre.client.get("/v1/following")).json()["items"]
    found: dict[str, Any] = next(one for one in items if one["hall"] == hall)
    return found


async def until_followed(centre: Inner, seq: int) -> None:
    """Wait until the centre has the log up to here, and says that it is fresh."""

    async def has() -> bool:
        found = await followed(centre)
        return found["seq"] >= seq and not found["stale"]

    await eventually(has, f"the centre has event {seq}")


async def until_problem(centre: Inner, problem: str, hall: str = "hall") -> None:
    """Wait until the centre says what is wrong."""

    async def says() -> bool:
        return problem in ((await followed(centre, hall))["problem"] or "")

    await eventually(says, f"the centre says {problem!r} of {hall}")


async def pass_time(centre: Inner, clock: HandClock, ms: int) -> None:
    """Let time pass, and the centre read its own database meanwhile: that is not what is to grow old."""
    for step_ms in (ms - 1, 1):
        clock.set_ms(clock.now_ms() + step_ms)
        await eventually(
            lambda: centre.service.feed.freshness.as_of_ms == clock.now_ms(), "the centre has read its database"
        )


async def test_a_hall_goes_on_while_its_line_is_cut_and_the_centre_is_not_fooled(tmp_path: Path) -> None:
    """After 15 s the centre's displays of that hall are let go, and boards, readiness and metrics say how old they are;
    past midnight, too. Mended, it catches up by itself, and a display that comes back has missed nothing."""
    (tmp_path / "hall").mkdir()
    (tmp_path / "centre").mkdir()
    clock = HandClock(SystemClock().now_ms())
    with running_node(tmp_path / "hall") as node:
        await asyncio.to_thread(put_hall, node, "hall")
        begun = await asyncio.to_thread(work, node, "hall", 6)
        async with line(node.base_url) as to_hall, inner_node(
            tmp_path / "centre", clock, follow={"hall": to_hall.url}, follow_s=0.05
        ) as centre:  # fmt: skip
            await until_followed(centre, begun)
            async with hall_socket(centre.base_url) as display:
                place = await display.frame()
                await to_hall.cut()
                await until_problem(centre, "cannot be reached")
                later = await asyncio.to_thread(work, node, "hall", 9)
                await pass_time(centre, clock, STALE_MS + 1)
                assert await asyncio.wait_for(display.closed(), WAIT_S) == (1013, UNREAD)
            await _is_stale(centre, place["seq"])
            await pass_time(centre, clock, 86_400_000)  # its day is over here, and nobody opens another one
            await _is_stale(centre, place["seq"])
            await to_hall.mend()
            await until_followed(centre, later)
            async with hall_socket(centre.base_url, after=place["seq"], head=place["head"]) as display:
                assert_gapless(await display.until(later), place["seq"])
            assert (await centre.client.get("/readyz")).json()["stale_halls"] == []
    assert await asyncio.to_thread(prove_all, tmp_path / "centre") == later


async def _is_stale(centre: Inner, seq: int) -> None:
    found = await followed(centre)
    assert (found["stale"], found["seq"], found["lag_s"] > STALE_MS / 1000) == (True, seq, True)
    ready = await centre.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    (told,) = ready.json()["stale_halls"]
    assert told.startswith(f"hall: {UNREAD} (last read at 20")
    board = (await centre.client.get(f"{HALL}/board")).json()
    assert (board["seq"], board["as_of"]) == (seq, found["as_of"])
    for path in ("promise", "promise-report", "tickets", "menu", "events", "legs.csv"):
        assert (await centre.client.get(f"{HALL}/{path}")).status_code == 200, path
    (lag,) = [
        line for line in (await centre.client.get("/metrics")).text.splitlines() if line.startswith("queue_follow_l")
    ]
    assert float(lag.split()[1]) > STALE_MS / 1000
    async with hall_socket(centre.base_url) as late:
        with pytest.raises(ConnectionClosed, match=rf"1013 .*{UNREAD}"):
            await late.any_frame()


async def test_a_centre_that_starts_while_a_line_is_cut_shows_what_it_has_as_old(tmp_path: Path) -> None:
    """The board is as of the last event, the hall is stale until its node answers, and lag is without end."""
    (tmp_path / "hall").mkdir()
    (tmp_path / "centre").mkdir()
    with running_node(tmp_path / "hall") as node:
        await asyncio.to_thread(put_hall, node, "hall")
        begun = await asyncio.to_thread(work, node, "hall", 6)
        async with line(node.base_url) as to_hall:
            options: dict[str, Any] = {"follow": {"hall": to_hall.url}, "follow_s": 0.05}
            async with inner_node(tmp_path / "centre", **options) as centre:
                await until_followed(centre, begun)
            await to_hall.cut()
            async with inner_node(tmp_path / "centre", **options) as centre:
                await until_problem(centre, "cannot be reached")
                found = await followed(centre)
                assert (found["stale"], found["lag_s"], found["as_of"], found["seq"]) == (True, None, None, begun)
                board = (await centre.client.get(f"{HALL}/board")).json()
                last = (await centre.client.get(f"{HALL}/events?after={begun - 1}")).json()["items"][0]
                assert board["as_of"] == last["at"]
                assert 'queue_follow_lag_seconds{hall="hall"} +Inf' in (await centre.client.get("/metrics")).text
                await to_hall.mend()
                await until_followed(centre, await asyncio.to_thread(work, node, "hall", 2))


async def test_what_does_not_follow_is_not_taken(tmp_path: Path) -> None:
    """A changed event, a wrong token, a hall that is not there: each is named, stale, and holds no other hall up."""
    for name in ("node", "guarded", "centre"):
        (tmp_path / name).mkdir()
    with running_node(tmp_path / "node") as node, running_node(
        tmp_path / "guarded", "--auth", "token", QUEUE_TOKEN=TOKEN
    ) as guarded:  # fmt: skip
        for hall in ("hall", "forged"):
            await asyncio.to_thread(put_hall, node, hall)
            await asyncio.to_thread(work, node, hall, 8)
        with closing(sqlite3.connect(node.database)) as connection, connection:
            changed = "UPDATE event SET actor = 'somebody else' WHERE hall = 'forged' AND seq = 7"
            assert connection.execute(changed).rowcount == 1
        halls = {"hall": node, "forged": node, "missing": node, "closed": guarded}
        follow = {hall: one.base_url for hall, one in halls.items()}
        async with inner_node(
            tmp_path / "centre", follow=follow, follow_tokens={"closed": "wrong"}, follow_s=0.05
        ) as centre:
            await until_problem(centre, "the hash of event 7 does not follow from its contents", "forged")
            await until_problem(centre, "answers 404: There is no hall 'missing'", "missing")
            await until_problem(centre, "answers 401: Send Authorization: Bearer TOKEN", "closed")
            await until_followed(centre, 8)
            assert [one["id"] for one in (await centre.client.get("/v1/halls")).json()["items"]] == ["hall"]
            assert len((await centre.client.get("/readyz")).json()["stale_halls"]) == 3


async def test_what_is_written_to_a_hall_at_its_centre_is_noticed(tmp_path: Path) -> None:
    """`apply` on the centre's database, say: the centre does not go on calling itself fresh, and says why."""
    centre_folder = new_folder(tmp_path / "centre")
    with running_node(new_folder(tmp_path / "hall")) as node:
        await asyncio.to_thread(put_hall, node, "hall")
        seq = await asyncio.to_thread(work, node, "hall", 3)
        async with inner_node(centre_folder, follow={"hall": node.base_url}, follow_s=0.1) as centre:
            await until_followed(centre, seq)
            await asyncio.to_thread(put_plans, "hall", centre_folder, ["another"])
            await until_problem(centre, "another history")
            found = await followed(centre)
            assert (found["stale"], found["other_history"]) == (True, {"common_seq": seq, "only_here": 1})
