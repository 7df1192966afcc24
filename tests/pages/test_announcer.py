"""Spoken calls, in the browser's own engine but under a clock of the test's: what is said, and that it never lags."""

import pytest
from playwright.sync_api import Page

from tests.pages.conftest import NewPage

HOUR = """async ({calls, seed, spread_s}) => {
  const { Announcer } = await import("/pages/lib/announcer.js");
  const CHIME_MS = 700, WORD_MS = 4000;
  let now = 0, random = seed, said = 0;
  const chance = () => (random = (random * 16807) % 2147483647) / 2147483647;
  const arrivals = Array.from({length: calls}, () => chance() * spread_s * 1000).sort((a, b) => a - b);
  let place = 0;
  const announcer = new Announcer({ languages: ["zh-CN", "en"], now_ms: () => now, say: (part) => {
    now += part.chime ? CHIME_MS : WORD_MS; said += 1; arrive(); return Promise.resolve(); } });
  function arrive() { while (place < arrivals.length && arrivals[place] <= now) { const at = now; now = arrivals[place];
    announcer.add({ number: `A${String(place).padStart(3, "0")}`, name: "3号窗口", nameEn: "counter 3" });
    now = Math.max(at, now); place += 1; } }
  while (place < arrivals.length || announcer.isSpeaking) {
    if (!announcer.isSpeaking) { now = Math.max(now, arrivals[place]); arrive(); }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { worst_s: announcer.worst_lag_ms / 1000, said };
}"""


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Any page of the node."""
    return new_page("/")


@pytest.mark.parametrize(
    ("number", "name", "spoken"),
    [
        ("A001", "3号窗口", "请A零零一号到三号窗口"),
        ("B120", "12号窗口", "请B一二零号到十二号窗口"),
        ("K009", "20号窗口", "请K零零九号到二十号窗口"),
        ("C1000", "105号窗口", "请C一零零零号到一百零五号窗口"),
        ("Z001", "113号", "请Z零零一号到一百一十三号"),
    ],
)
def test_a_call_is_read_digit_by_digit(page: Page, number: str, name: str, spoken: str) -> None:
    """Numbers digit by digit, counters as a number."""
    said = page.evaluate(
        "async ([number, name]) => (await import('/pages/lib/announcer.js')).sentence({number, name}, 'zh-CN')",
        [number, name],
    )
    assert said == spoken


def test_what_is_left_out_when_there_is_much_to_say(page: Page) -> None:
    """Alone: chime, twice in Chinese, English. With more behind it first the repetition goes, then the rest."""
    lengths = page.evaluate(
        "async () => { const m = await import('/pages/lib/announcer.js'); "
        "const call = {number: 'A001', name: '1号窗口', nameEn: 'counter 1'};"
        " return [0, 3, 4, 9].map((waiting) => m.parts(call, waiting, ['zh-CN', 'en']).length); }"
    )
    assert lengths == [4, 3, 2, 1]


@pytest.mark.parametrize("seed", [1, 7, 20260302])
def test_250_calls_an_hour_are_all_heard_within_a_minute(page: Page, seed: int) -> None:
    """A hundred counters' peak hour builds no backlog of a minute, and nobody's call is left out."""
    heard = page.evaluate(HOUR, {"calls": 250, "seed": seed, "spread_s": 3600})
    assert heard["worst_s"] < 60
    assert heard["said"] >= 250


def test_a_number_called_again_is_said_once(page: Page) -> None:
    """A repeat that still waits to be spoken is one call; one that came meanwhile is not sent for."""
    said = page.evaluate(
        """async () => { const { Announcer } = await import('/pages/lib/announcer.js'); const said = []; let go;
        const first = new Promise((resolve) => { go = resolve; });
        const say = (part) => { if (part.text) said.push(part.text); return first; };
        const one = new Announcer({ languages: [], now_ms: () => 0, say });
        const call = (number, name) => one.add({ number, name, nameEn: name });
        call('A001', '1号'); call('A002', '2号'); call('A003', '3号'); call('A002', '4号');
        one.keep((call) => call.number !== 'A003'); go();
        while (one.isSpeaking) await new Promise((resolve) => setTimeout(resolve, 0));
        return Array.from(new Set(said)); }"""
    )
    assert said == ["请A零零一号到一号", "请A零零二号到四号"]
