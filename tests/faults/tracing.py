"""Reading what strace saw of a node: which commits reached the disk before which answers were sent.

SQLite writes a commit to its write-ahead log as frames (a header of 24 bytes, then a page); the last header holds the
size of the database, which is 0 in the others. With synchronous=FULL a sync follows, and only then the answer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

STRACE = (
    *("strace", "-D", "-f", "-y", "-xx", "-s", "4200", "-e", "signal=none"),
    *("-e", "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg"),
)
"""-D: the node is the child, strace the grandchild, so that signals reach the node. -xx: every byte in hexadecimal."""

SYNCS = ("fdatasync", "fsync")
_BEGUN = re.compile(r"^(?P<pid>\d+) +(?P<name>\w+)\(\d+<(?P<path>[^>]*)>(?P<rest>.*)$")
_RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_ANSWERED = re.compile(rb"^HTTP/1\.1 201 .*?\r\nlocation: /v1/tickets/([^\r]+)\r\n", re.DOTALL)
HEADER_BYTES = 24


@dataclass(frozen=True)
class Step:
    """Something the node had the kernel do: `write` to a file or socket, or a `sync` that has ended well."""

    what: str
    path: str
    data: bytes


def _plain(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def steps(trace: str) -> Iterator[Step]:
    """The steps in order: a write when it begins, a sync when it has ended."""
    syncing: dict[str, str] = {}
    for line in trace.splitlines():
        resumed = _RESUMED.match(line)
        if resumed:
            path = syncing.pop(resumed["pid"], None)
            if path is not None and resumed["name"] in SYNCS and resumed["rest"].endswith("= 0"):
                yield Step("sync", path, b"")
            continue
        begun = _BEGUN.match(line)
        if begun is None:
            continue
        path = _plain(begun["path"]).decode()
        if begun["name"] not in SYNCS:
            yield Step("write", path, b"".join(_plain(text) for text in _BYTES.findall(begun["rest"])))
        elif begun["rest"].endswith("= 0"):
            yield Step("sync", path, b"")
        else:
            syncing[begun["pid"]] = path


def answered(taken: list[Step]) -> dict[str, int]:
    """The tickets that were answered with 201, and at which step."""
    found = ((_ANSWERED.match(step.data), index) for index, step in enumerate(taken) if step.what == "write")
    return {match[1].decode(): index for match, index in found if match is not None}


def unsynced(taken: list[Step]) -> list[str]:
    """The tickets that were answered before the commit that made them was known to be on the disk."""
    return [ticket for ticket, sent in answered(taken).items() if not _is_on_disk(taken[:sent], ticket.encode())]


def _is_on_disk(taken: list[Step], ticket: bytes) -> bool:
    """Whether the log's frames with the ticket, their commit frame, and then a sync are among the steps."""
    frames = [index for index, step in enumerate(taken) if step.what == "write" and step.path.endswith("-wal")]
    first = next((place for place, index in enumerate(frames) if ticket in taken[index].data), None)
    if first is None:
        return False
    ends = (place for place in range(first - 1, len(frames)) if _ends_a_commit(taken[frames[place]].data))
    end = next(ends, None)
    if end is None or end + 1 >= len(frames):
        return False
    log, written = taken[frames[end]].path, frames[end + 1]
    return any(step.what == "sync" and step.path == log for step in taken[written + 1 :])


def _ends_a_commit(data: bytes) -> bool:
    return len(data) == HEADER_BYTES and data[4:8] != bytes(4)
