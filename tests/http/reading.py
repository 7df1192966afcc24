"""Reading a hall's log over HTTP, for tests that compare what was answered with what was stored."""

from typing import Any

import httpx

PAGE = 1_000


def log_of(client: httpx.Client, hall: str) -> list[dict[str, Any]]:
    """Every event of a hall."""
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        answer = client.get(f"/v1/halls/{hall}/events", params={"after": after, "limit": PAGE})
        assert answer.status_code == 200, answer.text
        page = answer.json()["items"]
        events += page
        if len(page) < PAGE:
            return events


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The data of the events of a kind."""
    return [event["data"] for event in events if event["kind"] == kind]
