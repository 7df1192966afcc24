"""A visitor's phone, without any token where the hall's plan lets phones in."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.http.conftest import BEARER, TOKEN
from tests.pages.conftest import NewPage, document
from tests.running import Node, running_node

PLAN = document(
    check_in_channels=["phone"],
    phone={"tickets": True, "come_now_ahead": 1},
    no_show={"recalls": 0, "after_s": 0},
    postpone={"times": 1, "max_s": 600},
)


def told(phone: Page, words: str) -> None:
    """The line in large type says so."""
    expect(phone.get_by_role("status").first).to_have_text(words)


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
        expect(phone.get_by_role("dialog")).to_have_count(0)
        phone.get_by_role("button", name="推迟").click()
        phone.get_by_role("dialog").get_by_role("button", name="5 分钟").click()
        expect(phone.get_by_text("次数或时限已到")).to_be_visible()
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
