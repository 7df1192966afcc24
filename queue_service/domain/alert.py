"""A warning to the staff, as a hall knows it. When there is one, `metrics.live` says; `evolve.alerts` keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Alert:
    """A warning to the staff. What was cleared is kept for a while, to be looked at."""

    id: str
    kind: str
    since_ms: int
    service: str | None
    counter: str | None
    values: Mapping[str, Any]
    acknowledged_at_ms: int | None = None
    acknowledged_by: str | None = None
    cleared_at_ms: int | None = None

    @property
    def subject(self) -> tuple[str, str | None, str | None]:
        """What it warns of: a hall warns of each thing once at a time."""
        return self.kind, self.service, self.counter
