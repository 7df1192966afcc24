"""A visitor's phone, without any token where the hall's plan lets phones in."""

import re
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.http.conftest import BEARER, TOKEN
from tests.pages.conftest import CHROMIUM, OPTIONS, NewPage, document
from tests.running import Node, running_node

PLAN = document(
    check_in_channels=["phone"],
    phone={"tickets": True, "come_now_ahead": 1},
    no_show={"recalls": 0, "after_s": 0},
    postpone={"times": 1, "max_s": 600},
)
SHUT = {"opening": [{"start": "00:00", "end": "00:01"}]}
"""Open for a minute at night."""


def told(phone: Page, words: str | re.Pattern[str], within_ms: float = 20_000) -> None:
    """The line in large type says so."""
    expect(phone.get_by_role("status").first).to_have_text(words, timeout=within_ms)


def test_a_visit_by_phone_alone(new_page: NewPage, tmp_path: Path) -> None:
    """Taken at home, checked in on arrival, postponed, missed, rejoined, called, cancelled: names and all, no token."""
    with (
        running_node(tmp_path, "--auth", "token", QUEUE_TOKEN=TOKEN) as guarded,
        guarded.client(headers=BEARER) as hall,
    ):
        hall.put("/v1/halls/hall", json=PLAN).raise_for_status()
        hall.post("/v1/halls/hall/counters/1/open", json={"clerk": "li"}).raise_for_status()
        others = [hall.post("/v1/halls/hall/tickets", json={"service": "tax"}).json() for _ in range(2)]
        phone = new_page("/join/hall", base_url=guarded.base_url, width=390)
        phone.get_by_role("button", name="税务").click()
        told(phone, "到达大厅后请签到")
        expect(phone.locator(".service")).to_have_text("税务")
        ticket = phone.url.rpartition("/")[2]
        phone.get_by_role("button", name="签到").click()
        told(phone, "前方等待 2 人")
        hall.post(f"/v1/tickets/{others[0]['id']}/cancel")
        told(phone, "快到您了，请到大厅等候")
        phone.get_by_role("button", name="推迟").click()
        expect(phone.get_by_role("dialog").get_by_role("button", name="30 分钟")).to_have_count(0)
        phone.get_by_role("dialog").get_by_role("button", name="5 分钟").click()
        told(phone, re.compile("^已推迟至"))
        chosen = {"ticket": ticket, "reason": "postponed"}
        hall.post("/v1/halls/hall/counters/1/call", json=chosen).raise_for_status()
        told(phone, "请到 1号窗口")
        hall.post(f"/v1/tickets/{ticket}/no-show").raise_for_status()
        told(phone, "已过号")
        phone.get_by_role("button", name="重新排队").click()
        told(phone, "快到您了，请到大厅等候")
        phone.get_by_role("button", name="取消号票").click()
        phone.get_by_role("dialog").get_by_role("button", name="取消号票").click()
        told(phone, "已取消")


def test_a_hall_that_lets_no_phones_in_says_so(new_page: NewPage, tmp_path: Path) -> None:
    """Not a form that a visitor cannot fill without being told where to go."""
    with (
        running_node(tmp_path, "--auth", "token", QUEUE_TOKEN=TOKEN) as guarded,
        guarded.client(headers=BEARER) as hall,
    ):
        hall.put("/v1/halls/hall", json=document()).raise_for_status()
        phone = new_page("/join/hall", base_url=guarded.base_url, width=390)
        expect(phone.get_by_role("alert")).to_have_text("本厅不能用手机直接取号，请到大厅取号。")


def test_a_menu_that_is_out_of_date_says_so(new_page: NewPage, node: Node) -> None:
    """Without an answer for a while; and no longer once there is one."""
    phone = new_page("/join/hall", width=390)
    stale = phone.get_by_role("alert").filter(has_text="显示内容可能已过时")
    phone.clock.install()
    phone.reload()
    expect(phone.locator(".tile").first).to_be_visible()
    expect(stale).to_be_hidden()
    phone.route("**/menu", lambda route: route.abort())
    phone.clock.fast_forward(11_000)
    for _ in range(3):  # it asks again before it says so
        phone.clock.run_for(3_000)
    expect(stale).to_be_visible()
    phone.unroute("**/menu")
    phone.clock.fast_forward(11_000)
    expect(stale).to_be_hidden()


def test_who_postponed_is_told_until_when(new_page: NewPage, node: Node) -> None:
    """Not to come, although nobody is ahead; and once it may not be done again there is no button for it."""
    plan = {**PLAN, "id": "patient", "check_in_channels": [], "postpone": {"times": 2, "max_s": 600}}
    httpx.put(f"{node.base_url}/v1/halls/patient", json=plan).raise_for_status()
    ticket = httpx.post(f"{node.base_url}/v1/halls/patient/tickets", json={"service": "tax"}).json()["id"]
    phone = new_page(f"/t/{ticket}", width=390)
    told(phone, "快到您了，请到大厅等候")
    for left in (1, 0):
        phone.get_by_role("button", name="推迟").click()
        phone.get_by_role("dialog").get_by_role("button", name="5 分钟").click()
        expect(phone.get_by_role("status").first).to_have_text(re.compile(r"^已推迟至 \d\d:\d\d$"))
        expect(phone.get_by_text("开始等待")).to_have_count(0)
        expect(phone.get_by_role("button", name="推迟")).to_have_count(left)
    phone.clock.install()
    phone.reload()
    told(phone, re.compile("^已推迟至"))
    phone.clock.fast_forward(301_000)
    told(phone, "快到您了，请到大厅等候")


def test_nobody_is_sent_for_to_a_hall_that_stands_still(new_page: NewPage, node: Node) -> None:
    """While calls are suspended, or outside the opening hours, the phone says so, and does not send for them."""
    paths = f"{node.base_url}/v1/halls/still"
    plan = {**PLAN, "id": "still", "check_in_channels": []}
    httpx.put(paths, json=plan).raise_for_status()
    ticket = httpx.post(f"{paths}/tickets", json={"service": "tax"}).json()["id"]
    phone = new_page(f"/t/{ticket}", width=390)
    told(phone, "快到您了，请到大厅等候")
    httpx.post(f"{paths}/suspend", json={"reason": "停电"}).raise_for_status()
    expect(phone.get_by_text("现在暂停叫号")).to_be_visible()
    told(phone, "前方等待 0 人")
    httpx.post(f"{paths}/resume", json={}).raise_for_status()
    told(phone, "快到您了，请到大厅等候", 60_000)  # what is to be expected is told every ten seconds at most
    httpx.put(paths, json={**plan, "calendar": SHUT}).raise_for_status()
    phone.reload()
    told(phone, "前方等待 0 人")
    expect(phone.get_by_text("现在不在办公时间")).to_be_visible()


def test_who_comes_back_to_the_menu_gets_another_ticket(browser: Browser, node: Node) -> None:
    """From the browser's own memory of the page, too, which tests have to be given: the old wish was granted."""
    plan = {**PLAN, "id": "again", "check_in_channels": []}
    httpx.put(f"{node.base_url}/v1/halls/again", json=plan).raise_for_status()
    remembering = browser.browser_type.launch(
        executable_path=CHROMIUM, args=OPTIONS, ignore_default_args=["--disable-back-forward-cache"]
    )
    phone = remembering.new_page(base_url=node.base_url, locale="zh-CN")
    phone.goto("/join/again")
    phone.evaluate("() => { window.isTheSame = true; }")
    numbers = []
    for _ in range(2):
        phone.get_by_role("button", name="税务").click()
        expect(phone.locator(".ticket .number")).to_have_text(re.compile("A00"))
        numbers.append(phone.locator(".ticket .number").inner_text())
        phone.get_by_role("button", name="取消号票").click()
        phone.get_by_role("dialog").get_by_role("button", name="取消号票").click()
        told(phone, "已取消")
        phone.go_back(wait_until="commit")
        expect(phone.locator(".tile").first).to_be_visible()
        assert phone.evaluate("window.isTheSame")
    assert numbers == ["A001", "A002"]
    remembering.close()
