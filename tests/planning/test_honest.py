"""Where nothing can be said of a wait, the reason is given and no number; what is absurd makes no absurd number."""

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from models.answers import EstimateAnswer
from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.history import read_history
from queue_service.planning.backtest.running import Foretold, run
from queue_service.planning.live.curve import Curve
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.outlook import estimate_document, ticket_estimate
from queue_service.planning.predictors.known import Estimate
from tests.domain.hall_driver import MIDNIGHT_MS
from tests.planning.recorded_days import random_day

COLUMNS = "hall,service,service_name,number,issued_at,called_at,counters_open,waiting_before"
SEEDS = (20261129, 7)


def checked(document: dict[str, object] | None) -> None:
    """Either figures, in order and finite, with what made them; or why not, and no figure. Always as of a moment."""
    assert document is not None
    shown = EstimateAnswer.model_validate(document)
    figures = (shown.p50_s, shown.p90_s, shown.from_s, shown.to_s, shown.basis)
    if shown.because is not None:
        assert set(figures) == {None}, document
        return
    assert None not in figures, document
    p50_s, p90_s, from_s, to_s = (float(one) for one in figures[:4] if one is not None)
    assert all(math.isfinite(one) for one in (p50_s, p90_s, from_s, to_s)), document
    assert 0 <= p50_s <= p90_s, document
    assert 0 <= from_s <= p50_s, document
    assert p90_s <= to_s + 0.5, document


@cache
def lived(seed: int) -> tuple[Logged, ...]:
    """A day with everything in it."""
    return tuple(random_day(seed, 4_000).log)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stretch", [0, 1, 400])
def test_whatever_a_day_brings_an_estimate_is_figures_or_a_reason(seed: int, stretch: int) -> None:
    """Days with everything in them: as they were, all in one instant, and with pauses of hours where minutes were, over
    midnight and beyond. Each service and each ticket that waits is asked about, with and without dear predictors."""
    print(f"seed {seed}")
    hall, estimates = Hall("hall"), HallEstimates()
    reasons, bases = set(), set()
    for number, logged in enumerate(lived(seed)):
        at_ms = MIDNIGHT_MS + (logged.at_ms - MIDNIGHT_MS) * stretch
        evolve(hall, replace(logged, at_ms=at_ms))
        estimates.fold(hall, replace(logged, at_ms=at_ms))
        hall.drain()
        if hall.today is None or number % 11:
            continue
        if number % 55 == 0:
            estimates.tell(
                EstimateBasis.LEARNED, {"a": Curve(at_ms, (0.0,), (0.0,)), "b": Curve(at_ms, (9e9,), (9e9,))}
            )
        outlooks = estimates.outlooks(hall, at_ms)
        for service, outlook in outlooks.items():
            checked(estimate_document(hall, service, outlook, hall.waiting_count(service), 0.0, at_ms))
            reasons.add(outlook.because)
            bases.add(outlook.basis)
        for ticket in hall.waiting():
            checked(ticket_estimate(hall, ticket, outlooks, hall.waiting_count(ticket.leg.service), at_ms))
    assert {NoEstimate.SERVICE_NEVER_SEEN, NoEstimate.TOO_LITTLE_HISTORY, None} <= reasons
    assert len(bases) > 1


def foretold(path: Path, rows: list[str], test_from: str) -> list[Foretold]:
    """What would have been said of recorded rows."""
    path.write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    halls = read_history(path, lambda _: ZoneInfo("UTC"), broken=[])
    return run(halls, test_from, lambda _: None)


def row(day: int, number: int, minute: float, wait_min: float, service: str = "tax", beside: str = "2,3") -> str:
    """A ticket of a day in March, issued so many minutes after eight."""

    def clock(at_min: float) -> str:
        of_day_s = round((8 * 60 + at_min) * 60)
        return f"2026-03-{day:02}T{of_day_s // 3600:02}:{of_day_s % 3600 // 60:02}:{of_day_s % 60:02}Z"

    called = clock(minute + wait_min) if wait_min >= 0 else ""
    return f"hall,{service},{service},{service}{number:03},{clock(minute)},{called},{beside}"


def test_too_little_is_recorded_and_it_is_said(tmp_path: Path) -> None:
    """One day is foretold from nothing: its first ticket is of a service never seen, the next ones of too little
    history, and a service that comes new in the afternoon is never seen either."""
    rows = [row(2, number, number * 3, 5) for number in range(60)]
    rows += [row(2, 100 + number, 200 + number, 1, "land") for number in range(3)]
    said = {one.row: one.served for one in foretold(tmp_path / "one.csv", rows, "2026-03-02")}
    assert said[2] == NoEstimate.SERVICE_NEVER_SEEN
    assert said[10] == NoEstimate.TOO_LITTLE_HISTORY
    assert isinstance(said[60], Estimate)
    assert said[62] == NoEstimate.SERVICE_NEVER_SEEN


def test_no_counter_is_open_and_it_is_said(tmp_path: Path) -> None:
    """Nobody is there, nobody was called for half an hour, no counter: a wait of which the past says nothing."""
    rows = [row(2, number, number * 3, 5) for number in range(60)]
    rows += [row(2, 200, 400, 100, beside="0,0")]
    said = foretold(tmp_path / "none.csv", rows, "2026-03-02")
    assert said[-1].served == NoEstimate.NO_COUNTER_OPEN


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_of_recorded_days_make_no_absurd_number(tmp_path: Path, seed: int) -> None:
    """Days as polls record them: lines and counters beyond all measure, waits of ten hours, tickets never called, calls
    all at once, days that are missing, times that are none or years off. Every number stays finite and in order; broken
    rows are left out."""
    print(f"seed {seed}")
    chance = Random(seed)  # noqa: S311 (faults that anyone can repeat)
    rows = []
    for day in (1, 2, 3, 8, 9, 10, 20):
        for number in range(90):
            wait_min = chance.choice([0, 0, 5, 5, 9, 20, 600, -1, chance.uniform(0, 60)])
            beside = chance.choice(["2,3", "2,3", ",", "0,0", "999999999,999999999", "1,400"])
            rows.append(row(day, number, number * 2 + chance.choice([0, 0, 1]), wait_min, beside=beside))
    rows += [
        "hall,tax,tax,X001,2018-53-01T09:00:00Z,,1,1",
        "hall,tax,tax,X002,2026-03-03T09:00:00Z,2018-03-03T09:00:00Z,1,1",
        "hall,tax,tax,X003,nine,,1,1",
    ]
    said = foretold(tmp_path / "faults.csv", rows, "2026-03-02")
    assert len(said) > 400
    served = [one.served for one in said if isinstance(one.served, Estimate)]
    assert len(served) > 200
    for one in said:
        assert all(math.isfinite(point) and point >= 0 for point in one.points.values()), one
    for estimate in served:
        assert 0 <= estimate.p50_s <= estimate.bound_s < math.inf, estimate
        assert estimate.chance is not None
        assert 0 < estimate.chance < 1 or estimate.basis == EstimateBasis.LEARNED
