"""`plan-day`: a roster's numbers for a coming day, as text, CSV or JSON."""

import csv
import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from api.cli import APP, OUT
from api.cli.plans import DatabaseUrl
from api.cli.progress import progress
from api.cli.verify import existing_database
from models.wire import rfc3339
from queue_service import journal
from queue_service.domain.plan import Plan
from queue_service.errors import BadInput, UnknownHall

if TYPE_CHECKING:
    from queue_service.planning.staffing.dayplan import Need
    from queue_service.planning.staffing.learning import Learned

HEADER = ("at", "services", "visitors", "counters", "seats", "share", "promised")


@APP.command("plan-day")
def plan_day(
    hall: Annotated[str, typer.Option(help="the hall's id")],
    day: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="the day to plan")],
    as_json: Annotated[bool, typer.Option("--json", help="the same as JSON")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="one line a quarter of an hour and group of services")] = False,
    runs: Annotated[int, typer.Option(min=10, max=2000, help="how often the day is simulated")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="decides the simulated visitors")] = 1,
    database_url: DatabaseUrl = None,
) -> None:
    """Say how many counters each group of services needs on a coming day, by quarter of an hour.

    Learned from the hall's own past days: the same weekday where there are two of them. Services that the same
    counters serve are one group. A * marks quarters in which the promise is not kept with all counters there are.
    """
    from queue_service.planning.staffing import dayplan, learning  # noqa: PLC0415 (numpy: only when asked)

    if as_json and as_csv:
        raise BadInput("Give either --json or --csv.")
    iso_date = as_day(day)
    database = existing_database(database_url)
    try:
        position = database.read(journal.all_positions).get(hall)
        if position is None:
            raise UnknownHall(f"There is no hall {hall!r}.", hall=hall)
        plan = database.read(lambda one: journal.load(one, hall, position)).rules
        learned = database.read(lambda one: learning.learn(one, plan, iso_date))
    finally:
        database.close()
    if learned.days < learning.NEEDED_DAYS:
        raise BadInput(
            f"{hall}: {learned.days} past days with visitors before {iso_date}; {learning.NEEDED_DAYS} are needed."
        )
    with progress("simulating", len(dayplan.groups_of(plan))) as advance:
        needs = dayplan.plan_day(plan, iso_date, learned, seed, advance, runs)
    if as_json:
        OUT.out(orjson.dumps(_document(plan, iso_date, learned, needs), option=orjson.OPT_INDENT_2).decode())
    else:
        OUT.out(_csv(plan, needs) if as_csv else _text(plan, iso_date, learned, needs), end="")


def as_day(text: str) -> str:
    """A date as ISO writes it."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadInput(f"{text!r} is no day: write it as 2026-11-24.") from error


def _document(plan: Plan, day: str, learned: "Learned", needs: "list[Need]") -> dict[str, Any]:
    return {
        "hall": plan.id,
        "day": day,
        "basis": {
            "arrivals": learned.arrival_basis,
            "days": learned.days,
            "service_times": dict(learned.service_basis),
        },
        "quarters": [
            {
                "at": rfc3339(one.at_ms),
                "services": list(one.services),
                "visitors": round(one.visitors, 1),
                "counters": one.counters,
                "seats": one.seats,
                "share": round(one.share, 3),
                "promised": one.target,
                "kept": one.is_kept,
            }
            for one in needs
        ],
    }


def _row(plan: Plan, one: "Need") -> list[str]:
    at = datetime.fromtimestamp(one.at_ms / 1000, ZoneInfo(plan.calendar.time_zone))
    return [
        f"{at:%H:%M}", " ".join(one.services), f"{one.visitors:.1f}", str(one.counters), str(one.seats),
        f"{one.share:.3f}", f"{one.target:.2f}",
    ]  # fmt: skip


def _csv(plan: Plan, needs: "list[Need]") -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(plan, one) for one in needs)
    return out.getvalue()


def _text(plan: Plan, day: str, learned: "Learned", needs: "list[Need]") -> str:
    bases = sorted({str(basis) for basis in learned.service_basis.values()})
    learned_from = f"learned from {learned.days} days ({learned.arrival_basis})"
    lines = [f"{plan.id} {day}: counters needed, {learned_from}; service times: {', '.join(bases)}"]
    groups = list(dict.fromkeys(one.services for one in needs))
    for number, services in enumerate(groups, start=1):
        lines.append(f"  {number}: {' '.join(services)}")
    table: dict[str, dict[tuple[str, ...], str]] = {}
    for one in needs:
        table.setdefault(_row(plan, one)[0], {})[one.services] = f"{one.counters}{'' if one.is_kept else '*'}"
    lines.append("time  " + "".join(f"{number:>6}" for number in range(1, len(groups) + 1)))
    lines += [f"{at} " + "".join(f"{cells.get(one, ''):>6}" for one in groups) for at, cells in table.items()]
    return "\n".join(lines) + "\n"
