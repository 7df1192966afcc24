"""The logs of every version so far, as they were written then."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from queue_service.codec import decode
from queue_service.domain.events import Logged
from tests.storage.pictures import digests

FOLDER = Path(__file__).with_name("logs")
LOGS = sorted(FOLDER.glob("*.jsonl"))


def documents(path: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def canonical(value: Any) -> bytes:
    """Canonical JSON by the standard library: keys sorted, no white space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read(path: Path) -> list[Logged]:
    """The events of a log."""
    return [
        Logged(
            one["hall"], one["seq"], one["command_seq"], one["at_ms"], one["actor"], one["channel"],
            decode(one["kind"], one["version"], canonical(one["data"])), one["head"],
        )
        for one in documents(path)
    ]  # fmt: skip


def digests_beside(path: Path) -> Path:
    """Where what a log tells is written down."""
    return path.with_suffix(".digests.json")


def write_digests(path: Path, log: Iterable[Logged]) -> None:
    """Write down what a log tells, once."""
    digests_beside(path).write_text(json.dumps(digests(log), indent=2) + "\n", encoding="utf-8")
