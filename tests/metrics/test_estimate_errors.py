"""How far estimates were off, by day: every call counted once, whoever tells of it, and shown in the report."""

from pathlib import Path
from random import Random

import pytest

from metrics.estimate_errors import estimate_errors
from models.vocabulary import EstimateBasis
from queue_service import schema
from queue_service.database import Database
from queue_service.estimate_errors import OwnError, Scored, add, errors_of
from tests.databases import BOTH, Kind, kept_by
from tests.metrics.driving import DAY, Drive
from tests.running import database_url

SEED = 20261129
LEARNED, LENGTH = EstimateBasis.LEARNED, EstimateBasis.QUEUE_LENGTH


def scored(count: int) -> list[Scored]:
    """Calls in the order of a log, of two services by two predictors; all errors are whole milliseconds."""
    random = Random(SEED)  # noqa: S311 (figures that anyone can repeat)
    return [
        Scored(
            seq,
            DAY,
            random.choice(["land", "tax"]),
            random.choice([LEARNED, LENGTH]),
            random.randrange(-600, 600) / 8,
            random.random() < 0.9,
        )
        for seq in range(1, count + 1)
    ]


@pytest.mark.parametrize("kind", BOTH)
def test_every_call_is_counted_once(kind: Kind, tmp_path: Path) -> None:
    """Two nodes that tell of the same calls, in pieces of their own, and a third that has read the day anew."""
    database = Database(database_url(kept_by(kind, tmp_path)))
    schema.prepare(database)
    all_of_them = scored(300)
    for first, last in ((0, 100), (50, 160), (0, 160), (100, 300), (0, 300)):
        with database.write() as connection:
            add(connection, "hall", all_of_them[first:last])
    found = database.read(lambda one: errors_of(one, "hall", DAY, DAY))
    for (service, basis), error in found.items():
        its = [one for one in all_of_them if (one.service, one.basis) == (service, basis)]
        assert (error.scored, error.covered) == (len(its), sum(one.covered for one in its))
        assert error.error_s == pytest.approx(sum(one.error_s for one in its), abs=1e-3 * 5)
        assert error.absolute_s == pytest.approx(sum(abs(one.error_s) for one in its), abs=1e-3 * 5)
    total = OwnError()
    for error in found.values():
        total.merge(error)
    assert total.scored == 300
    database.close()


def test_the_report_tells_them_by_service_and_by_what_made_them(drive: Drive) -> None:
    """A row for all of a service, and one for each predictor; nothing measured is null, other days are left out."""
    assert drive.report().estimates is None
    with drive.database.write() as connection:
        add(
            connection,
            "hall",
            [
                Scored(1, DAY, "tax", LEARNED, -60.0, covered=True),
                Scored(2, DAY, "tax", LEARNED, 30.0, covered=True),
                Scored(3, DAY, "tax", LENGTH, 90.0, covered=False),
                Scored(4, "2026-03-01", "tax", LENGTH, 900.0, covered=False),
            ],
        )
    found = drive.report().estimates
    assert found is not None
    shown = [(one.service, one.basis, one.counted, one.mae_s, one.bias_s, round(one.coverage, 3)) for one in found]
    assert shown == [
        ("tax", None, 3, 60.0, 20.0, 0.667),
        ("tax", LEARNED, 2, 45.0, -15.0, 1.0),
        ("tax", LENGTH, 1, 90.0, 90.0, 0.0),
    ]
    assert drive.database.read(lambda one: estimate_errors(one, "hall", "2026-02-01", "2026-02-28")) is None
