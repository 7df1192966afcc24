"""A log read back as the journal does it: each event through JSON, a hall from the event that opened its day."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace

from queue_service.domain.events import KINDS, DayOpened, Event, Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall


def through_json(event: Event) -> Event:
    """The event made anew from its kind's name and its fields as JSON text."""
    text = json.dumps({field.name: getattr(event, field.name) for field in fields(event)})
    return KINDS[event.KIND](**json.loads(text))


def as_text(event: Event) -> str:
    """An event's fields as JSON text: what a log can tell of it."""
    return json.dumps({field.name: getattr(event, field.name) for field in fields(event)}, sort_keys=True)


def reread(log: Sequence[Logged]) -> Hall:
    """The hall of a log, read from its plan and its last day's opening only, every event through JSON."""
    opened = max(index for index, one in enumerate(log) if isinstance(one.event, DayOpened))
    event = log[opened].event
    assert isinstance(event, DayOpened)
    hall = Hall(log[0].hall)
    for one in (log[event.plan_seq - 1], *log[opened:]):
        evolve(hall, replace(one, event=through_json(one.event)))
    return hall
