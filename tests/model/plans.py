"""The plans of the halls that the model is held against: one to start with, and random changes of it."""

from random import Random
from typing import Any

from models.plan import PlanDocument

A = {"id": "a", "name": "税务", "prefix": "A", "order_target_s": 600}
B = {"id": "b", "name": "社保", "prefix": "B", "order_target_s": 120, "zone": "west"}
D = {"id": "d", "name": "公安", "prefix": "D", "order_target_s": 700}
QUOTA = {"am": 6, "pm": 4, "walk_in_reserve": 2, "channels": {"phone": 1}}
MORNINGS = [{"days": ["mon", "tue", "sun"], "start": "00:00", "end": "12:00"}]
NORMAL, ELDER = {"id": "normal", "name": "普通"}, {"id": "elder", "name": "老年", "order_target_percent": 50}
SERVED = {"id": "served", "name": "军人", "head_start_s": 300}
ONE, TWO = {"id": "1", "name": "一"}, {"id": "2", "name": "二", "services": ["b", "a"]}
WEST, NEW = {"id": "3", "name": "三", "zone": "west"}, {"id": "4", "name": "四"}

CHANGES: dict[str, list[Any]] = {
    "order": ["largest_share", "fifo", "earliest_due", "strict"],
    "max_overtake_s": [3600, 1, 60, 600],
    "training": [False, False, False, True],
    "services": [
        [A, B, D], [{**A, "quota": QUOTA}, B, D], [A, B], [A, B, {**D, "hours": MORNINGS}],
        [{**A, "prefix": "AA"}, B, D], [D, B, A],
       [{**A, "prefix": "B"}, {**B, "prefix": "A"}, D], [{**A, "quota": {"am": 0, "pm": 2}}, B],
    ],
    "priorities": [[NORMAL, ELDER], [NORMAL, ELDER, SERVED], [NORMAL], [ELDER, NORMAL]],
    "counters": [[ONE, TWO, WEST], [ONE, TWO, WEST, NEW], [ONE, TWO], [TWO, WEST, NEW], [TWO, WEST]],
    "calendar": [
        {"peaks": [{"start": "09:00", "end": "11:00"}]},
        {},
        {"peaks": [{"days": ["sun", "mon"], "start": "00:00", "end": "24:00"}]},
        {"opening": [{"start": "08:00", "end": "12:00"}, {"start": "13:00", "end": "17:00"}], "wait_clock": "opening"},
        {"dispenser": [{"days": ["fri", "sat", "sun", "mon"], "start": "00:30", "end": "20:00"}]},
    ],
    "promise": [
        {},
        {"shoulder_s": 600},
        {"peak": {"promise_s": 300, "percentile": 80}, "off_peak": {"promise_s": 60}, "shoulder_s": 1},
    ],
    "no_show": [{"recalls": 0, "after_s": 5}, {"recalls": 1, "after_s": 60}, {"recalls": 0, "after_s": 0, "rejoins": 3},
                {"recalls": 0, "after_s": 20, "rejoins": 2, "rejoin_grace_s": 60}],
    "postpone": [{"times": 2, "max_s": 600}, {}, {"times": 0}],
    "chosen_calls_per_day": [20, 1, 0],
    "check_in_channels": [["web"], [], ["web", "phone"]],
    "emergency_prefix": ["P", None, "P", "D"],
    "pause_reasons": [["break"], ["lunch"]],
    "park_reasons": [["materials"], ["photo"]],
    "name": ["大厅", "another name"],
}  # fmt: skip

ZONES = {
    "hall": ["Asia/Shanghai", "Asia/Tokyo", "Asia/Kathmandu"],
    "far": ["Europe/Warsaw", "America/St_Johns", "Europe/Lisbon"],
}
"""Two halls, far apart. A hall that moves into another zone is a plan put right."""


def document(hall: str, changes: dict[str, int] | None = None) -> dict[str, Any]:
    """A complete plan: the first of all choices, but for `changes`, which say the which-th."""
    changes = changes or {}
    zone = ZONES[hall][changes.get("time_zone", 0) // 3 % 3]
    zones = [{"id": "west", "name": "西"}]
    chosen = {name: choices[changes.get(name, 0) % len(choices)] for name, choices in CHANGES.items()}
    return PlanDocument.model_validate({"id": hall, "zones": zones, "time_zone": zone, **chosen}).model_dump(
        mode="json"
    )


def drawn(hall: str, number: int) -> dict[str, Any]:
    """The plan of a number: 0 is the first of all choices, others have up to six parts changed. Some contradict
    themselves, some leave out what is in use."""
    random = Random(number)  # noqa: S311 (a shuffle that anyone can repeat)
    parts = random.sample([*CHANGES, "time_zone"], random.randint(0, 6) if number else 0)
    return document(hall, {part: random.randint(1, 9) for part in parts})
