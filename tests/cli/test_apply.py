"""`apply`: what it says of a plan that cannot be put now."""

from contextlib import closing
from pathlib import Path

from queue_service import schema
from queue_service.clock import SystemClock
from queue_service.database import Database
from tests.cli.conftest import Command
from tests.halls import noon_zone
from tests.metrics.driving import Drive

PLAN = """
id = "hall"
name = "moved"
time_zone = "UTC"
max_overtake_s = 3600
services = [{ id = "tax", name = "tax", prefix = "A" }, { id = "land", name = "land", prefix = "B" }]
counters = [{ id = "1", name = "one" }, { id = "2", name = "two" }, { id = "3", name = "three" }]
"""


def test_a_plan_that_moves_a_hall_under_its_visitors_is_refused(
    queue_service: Command, url: str, tmp_path: Path
) -> None:
    """In the words of the API: what stands in the way, and when it will not."""
    with closing(Database(url)) as database:
        schema.prepare(database)
        drive = Drive(database, start_ms=SystemClock().now_ms())
        drive.plan(time_zone=noon_zone())
        drive.issue()
    file = tmp_path / "hall.toml"
    file.write_text(PLAN, encoding="utf-8")
    refused = queue_service("apply", file, "--database-url", url)
    assert (refused.code, refused.out) == (2, "")
    assert (
        "In the way of this plan: open tickets: 1 (the time zone can be changed once they are done with" in refused.err
    )
