"""A clock that jumps: the node says it is not ready and opens no day until an operator has confirmed the time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from queue_service.clock import HandClock
from tests.cli.conftest import Command, queue_service
from tests.halls import plan
from tests.running import Inner, command_line, eventually, inner_node

__all__ = ["queue_service"]

NOON_MS = 1_772_424_000_000
"""Monday 2026-03-02, 12:00 in Asia/Shanghai."""
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
JUMPED = "the clock jumped: confirm it with `queue-service confirm-clock`"


@pytest.fixture
def clock() -> HandClock:
    """It is noon."""
    return HandClock(NOON_MS)


@pytest.fixture
async def inner(tmp_path: Path, clock: HandClock) -> AsyncIterator[Inner]:
    """A node with one hall."""
    async with inner_node(tmp_path, clock) as one:
        await _put_hall(one)
        yield one


async def _put_hall(inner: Inner) -> None:
    put = await inner.client.put("/v1/halls/hall", json=plan(time_zone="Asia/Shanghai"))
    assert put.status_code in (200, 201), put.text


async def _issue(inner: Inner) -> httpx.Response:
    return await inner.client.post("/v1/halls/hall/tickets", json={"service": "tax"})


async def _readiness(inner: Inner) -> tuple[int, Any]:
    answer = await inner.client.get("/readyz")
    return answer.status_code, answer.json()["reasons"]


async def _kinds(inner: Inner) -> list[str]:
    """The kinds of events in the log, read past the view that may be due."""
    rows = inner.service.database.read(
        lambda one: one.exec_driver_sql("SELECT kind FROM event WHERE hall = 'hall' ORDER BY seq").fetchall()
    )
    return [row[0] for row in rows]


async def test_a_clock_that_stands_right_is_ready(inner: Inner) -> None:
    """Without a jump the node is ready."""
    assert await _readiness(inner) == (200, [])


@pytest.mark.parametrize("minutes", [6, -6])
async def test_a_jump_of_more_than_five_minutes_makes_the_node_unready(
    inner: Inner, clock: HandClock, minutes: int
) -> None:
    """Forward or back, /readyz answers 503 and says what to do; /healthz goes on."""
    clock.jump_ms(NOON_MS + minutes * MINUTE_MS)
    assert await _readiness(inner) == (503, [JUMPED])
    assert (await inner.client.get("/healthz")).status_code == 200


async def test_small_corrections_are_followed(inner: Inner, clock: HandClock) -> None:
    """Four minutes and then four more, as a time server corrects, need nobody."""
    for minutes in (4, 8):
        clock.jump_ms(NOON_MS + minutes * MINUTE_MS)
        assert await _readiness(inner) == (200, [])


async def test_a_clock_that_jumps_back_to_where_it_was_is_trusted_again(inner: Inner, clock: HandClock) -> None:
    """What was wrong for a moment and is right again needs no operator."""
    clock.jump_ms(NOON_MS + DAY_MS)
    assert (await _readiness(inner))[0] == 503
    clock.jump_ms(NOON_MS)
    assert await _readiness(inner) == (200, [])


async def test_a_jump_opens_no_business_day_until_it_is_confirmed(inner: Inner, clock: HandClock) -> None:
    """A day's jump: commands and reads of the hall are 503 clock-unconfirmed and nothing is logged; then it goes on."""
    assert (await _issue(inner)).status_code == 201
    before = await _kinds(inner)
    clock.jump_ms(NOON_MS + DAY_MS)
    refused = [await _issue(inner), await inner.client.get("/v1/halls/hall/board")]
    assert [answer.status_code for answer in refused] == [503, 503]
    assert [answer.json()["type"] for answer in refused] == ["/problems/clock-unconfirmed"] * 2
    assert all("retry-after" in answer.headers for answer in refused)
    assert await _kinds(inner) == before
    confirmed = await inner.client.post("/v1/node/confirm-clock")
    assert (confirmed.status_code, confirmed.json()["reasons"]) == (200, [])
    issued = await _issue(inner)
    assert (issued.status_code, issued.json()["day"], issued.json()["number"]) == (201, "2026-03-03", "A001")


async def test_a_jump_within_the_day_lets_visitors_be_served(inner: Inner, clock: HandClock) -> None:
    """Six minutes too many stop no visitor: only the rollover waits for the operator."""
    clock.jump_ms(NOON_MS + 6 * MINUTE_MS)
    assert (await _issue(inner)).status_code == 201
    assert (await _readiness(inner))[0] == 503


async def test_the_command_line_confirms_the_clock(inner: Inner, clock: HandClock) -> None:
    """`queue-service confirm-clock` makes an unready node ready, and says so."""
    clock.jump_ms(NOON_MS + 6 * MINUTE_MS)
    done = await asyncio.to_thread(command_line, "confirm-clock", "--url", inner.base_url)
    assert (done.returncode, done.stdout) == (0, "The clock is confirmed; the node is ready.\n"), done.stderr
    assert await _readiness(inner) == (200, [])


async def test_the_command_line_says_what_else_keeps_a_node_from_being_ready(
    inner: Inner, queue_service: Command
) -> None:
    """A node that is not ready for another reason is reported with it, exit code 1."""
    inner.service.feed.unknown_kind = "The log holds a kind of event from the future."
    done = await asyncio.to_thread(queue_service, "confirm-clock", "--url", inner.base_url)
    assert done.code == 1
    assert "still not ready:\n  The log holds a kind of event from the future.\n" in done.out


async def test_the_command_line_needs_the_token(
    tmp_path: Path, clock: HandClock, queue_service: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without QUEUE_TOKEN a guarded node refuses, in one line; with it the clock is confirmed."""
    token = "a-token-of-some-length"
    async with inner_node(tmp_path, clock, auth="token", token=token) as inner:
        without = await asyncio.to_thread(queue_service, "confirm-clock", "--url", inner.base_url)
        monkeypatch.setenv("QUEUE_TOKEN", token)
        with_token = await asyncio.to_thread(queue_service, "confirm-clock", "--url", inner.base_url)
    assert (without.code, without.out) == (2, "")
    assert without.err == f"{inner.base_url} answered 401: Send Authorization: Bearer TOKEN.\n"
    assert with_token.code == 0


def test_the_command_line_says_that_no_node_answers(queue_service: Command) -> None:
    """Where nobody listens there is one clear line and exit code 2, no traceback."""
    done = queue_service("confirm-clock", "--url", "http://127.0.0.1:9")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("No node answers at http://127.0.0.1:9")
    assert len(done.err.splitlines()) == 1


async def test_a_clock_behind_the_log_is_noticed_after_a_restart(tmp_path: Path) -> None:
    """Ten minutes behind the last event: no event goes back in time, the node is unready until it is confirmed."""
    async with inner_node(tmp_path, HandClock(NOON_MS)) as inner:
        await _put_hall(inner)
        before = (await _issue(inner)).json()
    async with inner_node(tmp_path, HandClock(NOON_MS - 10 * MINUTE_MS)) as inner:
        after = (await _issue(inner)).json()
        assert after["issued_at"] == before["issued_at"]
        assert await _readiness(inner) == (503, [JUMPED])
        await inner.client.post("/v1/node/confirm-clock")
        assert (await _issue(inner)).status_code == 201
        assert await _readiness(inner) == (200, [])


async def test_the_skew_is_measured(inner: Inner, clock: HandClock) -> None:
    """/metrics shows how far the wall clock has moved against the monotonic one."""
    clock.jump_ms(NOON_MS + 90_000)
    await _readiness(inner)
    text = (await inner.client.get("/metrics")).text
    assert "skew_seconds 90.0" in text


async def test_time_that_passes_is_no_jump(inner: Inner, clock: HandClock) -> None:
    """Days that pass on both clocks leave the node ready once it has read the log again."""
    clock.set_ms(NOON_MS + 3 * DAY_MS)

    async def ready() -> bool:
        return (await _readiness(inner))[0] == 200

    await eventually(ready, "the node is ready")
    assert (await _issue(inner)).json()["day"] == "2026-03-05"
