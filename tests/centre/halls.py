"""Halls at work at nodes of their own, and what a node shows of one."""

from typing import Any

import httpx

from tests.halls import plan
from tests.running import Node, until


def put_hall(node: Node, hall: str, **options: Any) -> None:
    """Make a hall with counter 1 open."""
    with node.client(**options) as client:
        client.put(f"/v1/halls/{hall}", json=plan(hall)).raise_for_status()
        client.post(f"/v1/halls/{hall}/counters/1/open", json={"clerk": "li"}).raise_for_status()


def work(node: Node, hall: str, visitors: int, **options: Any) -> int:
    """Visitors come, every other one is called; where the log ends then."""
    with node.client(**options) as client:
        for number in range(visitors):
            answer = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax" if number % 3 else "land"})
            if number % 2:
                answer = client.post(f"/v1/halls/{hall}/counters/1/call-next", json={"finish_current": True})
            answer.raise_for_status()
        return seq_of(client, hall)


def seq_of(client: httpx.Client, hall: str) -> int:
    """Where the log of a hall ends at a node."""
    last: int = client.get(f"/v1/halls/{hall}/events", params={"after": 2**40}).json()["last_seq"]
    return last


def shown(client: httpx.Client, hall: str) -> dict[str, Any]:
    """All that a node shows of a hall, but for what depends on the moment of asking."""
    path = f"/v1/halls/{hall}"
    board = client.get(f"{path}/board").json()
    tickets = client.get(f"{path}/tickets", params={"limit": 1_000}).json()["items"]
    report = client.get(f"{path}/promise-report").json()
    return {
        "events": client.get(f"{path}/events", params={"limit": 1_000}).json(),
        "board": [board["seq"], board["head"], board["board"]],
        "tickets": [{**one, "estimate": None, "waited_s": None} for one in tickets],
        "legs": [client.get(f"/v1/tickets/{one['id']}/legs").json() for one in tickets],
        "report": [
            {name: row[name] for name in ("scope", "counted", "kept", "missed", "open")} for row in report["rows"]
        ],
        "csv": [row.split(",")[:8] for row in client.get(f"{path}/legs.csv").text.splitlines()],
    }


def followed(client: httpx.Client, hall: str) -> dict[str, Any]:
    """What a centre says of a hall that it follows."""
    items = client.get("/v1/following").json()["items"]
    found: dict[str, Any] = next(one for one in items if one["hall"] == hall)
    return found


def until_followed(client: httpx.Client, hall: str, seq: int) -> None:
    """Wait until a centre has a hall's log up to here."""
    until(lambda: followed(client, hall)["seq"] >= seq, f"the centre has event {seq} of {hall}")
