"""Orders of events that seeds have found to matter, each by hand: one node or two, and one step after the other."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from queue_service import errors
from queue_service.clock import HandClock
from queue_service.domain import commands as c
from queue_service.feed import HINTED_POLL_S, POLL_S
from tests.databases import Kind
from tests.metrics.driving import at
from tests.seeds.callers import Wish, opening
from tests.seeds.hazards import Hazard
from tests.seeds.lobby import Screen
from tests.seeds.loop import Job
from tests.seeds.node import Node
from tests.seeds.seeds import migrated

HALL = "hall-1"
MOST_STEPS = 1_000
Start = Callable[[], Node]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts nodes on one SQLite file; they hear of one another's commits by asking only."""
    nodes: list[Node] = []
    with migrated(Kind.SQLITE) as (url, _), ExitStack() as stack:
        clock = HandClock(at(9))

        def started() -> Node:
            node = Node(f"node-{len(nodes)}", url, clock, 0, lambda _: None)
            nodes.append(node)
            stack.callback(node.bury)
            go_on(node)
            return node

        yield started
    assert [fault for node in nodes for fault in node.faults] == []


def go_on(node: Node) -> None:
    """Do all that can be done without time passing."""
    for _ in range(MOST_STEPS):
        if node.loop.is_ready:
            node.loop.turn()
        elif node.can_write:
            node.write()
        elif node.scribe.can_go_on:
            node.scribe.go_on()
        elif node.loop.jobs:
            node.loop.do(0)
        else:
            return
    raise AssertionError("it does not come to rest")


def ask(node: Node, command: c.Command, name: str) -> Any:
    """Have a command done; an Answer, or an error."""
    results: list[Any] = []
    Wish(name, HALL, command, is_keyed=True).ask(node, lambda _wish, _node, result: results.append(result))
    go_on(node)
    return results[0]


def make_hall(node: Node) -> None:
    """A plan, and open counters."""
    for number, command in enumerate(opening(HALL)):
        assert ask(node, command, f"opening-{number}").status == 200


def issue(node: Node, name: str) -> Any:
    """A ticket."""
    return ask(node, c.IssueTicket(f"{HALL}.{name}", "tax"), name)


def looked(node: Node) -> "asyncio.Task[Any]":
    """Somebody looks at the hall; not done yet."""
    with node.loop.entered():
        return node.loop.create_task(node.feed.view(HALL))


def test_a_feed_that_is_told_something_just_as_it_stops_does_stop(start: Start) -> None:
    """The poll is woken and cancelled in one turn of the loop; it must not take the one for the other."""
    node = start()
    assert node.database.heard is not None
    with node.loop.entered():
        node.database.heard({"nowhere": 1})
        stopping = node.loop.create_task(node.feed.stop())
    go_on(node)
    assert stopping.done()


def test_a_display_that_is_ahead_of_a_node_without_a_database_is_sent_away(start: Start) -> None:
    """It is not shown the older board that the node still has; once the log can be read it goes on where it was."""
    first, behind = start(), start()
    make_hall(first)
    shown: list[int] = []
    screen = Screen("display", HALL, lambda _, frame: shown.append(frame["seq"]))
    looked(behind)
    go_on(behind)
    issue(first, "later")
    screen.connect(first)
    go_on(first)
    assert screen.line is not None
    screen.line.hang_up()
    behind.hazards.expect(Hazard.UNAVAILABLE, 0, 100)
    screen.connect(behind)
    go_on(behind)
    assert screen.seq == shown[0]
    assert screen.node is None
    behind.hazards.forgive()
    screen.connect(behind)
    go_on(behind)
    assert screen.line is not None
    assert shown == [5]


def test_a_hall_that_was_created_while_it_was_looked_for_is_there_afterwards(start: Start) -> None:
    """Who asks after the creation was answered does not share the fate of who asked before."""
    first, other = start(), start()
    before = looked(other)
    other.loop.turn()
    other.loop.turn()
    other.loop.do(0)  # it reads the table, and has not heard yet what was there
    make_hall(first)
    after = looked(other)
    go_on(other)
    assert isinstance(before.exception(), errors.UnknownHall)
    assert after.result().hall.seq == 4


def test_a_view_whose_catching_up_failed_is_not_shown_as_the_newest(start: Start) -> None:
    """The node has heard of an event and could not read it: who looks waits for it, or is told to come again."""
    first, other = start(), start()
    make_hall(first)
    looked(other)
    go_on(other)
    issue(first, "later")
    other.hazards.expect(Hazard.UNAVAILABLE, 0, 2)
    assert other.database.heard is not None
    with other.loop.entered():
        other.database.heard({HALL: 5})
    go_on(other)
    refused = looked(other)
    go_on(other)
    assert isinstance(refused.exception(), errors.Unavailable)
    shown = looked(other)
    go_on(other)
    assert shown.result().hall.seq == 5


def test_who_asks_again_after_an_unknown_outcome_finds_what_the_answer_says(start: Start) -> None:
    """The repeat is answered from its receipt, and the node shows by then what it is about."""
    node = start()
    make_hall(node)
    looked(node)
    go_on(node)
    node.hazards.expect(Hazard.LOST_AFTER, 0, 1)
    assert isinstance(issue(node, "lost"), errors.OutcomeUnknown)
    results: list[Any] = []
    wish = Wish("lost", HALL, c.IssueTicket(f"{HALL}.lost", "tax"), is_keyed=True)
    wish.ask(node, lambda _wish, _node, result: results.append((result, looked(node))))
    go_on(node)
    [(answer, look)] = results
    assert answer.replayed
    assert look.result().hall.seq == 5


def test_a_poll_that_is_told_of_commits_asks_less_often(start: Start) -> None:
    """While hints come; when they end it asks at once, and often, until they come again."""
    node = start()
    assert pause_s(node) == HINTED_POLL_S
    hear(node, None)
    assert pause_s(node) == POLL_S
    hear(node, {})
    assert pause_s(node) == HINTED_POLL_S


def pause_s(node: Node) -> float:
    """How long until it does something by itself."""
    assert node.loop.next_s is not None
    return node.loop.next_s - node.loop.time()


def hear(node: Node, ends: dict[str, int] | None) -> None:
    """The post says this."""
    assert node.database.heard is not None
    with node.loop.entered():
        node.database.heard(ends)
    go_on(node)


def until_asked(node: Node) -> Job:
    """Turn its loop until there is a job for a thread; that."""
    while not node.loop.jobs:
        node.loop.turn()
    [job] = node.loop.jobs
    return job


def test_what_was_shown_while_the_log_was_read_is_not_read_again(start: Start) -> None:
    """A node's own commits go on while its poll reads where logs end; it has shown them by then."""
    node = start()
    make_hall(node)
    view = looked(node)
    issue(node, "before")
    assert node.database.heard is not None
    with node.loop.entered():
        node.database.heard({})
    for _ in ("has anything changed", "what time is it"):
        until_asked(node)
        node.loop.do(0)
    reading = until_asked(node)
    Wish("meanwhile", HALL, c.IssueTicket(f"{HALL}.meanwhile", "tax"), is_keyed=True).ask(node, lambda *_: None)
    while node.loop.is_ready or node.scribe.can_go_on:
        node.loop.turn() if node.loop.is_ready else node.scribe.go_on()
    assert node.loop.jobs == [reading]
    shown = view.result().hall.seq
    node.loop.do(0)
    for _ in range(5):
        node.loop.turn()
        assert not node.feed._catching
    go_on(node)
    assert view.result().hall.seq == shown == 6
