"""The bound of nine in ten: how its allowed share of misses follows what is missed."""

from random import Random

from queue_service.planning.predictors.estimator import Estimator
from queue_service.planning.predictors.known import Estimate, Known

SEED = 20261127


def known_of(service: str) -> Known:
    """Nobody ahead, two counters, and the last waits as they were."""
    return Known(
        service, 0, 0, 36_000.0, 0, 2, None, 0.0, 60.0, 30.0, 60.0, 10, 60.0, 120.0, 60.0, 60.0, 9, 9, 9, 9, 60.0, 9, 9,
        60.0,
    )  # fmt: skip


def test_a_hall_whose_waits_grow_all_day_is_covered_all_the_same() -> None:
    """Each of eight services meets too few tickets to follow by itself; the hall's own share of misses follows."""
    random, estimator, held = Random(SEED), Estimator(), list[bool]()  # noqa: S311 (waits that anyone can repeat)
    for number in range(1_600):
        ticket, drift = str(number), 1 + number / 400
        said = estimator.issued(ticket, known_of(f"service-{number % 8}"), 600.0)
        wait_s = random.expovariate(1 / 60) * drift
        if isinstance(said, Estimate) and number >= 400:
            held.append(wait_s <= said.bound_s)
        estimator.called(ticket, wait_s)
    assert len(held) > 1_100
    assert 0.88 <= sum(held) / len(held) <= 0.92
