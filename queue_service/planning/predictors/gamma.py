"""The wait behind a line, exactly: n ahead, c counters, m minutes each: W ~ Gamma(n + 1, scale m / c).

The shape is a whole number (Erlang), so the distribution is a finite sum and needs no library. Source: Whitt,
Management Science 45(6), 1999.
"""

import math
from functools import lru_cache

LARGEST = 400
"""Beyond so many ahead: the normal law for the cube root of W (Wilson and Hilferty, 1931), right to a thousandth."""
NORMAL = {0.1: -1.2815515655446004, 0.5: 0.0, 0.9: 1.2815515655446004}


def chance_over(ahead: int, scale_s: float, limit_s: float) -> float:
    """P(W > limit)."""
    if limit_s <= 0 or scale_s <= 0:
        return 1.0 if limit_s < 0 or scale_s > 0 else 0.0
    return _survival(ahead, limit_s / scale_s)


def _survival(ahead: int, x: float) -> float:
    """P(Gamma(ahead + 1, 1) > x): the Poisson terms up to `ahead`, in logarithms where e^-x would be nothing."""
    if ahead > LARGEST:
        shape = ahead + 1.0
        z = ((x / shape) ** (1 / 3) - 1 + 1 / (9 * shape)) * 3 * math.sqrt(shape)
        return 0.5 * math.erfc(z / math.sqrt(2))
    if x > 600:
        return math.fsum(math.exp(k * math.log(x) - x - math.lgamma(k + 1)) for k in range(ahead + 1))
    term = total = math.exp(-x)
    for k in range(1, ahead + 1):
        term *= x / k
        total += term
    return min(1.0, total)


@lru_cache(maxsize=4_096)
def unit_quantile(ahead: int, share: float) -> float:
    """The quantile of Gamma(ahead + 1, 1), to 1e-9; times the scale it is the wait. `share`: one of `NORMAL`."""
    if ahead > LARGEST:
        return _near(ahead + 1.0, NORMAL[share])
    x = step = max(_near(ahead + 1.0, NORMAL[share]), 0.05)
    while abs(step) > 1e-10 * x:  # Newton: the density is the slope of what is looked for
        density = math.exp(ahead * math.log(x) - x - math.lgamma(ahead + 1))
        step = (_survival(ahead, x) - (1 - share)) / density
        x += max(step, -x / 2)
    return x


def _near(shape: float, z: float) -> float:
    """A quantile by the normal law for the cube root."""
    return float(shape * (1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3)
