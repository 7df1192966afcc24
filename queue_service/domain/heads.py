"""How the heads of lanes are compared, and free counters: the part of the order that needs no hall.

The live hall (`order`) and the simulator (`planning.simulation`) both call what stands here, so they cannot differ.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from models.vocabulary import OrderRule

Terms = tuple[int, int, int]
"""A lane's order target in ms, head start in ms, rank."""
Head = tuple[tuple[Any, ...], Terms]
"""The first of a lane: its place (line_since_ms, issued_at_ms, number, ...) and the lane's terms."""
Key = Callable[[int, Terms, int], tuple[float, ...]]
"""Smallest key is called first: (line_since_ms, terms, now_ms)."""


def _largest_share(line_since_ms: int, terms: Terms, now_ms: int) -> tuple[float, ...]:
    return (-(now_ms - line_since_ms + terms[1]) / terms[0],)


def _fifo(line_since_ms: int, terms: Terms, now_ms: int) -> tuple[float, ...]:
    return (line_since_ms,)


def _earliest_due(line_since_ms: int, terms: Terms, now_ms: int) -> tuple[float, ...]:
    return (line_since_ms - terms[1] + terms[0],)


def _strict(line_since_ms: int, terms: Terms, now_ms: int) -> tuple[float, ...]:
    return (-terms[2], line_since_ms)


KEYS: dict[OrderRule, Key] = {
    OrderRule.LARGEST_SHARE: _largest_share,
    OrderRule.FIFO: _fifo,
    OrderRule.EARLIEST_DUE: _earliest_due,
    OrderRule.STRICT: _strict,
}


def first_of(services: Iterable[Sequence[Head]], key: Key, bound_ms: int, now_ms: int) -> tuple[Any, ...] | None:
    """The place that is called first; `services` gives the heads of each service's classes (never none of them).

    Within a service those are left out who stand in line more than `bound_ms` (`max_overtake_ms`) after the oldest
    head. Ties: the earlier arrival, then the number.
    """
    chosen: tuple[Any, ...] | None = None
    least: tuple[Any, ...] = ()
    for classes in services:
        limit_ms = min(head[0][0] for head in classes) + bound_ms if len(classes) > 1 else classes[0][0][0]
        for place, terms in classes:
            if place[0] <= limit_ms:
                rank = (*key(place[0], terms, now_ms), *place[1:])
                if chosen is None or rank < least:
                    chosen, least = place, rank
    return chosen


def free_key(services: int, idle_since_ms: int, counter: str) -> tuple[int, int, str]:
    """Of the free counters able to serve, the smallest takes it: fewest services, then longest idle."""
    return (services, idle_since_ms, counter)
