"""Advice that a node worked out itself, answered on the supervisor's board."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import expect

from tests.halls import noon_zone, plan
from tests.pages.conftest import NewPage
from tests.running import Node, command_line, database_url

HALL = "advised"
COMING_S = 120
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def recorded(path: Path) -> Path:
    """Three past weeks of this weekday: somebody comes every minute of the three hours about now."""
    noon = datetime.now(UTC).replace(second=0, microsecond=0)
    lines = ["hall,service,service_name,number,issued_at,called_at"]
    for week in (1, 2, 3):
        for minute in range(-60, 240):
            at = (noon - timedelta(weeks=week) + timedelta(minutes=minute)).isoformat()
            lines.append(f"{HALL},tax,税务,A{minute + 61:03},{at},{at}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_advice_of_the_node_is_accepted_on_the_board(new_page: NewPage, node: Node, tmp_path: Path) -> None:
    """Two counters for sixty visitors an hour: the board says to open more; who accepts it is asked nothing more, and
    the node has it in its log."""
    reserve = [{"services": ["tax"], "count": 5, "days": EVERY_DAY}]
    document = plan(HALL, windows=12, time_zone=noon_zone(), reserve=reserve)
    where = f"{node.base_url}/v1/halls/{HALL}"
    httpx.put(where, json=document).raise_for_status()
    imported = command_line("import", str(recorded(tmp_path / "past.csv")), "--database-url", database_url(node.folder))
    assert imported.returncode == 0, imported.stderr
    for counter in ("1", "2"):
        httpx.post(f"{where}/counters/{counter}/open", json={"clerk": f"clerk-{counter}"}).raise_for_status()
    board = new_page(f"/board/{HALL}", lang="en")
    region = board.get_by_role("region", name="Staffing advice")
    accept = region.get_by_role("button", name="Do it").first
    expect(accept).to_be_visible(timeout=COMING_S * 1000)
    accept.click()
    expect(region.get_by_text("accepted", exact=True)).to_be_visible(timeout=COMING_S * 1000)
    given = httpx.get(f"{where}/staffing", timeout=COMING_S).json()["given"]
    assert [one["answer"] for one in given].count("accepted") == 1
