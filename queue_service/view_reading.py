"""A hall's view, and frames that its ring holds no more, made from the log."""

from sqlalchemy import Connection

from queue_service import journal
from queue_service.board import Frame
from queue_service.domain.events import CommandUndone, TicketCalled, TicketRecalled
from queue_service.errors import UnknownHall
from queue_service.view import RING_FRAMES, Fold, View

REMADE_FRAMES = 10_000
"""A client that comes back after more events than this is better served by a snapshot."""
REMEMBERED = (TicketCalled, TicketRecalled, CommandUndone)
"""What changes the calls of the day, which a board remembers beside the hall's state. Of no other event a frame is made
that the ring would not hold: that was a quarter of reading a busy day."""


def read_view(connection: Connection, hall_id: str, fold: Fold, ring_frames: int = RING_FRAMES) -> View:
    """A hall's view, read from the event that opened its business day."""
    position = journal.positions(connection, [hall_id]).get(hall_id)
    if position is None:
        raise UnknownHall(f"There is no hall {hall_id!r}.", hall=hall_id)
    view = View(journal.day_start(connection, hall_id, position.day_seq), fold, ring_frames)
    for logged in journal.day_events(connection, hall_id, position):
        if logged.seq > position.seq - ring_frames or isinstance(logged.event, REMEMBERED):
            view.follow(logged)
        else:
            view.apply(logged)
    return view


def remake(connection: Connection, hall_id: str, after: int, head: str) -> list[Frame]:
    """Frames after a position of the day's log; empty where it holds no such position."""
    view = read_view(connection, hall_id, lambda _hall, _logged: None, REMADE_FRAMES + 1)
    return view.frames_since(after, head) or []
