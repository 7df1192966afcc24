"""What one wait is and which cell it falls in: every cell of the table, and lives lived through the real rules."""

import pytest

from metrics.waits import WaitRecord, classify, live_record
from models.vocabulary import Apart, Channel, Period, TicketState, Verdict
from queue_service.domain import commands as c
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall, Ticket
from tests.metrics.driving import DAY, Drive, at, end_of

PROMISE_MS = 600_000
WITHIN = (0, PROMISE_MS - 1, PROMISE_MS)
PASSED = (PROMISE_MS + 1, 75 * 60_000)

S, V = TicketState, Verdict
CELLS = [
    (S.WAITING, False, V.OPEN),
    (S.CALLED, True, V.KEPT),
    (S.SERVING, True, V.KEPT),
    (S.PARKED, True, V.KEPT),
    (S.FINISHED, True, V.KEPT),
    (S.NO_SHOW, True, V.LEFT),
    (S.CANCELLED, False, V.LEFT),
    (S.CANCELLED, True, V.LEFT),
    (S.EXPIRED, False, V.LEFT),
    (S.EXPIRED, True, V.KEPT),
]
"""State, whether its last wait ended in a call, verdict within the promise."""


def record_of(
    state: TicketState, called: bool, wait_ms: int, apart: str | None = None, promise_ms: int | None = PROMISE_MS
) -> WaitRecord:
    """A record with the facts that decide; the rest does not matter."""
    return WaitRecord(
        ticket="hall.1",
        number="A001",
        service="tax",
        priority="normal",
        channel=Channel.KIOSK,
        day=DAY,
        issued_at_ms=at(9),
        period=Period.PEAK,
        promise_ms=promise_ms,
        percentile=90,
        wait_ms=wait_ms,
        called=called,
        waiting=state == TicketState.WAITING,
        state=state,
        apart=apart,
    )


@pytest.mark.parametrize("wait_ms", WITHIN)
@pytest.mark.parametrize(("state", "called", "verdict"), CELLS)
def test_within(state: TicketState, called: bool, verdict: Verdict, wait_ms: int) -> None:
    """A wait up to and including the promise falls in the cell of its state."""
    assert classify(record_of(state, called, wait_ms)) == verdict


@pytest.mark.parametrize("wait_ms", PASSED)
@pytest.mark.parametrize(("state", "called"), [cell[:2] for cell in CELLS])
def test_passed(state: TicketState, called: bool, wait_ms: int) -> None:
    """A wait that passed the promise is missed whatever became of it, by a millisecond or by an hour."""
    assert classify(record_of(state, called, wait_ms)) == Verdict.MISSED


@pytest.mark.parametrize("why", Apart)
@pytest.mark.parametrize("wait_ms", [*WITHIN, *PASSED])
@pytest.mark.parametrize(("state", "called"), [cell[:2] for cell in CELLS])
def test_flagged(state: TicketState, called: bool, wait_ms: int, why: Apart) -> None:
    """A flagged ticket is apart, kept or missed alike."""
    assert classify(record_of(state, called, wait_ms, apart=why)) == Verdict.APART


@pytest.mark.parametrize("state", [S.EXPECTED, S.CANCELLED, S.EXPIRED])
def test_no_wait_no_promise(state: TicketState) -> None:
    """A ticket whose wait never began kept nothing and missed nothing."""
    assert classify(record_of(state, called=False, wait_ms=0, promise_ms=None)) == Verdict.LEFT


def test_every_state_has_a_cell() -> None:
    """The table leaves out no state in which a wait has begun."""
    assert {state for state, _, _ in CELLS} | {S.EXPECTED} == set(TicketState)


def judged(drive: Drive, ticket_id: str, now_ms: int | None = None) -> tuple[Verdict, int]:
    """An open ticket's verdict and wait as of now."""
    hall = drive.view
    record = live_record(hall, hall.tickets[ticket_id], drive.clock.now_ms() if now_ms is None else now_ms)
    return classify(record), record.wait_ms


def test_a_running_wait_counts(drive: Drive) -> None:
    """Somebody still waiting is open up to the promise and missed a millisecond later."""
    ticket = drive.issue(at_ms=at(9, 30))
    assert judged(drive, ticket, at(9, 40)) == (Verdict.OPEN, 600_000)
    assert judged(drive, ticket, at(9, 40, ms=1)) == (Verdict.MISSED, 600_001)


def test_waits_add_up_over_legs(drive: Drive) -> None:
    """A transferred visitor is open again while waiting, and the second wait is added to the first."""
    ticket = drive.issue(at_ms=at(9, 30))
    drive.send(c.CallNext("1"), at_ms=at(9, 35))
    assert judged(drive, ticket) == (Verdict.KEPT, 300_000)
    drive.send(c.Start(ticket), c.Transfer(ticket, "land"), at_ms=at(9, 45))
    assert judged(drive, ticket) == (Verdict.OPEN, 300_000)
    assert judged(drive, ticket, at(9, 50)) == (Verdict.OPEN, 600_000)
    drive.send(c.CallNext("2"), at_ms=at(9, 50, ms=1))
    assert judged(drive, ticket) == (Verdict.MISSED, 600_001)


def test_a_postponed_wait_stands_still(drive: Drive) -> None:
    """The time a visitor lets others go first is not waited; it begins again at the time named."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.Postpone(ticket, by_ms=1_200_000), at_ms=at(9, 5))
    assert judged(drive, ticket, at(9, 20)) == (Verdict.OPEN, 300_000)
    assert judged(drive, ticket, at(9, 30)) == (Verdict.OPEN, 600_000)
    assert judged(drive, ticket, at(9, 31)) == (Verdict.MISSED, 660_000)


def test_a_no_show_is_left_and_comes_back(drive: Drive) -> None:
    """A no-show within the promise is apart from it, and kept after all once it rejoined and was called."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), c.NoShow(ticket), at_ms=at(9, 1))
    assert judged(drive, ticket) == (Verdict.LEFT, 60_000)
    drive.send(c.Rejoin(ticket), at_ms=at(9, 2))
    assert judged(drive, ticket) == (Verdict.OPEN, 60_000)
    drive.send(c.CallNext("1"), at_ms=at(9, 3))
    assert judged(drive, ticket) == (Verdict.KEPT, 120_000)


def test_waits_stop_at_the_days_end(drive: Drive) -> None:
    """Whoever waits when the day ends is judged with the wait up to then, before the rollover is logged and after."""
    ticket = drive.issue(at_ms=at(23, 59))
    hall, held = drive.view, drive.view.tickets[ticket]
    before = live_record(hall, held, end_of(hall) + 7_200_000)
    drive.send(c.OpenDay(), at_ms=end_of(hall) + 7_200_000)
    after = live_record(hall, held, drive.clock.now_ms())
    assert before == after
    assert (after.wait_ms, after.state, classify(after)) == (60_000, TicketState.EXPIRED, Verdict.LEFT)


def test_an_expired_no_show_stays_one(drive: Drive) -> None:
    """Midnight does not make a kept promise out of a no-show."""
    ticket = drive.issue(at_ms=at(23, 58))
    drive.send(c.CallNext("1"), c.NoShow(ticket))
    held = drive.view.tickets[ticket]
    drive.send(c.OpenDay(), at_ms=at(24))
    assert held.state == TicketState.EXPIRED
    assert classify(live_record(drive.view, held, at(24))) == Verdict.LEFT


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([c.Finish("T")], id="finished"),
        pytest.param([c.Requeue("T")], id="requeued"),
        pytest.param([c.Requeue("T"), c.Cancel("T")], id="requeued, then cancelled"),
        pytest.param([c.Requeue("T"), c.CallNext("1"), c.NoShow("T")], id="requeued, then a no-show"),
        pytest.param([c.Park("T", "materials"), c.Cancel("T")], id="parked, then cancelled"),
        pytest.param([c.Transfer("T", "land")], id="transferred"),
    ],
)
@pytest.mark.parametrize("delay_ms", [0, 1, 3_600_000])
def test_yesterday_is_not_revised(drive: Drive, later: list[c.Command], delay_ms: int) -> None:
    """What a ticket carried over midnight lives through on the next day leaves its own day's verdict as it was."""
    ticket = drive.issue(at_ms=at(23, 58))
    drive.send(c.CallNext("1"), c.Start(ticket), at_ms=at(23, 59))
    for command in later:
        named = type(command)(**{**_fields(command), **({"ticket": ticket} if hasattr(command, "ticket") else {})})
        drive.send(named, at_ms=max(drive.clock.now_ms(), at(24) + delay_ms))
    assert not drive.refused
    held = _as_of(drive, ticket)
    record = live_record(drive.view, held, drive.clock.now_ms() + 3_600_000)
    assert (classify(record), record.wait_ms, record.service) == (Verdict.KEPT, 60_000, "tax")


def _fields(command: c.Command) -> dict[str, object]:
    return {name: getattr(command, name) for name in type(command).__dataclass_fields__}


def _as_of(drive: Drive, ticket_id: str) -> Ticket:
    """The ticket after everything in the log, also when the hall has let go of it."""
    hall, found = Hall("hall"), None
    for logged in drive.log:
        evolve(hall, logged)
        found = hall.touched.get(ticket_id, found)
    assert found is not None
    return found
