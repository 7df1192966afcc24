"""Closed forms of queueing theory that staffing starts from. Rates per any one unit of time; no I/O, no randomness.

`offered` is the offered load in erlangs (arrival rate x mean service time). Erlang B and C: standard; Erlang A:
Garnett, Mandelbaum, Reiman, M&SOM 4(3), 2002; offered load: Jennings et al., Management Science 42(10), 1996.
"""

import math
from dataclasses import dataclass
from itertools import count


def erlang_b(offered: float, counters: int) -> float:
    """The share of visitors who find every counter taken where nobody waits."""
    blocked = 1.0
    for number in range(1, counters + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked


def erlang_c(offered: float, counters: int) -> float:
    """The share who wait at all; 1 where the load is more than the counters can take."""
    if counters <= offered:
        return 1.0
    blocked = erlang_b(offered, counters)
    return blocked / (1 - offered / counters * (1 - blocked))


def kept_share(rate: float, mean_service: float, counters: int, promise: float) -> float:
    """The share called within `promise` (M/M/c); 0 where the line grows without end."""
    offered = rate * mean_service
    if counters <= offered:
        return 0.0
    return 1 - erlang_c(offered, counters) * math.exp(-(counters - offered) * promise / mean_service)


def mean_wait(rate: float, mean_service: float, counters: int) -> float:
    """The mean wait (M/M/c); infinite where the line grows without end."""
    offered = rate * mean_service
    if counters <= offered:
        return math.inf
    return erlang_c(offered, counters) * mean_service / (counters - offered)


def counters_for(rate: float, mean_service: float, promise: float, share: float) -> int:
    """The fewest counters that call `share` of the visitors within `promise` (M/M/c); 0 where nobody comes."""
    if rate <= 0:
        return 0
    return next(
        c for c in count(math.floor(rate * mean_service) + 1) if kept_share(rate, mean_service, c, promise) >= share
    )


def counters_for_waiting(offered: float, share_waiting: float) -> int:
    """The fewest counters at which at most `share_waiting` wait at all (M/M/c); 0 where nobody comes."""
    if offered <= 0:
        return 0
    return next(c for c in count(math.floor(offered) + 1) if erlang_c(offered, c) <= share_waiting)


def square_root_counters(offered: float, share_waiting: float) -> int:
    """The square-root rule: offered load plus safety that grows with its root (Halfin, Whitt, 1981)."""
    return math.ceil(offered + safety(share_waiting) * math.sqrt(offered))


def safety(share_waiting: float) -> float:
    """The roots of the load to add so that `share_waiting` wait: the inverse of `halfin_whitt`, by bisection."""
    low, high = 0.0, 10.0
    for _ in range(60):
        beta = (low + high) / 2
        low, high = (beta, high) if halfin_whitt(beta) > share_waiting else (low, beta)
    return high


def halfin_whitt(beta: float) -> float:
    """The share who wait, in the limit of many counters, with a safety of `beta` roots of the load."""
    distribution = (1 + math.erf(beta / math.sqrt(2))) / 2
    density = math.exp(-beta * beta / 2) / math.sqrt(2 * math.pi)
    return 1 / (1 + beta * distribution / density)


@dataclass(frozen=True)
class WithPatience:
    """An M/M/c hall whose visitors leave when they waited too long (Erlang A)."""

    share_waiting: float
    share_leaving: float
    mean_wait: float


def erlang_a(rate: float, mean_service: float, mean_patience: float, counters: int) -> WithPatience:
    """Erlang A, by summing the chain's stationary weights until they no longer matter."""
    serving, leaving = 1 / mean_service, 1 / mean_patience
    weights = [1.0]
    for number in count(1):
        outflow = min(number, counters) * serving + max(0, number - counters) * leaving
        weights.append(weights[-1] * rate / outflow)
        if number > counters and weights[-1] < 1e-16 * max(weights):
            break
    total = sum(weights)
    waiting = sum(weights[counters:]) / total
    length = sum((number - counters) * weight for number, weight in enumerate(weights) if number > counters) / total
    return WithPatience(waiting, length * leaving / rate, length / rate)


def offered_load(rates: list[float], step: float, mean_service: float) -> list[float]:
    """The offered load at the end of each step of `step` time units, for rates that change from step to step and
    exponential services: it lags the arrivals by about one service time. Begins at rest under the first rate."""
    load, decay = rates[0] * mean_service, math.exp(-step / mean_service)
    loads = []
    for rate in rates:
        load = rate * mean_service + (load - rate * mean_service) * decay
        loads.append(load)
    return loads
