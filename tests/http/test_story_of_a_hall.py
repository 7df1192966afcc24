"""The life of a hall over HTTP: its plan, its counters, its troubles, and what is read of it afterwards."""

from tests.databases import on_both
from tests.http.desk import Desk, Desks
from tests.http.shapes import check_problem
from tests.running import eventually

pytestmark = on_both("desks")


async def test_a_plan_is_looked_at_before_it_is_put(desks: Desks) -> None:
    """The check tells what would change, and refuses as the real thing does; nothing is stored."""
    desk = await desks.new()
    document = await desk.get("")
    path = "plan-check"
    changed = {**document, "max_overtake_s": 60, "counters": document["counters"][::-1]}
    found = (await desk.ask("POST", path, json=changed, headers={"If-Match": '"1"'})).json()
    assert (found["version"], found["document"]) == (1, changed)
    before, after = ([one["id"] for one in plan["counters"]] for plan in (document, changed))
    assert found["changes"] == [
        {"place": "/counters", "before": before, "after": after},
        {"place": "/max_overtake_s", "before": 3600, "after": 60},
    ]
    check_problem(await desk.ask("POST", path, 412, json=changed, headers={"If-Match": '"7"'}), "stale-version")
    faulty = {**document, "emergency_prefix": "A"}
    [fault] = check_problem(await desk.ask("POST", path, 422, json=faulty), "plan-faulty")["faults"]
    assert (fault["place"], fault["code"]) == ("/emergency_prefix", "taken")
    assert await desk.get("") == document
    assert len(await desk.events("plan_changed")) == 1


async def test_a_plan_and_its_versions(desks: Desks) -> None:
    """201 for a new hall, ETag for each version; a change that was not seen is 412, the same again changes nothing."""
    desk = await desks.new()
    read = await desk.ask("GET", "")
    assert read.headers["etag"] == '"1"'
    document = read.json()
    changed = await desk.ask("PUT", "", json={**document, "name": "二"}, headers={"If-Match": '"1"'})
    assert (changed.headers["etag"], changed.json()["name"]) == ('"2"', "二")
    stale = await desk.ask("PUT", "", 412, json={**document, "name": "三"}, headers={"If-Match": '"1"'})
    assert check_problem(stale, "stale-version")["version"] == 2
    taken = await desk.ask("PUT", "", 412, json=document, headers={"If-None-Match": "*"})
    check_problem(taken, "stale-version")
    same = await desk.ask("PUT", "", json=changed.json())
    assert same.headers["etag"] == '"2"'
    assert await desk.get("") == changed.json()
    assert len(await desk.events("plan_changed")) == 2
    [listed] = [hall for hall in (await desk.get("/v1/halls"))["items"] if hall["id"] == desk.hall]
    assert (listed["name"], listed["day"]) == ("二", desk.date)


async def test_what_is_in_use_cannot_be_planned_away(desks: Desks) -> None:
    """A plan without an open counter or without a service somebody waits for is refused, naming both."""
    desk = await desks.new()
    await desk.issue("land")
    document = await desk.get("")
    less = {**document, "counters": document["counters"][1:], "services": document["services"][:1]}
    refused = check_problem(await desk.ask("PUT", "", 409, json=less), "plan-in-use")
    assert refused["in_use"] == ["counter 1 is open", "B001 is waiting for land"]


async def test_clerks_sign_on_pause_and_go(desks: Desks) -> None:
    """One clerk a counter, one counter a clerk; a pause now, or after this one; relief in one step; a ring for help."""
    desk = await desks.new()
    assert (await desk.refused("counters/1/open", "wrong-counter-state", clerk="wang"))["state"] == "idle"
    elsewhere = await desk.refused("counters/3/open", "clerk-elsewhere", clerk="clerk-1")
    assert elsewhere["counter"] == "1"
    opened = await desk.counter("3", "open", clerk="wang", services=["land"])
    assert (opened["state"], opened["clerk"], opened["services"]) == ("idle", "wang", ["land"])
    paused = await desk.counter("3", "pause", reason="break")
    assert (paused["state"], paused["pause_reason"]) == ("paused", "break")
    assert (await desk.refused("counters/3/call-next", "wrong-counter-state"))["state"] == "paused"
    assert (await desk.counter("3", "resume"))["state"] == "idle"
    await desk.serving("1")
    await desk.refused("counters/1/pause", "counter-holds-ticket", reason="break")
    wish = await desk.counter("1", "pause", reason="break", after_current=True)
    assert (wish["state"], wish["pause_after"]) == ("serving", "break")
    relieved = await desk.counter("1", "relieve", clerk="zhao")
    assert (relieved["clerk"], relieved["state"], relieved["number"]) == ("zhao", "serving", "A001")
    assert (await desk.counter("1", "help"))["clerk"] == "zhao"
    await desk.counter("1", "call-next", 204, finish_current=True)
    assert (await desk.get("counters/1"))["pause_reason"] == "break"
    assert (await desk.counter("3", "close"))["state"] == "closed"


async def test_a_counter_with_a_ticket_is_closed_only_by_force(desks: Desks) -> None:
    """To close it is 409 with the ticket; a supervisor's reason closes it, and the visitor is back in line."""
    desk = await desks.new()
    ticket = await desk.serving()
    held = await desk.refused("counters/1/close", "counter-holds-ticket")
    assert (held["ticket"], held["state"]) == (ticket["id"], "serving")
    closed = await desk.counter("1", "close", force="the clerk fell ill")
    assert (closed["state"], closed["clerk"], closed["ticket"]) == ("closed", None, None)
    assert (await desk.get(f"/v1/tickets/{ticket['id']}"))["state"] == "waiting"
    assert (await desk.events("counter_closed"))[0]["forced"] == "the clerk fell ill"


async def test_undo(desks: Desks) -> None:
    """A call pressed by mistake is taken back within 15 seconds, once; after that it stands."""
    desk = await desks.new()
    ticket = (await desk.issue())["id"]
    await desk.counter("1", "call-next")
    desk.later(15)
    assert (await desk.counter("1", "undo"))["ticket"] is None
    back = await desk.get(f"/v1/tickets/{ticket}")
    assert (back["state"], back["called_at"], back["waited_s"]) == ("waiting", None, 15.0)
    await desk.refused("counters/1/undo", "nothing-to-undo")
    await desk.counter("1", "call-next")
    desk.later(15.001)
    assert (await desk.refused("counters/1/undo", "nothing-to-undo"))["undo_s"] == 15
    assert [event["kind"] for event in await desk.events()][-3:] == ["ticket_called", "command_undone", "ticket_called"]


async def test_a_chosen_call_needs_a_reason_and_is_counted(desks: Desks) -> None:
    """By number or id, with a reason, capped a day; the report names it and how many it overtook."""
    desk = await desks.new(chosen_calls_per_day=1)
    for _ in range(3):
        await desk.issue()
    await desk.refused("counters/1/call", "invalid-request", 422, number="A003")
    called = await desk.counter("1", "call", number="A003", reason="a crying child")
    assert (called["number"], called["state"]) == ("A003", "called")
    capped = await desk.refused("counters/2/call", "bound-reached", number="A002", reason="in a hurry")
    assert capped["allowed"] == 1
    [chosen] = (await desk.get("promise-report"))["chosen_calls"]
    assert (chosen["number"], chosen["reason"], chosen["overtaken"]) == ("A003", "a crying child", 2)


async def test_suspend_and_resume(desks: Desks) -> None:
    """While suspended nobody is called and boards say why; tickets are given on unless visitors are turned away."""
    desk = await desks.new()
    await desk.issue()
    stopped = await desk.post("suspend", reason="the office system is down", service="tax")
    assert stopped["suspended"][0]["reason"] == "the office system is down"
    await desk.counter("1", "call-next", 204)
    assert (await desk.issue())["apart"] == "suspended"
    await desk.post("suspend", reason="fire alarm", turn_away=True)
    assert (await desk.refused("counters/1/call-next", "suspended"))["reason"] == "fire alarm"
    assert (await desk.refused("tickets", "turned-away", service="land"))["reason"] == "suspended"
    shown = (await desk.get("board"))["board"]["suspended"]
    assert [(one.get("service"), one["turn_away"]) for one in shown] == [("tax", False), (None, True)]
    await desk.refused("suspend", "suspended", reason="again")
    await desk.post("resume")
    assert (await desk.post("resume", service="tax"))["suspended"] == []
    assert (await desk.counter("1", "call-next"))["number"] == "A001"
    await desk.refused("resume", "wrong-state")


async def test_quotas_and_hours_turn_visitors_away(desks: Desks) -> None:
    """409 turned-away says why: the half-day is full, the dispenser is closed, the service is not offered now."""
    quota = {"am": 2, "pm": 5, "walk_in_reserve": 1}
    noon = [{"start": "12:00", "end": "13:00"}]
    desk = await desks.new(
        services=[
            {"id": "tax", "name": "-", "prefix": "A", "quota": quota},
            {"id": "land", "name": "-", "prefix": "B", "hours": noon},
        ]
    )
    await desk.issue(channel="kiosk")
    assert (await desk.refused("tickets", "turned-away", service="tax", channel="phone"))["reason"] == "quota"
    assert (await desk.refused("tickets", "turned-away", service="tax", items=2))["reason"] == "quota"
    await desk.issue(channel="kiosk")
    assert (await desk.refused("tickets", "turned-away", service="land"))["reason"] == "not_now"
    closed = await desks.new(calendar={"dispenser": noon})
    assert (await closed.refused("tickets", "turned-away", service="tax"))["reason"] == "closed"
    counts = {
        (one["service"], one["reason"]): one["count"] for one in (await desk.get("promise-report"))["turned_away"]
    }
    assert counts == {("tax", "quota"): 2, ("land", "not_now"): 1}


async def test_paper_tickets_of_an_outage(desks: Desks) -> None:
    """Entered afterwards with their times and their printed numbers, counted apart; who still waits, waits on."""
    desk = await desks.new()
    desk.later(1800)
    served = {
        "service": "tax",
        "number": "Z007",
        "counter": "1",
        "arrived_at": f"{desk.date}T08:05:00+08:00",
        "called_at": desk.utc("00:15:00"),
        "started_at": desk.utc("00:15:30"),
        "finished_at": desk.utc("00:20:00"),
    }
    waiting = {"service": "land", "arrived_at": desk.utc("00:10:00")}
    first, second = (await desk.post("backfill", 201, reason="power cut", tickets=[served, waiting]))["items"]
    assert (first["number"], first["state"], first["waited_s"], first["apart"]) == (
        "Z007",
        "finished",
        600.0,
        "backfilled",
    )
    assert (second["number"], second["state"], second["waited_s"]) == ("Z008", "waiting", 1200.0)
    assert first["channel"] == second["channel"] == "paper"
    assert (await desk.get("staffing"))["because"] is not None
    report = await desk.get("promise-report")
    assert report["apart"]["backfilled"] == 2
    twice = await desk.refused("backfill", "bad-value", 422, reason="power cut", tickets=[served])
    assert twice["place"] == "/tickets/0/number"


async def test_what_is_read_afterwards(desks: Desks) -> None:
    """Lists by state, service, number and ref; the log with its hashes; the report; the wait records with their BOM."""
    desk = await desks.new()
    first = await desk.issue(ref="case 1")
    await desk.issue("land", ref="case 2")
    desk.later(90)
    await desk.counter("1", "call-next")
    for wanted, numbers in (
        ({"state": "called"}, ["A001"]),
        ({"service": "land"}, ["B001"]),
        ({"number": "A001"}, ["A001"]),
        ({"ref": "case 2"}, ["B001"]),
        ({"day": "2026-01-01"}, []),
    ):
        assert [one["number"] for one in (await desk.get("tickets", **wanted))["items"]] == numbers
    page = await desk.get("tickets", limit="1")
    rest = await desk.get("tickets", after=page["next"])
    assert {one["number"] for one in page["items"] + rest["items"]} == {"A001", "B001"}
    events = await desk.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    board = await desk.get("board")
    assert (board["seq"], board["head"]) == (events[-1]["seq"], events[-1]["head"])
    total = (await desk.get("promise-report", day=desk.date))["rows"][0]
    assert (total["kept"], total["open"], total["mean_s"]) == (1, 1, 90.0)
    chart = await desk.ask("GET", "charts/wait.svg", params={"day": desk.date})
    assert chart.headers["content-type"].startswith("image/svg+xml")
    legs = await desk.ask("GET", "legs.csv", params={"day": desk.date})
    assert legs.content.startswith(b"\xef\xbb\xbfnumber,leg,service,")
    assert f'legs-{desk.hall}-{desk.date}.csv"' in legs.headers["content-disposition"]
    assert "A001,1,tax," in legs.text
    assert first["id"] not in legs.text
    metrics = await desk.ask("GET", "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")


async def test_the_next_morning(desks: Desks) -> None:
    """After midnight: yesterday's rest expired, numbers from A001 again, yesterday's report judged at its end."""
    desk = await desks.new()
    left = await desk.issue()
    desk.later(24 * 3600)
    assert (await desk.get(f"/v1/tickets/{left['id']}"))["state"] == "expired"
    today = await desk.issue()
    assert (today["number"], today["day"] > desk.date) == ("A001", True)
    yesterday = await desk.get("promise-report", day=desk.date)
    assert yesterday["judged_at"] == desk.utc("16:00:00.000")
    assert (yesterday["rows"][0]["missed"], yesterday["rows"][0]["max_s"]) == (1, 16 * 3600.0)
    both = await desk.get("promise-report", **{"from": desk.date, "to": today["day"]})
    assert [row["day"] for row in both["rows"] if row["scope"] == "day"] == [desk.date, today["day"]]


async def _is_ready(desk: Desk) -> bool:
    return (await desk.client.get("/readyz")).status_code == 200


async def test_the_node_itself(desks: Desks) -> None:
    """Health, readiness, the confirmed clock and the two descriptions of the outside contract."""
    desk = await desks.new()
    assert await desk.get("/healthz") == {"status": "ok", "reasons": []}
    await eventually(lambda: _is_ready(desk), "the node is ready")
    assert await desk.get("/readyz") == {"status": "ready", "reasons": []}
    assert await desk.get("/v1/following") == {"items": []}
    assert await desk.post("/v1/node/confirm-clock") == {"status": "ready", "reasons": []}
    assert (await desk.get("/asyncapi.json"))["asyncapi"].startswith("3.")
