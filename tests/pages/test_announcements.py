"""A call as the lobby hears it: with what it is spoken, what the node is told of it, and recorded words instead."""

import math
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import NewPage, document
from tests.running import Node, running_node, until

RATE = 8_000
CHINESE = [*"0123456789AB", "please", "to", "ten", "hundred", "window", "counter-2"]
ENGLISH = [*"0123456789AB", "ticket", "go-to", "counter", "counter-2"]
LISTENER = """
window.played = [];
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  window.played.push(new URL(this.src).pathname);
  return play.call(this);
};
Object.defineProperty(window, "speechSynthesis", { value: undefined });
"""
"""A browser without a voice; what its player is given to play."""


def tone(path: Path) -> None:
    """A twentieth of a second of 440 Hz."""
    path.parent.mkdir(exist_ok=True)
    heights = [int(9_000 * math.sin(math.tau * 440 * place / RATE)) for place in range(RATE // 20)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(heights)}h", *heights))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with a folder of recorded words; tones stand for them."""
    folder = tmp_path_factory.mktemp("recorded")
    clips = folder / "clips"
    clips.mkdir()
    for language, names in (("zh-CN", CHINESE), ("en", ENGLISH)):
        for name in names:
            tone(clips / language / f"{name}.wav")
    (clips / "zh-CN" / "notes.txt").write_text("no clip", encoding="utf-8")
    with running_node(folder, "--clips", str(clips)) as running:
        httpx.put(f"{running.base_url}/v1/halls/hall", json=document()).raise_for_status()
        yield running


def call(node: Node, hall: str, counter: str, service: str) -> None:
    """A visitor comes, and the counter calls."""
    with node.client() as client:
        client.post(f"/v1/halls/{hall}/tickets", json={"service": service}).raise_for_status()
        client.post(f"/v1/halls/{hall}/counters/{counter}/open", json={"clerk": counter})
        client.post(f"/v1/halls/{hall}/counters/{counter}/call-next").raise_for_status()


def lobby(browser: Browser, node: Node, path: str) -> Page:
    """A display in a browser that has no voice."""
    context = browser.new_context(base_url=node.base_url, locale="zh-CN")
    context.add_init_script(LISTENER)
    page = context.new_page()
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("data-fresh", "true")
    return page


def test_recorded_words_where_the_browser_has_no_voice(browser: Browser, recorded: Node) -> None:
    """请A零零一号到三号窗口, digit by digit, twice; then in English; a counter with a clip of its own by that."""
    display = lobby(browser, recorded, "/display/hall")
    call(recorded, "hall", "3", "tax")
    until(lambda: len(display.evaluate("window.played")) >= 24, "all is played")
    names = [path.removeprefix("/clips/").removesuffix(".wav") for path in display.evaluate("window.played")]
    chinese = [f"zh-CN/{name}" for name in ("please", "A", "0", "0", "1", "to", "3", "window")]
    english = [f"en/{name}" for name in ("ticket", "A", "0", "0", "1", "go-to", "counter", "3")]
    assert names == [*chinese, *chinese, *english]
    display.evaluate("window.played = []")
    call(recorded, "hall", "2", "land")
    until(lambda: "/clips/zh-CN/counter-2.wav" in display.evaluate("window.played"), "the counter's own clip is played")
    [told] = httpx.get(f"{recorded.base_url}/v1/halls/hall/promise").json()["displays"]
    assert (told["display"], told["voice"]) == ("lobby", "clips")
    display.context.close()


def test_only_clips_are_served(recorded: Node, node: Node) -> None:
    """Nothing else of the folder, nothing beside it; a node without a folder has none."""
    with recorded.client() as client:
        listed = client.get("/clips/index.json").json()["items"]
        assert len(listed) == len(CHINESE) + len(ENGLISH)
        assert client.get(f"/clips/{listed[0]}").headers["content-type"] in ("audio/x-wav", "audio/wav")
        refused = ["zh-CN/notes.txt", "..%2fqueue.db", "zh-CN/..%2f..%2fqueue.db", "zh-CN/none.wav"]
        assert {client.get(f"/clips/{name}").status_code for name in refused} == {404}
    assert httpx.get(f"{node.base_url}/clips/index.json").json() == {"items": []}


def test_the_supervisor_hears_of_a_display_without_a_voice(browser: Browser, new_page: NewPage, node: Node) -> None:
    """It shows the call, says that it is silent, and the board says so, too; the no-show's clock has begun."""
    httpx.put(f"{node.base_url}/v1/halls/mute", json=document("mute")).raise_for_status()
    display = lobby(browser, node, "/display/mute?name=east")
    board = new_page("/board/mute")
    call(node, "mute", "1", "tax")
    expect(display.get_by_text("无语音")).to_be_visible()
    expect(board.get_by_text("显示屏“east”没有语音")).to_be_visible()
    counter = httpx.get(f"{node.base_url}/v1/halls/mute/counters/1").json()
    assert counter["announced_at"] is not None
    display.context.close()


def test_a_display_of_no_zone_says_so(new_page: NewPage, node: Node) -> None:
    """An address that was mistyped shows an explanation, not an empty lobby."""
    display = new_page("/display/hall?zone=zzz")
    expect(display.get_by_role("alert")).to_have_text("本厅没有这个区域。请检查本页地址")
