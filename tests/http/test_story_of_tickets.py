"""The whole life of a ticket over HTTP: what visitors and clerks see, answer by answer."""

from tests.databases import on_both
from tests.http.desk import Desks

pytestmark = on_both("desks")


async def test_a_visit(desks: Desks) -> None:
    """Take a number, wait five minutes, be called, recalled, served: each answer is the ticket as it stands."""
    desk = await desks.new()
    given = await desk.ask("POST", "tickets", 201, json={"service": "tax", "ref": "case 7", "language": "en"})
    ticket = given.json()
    assert given.headers["location"] == f"/v1/tickets/{ticket['id']}"
    assert (ticket["number"], ticket["state"], ticket["ahead"], ticket["ref"]) == ("A001", "waiting", 0, "case 7")
    assert (ticket["period"], ticket["promise_s"]) == ("off_peak", 120.0)
    assert "p50_s" not in ticket["estimate"]  # nobody was ever served here
    second = await desk.issue()
    assert (second["number"], second["ahead"]) == ("A002", 1)
    desk.later(300.25)
    called = await desk.counter("1", "call-next")
    assert (called["id"], called["state"], called["counter"]) == (ticket["id"], "called", "1")
    assert (called["waited_s"], called["called_at"]) == (300.25, desk.utc("00:05:00.250"))
    assert (await desk.ticket(ticket["id"], "recall"))["recalls"] == 1
    desk.later(20)
    assert (await desk.ticket(ticket["id"], "start"))["started_at"] == desk.utc("00:05:20.250")
    desk.later(60)
    done = await desk.ticket(ticket["id"], "finish")
    assert (done["state"], done["counter"], done["closed_at"]) == ("finished", None, desk.utc("00:06:20.250"))
    assert await desk.get(f"/v1/tickets/{ticket['id']}") == done
    assert (await desk.get(f"/v1/tickets/{second['id']}"))["ahead"] == 0


async def test_the_one_button(desks: Desks) -> None:
    """call-next refuses while a ticket is held, finishes it when asked to, and says 204 when nobody is left."""
    desk = await desks.new()
    first, second = [(await desk.issue())["id"] for _ in range(2)]
    await desk.counter("1", "call-next")
    held = await desk.refused("counters/1/call-next", "counter-holds-ticket")
    assert (held["ticket"], held["number"], held["state"]) == (first, "A001", "called")
    following = await desk.ask("POST", "counters/1/call-next", json={"finish_current": True})
    assert (following.json()["id"], following.headers["queue-finished"]) == (second, first)
    await desk.ticket(second, "start")
    last = await desk.ask("POST", "counters/1/call-next", 204, json={"finish_current": True})
    assert (last.content, last.headers["queue-finished"]) == (b"", second)
    empty = await desk.ask("POST", "counters/1/call-next", 204, json={"finish_current": True})
    assert "queue-finished" not in empty.headers
    assert [start["implied"] for start in await desk.events("ticket_started")] == [True, False]


async def test_a_no_show_who_comes_back(desks: Desks) -> None:
    """Passed over only after the plan's recalls and seconds; back once within the grace, two waited minutes ahead."""
    desk = await desks.new(no_show={"recalls": 1, "after_s": 60, "rejoins": 1, "rejoin_grace_s": 600})
    first = (await desk.issue())["id"]
    desk.later(120)
    await desk.counter("1", "call-next")
    early = await desk.refused_ticket(first, "no-show", "too-early")
    assert (early["recalls_missing"], early["wait_s"]) == (1, 60.0)
    await desk.ticket(first, "recall")
    desk.later(60)
    assert (await desk.ticket(first, "no-show"))["state"] == "no_show"
    assert (await desk.get("counters/1"))["state"] == "idle"
    desk.later(500)
    second = (await desk.issue())["id"]
    desk.later(100)
    back = await desk.ticket(first, "rejoin")
    assert (back["state"], back["leg"], back["number"], back["ahead"]) == ("waiting", 2, "A001", 0)
    assert (await desk.counter("1", "call-next"))["id"] == first
    await desk.ticket(first, "recall")
    desk.later(60)
    await desk.ticket(first, "no-show")
    assert (await desk.refused_ticket(first, "rejoin", "bound-reached"))["allowed"] == 1
    assert (await desk.counter("1", "call-next"))["id"] == second


async def test_a_display_tells_when_a_call_was_announced(desks: Desks) -> None:
    """The clock of a no-show runs from then; the supervisor sees with what it spoke and how late it was."""
    desk = await desks.new(no_show={"recalls": 0, "after_s": 60})
    ticket = await desk.issue()
    await desk.counter("1", "call-next")
    desk.later(30)
    said = {"number": ticket["number"], "display": "lobby", "voice": "none", "lag_s": 29.5}
    assert (await desk.counter("1", "announced", **said))["announced_at"] == desk.utc("00:00:30.000")
    desk.later(40)
    assert (await desk.refused_ticket(ticket["id"], "no-show", "too-early"))["wait_s"] == 20.0
    [display] = (await desk.get("promise"))["displays"]
    assert display == {
        "display": "lobby", "voice": "none", "at": desk.utc("00:00:30.000"), "lag_s": 29.5, "worst_lag_s": 29.5,
    }  # fmt: skip
    desk.later(20)
    await desk.ticket(ticket["id"], "no-show")


async def test_the_legs_of_a_ticket(desks: Desks) -> None:
    """Every wait and service of a visit, open or over: where, with whom, how long, how it ended."""
    desk = await desks.new()
    ticket = (await desk.issue())["id"]
    desk.later(60)
    await desk.counter("1", "call-next")
    await desk.ticket(ticket, "start")
    await desk.ticket(ticket, "transfer", service="land")
    first, second = (await desk.get(f"/v1/tickets/{ticket}/legs"))["items"]
    assert (first["service"], first["counter"], first["waited_s"], first["outcome"]) == (
        "tax",
        "1",
        60.0,
        "transferred",
    )
    assert (second["leg"], second["service"], second["outcome"]) == (2, "land", None)
    await desk.ticket(ticket, "cancel")
    over = (await desk.get(f"/v1/tickets/{ticket}/legs"))["items"]
    assert [one["outcome"] for one in over] == ["transferred", "cancelled"]


async def test_a_visitor_by_phone(desks: Desks) -> None:
    """The menu says what can be had and how many wait; the ticket is one of the phone's."""
    desk = await desks.new(check_in_channels=["phone"])
    assert [one["waiting"] for one in (await desk.get("menu"))["services"]] == [0, 0]
    ticket = await desk.post("phone-tickets", 201, service="land")
    assert (ticket["state"], ticket["channel"]) == ("expected", "phone")
    await desk.ticket(ticket["id"], "check-in")
    menu = await desk.get(f"/v1/tickets/{ticket['id']}/menu")
    assert [one["waiting"] for one in menu["services"]] == [0, 1]


async def test_the_grace_of_a_no_show_ends(desks: Desks) -> None:
    """Whoever comes after the grace is refused, and told how long it was."""
    desk = await desks.new()
    ticket = (await desk.issue())["id"]
    await desk.counter("1", "call-next")
    await desk.ticket(ticket, "recall")
    await desk.ticket(ticket, "no-show")
    desk.later(600.001)
    assert (await desk.refused_ticket(ticket, "rejoin", "bound-reached"))["allowed_s"] == 600.0


async def test_parking_and_coming_back(desks: Desks) -> None:
    """A parked visitor returns straight to the counter that parked, or into the line with the place of before."""
    desk = await desks.new()
    ticket = (await desk.serving())["id"]
    unknown = await desk.refused_ticket(ticket, "park", "unknown-reason", 422, reason="lunch")
    assert unknown["allowed"] == ["materials"]
    parked = await desk.ticket(ticket, "park", reason="materials")
    assert (parked["state"], parked["counter"], parked["ahead"]) == ("parked", None, None)
    desk.later(900)
    elsewhere = await desk.refused_ticket(ticket, "return", "bad-value", 422, counter="2")
    assert elsewhere["counter"] == "1"
    assert (await desk.ticket(ticket, "return", counter="1"))["state"] == "serving"
    await desk.ticket(ticket, "park", reason="materials")
    desk.later(900)
    other = await desk.issue()
    back = await desk.ticket(ticket, "return")
    assert (back["state"], back["ahead"], back["waited_s"]) == ("waiting", 0, 0.0)
    assert (await desk.get(f"/v1/tickets/{other['id']}"))["ahead"] == 1


async def test_transfer_keeps_number_arrival_and_place(desks: Desks) -> None:
    """Transferred to another service the visitor stands where the arrival says, before those who came later."""
    desk = await desks.new()
    ticket = await desk.issue()
    desk.later(120)
    later = await desk.issue("land")
    await desk.counter("1", "call-next")
    moved = await desk.ticket(ticket["id"], "transfer", service="land")
    assert (moved["number"], moved["issued_at"], moved["leg"]) == ("A001", ticket["issued_at"], 2)
    assert (moved["state"], moved["service"], moved["ahead"], moved["waited_s"]) == ("waiting", "land", 0, 120.0)
    assert (await desk.get(f"/v1/tickets/{later['id']}"))["ahead"] == 1


async def test_a_transfer_can_be_kept_for_a_counter_for_a_while(desks: Desks) -> None:
    """Reserved for counter 2 for five minutes, then anybody's."""
    desk = await desks.new()
    ticket = (await desk.serving())["id"]
    await desk.ticket(ticket, "transfer", service="land", for_counter="2", reserve_s=300)
    await desk.counter("1", "call-next", 204)
    desk.later(299)
    await desk.counter("1", "call-next", 204)
    desk.later(1)
    assert (await desk.counter("1", "call-next"))["id"] == ticket


async def test_change_hand_over_and_requeue(desks: Desks) -> None:
    """A wrong class is put right, a colleague takes over with the service clock running, a held ticket goes back."""
    desk = await desks.new()
    ticket = (await desk.issue())["id"]
    changed = await desk.ticket(ticket, "change", priority="elder", service="land", reason="is 80 years old")
    assert (changed["priority"], changed["service"], changed["number"]) == ("elder", "land", "A001")
    await desk.counter("1", "call-next")
    started = await desk.ticket(ticket, "start")
    desk.later(30)
    handed = await desk.ticket(ticket, "hand-over", to_counter="2")
    assert (handed["counter"], handed["started_at"]) == ("2", started["started_at"])
    back = await desk.ticket(ticket, "requeue", reason="the clerk is needed elsewhere")
    assert (back["state"], back["counter"], back["leg"]) == ("waiting", None, 2)
    assert (await desk.get("counters/2"))["ticket"] is None


async def test_a_ticket_taken_on_the_web(desks: Desks) -> None:
    """It waits from check-in on, may be postponed once within the plan's bound, and cancelled by whoever holds it."""
    desk = await desks.new()
    ticket = await desk.issue(channel="web")
    assert (ticket["state"], ticket["waiting_since"], ticket["period"]) == ("expected", None, None)
    await desk.counter("1", "call-next", 204)
    desk.later(3600)
    here = await desk.ticket(ticket["id"], "check-in")
    assert (here["state"], here["waiting_since"], here["waited_s"]) == ("waiting", desk.utc("01:00:00.000"), 0.0)
    assert here["period"] == "peak"
    too_long = await desk.refused_ticket(ticket["id"], "postpone", "bad-value", 422, by_s=1801)
    assert too_long["max_s"] == 1800
    assert (await desk.ticket(ticket["id"], "postpone", by_s=300))["state"] == "waiting"
    await desk.counter("1", "call-next", 204)
    await desk.refused_ticket(ticket["id"], "postpone", "bound-reached", by_s=60)
    gone = await desk.ticket(ticket["id"], "cancel")
    assert (gone["state"], gone["closed_at"]) == ("cancelled", desk.utc("01:00:00.000"))
    wrong = await desk.refused_ticket(ticket["id"], "check-in", "wrong-state")
    assert (wrong["state"], wrong["allowed"]) == ("cancelled", [])


async def test_visitors_who_belong_together(desks: Desks) -> None:
    """While one of a group is served the others are passed over, and keep their place."""
    desk = await desks.new()
    first = await desk.issue()
    companion = await desk.issue("land", with_=first["id"], items=2)
    assert (companion["with"], companion["items"]) == (first["id"], 2)
    stranger = await desk.issue("land")
    assert (await desk.counter("1", "call-next"))["id"] == first["id"]
    assert (await desk.counter("2", "call-next"))["id"] == stranger["id"]
    await desk.ticket(first["id"], "cancel")
    assert (await desk.counter("1", "call-next"))["id"] == companion["id"]
    assert (await desk.refused("tickets", "wrong-state", service="tax", with_=first["id"]))["state"] == "cancelled"
    unknown = f"{first['id'][:-4]}0000"
    assert (await desk.refused("tickets", "unknown-ticket", 404, service="tax", with_=unknown))["ticket"] == unknown


async def test_a_priority_class_has_a_shorter_target_of_order(desks: Desks) -> None:
    """The elder, with half the order target, is called before somebody who came a minute earlier."""
    desk = await desks.new()
    await desk.issue()
    desk.later(60)
    elder = await desk.issue(priority="elder")
    desk.later(120)
    assert (await desk.counter("1", "call-next"))["id"] == elder["id"]
    assert (await desk.refused("tickets", "unknown-priority", 422, service="tax", priority="vip"))["allowed"] == [
        "normal",
        "elder",
    ]
