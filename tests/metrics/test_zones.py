"""Past days of a hall that has moved into another time zone: they are reported as they were recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from metrics.reading import read_days
from queue_service.domain import commands as c
from tests.metrics.driving import Drive, at, empty_database

YESTERDAY = "2026-03-01"


@pytest.fixture
def new_york(tmp_path: Path) -> Iterator[Drive]:
    """A hall in New York, where DAY began at 13 o'clock in Shanghai; it is 8 in the evening there."""
    database = empty_database(tmp_path)
    drive = Drive(database, start_ms=at(33))
    drive.plan(time_zone="America/New_York")
    yield drive
    database.close()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Kathmandu", "America/New_York"])
def test_a_day_is_reported_as_it_was_wherever_the_hall_moved(drive: Drive, zone: str) -> None:
    """Every figure of a full day stays: its bounds, its half-hours, who was turned away, what was chosen."""
    served = drive.issue(at_ms=at(0, 10))
    drive.send(c.CallNext("1"), c.Start(served), at_ms=at(9, 1))
    drive.issue(at_ms=at(9, 2))
    chosen = drive.issue(at_ms=at(23, 50))
    drive.send(c.CallChosen("2", "urgent", chosen), c.Finish(served), at_ms=at(23, 51))
    drive.send(c.Start(chosen), c.Finish(chosen), at_ms=at(23, 59))
    before = drive.report(now_ms=at(24 + 22))
    assert (before.rows[0].counted, before.judged_at) == (3, "2026-03-02T16:00:00.000Z")
    drive.clock.set_ms(at(24 + 20))
    drive.plan(time_zone=zone)
    assert drive.refused == []
    assert drive.report(now_ms=at(24 + 22)) == before


def test_recorded_history_keeps_its_days(new_york: Drive) -> None:
    """Imported in one zone, reported after the hall moved: the day is over when it was over there."""
    evening = at(13 - 3)  # 21 o'clock of the day before, in New York
    recorded = [
        c.RecordedTicket("hall.h1", "X1", "tax", evening, evening + 60_000, {}),
        c.RecordedTicket("hall.h2", "X2", "tax", evening, None, {}),
    ]
    new_york.send(c.RecordHistory(recorded))
    before = new_york.report(YESTERDAY)
    assert (before.rows[0].called, before.rows[0].max_s) == (1, 3 * 3600.0)
    assert before.judged_at == "2026-03-02T05:00:00.000Z"
    new_york.plan(time_zone="Asia/Shanghai")
    assert new_york.report(YESTERDAY) == before


def test_a_day_recorded_in_two_zones_loses_nobody(new_york: Drive) -> None:
    """One zone ends the day before the other lets a ticket begin: it is judged all the same, by its own wait."""
    late = at(13 - 1)  # 23 o'clock of the day before in New York; in Shanghai the next day has come
    new_york.send(c.RecordHistory([c.RecordedTicket("hall.h2", "X2", "tax", late, late + 60_000, {})]))
    new_york.plan(time_zone="Asia/Shanghai")
    early = at(-12)
    new_york.send(c.RecordHistory([c.RecordedTicket("hall.h1", "X1", "tax", early, early + 30_000, {})]))
    total = new_york.report(YESTERDAY).rows[0]
    assert (total.counted, total.kept, total.max_s) == (2, 2, 60.0)

    def legs(connection: Connection) -> list[int]:
        days = read_days(connection, new_york.view.rules, YESTERDAY, YESTERDAY, at(48))
        return [len(one.legs) for day in days for one in day.tickets]

    assert new_york.database.read(legs) == [1, 1]
