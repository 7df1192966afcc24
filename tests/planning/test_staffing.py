"""Staffing advice of a real node, and `plan-day`, on a hall with recorded past days."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.answers import nothing
from api.ids import new_ticket_id
from models.staffing import StaffingAnswer
from models.vocabulary import Channel
from models.wire import from_rfc3339
from queue_service import journal
from queue_service.clock import HandClock
from queue_service.domain import commands as c
from queue_service.domain.calendar import to_ms
from tests.halls import plan
from tests.running import Inner, command_line, database_url, inner_node

MONDAY = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
PROMISE = {"peak": {"promise_s": 600}, "off_peak": {"promise_s": 600}}
OPENING = {"opening": [{"start": "08:00", "end": "17:00", "days": ["mon"]}]}


def document(**changes: Any) -> dict[str, Any]:
    """Twelve counters for two services, 07 and later empty; five clerks in reserve for taxes."""
    reserve = [{"services": ["tax"], "count": 5, "days": ["mon"], "start": "08:00", "end": "17:00"}]
    standard = {"time_zone": "UTC", "promise": PROMISE, "calendar": OPENING, "reserve": reserve}
    return plan(windows=12, **{**standard, **changes})


async def record(inner: Inner, weeks: int) -> None:
    """Past Mondays on which 60 visitors an hour came for taxes."""
    for week in range(1, weeks + 1):
        morning = MONDAY - timedelta(weeks=week)
        rows = [
            c.RecordedTicket(
                new_ticket_id("hall", inner.service.clock.now_ms()), f"A{number:03}", "tax", at_ms, at_ms, {}
            )
            for number in range(1, 541)
            for at_ms in [to_ms(morning + timedelta(minutes=number - 1))]
        ]
        await inner.service.engine.submit(
            "hall", c.RecordHistory(rows), actor="test", channel=Channel.HISTORY, answering=nothing
        )


@pytest.fixture
async def inner(tmp_path: Path) -> AsyncIterator[Inner]:
    """A node on a Monday at eight, when it opens, its hall planned."""
    async with inner_node(tmp_path, HandClock(to_ms(MONDAY))) as node:
        (await node.client.put("/v1/halls/hall", json=document())).raise_for_status()
        yield node


async def advice(inner: Inner, **query: Any) -> dict[str, Any]:
    """The advice, in its documented shape."""
    answer = await inner.client.get("/v1/halls/hall/staffing", params=query)
    answer.raise_for_status()
    StaffingAnswer.model_validate_json(answer.content)
    found: dict[str, Any] = answer.json()
    return found


async def open_counters(inner: Inner, count: int) -> None:
    """Clerks sign on at the first counters."""
    for number in range(1, count + 1):
        path = f"/v1/halls/hall/counters/{number}/open"
        (await inner.client.post(path, json={"clerk": f"clerk-{number}"})).raise_for_status()


async def test_a_hall_short_of_counters_is_told_what_to_open(inner: Inner, tmp_path: Path) -> None:
    """Six counters for 60 an hour of about eight minutes: open more, at empty seats, in words of both languages; the
    same hall's day plan, worked out by the command line from the same past days, needs about ten all day."""
    await record(inner, 3)
    await open_counters(inner, 6)
    found = await advice(inner)
    assert (found["because"], found["basis"]["arrivals"], found["basis"]["days"]) == (None, "same_weekday", 3)
    assert found["basis"]["service_times"] == {"tax": "default", "land": "default"}
    first = found["advice"][0]
    assert (first["kind"], first["service"]) == ("open", "tax")
    assert not set(first["counters"]) & {str(number) for number in range(1, 7)}
    assert found["reachable_share"] > found["share_if_nothing_changes"] + 0.2
    assert "税务" in first["text"]["zh-CN"]
    assert [one["counters_now"] for one in found["quarters"]] == [6] * 12
    assert await advice(inner) == found
    assert (await advice(inner, fresh=True))["as_of"] == found["as_of"]
    _plan_day(tmp_path)


def _plan_day(folder: Path) -> None:
    where = ("--hall", "hall", "--database-url", database_url(folder))
    asked = ("plan-day", *where, "--day", "2026-03-30", "--runs", "40")
    day = json.loads(command_line(*asked, "--json").stdout)
    middle = [one["counters"] for one in day["quarters"] if "T10:00" <= one["at"][10:16] <= "T16:00"]
    assert 8.5 <= sum(middle) / len(middle) <= 10.5, middle
    assert all(one["kept"] for one in day["quarters"])
    assert {tuple(one["services"]) for one in day["quarters"]} == {("tax", "land")}
    lines = command_line(*asked, "--csv").stdout.splitlines()
    assert (lines[0].split(",")[0], len(lines)) == ("at", 1 + len(day["quarters"]))
    text = command_line(*asked).stdout
    assert text.startswith("hall 2026-03-30: counters needed, learned from 3 days (same_weekday)")
    refused = command_line("plan-day", *where, "--day", "2026-01-01")
    assert (refused.returncode, "0 past days" in refused.stderr) == (2, True)


async def test_without_past_days_there_is_no_advice(inner: Inner) -> None:
    """One Monday is not enough, and nothing is made up."""
    await record(inner, 1)
    await open_counters(inner, 1)
    found = await advice(inner)
    assert (found["because"], found["advice"], found["reachable_share"]) == ("too_little_history", [], None)
    assert "1 past days" in found["text"]["en"]


async def test_why_there_is_no_advice_is_said(inner: Inner) -> None:
    """No counter open, suspended, closed, a training hall."""
    assert (await advice(inner))["because"] == "no_counter_open"
    await open_counters(inner, 1)
    (await inner.client.post("/v1/halls/hall/suspend", json={"reason": "alarm"})).raise_for_status()
    assert (await advice(inner))["because"] == "hall_suspended"
    (
        await inner.client.put(
            "/v1/halls/hall", json=document(calendar={"opening": [{"start": "18:00", "end": "19:00"}]})
        )
    )
    assert (await advice(inner))["because"] == "hall_closed"
    (await inner.client.put("/v1/halls/hall", json=document(training=True))).raise_for_status()
    assert (await advice(inner))["because"] == "no_promise"


async def test_a_reserve_for_what_is_not_there_is_refused(inner: Inner) -> None:
    """A plan whose reserve names an unknown service, or hours that end before they begin, is faulty."""
    wrong = document(reserve=[{"services": ["z"], "start": "10:00", "end": "09:00"}])
    answer = await inner.client.put("/v1/halls/hall", json=wrong)
    assert answer.status_code == 422
    assert {one["place"] for one in answer.json()["faults"]} == {"/reserve/0/services/0", "/reserve/0/end"}


async def test_advice_is_given_answered_once_and_judged_afterwards(inner: Inner, tmp_path: Path) -> None:
    """What is advised stands in the log; it is declined with a reason, once; later its hour's misses stand beside those
    foreseen, in the staffing answer and in the promise report; and a restart changes nothing of it."""
    await record(inner, 3)
    await open_counters(inner, 6)
    first = (await advice(inner))["advice"][0]
    assert (await advice(inner))["given"][0]["id"] == first["id"]
    path = f"/v1/halls/hall/staffing/{first['id']}/answer"
    said = {"answer": "declined", "by": "wang", "reason": "nobody to spare"}
    answered = await inner.client.post(path, json=said)
    assert (answered.status_code, answered.json()["answer"], answered.json()["answered_by"]) == (
        200,
        "declined",
        "wang",
    )
    await refused(inner, path, "advice-answered", 409)
    await refused(inner, "/v1/halls/hall/staffing/none/answer", "unknown-advice", 404)
    clock(inner).set_ms(from_rfc3339(first["from"]))
    for _ in range(30):
        (await inner.client.post("/v1/halls/hall/tickets", json={"service": "tax"})).raise_for_status()
    after = (await inner.service.current_view("hall")).hall.seq - 60
    log = (await inner.client.get("/v1/halls/hall/events", params={"after": after})).json()["items"]
    kinds = [one["kind"] for one in log]
    assert (kinds.count("advice_answered"), kinds.count("advice_given") >= 1) == (1, True)
    clock(inner).set_ms(to_ms(MONDAY) + 7_200_000)
    given = {one["id"]: one for one in (await advice(inner))["given"]}[first["id"]]
    assert (given["answer_reason"], given["misses_without"], given["of"]) == (
        "nobody to spare", first["misses_without"], first["of"],
    )  # fmt: skip
    assert (given["happened"]["counted"], given["happened"]["missed"]) == (30, 30)
    report = (await inner.client.get("/v1/halls/hall/promise-report?day=2026-03-23")).json()
    (row,) = [one for one in report["advice"] if one["answer"] == "declined"]
    happened = given["happened"]
    assert (row["given"], row["counted"], row["missed"]) == (1, happened["counted"], happened["missed"])
    late = next(one for one in (await advice(inner))["given"] if one["answer"] is None)
    clock(inner).set_ms(to_ms(MONDAY) + 7 * 3_600_000)
    await refused(inner, f"/v1/halls/hall/staffing/{late['id']}/answer", "advice-expired", 409)
    again = await inner.service.feed.read(lambda one: journal.load(one, "hall", journal.all_positions(one)["hall"]))
    assert again.advice == (await inner.service.current_view("hall")).hall.advice


async def refused(inner: Inner, path: str, kind: str, status: int) -> None:
    """An answer that comes to nothing."""
    found = await inner.client.post(path, json={"answer": "accepted"})
    assert (found.status_code, found.json()["type"]) == (status, f"/problems/{kind}")


def clock(inner: Inner) -> HandClock:
    """The hand on the node's clock."""
    found = inner.service.clock
    assert isinstance(found, HandClock)
    return found
