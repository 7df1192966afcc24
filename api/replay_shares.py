"""A replay in a passing database: the halls dealt out to as many processes as there are processors.

Halls have nothing to do with one another, so each process plays its share under a clock of its own. The databases are
thrown away, so they live in memory where the system offers that.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from api.replay import Advance, count_actions, play
from api.replay_figures import Line
from queue_service.errors import QueueServiceError
from queue_service.history import RecordedHall

MEMORY = "/dev/shm"  # noqa: S108 (checked before use)
ROOM_BYTES, ACTION_BYTES = 200 * 2**20, 2_000
"""What a share may take: its write-ahead log and room to spare, and for each action (measured: 900)."""
SHARE_ACTIONS = 10_000
"""Fewer are played before another process has started."""
TOLD_ACTIONS = 100


def play_passing(halls: Sequence[RecordedHall], advance: Advance) -> list[Line]:
    """Play the halls and forget the database; see `api.replay.play`."""
    actions = count_actions(halls)
    shares = _dealt(halls, min(os.cpu_count() or 1, actions // SHARE_ACTIONS))
    with tempfile.TemporaryDirectory(prefix="queue-replay-", dir=_in_memory(len(shares), actions)) as folder:
        places = [(share, f"sqlite:///{Path(folder) / f'{number}.db'}") for number, share in enumerate(shares)]
        lines = play(*places[0], advance) if len(places) == 1 else play_side_by_side(places, advance)
    return sorted(lines, key=lambda line: (line.hall, line.day))


def _dealt(halls: Iterable[RecordedHall], processes: int) -> list[list[RecordedHall]]:
    """The halls in shares of about equal work: the largest first, each to whoever has least."""
    shares: list[list[RecordedHall]] = [[] for _ in range(max(1, processes))]
    for hall in sorted(halls, key=lambda hall: len(hall.tickets), reverse=True):
        min(shares, key=count_actions).append(hall)
    return [share for share in shares if share]


def _in_memory(shares: int, actions: int) -> str | None:
    """A folder that lives in memory, where the system has one with room enough and nobody named another (TMPDIR).

    Every moment of a replay waits for its commit to reach the disk; what is thrown away need not get there.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > shares * ROOM_BYTES + actions * ACTION_BYTES else None


def play_side_by_side(places: Sequence[tuple[Sequence[RecordedHall], str]], advance: Advance) -> list[Line]:
    """Play each share on its database in a process of its own. When one fails, the others are stopped."""
    context = get_context("spawn")
    ends, processes = [], []
    for halls, url in places:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_play_share, args=(halls, url, theirs), daemon=True)
        process.start()
        theirs.close()
        ends.append(ours)
        processes.append(process)
    try:
        return _gathered(ends, advance)
    finally:
        for end, process in zip(ends, processes, strict=True):
            end.close()
            process.terminate()
            process.join()
            process.close()


def _gathered(ends: Sequence[Connection], advance: Advance) -> list[Line]:
    """What the processes say: how far they are, at last their lines, or what went wrong."""
    lines: list[Line] = []
    playing = list(ends)
    while playing:
        for end in wait(playing):
            assert isinstance(end, Connection), "nothing else was asked for"
            said = _said(end)
            if isinstance(said, int):
                advance(said)
            elif isinstance(said, Exception):
                raise said
            else:
                lines += said
                playing.remove(end)
    return lines


def _said(end: Connection) -> Any:
    try:
        return end.recv()
    except EOFError:
        return QueueServiceError("A process of the replay ended without a word.")


def _play_share(halls: Sequence[RecordedHall], url: str, end: Connection) -> None:
    """In a process of its own: play, tell how far it is, then the lines or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is interrupted and stops the others
    told = done = 0

    def advance(more: int) -> None:
        nonlocal told, done
        done += more
        if done - told >= TOLD_ACTIONS:
            end.send(done - told)
            told = done

    try:
        lines = play(halls, url, advance)
    except Exception as error:  # noqa: BLE001 (whoever waits for the lines gets it)
        end.send(error)
        return
    end.send(done - told)
    end.send(lines)
