"""The integrity page: the ways in which a figure can be made to look good, each counted, none of them hidden.

None of these is a fault by itself. Where one is frequent, somebody should ask why. `reading` and `told` feed it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from metrics.verdict import Count, Seconds, Share
from metrics.waits import WaitRecord
from models.vocabulary import Apart, LegOutcome, TicketState
from models.wire import seconds_or_none

MINUTE_MS = 60_000


class Finding(StrEnum):
    """A way to make a figure look good."""

    CHOSEN_CALLS = "chosen_calls"
    PARKED_WITHIN_A_MINUTE = "parked_within_a_minute"
    NO_SHOWS_WITHIN_PROMISE = "no_shows_within_promise"
    IMPLIED_STARTS = "implied_starts"
    BACKFILLS = "backfills"
    UNDONE_COMMANDS = "undone_commands"
    PLAN_CHANGES = "plan_changes"
    SUSPENSIONS = "suspensions"


class CounterCount(BaseModel):
    """How many of them were at one counter."""

    model_config = ConfigDict(extra="forbid")

    counter: str
    count: Count
    of: Annotated[int | None, Field(ge=0)]
    share: Share


class IntegrityFigure(BaseModel):
    """One finding. `of` is what the share is taken of: calls; for no-shows and backfills tickets; for implied starts
    services begun. Null where there is nothing to compare with."""

    model_config = ConfigDict(extra="forbid")

    finding: Finding
    count: Count
    of: Annotated[int | None, Field(ge=0)]
    share: Share
    overtaken: Annotated[int | None, Field(ge=0, description="people passed by chosen calls")]
    total_s: Annotated[Seconds, Field(description="how long suspensions lasted within the days reported")]
    counters: list[CounterCount]


class Integrity:
    """Collects them."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._counts: dict[Finding, Counter[str]] = {finding: Counter() for finding in Finding}
        self._calls: Counter[str] = Counter()
        self._callers: Counter[str] = Counter()
        """The same calls, those that were chosen by the counter that made them: a hand-over moves a leg."""
        self._chosen: dict[tuple[str, int], list[str]] = defaultdict(list)
        """Chosen calls whose legs have not come by: of which ticket and when, and by which counters."""
        self._starts: Counter[str] = Counter()
        self._tickets = 0
        self._elsewhere: Counter[Finding] = Counter()
        self._overtaken = 0
        self._suspended_ms = 0

    # -- what tickets and legs tell

    def ticket(self, record: WaitRecord, legs: list[Any]) -> None:
        """A ticket whose wait began, and its legs."""
        self._tickets += 1
        counter = legs[-1].counter if legs else None
        called = [leg for leg in legs if leg.called_at_ms is not None and leg.counter is not None]
        for leg in called:
            self._calls[leg.counter] += 1
            chosen = self._chosen.get((record.ticket, leg.called_at_ms))
            self._callers[chosen.pop() if chosen else leg.counter] += 1
        if record.apart == Apart.BACKFILLED:
            self._note(Finding.BACKFILLS, counter)
            return
        within = record.promise_ms is not None and record.wait_ms <= record.promise_ms
        if record.state == TicketState.NO_SHOW and within:
            self._note(Finding.NO_SHOWS_WITHIN_PROMISE, counter)
        for leg in called:
            self._leg(leg)

    def _leg(self, leg: Any) -> None:
        if leg.outcome == LegOutcome.PARKED and leg.ended_at_ms - leg.called_at_ms <= MINUTE_MS:
            self._note(Finding.PARKED_WITHIN_A_MINUTE, leg.counter)
        if leg.started_at_ms is not None:
            self._starts[leg.counter] += 1
            if leg.start_implied:
                self._note(Finding.IMPLIED_STARTS, leg.counter)

    # -- what the log tells

    def chosen(self, ticket: str, at_ms: int, counter: str, overtaken: int) -> None:
        """A call out of order that stood; told before the tickets."""
        self._note(Finding.CHOSEN_CALLS, counter)
        self._chosen[ticket, at_ms].append(counter)
        self._overtaken += overtaken

    def undone(self, counter: str) -> None:
        """A command was taken back."""
        self._note(Finding.UNDONE_COMMANDS, counter)

    def plan_changed(self) -> None:
        """The plan was put."""
        self._note(Finding.PLAN_CHANGES, None)

    def suspended(self) -> None:
        """Calls were stopped."""
        self._note(Finding.SUSPENSIONS, None)

    def stood_still(self, duration_ms: int) -> None:
        """A suspension lasted so long within the days reported."""
        self._suspended_ms += duration_ms

    def _note(self, finding: Finding, counter: str | None) -> None:
        if counter is None:
            self._elsewhere[finding] += 1
        else:
            self._counts[finding][counter] += 1

    def figures(self, order: Mapping[str, int]) -> list[IntegrityFigure]:
        """Every finding, those that did not occur too. `order`: the counters' places in the plan."""
        return [self._figures(finding, order) for finding in Finding]

    def _figures(self, finding: Finding, order: Mapping[str, int]) -> IntegrityFigure:
        counts, of_counters = self._counts[finding], self._of_counters(finding)
        count = counts.total() + self._elsewhere[finding]
        of = self._tickets if finding in _OF_TICKETS else None if of_counters is None else of_counters.total()
        return IntegrityFigure(
            finding=finding,
            count=count,
            of=of,
            share=_share(count, of),
            overtaken=self._overtaken if finding == Finding.CHOSEN_CALLS else None,
            total_s=seconds_or_none(self._suspended_ms) if finding == Finding.SUSPENSIONS else None,
            counters=[
                CounterCount(
                    counter=name,
                    count=counts[name],
                    of=None if of_counters is None else of_counters[name],
                    share=_share(counts[name], None if of_counters is None else of_counters[name]),
                )
                for name in sorted(counts, key=lambda name: (order.get(name, len(order)), name))
            ],
        )

    def _of_counters(self, finding: Finding) -> Counter[str] | None:
        """What there was at each counter that a finding's count is compared with."""
        if finding == Finding.IMPLIED_STARTS:
            return self._starts
        if finding == Finding.CHOSEN_CALLS:  # of tickets of the day before as well, whose legs are not read
            return self._callers + Counter(counter for left in self._chosen.values() for counter in left)
        none = (Finding.PLAN_CHANGES, Finding.SUSPENSIONS, Finding.UNDONE_COMMANDS)
        return None if finding in none else self._calls


_OF_TICKETS = (Finding.BACKFILLS, Finding.NO_SHOWS_WITHIN_PROMISE)


def _share(count: int, of: int | None) -> float | None:
    return count / of if of else None
