"""Every cell of the table from state x command -> state, by real commands; and the page that shows the table."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.vocabulary import TERMINAL_STATES, Channel, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.rules.lookup import check_state
from queue_service.domain.rules.table import CALL, EXPIRE, TABLE, VERBS
from tests.domain.hall_driver import HallDriver, at
from tests.domain.states_page import BEGIN, END, explained, rendered

PAGE = Path(__file__).parents[2] / "docs" / "states.md"

COMMANDS: dict[str, list[Callable[[str], c.Command]]] = {
    "recall": [c.Recall],
    "start": [c.Start],
    "finish": [c.Finish],
    "no-show": [c.NoShow],
    "rejoin": [c.Rejoin],
    "requeue": [c.Requeue],
    "park": [lambda ticket: c.Park(ticket, "materials")],
    "return": [c.Return, lambda ticket: c.Return(ticket, "1")],
    "transfer": [lambda ticket: c.Transfer(ticket, "b")],
    "change": [lambda ticket: c.Change(ticket, "wrong service", service="b")],
    "hand-over": [lambda ticket: c.HandOver(ticket, "2")],
    "check-in": [c.CheckIn],
    "postpone": [lambda ticket: c.Postpone(ticket, 60_000)],
    "cancel": [c.Cancel],
    CALL: [lambda ticket: c.CallChosen("2", "test", ticket=ticket)],
}
"""Every way to give each command; the hall's own `expire` is midnight's."""

CELLS = [(state, verb) for state in TicketState for verb in COMMANDS]


def brought_to(state: TicketState) -> tuple[HallDriver, str]:
    """A hall with one ticket in a state, brought there by real commands at counter 1; counter 2 is idle."""
    driver = HallDriver(no_show={"recalls": 0, "after_s": 0})
    ticket = driver.issue(channel=Channel.WEB if state == TicketState.EXPECTED else Channel.KIOSK)
    if state not in (TicketState.EXPECTED, TicketState.WAITING, TicketState.EXPIRED, TicketState.CANCELLED):
        driver.call("1")
    if state in (TicketState.SERVING, TicketState.PARKED, TicketState.FINISHED):
        driver.do(c.Start(ticket))
    last: dict[TicketState, c.Command] = {
        TicketState.PARKED: c.Park(ticket, "materials"),
        TicketState.FINISHED: c.Finish(ticket),
        TicketState.NO_SHOW: c.NoShow(ticket),
        TicketState.CANCELLED: c.Cancel(ticket),
    }
    if state in last:
        driver.do(last[state])
    if state == TicketState.EXPIRED:
        driver.now_ms = at(24)
        driver.do(c.OpenDay())
    assert driver.ticket(ticket).state == state
    return driver, ticket


@pytest.mark.parametrize(("state", "verb"), CELLS)
def test_every_cell_leads_where_the_table_says_or_is_refused(state: TicketState, verb: str) -> None:
    """A command leads to exactly the states of its cell; without a cell it is refused and changes nothing."""
    reached = set()
    for make in COMMANDS[verb]:
        driver, ticket = brought_to(state)
        if (state, verb) in TABLE:
            driver.do(make(ticket))
            reached.add(driver.ticket(ticket).state)
        elif state in TERMINAL_STATES:
            driver.refused(make(ticket), errors.UnknownTicket)
        else:
            refusal = driver.refused(make(ticket), errors.WrongState)
            assert refusal.facts["state"] == state
            assert set(refusal.facts["allowed"]) == {known for known in COMMANDS if (state, known) in TABLE}
    assert reached == set(TABLE.get((state, verb), ()))


@pytest.mark.parametrize("state", TicketState)
def test_midnight_expires_what_the_table_says(state: TicketState) -> None:
    """At the day's end a ticket expires if its state has the cell, and stays as it is if not."""
    driver, ticket = brought_to(state)
    driver.now_ms = driver.hall.day.end_ms
    driver.do(c.OpenDay())
    assert (driver.ticket(ticket).state,) == TABLE.get((state, EXPIRE), (state,))


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_an_ended_ticket_allows_nothing(state: TicketState) -> None:
    """Of a ticket whose end only the database remembers, every command is a WrongState that says so."""
    for verb in COMMANDS:
        with pytest.raises(errors.WrongState) as caught:
            check_state(state, verb, "A001")
        assert caught.value.facts == {"state": state, "allowed": []}


def test_every_ticket_command_has_its_verb() -> None:
    """The table knows every command that can be given to a ticket, by the name of the outside contract."""
    asked = {one for one in vars(c).values() if isinstance(one, type) and issubclass(one, c.TicketCommand)}
    assert set(VERBS) == asked - {c.TicketCommand}
    assert {*VERBS.values(), CALL} == set(COMMANDS)
    assert {verb for _, verb in TABLE} == {*COMMANDS, EXPIRE}


def test_the_page_shows_the_table() -> None:
    """docs/states.md has the diagram and the table that the code has (UPDATE_DOCS=1 writes them anew)."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    expected = f"{before}{rendered()}{after}"
    if os.environ.get("UPDATE_DOCS") == "1":
        PAGE.write_text(expected, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == expected


def test_the_page_explains_every_arrow() -> None:
    """docs/states.md has a paragraph on each command of the table and on no other."""
    assert explained(PAGE.read_text(encoding="utf-8")) == {verb for _, verb in TABLE}
