"""Taking back a counter's last command: within 15 s, while nobody has acted on it since, by an event of its own."""

import re
from collections.abc import Callable

import pytest

from api.routes.counters import undo
from models.vocabulary import Apart, TicketState, Voice
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import CommandUndone
from queue_service.domain.rules.table import VERBS
from tests.domain.hall_driver import HallDriver, at, picture, plan_document
from tests.domain.test_table import PAGE


@pytest.fixture
def driver() -> HallDriver:
    """A hall that lets a no-show be recorded at once, with counters 1 and 2 open."""
    return HallDriver(no_show={"recalls": 0, "after_s": 0})


def lasting(driver: HallDriver) -> dict[str, object]:
    """What an undo must bring back: tickets (whatever touched them last), lanes, and who holds what."""
    taken = picture(driver.hall)
    tickets = {name: {**ticket, "last_seq": 0} for name, ticket in taken["tickets"].items()}
    counters = {name: {**counter, "since_ms": 0, "last": None} for name, counter in taken["counters"].items()}
    return {**taken, "place": None, "tickets": tickets, "counters": counters}


TICKET_COMMANDS: dict[str, tuple[TicketState, Callable[[str], c.Command]]] = {
    "call": (TicketState.WAITING, lambda ticket: c.CallNext("1")),
    "chosen call": (TicketState.WAITING, lambda ticket: c.CallChosen("1", "urgent", ticket=ticket)),
    "recall": (TicketState.CALLED, c.Recall),
    "start": (TicketState.CALLED, c.Start),
    "no-show": (TicketState.CALLED, c.NoShow),
    "requeue": (TicketState.CALLED, c.Requeue),
    "transfer": (TicketState.CALLED, lambda ticket: c.Transfer(ticket, "b")),
    "finish": (TicketState.SERVING, c.Finish),
    "finish by the one button": (TicketState.SERVING, lambda ticket: c.CallNext("1", finish_current=True)),
    "implied start": (TicketState.CALLED, lambda ticket: c.CallNext("1", finish_current=True)),
    "park": (TicketState.SERVING, lambda ticket: c.Park(ticket, "materials")),
    "return": (TicketState.PARKED, lambda ticket: c.Return(ticket, "1")),
    "hand-over": (TicketState.SERVING, lambda ticket: c.HandOver(ticket, "2")),
    "pause": (TicketState.WAITING, lambda ticket: c.PauseCounter("1", "break")),
    "resume": (TicketState.WAITING, lambda ticket: c.ResumeCounter("1")),
    "pause after this one": (TicketState.SERVING, lambda ticket: c.PauseCounter("1", "break", after_current=True)),
}


def brought(driver: HallDriver, state: TicketState, paused: bool = False) -> str:
    """A ticket at counter 1 in a state, another waiting behind it."""
    ticket = driver.issue()
    driver.later(40)
    driver.issue("b")
    if state != TicketState.WAITING:
        driver.call("1")
    if state in (TicketState.SERVING, TicketState.PARKED):
        driver.later(5)
        driver.do(c.Start(ticket))
    if state == TicketState.PARKED:
        driver.do(c.Park(ticket, "materials"))
    if paused:
        driver.do(c.PauseCounter("1", "break"))
    driver.later(60)
    return ticket


@pytest.mark.parametrize("name", TICKET_COMMANDS)
def test_undo_takes_a_command_back(driver: HallDriver, name: str) -> None:
    """After the undo everything stands as before the command, whatever the command was."""
    state, make = TICKET_COMMANDS[name]
    ticket = brought(driver, state, paused=name == "resume")
    before = lasting(driver)
    driver.do(make(ticket))
    assert lasting(driver) != before
    driver.later(15)
    driver.do(c.Undo("1"))
    assert lasting(driver) == before


ENDING: dict[str, list[c.Command]] = {
    "relieve": [c.RelieveCounter("1", "other")],
    "change": [c.Change("t1", "wrong service", service="b")],
    "cancel": [c.Cancel("t1")],
    "close": [c.Requeue("t1"), c.CloseCounter("1"), c.OpenCounter("1", "clerk-1")],
    "forced close": [c.CloseCounter("1", "fire"), c.OpenCounter("1", "clerk-1")],
    "open": [c.OpenCounter("3", "clerk-3")],
}


@pytest.mark.parametrize("name", ENDING)
def test_what_is_not_taken_back_ends_the_chance(driver: HallDriver, name: str) -> None:
    """Neither it nor the call before it: signing on and off, relief, and what the visitor would notice."""
    brought(driver, TicketState.CALLED)
    driver.do(c.Recall("t1"))
    for command in ENDING[name]:
        driver.do(command)
    driver.refused(c.Undo("3" if name == "open" else "1"), errors.NothingToUndo)


NAMES = {**VERBS, c.CallNext: "call-next", c.CallChosen: "call", c.PauseCounter: "pause", c.ResumeCounter: "resume"}


def test_the_page_lists_what_is_taken_back() -> None:
    """docs/states.md names the commands that are taken back and those that are not; the API names the former."""
    taken_back = {NAMES[type(make("t1"))] for _, make in TICKET_COMMANDS.values()}
    page = PAGE.read_text(encoding="utf-8")
    listed = re.search(
        r"^It takes back: (.*?)\n\nIt does not take back, (.*?)\. ", page, flags=re.DOTALL | re.MULTILINE
    )
    assert listed is not None
    assert set(re.findall(r"`([a-z-]+)`", listed[1])) == taken_back
    assert set(re.findall(r"`([a-z-]+)`", listed[2])) == {name.removeprefix("forced ") for name in ENDING}
    described = " ".join((undo.__doc__ or "").partition(". After")[0].split())
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)*", described)) >= taken_back


def test_undo_is_an_event_that_erases_nothing(driver: HallDriver) -> None:
    """The call stays in the log; the undo behind it names the command and where the tickets stand now."""
    ticket = driver.issue()
    (called,) = driver.do(c.CallNext("1"))
    (undone,) = driver.do(c.Undo("1"))
    assert undone.event == CommandUndone("1", called.seq, {ticket: "waiting"})
    assert driver.log[-2:] == [called, undone]


def test_what_was_undone_can_be_done_again(driver: HallDriver) -> None:
    """A call taken back leaves the visitor at the head of the line, and the wait goes on as if it had not ended."""
    ticket = driver.issue()
    driver.later(60)
    driver.call("1")
    driver.do(c.Undo("1"))
    driver.later(60)
    assert driver.call("2") == ticket
    assert [leg.waited_ms for leg in driver.ticket(ticket).legs] == [120_000]


@pytest.mark.parametrize(("after_s", "allowed"), [(15, True), (15.001, False)])
def test_undo_ends_after_fifteen_seconds(driver: HallDriver, after_s: float, allowed: bool) -> None:
    """Fifteen seconds after the command it stands."""
    driver.issue()
    driver.call("1")
    driver.later(after_s)
    if allowed:
        driver.do(c.Undo("1"))
    else:
        driver.refused(c.Undo("1"), errors.NothingToUndo)


def test_there_is_nothing_to_undo_before_the_first_command_and_after_an_undo(driver: HallDriver) -> None:
    """Only the last command is taken back, and only once."""
    driver.refused(c.Undo("1"), errors.NothingToUndo)
    driver.issue()
    driver.call("1")
    driver.do(c.Undo("1"))
    driver.refused(c.Undo("1"), errors.NothingToUndo)


ACTS: dict[str, Callable[[str], list[c.Command]]] = {
    "cancelled": lambda ticket: [c.Cancel(ticket)],
    "changed": lambda ticket: [c.Change(ticket, "wrong service", service="b")],
    "called elsewhere": lambda ticket: [c.CallChosen("2", "x", ticket=ticket)],
    "called elsewhere and taken back": lambda ticket: [c.CallChosen("2", "x", ticket=ticket), c.Undo("2")],
    "served elsewhere": lambda ticket: [
        c.CallChosen("2", "x", ticket=ticket),
        c.CallNext("2", finish_current=True),
    ],
    "postponed": lambda ticket: [c.Postpone(ticket, 1000)],
    "relieved": lambda ticket: [c.RelieveCounter("1", "other")],
}


@pytest.mark.parametrize("act", ACTS)
def test_undo_ends_when_someone_has_acted(driver: HallDriver, act: str) -> None:
    """What others have done since with a requeued ticket is not undone under their hands."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Requeue(ticket))
    for command in ACTS[act](ticket):
        driver.do(command)
    driver.refused(c.Undo("1"), errors.NothingToUndo)


def test_a_rejoined_no_show_is_not_undone(driver: HallDriver) -> None:
    """The visitor who came back has acted."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.NoShow(ticket))
    driver.do(c.Rejoin(ticket))
    driver.refused(c.Undo("1"), errors.NothingToUndo)


def test_a_hand_over_is_not_undone_once_the_other_counter_acted(driver: HallDriver) -> None:
    """The counter that took over and finished has acted."""
    ticket = driver.serve(driver.issue())
    driver.do(c.HandOver(ticket, "2"))
    driver.do(c.Finish(ticket))
    driver.refused(c.Undo("1"), errors.NothingToUndo)


def test_a_hand_over_to_a_counter_ends_its_own_undo(driver: HallDriver) -> None:
    """A counter that has been given a ticket does not take back what it did before: it has no hand free."""
    finished = driver.serve(driver.issue(), "2")
    ticket = driver.serve(driver.issue(), "1")
    driver.do(c.Finish(finished))
    driver.do(c.HandOver(ticket, "2"))
    driver.refused(c.Undo("2"), errors.NothingToUndo)


def test_a_hand_over_taken_back_lets_the_other_counter_pause(driver: HallDriver) -> None:
    """A counter that asked to pause after the ticket it was given pauses when the ticket is taken back."""
    ticket = driver.serve(driver.issue())
    driver.do(c.HandOver(ticket, "2"))
    driver.do(c.PauseCounter("2", "break", after_current=True))
    driver.do(c.Undo("1"))
    assert (driver.counter("1").ticket, driver.counter("2").pause_reason) == (ticket, "break")


def test_a_hand_over_taken_back_ends_the_other_counters_undo(driver: HallDriver) -> None:
    """The counter that lost the ticket again does not take back its resume: it would wait to pause after nobody."""
    ticket = driver.serve(driver.issue())
    driver.do(c.HandOver(ticket, "2"))
    driver.do(c.PauseCounter("2", "break", after_current=True))
    driver.do(c.ResumeCounter("2"))
    driver.do(c.Undo("1"))
    driver.refused(c.Undo("2"), errors.NothingToUndo)
    assert driver.counter("2").pause_after is None


@pytest.mark.parametrize("name", ["cancel", "undo of the other counter"])
def test_a_pause_that_followed_from_someone_elses_command_is_not_undone(driver: HallDriver, name: str) -> None:
    """The counter paused because its ticket was gone; taking that back alone would leave half of a command."""
    ticket = driver.serve(driver.issue(), "2") if name != "cancel" else driver.issue()
    if name == "cancel":
        driver.call("1")
    else:
        driver.do(c.HandOver(ticket, "1"))
    driver.do(c.PauseCounter("1", "break", after_current=True))
    driver.do(c.Cancel(ticket) if name == "cancel" else c.Undo("2"))
    assert driver.counter("1").pause_reason == "break"
    driver.refused(c.Undo("1"), errors.NothingToUndo)


def test_ringing_for_help_does_not_end_the_undo(driver: HallDriver) -> None:
    """The supervisor may be just the one to say: take it back."""
    driver.issue()
    driver.call("1")
    driver.do(c.CallHelp("1"))
    driver.do(c.Undo("1"))
    assert driver.counter("1").ticket is None


def test_an_announcement_does_not_end_the_undo(driver: HallDriver) -> None:
    """A call that the lobby has heard can be taken back all the same."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.AnnounceCall("1", driver.ticket(ticket).number, "lobby", Voice.SPEECH, 900))
    driver.do(c.Undo("1"))
    assert driver.counter("1").ticket is None


def test_a_chosen_call_taken_back_does_not_count(driver: HallDriver) -> None:
    """A mistyped number does not use up one of the day's chosen calls."""
    driver.do(c.CallChosen("1", "urgent", ticket=driver.issue()))
    driver.do(c.Undo("1"))
    assert driver.hall.chosen_calls == 0


def test_a_call_taken_back_during_a_suspension_is_marked(driver: HallDriver) -> None:
    """The visitor waits again while the service stands still, and is reported apart like the others."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Suspend("fire alarm"))
    driver.do(c.Undo("1"))
    assert driver.ticket(ticket).apart == Apart.SUSPENDED


def test_a_call_taken_back_after_a_suspension_is_marked(driver: HallDriver) -> None:
    """The wait goes on as if it had not ended, so it lasted through the suspension too; one before the call is none."""
    driver.do(c.Suspend("earlier"))
    driver.do(c.Resume())
    ticket, other = driver.issue(), driver.issue()
    driver.later(1)
    driver.call("1")
    driver.do(c.Suspend("fire alarm"))
    driver.later(5)
    driver.do(c.Resume())
    driver.do(c.Undo("1"))
    assert driver.ticket(ticket).apart == Apart.SUSPENDED
    late = driver.issue("b")
    driver.do(c.Change(other, "x", priority="elder"))
    driver.do(c.CallChosen("2", "x", ticket=late))
    driver.do(c.Undo("2"))
    assert driver.ticket(late).apart is None


def test_nothing_is_undone_across_midnight(driver: HallDriver) -> None:
    """The day has been closed; a finish of 23:59:59 stays."""
    driver.now_ms = at(23, 59, 50)
    ticket = driver.serve(driver.issue())
    driver.now_ms = at(23, 59, 59)
    driver.do(c.Finish(ticket))
    driver.now_ms = at(24)
    driver.do(c.OpenDay())
    driver.refused(c.Undo("1"), errors.NothingToUndo)


def test_nothing_is_undone_across_a_change_of_plan(driver: HallDriver) -> None:
    """A finished ticket could come back for a service that is planned no more."""
    driver.do(c.Finish(driver.serve(driver.issue("b"))))
    services = [{"id": "a", "name": "-", "prefix": "A"}]
    driver.do(c.PutPlan(plan_document(services=services)))
    driver.refused(c.Undo("1"), errors.NothingToUndo)
