"""Ticket ids: `<hall>.<26 characters>`. They encode their hall, are ordered by time, and cannot be guessed (80 random
bits), since holding one is the visitor's right to follow and cancel."""

import os
import re
from functools import lru_cache

from models.plan import HALL_ID_PATTERN
from queue_service.errors import UnknownTicket

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_HALL = re.compile(HALL_ID_PATTERN)
_CHANCE_LENGTH = 16
_DRAWN = 256
_FIVE_BITS = bytes(ord(_ALPHABET[byte % 32]) for byte in range(256))
"""Of each byte its lowest five bits, as a character."""
_chances: list[str] = []
os.register_at_fork(after_in_child=_chances.clear)


def new_ticket_id(hall: str, now_ms: int) -> str:
    """A new id; 48 bits of time, 80 of chance, in Crockford's base 32."""
    return f"{hall}.{_time_part(now_ms)}{_chance()}"


def _chance() -> str:
    """80 random bits. Many are drawn at once: on a virtual machine a call for them cost a tenth of a whole command."""
    if not _chances:
        drawn = os.urandom(_CHANCE_LENGTH * _DRAWN).translate(_FIVE_BITS).decode("ascii")
        _chances.extend(drawn[start : start + _CHANCE_LENGTH] for start in range(0, len(drawn), _CHANCE_LENGTH))
    return _chances.pop()


@lru_cache(maxsize=1)
def _time_part(now_ms: int) -> str:
    """The same for all tickets of a millisecond."""
    return "".join([_ALPHABET[now_ms >> shift & 31] for shift in range(45, -1, -5)])


def hall_of(ticket_id: str) -> str:
    """The hall of a ticket id; UnknownTicket where it cannot be one."""
    hall, _, rest = ticket_id.rpartition(".")
    if len(rest) != 26 or not _HALL.match(hall):
        raise UnknownTicket(f"{ticket_id[:80]!r} is not a ticket's id.", ticket=ticket_id[:80])
    return hall
