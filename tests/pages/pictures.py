"""Take the pictures of `docs/pages.md`: `make pictures`. An hour of the demonstration's day, made up."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.conftest import CHROMIUM, LANGUAGES, OPTIONS
from tests.running import QUEUE_SERVICE, ROOT, Node, start_node, until

PICTURES = ROOT / "docs" / "pictures"
SIZES = {
    "display": (1600, 900),
    "kiosk": (1280, 900),
    "board": (1440, 1300),
    "counter": (560, 900),
    "desk": (1280, 860),
    "plan": (1440, 860),
    "home": (1280, 760),
}
PHONE = (390, 760)
READY = {"board": ".figure", "join": ".tile", "plan": ".gutter span", "home": ".card", "desk": ".found .number"}
"""What shows that a page has drawn its figures, where being up to date does not."""
HALL = "fengxian"
API = f"/v1/halls/{HALL}"
NAMES = ("display", "kiosk", "join", "ticket", "counter", "desk", "board", "plan", "home")
RUSHES = ("display", "kiosk", "counter", "board")
"""Before these pages more visitors come at once than there are clerks."""
COUNTED = 120
"""Promises decided until there is something to see."""
PATIENCE_S = 240


def main() -> None:
    """Every page in every language."""
    assert CHROMIUM is not None, "there is no chromium (Debian: apt-get install chromium fonts-noto-cjk)"
    folder = Path(tempfile.mkdtemp())
    node = start_node(folder, "--speed", "60", command=(*QUEUE_SERVICE, "demo"))
    try:
        with sync_playwright() as driver, node.client() as client:
            morning(client)
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            for name in NAMES:
                if name in RUSHES:
                    rush(client)
                for lang in LANGUAGES:
                    take(browser, node, name, path_of(name, client), lang)
            browser.close()
    finally:
        node.stop()
        shutil.rmtree(folder)


def take(browser: Browser, node: Node, name: str, path: str, lang: str) -> None:
    """One picture, once the page is up to date."""
    width, height = SIZES.get(name, PHONE)
    context = browser.new_context(base_url=node.base_url, locale=lang, viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(path)
    page.wait_for_selector(READY.get(name, "html[data-fresh=true]"))
    if name in ACTS:
        ACTS[name](page)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=PICTURES / f"{name}.{lang}.png", animations="disabled")
    context.close()


def choose_zone(kiosk: Page) -> None:
    """What there is to choose from, with people ahead and how long it takes."""
    kiosk.locator(".tile").first.click()
    kiosk.mouse.move(0, 0)


def make_a_mistake(editor: Page) -> None:
    """A fault in its line."""
    plan = json.loads(editor.locator("textarea").input_value())
    editor.locator("textarea").fill(json.dumps({**plan, "max_overtake_s": 0}, ensure_ascii=False, indent=2))
    editor.wait_for_selector(".mark")
    editor.locator(".editor").evaluate("(shown) => { document.activeElement.blur(); shown.scrollTop = 0; }")


ACTS: dict[str, Callable[[Page], None]] = {"kiosk": choose_zone, "plan": make_a_mistake}
"""What is done on a page before its picture is taken."""


def morning(client: httpx.Client) -> None:
    """An hour of visitors, clerks and calls."""
    until(lambda: read(client, "promise")["totals"]["counted"] >= COUNTED, "the hall has a history", PATIENCE_S)
    client.post(f"{API}/counters/{serving(client)[-1]}/help").raise_for_status()


def read(client: httpx.Client, what: str) -> dict[str, Any]:
    """Something about the hall."""
    found: dict[str, Any] = client.get(f"{API}/{what}").raise_for_status().json()
    return found


def serving(client: httpx.Client) -> list[str]:
    """Counters with a visitor."""
    counters = read(client, "board")["board"]["counters"]
    return [name for name, one in counters.items() if one["state"] == "serving"]


def rush(client: httpx.Client) -> None:
    """More visitors at once than there are clerks, so that there are lines."""
    for service in list(read(client, "board")["board"]["services"]):
        client.post(f"{API}/tickets", json={"service": service, "channel": "kiosk"}).raise_for_status()


def path_of(name: str, client: httpx.Client) -> str:
    """Where a page is, as things stand."""
    if name == "counter":
        return f"/counter/{HALL}/{serving(client)[0]}"
    if name == "ticket":
        ticket = (
            client.post(f"{API}/phone-tickets", json={"service": "business-registration"}).raise_for_status().json()
        )
        return f"/t/{ticket['id']}"
    return "/" if name == "home" else f"/{name}/{HALL}"


if __name__ == "__main__":
    main()
