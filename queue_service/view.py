"""A hall as published: its state, its board, its last frames, and everyone who watches. `feed` keeps it up."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

import orjson

from queue_service.board import Board, Display, Frame, Frames
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall

LOG = logging.getLogger("queue_service.view")

RING_FRAMES = 1_000
SHOWN_AT_ONCE = 64
"""A reader's bounded buffer can be overrun by no more than this."""
INTERNAL_ERROR = 1011
"""The close code of websockets for a fault of the server."""
TRY_AGAIN = 1013
"""The one that says: come back later."""
OTHER_HISTORY = "the log has another history now"


class Follower(Protocol):
    """Someone who watches a hall. None of these calls may block."""

    def show(self, frames: Frames) -> None:
        """Events, in order."""

    def reset(self) -> None:
        """The hall's history is another one now: start over."""

    def beat(self, frame: Frame) -> None:
        """A heartbeat: it has no place in the order."""

    def foretell(self, frame: Frame) -> None:
        """Estimates for those who would come now: they have no place in the order either."""

    def leave(self, code: int, reason: str) -> None:
        """The node can no longer vouch for what it shows."""


Fold = Callable[[Hall, Logged], None]
"""Called for each event after it was applied, before `touched` is drained."""


class View:
    """A hall as of the last published event, with its board, its last frames and its followers."""

    def __init__(self, hall: Hall, fold: Fold, ring_frames: int = RING_FRAMES) -> None:
        """`hall` knows its plan; the day's events follow through `follow`."""
        self.hall = hall
        self.display = Display()
        self.frames: deque[Frame] = deque(maxlen=ring_frames)
        self.followers: set[Follower] = set()
        self._fold = fold
        self._snapshot: Frame | None = None

    def apply(self, logged: Logged) -> None:
        """Apply an event that nobody is shown any more, and that the board remembers nothing of."""
        evolve(self.hall, logged)
        self._fold(self.hall, logged)
        self.hall.drain()
        self._snapshot = None

    def follow(self, logged: Logged) -> Frame:
        """Apply an event and make its frame."""
        self.apply(logged)
        frame = self.display.follow(self.hall, logged)
        self.frames.append(frame)
        return frame

    def publish(self, events: Sequence[Logged]) -> bool:
        """Show those that are new, if each follows what is shown by then. False where some are missing, or another
        history is shown than they belong to: then the log has to be asked."""
        seq, head = self.hall.seq, self.hall.head
        new = [logged for logged in events if logged.seq > seq]
        if events and not new:
            return self.has_shown(events[-1].seq, events[-1].head)
        for logged in new:
            if logged.seq != seq + 1 or logged.previous not in (head, None):
                return False
            seq, head = logged.seq, logged.head
        self._show(new)
        return True

    def _show(self, events: Sequence[Logged]) -> None:
        """Apply events and show them to everyone who watches: some at once, since telling costs more than making."""
        for start in range(0, len(events), SHOWN_AT_ONCE):
            made: list[Frame] = []
            try:
                for logged in events[start : start + SHOWN_AT_ONCE]:
                    made.append(self.follow(logged))  # noqa: PERF401 (those before a fault are shown all the same)
            finally:
                if made:
                    self._tell(Frames(made))

    def _tell(self, frames: Frames) -> None:
        self._each(lambda follower: follower.show(frames))

    def beat(self, frame: Frame) -> None:
        """Send everyone a heartbeat."""
        self._each(lambda follower: follower.beat(frame))

    def foretell(self, frame: Frame) -> None:
        """Tell everyone what to expect."""
        self._each(lambda follower: follower.foretell(frame))

    def dismiss(self, code: int, reason: str) -> None:
        """Send everyone away."""
        self._each(lambda follower: follower.leave(code, reason))

    def _each(self, tell: Callable[[Follower], None]) -> None:
        """One who cannot be told is sent away, so that the others miss nothing."""
        for follower in tuple(self.followers):
            try:
                tell(follower)
            except Exception:
                LOG.exception("follower-failed")
                follower.leave(INTERNAL_ERROR, "a fault of ours")

    def become(self, other: "View") -> None:
        """Take over what another view knows. Everyone who watches starts over."""
        self.hall, self.display, self.frames, self._snapshot = other.hall, other.display, other.frames, None
        self._each(lambda follower: follower.reset())

    def board(self) -> Board:
        """The board as of the cursor."""
        return self.display.board(self.hall)

    def snapshot(self) -> Frame:
        """The frame every display can start from; made once, however many ask."""
        if self._snapshot is None:
            hall = self.hall
            document = {"type": "snapshot", "seq": hall.seq, "head": hall.head, "board": self.board()}
            self._snapshot = Frame(hall.seq, hall.head, orjson.dumps(document))
        return self._snapshot

    def has_shown(self, seq: int, head: str) -> bool:
        """Whether a position is known to be of the history that is shown."""
        return self.frames_since(seq, head) is not None

    def frames_since(self, after: int, head: str) -> list[Frame] | None:
        """The frames after a position of this history; None where the ring does not hold that position."""
        if (after, head) == (self.hall.seq, self.hall.head):
            return []
        index = after - self.frames[0].seq if self.frames else -1
        if 0 <= index < len(self.frames) and self.frames[index].head == head:
            return list(islice(self.frames, index + 1, None))
        return None
