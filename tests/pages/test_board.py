"""The supervisor's board: what is wrong is seen, heard and acknowledged, and what can be done stands beside it."""

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.pages.conftest import LANGUAGES, NewPage, document
from tests.running import Node, until

ADVICE = {
    "id": "7",
    "kind": "open",
    "text": {"zh-CN": "10:15 前为税务增开 1 个窗口", "en": "Open 1 more for tax"},
    "by": "2026-11-27T02:15:00Z",
}
STAFFING = {
    "as_of": "2026-11-27T02:00:00Z",
    "because": None,
    "text": {"zh-CN": "承诺将无法兑现", "en": "The promise would be broken"},
    "advice": [ADVICE],
}


def start(node: Node, hall: str) -> None:
    """A hall that warns at once of a clerk who does not call, while somebody waits."""
    with node.client() as client:
        client.put(f"/v1/halls/{hall}", json=document(hall, alerts={"idle_s": 1})).raise_for_status()
        client.post(f"/v1/halls/{hall}/counters/1/open", json={"clerk": "li"}).raise_for_status()
        client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).raise_for_status()


def test_an_alert_is_seen_heard_and_acknowledged(new_page: NewPage, node: Node) -> None:
    """It rings; who has seen it is in the log, and every board says so."""
    start(node, "warned")
    board, other = new_page("/board/warned"), new_page("/board/warned", "en")
    alert = board.get_by_role("alert").filter(has_text="1号窗口 已空闲")
    expect(alert).to_contain_text("税务", timeout=20_000)
    until(lambda: "chime" in board.evaluate("window.heard"), "the alert is heard")
    alert.get_by_role("button", name="确认").click()
    board.get_by_role("dialog").get_by_label("姓名或工号").fill("wang")
    board.get_by_role("dialog").get_by_role("button", name="确认").click()
    expect(board.get_by_text("wang 已于")).to_be_visible()
    expect(other.get_by_text("seen by wang")).to_be_visible()
    [known] = httpx.get(f"{node.base_url}/v1/halls/warned/promise").json()["alerts"]
    assert known["acknowledged_by"] == "wang"


def test_a_call_for_help_reaches_whoever_comes_later(new_page: NewPage, node: Node) -> None:
    """It is shown to a board that is opened after it, until the counter goes on."""
    httpx.put(f"{node.base_url}/v1/halls/rung", json=document("rung")).raise_for_status()
    for path, body in (("open", {"clerk": "zhao"}), ("help", None)):
        httpx.post(f"{node.base_url}/v1/halls/rung/counters/2/{path}", json=body).raise_for_status()
    board = new_page("/board/rung")
    expect(board.get_by_role("alert").filter(has_text="2号窗口 求助")).to_be_visible()
    httpx.post(f"{node.base_url}/v1/halls/rung/counters/2/pause", json={"reason": "break"}).raise_for_status()
    expect(board.get_by_role("alert").filter(has_text="2号窗口 求助")).to_have_count(0)


def test_the_hall_is_stopped_and_goes_on(new_page: NewPage, node: Node) -> None:
    """Suspend and resume are on the board, and a lobby display says so meanwhile."""
    httpx.put(f"{node.base_url}/v1/halls/stopped", json=document("stopped")).raise_for_status()
    board, display = new_page("/board/stopped"), new_page("/display/stopped")
    board.get_by_role("button", name="暂停办理").click()
    board.get_by_role("dialog").get_by_label("原因").fill("消防演练")
    board.get_by_role("dialog").get_by_role("button", name="暂停办理").click()
    expect(display.get_by_text("消防演练")).to_be_visible()
    board.get_by_role("button", name="恢复办理").click()
    expect(display.get_by_text("消防演练")).to_be_hidden()


def test_the_day_and_all_halls_are_shown(new_page: NewPage, node: Node) -> None:
    """Today's charts, drawn by the node, and every hall with its share and how many wait."""
    for hall in ("north", "south"):
        httpx.put(f"{node.base_url}/v1/halls/{hall}", json=document(hall)).raise_for_status()
        httpx.post(f"{node.base_url}/v1/halls/{hall}/tickets", json={"service": "tax"}).raise_for_status()
    board = new_page("/board/north")
    board.get_by_text("今日图表").click()
    picture = board.get_by_role("img", name="全天等待时间")
    expect(picture).to_be_visible()
    until(lambda: picture.evaluate("(image) => image.complete && image.naturalWidth > 0"), "the chart is drawn")
    halls = board.get_by_role("region", name="各大厅")
    expect(halls.get_by_role("listitem").filter(has=board.locator("a[href='/board/south']"))).to_contain_text(
        "1 人等待"
    )


def test_advice_is_told_in_words_and_answered(new_page: NewPage, node: Node) -> None:
    """The node's sentence; without an id there is nothing to answer, with one it is accepted or declined with why."""
    board = new_page("/board/hall")
    region = board.get_by_role("region", name="人手建议")
    expect(region).to_contain_text("暂无建议", timeout=20_000)
    expect(region.get_by_role("button")).to_have_count(0)
    answers: list[object] = []

    def told(route: Route) -> None:
        answers.append(route.request.post_data_json)
        route.fulfill(json={})

    def staffing(route: Route) -> None:
        reply = "declined" if answers else None
        route.fulfill(json={**STAFFING, "given": [{"id": "7", "answer": reply}]})

    board.route("**/staffing", staffing)
    board.route("**/staffing/7/answer", told)
    board.reload()
    expect(region).to_contain_text("为税务增开 1 个窗口")
    region.get_by_role("button", name="暂不采纳").click()
    board.get_by_role("dialog").get_by_label("原因").fill("午休")
    board.get_by_role("dialog").get_by_role("button", name="暂不采纳").click()
    expect(region).to_contain_text("未采纳")
    assert answers == [{"answer": "declined", "reason": "午休"}]
    expect(region.get_by_role("button")).to_have_count(0)


def test_all_halls_have_their_names_in_the_reader_s_language(new_page: NewPage, node: Node) -> None:
    """Not only the one whose board this is."""
    for hall in ("first", "second"):
        named = document(hall, name=f"{hall}厅", names={"en": f"The {hall} hall"})
        httpx.put(f"{node.base_url}/v1/halls/{hall}", json=named).raise_for_status()
    halls = new_page("/board/first", "en").get_by_role("region", name="Halls")
    expect(halls.get_by_role("link", name="The second hall")).to_be_visible()
    expect(halls.get_by_role("link", name="厅")).to_have_count(0)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_board_fits_a_phone(new_page: NewPage, node: Node, lang: str) -> None:
    """The hall's name has room beside the buttons, and nothing is wider than the screen."""
    httpx.put(f"{node.base_url}/v1/halls/narrow", json=document("narrow")).raise_for_status()
    board = new_page("/board/narrow", lang, width=390)
    expect(board.get_by_role("table")).to_be_visible()
    name = board.get_by_role("heading", level=1)
    assert name.evaluate("(name) => name.scrollWidth <= name.clientWidth && name.clientWidth > 60")
    assert board.evaluate("document.documentElement.scrollWidth") == 390
