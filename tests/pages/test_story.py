"""A day in the hall by browser alone: kiosk, phone, counter, display, desk and supervisor see the same thing."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.conftest import NewPage, document
from tests.running import Node, start_node, until

pytestmark = pytest.mark.long

STALE = "显示内容可能已过时"
BUSY_VOICE = """() => { const free = new Promise((resolve) => { window.release = resolve; });
window.queueVoice.say = (part) => { window.heard.push(part.text ?? "chime"); return free; }; }"""
"""A voice that goes on speaking until it is released."""
FOLLOWING = [
    "/display/hall",
    "/counter/hall/1",
    "/t/{ticket}",
    "/kiosk/hall",
    "/board/hall",
    "/desk/hall",
    "/plan/hall",
]


def take_at_kiosk(kiosk: Page, zone: str, service: str) -> str:
    """Choose and take; the number on the slip."""
    kiosk.get_by_role("button", name=zone).click()
    kiosk.get_by_role("button", name=service).click()
    kiosk.get_by_role("button", name="取号").click()
    number = kiosk.locator(".slip .number").inner_text()
    kiosk.get_by_role("button", name="完成").click()
    return number


def sign_on(counter: Page, clerk: str) -> None:
    """Open the counter."""
    counter.get_by_label("姓名或工号").fill(clerk)
    counter.get_by_role("button", name="开始工作").click()
    expect(counter.locator(".tag").first).to_have_text("空闲")


def press_space(counter: Page) -> None:
    """Do what comes next, once it is ready for it."""
    expect(counter.locator("button.big")).to_be_enabled()
    counter.keyboard.press("Space")


def test_a_whole_visit(new_page: NewPage, node: Node) -> None:
    """A ticket at the kiosk, its place on the phone, the call shown and spoken in the lobby, transferred, finished."""
    display, kiosk, first, third = (
        new_page(path) for path in ("/display/hall", "/kiosk/hall", "/counter/hall/1", "/counter/hall/3")
    )
    sign_on(first, "li")
    sign_on(third, "wang")
    number = take_at_kiosk(kiosk, "东厅", "税务")
    assert kiosk.evaluate("window.printed") == 1
    ticket = httpx.get(f"{node.base_url}/v1/halls/hall/tickets", params={"number": number}).json()["items"][0]["id"]
    phone = new_page(f"/t/{ticket}", width=390)
    expect(phone.locator(".ticket .number")).to_have_text(number)
    expect(phone.get_by_role("status")).to_have_text("快到您了，请到大厅等候")
    first.get_by_role("button", name="叫下一位").click()
    expect(display.locator(".now .ticket")).to_have_text(number)
    expect(display.locator(".now .counter")).to_have_text("1号窗口")
    expect(phone.get_by_role("status")).to_have_text("请到 1号窗口")
    until(lambda: display.evaluate("window.heard.length") >= 3, "the call is spoken")
    assert display.evaluate("window.heard.slice(0, 2)") == ["chime", "请A零零一号到一号窗口"]
    first.get_by_role("button", name="已到窗口").click()
    expect(phone.get_by_role("status")).to_have_text("正在 1号窗口 办理")
    first.get_by_role("button", name="转办").click()
    first.get_by_role("dialog").get_by_role("button", name="不动产").click()
    third.get_by_role("button", name="叫下一位").click()
    expect(display.locator(".now .counter")).to_have_text("3号窗口")
    third.get_by_role("button", name="已到窗口").click()
    third.get_by_role("button", name="仅办结").click()
    expect(phone.get_by_role("status")).to_have_text("已办结，感谢您的到来")


def test_without_a_phone_by_the_desk(new_page: NewPage) -> None:
    """The desk takes a number for somebody, puts the class right, and the supervisor sees the line grow."""
    desk, board = new_page("/desk/hall"), new_page("/board/hall")
    row = board.get_by_role("row", name=re.compile("不动产"))
    expect(row.get_by_role("cell").first).to_have_text("0")
    desk.get_by_label("事项").select_option("land")
    desk.get_by_role("button", name="取号").click()
    expect(row.get_by_role("cell").first).to_have_text("1")
    line = desk.locator(".found li").first
    expect(line).to_contain_text("B")
    line.get_by_role("button", name="更正").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("优先类别").select_option("elder")
    dialog.get_by_label("原因").fill("证件已核验")
    dialog.get_by_role("button", name="更正").click()
    expect(dialog).to_have_count(0)
    line.get_by_role("button", name="取消号票").click()
    expect(row.get_by_role("cell").first).to_have_text("0")


def test_what_is_pressed_while_something_else_is_under_way_is_done(new_page: NewPage, node: Node) -> None:
    """At the desk, answers being slow: one is taken off, then another, and a second press of either changes nothing."""
    for service in ("land", "tax"):
        httpx.post(f"{node.base_url}/v1/halls/hall/tickets", json={"service": service}).raise_for_status()
    desk = new_page("/desk/hall")
    asked: list[Route] = []
    desk.route("**/v1/tickets/*/cancel", lambda route: asked.append(route))  # noqa: PLW0108 (it is looked into)
    lines = desk.locator(".found li")
    expect(lines).to_have_count(2)
    for place in (0, 1, 0, 1):
        lines.nth(place).get_by_role("button", name="取消号票").click()
    for number in (1, 2):
        until(lambda number=number: desk.evaluate("1") and len(asked) == number, "it is asked")  # type: ignore[misc]
        asked[-1].continue_()
        expect(desk.locator(".found .number")).to_have_count(2 - number)
    expect(lines).to_have_text("没有找到")
    assert len(asked) == 2


def test_a_call_can_be_taken_back(new_page: NewPage, node: Node) -> None:
    """Undo puts the visitor back in line, and keys do what buttons do."""
    counter = new_page("/counter/hall/2")
    sign_on(counter, "zhao")
    httpx.post(f"{node.base_url}/v1/halls/hall/tickets", json={"service": "land"}).raise_for_status()
    press_space(counter)
    expect(counter.locator(".tag").first).to_have_text("已叫号")
    counter.keyboard.press("u")
    expect(counter.locator(".tag").first).to_have_text("空闲")
    press_space(counter)
    expect(counter.locator(".tag").first).to_have_text("已叫号")
    press_space(counter)
    expect(counter.locator(".tag").first).to_have_text("办理中")
    counter.get_by_role("button", name="办结并叫下一位").click()
    expect(counter.locator(".tag").first).to_have_text("空闲")


def test_a_double_tap_is_one_ticket(new_page: NewPage, node: Node) -> None:
    """Two presses before the answer are one wish."""
    kiosk = new_page("/kiosk/hall")
    before = len(httpx.get(f"{node.base_url}/v1/halls/hall/tickets").json()["items"])
    kiosk.get_by_role("button", name="西厅").click()
    kiosk.get_by_role("button", name="不动产").click()
    kiosk.get_by_role("button", name="取号").evaluate("(button) => { button.click(); button.click(); button.click(); }")
    expect(kiosk.locator(".slip .number")).to_be_visible()
    assert len(httpx.get(f"{node.base_url}/v1/halls/hall/tickets").json()["items"]) == before + 1


def test_nobody_is_sent_where_they_are_no_longer_awaited(new_page: NewPage, node: Node) -> None:
    """A call that is over before it could be spoken (transferred, taken back) is left unsaid."""
    with node.client() as hall:
        hall.put("/v1/halls/spoken", json=document("spoken")).raise_for_status()
        display = new_page("/display/spoken")
        expect(display.locator("html")).to_have_attribute("data-fresh", "true")
        display.evaluate(BUSY_VOICE)
        tickets = [hall.post("/v1/halls/spoken/tickets", json={"service": "tax"}).json() for _ in range(5)]
        for counter in ("1", "2", "3"):
            hall.post(f"/v1/halls/spoken/counters/{counter}/open", json={"clerk": counter}).raise_for_status()
            hall.post(f"/v1/halls/spoken/counters/{counter}/call-next").raise_for_status()
        hall.post(f"/v1/tickets/{tickets[1]['id']}/transfer", json={"service": "land"}).raise_for_status()
        hall.post("/v1/halls/spoken/counters/3/undo").raise_for_status()
        last = hall.post("/v1/halls/spoken/counters/2/call", json={"ticket": tickets[4]["id"], "reason": "x"}).json()
        expect(display.locator(".now .ticket")).to_have_text(last["number"])
    display.evaluate("window.release()")
    until(lambda: display.evaluate("!window.queueAnnouncer.isSpeaking"), "all is spoken")
    spoken = [text for text in display.evaluate("window.heard") if text.startswith("请")]
    assert list(dict.fromkeys(spoken)) == ["请A零零一号到一号窗口", "请A零零五号到二号窗口"]


def test_a_second_console_is_noticed(new_page: NewPage, node: Node) -> None:
    """Who works at a counter is told when somebody else does, too."""
    counter = new_page("/counter/hall/3")
    expect(counter.locator(".tag").first).not_to_be_empty()
    if counter.get_by_label("姓名或工号").is_visible():
        sign_on(counter, "wang")
    expect(counter.get_by_role("alert").filter(has_text="另有控制台")).to_be_hidden()
    httpx.post(f"{node.base_url}/v1/halls/hall/counters/3/pause", json={"reason": "break"}).raise_for_status()
    expect(counter.get_by_role("alert").filter(has_text="另有控制台")).to_be_visible()


def test_pages_say_when_they_are_out_of_date_and_come_back(new_page: NewPage, tmp_path: Path) -> None:
    """The server is killed in the middle of a visit: every page says that it may be out of date; once it is back all go
    on where they were, and the visit with them."""
    running = start_node(tmp_path)
    try:
        httpx.put(f"{running.base_url}/v1/halls/hall", json=document()).raise_for_status()
        ticket = httpx.post(f"{running.base_url}/v1/halls/hall/tickets", json={"service": "tax"}).json()["id"]
        pages = [new_page(path.format(ticket=ticket), base_url=running.base_url) for path in FOLLOWING]
        display, counter, phone = pages[:3]
        sign_on(counter, "li")
        for page in pages:
            expect(page.locator("html")).to_have_attribute("data-fresh", "true")
        running.kill()
        for page in pages:
            expect(page.get_by_role("alert").filter(has_text=STALE)).to_be_visible()
        running = start_node(tmp_path, "--port", running.base_url.rpartition(":")[2])
        for page in pages:
            expect(page.locator("html")).to_have_attribute("data-fresh", "true", timeout=30_000)
            expect(page.get_by_role("alert").filter(has_text=STALE)).to_be_hidden()
        counter.get_by_role("button", name="叫下一位").click()
        expect(display.locator(".now .counter")).to_have_text("1号窗口")
        expect(phone.get_by_role("status")).to_have_text("请到 1号窗口")
    finally:
        running.stop()
