"""Advice for halls whose answer theory knows, and its words."""

from dataclasses import replace

import pytest

from models.vocabulary import AdviceKind
from queue_service.planning.simulation.scene import Shift
from queue_service.planning.staffing.advice import Advice, AdviceReason, advise
from queue_service.planning.staffing.searching import moved
from queue_service.planning.staffing.situation import Reserve
from queue_service.planning.staffing.words import LANGUAGES, Names, catalogue, refusal, sentence, summary
from tests.planning.halls import HOUR_MS, situation

NAMES = Names({"a": "business-registration", "b": "cash"}, {}, "Asia/Shanghai")


def needed(advice: Advice) -> int:
    """The most counters advised for a quarter."""
    return max(quarter.counters_needed for quarter in advice.quarters)


def test_enough_counters_need_no_advice() -> None:
    """60 an hour of 8 minutes with the 10 counters of the table: nothing to do, though a reserve is there."""
    advice = advise(situation({"a": 60}, 8, {"a": 10}, reserve=5))
    assert (advice.items, advice.reason) == ((), AdviceReason.KEPT)
    assert advice.share_if_nothing_changes == advice.reachable_share > 0.95


def test_a_counter_too_many_may_close_and_not_before_it_may() -> None:
    """60 an hour of 8 minutes with 14 counters, where theory needs 10: one may close at once, by name, and the promise
    holds; with the 10 none is told to."""
    advice = advise(situation({"a": 60}, 8, {"a": 14}))
    (item,) = advice.items
    assert (item.kind, item.reason, advice.reason) == (AdviceKind.CLOSE, AdviceReason.FEWER_KEEP, AdviceReason.KEPT)
    assert (item.by_ms, item.count, item.from_services) == (0, 1, ("a",))
    assert item.misses_with <= item.of * 0.1
    assert [(one.counters_now, one.counters_needed) for one in advice.quarters] == [(14, 13)] * 12
    assert "may close from" in sentence(item, NAMES)["en"]
    assert "可以关闭" in sentence(item, NAMES)["zh-CN"]


def test_the_only_counter_of_a_service_does_not_close() -> None:
    """Nobody comes for b, but somebody may."""
    items = advise(situation({"a": 0, "b": 0}, 8, {"a": 1, "b": 1})).items
    assert items == ()


def test_nobody_comes_and_nothing_is_advised() -> None:
    """A hall without arrivals keeps its promise."""
    assert advise(situation({"a": 0}, 8, {"a": 1}, reserve=5)).items == ()


def test_one_counter_short_of_the_cliff_is_told_to_open_some() -> None:
    """With 7 of the 10 counters the line grows: the advice opens as many as keep the promise in every quarter, and
    hardly more than theory's 10."""
    made = situation({"a": 60}, 8, {"a": 7}, reserve=8)
    advice = advise(made)
    assert advice.reason == AdviceReason.WOULD_BREAK
    assert all(quarter.share_needed >= 0.90 for quarter in advice.quarters)
    assert 9 <= needed(advice) <= 12
    first = advice.items[0]
    assert (first.kind, first.service) == (AdviceKind.OPEN, "a")
    assert first.misses_with < first.misses_without <= first.of
    assert set(first.counters) <= set(made.seats) - {shift.counter for shift in made.shifts}


def test_what_cannot_be_kept_is_said_with_what_can_be_reached() -> None:
    """With one clerk in reserve and three missing the promise cannot be kept; all there is is advised."""
    advice = advise(situation({"a": 60}, 8, {"a": 6}, reserve=1))
    assert advice.reason == AdviceReason.CANNOT_BE_KEPT
    assert needed(advice) == 7
    assert advice.share_if_nothing_changes < advice.reachable_share < 0.90
    assert f"best reachable is {100 * advice.reachable_share:.0f} %" in summary(advice, NAMES, 3 * HOUR_MS)["en"]


def test_without_a_reserve_and_one_service_there_is_nothing_to_do() -> None:
    """Nobody to call in, nobody to move: the share is told, and no item is made up."""
    advice = advise(situation({"a": 60}, 8, {"a": 7}))
    assert (advice.items, advice.reason) == ((), AdviceReason.CANNOT_BE_KEPT)


def test_moving_a_counter_is_advised_where_nobody_can_be_called_in() -> None:
    """Five counters for 30 an hour of 8 minutes, eight for 20: one moved keeps the promise of both."""
    advice = advise(situation({"a": 30, "b": 20}, 8, {"a": 4, "b": 8}))
    (move,) = advice.items
    assert (move.kind, move.service, move.from_services) == (AdviceKind.MOVE, "a", ("b",))
    assert advice.reason == AdviceReason.WOULD_BREAK
    assert "from cash to business-registration" in sentence(move, NAMES)["en"]


def test_moving_is_the_alternative_where_somebody_can_be_called_in() -> None:
    """The same hall with a reserve: open one, or move one."""
    first = advise(situation({"a": 30, "b": 20}, 8, {"a": 4, "b": 8}, reserve=3)).items[0]
    assert (first.kind, first.count) == (AdviceKind.OPEN, 1)
    (move,) = first.alternatives
    assert (move.kind, move.from_services) == (AdviceKind.MOVE, ("b",))


def test_nobody_is_called_in_outside_the_hours_of_the_reserve() -> None:
    """Clerks who come at 01:00 are at no counter before, and no more of them than there are."""
    made = situation({"a": 60}, 8, {"a": 7})
    reserve = Reserve(frozenset({"a"}), 2, HOUR_MS, 2 * HOUR_MS)
    advice = advise(replace(made, reserves=(reserve,)))
    more = [quarter for quarter in advice.quarters if quarter.counters_needed > quarter.counters_now]
    assert more
    assert all(HOUR_MS <= quarter.at_ms < 2 * HOUR_MS for quarter in more)
    assert needed(advice) <= 9


def test_a_counter_that_is_taken_is_not_opened() -> None:
    """A paused counter is nobody's seat."""
    made = situation({"a": 60}, 8, {"a": 7}, reserve=8)
    free = sorted(set(made.seats) - {shift.counter for shift in made.shifts})
    advice = advise(replace(made, taken=frozenset(free[:10]), runs=40))
    assert not {name for item in advice.items for name in item.counters} & set(free[:10])


def test_the_same_situation_gets_the_same_advice() -> None:
    """Chance comes from the seed alone."""
    made = situation({"a": 60}, 8, {"a": 8}, reserve=1, hours=1, runs=20)
    assert advise(made) == advise(made)


def test_advice_is_said_with_time_number_reason_and_alternative() -> None:
    """Both languages, local time."""
    advice = advise(situation({"a": 30, "b": 20}, 8, {"a": 4, "b": 8}, reserve=3))
    said = sentence(advice.items[0], NAMES)
    assert said["en"].startswith("Open 1 more for business-registration by 08:")
    assert "wait over 10 min" in said["en"]
    assert "; moving counter " in said["en"]
    assert said["zh-CN"].startswith("请在08:")
    assert "增开1个窗口" in said["zh-CN"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogues_have_the_same_messages(language: str) -> None:
    """Nothing is said in one language only, and each message takes the same facts."""

    def facts(text: str) -> set[str]:
        return {part.split("}")[0] for part in text.split("{")[1:]}

    ours, english = catalogue(language), catalogue("en")
    assert {name: facts(text) for name, text in ours.items()} == {name: facts(text) for name, text in english.items()}


def test_a_refusal_says_why() -> None:
    """In words, with its numbers."""
    assert "1 past days" in refusal("too_little_history", days=1, needed=2)["en"]


def test_shifts_of_a_moved_counter_do_not_overlap() -> None:
    """A counter that is moved works on without a gap."""
    one = Shift("1", 0, 100, ("a", "b"))
    assert moved((one,), one, "a", 40) == (Shift("1", 0, 40, ("a", "b")), Shift("1", 40, 100, ("a",)))
    assert moved((one,), one, "a", 0) == (Shift("1", 0, 100, ("a",)),)
