"""What a visitor's phone is told of a hall: names, what can be had, how long it takes. See `models.answers`."""

from models.answers import AnswerShape, EstimateAnswer
from models.plan import CounterDocument, Names, ZoneDocument


class MenuService(AnswerShape):
    """A service. `waiting`: how many do; `suspended`: no calls now; `bring`: what to bring along, by language."""

    id: str
    name: str
    names: Names
    bring: Names
    zone: str | None
    waiting: int
    suspended: bool
    estimate: EstimateAnswer


class MenuAnswer(AnswerShape):
    """A hall as visitors know it. `phone_tickets`: a phone may take one; `come_now_ahead`: when to come."""

    id: str
    name: str
    names: Names
    time_zone: str
    languages: list[str]
    phone_tickets: bool
    come_now_ahead: int
    postpone_max_s: int
    zones: list[ZoneDocument]
    services: list[MenuService]
    counters: list[CounterDocument]
