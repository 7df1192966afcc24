"""Take the pictures of `docs/pages.md`: `make pictures`. The sample hall shortly after it opened, made up."""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.halls import noon_zone
from tests.pages.conftest import CHROMIUM, LANGUAGES, OPTIONS
from tests.running import ROOT, Node, running_node

PICTURES = ROOT / "docs" / "pictures"
SIZES = {"display": (1600, 900), "kiosk": (1280, 900), "board": (1440, 1000), "counter": (560, 900)}
PHONE = (390, 760)
READY = {"board": "table", "join": ".tile"}
"""What shows that a page has drawn its figures, where being up to date does not."""
WAITING_EACH = 3


def main() -> None:
    """Every page in every language."""
    assert CHROMIUM is not None, "there is no chromium (Debian: apt-get install chromium fonts-noto-cjk)"
    folder = Path(tempfile.mkdtemp())
    try:
        with running_node(folder) as node, sync_playwright() as driver:
            paths = dict(morning(node))
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            for lang in LANGUAGES:
                for name, path in paths.items():
                    take(browser, node, name, path, lang)
            browser.close()
    finally:
        shutil.rmtree(folder)


def take(browser: Browser, node: Node, name: str, path: str, lang: str) -> None:
    """One picture, once the page is up to date."""
    width, height = SIZES.get(name, PHONE)
    context = browser.new_context(base_url=node.base_url, locale=lang, viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(path)
    page.wait_for_selector(READY.get(name, "html[data-fresh=true]"))
    page.evaluate("document.fonts.ready")
    page.screenshot(path=PICTURES / f"{name}.{lang}.png", animations="disabled")
    context.close()


def sample() -> dict[str, Any]:
    """The sample hall, open at whatever time the pictures are taken."""
    plan = tomllib.loads((ROOT / "deploy" / "halls" / "fengxian.toml").read_text(encoding="utf-8"))
    plan["time_zone"] = noon_zone()
    for name in ("opening", "dispenser", "closed_dates"):
        plan["calendar"].pop(name, None)
    for service in plan["services"]:
        service.pop("hours", None)
        service.pop("quota", None)
    return plan


def morning(node: Node) -> Iterator[tuple[str, str]]:
    """Visitors, clerks and calls; then where each page is."""
    plan = sample()
    hall = f"/v1/halls/{plan['id']}"
    with node.client() as client:
        client.put(hall, json=plan).raise_for_status()

        def post(path: str, **body: Any) -> httpx.Response:
            return client.post(path, json=body).raise_for_status()

        services = [service["id"] for service in plan["services"]] * WAITING_EACH
        tickets = [post(f"{hall}/tickets", service=service, channel="kiosk").json() for service in services]
        for counter in plan["counters"][:-3]:
            post(f"{hall}/counters/{counter['id']}/open", clerk=f"clerk-{counter['id']}")
            post(f"{hall}/counters/{counter['id']}/call-next")
        for counter in plan["counters"][:-5:3]:
            post(f"{hall}/counters/{counter['id']}/call-next", finish_current=True)
        post(f"{hall}/counters/{plan['counters'][1]['id']}/help")
    yield "display", f"/display/{plan['id']}"
    yield "kiosk", f"/kiosk/{plan['id']}"
    yield "board", f"/board/{plan['id']}"
    yield "counter", f"/counter/{plan['id']}/{plan['counters'][0]['id']}"
    yield "join", f"/join/{plan['id']}"
    yield "ticket", f"/t/{tickets[-1]['id']}"


if __name__ == "__main__":
    main()
