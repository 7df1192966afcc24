"""What dear predictors are asked and say: a hall simulated from how it stands, a model asked about its lines."""

from dataclasses import replace
from typing import Any

import pytest

from models.vocabulary import OrderRule
from queue_service.domain import commands as c
from queue_service.domain.plan import Plan
from queue_service.planning.live import answering, simulated
from queue_service.planning.live.curve import Answer
from queue_service.planning.live.simulated import Standing, standing_of
from queue_service.planning.predictors.known import Figures
from queue_service.planning.predictors.tracker import Tracker
from queue_service.planning.simulation.drawing import Exponential, Held, Resampled
from queue_service.planning.simulation.scene import Shift, Visitor
from queue_service.planning.staffing.learning import ArrivalBasis, Learned
from tests.domain.hall_driver import HallDriver, at, plan_document
from tests.planning.halls import HOUR_MS, MINUTE_MS

PLAN = Plan.from_document(plan_document())
DAY = "2026-03-02"


def demand(minutes: float, exactly: bool = False) -> Learned:
    """Nobody comes; services take so long, on average or exactly."""
    took = Resampled([round(minutes * MINUTE_MS)]) if exactly else Exponential(minutes * MINUTE_MS)
    return Learned(5, ArrivalBasis.RECENT_DAYS, {}, {}, {"a": took, "b": took}, {})


def standing(waiting: int, counters: int, **changes: Any) -> Standing:
    """So many wait for `a` at counters that are all taken."""
    names = tuple(f"{number:02}" for number in range(counters))
    return Standing(
        **{
            "now_ms": at(9),
            "day": DAY,
            "came": waiting,
            "order": OrderRule.FIFO,
            "max_overtake_ms": HOUR_MS,
            "lane_terms": {("a", "normal"): (600_000, 0, 0), ("b", "normal"): (600_000, 0, 0)},
            "default_priority": "normal",
            "shifts": tuple(Shift(name, at(9), at(12), ("a",)) for name in names),
            "suspended": frozenset(),
            "waiting": tuple(_visitor("a", number) for number in range(waiting)),
            "held": tuple(Held(name, "a", 0) for name in names),
            "idle_since_ms": {},
            **changes,
        }
    )


def _visitor(service: str, number: int, priority: str = "normal") -> Visitor:
    since_ms = at(8, 30) + number * MINUTE_MS
    return Visitor(service, priority, since_ms, since_ms, since_ms, 0, None, f"{number:04}")


def said(one: Standing, known: Learned) -> Answer:
    """What the simulation answers."""
    found = simulated.simulated(one, known, PLAN)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(("ahead", "p50", "p90"), [(5, 9.072258, 14.839478), (0, 1.109035, 3.684136)])
def test_who_joins_a_line_waits_as_theory_says(
    ahead: int, p50: float, p90: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five counters of eight minutes, all taken: the gamma wait of the queue length, the nobody-ahead one included;
    those who stand further in front wait less."""
    monkeypatch.setattr(simulated, "RUNS", (3_000, 3_000))
    points = said(standing(ahead, 5), demand(8))["a"]
    assert len(points.p50_s) == ahead + 1
    assert points.p50_s[-1] / 60 == pytest.approx(p50, rel=0.06)
    assert points.p90_s[-1] / 60 == pytest.approx(p90, rel=0.06)
    assert list(points.p50_s) == sorted(points.p50_s)


def test_who_would_join_keeps_nobody_waiting() -> None:
    """With one counter for two services and services of exactly ten minutes, whoever joins either is called as the
    second, though both are asked about."""
    one = standing(1, 1, shifts=(Shift("00", at(9), at(12), ("a", "b")),))
    answer = said(one, demand(10, exactly=True))
    assert (answer["a"].p50_s, answer["b"].p50_s) == ((600.0, 1200.0), (1200.0,))


def test_counters_that_are_free_call_at_once_and_others_are_of_no_use() -> None:
    """Nobody waits where a counter is free. A service that no counter serves, or that is suspended, has no figures."""
    free = standing(0, 2, held=())
    assert said(free, demand(8))["a"].p50_s == (0.0,)
    assert "b" not in said(free, demand(8))
    assert said(replace(free, suspended=frozenset({"a"})), demand(8)) == {}


def test_what_lies_beyond_the_end_is_not_made_up() -> None:
    """Ten wait at one counter for half an hour each: figures for those who are called within two hours, no others."""
    points = said(standing(10, 1), demand(30, exactly=True))["a"]
    assert points.p50_s == tuple(1800.0 * place for place in range(1, 4))


def test_too_few_days_and_no_simulation() -> None:
    """One day tells neither who comes nor how long they take."""
    assert simulated.simulated(standing(5, 2), replace(demand(8), days=1), PLAN) is None


def test_the_hall_is_taken_as_it_stands() -> None:
    """Classes by the hall's own order, a counter on its break left out, tickets at counters, who waits."""
    driver = HallDriver(at(9), ("1", "2", "3"))
    for _ in range(3):
        driver.issue("a")
        driver.later(60)
    driver.call("1")
    driver.issue("b", priority="elder")
    driver.do(c.PauseCounter("3", "break"))
    driver.later(60)
    one = standing_of(driver.hall, driver.now_ms)
    assert [shift.counter for shift in one.shifts] == ["1", "2"]
    assert (one.held, len(one.waiting), one.came) == ((Held("1", "a", 60_000),), 3, 4)
    answer = said(one, demand(10, exactly=True))
    assert answer["a"].p50_s[0] == 0.0  # counter 2 is free
    assert len(answer["a"].p50_s) == 3
    assert set(answer) == {"a", "b"}


class _Doubling:
    """A model by which a wait is a minute for each who is ahead, and once more that; but for five nobody waits."""

    def ask(self, rows: Any) -> list[Figures]:
        waits = [0.0 if row[2] == 5 else 60.0 * row[2] for row in rows]
        return [Figures(wait_s, 2 * wait_s) for wait_s in waits]


def test_a_model_is_asked_about_some_places_of_a_line_and_the_others_lie_between() -> None:
    """Each place has figures, a few more than wait now; nobody further in front is told a longer wait."""
    tracker = Tracker()
    for number in range(30):
        tracker.join(str(number), "a", at(9))
    points = answering.learned(_Doubling(), [tracker.known("a", at(9), 2), tracker.known("b", at(9), 2)])  # type: ignore[arg-type]
    assert len(points["a"].p50_s) == 35
    assert points["b"].p50_s == (0.0, 60.0, 120.0, 180.0, 240.0)
    expected = [60.0 * place for place in range(35)]
    expected[4:8] = [180.0, 180.0, 280.0, 380.0]
    assert points["a"].p50_s == pytest.approx(expected)
    assert list(points["a"].p50_s) == sorted(points["a"].p50_s)
