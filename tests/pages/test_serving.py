"""How the pages come: from this node alone, small, with a strict policy, and with every word in both languages."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Route, expect

from api.pages.serving import PAGES
from tests.http.conftest import TOKEN
from tests.pages.conftest import NewPage
from tests.running import Node, running_node

STATIC = Path(__file__).parents[2] / "api" / "pages" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
PATHS = ["/docs"] + [path.format(hall="hall", ticket="hall.x", counter="1") for path in PAGES.values()]
MOST_BYTES = 100_000
WORDS = {one.stem: json.loads(one.read_text(encoding="utf-8")) for one in sorted((STATIC / "words").glob("*.json"))}


@pytest.mark.parametrize("path", PATHS)
def test_a_page_may_load_from_its_own_node_only(node: Node, path: str) -> None:
    """The policy names nothing but this node, allows nothing inline, and the shell holds no script of its own."""
    answer = httpx.get(f"{node.base_url}{path}")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/)", answer.text)
    assert "<script>" not in answer.text


def test_an_unchanged_file_is_not_sent_again(node: Node) -> None:
    """With the ETag it has, a browser is told 304."""
    first = httpx.get(f"{node.base_url}/pages/base.css")
    again = httpx.get(f"{node.base_url}/pages/base.css", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize(
    "name",
    ["none.js", "../serving.py", "..%2fserving.py", "lib/", "words/fr.json", "base.css.map", "lib/../base.css%00"],
)
def test_nothing_else_is_served(node: Node, name: str) -> None:
    """Only the pages' own files can be read."""
    assert httpx.get(f"{node.base_url}/pages/{name}").status_code == 404


def test_a_code_leads_to_a_ticket_or_a_hall(node: Node) -> None:
    """QR codes are pictures; anything but tickets and halls has none."""
    drawn = httpx.get(f"{node.base_url}/qr/t/hall.0123.svg")
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert httpx.get(f"{node.base_url}/qr/x/hall.svg").status_code == 404
    assert httpx.get(f"{node.base_url}/qr/t/a%20b.svg").status_code == 404


def test_pages_are_free_and_what_they_ask_for_is_not(tmp_path: Path) -> None:
    """With a token, shells, scripts and codes are read without it; halls are not."""
    with running_node(tmp_path, "--auth", "token", QUEUE_TOKEN=TOKEN) as guarded, guarded.client() as anybody:
        assert [anybody.get(path).status_code for path in (*PATHS, "/pages/display.js", "/qr/join/hall.svg")] == [
            200
        ] * (len(PATHS) + 2)
        assert anybody.get("/v1/halls").status_code == 401
        assert anybody.post("/display/hall").status_code == 401


def test_the_description_needs_no_network(new_page: NewPage, node: Node) -> None:
    """It is drawn from this node's own files, with no other host in reach, under the policy of all pages."""
    page = new_page("/")
    asked: list[str] = []

    def away(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route(lambda url: not url.startswith((node.base_url, "data:")), away)
    page.goto("/docs")
    expect(page.get_by_role("heading", name="Queue service")).to_be_visible()
    page.get_by_role("button", name="POST /v1/halls/{hall}/tickets", exact=False).first.click()
    expect(page.get_by_text("phone-tickets").first).to_be_visible()
    assert asked == []
    assert httpx.get(f"{node.base_url}/docs/serving.py").status_code == 404


def test_our_script_is_small() -> None:
    """All of it together is under 100 KB: the box behind a display is old."""
    assert sum(one.stat().st_size for one in SCRIPTS) < MOST_BYTES


def test_both_languages_have_the_same_words() -> None:
    """Nothing is missing in one of them, and the places to fill in are the same."""
    places = {
        name: {word: sorted(re.findall(r"\{(\w+)\}", text)) for word, text in words.items()}
        for name, words in WORDS.items()
    }
    assert set(WORDS) == {"zh-CN", "en"}
    assert places["zh-CN"] == places["en"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_words_stand_in_the_catalogue(script: Path) -> None:
    """A script names words that are there and has no text of its own; only the announcer knows how Chinese is read."""
    code = re.sub(r"//.*", "", script.read_text(encoding="utf-8"))
    named = set(re.findall(r"""\bt\("([a-z_-]+)""", code))
    assert named <= WORDS["en"].keys()
    assert script.stem == "announcer" or not re.search(r"[\u4e00-\u9fff]", code)
    assert not re.search(r"""h\("[\w.-]+", \{[^{}]*\}, "[A-Za-z]""", code)


def test_every_word_is_used() -> None:
    """No word is left over."""
    code = "\n".join(one.read_text(encoding="utf-8") for one in SCRIPTS)
    built = re.findall(r"t\(`([a-z-]+)\$\{", code)
    unused = [
        word
        for word in WORDS["en"]
        if f'"{word}"' not in code and not word.startswith(tuple(built)) and not word.startswith("problem-")
    ]
    assert unused == []
