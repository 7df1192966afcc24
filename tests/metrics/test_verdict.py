"""Figures over many waits: exact ranks, exact means, nothing lost to rounding."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from metrics.verdict import Group, figures, mean_ms, nearest_rank, wilson
from models.vocabulary import Period, TicketState
from tests.metrics.test_waits import record_of

PEAK = ("peak", 600_000, 90)
OFF_PEAK = ("off_peak", 120_000, 90)


def group_of(waits_ms: list[int], promise_ms: int = 600_000) -> Group:
    """Tickets called after these waits."""
    group = Group()
    for wait_ms in waits_ms:
        group.add(record_of(TicketState.FINISHED, called=True, wait_ms=wait_ms, promise_ms=promise_ms))
    return group


@given(st.lists(st.integers(0, 10_000_000), min_size=1), st.integers(1, 100))
def test_nearest_rank_is_its_definition(waits_ms: list[int], percentile: int) -> None:
    """The nearest rank is the smallest value that at least that many in a hundred do not exceed."""
    enough = [
        v for v in waits_ms if Fraction(sum(w <= v for w in waits_ms), len(waits_ms)) >= Fraction(percentile, 100)
    ]
    assert nearest_rank(sorted(waits_ms), percentile) == min(enough)


def test_nearest_rank_of_ten() -> None:
    """Of ten values the 90th percentile is the ninth, the 91st the tenth, the first the first."""
    ten = list(range(1, 11))
    assert [nearest_rank(ten, p) for p in (1, 10, 11, 50, 90, 91, 100)] == [1, 1, 2, 5, 9, 10, 10]
    assert nearest_rank([], 90) is None


@given(st.lists(st.integers(0, 2**50), min_size=1))
def test_the_mean_is_exact(waits_ms: list[int]) -> None:
    """The mean is the exact one to the nearest millisecond, however large the sum."""
    mean = mean_ms(waits_ms)
    assert mean is not None
    assert -Fraction(1, 2) < mean - Fraction(sum(waits_ms), len(waits_ms)) <= Fraction(1, 2)
    assert mean_ms([]) is None


def test_mistake_5_a_75_minute_wait_is_75_minutes() -> None:
    """FIELD mistake 5: a wait of 75 minutes and 16.789 seconds is 4516.789 s in every figure, not its minutes' part."""
    found = figures([(PEAK, group_of([4_516_789]))])
    assert {found.mean_s, found.p50_s, found.p90_s, found.p95_s, found.max_s, found.called_max_s} == {4516.789}
    assert (found.counted, found.missed, found.met) == (1, 1, False)


def test_met_at_the_edge() -> None:
    """Nine of ten within 600 s keep a promise of 90 %; eight do not, and a millisecond decides."""
    assert figures([(PEAK, group_of([600_000] * 9 + [9_999_999]))]).met is True
    assert figures([(PEAK, group_of([600_000] * 8 + [600_001] + [9_999_999]))]).met is False


def test_each_is_judged_by_its_own_promise() -> None:
    """A row over peak and off-peak is met when both are, and names neither's promise."""
    mixed = [(PEAK, group_of([500_000])), (OFF_PEAK, group_of([130_000], promise_ms=120_000))]
    found = figures(mixed)
    assert (found.counted, found.kept, found.missed, found.met) == (2, 1, 1, False)
    assert (found.period, found.promise_s, found.percentile, found.called_within) == (None, None, None, 1)
    alone = figures(mixed[:1])
    assert (alone.period, alone.promise_s, alone.percentile, alone.met) == (Period.PEAK, 600.0, 90, True)


def test_nothing_counted_says_nothing() -> None:
    """Where nobody was counted there is no share, no percentile and no verdict."""
    found = figures([])
    assert (found.counted, found.share, found.mean_s, found.p90_s, found.max_s, found.met) == (0, *[None] * 5)
    assert (found.called, found.called_share, found.called_mean_s) == (0, None, None)


def test_those_who_left_count_as_called_only() -> None:
    """A no-show within the promise is not counted in the verdict but was called."""
    group = Group()
    group.add(record_of(TicketState.NO_SHOW, called=True, wait_ms=1_000))
    group.add(record_of(TicketState.CANCELLED, called=False, wait_ms=1_000))
    found = figures([(PEAK, group)])
    assert (found.counted, found.left, found.called, found.called_within) == (0, 2, 1, 1)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17, 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 1 - 0.1170, 1.0),
    ],
)
def test_the_interval_of_published_examples(part: int, whole: int, low: float, high: float) -> None:
    """Wilson's interval as published."""
    assert list(wilson(part, whole)) == pytest.approx([low, high], abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_interval_is_that_of_scipy(counts: tuple[int, int]) -> None:
    """For any counts the interval is the one of an independent library, holds the share, and lies within 0 and 1."""
    low, high = wilson(*counts)
    expected = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert [low, high] == pytest.approx([expected.low, expected.high], abs=1e-12)
    assert low is not None
    assert high is not None
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


def test_nothing_has_no_interval() -> None:
    """Of nobody nothing can be said."""
    assert wilson(0, 0) == (None, None)
