"""The law of the stream: board at n + events n+1 ... m = board at m. For any life of a hall, from the frames alone."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, seed, settings

from queue_service.database import Database
from queue_service.domain.events import KINDS, Logged
from queue_service.domain.hall import Hall
from queue_service.view import View
from queue_service.view_reading import read_view, remake
from tests.stream import rfc7396
from tests.stream.life import EVERYTHING, STEPS, Life, Step, new_database
from tests.stream.sockets import schema_of

LIVES = settings(max_examples=50, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
SEED = 20260302
HALLS = count()
FOLLOWERS = 4
TAKEN_BACK: list[Step] = [(what, 0, 0) for what in ("issue", "call_next", "undo", "issue")]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database; every life is of a hall of its own."""
    one = new_database(tmp_path_factory.mktemp("lives"))
    yield one
    one.close()


def unmeasured(hall: Hall, logged: Logged) -> None:
    """No metrics."""


class Follower:
    """A client that knows nothing but JSON: a snapshot, and then frames."""

    def __init__(self, snapshot: bytes) -> None:
        """Begin."""
        self.board = read(snapshot)["board"]

    def follow(self, frame: dict[str, Any]) -> None:
        """Take in a frame."""
        self.board = deepcopy(frame["board"]) if "board" in frame else rfc7396.apply(self.board, frame["patch"])


def read(payload: bytes) -> Any:
    """A frame as it arrives, checked against the AsyncAPI document."""
    frame = orjson.loads(payload)
    schema_of("hall").validate(frame)
    return frame


def begun(life: Life) -> View:
    """The hall's view after its first events."""
    life.begin()
    return life.database.read(lambda one: read_view(one, life.hall.id, unmeasured))


@seed(SEED)
@LIVES
@given(steps=STEPS)
@example(steps=EVERYTHING)
def test_the_board_at_n_and_the_events_since_are_the_board_at_m(database: Database, steps: list[Step]) -> None:
    """A follower that began at any seq shows at every later one what a snapshot would show then."""
    life = Life(database, f"hall-{next(HALLS)}")
    view = begun(life)
    followers = [Follower(view.snapshot().payload)]
    for step in steps:
        for logged in life.step(step):
            frame = read(view.follow(logged).payload)
            for follower in followers:
                follower.follow(frame)
            board = read(view.snapshot().payload)["board"]
            assert [follower.board for follower in followers] == [board] * len(followers)
        if len(followers) < FOLLOWERS and step[1] == 0:
            followers.append(Follower(view.snapshot().payload))


@seed(SEED + 1)
@settings(LIVES, max_examples=15)
@given(steps=STEPS)
@example(steps=EVERYTHING)
def test_frames_made_again_are_the_frames_that_were_shown(database: Database, steps: list[Step]) -> None:
    """After a restart, and for a client that comes back late, every frame of the day is the same, byte for byte."""
    life = Life(database, f"hall-{next(HALLS)}")
    view = begun(life)
    for step in steps:
        for logged in life.step(step):
            view.follow(logged)
    again = database.read(lambda one: read_view(one, life.hall.id, unmeasured))
    today = [frame for frame in view.frames if frame.seq >= view.hall.day_seq]
    assert [frame.payload for frame in again.frames] == [frame.payload for frame in today]
    assert again.board() == view.board()
    middle = today[len(today) // 2]
    remade = database.read(lambda one: remake(one, life.hall.id, middle.seq, middle.head))
    assert [frame.payload for frame in remade] == [frame.payload for frame in today if frame.seq > middle.seq]


def test_a_board_read_from_the_log_remembers_what_no_frame_was_made_of(database: Database) -> None:
    """Whatever happened last, though the ring holds that alone, it is the board that was followed event by event."""
    life = Life(database, f"hall-{next(HALLS)}")
    view = begun(life)
    for step in (*TAKEN_BACK, *EVERYTHING):
        for logged in life.step(step):
            view.follow(logged)
        again = database.read(lambda one: read_view(one, life.hall.id, unmeasured, ring_frames=1))
        assert again.snapshot().payload == view.snapshot().payload
        assert [frame.payload for frame in again.frames] == [view.frames[-1].payload]


def test_everything_happens(database: Database) -> None:
    """The life that the properties above always try brings forth every kind of event there is."""
    life = Life(database, f"hall-{next(HALLS)}")
    life.begin()
    seen = {logged.event.KIND for step in EVERYTHING for logged in life.step(step)}
    assert KINDS.keys() - seen == set()
