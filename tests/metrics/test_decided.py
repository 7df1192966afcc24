"""What is kept up event by event says what comes out when every ticket is judged anew."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from metrics.decided import Count, Decided, outcome_of
from metrics.live.conditions import Condition, conditions
from metrics.live.watch import Watch
from metrics.reading import read_days
from models.vocabulary import AlertKind
from queue_service.domain import commands as c
from tests.metrics.driving import Drive, at, empty_database
from tests.metrics.histories import follow, steps
from tests.metrics.test_tally import assert_agree

LUNCH = {
    "opening": [{"start": "08:00", "end": "09:05"}, {"start": "09:10", "end": "18:00"}],
    "peaks": [{"start": "09:00", "end": "11:00"}],
    "wait_clock": "opening",
}
WINDOWS_MIN = (1, 5, 60)


def anew(drive: Drive, since_ms: int, now_ms: int) -> Counter[tuple[bool, float]]:
    """Decided in a window, by the rows of all of today's tickets."""

    def read(connection: Connection) -> Counter[tuple[bool, float]]:
        day = drive.view.day.date
        found = (
            outcome_of(day_read.clock, one.record, one.legs, day_read.until_ms)
            for day_read in read_days(connection, drive.view.rules, day, day, now_ms)
            for one in day_read.tickets
        )
        return Counter(
            (one.missed, one.allowed) for one in found if one is not None and since_ms <= one.at_ms <= now_ms
        )

    return drive.database.read(read)


def counted(drive: Drive, since_ms: int, now_ms: int) -> Counter[tuple[bool, float]]:
    """The same, as it was kept up."""
    found: Counter[tuple[bool, float]] = Counter()
    for one in drive.metrics.tally("hall").counts(drive.view, since_ms, now_ms):
        found[one.missed, one.allowed] += one.tickets
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(steps, st.sampled_from([0, 1, 120_000, 7_200_000]), st.booleans())
def test_a_window_holds_what_was_decided_in_it(
    taken: list[tuple[str, int, str, str, int]], later_ms: int, by_hours: bool
) -> None:
    """For any lawful history and window, by either wait clock, also where the plan changes it."""
    with TemporaryDirectory() as folder:
        database = empty_database(Path(folder))
        drive = Drive(database, start_ms=at(8, 58))
        drive.plan(**({"calendar": LUNCH} if by_hours else {}))
        drive.open("1", "2", "3")
        follow(drive, taken)
        now_ms = drive.clock.now_ms() + later_ms
        for window_min in WINDOWS_MIN:
            since_ms = now_ms - window_min * 60_000
            assert counted(drive, since_ms, now_ms) == anew(drive, since_ms, now_ms)
        database.close()


@pytest.mark.parametrize("minute", [4, 7, 11, 12, 13, 17, 18, 30])
def test_waits_that_stand_still_over_lunch_pass_their_promise_later(drive: Drive, minute: int) -> None:
    """By hours: ten minutes are over at 9:17, lunch left out. Once the plan counts all hours, at 9:12."""
    drive.plan(calendar=LUNCH)
    drive.issue(at_ms=at(9, 2))
    assert_agree(drive, at(9, minute))
    assert bool(counted(drive, at(9), at(9, minute))) == (minute > 17)
    drive.plan(calendar={**LUNCH, "wait_clock": "always"})
    assert_agree(drive, at(9, minute))
    assert bool(counted(drive, at(9), at(9, minute))) == (minute > 12)


def test_what_is_not_over_at_midnight_is_left_until_the_new_day_is_opened(drive: Drive) -> None:
    """A wait within its promise when the day ended is no longer open, whenever the rollover comes."""
    drive.issue(at_ms=at(23, 59))
    assert_agree(drive, at(23, 59, 30))
    assert_agree(drive, at(24, 30))
    assert not counted(drive, at(0), at(24, 30))


def test_outcomes_are_added_and_removed(drive: Drive) -> None:
    """A window's bounds belong to it; what was removed is not counted."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), at_ms=at(9, 1))
    tally = drive.metrics.tally("hall")
    assert list(tally.counts(drive.view, at(9, 1), at(9, 1))) == [Count(False, 0.1, 1)]
    assert not list(tally.counts(drive.view, at(9, 1) + 1, at(9, 2)))
    drive.send(c.Undo("1"), at_ms=at(9, 1, 10))
    assert not list(tally.counts(drive.view, at(9), at(9, 2)))
    assert ticket in set(tally.passing(drive.view, at(9), at(9, 10) + 1))
    assert not set(tally.passing(drive.view, at(9), at(9, 10)))
    assert not list(Decided().counts(0, at(24)))


def silence(drive: Drive, watch: Watch, now_ms: int) -> list[Condition]:
    """What is said of a hall that calls nobody."""
    found = conditions(drive.view, watch, [], {}, None, now_ms)
    return [one for one in found if one.kind == AlertKind.SILENT_HALL]


def test_silence_lasts_as_long_as_the_longest_wait_that_has_begun(drive: Drive) -> None:
    """Who was postponed neither waits yet nor counts; who was sent on waits for it since then, whatever the place."""
    watch = Watch()
    sent_on, postponed = drive.issue(at_ms=at(8)), drive.issue(at_ms=at(8, 1))
    drive.send(c.CallNext("1"), c.Start(sent_on), at_ms=at(8, 2))
    drive.send(c.Postpone(postponed, 1_800_000), at_ms=at(8, 3))
    drive.issue("land", at_ms=at(8, 19))
    drive.send(c.Transfer(sent_on, "land"), at_ms=at(8, 20))
    drive.issue("land", at_ms=at(8, 25))
    for logged in drive.log:
        watch.fold(logged)
    watch.last_call_ms = 0
    assert silence(drive, watch, at(8, 28)) == []
    [late] = silence(drive, watch, at(8, 30))
    assert late.values == {"silent_s": 11 * 60, "waiting": 3}
    [later] = silence(drive, watch, at(8, 33))
    assert later.values == {"silent_s": 14 * 60, "waiting": 4}
    drive.send(c.Suspend("the system is down", service="land"), at_ms=at(8, 34))
    [last] = silence(drive, watch, at(8, 50))
    assert last.values == {"silent_s": 17 * 60, "waiting": 1}
