"""The same network in ciw, an engine of others: the same waits."""

import ciw  # type: ignore[import-untyped]  # it carries no types
import numpy as np
import pytest

from models.vocabulary import OrderRule
from queue_service.planning.simulation.running import Simulator
from queue_service.planning.simulation.scene import Scene, Shift, Visitor

SECOND = 1000
CLASSES = ("q", "p")
"""From the last to the first: under `strict` the plan's last class goes first."""


def our_waits(visitors: list[Visitor], rule: OrderRule, counters: int) -> list[float]:
    """Waits in seconds, in the order of arrival."""
    terms = {("a", name): (600_000, 0, rank) for rank, name in enumerate(CLASSES)}
    shifts = tuple(Shift(str(number), 0, 10**12, ("a",)) for number in range(counters))
    course = Simulator(Scene(rule, 10**12, terms, shifts, 0, 10**12)).run(visitors)
    return [wait / SECOND for wait in course.waits_ms() if wait is not None]


def ciw_waits(network: ciw.network.Network) -> list[float]:
    """Waits in seconds of all visitors of a network whose arrivals end, in the order of arrival."""
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(10**7)
    records = sorted(simulation.get_all_records(), key=lambda one: one.arrival_date)
    return [float(one.waiting_time) for one in records]


@pytest.mark.parametrize("rule", [OrderRule.FIFO, OrderRule.STRICT])
def test_each_visitor_waits_as_long_as_in_ciw(rule: OrderRule) -> None:
    """Recorded arrivals of two classes, services of fixed length, three counters: every single wait is the same."""
    rng = np.random.default_rng(41)
    print("seed 41")
    held_s = {"p": 211, "q": 307}
    times_ms = {name: np.unique(rng.integers(1, 300_000_000, 1500)).tolist() for name in CLASSES}
    visitors = sorted(
        (
            Visitor("a", name, at_ms, at_ms, at_ms, held_s[name] * SECOND)
            for name in CLASSES
            for at_ms in times_ms[name]
        ),
        key=lambda one: one.waiting_since_ms,
    )
    gaps = {name: (np.diff([0, *times_ms[name]]) / SECOND).tolist() for name in CLASSES}
    network = ciw.create_network(
        arrival_distributions={name: [ciw.dists.Sequential([*gaps[name], 10**9])] for name in CLASSES},
        service_distributions={name: [ciw.dists.Deterministic(held_s[name])] for name in CLASSES},
        number_of_servers=[3],
        **({"priority_classes": {"p": 0, "q": 1}} if rule == OrderRule.STRICT else {}),
    )
    ours = our_waits(visitors, rule, 3)
    assert ours == pytest.approx(ciw_waits(network), abs=1e-3)
    assert max(ours) > 600


def test_random_waits_have_the_distribution_of_ciw() -> None:
    """Exponential services and arrivals, four counters: quantiles of independent runs agree within their spread."""
    print("seeds 0 to 15")
    wanted = [0.5, 0.75, 0.9, 0.97]
    ours, theirs = [], []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        arrivals = np.cumsum(rng.exponential(70, 1000))
        held = rng.exponential(240, 1000)
        visitors = [
            Visitor("a", "p", round(at_s * SECOND), round(at_s * SECOND), 0, round(one * SECOND))
            for at_s, one in zip(arrivals, held, strict=True)
        ]
        ours.append(np.quantile(our_waits(visitors, OrderRule.FIFO, 4), wanted))
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Exponential(1 / 70)],
            service_distributions=[ciw.dists.Exponential(1 / 240)],
            number_of_servers=[4],
        )
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(1000, method="Finish")
        theirs.append(np.quantile([one.waiting_time for one in simulation.get_all_records()], wanted))
    error = np.sqrt((np.var(ours, axis=0, ddof=1) + np.var(theirs, axis=0, ddof=1)) / 16)
    assert (np.abs(np.mean(ours, axis=0) - np.mean(theirs, axis=0)) < 4 * error).all()
