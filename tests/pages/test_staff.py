"""What clerks, reception and the kiosk do beside the plain way: history, pauses, claims, paper, printers that fail."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import NewPage, document
from tests.running import Node, until

NORMAL = {"id": "normal", "name": "普通"}
ELDER = {"id": "elder", "name": "老年", "head_start_s": 300, "condition": {"zh-CN": "年满六十五岁，请出示身份证"}}


@pytest.fixture(scope="module")
def staffed(node: Node) -> Node:
    """A hall of its own in which classes have conditions; counters 1 and 3 are open."""
    hall = document("staffed", priorities=[NORMAL, ELDER], check_in_channels=["phone"])
    httpx.put(f"{node.base_url}/v1/halls/staffed", json=hall).raise_for_status()
    for counter in ("1", "3"):
        post(node, f"halls/staffed/counters/{counter}/open", clerk=f"clerk-{counter}")
    return node


def post(node: Node, path: str, **body: Any) -> Any:
    """A command from outside."""
    answer = httpx.post(f"{node.base_url}/v1/{path}", json=body).raise_for_status()
    return answer.json() if answer.content else None


def tickets(node: Node) -> list[dict[str, Any]]:
    """All of today."""
    found: list[dict[str, Any]] = httpx.get(f"{node.base_url}/v1/halls/staffed/tickets").json()["items"]
    return found


def choose(kiosk: Page, service: str) -> None:
    """Up to the page before a number is taken."""
    kiosk.get_by_role("button", name=re.compile("东厅")).click()
    kiosk.get_by_role("button", name=re.compile(service)).click()


def test_a_printer_that_fails_costs_no_number(new_page: NewPage, staffed: Node) -> None:
    """The number is stored first; the page says that nothing came out, and prints the same number again."""
    kiosk = new_page("/kiosk/staffed")
    kiosk.evaluate("() => { window.print = () => { throw new Error('no paper'); }; }")
    choose(kiosk, "税务")
    expect(kiosk.get_by_text("年满六十五岁，请出示身份证")).to_be_visible()
    expect(kiosk.get_by_text("请携带：身份证")).to_be_visible()
    kiosk.get_by_role("button", name="取号").click()
    expect(kiosk.get_by_role("alert").filter(has_text="未能打印")).to_be_visible()
    before = len(tickets(staffed))
    kiosk.evaluate("() => { window.print = () => { window.printed += 1; }; }")
    kiosk.get_by_role("button", name="重新打印").click()
    expect(kiosk.get_by_role("alert").filter(has_text="未能打印")).to_be_hidden()
    until(lambda: kiosk.evaluate("window.printed") == 1, "the slip is printed")
    assert len(tickets(staffed)) == before


def test_a_claim_is_checked_at_the_desk(new_page: NewPage, staffed: Node) -> None:
    """With the plan's condition before one's eyes: who is not entitled keeps number and arrival without the class."""
    ticket = post(staffed, "halls/staffed/tickets", service="land", priority="elder", channel="kiosk")
    desk = new_page("/desk/staffed")
    line = desk.locator(".found li").filter(has_text=ticket["number"])
    line.get_by_role("button", name="核验").click()
    expect(desk.get_by_role("dialog")).to_contain_text("年满六十五岁")
    desk.get_by_role("dialog").get_by_role("button", name="不符合条件").click()
    expect(line.get_by_role("button", name="核验")).to_have_count(0)
    now = httpx.get(f"{staffed.base_url}/v1/tickets/{ticket['id']}").json()
    assert (now["priority"], now["number"], now["issued_at"]) == ("normal", ticket["number"], ticket["issued_at"])
    post(staffed, f"tickets/{ticket['id']}/cancel")


def test_the_desk_does_what_a_visitor_without_a_phone_needs(new_page: NewPage, staffed: Node) -> None:
    """Check in, a ticket that goes with another, and the same slip printed once more."""
    remote = post(staffed, "halls/staffed/tickets", service="land", channel="phone")
    desk = new_page("/desk/staffed")
    line = desk.locator(".found li").filter(has_text=remote["number"])
    line.get_by_role("button", name="签到").click()
    expect(line.get_by_role("button", name="签到")).to_have_count(0)
    desk.get_by_label("同行号码").fill(remote["number"].lower())
    desk.get_by_label("件数").fill("3")
    desk.get_by_role("button", name="取号").click()
    expect(desk.get_by_role("status").filter(has_text="已取号")).to_be_visible()
    together = [one for one in tickets(staffed) if one["with"]]
    assert [(one["items"], one["with"]) for one in together] == [(3, remote["id"])]
    line.get_by_role("button", name="打印").click()
    assert desk.evaluate("window.printed") == 1
    expect(desk.locator(".slip .number")).to_have_text(remote["number"])
    for one in (remote, *together):
        post(staffed, f"tickets/{one['id']}/cancel")


def test_who_did_not_come_rejoins_at_the_desk(new_page: NewPage, staffed: Node) -> None:
    """Within the grace, with the number they had."""
    ticket = post(staffed, "halls/staffed/tickets", service="tax")
    called = post(staffed, "halls/staffed/counters/1/call-next")
    for verb in ("recall", "no-show"):
        post(staffed, f"tickets/{called['id']}/{verb}")
    desk = new_page("/desk/staffed")
    line = desk.locator(".found li").filter(has_text=called["number"])
    line.get_by_role("button", name="重新排队").click()
    expect(line).to_contain_text("等待")
    for one in {ticket["id"], called["id"]}:
        post(staffed, f"tickets/{one}/cancel")


def test_a_kiosk_that_was_left_begins_anew(new_page: NewPage, staffed: Node) -> None:
    """After three quarters of a minute without a touch the next visitor finds the first question."""
    kiosk = new_page("/kiosk/staffed")
    kiosk.clock.install()
    choose(kiosk, "税务")
    expect(kiosk.get_by_role("button", name="取号")).to_be_visible()
    kiosk.clock.fast_forward(46_000)
    expect(kiosk.get_by_role("heading", name="请选择办事区域")).to_be_visible()


def test_paper_tickets_are_entered_at_the_desk(new_page: NewPage, staffed: Node) -> None:
    """Two of an outage with the hall's own times; they are flagged as such."""
    desk = new_page("/desk/staffed")
    desk.get_by_role("button", name="补录纸质号").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("原因").fill("停电")
    dialog.get_by_role("button", name="再加一张").click()
    for place, number in enumerate(("z001", "z002")):
        dialog.get_by_label("纸质号码").nth(place).fill(number)
        dialog.get_by_label("到达时间").nth(place).fill("00:01")
        dialog.get_by_label("叫号时间").nth(place).fill("00:03")
    dialog.get_by_role("button", name="录入").click()
    expect(desk.get_by_text("已录入：Z001 Z002")).to_be_visible()
    entered = [one for one in tickets(staffed) if one["channel"] == "paper"]
    assert sorted((one["number"], one["apart"], one["waited_s"]) for one in entered) == [
        ("Z001", "backfilled", 120.0),
        ("Z002", "backfilled", 120.0),
    ]


def test_a_clerk_sees_what_became_of_a_visitor_before(new_page: NewPage, staffed: Node) -> None:
    """Transferred with a search, called elsewhere: the second clerk reads where the visitor has been, and with whom."""
    for one in tickets(staffed):
        if one["state"] == "waiting":
            post(staffed, f"tickets/{one['id']}/cancel")
    ticket = post(staffed, "halls/staffed/tickets", service="tax")
    post(staffed, "halls/staffed/counters/1/call-next")
    post(staffed, f"tickets/{ticket['id']}/start")
    post(staffed, f"tickets/{ticket['id']}/transfer", service="land")
    third = new_page("/counter/staffed/3", width=380)
    waiting = third.get_by_role("region", name="等待本窗口")
    expect(waiting.get_by_role("listitem")).to_contain_text(re.compile("承诺至|超时"))
    third.get_by_role("button", name="叫下一位").click()
    expect(third.locator(".history")).to_contain_text("税务 · 1号窗口 · clerk-1")
    expect(third.locator(".history")).to_contain_text("转办")
    third.get_by_role("button", name="已到窗口").click()
    assert third.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    third.get_by_role("button", name="仅办结").click()
    expect(third.locator(".tag").first).to_have_text("空闲")


def test_a_pause_after_this_one_can_be_wished_and_taken_back(new_page: NewPage, staffed: Node) -> None:
    """The wish is shown while the visitor is there; pressed again it is gone, else the pause follows by itself."""
    post(staffed, "halls/staffed/tickets", service="tax")
    counter = new_page("/counter/staffed/1")
    counter.get_by_role("button", name="叫下一位").click()
    counter.get_by_role("button", name="已到窗口").click()
    pause = counter.get_by_role("button", name="暂停", exact=False).filter(has_text="B")
    pause.click()
    counter.get_by_role("dialog").get_by_role("button", name="break").click()
    expect(counter.get_by_text("办完后暂停：break")).to_be_visible()
    pause.click()
    expect(counter.get_by_text("办完后暂停：break")).to_have_count(0)
    pause.click()
    counter.get_by_role("dialog").get_by_role("button", name="break").click()
    expect(counter.get_by_text("办完后暂停：break")).to_be_visible()
    counter.get_by_role("button", name="仅办结").click()
    expect(counter.locator(".tag").first).to_have_text("暂停")


def test_a_visitor_is_set_aside_comes_back_and_is_handed_over(new_page: NewPage, staffed: Node) -> None:
    """With a reason of the plan's, by key; straight back to this counter; then to a colleague, its clock running."""
    post(staffed, "halls/staffed/counters/2/open", clerk="clerk-2")
    ticket = post(staffed, "halls/staffed/tickets", service="tax")
    counter = new_page("/counter/staffed/2")
    state = counter.locator(".tag").first
    counter.get_by_role("button", name="叫下一位").click()
    counter.get_by_role("button", name="已到窗口").click()
    expect(state).to_have_text("办理中")
    counter.keyboard.press("p")
    counter.get_by_role("dialog").get_by_role("button", name="materials").click()
    expect(state).to_have_text("空闲")
    counter.get_by_role("button", name="到本窗口").click()
    expect(state).to_have_text("办理中")
    expect(counter.locator(".history")).to_contain_text("暂离")
    counter.keyboard.press("o")
    counter.get_by_role("dialog").get_by_role("button", name="3号窗口").click()
    expect(state).to_have_text("空闲")
    moved = httpx.get(f"{staffed.base_url}/v1/tickets/{ticket['id']}").json()
    assert (moved["state"], moved["counter"]) == ("serving", "3")
    post(staffed, f"tickets/{ticket['id']}/finish")


def test_a_refused_entry_of_paper_tickets_stays_to_be_put_right(new_page: NewPage, staffed: Node) -> None:
    """What was typed is kept, and what is wrong is told in the reader's language, beside the field that has it."""
    desk = new_page("/desk/staffed")
    desk.get_by_role("button", name="补录纸质号").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("原因").fill("停电")
    dialog.get_by_label("纸质号码").fill("Z101")
    dialog.get_by_label("到达时间").fill("00:03")
    dialog.get_by_label("叫号时间").fill("00:01")
    dialog.get_by_role("button", name="录入").click()
    expect(dialog.get_by_role("alert")).to_have_text("时间先后不对：叫号时间不能早于到达时间")
    expect(dialog.get_by_label("叫号时间")).to_be_focused()
    expect(dialog.get_by_label("原因")).to_have_value("停电")
    dialog.get_by_label("叫号时间").fill("00:04")
    dialog.get_by_label("纸质号码").fill("A001")
    dialog.get_by_role("button", name="录入").click()
    expect(dialog.get_by_role("alert")).to_have_text("只能录入应急号段的号码")
    dialog.get_by_label("纸质号码").fill("Z101")
    dialog.get_by_role("button", name="录入").click()
    expect(desk.get_by_text("已录入：Z101")).to_be_visible()
    expect(dialog).to_have_count(0)
