"""A real browser for the pages: Debian's Chromium, headless, driven by Playwright. One browser for the tests of a
module, a context of its own for each visitor, clerk or screen."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.halls import plan
from tests.running import Node, running_node

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
LANGUAGES = ("zh-CN", "en")
ZONES = [
    {"id": "east", "name": "东厅", "names": {"en": "East"}},
    {"id": "west", "name": "西厅", "names": {"en": "West"}},
]
TAX = {"id": "tax", "name": "税务", "names": {"en": "Tax"}, "bring": {"zh-CN": "身份证", "en": "identity card"}}
LAND = {"id": "land", "name": "不动产", "names": {"en": "Real estate"}}
SERVICES = [{**TAX, "prefix": "A", "zone": "east"}, {**LAND, "prefix": "B", "zone": "west"}]
COUNTERS = [
    {"id": "1", "name": "1号窗口", "names": {"en": "Counter 1"}, "services": ["tax"], "zone": "east"},
    {"id": "2", "name": "2号窗口", "names": {"en": "Counter 2"}, "services": ["land", "tax"], "zone": "west"},
    {"id": "3", "name": "3号窗口", "names": {"en": "Counter 3"}, "services": ["land", "tax"], "zone": "east"},
]
RECORDER = """
window.heard = [];
window.queueVoice = {
  kindFor: () => "speech",
  say(part) { window.heard.push(part.chime ? "chime" : part.text); return Promise.resolve(); },
};
"""
"""In place of the browser's voice: what would have been heard."""

NewPage = Callable[..., Page]


def document(hall: str = "hall", **changes: Any) -> dict[str, Any]:
    """A hall of two zones whose names are known in both languages."""
    priorities: list[dict[str, Any]] = [{"id": "normal", "name": "普通", "names": {"en": "Everybody"}}]
    priorities += [{"id": "elder", "name": "老年", "names": {"en": "The elderly"}, "head_start_s": 300}]
    base = plan(hall, zones=ZONES, services=SERVICES, counters=COUNTERS, priorities=priorities, check_in_channels=[])
    return {**base, "names": {"en": "The Hall"}, **changes}


expect.set_options(timeout=20_000)  # a machine that has other work, too, may take longer than Playwright's 5 s


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Not for the whole session: while it is driven no other test can have an event loop."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium (Debian: apt-get install chromium): the pages are not tried in a browser")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A server process with a hall."""
    folder: Path = tmp_path_factory.mktemp("pages")
    with running_node(folder, "--heartbeat-s", "1") as running:
        httpx.put(f"{running.base_url}/v1/halls/hall", json=document()).raise_for_status()
        yield running
    assert "Traceback" not in running.log, running.log


@pytest.fixture
def new_page(browser: Browser, node: Node) -> Iterator[NewPage]:
    """`new_page("/kiosk/hall", lang="en")`: a page in a context of its own. A fault of its script fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(path: str, lang: str = "zh-CN", base_url: str = node.base_url, width: int = 1280) -> Page:
        context = browser.new_context(base_url=base_url, locale=lang, viewport={"width": width, "height": 900})
        contexts.append(context)
        context.add_init_script(RECORDER + "window.printed = 0; window.print = () => { window.printed += 1; };")
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []
