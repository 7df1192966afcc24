"""A real Prometheus watches a real node through a day: every rule and every panel has data, and the promise is true."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.vocabulary import Verdict
from queue_service.settings import Auth
from tests.monitoring.day import PlayedDay
from tests.monitoring.prometheus import FOLDER, Asked, program, running_prometheus
from tests.running import ROOT, Inner, eventually, inner_node

TOKEN = "a-token-that-nobody-guesses"
NAME = r"(?:(?:queue|http|process)_\w+|\w+:\w+:\w+|up)(?![\w(:])(?:\{[^}]*\})?"
"""A metric in a PromQL expression, with its selector."""


def panels() -> list[tuple[str, str]]:
    """Title and query of every panel of every dashboard."""
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "deploy/grafana/dashboards").glob("*")]
    found = [
        (f"{board['title']}: {panel['title']}", target["expr"])
        for board in boards
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]
    assert found
    return found


def inputs_of_alerts() -> set[str]:
    """Every metric that an alert looks at, but for those asked whether they are absent, and those that only a centre
    has (`tests.centre` finds them there)."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    found = {name for group in groups for rule in group["rules"] for name in re.findall(NAME, rule["expr"])}
    return {name for name in found if not name.startswith("queue_follow_")}


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[tuple[Asked, Inner, PlayedDay]]:
    """A node that asks for a token, at half past three of a day that Prometheus saw from its midnight on."""
    program("prometheus")
    day = PlayedDay()
    half = len(day.actions) // 2
    async with inner_node(tmp_path, day.clock, auth=Auth.TOKEN, token=TOKEN) as node:
        node.client.headers["Authorization"] = f"Bearer {TOKEN}"
        await day.open(node.client)
        target = node.base_url.removeprefix("http://")
        async with running_prometheus(tmp_path, target, TOKEN) as asked:
            for actions in (day.actions[:half], day.actions[half:-60]):
                await _scraped_anew(asked)
                await day.play(node.client, actions)
            await node.client.post("/v1/tickets/nobody.nothing/finish")
            await _scraped_anew(asked)
            yield asked, node, day


async def _scraped_anew(asked: Asked) -> None:
    """Wait for scrapes that began after this."""
    query = 'count_over_time(up{job="queue"}[1h])'
    before = sum(value for _, value in await asked.data(query))

    async def more() -> bool:
        return sum(value for _, value in await asked.data(query)) >= before + 2

    await eventually(more, "Prometheus scrapes")


async def test_rules_and_panels_have_data_and_the_promise_is_the_reports(
    watched: tuple[Asked, Inner, PlayedDay],
) -> None:
    """Each query of each panel and each input of each alert returns data, no rule fails, and the figures of the promise
    are those of promise-report to the last digit."""
    asked, node, day = watched

    async def empty() -> list[str]:
        asked_for = [(title, _filled(query, day.hall)) for title, query in panels()]
        asked_for += [("an alert", metric) for metric in sorted(inputs_of_alerts())]
        return [f"{title}: {query}" for title, query in asked_for if not await asked.data(query)]

    async def all_there() -> bool:
        return not await empty()

    try:
        await eventually(all_there, "every query has data", 15)
    except AssertionError:
        pytest.fail("\n".join(["no data for", *await empty()]))
    rules = await asked.rules()
    assert len(rules) >= 40
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
    await _the_promise_is_the_reports(asked, node, day)


async def _the_promise_is_the_reports(asked: Asked, node: Inner, day: PlayedDay) -> None:
    report = (await node.client.get(f"/v1/halls/{day.hall}/promise-report", params={"day": day.day})).json()
    by_period = {row["period"]: row for row in report["rows"] if row["scope"] == "period" and row["counted"]}
    assert set(by_period) == {"peak", "off_peak"}
    queries = dict(panels())
    shares = await asked.data(_filled(queries["Hall today: Promises kept today"], day.hall))
    assert {labels["period"]: value for labels, value in shares} == {
        period: row["share"] for period, row in by_period.items()
    }
    today = await asked.data(_filled(queries["Hall today: Today's tickets"], day.hall))
    assert {labels["verdict"]: value for labels, value in today} == {
        verdict.value: sum(row[verdict.value] for row in by_period.values()) for verdict in Verdict
    }
    assert all(0 < row["share"] < 1 for row in by_period.values()), "a day on which everything was kept proves little"


def _filled(query: str, hall: str) -> str:
    """A panel's query as Grafana sends it."""
    return query.replace("$hall", hall).replace("$__rate_interval", "1m")


async def test_metrics_ask_for_the_token(tmp_path: Path) -> None:
    """Without the token that prometheus.yml takes from its file, a guarded node shows no metrics."""
    async with inner_node(tmp_path, auth=Auth.TOKEN, token=TOKEN) as node:
        answers: list[Any] = [
            await node.client.get("/metrics", headers=headers) for headers in ({}, {"Authorization": f"Bearer {TOKEN}"})
        ]
    assert [answer.status_code for answer in answers] == [401, 200]
