"""Midnight, clock changes and halls on both sides of the world, over HTTP under a clock set by hand."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from queue_service import journal
from queue_service.clock import HandClock
from queue_service.database import Database
from tests.databases import asked_for, kept_by, on_both
from tests.halls import plan
from tests.running import Inner, database_url, eventually, inner_node

pytestmark = on_both("halls")


def ms(moment: str) -> int:
    """Milliseconds since 1970 UTC of an RFC 3339 time."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


class Halls:
    """Some halls of one node, and the clock that they all go by."""

    def __init__(self, clock: HandClock, inner: Inner) -> None:
        """No halls yet."""
        self.clock = clock
        self.client: httpx.AsyncClient = inner.client

    async def make(self, hall: str, zone: str, **changes: Any) -> None:
        """A hall with counters 1 and 2 open."""
        put = await self.client.put(f"/v1/halls/{hall}", json=plan(hall, time_zone=zone, **changes))
        assert put.status_code == 201, put.text
        for counter in ("1", "2"):
            await self.post(f"halls/{hall}/counters/{counter}/open", {"clerk": f"clerk-{counter}"})

    async def post(self, path: str, body: Any = None, expect: int = 200, key: str | None = None) -> Any:
        """The JSON a command is answered with."""
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await self.client.post(f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def issue(self, hall: str, **fields: Any) -> Any:
        """A new ticket."""
        return await self.post(f"halls/{hall}/tickets", {"service": "tax", **fields}, 201)

    async def get(self, path: str, **params: str) -> Any:
        """The JSON of a read."""
        answer = await self.client.get(f"/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def day(self, hall: str) -> Any:
        """The business day that the hall's board shows."""
        return (await self.get(f"halls/{hall}/board"))["board"]["day"]


@pytest.fixture
async def halls(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Halls]:
    """A node whose clock stands at the beginning of 2026."""
    clock = HandClock(ms("2026-01-01T00:00:00Z"))
    async with inner_node(kept_by(asked_for(request), tmp_path), clock) as inner:
        yield Halls(clock, inner)


async def test_a_retry_across_midnight_gives_the_same_ticket(halls: Halls) -> None:
    """The answer was lost at 23:59:59; the retry after midnight gets yesterday's ticket and makes none today."""
    halls.clock.set_ms(ms("2026-03-02T23:59:59+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    first = await halls.post("halls/hall/tickets", {"service": "tax"}, 201, key="once")
    halls.clock.set_ms(ms("2026-03-03T00:00:01+08:00"))
    again = await halls.post("halls/hall/tickets", {"service": "tax"}, 201, key="once")
    assert again == first
    assert (again["number"], again["day"]) == ("A001", "2026-03-02")
    assert (await halls.get("halls/hall/tickets"))["items"] == []
    assert (await halls.issue("hall"))["number"] == "A001"


async def test_a_receipt_is_kept_for_48_hours(halls: Halls) -> None:
    """47 hours later the key still gives the first ticket."""
    halls.clock.set_ms(ms("2026-03-02T12:00:00+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    first = await halls.post("halls/hall/tickets", {"service": "tax"}, 201, key="once")
    halls.clock.set_ms(ms("2026-03-04T11:00:00+08:00"))
    assert await halls.post("halls/hall/tickets", {"service": "tax"}, 201, key="once") == first


async def _one_in_every_state(halls: Halls) -> dict[str, str]:
    """A ticket in each open state, by state; counter 1 serves, counter 2 has called."""
    parked, no_show, serving, called, waiting = [(await halls.issue("hall"))["id"] for _ in range(5)]
    expected = (await halls.issue("hall", channel="web"))["id"]
    for ticket in (parked, no_show, serving):
        await halls.post("halls/hall/counters/1/call-next")
        await halls.post(f"tickets/{ticket}/{'recall' if ticket == no_show else 'start'}")
        if ticket == parked:
            await halls.post(f"tickets/{ticket}/park", {"reason": "materials"})
        elif ticket == no_show:
            await halls.post(f"tickets/{ticket}/no-show")
    await halls.post("halls/hall/counters/2/call-next")
    return {
        "parked": parked,
        "no_show": no_show,
        "serving": serving,
        "called": called,
        "waiting": waiting,
        "expected": expected,
    }


async def test_a_hall_moves_into_another_zone_between_its_days(halls: Halls) -> None:
    """While somebody waits it is refused, by plan-check as well, which says what to do; after midnight it is taken."""
    west, east = plan(time_zone="Pacific/Pago_Pago"), plan(time_zone="Pacific/Kiritimati")
    halls.clock.set_ms(ms("2026-03-02T10:00:00-11:00"))
    await halls.make("hall", west["time_zone"])
    ticket = await halls.issue("hall")
    for method, path in (("PUT", "/v1/halls/hall"), ("POST", "/v1/halls/hall/plan-check")):
        refused = await halls.client.request(method, path, json=east)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "plan-in-use")
        assert "open tickets: 1 (the time zone can be changed once they are done with" in refused.json()["detail"]
    assert (await halls.get(f"tickets/{ticket['id']}"))["state"] == "waiting"
    halls.clock.set_ms(ms("2026-03-03T00:00:01-11:00"))
    assert (await halls.client.put("/v1/halls/hall", json=east)).status_code == 200
    assert (await halls.issue("hall"))["day"] == "2026-03-04"
    ended = await halls.get(f"tickets/{ticket['id']}")
    assert (ended["state"], ended["closed_at"]) == ("expired", "2026-03-03T11:00:00.000Z")


async def test_midnight_ends_what_is_open_and_lets_service_go_on(halls: Halls) -> None:
    """waiting, expected, called, parked and no-show expire; serving goes on and is finished on the next day."""
    halls.clock.set_ms(ms("2026-03-02T23:50:00+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    tickets = await _one_in_every_state(halls)
    assert {state: (await halls.get(f"tickets/{ticket}"))["state"] for state, ticket in tickets.items()} == {
        state: state for state in tickets
    }
    halls.clock.set_ms(ms("2026-03-03T00:30:00+08:00"))
    after = {state: (await halls.get(f"tickets/{ticket}"))["state"] for state, ticket in tickets.items()}
    assert after == {state: "serving" if state == "serving" else "expired" for state in tickets}
    finished = await halls.post(f"tickets/{tickets['serving']}/finish")
    assert (finished["state"], finished["day"]) == ("finished", "2026-03-02")
    assert finished["closed_at"] == "2026-03-02T16:30:00.000Z"


async def test_waits_stop_at_the_end_of_the_day(halls: Halls) -> None:
    """Whoever still waited at midnight has waited until midnight, however late that is noticed."""
    halls.clock.set_ms(ms("2026-03-02T23:50:00.250+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    ticket = (await halls.issue("hall"))["id"]
    halls.clock.set_ms(ms("2026-03-03T07:00:00+08:00"))
    expired = await halls.get(f"tickets/{ticket}")
    assert (expired["state"], expired["waited_s"]) == ("expired", 599.75)
    assert expired["closed_at"] == "2026-03-02T16:00:00.000Z"


async def test_numbers_restart_and_history_stays(halls: Halls) -> None:
    """After midnight the first number is A001 again; yesterday's tickets are read by their day; counters stay open."""
    halls.clock.set_ms(ms("2026-03-02T20:00:00+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    yesterday = {(await halls.issue("hall"))["id"] for _ in range(3)}
    halls.clock.set_ms(ms("2026-03-03T08:00:00+08:00"))
    today = await halls.issue("hall")
    assert (today["number"], today["day"]) == ("A001", "2026-03-03")
    assert [one["id"] for one in (await halls.get("halls/hall/tickets"))["items"]] == [today["id"]]
    listed = (await halls.get("halls/hall/tickets", day="2026-03-02"))["items"]
    assert {one["id"] for one in listed} == yesterday
    assert (await halls.post("halls/hall/counters/1/call-next"))["id"] == today["id"]


@pytest.mark.parametrize(
    ("last", "first", "hours"),
    [
        pytest.param("2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z", 23, id="spring"),
        pytest.param("2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z", 25, id="autumn"),
    ],
)
async def test_a_day_of_23_or_25_hours_ends_at_its_own_midnight(
    halls: Halls, last: str, first: str, hours: int
) -> None:
    """On both days when Warsaw changes its clocks the business day lasts from midnight to midnight, to the ms."""
    date = last[:10]
    begins_ms = ms(first) - hours * 3_600_000
    halls.clock.set_ms(begins_ms - 1)
    await halls.make("hall", "Europe/Warsaw")
    assert await halls.day("hall") < date
    halls.clock.set_ms(begins_ms)
    assert await halls.day("hall") == date
    waiting = (await halls.issue("hall"))["id"]
    halls.clock.set_ms(ms(last))
    assert (await halls.issue("hall"))["number"] == "A002"
    halls.clock.set_ms(ms(first))
    assert (await halls.issue("hall"))["number"] == "A001"
    expired = await halls.get(f"tickets/{waiting}")
    assert (expired["state"], expired["waited_s"]) == ("expired", hours * 3600.0)


@pytest.mark.parametrize(
    ("issued", "called"),
    [
        pytest.param("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", id="spring"),
        pytest.param("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", id="autumn"),
    ],
)
async def test_a_wait_across_the_clock_change_is_as_long_as_it_was(halls: Halls, issued: str, called: str) -> None:
    """An hour of waiting is an hour, though the clocks on the wall say two, or none."""
    halls.clock.set_ms(ms(issued))
    await halls.make("hall", "Europe/Warsaw")
    await halls.issue("hall")
    halls.clock.set_ms(ms(called))
    assert (await halls.post("halls/hall/counters/1/call-next"))["waited_s"] == 3600.0


@pytest.mark.parametrize(
    ("before", "opens"),
    [("2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"), ("2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z")],
)
async def test_peak_hours_follow_the_clocks_on_the_wall(halls: Halls, before: str, opens: str) -> None:
    """A peak from 09:00 is at 09:00 local time on the day before the change and on the day of it."""
    peak = {"peaks": [{"days": ["sat", "sun"], "start": "09:00", "end": "10:00"}]}
    halls.clock.set_ms(ms(before) - 1)
    await halls.make("hall", "Europe/Warsaw", calendar=peak)
    periods = []
    for moment in (ms(before) - 1, ms(before), ms(opens) - 1, ms(opens)):
        halls.clock.set_ms(moment)
        periods.append((await halls.issue("hall"))["period"])
    assert periods == ["off_peak", "peak"] * 2


async def test_halls_on_both_sides_of_the_world_have_their_own_midnights(halls: Halls) -> None:
    """Shanghai's midnight ends no ticket in St. John's, whose own comes ten and a half hours later, on the half."""
    halls.clock.set_ms(ms("2026-06-10T15:59:59.999Z"))
    await halls.make("east", "Asia/Shanghai")
    await halls.make("west", "America/St_Johns")
    tickets = [(await halls.issue(hall))["id"] for hall in ("east", "west")]
    seen = []
    for moment in (
        "2026-06-10T15:59:59.999Z",
        "2026-06-10T16:00:00Z",
        "2026-06-11T02:29:59.999Z",
        "2026-06-11T02:30:00Z",
    ):
        halls.clock.set_ms(ms(moment))
        days = [await halls.day(hall) for hall in ("east", "west")]
        states = [(await halls.get(f"tickets/{ticket}"))["state"] for ticket in tickets]
        seen.append([*days, *states])
    assert seen == [
        ["2026-06-10", "2026-06-10", "waiting", "waiting"],
        ["2026-06-11", "2026-06-10", "expired", "waiting"],
        ["2026-06-11", "2026-06-10", "expired", "waiting"],
        ["2026-06-11", "2026-06-11", "expired", "expired"],
    ]


async def test_midnight_comes_to_a_hall_that_nobody_looks_at(halls: Halls, tmp_path: Path) -> None:
    """A new hall gets its next day by itself, without a request that would need it."""
    halls.clock.set_ms(ms("2026-03-02T23:59:00+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    halls.clock.set_ms(ms("2026-03-03T00:00:00+08:00"))

    outside = Database(database_url(tmp_path))

    def days() -> list[str]:
        return [position.day for position in outside.read(journal.all_positions).values()]

    await eventually(lambda: days() == ["2026-03-03"], "the new day is in the log")
    outside.close()


async def test_days_that_nobody_saw_are_not_made_up(halls: Halls) -> None:
    """After three days without a request the log opens the present day, once."""
    halls.clock.set_ms(ms("2026-03-02T12:00:00+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    halls.clock.set_ms(ms("2026-03-05T12:00:00+08:00"))
    await halls.issue("hall")
    events = (await halls.get("halls/hall/events"))["items"]
    days = [event["data"]["day"] for event in events if event["kind"] == "day_opened"]
    assert days == ["2026-03-02", "2026-03-05"]


async def test_the_rollover_stands_though_the_command_that_met_it_is_refused(halls: Halls) -> None:
    """A command that comes first after midnight and is refused leaves the new day opened."""
    halls.clock.set_ms(ms("2026-03-02T12:00:00+08:00"))
    await halls.make("hall", "Asia/Shanghai")
    halls.clock.set_ms(ms("2026-03-03T00:00:00+08:00"))
    await halls.post("halls/hall/tickets", {"service": "no-such"}, 422)
    events = (await halls.get("halls/hall/events"))["items"]
    assert (events[-1]["kind"], events[-1]["data"]["day"]) == ("day_opened", "2026-03-03")
