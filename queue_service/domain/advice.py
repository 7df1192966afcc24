"""Advice to the staff about counters, as a hall knows it. What to advise, `planning.staffing` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Advised:
    """One thing that the staff was advised to do today, and what they made of it."""

    id: str
    kind: str
    service: str
    given_at_ms: int
    by_ms: int
    expires_at_ms: int
    values: Mapping[str, Any]
    answer: str | None = None
    answered_at_ms: int | None = None
    answered_by: str | None = None
    reason: str | None = None
