"""What a report is compared with: days of the same weekdays, months with months."""

import pytest

from metrics.comparison import Earlier, earlier_days
from queue_service.domain import commands as c
from tests.metrics.driving import DAY, Drive, at

BEFORE, YEAR = Earlier.PERIOD_BEFORE, Earlier.YEAR_BEFORE


@pytest.mark.parametrize(
    ("days", "earlier", "expected"),
    [
        (("2026-03-02", "2026-03-02"), BEFORE, ("2026-02-23", "2026-02-23")),
        (("2026-03-02", "2026-03-02"), YEAR, ("2025-03-03", "2025-03-03")),
        (("2026-03-02", "2026-03-08"), BEFORE, ("2026-02-23", "2026-03-01")),
        (("2026-03-02", "2026-03-09"), BEFORE, ("2026-02-16", "2026-02-23")),
        (("2026-03-01", "2026-03-31"), BEFORE, ("2026-02-01", "2026-02-28")),
        (("2024-02-01", "2024-02-29"), YEAR, ("2023-02-01", "2023-02-28")),
        (("2026-01-01", "2026-03-31"), BEFORE, ("2025-10-01", "2025-12-31")),
        (("2026-01-01", "2026-12-31"), BEFORE, ("2025-01-01", "2025-12-31")),
        (("2026-01-01", "2026-12-31"), YEAR, ("2025-01-01", "2025-12-31")),
        (("1970-06-01", "1970-06-30"), YEAR, None),
    ],
)
def test_the_days_compared_with(days: tuple[str, str], earlier: Earlier, expected: tuple[str, str] | None) -> None:
    """Weekdays stay weekdays, whole months stay whole months, and nothing is compared with itself."""
    assert earlier_days(*days, earlier) == expected


def test_the_change_is_now_less_then(drive: Drive) -> None:
    """A week later one of three is kept instead of one of two, and the longest wait has grown."""
    for day, long_min in ((0, 12), (7, 30)):
        for begun_min, wait_min in ((0, 5), (10, long_min)):
            ticket = drive.issue(at_ms=at(24 * day + 9, begun_min))
            called_ms = at(24 * day + 9, begun_min + wait_min)
            drive.send(c.CallNext("1"), c.Start(ticket), c.Finish(ticket), at_ms=called_ms)
    drive.issue(at_ms=at(24 * 7 + 10))
    report = drive.report("2026-03-09", now_ms=at(24 * 7 + 11))
    before, year = report.comparisons
    assert (before.from_day, before.rows[0].share, report.rows[0].share) == (DAY, 0.5, 1 / 3)
    assert before.share_change == pytest.approx(1 / 3 - 1 / 2)
    assert (before.rows[0].p90_s, before.p90_change_s) == (720.0, 3600.0 - 720.0)
    assert (year.rows[0].counted, year.share_change, year.p90_change_s) == (0, None, None)
