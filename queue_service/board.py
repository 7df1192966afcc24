"""What a lobby display shows: numbers and counters only, nothing that names a person or lets one cancel a ticket.

A display's frame for an event carries a JSON merge patch (RFC 7396) of the board, so that any client can follow with
one standard function: board at n + patches of n+1 ... m = board at m. The board therefore holds no nulls.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields
from typing import Any, NamedTuple

import orjson

from models.vocabulary import TicketState
from models.wire import rfc3339
from queue_service.domain import events as ev
from queue_service.domain.hall import Counter, Hall

RECENT_CALLS = 10

Board = dict[str, Any]

_FIELDS = ("number", "service", "to_service", "counter", "to_counter", "from_state", "state", "day")
_STOPPING = frozenset({ev.Suspended, ev.Resumed})
_FAR_REACHING = _STOPPING | {ev.PlanChanged, ev.DayOpened, ev.CommandUndone}
"""What they change is not at the counters and in the lines that they name."""
STAFF_ONLY = (ev.AlertEvent, ev.AdviceEvent)
"""Displays are told that there was something, not what."""
_CALLING = (ev.TicketCalled, ev.TicketRecalled)


class _Shown(NamedTuple):
    """The names of an event's fields that a frame repeats, and of those that name the counters and the services whose
    part of the board may have changed."""

    repeated: tuple[str, ...]
    counters: tuple[str, ...]
    services: tuple[str, ...]


def _shown(kind: type[ev.Event]) -> _Shown:
    if issubclass(kind, STAFF_ONLY):
        return _Shown((), (), ())
    names = {one.name for one in fields(kind)}
    is_of_ticket = issubclass(kind, ev.TicketEvent)
    repeated = [name for name in _FIELDS if name in names]
    if "reason" in names and not is_of_ticket:
        repeated.append("reason")  # why a hall or counter stands still; what is said about a visitor is for staff alone
    moves_in_line = is_of_ticket and kind is not ev.TicketRecorded
    return _Shown(
        tuple(repeated),
        tuple(name for name in ("counter", "to_counter") if name in names),
        tuple(name for name in ("service", "to_service") if name in names) if moves_in_line else (),
    )


_SHOWN = {kind: _shown(kind) for kind in ev.KINDS.values()}


def _named(event: ev.Event, names: tuple[str, ...]) -> list[str]:
    """What these fields name, each once and in order."""
    if len(names) == 1:
        value = getattr(event, names[0])
        return [] if value is None else [value]
    return sorted({value for name in names if (value := getattr(event, name)) is not None})


class Frame:
    """One event as a display sees it, encoded once. `framed` is for the transport to keep its own encoding in.

    `services`: those whose lines or tickets the event may have changed; None: any."""

    __slots__ = ("framed", "head", "payload", "seq", "services")

    def __init__(self, seq: int, head: str, payload: bytes, services: AbstractSet[str] | None = None) -> None:
        """`payload` is the JSON text of the frame."""
        self.seq = seq
        self.head = head
        self.payload = payload
        self.services = services
        self.framed: bytes | None = None


class Frames:
    """Frames in order, shown together: what one commit brought. `framed` is as of a `Frame`."""

    __slots__ = ("framed", "frames")

    def __init__(self, frames: Sequence[Frame]) -> None:
        """At least one."""
        self.frames = frames
        self.framed: bytes | None = None


def _encode(logged: ev.Logged, change: dict[str, Board]) -> Frame:
    event = logged.event
    document = {
        "type": "event",
        "seq": logged.seq,
        "head": logged.head,
        "at": rfc3339(logged.at_ms),
        "kind": event.KIND,
    }
    for name in _SHOWN[type(event)].repeated:
        value = getattr(event, name)
        if value is not None:
            document[name] = value
    document.update(change)
    concerns_all = type(event) in _STOPPING or "board" in change
    services = None if concerns_all else frozenset(change["patch"].get("services", ()))
    return Frame(logged.seq, logged.head, orjson.dumps(document), services)


class Display:
    """Makes the frames, and keeps the part of a board that is not in the hall's state: the recent calls."""

    def __init__(self) -> None:
        """No calls yet."""
        self.recent: list[dict[str, Any]] = []

    def follow(self, hall: Hall, logged: ev.Logged) -> Frame:
        """The frame of an event; `hall` is as of that event."""
        event = logged.event
        if type(event) in _FAR_REACHING:
            return _encode(logged, self._far_change(hall, event))
        return _encode(logged, {"patch": self._change(hall, logged)})

    def _far_change(self, hall: Hall, event: ev.Event) -> dict[str, Board]:
        """`{"patch": ...}`, or `{"board": ...}` where the event changes what there is."""
        if isinstance(event, ev.CommandUndone):
            return {"patch": self._undone(hall, event)}
        if type(event) in _STOPPING:
            return {"patch": {"suspended": suspended(hall)}}
        if isinstance(event, ev.DayOpened):
            self.recent = []
        return {"board": self.board(hall)} if hall.today is not None else {"patch": {}}

    def _change(self, hall: Hall, logged: ev.Logged) -> Board:
        """What an event changes at the counters and in the lines that it names."""
        event = logged.event
        shown = _SHOWN[type(event)]
        patch: Board = {}
        for name in _named(event, shown.counters):
            if name in hall.counters:
                patch.setdefault("counters", {})[name] = _counter_patch(hall, hall.counters[name])
        if shown.services:
            services = _named(event, shown.services)
            patch["services"] = {name: {"waiting": hall.waiting_count(name)} for name in services}
        if isinstance(event, _CALLING):
            patch["recent"] = self._note_call(event, logged.at_ms)
        return patch

    def _undone(self, hall: Hall, event: ev.CommandUndone) -> Board:
        """A call taken back is no recent call any more."""
        back = {hall.tickets[name].number for name, state in event.tickets.items() if state == TicketState.WAITING}
        self.recent = [one for one in self.recent if (one["counter"], one["number"] in back) != (event.counter, True)]
        return {"counters": self._counters(hall), "services": self._services(hall), "recent": self.recent}

    def _note_call(self, event: ev.TicketCalled | ev.TicketRecalled, at_ms: int) -> list[dict[str, Any]]:
        call = {"number": event.number, "counter": event.counter, "at": rfc3339(at_ms)}
        others = [one for one in self.recent if one["number"] != event.number or one["counter"] != event.counter]
        self.recent = [call, *others][:RECENT_CALLS]
        return self.recent

    def board(self, hall: Hall) -> Board:
        """The whole board."""
        plan = hall.rules
        return {
            "hall": hall.id,
            "name": plan.name,
            "day": hall.day.date,
            "plan_version": hall.plan_version,
            "zones": [{"id": zone["id"], "name": zone["name"]} for zone in plan.document["zones"]],
            "services": self._services(hall),
            "counters": {name: _without_nulls(entry) for name, entry in self._counters(hall).items()},
            "suspended": suspended(hall),
            "recent": self.recent,
        }

    def _services(self, hall: Hall) -> dict[str, Any]:
        return {
            service.id: _without_nulls(
                {"name": service.name, "zone": service.zone, "waiting": hall.waiting_count(service.id)}
            )
            for service in hall.rules.services.values()
        }

    def _counters(self, hall: Hall) -> dict[str, Any]:
        return {
            counter.id: {
                "name": hall.rules.counters[counter.id].name,
                "zone": hall.rules.counters[counter.id].zone,
                **_counter_patch(hall, counter),
            }
            for counter in hall.counters.values()
        }


def _counter_patch(hall: Hall, counter: Counter) -> dict[str, Any]:
    """What a display shows of a counter; None takes a member away, as RFC 7396 has it."""
    ticket = hall.tickets.get(counter.ticket or "")
    called = ticket is not None and ticket.state == TicketState.CALLED
    return {
        "state": hall.counter_state(counter),
        "since": rfc3339(counter.since_ms),
        "number": ticket.number if ticket else None,
        "recalls": ticket.leg.recalls if ticket and called else None,
        "pause_reason": counter.pause_reason,
    }


def suspended(hall: Hall) -> list[dict[str, Any]]:
    """What is suspended, why, since when, and whether tickets are given on; without `service`: the whole hall."""
    return [
        _without_nulls(
            {"service": one.service, "reason": one.reason, "since": rfc3339(one.since_ms), "turn_away": one.turn_away}
        )
        for one in hall.suspensions.values()
    ]


def _without_nulls(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: `patch` applied to `target`, as a new value."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
