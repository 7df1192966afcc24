"""What there is to warn of, as of now: pure reading of a hall and of its watch. `docs/alerts.md` tells what to do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metrics.live.burn import Burn
from metrics.live.watch import Watch
from metrics.tally import Cells
from models.vocabulary import AlertKind, CounterState, TicketState, Verdict
from queue_service.domain.alert_rules import AlertRules
from queue_service.domain.hall import Counter, Hall, Place
from queue_service.domain.order import heads


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds now. `values`: numbers for the text, as in the event."""

    kind: AlertKind
    service: str | None = None
    counter: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> tuple[str, str | None, str | None]:
        """As of an alert."""
        return self.kind.value, self.service, self.counter


@dataclass(frozen=True, slots=True)
class Idle:
    """A counter that could call somebody, for so long already; `service`: what the one waits for who waits longest."""

    counter: str
    idle_ms: int
    service: str


def conditions(
    hall: Hall, watch: Watch, burning: Iterable[Burn], cells: Cells, expected_misses: float | None, now_ms: int
) -> list[Condition]:
    """Everything to warn of. Nothing outside opening hours, while the whole hall stands still, or in training."""
    rules = hall.rules.alerts
    if rules is None or hall.rules.training or not hall.day.is_open(now_ms) or None in hall.suspensions:
        return []
    return [
        *_burning(burning),
        *_foreseen(rules, cells, expected_misses),
        *_idle(rules, hall, now_ms),
        *_silent(rules, hall, watch, now_ms),
        *_unanswered(rules, watch, now_ms),
    ]


def _burning(burning: Iterable[Burn]) -> Iterator[Condition]:
    """Each kind once, by the first of its rules that fires."""
    told: set[AlertKind] = set()
    for one in burning:
        if one.firing and one.rule.kind not in told and one.long is not None and one.short is not None:
            told.add(one.rule.kind)
            values = {
                "long_s": one.rule.long_ms // 1000,
                "long": round(one.long, 2),
                "short": round(one.short, 2),
                "limit": round(one.limit, 2),
                "counted": one.counted,
            }
            yield Condition(one.rule.kind, values=values)


def _foreseen(rules: AlertRules, cells: Cells, expected_misses: float | None) -> Iterator[Condition]:
    """More misses are to come in the next half hour than are left of today's budget."""
    left = budget_left(cells)
    if expected_misses is not None and expected_misses >= rules.foreseen_misses and expected_misses > max(0.0, left):
        values = {"expected_misses": round(expected_misses, 1), "allowed": round(max(0.0, left), 1)}
        yield Condition(AlertKind.BREACH_FORESEEN, values=values)


def budget_left(cells: Cells) -> float:
    """How many more may be missed today, of those counted and those who wait; below 0: the promise is broken."""
    left = 0.0
    for (_, _, percentile), counts in cells.items():
        counted = counts[Verdict.KEPT] + counts[Verdict.MISSED] + counts[Verdict.OPEN]
        left += (1 - percentile / 100) * counted - counts[Verdict.MISSED]
    return left


def _idle(rules: AlertRules, hall: Hall, now_ms: int) -> Iterator[Condition]:
    for one in idle_while_waiting(hall, rules.idle_ms, now_ms):
        values = {"idle_s": one.idle_ms // 1000, "service": one.service}
        yield Condition(AlertKind.IDLE_WHILE_WAITING, counter=one.counter, values=values)


def idle_while_waiting(hall: Hall, least_ms: int, now_ms: int) -> list[Idle]:
    """Counters open, able and free for so long while someone waits whom they could call."""
    if not any(hall.lanes.values()):
        return []
    idle = (counter for counter in hall.counters.values() if hall.counter_state(counter) == CounterState.IDLE)
    found = (_idle_at(hall, counter, now_ms) for counter in idle)
    return [one for one in found if one is not None and one.idle_ms >= least_ms]


def _idle_at(hall: Hall, counter: Counter, now_ms: int) -> Idle | None:
    callable_now = [hall.tickets[place[3]] for lanes in heads(hall, counter, now_ms) for place, _ in lanes]
    first = min(callable_now, key=lambda one: one.leg.waiting_since_ms, default=None)
    if first is None:
        return None
    since_ms = max(counter.since_ms, first.leg.waiting_since_ms)
    return Idle(counter.id, now_ms - since_ms, first.leg.service)


def _silent(rules: AlertRules, hall: Hall, watch: Watch, now_ms: int) -> Iterator[Condition]:
    """People wait in opening hours and nobody was called for long."""
    opened_ms = max(start_ms for start_ms, _ in hall.day.opening if start_ms <= now_ms)
    resumed_ms = max((end_ms for _, _, end_ms in hall.suspended_spans), default=0)
    lanes = [lane for (service, _), lane in hall.lanes.items() if not hall.is_suspended(service)]
    began_ms = min((ms for lane in lanes if (ms := _first_began_ms(hall, lane, now_ms)) is not None), default=None)
    if began_ms is None:
        return
    silent_ms = now_ms - max(watch.last_call_ms, began_ms, opened_ms, resumed_ms)
    if silent_ms >= rules.silent_ms:
        waiting = sum(map(len, lanes)) - sum(_waits_later(hall, one, now_ms) for one in watch.postponed)
        yield Condition(AlertKind.SILENT_HALL, values={"silent_s": silent_ms // 1000, "waiting": waiting})


def _first_began_ms(hall: Hall, lane: Sequence[Place], now_ms: int) -> int | None:
    """When the longest of a lane's waits began, those that are still to begin left out. Only the first are looked at:
    nobody stands in line since later than the wait began."""
    first_ms: int | None = None
    for place in lane:
        if first_ms is not None and place[0] >= first_ms:
            break
        since_ms = hall.tickets[place[3]].leg.waiting_since_ms
        if since_ms <= now_ms and (first_ms is None or since_ms < first_ms):
            first_ms = since_ms
    return first_ms


def _waits_later(hall: Hall, ticket_id: str, now_ms: int) -> bool:
    """Whether a ticket that was postponed stands in a lane whose calls have not stopped, and its wait is to begin."""
    ticket = hall.tickets.get(ticket_id)
    if ticket is None or ticket.state != TicketState.WAITING or hall.is_suspended(ticket.leg.service):
        return False
    return ticket.leg.waiting_since_ms > now_ms


def _unanswered(rules: AlertRules, watch: Watch, now_ms: int) -> Iterator[Condition]:
    for counter, rung_ms in watch.rings.items():
        if now_ms - rung_ms >= rules.help_ms:
            values = {"rung_s": (now_ms - rung_ms) // 1000}
            yield Condition(AlertKind.HELP_UNANSWERED, counter=counter, values=values)
