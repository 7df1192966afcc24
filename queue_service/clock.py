"""The only place that reads the time. Rules get it as an argument."""

import time
from typing import Protocol

JUMP_MS = 300_000
"""How far the clock may move against the monotonic one before somebody must confirm it; more where it runs faster,
since the two are read one after the other."""


class Clock(Protocol):
    """Wall time and a time that only grows, both in milliseconds."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds since some moment; never goes back. Deadlines and staleness go by it: they are about machines
        and networks, however fast the hall's time runs."""
        ...

    @property
    def pace(self) -> float:
        """How fast wall time runs against monotonic time."""
        ...

    @property
    def machine_ahead_ms(self) -> int:
        """How far the machine's clock is ahead of this one, where this one is somebody else's; else 0."""
        ...


class SystemClock:
    """The machine's clock."""

    pace = 1.0
    machine_ahead_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds since boot or so."""
        return time.monotonic_ns() // 1_000_000


class DatabaseClock:
    """The time by the database's clock, for nodes that share one: told after each lock and at each poll of the log,
    carried on by the monotonic clock in between. What this machine thinks the time is does not matter."""

    pace = 1.0

    def __init__(self) -> None:
        """By the machine's clock, until it is told better."""
        self._told = (time.time_ns() // 1_000_000, time.monotonic_ns())
        self.machine_ahead_ms = 0

    def tell(self, now_ms: int) -> None:
        """It is `now_ms` now."""
        self._told = (now_ms, time.monotonic_ns())
        self.machine_ahead_ms = time.time_ns() // 1_000_000 - now_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        told_ms, at_ns = self._told
        return told_ms + (time.monotonic_ns() - at_ns) // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds since boot or so."""
        return time.monotonic_ns() // 1_000_000


class FastClock:
    """Wall time that runs `pace` times as fast, from a chosen moment on: for demonstrations."""

    machine_ahead_ms = 0

    def __init__(self, now_ms: int, pace: float) -> None:
        """It is `now_ms` now."""
        self.pace = pace
        self._start_ms = now_ms
        self._start_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """The time of the demonstration."""
        return self._start_ms + int((time.monotonic_ns() - self._start_ns) * self.pace) // 1_000_000

    def monotonic_ms(self) -> int:
        """Real time."""
        return time.monotonic_ns() // 1_000_000


class HandClock:
    """A clock set by hand: for replaying recorded days, and for tests."""

    pace = 1.0
    machine_ahead_ms = 0

    def __init__(self, now_ms: int) -> None:
        """Start at `now_ms`."""
        self._now_ms = now_ms
        self._monotonic_ms = 0

    def now_ms(self) -> int:
        """The time it was set to."""
        return self._now_ms

    def monotonic_ms(self) -> int:
        """How far it was moved on."""
        return self._monotonic_ms

    def set_ms(self, now_ms: int) -> None:
        """Move on to a later moment, as time passing does."""
        assert now_ms >= self._now_ms, "a hand clock only moves on; use jump_ms for a fault"
        self._monotonic_ms += now_ms - self._now_ms
        self._now_ms = now_ms

    def jump_ms(self, now_ms: int) -> None:
        """Jump, as a broken wall clock does: the monotonic time stands still."""
        self._now_ms = now_ms


class ClockGuard:
    """Notices a wall clock that jumps against the monotonic one, and holds that until it is confirmed."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock's present offset as good."""
        self._clock = clock
        self._most_ms = int(JUMP_MS * clock.pace)
        self._jump_ms = 0
        self._confirmed = False
        self.begin()

    def begin(self) -> None:
        """Take the clock's present offset as good: nothing was decided by an earlier one."""
        self._offset_ms = self._start_ms = self._present_offset_ms()

    def _present_offset_ms(self) -> int:
        return self._clock.now_ms() - int(self._clock.monotonic_ms() * self._clock.pace)

    def check(self) -> bool:
        """Whether the clock can be trusted; small corrections (NTP) are followed."""
        offset_ms = self._present_offset_ms()
        moved_ms = offset_ms - self._offset_ms
        self._offset_ms = offset_ms
        if abs(moved_ms) > self._most_ms:
            self._jump_ms += moved_ms
            self._confirmed = False
        if abs(self._jump_ms) <= self._most_ms:
            self._jump_ms = 0  # it jumped back to where it was
        return self._jump_ms == 0

    def distrust(self, jump_ms: int) -> None:
        """Something else (the log's last event lies in the future) shows that the clock jumped. Once the present time
        is confirmed that is no news any more: the log stays ahead until time has caught up with it."""
        if not self._confirmed:
            self._jump_ms = self._jump_ms or jump_ms

    @property
    def skew_ms(self) -> int:
        """How far wall time has moved against monotonic time since the start."""
        return self._offset_ms - self._start_ms

    def confirm(self) -> None:
        """An operator says that the present time is right."""
        self._offset_ms = self._start_ms = self._present_offset_ms()
        self._jump_ms = 0
        self._confirmed = True
