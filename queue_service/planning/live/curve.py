"""What a dear predictor says of one service, by how many are ahead: made off the loop, good for a while."""

from typing import NamedTuple

from queue_service.planning.predictors.known import Figures

FRESH_MS = 30_000
"""Older ones are not used: too much has happened since."""


class Points(NamedTuple):
    """Seconds from now with nobody ahead, with one, and so on."""

    p50_s: tuple[float, ...]
    p90_s: tuple[float, ...]


Answer = dict[str, Points]
"""What a dear predictor says of a hall, by service; those of which it can say nothing are left out."""


class Curve(NamedTuple):
    """The same, as of a moment; immutable, any thread may ask."""

    as_of_ms: int
    p50_s: tuple[float, ...]
    p90_s: tuple[float, ...]

    def is_fresh(self, now_ms: int) -> bool:
        """Whether it may be used; never of a moment before it was made."""
        return 0 <= now_ms - self.as_of_ms <= FRESH_MS

    def at(self, ahead: int) -> Figures:
        """What it says with so many ahead; with more than it was asked about what it says of the last."""
        place = min(ahead, len(self.p50_s) - 1)
        return Figures(self.p50_s[place], self.p90_s[place])
