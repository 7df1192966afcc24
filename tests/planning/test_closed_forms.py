"""The closed forms against published and independently computed values (times in minutes unless a test says)."""

import math

import pytest

from queue_service.planning.staffing import erlang

BLOCKED = {
    (1, 1): 0.5, (5, 5): 0.2848678213, (10, 10): 0.2145823431, (10, 14): 0.0568191434, (20, 20): 0.1588919615,
    (20, 25): 0.0502217779, (50, 50): 0.1047874555, (100, 110): 0.0274634484,
}  # fmt: skip
FEWEST = {
    (10, 5): 2, (10, 8): 3, (10, 12): 4, (20, 5): 3, (20, 8): 4, (20, 12): 6, (30, 5): 4, (30, 8): 6, (30, 12): 8,
    (45, 5): 5, (45, 8): 8, (45, 12): 11, (60, 5): 6, (60, 8): 10, (60, 12): 14, (90, 5): 9, (90, 8): 14,
    (90, 12): 21, (120, 5): 11, (120, 8): 18, (120, 12): 27, (180, 5): 16, (180, 8): 26, (180, 12): 39,
    (240, 5): 22, (240, 8): 34, (240, 12): 51,
}  # fmt: skip
"""(arrivals an hour, mean service in minutes): fewest counters at which 90 % wait at most 10 minutes."""
CLIFF = {
    (30, 8, 5): 0.841244, (30, 8, 6): 0.976625, (60, 8, 9): 0.812819, (60, 8, 10): 0.966412, (60, 8, 11): 0.994239,
    (120, 8, 17): 0.788794, (120, 12, 25): 0.661646, (120, 12, 26): 0.887301, (120, 12, 27): 0.963081,
}  # fmt: skip
HALFIN_WHITT = {0.1: 0.880287, 0.25: 0.720932, 0.5: 0.504539, 1.0: 0.223361, 1.5: 0.08469, 2.0: 0.026881}

SAFETY = {0.05: 1.739836, 0.1: 1.420187, 0.2: 1.061516, 0.3: 0.828945, 0.5: 0.506054, 0.8: 0.172807}


@pytest.mark.parametrize(("offered", "counters"), BLOCKED)
def test_erlang_b_is_as_published(offered: int, counters: int) -> None:
    """The share that finds every counter taken."""
    assert erlang.erlang_b(offered, counters) == pytest.approx(BLOCKED[offered, counters], abs=5e-11)


def test_erlang_c_is_as_published() -> None:
    """100 arrivals in 30 minutes of 3 minutes each, 14 counters, 20 seconds: waiting, level, mean wait in seconds."""
    rate = 100 / 30
    assert erlang.erlang_c(rate * 3, 14) == pytest.approx(0.1741319335950498, rel=1e-12)
    assert erlang.kept_share(rate, 3, 14, 20 / 60) == pytest.approx(0.8883500191794669, rel=1e-12)
    assert erlang.mean_wait(rate, 3, 14) * 60 == pytest.approx(7.83593701, rel=1e-9)


def test_a_large_hall_without_patience_waits_as_published() -> None:
    """48 arrivals a minute of a minute each, 50 counters."""
    assert erlang.erlang_c(48, 50) == pytest.approx(0.6944556, abs=5e-8)
    assert erlang.mean_wait(48, 1, 50) * 60 == pytest.approx(20.83367, abs=5e-6)


def test_erlang_a_is_as_published() -> None:
    """The same with a mean patience of two minutes."""
    found = erlang.erlang_a(48, 1, 2, 50)
    assert found.share_waiting == pytest.approx(0.467774068553786, rel=1e-9)
    assert found.share_leaving == pytest.approx(0.03091224916219254, rel=1e-9)
    assert found.mean_wait * 60 == pytest.approx(3.709470, abs=5e-7)


@pytest.mark.parametrize(("per_hour", "service"), FEWEST)
def test_the_fewest_counters_are_as_tabled(per_hour: int, service: int) -> None:
    """The smallest number with P(wait <= 10 minutes) >= 0.90, and one fewer is not enough."""
    fewest = erlang.counters_for(per_hour / 60, service, 10, 0.90)
    assert fewest == FEWEST[per_hour, service]
    assert erlang.kept_share(per_hour / 60, service, fewest - 1, 10) < 0.90


@pytest.mark.parametrize(("per_hour", "service", "counters"), CLIFF)
def test_one_counter_is_the_difference(per_hour: int, service: int, counters: int) -> None:
    """The share within ten minutes on both sides of the cliff."""
    share = erlang.kept_share(per_hour / 60, service, counters, 10)
    assert share == pytest.approx(CLIFF[per_hour, service, counters], abs=5e-7)


def test_nobody_needs_no_counter() -> None:
    """Without arrivals none is needed, and a load that cannot be taken keeps no promise."""
    assert (erlang.counters_for(0, 5, 10, 0.9), erlang.counters_for_waiting(0, 0.5)) == (0, 0)
    assert (erlang.kept_share(2, 5, 10, 10), erlang.mean_wait(2, 5, 10), erlang.erlang_c(10, 10)) == (0, math.inf, 1)


@pytest.mark.parametrize("beta", HALFIN_WHITT)
def test_the_share_who_wait_in_the_limit_is_as_published(beta: float) -> None:
    """Halfin and Whitt's function."""
    assert erlang.halfin_whitt(beta) == pytest.approx(HALFIN_WHITT[beta], abs=1e-6)


@pytest.mark.parametrize("share", SAFETY)
def test_the_square_root_rule_is_as_published(share: float) -> None:
    """Its safety is the published one, and the rule adds as many roots of the load."""
    assert erlang.safety(share) == pytest.approx(SAFETY[share], abs=1e-6)
    assert erlang.square_root_counters(400, share) == math.ceil(400 + SAFETY[share] * 20)


def test_load_lags_arrivals_as_published() -> None:
    """Arrivals 100 + 20 sin t, services of mean 1: the load is 100 + 10 (sin t - cos t)."""
    step = 0.001
    rates = [100 + 20 * math.sin((number + 0.5) * step) for number in range(round(6 * math.pi / step))]
    loads = erlang.offered_load(rates, step, 1.0)
    for t in (4 * math.pi, 4 * math.pi + 0.7854, 4 * math.pi + 1.5708, 4 * math.pi + 2.3562, 4 * math.pi + 3.1416):
        expected = 100 + 10 * (math.sin(t) - math.cos(t))
        assert loads[round(t / step) - 1] == pytest.approx(expected, abs=0.02)
