"""How times and durations look on the wire: RFC 3339 UTC with milliseconds; seconds with suffix `_s`."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4_096)
def rfc3339(at_ms: int) -> str:
    """`2026-11-24T14:12:21.123Z` for milliseconds since 1970 UTC. An answer and a frame tell the same few again."""
    return f"{_to_the_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


def from_rfc3339(text: str) -> int:
    """The instant that `rfc3339` wrote, back in milliseconds."""
    return round((datetime.fromisoformat(text) - _EPOCH) / timedelta(milliseconds=1))


@lru_cache(maxsize=4_096)
def _to_the_second(at_s: int) -> str:
    """Many times of an answer lie in the same few seconds, and formatting one is dear."""
    return (_EPOCH + timedelta(seconds=at_s)).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339_or_none(at_ms: int | None) -> str | None:
    """The same, None for None."""
    return None if at_ms is None else rfc3339(at_ms)


def seconds(duration_ms: int) -> float:
    """Milliseconds as seconds, exact to the millisecond."""
    return duration_ms / 1000


def seconds_or_none(duration_ms: int | None) -> float | None:
    """The same, None for None."""
    return None if duration_ms is None else duration_ms / 1000
