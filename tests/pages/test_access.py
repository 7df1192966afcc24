"""Everybody can use the pages: no violation of WCAG 2.2 AA in either language; a token is asked for where needed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.http.conftest import BEARER, TOKEN
from tests.pages.conftest import LANGUAGES, NewPage, document
from tests.running import Node, running_node

pytestmark = pytest.mark.long

_TOOL = find_spec("axe_playwright_python")
assert _TOOL is not None, "make setup-dev installs it"
AXE = (Path(str(_TOOL.origin)).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = [
    "/",
    "/display/hall",
    "/kiosk/hall",
    "/join/hall",
    "/desk/hall",
    "/counter/hall/2",
    "/board/hall",
    "/plan/hall",
    "/t/{ticket}",
]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_no_page_keeps_anybody_out(new_page: NewPage, node: Node, path: str, lang: str) -> None:
    """The tool axe finds nothing against WCAG 2.2 AA."""
    ticket = httpx.post(f"{node.base_url}/v1/halls/hall/tickets", json={"service": "tax"}).json()["id"]
    page = new_page(path.format(ticket=ticket), lang)
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", lang)
    assert violations(page) == []


def violations(page: Page) -> list[Any]:
    """What the tool axe finds, and where."""
    page.evaluate(AXE)
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_that_opens_keeps_anybody_out(new_page: NewPage, node: Node, lang: str) -> None:
    """Nor does what comes later: choosing at the kiosk, its slip, dialogs, a fault in a plan, a suspended hall."""
    ticket = httpx.post(f"{node.base_url}/v1/halls/hall/tickets", json={"service": "tax"}).json()
    httpx.post(f"{node.base_url}/v1/halls/hall/counters/1/open", json={"clerk": "li"})
    kiosk = new_page("/kiosk/hall", lang)
    for part in (".tile", ".tile", ".primary"):
        kiosk.locator(part).first.click()
        expect(kiosk.locator("h2").first).to_be_visible()
        assert violations(kiosk) == []
    desk = new_page("/desk/hall", lang)
    desk.locator(".head button").first.click()
    assert violations(desk) == []
    plan = new_page("/plan/hall", lang)
    plan.locator("textarea").fill("{}")
    expect(plan.locator(".mark").first).to_be_visible()
    assert violations(plan) == []
    httpx.post(f"{node.base_url}/v1/halls/hall/suspend", json={"reason": "x", "service": "land"}).raise_for_status()
    try:
        board, display = new_page("/board/hall", lang), new_page("/display/hall", lang)
        board.locator(".danger").first.click()
        expect(display.locator(".body .notice")).to_be_visible()
        assert violations(board) == violations(display) == []
    finally:
        httpx.post(f"{node.base_url}/v1/halls/hall/resume", json={"service": "land"}).raise_for_status()
        httpx.post(f"{node.base_url}/v1/tickets/{ticket['id']}/cancel")


def test_a_hall_with_a_token_asks_for_it_once(new_page: NewPage, tmp_path: Path) -> None:
    """Without one the page asks; from the address behind # it is taken without being sent in any address."""
    with running_node(tmp_path, "--auth", "token", QUEUE_TOKEN=TOKEN) as guarded:
        httpx.put(f"{guarded.base_url}/v1/halls/hall", json=document(), headers=BEARER).raise_for_status()
        asked = new_page("/board/hall", base_url=guarded.base_url)
        asked.get_by_label("访问令牌").fill(TOKEN)
        asked.get_by_role("button", name="继续").click()
        expect(asked.get_by_role("heading", name="各事项队列")).to_be_visible()
        given = new_page(f"/display/hall#token={TOKEN}", base_url=guarded.base_url)
        expect(given.get_by_role("heading", name="正在叫号")).to_be_visible()
        assert TOKEN not in given.url
