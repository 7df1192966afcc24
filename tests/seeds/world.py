"""One seed: some nodes on one database, callers, displays and a post, and all that befalls them, one step at a time.

A step is something whole: a turn of an event loop, a batch or its COMMIT, a read. Which one comes next is drawn from
the seed, and so is every fault; the same seed gives the same steps. After the storm comes a calm, in which all must
come to rest: every caller has its answer, every display is at its log's end.

Several nodes on one SQLite file are more than the product is run with: the file's lock arbitrates between them as rows
do on PostgreSQL, and one of them may be in the middle of its transaction while others go on. A writer that would wait
for that lock is not taken to be able to go on; an event loop, which does not wait, tries and is refused.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import Connection

from models.vocabulary import Channel
from queue_service import errors
from queue_service.clock import HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.scribe.program import Part
from queue_service.verification import Disproved, prove
from queue_service.verification import halls as halls_in
from tests.metrics.driving import MIDNIGHT_MS
from tests.seeds.auditor import Auditor, Tables
from tests.seeds.callers import Wish, answer, drawn, opening
from tests.seeds.hazards import AT_COMMIT, FATAL, Hazard, Hazards
from tests.seeds.lobby import Screen
from tests.seeds.node import Node, opened

STORM_STEPS = 900
CALM_STEPS = 4_000
DAY_MS = 86_400_000
READS = 0.3
"""So many of those who were answered look at what came of it."""
LATE = 0.5
"""So often the process beside a node that was killed stores the batch that it had in hand."""
TAIL = 60
"""So many of the last steps are told with a finding."""

Action = Callable[[], None]


class Broken(Exception):
    """A seed in which something was not as promised."""


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, url: str, tables: Tables) -> None:
        """The database is migrated and empty."""
        self.random = Random(seed)  # noqa: S311 (anyone can repeat it)
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self.auditor = Auditor(tables)
        self._url = url
        self._tables = tables
        hour = self.random.choice((8, 12, 23, 23))
        self._clock = HandClock(MIDNIGHT_MS + hour * 3_600_000 + self.random.randrange(3_600_000))
        self._size = self.random.choice((2, 2, 3, 4))
        self._halls = [f"hall-{number}" for number in range(1, self.random.choice((1, 1, 2)) + 1)]
        self._most_wishes = self.random.randint(10, 24)
        self._nodes: list[Node] = []
        self._born = 0
        self._post: list[tuple[str, Mapping[str, int]]] = []
        self._orphans: list[list[Part]] = []
        self.wishes: list[Wish] = []
        self._attempts: list[tuple[Wish, Node]] = []
        self._first = [(hall, command) for hall in self._halls for command in opening(hall)]
        self._known: dict[str, list[str]] = {hall: [] for hall in self._halls}
        self._screens = [
            Screen(f"{hall}/{number}", hall, self.auditor.seen)
            for hall in self._halls
            for number in range(self.random.randint(1, 2))
        ]

    def run(self) -> str:
        """Live through it; the trace's digest. Raises Broken."""
        with _listening(self.auditor.findings):
            try:
                for _ in range(self._size):
                    self._start()
                self._storm()
                self._calm()
                self._end()
            finally:
                for node in tuple(self._nodes):
                    self._bury(node)
        self._check()
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]

    # -- steps

    def _storm(self) -> None:
        for _ in range(STORM_STEPS):
            going_on = list(self._going_on(8))
            others = [*self._asking(), *self._watching(), *self._mishaps()]
            self._do([*going_on, *others, (1.0 if going_on else 20.0, self._pass_time)])
            if len(self.wishes) >= self._most_wishes and all(wish.is_over for wish in self.wishes):
                return

    def _calm(self) -> None:
        """Nothing goes wrong any more, and operators have put clocks right."""
        self._note("calm")
        for node in self._nodes:
            node.hazards.forgive()
            node.clock.skew_ms = 0
            node.engine.guard.confirm()
        while len(self._nodes) < 2:
            self._start()
        for screen in self._screens:
            self._quicken(screen)
        self._rest()
        self._start()  # one that knows of nothing
        self._screens += [Screen(f"{hall}/last", hall, self.auditor.seen) for hall in self._halls]
        for screen in self._screens[-len(self._halls) :]:
            screen.connect(self._nodes[-1])
        self._rest()

    def _rest(self) -> None:
        for _ in range(CALM_STEPS):
            chances = [*self._going_on(1), *self._calm_wishes(), *self._calm_screens()]
            if not chances:
                if self._is_at_rest():
                    return
                chances = [(1.0, self._wait)]
            self._do(chances)
        raise self._broken(["it does not come to rest"])

    def _is_at_rest(self) -> bool:
        ends = dict(self._tables.ask("SELECT id, last_seq FROM hall"))
        return all(screen.seq == ends.get(screen.hall, 0) for screen in self._screens)

    def _do(self, chances: list[tuple[float, Action]]) -> None:
        weights = [weight for weight, _ in chances]
        self.random.choices(chances, weights)[0][1]()
        for node in tuple(self._nodes):
            self.auditor.findings += [f"{node.name}: {fault}" for fault in node.faults]
            if node.is_dead:
                self._bury(node)
        if self.auditor.findings:
            raise self._broken(self.auditor.findings)

    def _note(self, what: str) -> None:
        self.trace.append(f"{self._clock.now_ms() - MIDNIGHT_MS} {what}")

    def _broken(self, findings: list[str]) -> Broken:
        return Broken("\n".join([*findings[:5], "The last steps:", *self.trace[-TAIL:]]))

    def _going_on(self, weight: float) -> Iterator[tuple[float, Action]]:
        holder = next((node for node in self._nodes if node.holds_all), None)
        for node in self._nodes:
            if node.loop.is_ready:
                yield weight, lambda node=node: self._go(node, "turns", node.loop.turn)  # type: ignore[misc]
            if node.can_write and holder in (None, node):
                yield weight, lambda node=node: self._go(node, "writes", node.write)  # type: ignore[misc]
            if node.scribe.can_go_on and holder in (None, node):
                yield weight, lambda node=node: self._go(node, "stores", node.scribe.go_on)  # type: ignore[misc]
            if node.loop.jobs:
                yield weight, lambda node=node: self._do_job(node)  # type: ignore[misc]
        for parts in self._orphans:
            yield weight / 4, lambda parts=parts: self._store_late(parts)  # type: ignore[misc]
        for index in range(len(self._post)):
            yield weight / 8, lambda index=index: self._deliver(index)  # type: ignore[misc]

    def _go(self, node: Node, what: str, work: Action) -> None:
        before = node.hazards.statements
        node.attempt(work)
        self._note(f"{node.name} {what}, {node.hazards.statements - before} statements")

    def _do_job(self, node: Node) -> None:
        index = self.random.randrange(len(node.loop.jobs))
        self._go(node, f"does job {index}", lambda: node.loop.do(index))

    # -- time

    def _pass_time(self) -> None:
        """Mostly to the next moment at which something is due; seldom over a midnight."""
        kind, random = self.random.random(), self.random
        if kind < 0.6:
            self._wait()
            return
        if kind < 0.85:
            ms = random.randint(1, 40)
        elif kind < 0.96:
            ms = random.randint(500, 8_000)
        elif kind < 0.985:
            ms = random.randint(10_000, 4_000_000)
        else:
            ms = max(0, DAY_MS - (self._clock.now_ms() - MIDNIGHT_MS) % DAY_MS + random.randint(-2, 2))
        self._clock.set_ms(self._clock.now_ms() + ms)

    def _wait(self) -> None:
        now_s = self._clock.monotonic_ms() / 1000
        next_s = min((one for node in self._nodes if (one := node.loop.next_s) is not None), default=now_s + 1)
        self._clock.set_ms(self._clock.now_ms() + max(1, round((next_s - now_s) * 1000)))

    # -- nodes

    def _start(self) -> None:
        self._born += 1
        skew_ms = 0 if self.random.random() < 0.8 else self.random.randint(-2_000, 2_000)
        name = f"node-{self._born}"
        node = Node(name, self._url, self._clock, skew_ms, lambda ends: self._send(name, ends))
        self._nodes.append(node)
        self._note(f"{name} starts")

    def _bury(self, node: Node) -> None:
        """What it had promised is lost, and its displays look for another."""
        self._nodes.remove(node)
        self.counts.update({f"{hazard}": times for hazard, times in node.hazards.came.items()})
        if node.scribe.batch is not None and not node.hazards.came.keys() & FATAL and self.random.random() < LATE:
            self._orphans.append(node.scribe.batch[0])
        node.bury()
        for wish, there in tuple(self._attempts):
            if there is node:
                wish.lose()
                self._attempts.remove((wish, there))
        for screen in self._screens:
            if screen.node is node:
                screen.lose()
        self._note(f"{node.name} is gone")

    def _store_late(self, parts: list[Part]) -> None:
        """The process beside a node that is gone had a batch in hand, and ends with it."""
        self._orphans.remove(parts)
        hazards, database = Hazards(), Database(self._url)
        word, _ = opened(database, hazards).store(parts)
        hazards.bury()
        database.close()
        self.counts[f"an orphan's batch was {word}"] += 1
        self._note(f"an orphan's batch is {word}")

    def _kill(self, node: Node) -> None:
        self.counts["killed at rest"] += 1
        node.hazards.dead = True

    def _stop(self, node: Node) -> None:
        """Politely; what it has taken on it finishes."""
        self.counts["stopped"] += 1
        self._note(f"{node.name} is asked to stop")
        with node.loop.entered():
            task = node.loop.create_task(node.stop())
        task.add_done_callback(lambda _: node.hazards.bury())

    def _jump(self, node: Node) -> None:
        self.counts["clock jumped"] += 1
        node.clock.skew_ms = 0 if node.clock.skew_ms else self.random.choice((-1, 1)) * self.random.randint(1, DAY_MS)
        self._note(f"{node.name} has its clock {node.clock.skew_ms} ms off")

    def _expect(self, node: Node) -> None:
        hazard = self.random.choice(list(Hazard))
        after = self.random.randrange(2 if hazard in AT_COMMIT else 16)
        times = self.random.choice((1, 1, 1, 2, 4))
        node.hazards.expect(hazard, after, times)
        self._note(f"{node.name} will meet: {hazard}, after {after}, {times} times")

    def _mishaps(self) -> Iterator[tuple[float, Action]]:
        if len(self._nodes) < self._size:
            yield 1.5 if self._nodes else 20.0, self._start
        if not self._nodes:
            return
        node = self._nodes[self.random.randrange(len(self._nodes))]
        yield 1.2, lambda: self._expect(node)
        yield 0.08, lambda: self._kill(node)
        yield 0.04, lambda: self._stop(node)
        yield 0.06, lambda: self._jump(node)
        yield 0.4, lambda: self._open_days(node)

    def _open_days(self, node: Node) -> None:
        """As `api.service` does at each midnight."""
        for hall, view in tuple(node.feed.views.items()):
            if view.hall.is_due(node.clock.now_ms()) and not node.engine._stopping:
                self._note(f"{node.name} opens the day of {hall}")
                with node.loop.entered():
                    future = node.engine.submit(
                        hall, c.OpenDay(), actor="system", channel=Channel.SYSTEM, answering=answer
                    )
                future.add_done_callback(lambda done: done.exception())

    # -- the post

    def _send(self, sender: str, ends: Mapping[str, int]) -> None:
        """To every other node, or not; now and then twice."""
        for node in self._nodes:
            if node.name != sender and self.random.random() < 0.8:
                self._post += [(node.name, ends)] * self.random.choice((1, 1, 1, 2))

    def _deliver(self, index: int) -> None:
        name, ends = self._post.pop(index)
        for node in self._nodes:
            if node.name == name and node.database.heard is not None:
                heard = node.database.heard
                with node.loop.entered():
                    node.loop.call_soon(heard, ends)
                self._note(f"{name} hears {ends}")

    # -- callers

    def _asking(self) -> Iterator[tuple[float, Action]]:
        if not self._nodes:
            return
        if len(self.wishes) < self._most_wishes:
            yield 3.0, self._ask_anew
        again = [wish for wish in self.wishes if not wish.is_over and (not wish.pending or wish.is_keyed)]
        if again:
            wish = again[self.random.randrange(len(again))]
            yield 0.2 if wish.pending else 2.0, lambda: self._ask(wish)

    def _calm_wishes(self) -> Iterator[tuple[float, Action]]:
        for wish in self.wishes:
            if not wish.is_over and not wish.pending:
                yield 0.1, lambda wish=wish: self._ask(wish)  # type: ignore[misc]

    def _ask_anew(self) -> None:
        name, random = f"w{len(self.wishes) + 1}", self.random
        if self._first:  # asked until it is answered: without it there would be no hall
            (hall, command), is_keyed = self._first.pop(0), True
        else:
            hall, is_keyed = random.choice(self._halls), random.random() < 0.75
            command = drawn(random, hall, name, self._known[hall])
        self.wishes.append(Wish(name, hall, command, is_keyed))
        self._ask(self.wishes[-1])

    def _ask(self, wish: Wish) -> None:
        live = [node for node in self._nodes if not node.is_dead]
        node = live[self.random.randrange(len(live))]
        self.counts["asked again" if wish.asked else "asked"] += 1
        self._note(f"{wish.name} of {wish.hall} asks {node.name} for {type(wish.command).__name__}")
        pending = wish.pending
        wish.ask(node, self._answered)
        if wish.pending > pending:
            self._attempts.append((wish, node))

    def _answered(self, wish: Wish, node: Node, result: Any) -> None:
        self._attempts.remove((wish, node))
        if node.is_dead:
            wish.lose()
            return
        wish.take(result)
        self._note(f"{wish.name} gets {type(result).__name__}")
        answered = len(wish.answers) and not isinstance(result, Exception)
        self.counts[type(result).__name__] += 1
        if answered:
            self.counts["replayed"] += result.replayed
            self.auditor.answered(wish)
            if self.random.random() < READS:
                self._read_after(wish, node)
            self._known[wish.hall] += [one["ticket"] for one in wish.answers[-1] if one["ticket"]]

    def _read_after(self, wish: Wish, node: Node) -> None:
        """Look at the hall, at the node that has just answered."""

        async def look() -> None:
            try:
                view = await node.feed.view(wish.hall)
            except errors.Unavailable:
                return
            self.auditor.looked(wish, view.hall.seq)

        node.loop.create_task(look())

    # -- displays

    def _watching(self) -> Iterator[tuple[float, Action]]:
        if not self._nodes:
            return
        screen = self._screens[self.random.randrange(len(self._screens))]
        if screen.line is None:
            yield 2.0, lambda: self._connect(screen)
            return
        yield 0.05, screen.line.hang_up
        yield 0.1, lambda: self._quicken(screen) if screen.line and screen.line.is_behind else self._slow(screen)

    def _calm_screens(self) -> Iterator[tuple[float, Action]]:
        for screen in self._screens:
            if screen.line is None:
                yield 0.1, lambda screen=screen: self._connect(screen)  # type: ignore[misc]

    def _connect(self, screen: Screen) -> None:
        node = self._nodes[self.random.randrange(len(self._nodes))]
        self.counts["resumed" if screen.seq else "connected"] += 1
        self._note(f"display {screen.name} at {screen.seq} comes to {node.name}")
        screen.connect(node)

    def _slow(self, screen: Screen) -> None:
        if screen.line is not None:
            screen.line.is_behind = True

    def _quicken(self, screen: Screen) -> None:
        if screen.line is not None and screen.line.is_behind and screen.node is not None:
            screen.line.is_behind = False
            if screen.line.on_drained is not None:
                screen.line.on_drained()

    # -- the end

    def _end(self) -> None:
        """The product's own proof, then the auditor."""
        try:
            self._nodes[-1].database.read(_prove_all)
        except Disproved as error:
            self.auditor.findings.append(f"verify: {error.fault}")
        log = self.auditor.close(self.wishes, self._screens)
        self.counts["events"] = len(log)
        self.counts["frames"] = self.auditor.frames
        self.counts["days opened"] = sum(one.kind == "day_opened" for one in log) - len({one.hall for one in log})

    def _check(self) -> None:
        if self.auditor.findings:
            raise self._broken(self.auditor.findings)


def _prove_all(connection: Connection) -> None:
    for hall, _ in halls_in(connection):
        prove(connection, hall, lambda _: None)


@contextmanager
def _listening(findings: list[str]) -> Iterator[None]:
    """What nodes log that no fault of the simulation excuses is a finding, too."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said = record.getMessage()
            if record.levelno >= logging.ERROR and said != "batch-failed":
                trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
                findings.append(f"{said} {trace}")

    own, handler = logging.getLogger("queue_service"), Handler()
    drivers = [logging.getLogger(name) for name in ("psycopg", "sqlalchemy")]
    own.addHandler(handler)
    own.propagate, levels = False, [one.level for one in drivers]
    for one in drivers:  # they tell of each connection that was lost
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        own.removeHandler(handler)
        own.propagate = True
        for one, level in zip(drivers, levels, strict=True):
            one.setLevel(level)
