"""The answer of `GET …/promise`, as plain values. What became of each promise the tally knows, as for the gauges."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from metrics.live.burn import Burn
from metrics.live.conditions import Idle
from metrics.live.watch import Watch
from metrics.tally import Cells
from metrics.verdict import share_of
from models.vocabulary import Verdict
from models.wire import rfc3339, rfc3339_or_none, seconds, seconds_or_none
from queue_service.domain.alert import Alert
from queue_service.domain.hall import Hall, Ticket


class Foreseen(NamedTuple):
    """What is expected of a waiting ticket: the chance that its wait passes the promise (at all, and within the next
    half hour), and its estimate as the wire shows it."""

    chance: float | None
    soon: float | None
    estimate: dict[str, Any] | None


def promise_document(
    hall: Hall,
    cells: Cells,
    burning: Iterable[Burn],
    idle: Iterable[Idle],
    expected: float | None,
    waiting: Any,
    watch: Watch,
    now_ms: int,
) -> dict[str, Any]:
    """As `models.live.PromiseAnswer` describes it; `waiting`: the list of `waiting_document`."""
    return {
        "as_of": rfc3339(now_ms),
        "day": hall.day.date,
        "totals": _stand(sum(cells.values(), Counter[Verdict]())),
        "periods": [
            {**_stand(counts), "period": period, "promise_s": seconds(promise_ms), "percentile": percentile}
            for (period, promise_ms, percentile), counts in sorted(cells.items())
        ],
        "expected_misses_30_min": expected,
        "waiting": waiting,
        "burn": [_burn(one) for one in burning],
        "idle_while_waiting": [
            {"counter": one.counter, "idle_s": seconds(one.idle_ms), "service": one.service} for one in idle
        ],
        "help": [{"counter": counter, "since": rfc3339(rung_ms)} for counter, rung_ms in watch.rings.items()],
        "displays": [
            {
                "display": name,
                "voice": told.voice,
                "at": rfc3339(told.at_ms),
                "lag_s": seconds(told.lag_ms),
                "worst_lag_s": seconds(told.worst_ms),
            }
            for name, told in watch.displays.items()
        ],
        "alerts": [alert_document(alert) for alert in hall.alerts.values()],
    }


def expected_misses(soon: Iterable[float | None]) -> float | None:
    """Σ(1 − P) over those of whom something can be said; None where that is nobody."""
    chances = [chance for chance in soon if chance is not None]
    return round(sum(chances), 3) if chances else None


def _stand(counts: Counter[Verdict]) -> dict[str, Any]:
    counted = counts[Verdict.KEPT] + counts[Verdict.MISSED]
    return {
        "counted": counted,
        **{verdict.value: counts[verdict] for verdict in Verdict},
        "share": share_of(counts[Verdict.KEPT], counted),
    }


def waiting_document(hall: Hall, ticket: Ticket, foreseen: Foreseen, now_ms: int) -> dict[str, Any]:
    """One who waits, as `models.live` describes it."""
    return {
        "ticket": ticket.id,
        "number": ticket.number,
        "service": ticket.leg.service,
        "waited_s": seconds(ticket.waited_so_far_ms() + hall.waited_ms(ticket.leg, now_ms)),
        "promise_s": seconds_or_none(ticket.promise_ms),
        "chance_of_missing": foreseen.chance,
        "estimate": foreseen.estimate,
    }


def _burn(one: Burn) -> dict[str, Any]:
    return {
        "kind": one.rule.kind,
        "long_s": one.rule.long_ms // 1000,
        "short_s": one.rule.short_ms // 1000,
        "limit": one.limit,
        "long": one.long,
        "short": one.short,
        "counted": one.counted,
        "firing": one.firing,
    }


def alert_document(alert: Alert) -> dict[str, Any]:
    """As `models.live.AlertAnswer` describes it."""
    return {
        "id": alert.id,
        "kind": alert.kind,
        "since": rfc3339(alert.since_ms),
        "service": alert.service,
        "counter": alert.counter,
        "text_key": f"alert.{alert.kind}",
        "values": alert.values,
        "acknowledged_at": rfc3339_or_none(alert.acknowledged_at_ms),
        "acknowledged_by": alert.acknowledged_by,
        "cleared_at": rfc3339_or_none(alert.cleared_at_ms),
    }
