"""Giving a number, or turning a visitor away."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from models.vocabulary import REMOTE_CHANNELS, Apart, Channel, TicketState, TurnedAwayReason
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.calendar import spans_of
from queue_service.domain.hall import Hall, party_of
from queue_service.domain.plan import Quota, Service
from queue_service.domain.rules.lookup import priority_of, promise_at, service_of

_WHY = {
    TurnedAwayReason.QUOTA: "the places of this half-day are taken",
    TurnedAwayReason.CLOSED: "no tickets are given at this hour",
    TurnedAwayReason.NOT_NOW: "this service is not offered at this hour",
    TurnedAwayReason.SUSPENDED: "the service is suspended",
}


def issue(hall: Hall, command: c.IssueTicket, now_ms: int) -> Iterator[ev.Event]:
    """A number for a visitor. A remote ticket whose channel must check in is expected, not waiting."""
    plan, service = hall.rules, service_of(hall, command.service)
    priority = priority_of(hall, command.priority)
    party = _party(hall, command.party)
    reason = _turned_away(hall, service, command, now_ms)
    if reason is not None:
        yield ev.TurnedAway(service=service.id, reason=reason, channel=command.channel)
        raise errors.TurnedAway(f"No ticket for {service.id}: {_WHY[reason]}.", service=service.id, reason=reason)
    expected = command.channel in plan.check_in_channels
    period, promise = promise_at(hall, now_ms)
    apart = Apart.TRAINING if plan.training else None
    if apart is None and not expected and hall.is_suspended(service.id):
        apart = Apart.SUSPENDED
    yield ev.TicketIssued(  # by place: fourteen names would double what it costs
        command.ticket,
        next_number(hall, service.prefix),
        service.id,
        TicketState.EXPECTED if expected else TicketState.WAITING,
        priority,
        command.channel,
        command.language,
        command.items,
        party,
        command.ref,
        None if expected else period,
        None if expected else promise.promise_ms,
        None if expected else promise.percentile,
        apart,
    )


def next_number(hall: Hall, prefix: str) -> str:
    """The next of a prefix's dense count: A001, ..., A999, A1000."""
    return f"{prefix}{hall.number_counts.get(prefix, 0) + 1:03d}"


def _party(hall: Hall, with_ticket: str | None) -> str | None:
    if with_ticket is None:
        return None
    companion = hall.tickets.get(with_ticket)
    if companion is None:
        raise errors.UnknownTicket(f"This hall has no ticket {with_ticket!r} to go with.", ticket=with_ticket)
    return party_of(companion)


def _turned_away(hall: Hall, service: Service, command: c.IssueTicket, now_ms: int) -> TurnedAwayReason | None:
    if hall.turns_away(service.id):
        return TurnedAwayReason.SUSPENDED
    if not hall.day.dispenses(now_ms):
        return TurnedAwayReason.CLOSED
    if service.hours and not _offered(hall, service, now_ms):
        return TurnedAwayReason.NOT_NOW
    quota = service.quota
    return TurnedAwayReason.QUOTA if quota and _is_full(hall, service, quota, command, now_ms) else None


def _offered(hall: Hall, service: Service, now_ms: int) -> bool:
    zone = ZoneInfo(hall.rules.calendar.time_zone)
    spans = spans_of(service.hours, date.fromisoformat(hall.day.date), zone)
    return any(start <= now_ms < end for start, end in spans)


def _is_full(hall: Hall, service: Service, quota: Quota, command: c.IssueTicket, now_ms: int) -> bool:
    """Whether the half-day has no places left for this channel; `items` weigh."""
    half = "am" if now_ms < hall.day.noon_ms else "pm"
    used = {channel: hall.quota_used.get((service.id, half, channel), 0) for channel in Channel}
    channel_places = quota.channels.get(command.channel)
    if channel_places is not None and used[command.channel] + command.items > channel_places:
        return True
    places = quota.am if half == "am" else quota.pm
    if places is None:
        return False
    if command.channel in REMOTE_CHANNELS:
        places -= quota.walk_in_reserve
    return sum(used.values()) + command.items > places
