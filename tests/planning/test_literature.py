"""The simulator against exact results of queueing theory, within four standard errors (batch means, seeds fixed)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from models.vocabulary import OrderRule
from queue_service.planning.simulation.drawing import Exponential, Flow, Stretch, draw
from queue_service.planning.simulation.running import Course, Simulator
from queue_service.planning.simulation.scene import Scene, Shift, Visitor
from queue_service.planning.staffing.erlang import erlang_a, kept_share

MINUTE = 60_000
BATCHES = 25


def course_of(
    rates: Mapping[str, float],
    counters: int,
    mean_service: float,
    minutes: int,
    seed: int,
    patience: float | None = None,
    shares: Sequence[float] = (1,),
) -> Course:
    """A hall of one service whose classes (`rates` a minute) gain priority at rates `shares`; times in minutes."""
    end_ms = minutes * MINUTE
    weights = dict(zip(rates, shares, strict=True))
    terms = {("a", name): (round(1_200_000 / weights[name]), 0, rank) for rank, name in enumerate(rates)}
    shifts = tuple(Shift(f"{number:03}", 0, end_ms, ("a",)) for number in range(counters))
    scene = Scene(OrderRule.LARGEST_SHARE, 10**12, terms, shifts, 0, end_ms)
    service = Exponential(mean_service * MINUTE)
    leaving = None if patience is None else Exponential(patience * MINUTE)
    flows = [Flow("a", name, (Stretch(0, end_ms, rate * 60),), service, leaving) for name, rate in rates.items()]
    print(f"seed {seed}")
    return Simulator(scene).run(draw(flows, lambda _: None, seed, 0).visitors)


def waits_min(course: Course, priority: str | None = None, offered: bool = False) -> np.ndarray:
    """The waits in minutes by order of arrival; `offered`: of those who left, too."""
    rows = sorted(
        (one.waiting_since_ms, at_ms)
        for one, called_ms, left_ms in zip(course.visitors, course.called_at_ms, course.left_at_ms, strict=True)
        if priority in (None, one.priority)
        and (at_ms := called_ms if called_ms is not None else (left_ms if offered else None)) is not None
    )
    return np.array([(at_ms - since_ms) / MINUTE for since_ms, at_ms in rows])


def agrees(values: np.ndarray, exact: float) -> None:
    """The mean lies within four standard errors of batch means, and these are small enough to say something."""
    settled = values[len(values) // 20 :]
    means = np.array([batch.mean() for batch in np.array_split(settled, BATCHES)])
    error = means.std(ddof=1) / np.sqrt(BATCHES)
    assert abs(means.mean() - exact) < 4 * error, (means.mean(), exact, error)
    assert error < 0.12 * exact


@pytest.mark.parametrize(
    ("rates", "shares", "exact"),
    [
        ({"p": 0.4, "q": 0.4}, (2, 1), (3.0, 5.0)),
        ({"p": 0.2, "q": 0.3, "r": 0.4}, (4, 2, 1), (4.071429, 7.142857, 12.857143)),
    ],
)
def test_largest_share_is_accumulating_priority(
    rates: dict[str, float], shares: tuple[float, ...], exact: tuple[float, ...]
) -> None:
    """M/M/1 with priority that accumulates at rates 1/target: Kleinrock's mean waits by class."""
    course = course_of(rates, 1, 1.0, 120_000, seed=31, shares=shares)
    for name, mean in zip(rates, exact, strict=True):
        agrees(waits_min(course, name), mean)


@pytest.mark.parametrize("counters", [9, 10])
def test_the_cliff_is_simulated_as_computed(counters: int) -> None:
    """60 an hour of 8 minutes: 9 counters keep 0.81 within ten minutes, 10 keep 0.97."""
    course = course_of({"p": 1.0}, counters, 8.0, 60_000, seed=32)
    agrees((waits_min(course) <= 10).astype(float), kept_share(1.0, 8.0, counters, 10.0))


def test_who_has_no_patience_leaves_as_computed() -> None:
    """Erlang A: 48 a minute of a minute each, 50 counters, patience of two minutes."""
    course = course_of({"p": 48.0}, 50, 1.0, 1_500, seed=33, patience=2.0)
    exact = erlang_a(48, 1, 2, 50)
    waits = waits_min(course, offered=True)
    agrees(waits, exact.mean_wait)
    agrees((waits > 0).astype(float), exact.share_waiting)
    order = sorted(range(len(course.visitors)), key=lambda one: course.visitors[one].waiting_since_ms)
    agrees(np.array([course.left_at_ms[one] is not None for one in order], dtype=float), exact.share_leaving)


def test_the_same_seed_gives_the_same_visitors_to_every_scene() -> None:
    """Common random numbers: a run's visitors depend on the seed and the run, and a flow only on itself."""
    stretch = (Stretch(0, 60 * MINUTE, 60),)
    one, other = Flow("a", "p", stretch, Exponential(1000)), Flow("b", "p", stretch, Exponential(2000))
    slower = Flow("b", "p", stretch, Exponential(5000))

    def of_a(flows: list[Flow], run: int) -> list[Visitor]:
        return [visitor for visitor in draw(flows, lambda _: None, 7, run).visitors if visitor.service == "a"]

    assert of_a([one, other], 0) == of_a([one, slower], 0)
    assert of_a([one, other], 0) != of_a([one, other], 1)
