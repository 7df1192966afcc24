"""`what-if`: a recorded day of a hall with other counters, another order, pooled or moved counters."""

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from api.cli import APP, OUT
from api.cli.plan_day import as_day
from api.cli.plans import DatabaseUrl
from api.cli.progress import progress
from api.cli.verify import existing_database
from metrics.what_if import SHOWN, what_if_document
from models.vocabulary import OrderRule
from queue_service import journal
from queue_service.domain.plan import Plan
from queue_service.errors import BadInput, UnknownHall

if TYPE_CHECKING:
    from queue_service.domain.events import Logged
    from queue_service.planning.whatif.changes import Changes, MoreCounters, Move

COUNTERS = re.compile(r"([+-]\d{1,3})(?::([^@]+))?@(\d\d:\d\d)-(\d\d:\d\d)")
MOVE = re.compile(r"(.+?):(.+?)(?:->|→)(.+?)@(\d\d:\d\d)(?:-(\d\d:\d\d))?")
SECONDS = frozenset(one for one in SHOWN if one.endswith("_s"))


@APP.command("what-if")
def what_if(
    hall: Annotated[str, typer.Option(help="the hall's id")],
    day: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="the recorded business day")],
    counters: Annotated[
        list[str] | None,
        typer.Option(help="+2@09:30-11:00: two more, for everything; +1:cash,tax@…: for these; -1@…: one fewer"),
    ] = None,
    order: Annotated[OrderRule | None, typer.Option(help="call by another rule, all day")] = None,
    pool: Annotated[
        list[str] | None, typer.Option(help="A,B: whoever serves one of these services serves all of them")
    ] = None,
    move: Annotated[
        list[str] | None,
        typer.Option(help="7:cash->tax@10:00: counter 7 serves tax in place of cash from then (or 10:00-11:30)"),
    ] = None,
    runs: Annotated[int, typer.Option(min=2, max=500, help="how often, where anything must be drawn")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="decides what is drawn")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="the same as JSON")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Replay a recorded day with something changed, and show the waits then and now side by side.

    The recorded visitors and their times at the counters, through the rules of the live hall. Options may be given
    several times and together; without any, the day comes out as it was recorded.
    """
    from queue_service.planning.whatif.recorded import record  # noqa: PLC0415 (only when asked)
    from queue_service.planning.whatif.replay import replay  # noqa: PLC0415 (as above)

    log, plan = _read(hall, as_day(day), database_url)
    changes = changes_of(plan, as_day(day), counters or [], order, pool or [], move or [])
    recorded = record(log)
    null = replay(recorded)
    found = [replay(recorded, changes, seed) if changes.anything else null]
    if found[0].drawn:
        with progress("replaying", runs) as advance:
            for number in range(1, runs):
                found.append(replay(recorded, changes, seed + number))
                advance(1)
    document = what_if_document(recorded, null, found)
    if as_json:
        OUT.out(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        OUT.out(_text(document), end="")


def _read(hall: str, day: str, database_url: str | None) -> "tuple[list[Logged], Plan]":
    from queue_service.planning.whatif.reading import plan_of_day, read_day  # noqa: PLC0415 (only when asked)

    database = existing_database(database_url)
    try:
        if hall not in database.read(journal.all_positions):
            raise UnknownHall(f"There is no hall {hall!r}.", hall=hall)
        log = database.read(lambda one: read_day(one, hall, day))
    finally:
        database.close()
    return log, plan_of_day(log)


# -- what is asked for


def changes_of(
    plan: Plan, day: str, counters: list[str], order: OrderRule | None, pools: list[str], moves: list[str]
) -> "Changes":
    """The changes that the options ask for; BadInput says what is wrong, and what is allowed."""
    from queue_service.planning.whatif.changes import Changes  # noqa: PLC0415 (only when asked)

    return Changes(
        order=order,
        pools=tuple(frozenset(_services(plan, "--pool", one, one, 2)) for one in pools),
        more=tuple(_more(plan, day, one) for one in counters),
        moves=tuple(_move(plan, day, one) for one in moves),
    )


def _more(plan: Plan, day: str, text: str) -> "MoreCounters":
    from queue_service.planning.whatif.changes import MoreCounters  # noqa: PLC0415 (only when asked)

    found = COUNTERS.fullmatch(text)
    if found is None or int(found[1]) == 0 or (found[2] and int(found[1]) < 0):
        raise BadInput(f"--counters {text}: write +2@09:30-11:00, +1:cash,tax@09:30-11:00 or -1@09:30-11:00.")
    services = _services(plan, "--counters", text, found[2], 1) if found[2] else None
    return MoreCounters(int(found[1]), *_span(plan, day, f"--counters {text}", found[3], found[4]), services)


def _move(plan: Plan, day: str, text: str) -> "Move":
    from queue_service.planning.whatif.changes import Move  # noqa: PLC0415 (only when asked)

    found = MOVE.fullmatch(text)
    if found is None:
        raise BadInput(f"--move {text}: write 7:cash->tax@10:00 or 7:cash->tax@10:00-11:30.")
    counter, from_service, to_service = found[1], found[2], found[3]
    if counter not in plan.counters:
        raise BadInput(f"--move {text}: there is no counter {counter!r}; there are {_listed(plan.counters)}.")
    _services(plan, "--move", text, f"{from_service},{to_service}", 2)
    served = plan.counters[counter].services
    if from_service not in served:
        raise BadInput(f"--move {text}: counter {counter} does not serve {from_service}, only {_listed(served)}.")
    if found[5] is None:
        return Move(counter, from_service, to_service, _instant(plan, day, f"--move {text}", found[4]))
    return Move(counter, from_service, to_service, *_span(plan, day, f"--move {text}", found[4], found[5]))


def _services(plan: Plan, option: str, text: str, names: str, least: int) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in found:
        if name not in plan.services:
            raise BadInput(f"{option} {text}: there is no service {name!r}; there are {_listed(plan.services)}.")
    if len(found) < least:
        raise BadInput(f"{option} {text}: name {least} different services; there are {_listed(plan.services)}.")
    return found


def _listed(names: Any) -> str:
    some = list(names)
    return ", ".join(some[:30]) + (" …" if len(some) > 30 else "")


def _span(plan: Plan, day: str, what: str, start: str, end: str) -> tuple[int, int]:
    from_ms, to_ms = (_instant(plan, day, what, one) for one in (start, end))
    if from_ms >= to_ms:
        raise BadInput(f"{what}: {end} is not after {start}.")
    return from_ms, to_ms


def _instant(plan: Plan, day: str, what: str, clock: str) -> int:
    hour, minute = int(clock[:2]), int(clock[3:])
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise BadInput(f"{what}: {clock} is no time of a day; write it as 09:30, up to 24:00.")
    whole = date.fromisoformat(day) + timedelta(days=hour // 24)
    zone = ZoneInfo(plan.calendar.time_zone)
    local = datetime(whole.year, whole.month, whole.day, hour % 24, minute, tzinfo=zone)
    return round(local.timestamp()) * 1000


# -- as text


def _text(document: dict[str, Any]) -> str:
    again = document["replayed_without_change"]
    lines = [
        f"{document['hall']} {document['day']}: as recorded, and as changed",
        f"replayed without change: {again['same']} of {again['calls']} calls at the recorded counter and instant",
        _noise(document),
        "",
        *_table(document),
        "",
        f"{'waited at least':<18}{'then':>10}{'now':>10}",
        *(
            f"{one['from_s'] // 60:>4} min{'':<10}{one['then']:>10}{one['now']:>10g}"
            for one in document["distribution"]
        ),
        "",
        f"{'service':<24}{'counted':>8}{'kept then':>11}{'now':>8}{'p90 then':>10}{'now':>8}",
        *(_service_line(one) for one in document["services"]),
    ]
    return "\n".join(lines) + "\n"


def _noise(document: dict[str, Any]) -> str:
    if not document["drawn"]:
        return "nothing had to be drawn: one run, no noise"
    unseen = f"{document['served_who_were_not']:g} visitors served who were not in fact"
    lost = f"{document['not_repeated']:g} happenings without a place in the changed day"
    return f"drawn where nothing was recorded: mean of {document['runs']} runs ± standard deviation; {unseen}; {lost}"


def _table(document: dict[str, Any]) -> list[str]:
    then, now, sd = document["then"], document["now"], document["sd"]
    lines = [f"{'':<18}{'then':>10}{'now':>10}{'±':>9}"]
    for name in ("counted", "kept", "missed", "left", *SHOWN):
        noise = "" if sd is None or sd.get(name) is None else _shown(name, sd[name])
        lines.append(
            f"{name.removesuffix('_s'):<18}{_shown(name, then[name]):>10}{_shown(name, now[name]):>10}{noise:>9}"
        )
    return lines


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "share":
        return f"{value:.1%}"
    return f"{value / 60:.1f} min" if name in SECONDS else f"{value:g}"


def _service_line(one: dict[str, Any]) -> str:
    then, now = one["then"], one["now"]
    shares = f"{_shown('share', then['share']):>11}{_shown('share', now['share']):>8}"
    ranks = f"{_shown('p90_s', then['p90_s']):>10}{_shown('p90_s', now['p90_s']):>8}"
    return f"{one['service']:<24}{then['counted']:>8}{shares}{ranks}"
