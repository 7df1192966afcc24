"""The halls that are measured: a large one with 64 counters in four zones, set up through the public API."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.calling import Line
from tests.halls import noon_zone

HALL = "bench"
ZONES = 4
SERVICES_PER_ZONE = 4
COUNTERS_PER_ZONE = 16
COUNTERS = ZONES * COUNTERS_PER_ZONE


def service_ids(zone: int) -> list[str]:
    """The services of a zone (0 to 3)."""
    return [f"matter-{zone}{number}" for number in range(SERVICES_PER_ZONE)]


def counter_ids(zone: int) -> list[str]:
    """The counters of a zone: 1 to 16 for zone 0, and so on."""
    return [str(zone * COUNTERS_PER_ZONE + number + 1) for number in range(COUNTERS_PER_ZONE)]


def plan(hall: str = HALL) -> dict[str, Any]:
    """64 one-window counters, 16 services, two priority classes, always giving tickets."""
    return {
        "id": hall,
        "name": "测速大厅",
        "time_zone": noon_zone(),
        "max_overtake_s": 900,
        "zones": [{"id": f"zone-{zone}", "name": f"区域{zone}"} for zone in range(ZONES)],
        "services": [
            {"id": name, "name": f"事项{zone}{number}", "prefix": chr(65 + zone * 4 + number), "zone": f"zone-{zone}"}
            for zone in range(ZONES)
            for number, name in enumerate(service_ids(zone))
        ],
        "priorities": [{"id": "normal", "name": "普通"}, {"id": "legal", "name": "依法优先", "head_start_s": 300}],
        "counters": [
            {"id": name, "name": f"{name}号窗口", "zone": f"zone-{zone}"}
            for zone in range(ZONES)
            for name in counter_ids(zone)
        ],
    }


def make(line: Line, hall: str = HALL) -> None:
    """Put the plan."""
    line.want("PUT", f"/v1/halls/{hall}", plan(hall))


def open_counters(line: Line, hall: str = HALL, zones: int = ZONES) -> None:
    """Sign a clerk on at every counter of the first `zones` zones."""
    for zone in range(zones):
        for counter in counter_ids(zone):
            line.want("POST", f"/v1/halls/{hall}/counters/{counter}/open", {"clerk": f"clerk-{counter}"})


def free_counters(line: Line, hall: str = HALL) -> None:
    """Let every counter go of what an interrupted load left there; commands of its may still be under way."""
    for counter in (name for zone in range(ZONES) for name in counter_ids(zone)):
        while (held := line.want("GET", f"/v1/halls/{hall}/counters/{counter}"))["ticket"] is not None:
            verb = "finish" if held["state"] == "serving" else "requeue"
            line.ask("POST", f"/v1/tickets/{held['ticket']}/{verb}")


def stored(database: Path) -> dict[str, int]:
    """How many events of each kind the database file has that somebody asked for, read beside the node."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT kind, count(*) FROM event WHERE actor <> 'system' GROUP BY kind"))
