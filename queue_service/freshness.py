"""How fresh what a node shows is: the moment up to which its log is known to have been read."""

from queue_service.clock import Clock

STALE_MS = 15_000


class Freshness:
    """What a poll of the log found out about its own success."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._confirmed_ms = clock.monotonic_ms()
        self.as_of_ms = clock.now_ms()
        """The moment up to which the log is known to have been read."""
        self.is_in_doubt = False
        """Whether the log was asked, and has not answered yet."""

    def asked(self) -> tuple[int, int]:
        """The log is asked now. What an answer confirms is this moment, however long it takes."""
        self.is_in_doubt = True
        return self._clock.monotonic_ms(), self._clock.now_ms()

    def confirmed(self, asked: tuple[int, int]) -> None:
        """All that was in the log when it was asked is shown. If that is long ago, doubt stays: ask again at once."""
        self._confirmed_ms, self.as_of_ms = asked
        self.is_in_doubt = self._is_old()

    @property
    def is_stale(self) -> bool:
        """Whether the log was asked in vain for so long that displays must not trust this node.

        A node that was merely paused is in doubt only once it has asked."""
        return self.is_in_doubt and self._is_old()

    def _is_old(self) -> bool:
        return self._clock.monotonic_ms() - self._confirmed_ms > STALE_MS
