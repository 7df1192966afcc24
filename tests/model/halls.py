"""The hall itself in the model: plan, day, suspensions, and the ways a ticket comes in."""

from dataclasses import replace

from queue_service import errors
from queue_service.domain import commands as c
from tests.model import alerts, days
from tests.model.state import CLOSED, HELD, Counter, HallModel, Leg, Suspension, Ticket
from tests.model.tickets import leg_ends, mark, pause_if_asked, promise_at, refuse

REMOTE = ("phone", "web")


def put_plan(hall: HallModel, command: c.PutPlan) -> None:
    """A new plan, if it was made from the present one, can be used, and leaves out nothing in use."""
    document = dict(command.document)
    refuse(command.if_version is not None and command.if_version != hall.version, errors.StaleVersion)
    refuse(_contradicts_itself(document), errors.PlanFaulty)
    if hall.plan == document:
        return
    refuse(hall.plan is not None and _leaves_out(hall, document), errors.PlanInUse)
    first = hall.plan is None
    hall.plan, hall.version = document, hall.version + 1
    kept = {name: replace(counter, record=None) for name, counter in hall.counters.items()}
    planned = [one["id"] for one in document["counters"]]
    hall.counters = {name: kept.get(name) or Counter(name, hall.now_ms) for name in planned}
    hall.tell("plan_changed")
    if first:
        _begin_day(hall)


def _contradicts_itself(plan: days.Plan) -> bool:
    """Those contradictions that the model's plans can have."""
    probe = HallModel("", plan)
    prefixes = [one["prefix"] for one in plan["services"]]
    served = [probe.planned_services(one["id"]) for one in plan["counters"]]
    unserved = {one["id"] for one in plan["services"]} - {service for some in served for service in some}
    return plan["emergency_prefix"] in prefixes or len(set(prefixes)) < len(prefixes) or bool(unserved) or [] in served


def _leaves_out(hall: HallModel, plan: days.Plan) -> bool:
    services = {one["id"] for one in plan["services"]}
    priorities = {one["id"] for one in plan["priorities"]}
    counters = {one["id"] for one in plan["counters"]}
    used = hall.open_tickets()
    return (
        _moves_the_day(hall, plan)
        or any(ticket.service not in services or ticket.priority not in priorities for ticket in used)
        or any(counter.is_open and counter.id not in counters for counter in hall.counters.values())
        or any(service is not None and service not in services for service in hall.suspensions)
        or any(_is_left_with_nothing(hall, plan, counter) for counter in hall.counters.values())
    )


def _moves_the_day(hall: HallModel, plan: days.Plan) -> bool:
    """Another zone, while the day holds a ticket or has given a number, or where this date has not begun yet."""
    if plan["time_zone"] == hall.rules["time_zone"]:
        return False
    return bool(hall.open_tickets()) or bool(hall.numbers) or days.local_date(plan, hall.now_ms) < hall.date


def _is_left_with_nothing(hall: HallModel, plan: days.Plan, counter: Counter) -> bool:
    """An open counter that serves something now, and nothing by this plan."""
    return counter.is_open and bool(hall.served(counter)) and not HallModel("", plan).served(counter)


def roll_over(hall: HallModel) -> None:
    """At the day's end all but those being served expire; numbers and bounds begin anew."""
    ended_at_ms = days.end_ms(hall.rules, hall.date)
    if hall.now_ms < ended_at_ms:
        return
    for ticket in hall.open_tickets():
        if ticket.state != "serving":
            _expire(hall, ticket, ended_at_ms)
    for name, counter in hall.counters.items():
        if counter.is_open:
            pause_if_asked(hall, name)
    alerts.clear_all(hall)
    hall.announced = {}
    _begin_day(hall)


def _expire(hall: HallModel, ticket: Ticket, at_ms: int) -> None:
    if ticket.state == "waiting":
        waited = days.waited_ms(hall.rules, hall.date, ticket.leg.waiting_since_ms, at_ms)
        ticket = ticket.with_leg(waited_ms=waited)
    hall.put(leg_ends(ticket, "expired", at_ms), state="expired", counter=None, closed_at_ms=at_ms)
    if ticket.state in HELD:
        hall.set_counters([ticket.counter], since_ms=hall.now_ms)
    hall.tell("ticket_expired")


def _begin_day(hall: HallModel) -> None:
    hall.date = days.local_date(hall.rules, hall.now_ms)
    hall.numbers, hall.issued, hall.stood_still, hall.chosen = {}, [], [], 0
    for name, counter in hall.counters.items():
        since_ms = counter.since_ms if counter.is_open else hall.now_ms
        hall.counters[name] = replace(counter, record=None, since_ms=since_ms)
    hall.tell("day_opened")


def suspend(hall: HallModel, command: c.Suspend) -> None:
    """Calls stop; who waits is reported apart."""
    refuse(command.service is not None and hall.service(command.service) is None, errors.UnknownService)
    refuse(command.service in hall.suspensions, errors.Suspended)
    hall.suspensions[command.service] = Suspension(command.service, command.reason, hall.now_ms, command.turn_away)
    for ticket in hall.in_state("waiting"):
        hall.tickets[ticket.id] = mark(hall, ticket, ticket.service)
    hall.tell("suspended")


def resume(hall: HallModel, command: c.Resume) -> None:
    """Calls go on."""
    refuse(command.service is not None and hall.service(command.service) is None, errors.UnknownService)
    refuse(command.service not in hall.suspensions, errors.WrongState)
    over = hall.suspensions.pop(command.service)
    hall.stood_still.append((over.service, over.since_ms, hall.now_ms))
    hall.tell("resumed")


def issue(hall: HallModel, command: c.IssueTicket) -> None:
    """The next number, or none."""
    service = hall.service(command.service)
    if service is None:
        raise errors.UnknownService
    priority = _priority(hall, command.priority)
    group = None
    if command.party is not None:
        companion = hall.tickets.get(command.party)
        if companion is None:
            raise errors.UnknownTicket
        refuse(companion.state in CLOSED, errors.WrongState)
        group = companion.group
    reason = _why_not(hall, service, command)
    if reason is not None:
        hall.tell("turned_away")
        hall.details.append(reason)
        raise errors.TurnedAway
    expected = command.channel in hall.rules["check_in_channels"]
    ticket = Ticket(
        command.ticket, _next_number(hall, service["prefix"]), hall.date, command.service, priority, command.channel,
        "expected" if expected else "waiting", hall.now_ms, command.language, command.items,
        group, command.ref, apart="training" if hall.rules["training"] else None,
    )  # fmt: skip
    if not expected:
        period, promise_ms, percentile = promise_at(hall, hall.date, hall.now_ms)
        leg = Leg(ticket.service, priority, hall.now_ms, hall.now_ms)
        ticket = replace(ticket, period=period, promise_ms=promise_ms, percentile=percentile, legs=(leg,))
        ticket = mark(hall, ticket, ticket.service)
    hall.issued.append((command.service, days.half(hall.rules, hall.date, hall.now_ms), command.channel, command.items))
    hall.put(ticket)
    hall.tell("ticket_issued")


def _priority(hall: HallModel, name: str | None) -> str:
    refuse(name is not None and name not in hall.priorities, errors.UnknownPriority)
    return name or hall.priorities[0]


def _next_number(hall: HallModel, prefix: str) -> str:
    hall.numbers[prefix] = hall.numbers.get(prefix, 0) + 1
    return f"{prefix}{hall.numbers[prefix]:03d}"


def _why_not(hall: HallModel, service: days.Plan, command: c.IssueTicket) -> str | None:
    """Why a visitor gets no ticket now."""
    if any(one.turn_away for one in hall.suspensions.values() if one.service in (None, service["id"])):
        return "suspended"
    if not days.dispenses(hall.rules, hall.date, hall.now_ms):
        return "closed"
    if not days.offers(hall.rules, hall.date, service["hours"], hall.now_ms):
        return "not_now"
    return "quota" if _is_full(hall, service, command) else None


def _is_full(hall: HallModel, service: days.Plan, command: c.IssueTicket) -> bool:
    quota = service["quota"]
    if quota is None:
        return False
    half = days.half(hall.rules, hall.date, hall.now_ms)
    taken = [one for one in hall.issued if one[:2] == (service["id"], half)]
    own = sum(items for _, _, channel, items in taken if channel == command.channel)
    if own + command.items > quota["channels"].get(command.channel, 10**9):
        return True
    places = 10**9 if quota[half] is None else quota[half]
    kept_back = quota["walk_in_reserve"] if command.channel in REMOTE else 0
    return sum(items for *_, items in taken) + command.items > places - kept_back


def backfill(hall: HallModel, command: c.Backfill) -> None:
    """Paper tickets with claimed times: all of them or none; those with claimed numbers are numbered first."""
    claimed: list[str] = []
    for paper in command.tickets:
        _check_paper(hall, paper, claimed)
        claimed += [paper.number] if paper.number else []
    for paper in [one for one in command.tickets if one.number] + [one for one in command.tickets if not one.number]:
        _enter(hall, paper)
        hall.tell("ticket_backfilled")


def _check_paper(hall: HallModel, paper: c.PaperTicket, claimed: list[str]) -> None:
    refuse(hall.service(paper.service) is None, errors.UnknownService)
    _priority(hall, paper.priority)
    refuse(paper.counter is not None and paper.counter not in hall.counters, errors.UnknownCounter)
    times = (paper.arrived_at_ms, paper.called_at_ms, paper.started_at_ms, paper.finished_at_ms)
    given = [at_ms for at_ms in times if at_ms is not None]
    day_start_ms = days.start_ms(hall.rules, hall.date)
    bad = given != sorted(given) or given[0] < day_start_ms or given[-1] > hall.now_ms
    refuse(bad or (len(given) > 1 and paper.called_at_ms is None), errors.BadValue)
    if paper.number is not None:
        series = hall.rules["emergency_prefix"]
        well_formed = [f"{series}{count:03d}" for count in range(1, 10_000)] if series else []
        refuse(paper.number not in well_formed, errors.BadValue)
        refuse(paper.number in claimed or paper.number in hall.numbers_today(), errors.BadValue)


def _enter(hall: HallModel, paper: c.PaperTicket) -> None:
    service = hall.service(paper.service)
    assert service is not None
    series = hall.rules["emergency_prefix"]
    if paper.number:
        number = paper.number
        hall.numbers[series] = max(hall.numbers.get(series, 0), int(number.removeprefix(series)))
    else:
        number = _next_number(hall, series or service["prefix"])
    priority = _priority(hall, paper.priority)
    leg = Leg(paper.service, priority, paper.arrived_at_ms, paper.arrived_at_ms)
    ticket = Ticket(
        paper.ticket, number, hall.date, paper.service, priority, "paper", "waiting", paper.arrived_at_ms, None, 1,
        None, paper.ref, None, *promise_at(hall, hall.date, paper.arrived_at_ms), "backfilled", legs=(leg,),
    )  # fmt: skip
    if paper.called_at_ms is not None:
        started_ms = paper.called_at_ms if paper.started_at_ms is None else paper.started_at_ms
        finished_ms = started_ms if paper.finished_at_ms is None else paper.finished_at_ms
        ticket = ticket.with_leg(
            called_at_ms=paper.called_at_ms,
            counter=paper.counter,
            waited_ms=days.waited_ms(hall.rules, hall.date, paper.arrived_at_ms, paper.called_at_ms),
            started_at_ms=started_ms,
            start_implied=paper.started_at_ms is None,
        )
        ticket = replace(leg_ends(ticket, "finished", finished_ms), state="finished", closed_at_ms=finished_ms)
    hall.put(ticket)


def record_history(hall: HallModel, command: c.RecordHistory) -> None:
    """Another system's tickets of past days; the line does not hear of them."""
    for one in command.tickets:
        refuse(hall.service(one.service) is None, errors.UnknownService)
        refuse(days.local_date(hall.rules, one.issued_at_ms) >= hall.date, errors.BadValue)
        refuse(one.called_at_ms is not None and one.called_at_ms < one.issued_at_ms, errors.BadValue)
    for one in command.tickets:
        day = days.local_date(hall.rules, one.issued_at_ms)
        end_ms = days.end_ms(hall.rules, day) if one.called_at_ms is None else one.called_at_ms
        state = "expired" if one.called_at_ms is None else "finished"
        leg = Leg(
            one.service, hall.priorities[0], one.issued_at_ms, one.issued_at_ms, called_at_ms=one.called_at_ms,
            waited_ms=end_ms - one.issued_at_ms, ended_at_ms=end_ms, outcome=state,
        )  # fmt: skip
        ticket = Ticket(
            one.ticket, one.number, day, one.service, hall.priorities[0], "history", state, one.issued_at_ms, None, 1,
            None, None, None, *promise_at(hall, day, one.issued_at_ms), closed_at_ms=end_ms, legs=(leg,),
        )  # fmt: skip
        hall.put(ticket)
        hall.tell("ticket_recorded")
