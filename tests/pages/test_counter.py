"""The clerk's console under hurried hands: one press is one press, keys do what has the focus, and it says why nobody
comes."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import COUNTERS, SERVICES, TAX, NewPage, document
from tests.running import Node

NAMES = count(1)


@pytest.fixture
def open_counter(node: Node) -> str:
    """A hall of the test's own, two waiting for taxes; its counter 2, which serves both services, is open."""
    hall = f"hurried-{next(NAMES)}"
    httpx.put(f"{node.base_url}/v1/halls/{hall}", json=document(hall)).raise_for_status()
    post(node, f"halls/{hall}/counters/2/open", clerk="zhao")
    for _ in range(2):
        post(node, f"halls/{hall}/tickets", service="tax")
    return hall


def post(node: Node, path: str, **body: Any) -> None:
    """A command from outside."""
    httpx.post(f"{node.base_url}/v1/{path}", json=body).raise_for_status()


def big(counter: Page) -> Locator:
    """What comes next."""
    return counter.locator("button.big")


def state(counter: Page) -> Locator:
    """The counter's own."""
    return counter.locator(".tag").first


def is_ready(counter: Page) -> None:
    """The large button has been there for long enough to be meant."""
    expect(big(counter)).not_to_be_empty()
    expect(big(counter)).to_be_enabled()


def calls(node: Node, hall: str) -> list[str]:
    """The states of all tickets, by their numbers."""
    found = httpx.get(f"{node.base_url}/v1/halls/{hall}/tickets").json()["items"]
    return [one["state"] for one in sorted(found, key=lambda one: str(one["number"]))]


@pytest.mark.parametrize("way", ["mouse", "space"])
def test_a_double_press_is_one_press(new_page: NewPage, node: Node, open_counter: str, way: str) -> None:
    """The second one comes when the button means something else already: it does nothing, and a later press does."""
    counter = new_page(f"/counter/{open_counter}/2")
    counter.clock.install()
    counter.reload()
    is_ready(counter)
    counter.clock.pause_at(datetime.now(UTC) + timedelta(seconds=20))

    def press() -> None:
        if way == "mouse":
            big(counter).click(force=True)
        else:
            counter.keyboard.press("Space")

    for first, then, now in (("叫下一位", "已到窗口", "已叫号"), ("已到窗口", "办结并叫下一位", "办理中")):
        expect(big(counter)).to_have_text(first)
        press()
        expect(big(counter)).to_have_text(then)
        press()
        expect(big(counter)).to_be_disabled()
        counter.clock.run_for(700)
        is_ready(counter)
        expect(state(counter)).to_have_text(now)
    assert calls(node, open_counter) == ["serving", "waiting"]


def test_space_presses_the_button_that_has_the_focus(new_page: NewPage, node: Node, open_counter: str) -> None:
    """Setting aside asks why, instead of finishing; a language is switched, instead of calling."""
    counter = new_page(f"/counter/{open_counter}/2")
    is_ready(counter)
    counter.get_by_role("button", name="English").focus()
    counter.keyboard.press("Space")
    expect(big(counter)).to_have_text("Call next")
    is_ready(counter)
    counter.keyboard.press("Space")
    expect(state(counter)).to_have_text("called")
    is_ready(counter)
    counter.keyboard.press("Enter")
    expect(state(counter)).to_have_text("serving")
    counter.get_by_role("button", name="Set aside").focus()
    is_ready(counter)
    counter.keyboard.press("Space")
    expect(counter.get_by_role("dialog")).to_be_visible()
    assert calls(node, open_counter) == ["serving", "waiting"]


def test_what_was_clicked_does_not_keep_the_space_key(new_page: NewPage, node: Node, open_counter: str) -> None:
    """Called again by mouse, the visitor comes: space says so, and does not call once more."""
    counter = new_page(f"/counter/{open_counter}/2")
    big(counter).click()
    counter.get_by_role("button", name="重呼").click()
    expect(counter.locator(".about")).to_contain_text("1")
    is_ready(counter)
    counter.keyboard.press("Space")
    expect(state(counter)).to_have_text("办理中")


def test_enter_in_the_name_signs_on(new_page: NewPage, node: Node) -> None:
    """As everywhere else where a name is asked for."""
    counter = new_page("/counter/hall/1")
    counter.get_by_label("姓名或工号").fill("li")
    counter.keyboard.press("Enter")
    expect(state(counter)).to_have_text("空闲")


def test_a_stopped_service_is_not_told_as_an_empty_line(new_page: NewPage, node: Node, open_counter: str) -> None:
    """The console says why; calling says that calls stand still, not that nobody waits."""
    counter = new_page(f"/counter/{open_counter}/2")
    for words in ("叫下一位", "已到窗口"):
        expect(big(counter)).to_have_text(words)
        big(counter).click()
    post(node, f"halls/{open_counter}/suspend", service="tax", reason="停电")
    expect(counter.locator(".notice").filter(has_text="“税务”暂停办理：停电")).to_be_visible()
    counter.get_by_role("button", name="办结并叫下一位").click()
    told = counter.get_by_role("status")
    expect(told.filter(has_text="现在暂停叫号")).to_be_visible()
    expect(told.filter(has_text="无人等待")).to_have_count(0)
    post(node, f"halls/{open_counter}/resume", service="tax")
    expect(counter.locator(".notice").filter(has_text="停电")).to_be_hidden()


def test_a_counter_follows_its_plan(new_page: NewPage, node: Node, open_counter: str) -> None:
    """A service that is new has its name in line, and a counter its new one, without a reload."""
    counter = new_page(f"/counter/{open_counter}/2")
    expect(counter.get_by_role("heading", level=1)).to_have_text("2号窗口")
    visa = {**TAX, "id": "visa", "name": "签证", "prefix": "C", "names": {}}
    second = {**COUNTERS[1], "name": "二号台", "services": ["land", "tax", "visa"]}
    plan = document(open_counter, services=[*SERVICES, visa], counters=[COUNTERS[0], second, COUNTERS[2]])
    httpx.put(f"{node.base_url}/v1/halls/{open_counter}", json=plan).raise_for_status()
    post(node, f"halls/{open_counter}/tickets", service="visa")
    expect(counter.get_by_role("region", name="等待本窗口")).to_contain_text("签证")
    expect(counter.get_by_role("heading", level=1)).to_have_text("二号台")
