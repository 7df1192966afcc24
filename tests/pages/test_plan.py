"""The plan editor: faults in their line, what would change, and nothing lost when somebody else was faster."""

import json
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.pages.conftest import NewPage, document
from tests.running import Node


def put(node: Node, hall: str, **changes: Any) -> httpx.Response:
    """The plan of a hall of its own, from outside."""
    return httpx.put(f"{node.base_url}/v1/halls/{hall}", json=document(hall, **changes)).raise_for_status()


def written(editor: Page) -> dict[str, Any]:
    """What stands in the editor."""
    found: dict[str, Any] = json.loads(editor.get_by_label("方案（JSON）").input_value())
    return found


def rewrite(editor: Page, plan: dict[str, Any]) -> None:
    """Write another plan."""
    editor.get_by_label("方案（JSON）").fill(json.dumps(plan, ensure_ascii=False, indent=2))


def test_a_fault_is_named_in_its_line(new_page: NewPage, node: Node) -> None:
    """A shape, a contradiction and broken JSON: each stands beside the line it is in, in the reader's language."""
    put(node, "faulty")
    editor = new_page("/plan/faulty")
    plan = written(editor)
    plan["services"][1]["zone"] = "north"
    plan["max_overtake_s"] = 0
    rewrite(editor, plan)
    number = next(
        place for place, line in enumerate(json.dumps(plan, indent=2).split("\n"), 1) if "max_overtake" in line
    )
    expect(editor.locator(".gutter .wrong")).to_have_text(str(number))
    expect(editor.locator(".mark")).to_have_text("不得小于 1")
    expect(editor.get_by_role("button", name="应用")).to_be_disabled()
    rewrite(editor, {**plan, "max_overtake_s": 60})
    expect(editor.locator(".mark")).to_have_text("没有这个区域")
    expect(editor.get_by_text("/services/1/zone")).to_be_visible()
    editor.get_by_label("方案（JSON）").fill('{\n "id": "faulty",\n}')
    expect(editor.locator(".mark")).to_have_text("不是有效的 JSON")
    expect(editor.locator(".gutter .wrong")).to_have_text("3")
    assert httpx.get(f"{node.base_url}/v1/halls/faulty").headers["etag"] == '"1"'


def test_what_would_change_is_shown_and_applied(new_page: NewPage, node: Node) -> None:
    """The preview names each difference; applying makes the next version, and nothing more is to change."""
    put(node, "edited")
    editor = new_page("/plan/edited")
    expect(editor.get_by_role("status").first).to_have_text("与现行方案相同")
    rewrite(editor, {**written(editor), "max_overtake_s": 1200})
    change = editor.get_by_role("listitem").filter(has_text="/max_overtake_s")
    expect(change).to_contain_text("3600 → 1200")
    editor.get_by_role("button", name="应用").click()
    expect(editor.get_by_role("status").first).to_have_text("与现行方案相同")
    answer = httpx.get(f"{node.base_url}/v1/halls/edited")
    assert (answer.headers["etag"], answer.json()["max_overtake_s"]) == ('"2"', 1200)


def test_who_was_overtaken_loses_nothing(new_page: NewPage, node: Node) -> None:
    """Somebody else applies meanwhile: it is explained, the text stays also over a reload, and is compared anew."""
    put(node, "contested")
    editor = new_page("/plan/contested")
    rewrite(editor, {**written(editor), "max_overtake_s": 1200})
    expect(editor.get_by_role("listitem").filter(has_text="/max_overtake_s")).to_be_visible()
    put(node, "contested", chosen_calls_per_day=7)
    editor.get_by_role("button", name="应用").click()
    explained = editor.get_by_role("alert").filter(has_text="其间有人修改了方案")
    expect(explained).to_be_visible()
    editor.reload()
    expect(explained).to_be_visible()
    assert written(editor)["max_overtake_s"] == 1200
    explained.get_by_role("button", name="与新方案比较").click()
    expect(editor.get_by_role("listitem").filter(has_text="/chosen_calls_per_day")).to_contain_text("7 → 20")
    editor.get_by_role("button", name="应用").click()
    expect(editor.get_by_role("status").first).to_have_text("与现行方案相同")
    assert httpx.get(f"{node.base_url}/v1/halls/contested").headers["etag"] == '"3"'


def test_a_hall_can_be_begun_in_the_browser(new_page: NewPage, node: Node) -> None:
    """Where there is none of that name the editor begins with a plan to fill in, and applying makes the hall."""
    editor = new_page("/plan/begun")
    rewrite(editor, {**written(editor), "name": "新厅"})
    editor.get_by_role("button", name="应用").click()
    expect(editor.locator("html")).to_have_attribute("data-fresh", "true")
    assert httpx.get(f"{node.base_url}/v1/halls/begun").json()["name"] == "新厅"


def test_no_fault_is_left_in_another_language(new_page: NewPage, node: Node) -> None:
    """A number written as a text, no time zone, no date, and what is in use: each in the reader's words."""
    put(node, "worded")
    ticket = httpx.post(f"{node.base_url}/v1/halls/worded/tickets", json={"service": "tax"}).json()
    editor = new_page("/plan/worded")
    plan = written(editor)
    for change, words in (
        ({"max_overtake_s": "60"}, "应为数字"),
        ({"time_zone": "Nowhere/At-All"}, "不是 IANA 时区名，如 Asia/Shanghai"),
        ({"calendar": {**plan["calendar"], "closed_dates": [20261124]}}, "应为日期，如 2026-11-24"),
    ):
        rewrite(editor, {**plan, **change})
        expect(editor.locator(".mark")).to_have_text(words)
    land = [one for one in plan["services"] if one["id"] == "land"]
    rewrite(editor, {**plan, "services": land, "counters": [{**plan["counters"][0], "services": ["land"]}]})
    expect(editor.locator(".faults li")).to_contain_text(f"{ticket['number']}（等待）属于事项 tax")
