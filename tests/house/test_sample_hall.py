"""The plans in deploy/halls: what a newcomer starts with works at any hour and contradicts itself nowhere."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.plan import PlanDocument
from models.vocabulary import Period
from queue_service.domain.calendar import day_of, to_ms
from queue_service.domain.plan import Plan
from queue_service.domain.plan_faults import faults
from tests.house.checkout import ROOT

PLANS = sorted((ROOT / "deploy" / "halls").glob("*.toml"))
SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(path: Path) -> PlanDocument:
    """The plan of a file, validated."""
    return PlanDocument.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The sample hall as the rules use it."""
    return Plan.from_document(read(ROOT / "deploy/halls/fengxian.toml").model_dump(mode="json"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_plan_can_be_used(path: Path) -> None:
    """Each is well-formed, contradicts itself nowhere, and is named after its hall."""
    document = read(path)
    assert faults(document.model_dump(mode="json")) == []
    assert document.id == path.stem


def test_the_sample_hall_is_one_of_one_window_counters(plan: Plan) -> None:
    """Every counter takes all services of its zone, and every zone has counters."""
    of_zone = {
        zone["id"]: {one.id for one in plan.services.values() if one.zone == zone["id"]} for zone in _zones(plan)
    }
    assert len(of_zone) == 4
    assert all(set(counter.services) == of_zone[counter.zone or ""] for counter in plan.counters.values())
    assert {counter.zone for counter in plan.counters.values()} == of_zone.keys()


def test_the_first_lines_to_try_work_in_the_sample_hall(plan: Plan) -> None:
    """Counter 1 serves the first service: what `serve` prints leads to a call."""
    assert next(iter(plan.services)) in plan.counters["1"].services


def test_a_newcomer_gets_a_ticket_at_any_hour(plan: Plan) -> None:
    """No dispenser hours, quotas or service hours turn anybody away, on any day of the week."""
    for hour in range(7 * 24):
        moment = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)
        day = day_of(plan.calendar, moment.astimezone(SHANGHAI).date().isoformat())
        assert day.dispenses(to_ms(moment)), moment
    assert all(not service.hours and service.quota is None for service in plan.services.values())


def test_a_phone_ticket_of_the_sample_hall_waits_at_once(plan: Plan) -> None:
    """No channel must check in first."""
    assert plan.check_in_channels == frozenset()


@pytest.mark.parametrize(
    ("at", "peak"),
    [
        ("2026-03-02 08:59:59", False),
        ("2026-03-02 09:00:00", True),
        ("2026-03-02 10:59:59", True),
        ("2026-03-02 11:00:00", False),
        ("2026-03-06 13:30:00", True),
        ("2026-03-06 15:30:00", False),
        ("2026-03-07 10:00:00", False),
    ],
)
def test_the_peaks_are_weekday_mornings_and_afternoons(plan: Plan, at: str, peak: bool) -> None:
    """Monday to Friday 09:00 to 11:00 and 13:30 to 15:30, local time, ends not included."""
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    assert day_of(plan.calendar, at[:10]).is_peak(to_ms(moment)) is peak


def test_the_sample_hall_promises_ten_minutes_at_peak_and_two_otherwise(plan: Plan) -> None:
    """p90 within 600 s at peak, within 120 s off-peak."""
    assert {period: (p.promise_ms, p.percentile) for period, p in plan.promises.items()} == {
        Period.PEAK: (600_000, 90),
        Period.OFF_PEAK: (120_000, 90),
    }


def test_every_service_of_the_sample_hall_has_an_english_name() -> None:
    """The hall's second language is complete."""
    document = read(ROOT / "deploy/halls/fengxian.toml")
    assert [service.id for service in document.services if not service.names.get("en")] == []


def _zones(plan: Plan) -> list[dict[str, str]]:
    zones: list[dict[str, str]] = plan.document["zones"]
    return zones


def test_the_sample_hall_has_clerks_to_call_in(plan: Plan) -> None:
    """Advice can speak of opening counters there: each reserve serves what some counter serves, on working days."""
    assert plan.reserve
    for reserve in plan.reserve:
        assert any(reserve.services <= set(counter.services) for counter in plan.counters.values())
        assert {0, 4} <= set(reserve.hours.days) or {"mon", "fri"} <= set(reserve.hours.days)
