"""What is different in a what-if, and what a counter serves then."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from models.vocabulary import OrderRule
from queue_service.domain.plan import CounterPlan, Plan


@dataclass(frozen=True)
class MoreCounters:
    """So many more counters (fewer below zero) during `[from_ms, to_ms)`; `services` None: for everything."""

    count: int
    from_ms: int
    to_ms: int
    services: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Move:
    """A counter serves `to_service` in place of `from_service` from an instant on, perhaps until another."""

    counter: str
    from_service: str
    to_service: str
    from_ms: int
    to_ms: int | None = None


@dataclass(frozen=True)
class Changes:
    """All that is different; without anything, nothing is."""

    order: OrderRule | None = None
    pools: tuple[frozenset[str], ...] = ()
    more: tuple[MoreCounters, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there is any."""
        return self != Changes()

    def extras(self) -> dict[str, MoreCounters]:
        """The counters that are added, by their names: +1, +2, ..."""
        added = [one for one in self.more for _ in range(max(0, one.count))]
        return {f"+{number}": one for number, one in enumerate(added, 1)}

    def instants_ms(self) -> list[int]:
        """When what a counter serves changes."""
        found = [at_ms for one in self.moves for at_ms in (one.from_ms, one.to_ms) if at_ms is not None]
        return sorted(set(found))

    def plan(self, plan: Plan, now_ms: int) -> Plan:
        """The plan as it is changed at an instant."""
        counters = {one.id: replace(one, services=self.served(one.id, one.services, now_ms)) for one in _all(plan)}
        for name, more in self.extras().items():
            services = tuple(plan.services) if more.services is None else more.services
            counters[name] = CounterPlan(name, name, None, services)
        return replace(plan, counters=counters, order=self.order or plan.order)

    def served(self, counter: str, services: tuple[str, ...], now_ms: int) -> tuple[str, ...]:
        """What a counter that served `services` serves at an instant."""
        found = services
        for move in self.moves:
            at_work = move.from_ms <= now_ms and (move.to_ms is None or now_ms < move.to_ms)
            if move.counter == counter and at_work and move.from_service in found:
                kept = tuple(one for one in found if one != move.from_service)
                found = tuple(dict.fromkeys((*kept, move.to_service)))
        for pool in self.pools:
            if pool.intersection(found):
                found = tuple(dict.fromkeys((*found, *sorted(pool))))
        return found


def _all(plan: Plan) -> list[CounterPlan]:
    return list(plan.counters.values())


@dataclass
class Narrowed:
    """What clerks signed on for, where that is less than the plan lets their counters serve."""

    services: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def note(self, counter: str, services: tuple[str, ...] | None) -> None:
        """A clerk signed on."""
        if services is None:
            self.services.pop(counter, None)
        else:
            self.services[counter] = tuple(services)

    def served(self, changes: Changes, now_ms: int) -> Mapping[str, tuple[str, ...]]:
        """The same, changed."""
        return {name: changes.served(name, services, now_ms) for name, services in self.services.items()}
