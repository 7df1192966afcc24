"""The kiosk through a long day: it always comes back to its first screen, in its own language, with what there is."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import SERVICES, TAX, NewPage, document
from tests.running import Node

CLASSES: list[dict[str, Any]] = [
    {"id": "normal", "name": "普通"},
    *({"id": f"class-{number}", "name": f"第{number}类", "head_start_s": 60 * number} for number in (1, 2, 3)),
]
SIZES = [(1920, 1080), (1366, 768), (1280, 1024), (1080, 1920)]


def put(node: Node, hall: str, **changes: Any) -> str:
    """The plan of a hall of one zone; where it is."""
    path = f"{node.base_url}/v1/halls/{hall}"
    services = [{**one, "zone": "east"} for one in SERVICES]
    httpx.put(path, json=document(hall, **{"services": services, **changes})).raise_for_status()
    return path


def first_screen(kiosk: Page, words: str = "请选择办理事项") -> Locator:
    """The first question."""
    return kiosk.get_by_role("heading", name=words)


def tile(kiosk: Page, service: str) -> Locator:
    """What is pressed for a service."""
    return kiosk.get_by_role("button", name=re.compile(service))


def test_a_stopped_service_gives_tickets_unless_visitors_are_turned_away(new_page: NewPage, node: Node) -> None:
    """By kiosk and by phone: with a word that nobody is called now, or not at all."""
    path = put(node, "stopping", check_in_channels=[])
    pages = new_page("/kiosk/stopping"), new_page("/join/stopping", width=390)
    httpx.post(f"{path}/suspend", json={"service": "tax", "reason": "停电"}).raise_for_status()
    httpx.post(f"{path}/suspend", json={"service": "land", "reason": "停电", "turn_away": True}).raise_for_status()
    for page in pages:
        expect(tile(page, "税务")).to_contain_text("现在暂停叫号")
        expect(tile(page, "不动产")).to_be_disabled()
        tile(page, "税务").click()
    kiosk, phone = pages
    expect(kiosk.get_by_text("“税务”暂停办理：停电")).to_be_visible()
    kiosk.get_by_role("button", name="取号").click()
    for page in pages:
        expect(page.locator(".number.huge")).to_have_text(re.compile(r"A00\d"))
    expect(phone.get_by_text("现在暂停叫号")).to_be_visible()


def test_a_visitor_s_language_goes_with_the_visitor(new_page: NewPage, node: Node) -> None:
    """Left alone or done, the kiosk speaks its own again: what it was opened with."""
    put(node, "spoken-to")
    kiosk = new_page("/kiosk/spoken-to?lang=zh-CN", lang="en")
    kiosk.clock.install()
    for leaves_it in (True, False):
        expect(first_screen(kiosk)).to_be_visible()
        kiosk.get_by_role("button", name="English").click()
        expect(first_screen(kiosk, "What are you here for?")).to_be_visible()
        tile(kiosk, "Tax").click()
        kiosk.get_by_role("button", name="Take a number").click()
        expect(kiosk.locator(".slip")).to_be_visible()
        if leaves_it:
            kiosk.clock.fast_forward(46_000)
        else:
            kiosk.get_by_role("button", name="Done").click()
    expect(first_screen(kiosk)).to_be_visible()
    expect(kiosk.get_by_role("button", name="English")).to_be_visible()
    expect(kiosk.locator("html")).to_have_attribute("lang", "zh-CN")


def test_a_busy_hall_does_not_keep_a_kiosk_awake(new_page: NewPage, node: Node) -> None:
    """Others' tickets come in all the while: who left in the middle is forgotten all the same."""
    path = put(node, "busy", services=SERVICES)
    kiosk = new_page("/kiosk/busy")
    kiosk.clock.install()
    kiosk.reload()
    tile(kiosk, "东厅").click()
    for count in (1, 2):
        expect(tile(kiosk, "税务")).to_be_visible()
        kiosk.clock.fast_forward(25_000)
        httpx.post(f"{path}/tickets", json={"service": "tax"}).raise_for_status()
        if count == 1:
            expect(tile(kiosk, "税务")).to_contain_text("前方等待 1 人")
    expect(first_screen(kiosk, "请选择办事区域")).to_be_visible()


def test_a_kiosk_follows_its_plan(new_page: NewPage, node: Node) -> None:
    """A service that is new can be had without a reload; the hall has its new name."""
    put(node, "growing")
    kiosk = new_page("/kiosk/growing")
    expect(tile(kiosk, "税务")).to_be_visible()
    visa = {**TAX, "id": "visa", "name": "签证", "prefix": "C", "names": {}, "zone": "east"}
    counters = [{"id": "1", "name": "1号窗口"}]
    put(node, "growing", name="新厅", services=[{**TAX, "prefix": "A", "zone": "east"}, visa], counters=counters)
    expect(kiosk.get_by_role("heading", level=1)).to_have_text("新厅")
    tile(kiosk, "签证").click()
    kiosk.get_by_role("button", name="取号").click()
    expect(kiosk.locator(".slip .what")).to_have_text("签证")


@pytest.mark.parametrize("large", [False, True], ids=["plain", "large"])
def test_taking_a_number_is_always_in_sight(new_page: NewPage, node: Node, large: bool) -> None:
    """With three classes to choose from, on every usual screen, also with text of twice the size."""
    put(node, "classy", priorities=CLASSES)
    kiosk = new_page("/kiosk/classy")
    tile(kiosk, "税务").click()
    for width, height in SIZES:
        kiosk.set_viewport_size({"width": width, "height": height})
        if large:
            kiosk.evaluate("() => { document.documentElement.style.fontSize = '40px'; }")
        expect(kiosk.get_by_role("button", name="取号")).to_be_in_viewport(ratio=1)
        assert kiosk.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
