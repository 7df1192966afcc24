"""The promise as it stands, over HTTP under a clock set by hand: it burns, the hall warns, somebody sees it."""

from typing import Any

from api.answers import nothing
from models.vocabulary import AdviceKind, Channel
from queue_service.domain import commands as c
from queue_service.planning.live.estimates import own_error
from tests.http.desk import EVERY_DAY, PEAK, Desk, Desks

WARNING: dict[str, Any] = {"alerts": {"burn_counted": 4}}
"""Halls of these tests warn; four tickets are enough for a burn."""


async def standing(desk: Desk) -> dict[str, dict[str, Any]]:
    """The alerts that are not cleared, by kind."""
    return {one["kind"]: one for one in (await desk.get("promise"))["alerts"] if one["cleared_at"] is None}


async def test_a_promise_burns_is_heeded_and_recovers(desks: Desks) -> None:
    """Four of five wait beyond two minutes: the hall warns once, and until enough promises are kept again."""
    desk = await desks.new(**WARNING, pause_reasons=["break"])
    for counter in ("1", "2"):
        await desk.counter(counter, "pause", reason="break")
    tickets = [await desk.issue() for _ in range(5)]
    await desks.look(desk)
    assert await standing(desk) == {}
    desk.later(121)
    await desks.look(desk)
    await desks.look(desk)
    alert = (await standing(desk))["burning_fast"]
    assert (alert["text_key"], alert["values"]["counted"], alert["values"]["long"]) == ("alert.burning_fast", 5, 10.0)
    raised = [one["alert_kind"] for one in await desk.events("alert_raised")]
    assert sorted(raised) == ["burning_fast", "burning_slowly"]
    heeded = await desk.post(f"alerts/{alert['id']}/acknowledge", by="wang")
    again = await desk.post(f"alerts/{alert['id']}/acknowledge", by="li")
    assert heeded == again
    assert heeded["acknowledged_by"] == "wang"
    await desk.refused("alerts/none/acknowledge", "unknown-alert", 404)
    await _serve(desk, tickets)
    await _are_kept(desk, 40)
    await desks.look(desk)
    desk.later(61)
    await desks.look(desk)
    assert "burning_fast" not in await standing(desk)
    shown = await desk.get("promise")
    assert (shown["totals"]["counted"], shown["totals"]["missed"]) == (45, 5)
    report = await desk.get("promise-report")
    assert {name: report["rows"][0][name] for name in shown["totals"]} == shown["totals"]


async def _serve(desk: Desk, tickets: list[Any]) -> None:
    await desk.counter("1", "resume")
    for _ in tickets:
        await desk.counter("1", "call-next", finish_current=True)


async def _are_kept(desk: Desk, how_many: int) -> None:
    for _ in range(how_many):
        await desk.issue()
        await desk.counter("1", "call-next", finish_current=True)
        desk.later(10)


async def test_the_chance_to_call_is_not_left_unused(desks: Desks) -> None:
    """A counter that could call somebody for half a minute is named, and the hall warns until it calls."""
    desk = await desks.new(**WARNING)
    await desk.counter("2", "close")
    await desk.issue()
    desk.later(29)
    assert (await desk.get("promise"))["idle_while_waiting"] == []
    desk.later(2)
    await desks.look(desk)
    assert (await desk.get("promise"))["idle_while_waiting"] == [{"counter": "1", "idle_s": 31, "service": "tax"}]
    assert (await standing(desk))["idle_while_waiting"]["counter"] == "1"
    await desk.counter("1", "call-next")
    await desks.look(desk)
    assert await standing(desk) == {}


async def test_a_bell_and_a_silent_hall_are_heard(desks: Desks) -> None:
    """Help that nobody answers in three minutes; ten minutes without a call while somebody waits."""
    desk = await desks.new(**WARNING)
    await desk.issue()
    await desk.counter("1", "help")
    await desk.counter("2", "close")
    desk.later(181)
    await desks.look(desk)
    assert {"help_unanswered", "idle_while_waiting"} == set(await standing(desk))
    desk.later(420)
    await desks.look(desk)
    assert (await standing(desk))["silent_hall"]["values"] == {"silent_s": 601, "waiting": 1}
    await desk.counter("1", "call-next")
    await desks.look(desk)
    assert set(await standing(desk)) == {"silent_hall"}
    desk.later(60)
    await desks.look(desk)
    assert await standing(desk) == {}


async def test_displays_learn_nothing_of_alerts(desks: Desks) -> None:
    """An alert is an event of the log like any other; its frame says only that there was one."""
    desk = await desks.new(**WARNING)
    await desk.issue()
    desk.later(31)
    await desks.look(desk)
    view = await desks.service.current_view(desk.hall)
    frames = [frame.payload for frame in view.frames if b"alert_" in frame.payload]
    assert len(frames) == 2
    for frame in frames:
        assert frame.endswith(b'"kind":"alert_raised","patch":{}}')


async def test_a_visitor_is_told_what_to_expect(desks: Desks) -> None:
    """Once a service has served enough, tickets, the board and the live promise say how long; before, why not."""
    desk = await desks.new(**WARNING)
    await desks.look(desk)
    assert (await desk.issue())["estimate"]["because"] == "service_never_seen"
    for _ in range(60):
        desk.later(60)
        await desk.issue()
        await desk.counter("1", "call-next", finish_current=True)
    await desk.issue()
    await desks.look(desk)
    ticket = await desk.issue()
    assert ticket["estimate"]["p50_s"] <= ticket["estimate"]["p90_s"] <= ticket["estimate"]["to_s"]
    board = await desk.get("board")
    assert board["estimates"]["tax"]["basis"] == ticket["estimate"]["basis"]
    assert board["estimates"]["land"]["because"] == "service_never_seen"
    assert "estimates" not in board["board"]
    promise = await desk.get("promise")
    assert promise["expected_misses_30_min"] >= 0
    for one in promise["waiting"]:
        assert 0 <= one["chance_of_missing"] <= 1
    assert (await desk.get(f"/v1/tickets/{ticket['id']}"))["estimate"] == ticket["estimate"]
    metrics = (await desk.ask("GET", "/metrics")).text
    assert f'queue_estimate_coverage_share{{hall="{desk.hall}",service="tax"}}' in metrics
    await _is_in_the_report(desks, desk)
    await desk.post("suspend", reason="fire alarm")
    assert (await desk.issue())["estimate"]["because"] == "suspended"


async def test_where_nothing_can_be_said_of_a_wait_the_reason_is_told(desks: Desks) -> None:
    """A service never seen, too little history, nobody at work, calls stopped, the hall closed: in words of the
    contract, with a ticket and beside the board, and no number anywhere."""
    hours = {**PEAK, "opening": [{"days": EVERY_DAY, "start": "07:00", "end": "17:00"}]}
    desk = await desks.new(pause_reasons=["break"], calendar=hours)

    async def told(service: str = "tax") -> str:
        await desks.look(desk)
        ticket = (await desk.issue(service))["estimate"]
        assert (await desk.get("board"))["estimates"][service]["because"] == ticket["because"]
        assert {name for name, value in ticket.items() if value is not None} == {"because", "as_of"}
        return str(ticket["because"])

    assert await told() == "service_never_seen"
    await desk.counter("1", "call-next")
    assert await told() == "too_little_history"
    await desk.counter("2", "pause", reason="break")
    held = (await desk.get("counters/1"))["ticket"]
    await desk.ticket(held, "start")
    await desk.ticket(held, "finish")
    await desk.counter("1", "close")
    assert await told("land") == "no_counter_open"
    await desk.post("suspend", reason="the office system is down", service="tax")
    assert await told() == "suspended"
    desk.later(10 * 3600)
    assert (await desk.get("board"))["estimates"]["land"]["because"] == "hall_closed"


async def _is_in_the_report(desks: Desks, desk: Desk) -> None:
    """How far off estimates were: in the report what the gauges say, however often it is written down."""
    for _ in range(2):
        await desks.service.own_errors.write()
    total, *parts = (await desk.get("promise-report"))["estimates"]
    gauges = own_error(desks.service.live.estimates_of(desk.hall))["tax"]
    assert (total["service"], total["basis"], total["counted"]) == ("tax", None, gauges["scored"])
    assert total["coverage"] == gauges["coverage"]
    assert abs(total["mae_s"] - gauges["mae_s"]) < 0.01
    assert abs(total["bias_s"] - gauges["bias_s"]) < 0.01
    assert sum(one["counted"] for one in parts) == total["counted"]


async def test_displays_learn_nothing_of_advice(desks: Desks) -> None:
    """Advice is answered once with who and why, for staff; a display is told that there was an event, and no more."""
    desk = await desks.new(**WARNING)
    now_ms = desk.clock.now_ms()
    values = {"counters": ["3"], "from_ms": now_ms, "to_ms": now_ms + 3_600_000}
    foreseen = {"misses_without": 5, "misses_with": 1, "of": 20}
    given = c.GiveAdvice("v1", AdviceKind.OPEN, "tax", now_ms, now_ms + 900_000, {**values, **foreseen})
    await desks.service.engine.submit(desk.hall, given, actor="system", channel=Channel.SYSTEM, answering=nothing)
    answered = await desk.post("staffing/v1/answer", answer="declined", by="wang", reason="nobody to spare")
    assert (answered["answer"], answered["answered_by"], answered["answer_reason"]) == (
        "declined",
        "wang",
        "nobody to spare",
    )
    await desk.refused("staffing/v1/answer", "advice-answered", answer="accepted")
    await desk.refused("staffing/v2/answer", "unknown-advice", 404, answer="accepted")
    view = await desks.service.current_view(desk.hall)
    frames = [frame.payload for frame in view.frames if b"advice_" in frame.payload]
    ends = [b'"kind":"advice_given","patch":{}}', b'"kind":"advice_answered","patch":{}}']
    assert [frame.endswith(end) for frame, end in zip(frames, ends, strict=True)] == [True, True]
