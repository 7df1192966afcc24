"""Taking back a counter's last command. It is an event of its own; nothing is erased."""

from collections.abc import Iterator

from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall, LastCommand, restored
from queue_service.domain.rules.lookup import open_counter_of
from queue_service.domain.rules.tickets import pause_if_asked

UNDO_MS = 15_000
"""How long a command can be taken back."""


def undo(hall: Hall, command: c.Undo, now_ms: int) -> Iterator[ev.Event]:
    """Within 15 s, while nobody has acted on its tickets since."""
    counter = open_counter_of(hall, command.counter)
    last = counter.last
    if last is None or now_ms - last.at_ms > UNDO_MS:
        raise errors.NothingToUndo(undo_s=UNDO_MS // 1000)
    if _acted_on(hall, last):
        raise errors.NothingToUndo("Someone has acted on the ticket since.", undo_s=UNDO_MS // 1000)
    present_at = [hall.tickets[ticket].counter for ticket in last.tickets if ticket in hall.tickets]
    yield ev.CommandUndone(
        counter=counter.id,
        command_seq=last.command_seq,
        tickets={name: restored(snapshot).state for name, snapshot in last.tickets.items()},
    )
    for freed in present_at:  # a hand-over taken back frees the other counter, which may have asked to pause
        yield from pause_if_asked(hall, freed)


def _acted_on(hall: Hall, last: LastCommand) -> bool:
    """Whether a ticket was touched since, or ended by someone else (then the hall has forgotten it)."""
    for ticket_id in last.tickets:
        present = hall.tickets.get(ticket_id)
        if present is None and ticket_id not in last.finished:
            return True
        if present is not None and present.last_seq > last.last_seq:
            return True
    return False
