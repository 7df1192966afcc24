"""What a visitor's phone is told of a hall: names, what can be had, how long it takes. See `models.answers`."""

from models.answers import AnswerShape, EstimateAnswer
from models.plan import CounterDocument, Names, ZoneDocument


class MenuService(AnswerShape):
    """A service. `waiting`: how many do; `suspended`: no calls now; `turned_away`: no tickets either; `bring`: what to
    bring along, by language."""

    id: str
    name: str
    names: Names
    bring: Names
    zone: str | None
    waiting: int
    suspended: bool
    turned_away: bool
    estimate: EstimateAnswer


class MenuAnswer(AnswerShape):
    """A hall as visitors know it. `phone_tickets`: a phone may take one; `come_now_ahead`: when to come;
    `postpones_left`: how often a ticket can still be postponed, None in the menu of a hall."""

    id: str
    name: str
    names: Names
    time_zone: str
    languages: list[str]
    phone_tickets: bool
    come_now_ahead: int
    postpone_max_s: int
    postpones_left: int | None
    zones: list[ZoneDocument]
    services: list[MenuService]
    counters: list[CounterDocument]
