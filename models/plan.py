"""The plan document as it comes over the wire: shapes, types and ranges. What contradicts itself is found by
`queue_service.domain.plan.faults`, which needs the whole document."""

import re
from typing import Annotated, Literal, LiteralString
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from models.fields import LINE_PATTERN, NUMBER, Day, YesNo
from models.vocabulary import AlertKind, Channel, OrderRule, WaitClock

HALL_ID_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"

HallId = Annotated[str, StringConstraints(pattern=HALL_ID_PATTERN)]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,39})$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=LINE_PATTERN)]
Names = Annotated[dict[Slug, Name], Field(json_schema_extra={"additionalProperties": False})]
"""A name by language. Without the extra the OpenAPI document would allow any other key beside them."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=LINE_PATTERN)]
Texts = Annotated[dict[Slug, Text], Field(json_schema_extra={"additionalProperties": False})]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=LINE_PATTERN)]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Weekday = Annotated[str, StringConstraints(pattern=r"^(?:mon|tue|wed|thu|fri|sat|sun)$")]
Seconds = Annotated[int, Field(ge=0, le=86_400), NUMBER]
PositiveSeconds = Annotated[int, Field(ge=1, le=86_400), NUMBER]
Places = Annotated[int, Field(ge=0, le=100_000), NUMBER]

_NO_TIME_ZONE: tuple[LiteralString, LiteralString] = (
    "time_zone",
    "not the name of an IANA time zone, such as Asia/Shanghai",
)


def _known_time_zone(name: str) -> str:
    """Refuse what is not an IANA zone: an unknown one would only fail at the first ticket."""
    if not re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name):
        raise PydanticCustomError(*_NO_TIME_ZONE)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError(*_NO_TIME_ZONE) from error
    return name


class Document(BaseModel):
    """A part of the plan: unknown fields are refused, so that a misspelt one is not silently without effect."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class HoursDocument(Document):
    """Some hours of some weekdays, local time, `start` included and `end` not."""

    days: list[Weekday] = Field(default_factory=lambda: ["mon", "tue", "wed", "thu", "fri"], min_length=1, max_length=7)
    start: TimeOfDay
    end: TimeOfDay


class CalendarDocument(Document):
    """When the hall is open, when it is peak, when the dispenser gives tickets (empty: always)."""

    opening: list[HoursDocument] = Field(default_factory=list, max_length=50)
    peaks: list[HoursDocument] = Field(default_factory=list, max_length=50)
    dispenser: list[HoursDocument] = Field(default_factory=list, max_length=50)
    closed_dates: list[Day] = Field(default_factory=list, max_length=400)
    wait_clock: WaitClock = WaitClock.ALWAYS


class PeriodPromiseDocument(Document):
    """`percentile` of the visitors are to be called within `promise_s` seconds."""

    promise_s: PositiveSeconds
    percentile: Annotated[int, Field(ge=1, le=100), NUMBER] = 90


class PromiseDocument(Document):
    """The promise at peak and off-peak; `shoulder_s` seconds after a peak still count as peak."""

    peak: PeriodPromiseDocument = Field(default_factory=lambda: PeriodPromiseDocument(promise_s=600))
    off_peak: PeriodPromiseDocument = Field(default_factory=lambda: PeriodPromiseDocument(promise_s=120))
    shoulder_s: Seconds = 0


class ZoneDocument(Document):
    """A part of the hall."""

    id: Slug
    name: Name
    names: Names = Field(default_factory=dict)


class QuotaDocument(Document):
    """Places per half-day. Remote channels may not use the last `walk_in_reserve`; `channels` bounds one channel."""

    am: Places | None = None
    pm: Places | None = None
    walk_in_reserve: Places = 0
    channels: dict[Channel, Places] = Field(default_factory=dict)


class ServiceDocument(Document):
    """One matter people come for. `order_target_s` steers the order only; it is not the promise. `bring`: what to
    bring along, by language."""

    id: Slug
    name: Name
    names: Names = Field(default_factory=dict)
    bring: Names = Field(default_factory=dict)
    prefix: Prefix
    zone: Slug | None = None
    department: Name | None = None
    group: Name | None = None
    order_target_s: PositiveSeconds = 600
    hours: list[HoursDocument] = Field(default_factory=list, max_length=50)
    quota: QuotaDocument | None = None


class PriorityDocument(Document):
    """A class of visitors: a shorter order target (percent of the service's) and/or a head start. `condition`: who may
    claim it and with what proof, by language; kiosks and the desk show it."""

    id: Slug
    name: Name
    names: Names = Field(default_factory=dict)
    condition: Texts = Field(default_factory=dict)
    order_target_percent: Annotated[int, Field(ge=1, le=1000), NUMBER] = 100
    head_start_s: Seconds = 0


class CounterDocument(Document):
    """One window. Without `services` it takes every service of its zone (of the hall, where it has no zone)."""

    id: Slug
    name: Name
    names: Names = Field(default_factory=dict)
    zone: Slug | None = None
    services: list[Slug] | None = None


class ReserveDocument(Document):
    """Clerks who can be called in: `count` at once beyond those at work, for `services`, from `start` to `end`."""

    services: list[Slug] = Field(min_length=1, max_length=500)
    count: Annotated[int, Field(ge=1, le=500), NUMBER] = 1
    days: list[Weekday] = Field(default_factory=lambda: ["mon", "tue", "wed", "thu", "fri"], min_length=1, max_length=7)
    start: TimeOfDay = "00:00"
    end: TimeOfDay = "24:00"


class NoShowDocument(Document):
    """When a visitor who does not come may be passed over, and may come back."""

    recalls: Annotated[int, Field(ge=0, le=20), NUMBER] = 2
    after_s: Seconds = 60
    rejoins: Annotated[int, Field(ge=0, le=20), NUMBER] = 1
    rejoin_grace_s: Seconds = 600


class PostponeDocument(Document):
    """How often and by how much a visitor may postpone."""

    times: Annotated[int, Field(ge=0, le=20), NUMBER] = 1
    max_s: Seconds = 1800


class BurnDocument(Document):
    """Warn when the budget of misses burns more than `limit` times as fast as the promise allows, over the last
    `long_s` and over the last `short_s` seconds of opening hours."""

    kind: Literal[AlertKind.BURNING_FAST, AlertKind.BURNING_SLOWLY]
    long_s: PositiveSeconds
    short_s: PositiveSeconds
    limit: Annotated[int, Field(ge=1, le=100), NUMBER]


def _burns() -> list[BurnDocument]:
    """For 20 days of 8 open hours a month: 5 % of its budget in an hour, 10 % in four, 20 % in two days."""
    fast, slowly = AlertKind.BURNING_FAST, AlertKind.BURNING_SLOWLY
    return [
        BurnDocument(kind=fast, long_s=3_600, short_s=300, limit=8),
        BurnDocument(kind=fast, long_s=14_400, short_s=1_200, limit=4),
        BurnDocument(kind=slowly, long_s=57_600, short_s=4_800, limit=2),
    ]


class AlertsDocument(Document):
    """When the hall warns its staff. `burn_counted`: tickets that a burn needs; `foreseen_misses`: misses in the next
    half hour, at least; the others: seconds until it is told."""

    enabled: YesNo = True
    burn: list[BurnDocument] = Field(default_factory=_burns, max_length=10)
    burn_counted: Annotated[int, Field(ge=1, le=100_000), NUMBER] = 10
    foreseen_misses: Annotated[int, Field(ge=1, le=100_000), NUMBER] = 3
    idle_s: PositiveSeconds = 30
    silent_s: PositiveSeconds = 600
    help_s: PositiveSeconds = 180


class PhoneDocument(Document):
    """What phones may do. `tickets`: take one without any token, and read the hall's menu for it. `come_now_ahead`:
    with so many before them or fewer, visitors are told to come."""

    tickets: YesNo = False
    come_now_ahead: Annotated[int, Field(ge=0, le=1000), NUMBER] = 3


class PlanDocument(Document):
    """A hall's configuration, one document."""

    id: HallId
    name: Name
    names: Names = Field(default_factory=dict)
    time_zone: Annotated[str, AfterValidator(_known_time_zone)]
    languages: list[Slug] = Field(default_factory=lambda: ["zh-CN", "en"], min_length=1, max_length=20)
    training: YesNo = False
    order: OrderRule = OrderRule.LARGEST_SHARE
    max_overtake_s: PositiveSeconds
    promise: PromiseDocument = Field(default_factory=PromiseDocument)
    calendar: CalendarDocument = Field(default_factory=CalendarDocument)
    zones: list[ZoneDocument] = Field(default_factory=list, max_length=100)
    services: list[ServiceDocument] = Field(min_length=1, max_length=500)
    priorities: list[PriorityDocument] = Field(
        default_factory=lambda: [PriorityDocument(id="normal", name="normal")], min_length=1, max_length=20
    )
    counters: list[CounterDocument] = Field(min_length=1, max_length=500)
    reserve: list[ReserveDocument] = Field(default_factory=list, max_length=100)
    no_show: NoShowDocument = Field(default_factory=NoShowDocument)
    postpone: PostponeDocument = Field(default_factory=PostponeDocument)
    pause_reasons: list[Reason] = Field(default_factory=lambda: ["break"], max_length=50)
    park_reasons: list[Reason] = Field(default_factory=lambda: ["materials"], max_length=50)
    chosen_calls_per_day: Annotated[int, Field(ge=0, le=100_000), NUMBER] = 20
    check_in_channels: list[Channel] = Field(default_factory=list, max_length=2)
    emergency_prefix: Prefix | None = None
    phone: PhoneDocument = Field(default_factory=PhoneDocument)
    alerts: AlertsDocument = Field(default_factory=AlertsDocument)
