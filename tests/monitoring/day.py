"""A day of a hall, played over HTTP into a node whose clock is set by hand."""

import asyncio
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from api.replay import CALL, Action, actions_of
from queue_service.clock import HandClock
from queue_service.domain.calendar import Calendar, day_of
from queue_service.history import read_history
from queue_service.history_plan import plan_of
from tests.running import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
DAY_FILE: Path = ROOT / "deploy" / "samples" / "day.csv"


class PlayedDay:
    """deploy/samples/day.csv: who came, and when a counter was free to call. Whom it calls the service decides."""

    def __init__(self) -> None:
        """Nothing has happened yet; it is the midnight before."""
        (recorded,) = read_history(DAY_FILE, lambda _: ZONE)
        self.hall, self.day = recorded.id, recorded.tickets[0].day
        self.actions = actions_of([recorded])
        self.clock = HandClock(day_of(Calendar(ZONE.key), self.day).start_ms)
        self._services = list(recorded.services)
        self._plan = plan_of(recorded)
        self._plan["promise"]["off_peak"] = {"promise_s": 120, "percentile": 90}
        self._plan["calendar"] = {
            "opening": [{"start": "08:00", "end": "17:00"}],
            "peaks": [{"start": "09:00", "end": "11:00"}],
        }

    async def open(self, client: httpx.AsyncClient) -> None:
        """Create the hall, sign on at every counter."""
        (await client.put(f"/v1/halls/{self.hall}", json=self._plan)).raise_for_status()
        for service in self._services:
            await self._post(client, f"counters/{service}/open", {"clerk": f"clerk of {service}"})

    async def play(self, client: httpx.AsyncClient, actions: list[Action]) -> None:
        """Let them happen, moment by moment."""
        for at_ms, moment in groupby(actions, key=lambda action: action.at_ms):
            self.clock.set_ms(at_ms)
            await asyncio.gather(*(self._happen(client, action) for action in moment))

    async def _happen(self, client: httpx.AsyncClient, action: Action) -> None:
        service = action.ticket.service
        if action.verb != CALL:
            await self._post(client, "tickets", {"service": service})
            return
        called = await self._post(client, f"counters/{service}/call-next", {"finish_current": True})
        if called is not None:
            (await client.post(f"/v1/tickets/{called['id']}/start")).raise_for_status()

    async def _post(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        answer = await client.post(f"/v1/halls/{self.hall}/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None
