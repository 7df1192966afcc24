"""Requests that must be refused, as data: what is sent, and the status and problem type it must get.

Paths and bodies name the hall of the test as {hall} and its tickets as {waiting}, {serving} and {finished}.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.halls import plan

TICKETS = "/v1/halls/{hall}/tickets"
OPEN = "/v1/halls/{hall}/counters/3/open"
PLAN = "/v1/halls/{hall}"
REPORT = "/v1/halls/{hall}/promise-report"
BACKFILL = "/v1/halls/{hall}/backfill"
NO_TICKET = "{hall}.00000000000000000000000000"
JSON = {"Content-Type": "application/json"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Bad:
    """One request, what it must be answered with, and (for faults in a body) the place that must be named."""

    path: str
    status: int
    problem: str
    body: Any = None
    method: str = "POST"
    headers: dict[str, str | bytes] = field(default_factory=dict)
    place: str | None = None

    @property
    def content(self) -> bytes | None:
        """The body as bytes; what is no bytes yet is sent as JSON."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


def _issue(place: str | None, **fields: Any) -> Bad:
    return Bad(TICKETS, 422, "invalid-request", {"service": "tax", **fields}, place=place)


def _call(place: str, **fields: Any) -> Bad:
    return Bad("/v1/halls/{hall}/counters/2/call", 422, "invalid-request", {"reason": "x", **fields}, place=place)


def _get(path: str, problem: str = "invalid-request", status: int = 422, place: str | None = None) -> Bad:
    return Bad(path, status, problem, method="GET", place=place)


def _keyed(key: str | bytes) -> Bad:
    header = "/header/Idempotency-Key"
    return Bad(TICKETS, 422, "invalid-request", {"service": "tax"}, headers={"Idempotency-Key": key}, place=header)


def _plan(place: str, problem: str = "invalid-request", **changes: Any) -> Bad:
    return Bad(PLAN, 422, problem, {**plan("{hall}"), **changes}, "PUT", place=place)


def _if_match(version: str | bytes) -> Bad:
    return Bad(PLAN, 412, "stale-version", plan("{hall}", name="another"), "PUT", {"If-Match": version})


def _paper(place: str, problem: str = "bad-value", **fields: Any) -> Bad:
    paper = {"service": "tax", "arrived_at": "2020-01-01T00:00:00Z", **fields}
    return Bad(BACKFILL, 422, problem, {"reason": "power cut", "tickets": [paper]}, place=place)


def _called(kind: str, body: bytes = b'{"service": "tax"}') -> Bad:
    return Bad(TICKETS, 422, "not-called-json", body, headers={"Content-Type": kind})


UNREADABLE = {
    "no JSON": Bad(TICKETS, 400, "not-json", b"service=tax"),
    "half a document": Bad(TICKETS, 400, "not-json", b'{"service": "tax"'),
    "invalid UTF-8": Bad(TICKETS, 400, "not-json", b'{"service": "\xff\xfe"}'),
    "100,000 levels deep": Bad(TICKETS, 400, "not-json", b"[" * 100_000),
    "an integer of 5,000 digits": Bad(TICKETS, 400, "not-json", b'{"service": "tax", "items": ' + b"9" * 5_000 + b"}"),
    "nothing": Bad(TICKETS, 422, "invalid-request", place="/"),
    "null": Bad(TICKETS, 422, "invalid-request", b"null", place="/"),
    "a list": Bad(TICKETS, 422, "invalid-request", [], place="/"),
    "text": Bad(TICKETS, 422, "invalid-request", "tax", place="/"),
    "a form": _called(FORM, b"service=tax"),
    "JSON called a form": _called(FORM),
    "JSON called text": _called("text/plain"),
    "JSON called nothing": _called(""),
    "a plan called a form": Bad(PLAN, 422, "not-called-json", plan("{hall}"), "PUT", {"Content-Type": FORM}),
    "a body called text where none belongs": Bad(
        "/v1/tickets/{waiting}/cancel", 422, "not-called-json", {"why": "x"}, headers={"Content-Type": "text/plain"}
    ),
    "a body where none belongs": Bad(
        "/v1/tickets/{waiting}/cancel", 422, "invalid-request", {"why": "x"}, place="/why"
    ),
}

FIELDS = {
    "an unknown field": _issue("/colour", colour="red"),
    "a field of Unicode halves": _issue("/", **{"\ud800": 1}),
    "no service": Bad(TICKETS, 422, "invalid-request", {}, place="/service"),
    "a service that is a list": _issue("/service", service=["tax"]),
    "a service that is a number": _issue("/service", service=5),
    "a long service": _issue("/service", service="x" * 5_000),
    "half a character in the service": _issue("/service", service="\ud800"),
    "half a character in the ref": _issue("/ref", ref="a\udfff"),
    "NUL in the ref": _issue("/ref", ref="a\x00b"),
    "a line break in the ref": _issue("/ref", ref="a\nb"),
    "NUL in a companion": _issue("/with", **{"with": "{hall}.\x00"}),
    "NUL in a number": _call("/number", number="A\x00"),
    "NUL in a ticket": _call("/ticket", ticket="{hall}.\x00"),
    "an empty ref": _issue("/ref", ref=""),
    "a long ref": _issue("/ref", ref="x" * 65),
    "items in words": _issue("/items", items="two"),
    "items as text": _issue("/items", items="2"),
    "items as a yes": _issue("/items", items=True),
    "items with a fraction": _issue("/items", items=1.5),
    "no items": _issue("/items", items=0),
    "too many items": _issue("/items", items=101),
    "items beyond 64 bits": _issue("/items", items=2**70),
    "items that are no number": _issue("/items", items=float("nan")),
    "endless items": _issue("/items", items=float("inf")),
    "a channel of ours": _issue("/channel", channel="paper"),
    "no such language": _issue("/language", language="zh_CN"),
    "a clerk without a name": Bad(OPEN, 422, "invalid-request", {"clerk": "   "}, place="/clerk"),
    "NUL in a clerk's name": Bad(OPEN, 422, "invalid-request", {"clerk": "a\x00"}, place="/clerk"),
    "no services at a counter": Bad(OPEN, 422, "invalid-request", {"clerk": "li", "services": []}, place="/services"),
    "a yes in words": Bad(
        "/v1/halls/{hall}/counters/1/call-next",
        422,
        "invalid-request",
        {"finish_current": "yes"},
        place="/finish_current",
    ),
    "postponed by nothing": Bad("/v1/tickets/{waiting}/postpone", 422, "invalid-request", {"by_s": 0}, place="/by_s"),
    "postponed beyond a day": Bad(
        "/v1/tickets/{waiting}/postpone", 422, "invalid-request", {"by_s": 10**30}, place="/by_s"
    ),
}

HEADERS = {
    "an empty key": _keyed(""),
    "a key with a blank": _keyed("a b"),
    "a key with a tab": _keyed("a\tb"),
    "a key that is too long": _keyed("x" * 256),
    "a key beyond ASCII": _keyed("schlüssel".encode("latin-1")),
    "a version that is a word": _if_match("abc"),
    "a version that is empty": _if_match(""),
    "a weak version": _if_match('W/"1"'),
    "a list of versions": _if_match('"1", "2"'),
    "a version beyond 64 bits": _if_match('"99999999999999999999999999"'),
    "a version beyond ASCII": _if_match(b"\xff"),
    "a version of the future": _if_match('"7"'),
    "a version that is too long": Bad(
        PLAN, 422, "invalid-request", plan("{hall}"), "PUT", {"If-Match": "1" * 41}, place="/header/if-match"
    ),
}

NAMES = {
    "no such hall": Bad("/v1/halls/nowhere/tickets", 404, "unknown-hall", {"service": "tax"}),
    "a hall to look at named NUL": _get("/v1/halls/%00/board", "unknown-hall", 404),
    "a ticket named NUL": _get("/v1/tickets/{hall}.%00", "unknown-ticket", 404),
    "a hall named NUL": Bad("/v1/halls/%00/tickets", 404, "unknown-hall", {"service": "tax"}),
    "a hall of broken UTF-8": Bad("/v1/halls/%ff/tickets", 404, "unknown-hall", {"service": "tax"}),
    "a hall with a long name": Bad("/v1/halls/" + "x" * 101 + "/tickets", 422, "invalid-request", {"service": "tax"}),
    "no such hall to read": _get("/v1/halls/nowhere/board", "unknown-hall", 404),
    "no such service": Bad(TICKETS, 422, "unknown-service", {"service": "passport"}),
    "a service named NUL": Bad(TICKETS, 422, "unknown-service", {"service": "\x00"}),
    "no such class": Bad(TICKETS, 422, "unknown-priority", {"service": "tax", "priority": "vip"}),
    "no such companion": Bad(TICKETS, 404, "unknown-ticket", {"service": "tax", "with": "nobody"}),
    "no such counter": Bad("/v1/halls/{hall}/counters/99/open", 404, "unknown-counter", {"clerk": "li"}),
    "no such counter to read": _get("/v1/halls/{hall}/counters/%00", "unknown-counter", 404),
    "no such ticket": Bad(f"/v1/tickets/{NO_TICKET}/start", 404, "unknown-ticket"),
    "no such ticket to read": _get(f"/v1/tickets/{NO_TICKET}", "unknown-ticket", 404),
    "what is no ticket's id": Bad("/v1/tickets/A001/start", 404, "unknown-ticket"),
    "a ticket of no hall": Bad("/v1/tickets/nowhere.00000000000000000000000000/start", 404, "unknown-hall"),
    "a service the counter has not": Bad(OPEN, 422, "unknown-service", {"clerk": "li", "services": ["passport"]}),
    "no such number": Bad(
        "/v1/halls/{hall}/counters/2/call", 404, "unknown-ticket", {"number": "A999", "reason": "asked"}
    ),
    "neither ticket nor number": Bad("/v1/halls/{hall}/counters/2/call", 422, "bad-value", {"reason": "asked"}),
    "a reason that is not planned": Bad("/v1/halls/{hall}/counters/2/pause", 422, "unknown-reason", {"reason": "golf"}),
    "no such address": Bad("/v1/nothing", 404, "not-found"),
    "a slash too many": Bad(TICKETS + "/", 404, "not-found", {"service": "tax"}),
    "a method it has not": Bad(TICKETS, 405, "method-not-allowed", method="DELETE"),
    "a command by GET": _get("/v1/tickets/{waiting}/cancel", "method-not-allowed", 405),
}

READS = {
    "no limit": _get(TICKETS + "?limit=0", place="/query/limit"),
    "a limit without end": _get(TICKETS + "?limit=1001", place="/query/limit"),
    "a limit in words": _get(TICKETS + "?limit=many", place="/query/limit"),
    "a month 13": _get(TICKETS + "?day=2026-13-01", place="/query/day"),
    "a day in words": _get(TICKETS + "?day=today", place="/query/day"),
    "a day as a number": _get(TICKETS + "?day=86400", place="/query/day"),
    "a state that is none": _get(TICKETS + "?state=gone", place="/query/state"),
    "a long ref to look for": _get(TICKETS + "?ref=" + "x" * 101, place="/query/ref"),
    "before the log": _get("/v1/halls/{hall}/events?after=-1", place="/query/after"),
    "beyond any log": _get("/v1/halls/{hall}/events?after=99999999999999999999", place="/query/after"),
    "a 30th of February": _get(REPORT + "?day=2026-02-30", place="/query/day"),
    "a day with a time": _get(REPORT + "?day=2026-03-02T00:00:00Z", place="/query/day"),
    "a report's day as a number": _get(REPORT + "?from=86400", place="/query/from"),
    "from after to": _get(REPORT + "?from=2026-03-03&to=2026-03-02", "bad-value"),
    "a day and a range": _get(REPORT + "?day=2026-03-02&from=2026-03-01", "bad-value"),
    "eleven years": _get(REPORT + "?from=2010-01-01&to=2021-01-01", "bad-value"),
    "the end of time": _get(REPORT + "?day=9999-12-31", "bad-value"),
    "wait records of no day": _get("/v1/halls/{hall}/legs.csv?day=yesterday", place="/query/day"),
}

STATES = {
    "start of who waits": Bad("/v1/tickets/{waiting}/start", 409, "wrong-state"),
    "finish of who waits": Bad("/v1/tickets/{waiting}/finish", 409, "wrong-state"),
    "cancel of who is served": Bad("/v1/tickets/{serving}/cancel", 409, "wrong-state"),
    "recall of who is served": Bad("/v1/tickets/{serving}/recall", 409, "wrong-state"),
    "a companion who has gone": Bad(TICKETS, 409, "wrong-state", {"service": "tax", "with": "{finished}"}),
    "call of a number that is done": Bad(
        "/v1/halls/{hall}/counters/2/call", 409, "wrong-state", {"number": "A001", "reason": "asked"}
    ),
    "start of who is done": Bad("/v1/tickets/{finished}/start", 409, "wrong-state"),
    "transfer of who is done": Bad("/v1/tickets/{finished}/transfer", 409, "wrong-state", {"service": "tax"}),
    "call of who is done": Bad(
        "/v1/halls/{hall}/counters/2/call", 409, "wrong-state", {"ticket": "{finished}", "reason": "asked"}
    ),
    "call at a closed counter": Bad("/v1/halls/{hall}/counters/3/call-next", 409, "wrong-counter-state"),
    "call at a counter that serves": Bad("/v1/halls/{hall}/counters/1/call-next", 409, "counter-holds-ticket"),
    "close of a counter that serves": Bad("/v1/halls/{hall}/counters/1/close", 409, "counter-holds-ticket"),
    "hand-over to a closed counter": Bad(
        "/v1/tickets/{serving}/hand-over", 409, "wrong-counter-state", {"to_counter": "3"}
    ),
    "resume of what runs": Bad("/v1/halls/{hall}/resume", 409, "wrong-state"),
}

PLANS = {
    "a plan without services": _plan("/services", services=[]),
    "a plan with an unknown field": _plan("/colour", colour="red"),
    "a plan for another hall": _plan("/id", "bad-value", id="another"),
    "a bound in words": _plan("/max_overtake_s", max_overtake_s="an hour"),
    "a bound as text": _plan("/max_overtake_s", max_overtake_s="3600"),
    "no such zone of time": _plan("/time_zone", time_zone="Europe/Shanghai"),
    "a path as zone of time": _plan("/time_zone", time_zone="../../etc/passwd"),
    "the machine's own zone": _plan("/time_zone", time_zone="localtime"),
    "a zone that means nothing": _plan("/time_zone", time_zone="Factory"),
    "a zone that says how zones are written": _plan("/time_zone", time_zone="posixrules"),
    "a zone that counts leap seconds": _plan("/time_zone", time_zone="right/UTC"),
    "NUL in a name": _plan("/name", name="a\x00"),
    "an hour 25": _plan("/calendar/peaks/0/end", calendar={"peaks": [{"start": "09:00", "end": "25:00"}]}),
    "a date that is none": _plan("/calendar/closed_dates/0", calendar={"closed_dates": ["2026-02-30"]}),
    "a date as a number": _plan("/calendar/closed_dates/0", calendar={"closed_dates": [86400]}),
    "a prefix of digits": _plan("/services/0/prefix", services=[{"id": "tax", "name": "-", "prefix": "1"}]),
    "half a character in a name": _plan("/counters/0/name", counters=[{"id": "1", "name": "\ud83d"}]),
}

PAPERS = {
    "a paper ticket of last year": _paper("/tickets/0/arrived_at"),
    "a paper ticket without a zone": _paper(
        "/tickets/0/arrived_at", "invalid-request", arrived_at="2026-03-02T08:00:00"
    ),
    "a paper ticket dated by a number": _paper("/tickets/0/arrived_at", "invalid-request", arrived_at=1_772_409_600),
    "a paper ticket of the far future": _paper("/tickets/0/arrived_at", arrived_at="9999-12-31T23:59:59Z"),
    "called before it came": _paper("/tickets/0/called_at", called_at="2019-12-31T23:59:59Z"),
    "a number that was not reserved": Bad(
        BACKFILL,
        422,
        "unknown-service",
        {"reason": "x", "tickets": [{"service": "no", "arrived_at": "2020-01-01T00:00:00Z"}]},
    ),
    "no paper at all": Bad(BACKFILL, 422, "invalid-request", {"reason": "x", "tickets": []}, place="/tickets"),
}

ALL = {**UNREADABLE, **FIELDS, **HEADERS, **NAMES, **READS, **STATES, **PLANS, **PAPERS}
