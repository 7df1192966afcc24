"""What a simulation is about: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from models.vocabulary import OrderRule
from queue_service.domain.hall import LaneKey
from queue_service.domain.heads import Terms
from queue_service.domain.plan import Plan


class Visitor(NamedTuple):
    """One wait and one service to come. `held_ms`: how long a counter is taken, from the call to the end.

    `patience_ms`: leaves when not called so long after `waiting_since_ms`. `promise_ms`: None is not judged.
    Until `reserved_until_ms` only `for_counter` may call it."""

    service: str
    priority: str
    waiting_since_ms: int
    line_since_ms: int
    issued_at_ms: int
    held_ms: int
    promise_ms: int | None = None
    number: str = ""
    patience_ms: int | None = None
    for_counter: str | None = None
    reserved_until_ms: int | None = None


class Shift(NamedTuple):
    """A counter calls for `services` during `[from_ms, to_ms)`; a ticket held at the end is served to its end.

    A break is a gap between two shifts, a move to other services is another shift. Shifts of one counter must not
    overlap."""

    counter: str
    from_ms: int
    to_ms: int
    services: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """What is fixed while visitors come and go: `[start_ms, end_ms)`, the rules, who works when."""

    order: OrderRule
    max_overtake_ms: int
    lane_terms: Mapping[LaneKey, Terms]
    shifts: tuple[Shift, ...]
    start_ms: int
    end_ms: int
    suspended: frozenset[str] = field(default_factory=frozenset)


def scene_of(plan: Plan, shifts: tuple[Shift, ...], start_ms: int, end_ms: int) -> Scene:
    """A scene under the plan's own order rules."""
    return Scene(plan.order, plan.max_overtake_ms, plan.lane_terms, shifts, start_ms, end_ms)
