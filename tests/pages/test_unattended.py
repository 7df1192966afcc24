"""A display that nobody looks after: ten thousand calls later it holds no more memory than before."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import CDPSession, async_playwright

from api import answers
from api.ids import new_ticket_id
from models.vocabulary import Channel
from queue_service.domain import commands as c
from tests.pages.conftest import CHROMIUM, OPTIONS, document
from tests.running import Inner, eventually, inner_node

WARM, CALLS, AT_ONCE = 1_000, 10_000, 200
GROWTH_MOST = 1.1
SILENT = "window.spoken = 0; window.queueVoice = { say: () => { window.spoken += 1; return Promise.resolve(); } };"


async def ask(inner: Inner, command: c.Command, answering: Any) -> None:
    """A command through the engine, as the API gives it."""
    await inner.service.engine.submit("hall", command, actor="test", channel=Channel.API, answering=answering)


async def call(inner: Inner, count: int) -> None:
    """So many visitors, called one after the other."""
    for start in range(0, count, AT_ONCE):
        now_ms = inner.service.clock.now_ms()
        pending = [
            inner.service.engine.submit("hall", command, actor="test", channel=Channel.API, answering=answering)
            for _ in range(min(AT_ONCE, count - start))
            for command, answering in (
                (c.IssueTicket(new_ticket_id("hall", now_ms), "tax"), answers.issued),
                (c.CallNext("1", finish_current=True), answers.called),
            )
        ]
        for one in pending:
            await one


async def heap_bytes(session: CDPSession) -> float:
    """What is in use after the garbage was taken away."""
    await session.send("HeapProfiler.collectGarbage")
    return float((await session.send("Runtime.getHeapUsage"))["usedSize"])


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: the display's memory is not measured")
async def test_ten_thousand_calls_leave_the_heap_flat(tmp_path: Path) -> None:
    """Shown and spoken, and forgotten again."""
    async with inner_node(tmp_path) as inner, async_playwright() as driver:
        (await inner.client.put("/v1/halls/hall", json=document())).raise_for_status()
        (await inner.client.post("/v1/halls/hall/counters/1/open", json={"clerk": "li"})).raise_for_status()
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = await browser.new_page(base_url=inner.base_url)
        await page.add_init_script(SILENT)
        await page.goto("/display/hall")
        await page.wait_for_selector("html[data-fresh=true]")
        session = await page.context.new_cdp_session(page)

        async def after(count: int) -> float:
            await call(inner, count)
            number = inner.service.feed.views["hall"].board()["recent"][0]["number"]
            await eventually(
                lambda: page.locator(f".now .ticket:has-text('{number}')").count(), "the last call is shown"
            )
            await eventually(lambda: page.evaluate("!window.queueAnnouncer.isSpeaking"), "all is spoken")
            await page.wait_for_load_state("networkidle")
            return await heap_bytes(session)

        warm = await after(WARM)
        full = await after(CALLS)
        await browser.close()
    assert full < warm * GROWTH_MOST
