"""Alerts over a restart, and of two nodes that watch the same hall."""

import asyncio
from pathlib import Path
from typing import Any

from queue_service.clock import HandClock
from tests.halls import plan
from tests.http.desk import EIGHT_MS
from tests.running import Inner, inner_node


async def hall_with_an_idle_clerk(inner: Inner) -> None:
    """Somebody waits and nobody is called."""
    document = plan("hall", time_zone="Asia/Shanghai", alerts={})
    for method, path, body in (
        ("PUT", "", document),
        ("POST", "/counters/1/open", {"clerk": "li"}),
        ("POST", "/tickets", {"service": "tax"}),
    ):
        answer = await inner.client.request(method, f"/v1/halls/hall{path}", json=body)
        assert answer.is_success, answer.text


async def alerts_of(inner: Inner) -> list[dict[str, Any]]:
    """What the live promise lists."""
    answer = await inner.client.get("/v1/halls/hall/promise")
    alerts: list[dict[str, Any]] = answer.json()["alerts"]
    return alerts


async def look(inner: Inner) -> None:
    """Have the node look at the hall, as it does every few seconds by itself."""
    await inner.service.live.look(await inner.service.current_view("hall"))


async def test_alerts_survive_a_restart(tmp_path: Path) -> None:
    """What the hall warned of, and who saw it, is as it was; and it is not warned of anew."""
    clock = HandClock(EIGHT_MS)
    async with inner_node(tmp_path, clock) as inner:
        await hall_with_an_idle_clerk(inner)
        clock.set_ms(EIGHT_MS + 40_000)
        await look(inner)
        [alert] = await alerts_of(inner)
        path = f"/v1/halls/hall/alerts/{alert['id']}/acknowledge"
        seen = (await inner.client.post(path, json={"by": "wang"})).json()
        assert seen["acknowledged_by"] == "wang"
    async with inner_node(tmp_path, clock) as inner:
        await look(inner)
        assert await alerts_of(inner) == [seen]


async def test_two_nodes_warn_once(tmp_path: Path) -> None:
    """Two nodes on one database see the same at once; the log has it once."""
    clock = HandClock(EIGHT_MS)
    async with inner_node(tmp_path, clock) as one, inner_node(tmp_path, clock) as other:
        await hall_with_an_idle_clerk(one)
        await other.service.current_view("hall")
        clock.set_ms(EIGHT_MS + 40_000)
        await asyncio.gather(look(one), look(other))
        events = (await one.client.get("/v1/halls/hall/events")).json()["items"]
        assert [event["kind"] for event in events].count("alert_raised") == 1
