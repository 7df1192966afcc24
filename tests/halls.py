"""Plan documents for tests over HTTP, and a zone whose midnight is far away."""

from datetime import UTC, datetime
from functools import cache
from typing import Any


@cache
def noon_zone() -> str:
    """A time zone where it was about noon when it was first asked for: a test on the machine's clock never runs into
    midnight there, and a plan that is put again after the full hour does not move its hall."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


def plan(hall: str = "hall", windows: int = 3, **changes: Any) -> dict[str, Any]:
    """Two services, counters that serve both, two classes, short bounds, so that every command can be tried; it warns
    of nothing, so that nothing happens by itself."""
    return {
        "id": hall,
        "name": "大厅",
        "time_zone": noon_zone(),
        "max_overtake_s": 3600,
        "services": [
            {"id": "tax", "name": "税务", "prefix": "A"},
            {"id": "land", "name": "不动产", "prefix": "B"},
        ],
        "priorities": [{"id": "normal", "name": "普通"}, {"id": "elder", "name": "老年", "order_target_percent": 50}],
        "counters": [{"id": str(number), "name": f"{number}号窗口"} for number in range(1, windows + 1)],
        "no_show": {"recalls": 1, "after_s": 0},
        "check_in_channels": ["web"],
        "emergency_prefix": "Z",
        "alerts": {"enabled": False},
        **changes,
    }
