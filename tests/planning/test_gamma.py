"""The gamma wait of the queue length: exact values, and scipy's law as an independent one."""

import pytest
from scipy.stats import gamma

from queue_service.planning.predictors.gamma import LARGEST, chance_over, unit_quantile


@pytest.mark.parametrize(
    ("ahead", "counters", "minutes", "within"),
    [
        (0, 1, 8, 0.713495),
        (3, 3, 8, 0.516233),
        (5, 5, 8, 0.593596),
        (5, 3, 8, 0.177117),
        (8, 5, 8, 0.179621),
        (12, 5, 8, 0.012015),
        (12, 10, 8, 0.481025),
        (12, 12, 12, 0.208444),
    ],
)
def test_the_chance_of_ten_minutes_is_the_published_one(ahead: int, counters: int, minutes: int, within: float) -> None:
    """To the last published digit."""
    assert 1 - chance_over(ahead, minutes * 60 / counters, 600) == pytest.approx(within, abs=6e-7)


@pytest.mark.parametrize(("share", "minutes"), [(0.1, 5.043037), (0.5, 9.072258), (0.9, 14.839478)])
def test_the_quantiles_of_five_ahead_are_the_published_ones(share: float, minutes: float) -> None:
    """Five ahead, five counters, eight minutes each."""
    assert unit_quantile(5, share) * 8 / 5 == pytest.approx(minutes, abs=6e-7)


@pytest.mark.parametrize("ahead", [0, 1, 7, 60, 250, LARGEST, LARGEST + 1, 3_000])
def test_the_law_is_scipys(ahead: int) -> None:
    """Quantiles and chances; beyond the table to a thousandth."""
    close = 1e-6 if ahead <= LARGEST else 1e-3
    for share in (0.1, 0.5, 0.9):
        assert unit_quantile(ahead, share) == pytest.approx(gamma.ppf(share, ahead + 1), rel=close)
    for x in (0.5, ahead * 0.9 + 0.1, ahead + 1.0, ahead * 1.1 + 3, 900.0):
        assert chance_over(ahead, 1.0, x) == pytest.approx(gamma.sf(x, ahead + 1), abs=close)
