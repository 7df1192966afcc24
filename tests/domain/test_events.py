"""Events are values that survive JSON: what is read from a log is what was written to it."""

import json
from dataclasses import fields

import pytest

from models.vocabulary import AdviceKind, AdviceReply, AlertKind, Channel, Voice
from queue_service.domain import commands as c
from queue_service.domain import events
from queue_service.domain.events import KINDS, Event
from queue_service.domain.evolve import UNDOABLE
from tests.domain.hall_driver import DAY_MS, HallDriver, at, plan_document
from tests.domain.log_copy import as_text, through_json


def a_day_with_everything() -> HallDriver:
    """A hall to which every kind of event has happened."""
    driver = HallDriver(no_show={"recalls": 0, "after_s": 0})
    web = driver.issue(channel=Channel.WEB, language="en", ref="case 7")
    tickets = [driver.issue() for _ in range(5)]
    driver.later(60)
    driver.call("1")
    script = [
        c.CheckIn(web), c.AnnounceCall("1", "A002", "lobby", Voice.SPEECH, 900), c.Recall(tickets[0]),
        c.Start(tickets[0]), c.Park(tickets[0], "materials"),
        c.Return(tickets[0]), c.Transfer(tickets[0], "b", for_counter="1", reserve_ms=5000),
        c.Change(tickets[1], "wrong service", service="b"), c.Postpone(tickets[2], 5000), c.Cancel(tickets[3]),
        c.CallChosen("1", "urgent", ticket=tickets[4]), c.Requeue(tickets[4], "wrong counter"),
        c.CallNext("1"), c.Undo("1"), c.CallChosen("1", "urgent", ticket=tickets[4]), c.NoShow(tickets[4]),
        c.Rejoin(tickets[4]), c.CallChosen("1", "urgent", ticket=tickets[4]), c.Start(tickets[4]),
        c.HandOver(tickets[4], "2"), c.PauseCounter("2", "break", after_current=True), c.Finish(tickets[4]),
        c.ResumeCounter("2"), c.RelieveCounter("2", "relief"), c.CallHelp("2"), c.CloseCounter("2"),
        c.OpenCounter("2", "other", ("a",)), c.Suspend("fire alarm", service="a", turn_away=True),
        c.Backfill([c.PaperTicket("p1", "a", at(7), called_at_ms=at(7, 30), counter="1")], "power cut"),
        c.RaiseAlert("w1", AlertKind.IDLE_WHILE_WAITING, counter="1", values={"idle_s": 31}),
        c.AcknowledgeAlert("w1", "li"), c.ClearAlert("w1"), c.RaiseAlert("w2", AlertKind.SILENT_HALL),
        c.GiveAdvice("v1", AdviceKind.OPEN, "a", at(10), at(10, 15), {"misses_with": 1}),
        c.AnswerAdvice("v1", AdviceReply.DECLINED, "li", "nobody to spare"),
        c.RecordHistory([c.RecordedTicket("r1", "1", "a", at(9) - DAY_MS, None, {"desk": 4})]),
    ]  # fmt: skip
    for command in script:
        driver.do(command)
    with pytest.raises(Exception, match="suspended"):
        driver.issue("a")
    driver.do(c.Resume("a"))
    driver.do(c.PutPlan(plan_document(name="other name")))
    driver.now_ms = at(24)
    driver.do(c.OpenDay())
    return driver


def test_every_kind_of_event_survives_json() -> None:
    """Each kind, as it happens, is the same event after a round trip through its kind's name and JSON text."""
    seen: dict[str, Event] = {one.event.KIND: one.event for one in a_day_with_everything().log}
    assert set(seen) == set(KINDS)
    for kind, event in seen.items():
        again = through_json(event)
        assert type(again) is type(event), kind
        assert as_text(again) == as_text(event)


def test_every_event_of_a_day_survives_json() -> None:
    """Not only the last of each kind."""
    for one in a_day_with_everything().log:
        assert as_text(through_json(one.event)) == as_text(one.event)


def test_an_event_holds_nothing_that_json_changes() -> None:
    """An event read back equals the one written, tuples and lists aside."""
    for one in a_day_with_everything().log:
        values = {field.name: getattr(one.event, field.name) for field in fields(one.event)}
        again = json.loads(json.dumps(values))
        differing = {name for name in values if again[name] != values[name] and not isinstance(values[name], tuple)}
        assert differing <= ({"carried"} if one.event.KIND == "day_opened" else set())


def test_kinds_are_the_classes_of_the_module() -> None:
    """A kind's name leads to the class that code names, of which there is one."""
    assert {kind: getattr(events, kind_class.__name__) for kind, kind_class in KINDS.items()} == KINDS
    assert all(kind_class.VERSION >= 1 for kind_class in KINDS.values())
    assert {kind.KIND for kind in UNDOABLE} <= set(KINDS)
