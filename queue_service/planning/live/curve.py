"""What a dear predictor says of one service, by how many are ahead: made off the loop, good for a while."""

from bisect import bisect_left
from typing import NamedTuple

from queue_service.planning.predictors.estimator import Figures

FRESH_MS = 30_000
"""Older ones are not used: too much has happened since."""


class Points(NamedTuple):
    """Seconds from now with so many ahead, rising."""

    ahead: tuple[int, ...]
    p50_s: tuple[float, ...]
    p90_s: tuple[float, ...]


Answer = dict[str, Points]
"""What a dear predictor says of a hall, by service; those of which it can say nothing are left out."""


class Curve(NamedTuple):
    """Seconds from now, at some numbers of tickets ahead (rising); immutable, any thread may ask."""

    as_of_ms: int
    ahead: tuple[int, ...]
    p50_s: tuple[float, ...]
    p90_s: tuple[float, ...]

    def is_fresh(self, now_ms: int) -> bool:
        """Whether it may be used; never of a moment before it was made."""
        return 0 <= now_ms - self.as_of_ms <= FRESH_MS

    def at(self, ahead: int) -> Figures:
        """What it says with so many ahead: between two of its numbers in proportion, beyond the last as at the last."""
        place = bisect_left(self.ahead, ahead)
        if place == len(self.ahead):
            return Figures(self.p50_s[-1], self.p90_s[-1])
        right = self.ahead[place]
        if right == ahead or not place:
            return Figures(self.p50_s[place], self.p90_s[place])
        left = self.ahead[place - 1]
        share = (ahead - left) / (right - left)
        return Figures(_between(self.p50_s, place, share), _between(self.p90_s, place, share))


def _between(values: tuple[float, ...], place: int, share: float) -> float:
    return values[place - 1] + share * (values[place] - values[place - 1])
