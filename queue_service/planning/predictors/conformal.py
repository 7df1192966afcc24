"""Bounds that nine of ten waits stay below, whatever the predictor: adaptive conformal inference.

Gibbs and Candès, NeurIPS 2021: the allowed share of misses follows what is missed, miss += GAMMA * (MISS - missed).
A score is how far a wait went above the point, in units of the spread expected there; the bound is the point plus
the (1 - miss) quantile of recent scores, times the spread here.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque

MISS = 0.1
GAMMA = 0.005
WINDOW = 500
LEAST = 20
"""Scores before a bound can be given: below, the window of the whole hall is asked."""
HALL_GAMMA = 0.02
"""Of the whole hall's share, on top of each service's: it has more tickets a day, so it may follow faster."""
LEVELS = (0.005, 0.4)
"""How far the allowed share may go: a service that never waits would drive it without end."""


class Window:
    """The latest scores, sorted."""

    __slots__ = ("_latest", "_sorted")

    def __init__(self) -> None:
        self._latest: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._latest)

    def add(self, score: float) -> None:
        """The newest goes in, the oldest out."""
        self._latest.append(score)
        insort(self._sorted, score)
        if len(self._latest) > WINDOW:
            del self._sorted[bisect_left(self._sorted, self._latest.popleft())]

    def scores(self) -> list[float]:
        """All of them, rising."""
        return list(self._sorted)

    def share_over(self, score: float) -> float:
        """The share of scores above that one, never quite 0 or 1."""
        count = len(self._sorted)
        return (count - bisect_right(self._sorted, score) + 0.5) / (count + 1)

    def quantile(self, share: float) -> float:
        """Nearest rank, with the finite-sample correction of split conformal."""
        place = int(share * (len(self._sorted) + 1))
        return self._sorted[min(place, len(self._sorted) - 1)]


def allowed(service: "Level", hall: "Level") -> float:
    """The share of misses of a service's bounds, with what the hall's adds to it or takes from it."""
    return min(max(service.miss + hall.miss - MISS, LEVELS[0]), LEVELS[1])


class Level:
    """The share of misses allowed just now, to a service or (following faster) to a hall."""

    __slots__ = ("_gamma", "miss")

    def __init__(self, gamma: float = GAMMA) -> None:
        self.miss = MISS
        self._gamma = gamma

    def add(self, missed: bool) -> None:
        """A wait is known: whether it passed its bound."""
        self.miss = min(max(self.miss + self._gamma * (MISS - missed), LEVELS[0]), LEVELS[1])
