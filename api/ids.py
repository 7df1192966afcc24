"""Ticket ids: `<hall>.<26 characters>`. They encode their hall, are ordered by time, and cannot be guessed (80 random
bits), since holding one is the visitor's right to follow and cancel."""

import os
import re
from functools import lru_cache

from models.plan import HALL_ID_PATTERN
from queue_service.errors import UnknownTicket

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_HALL = re.compile(HALL_ID_PATTERN)
_CHANCE_BYTES = 10
_DRAWN = 256
_chances: list[int] = []
os.register_at_fork(after_in_child=_chances.clear)


def new_ticket_id(hall: str, now_ms: int) -> str:
    """A new id; 48 bits of time, 80 of chance, in Crockford's base 32."""
    return f"{hall}.{_time_part(now_ms)}{_coded(_chance(), 70)}"


def _chance() -> int:
    """80 random bits. Many are drawn at once: on a virtual machine a call for them cost a tenth of a whole command."""
    try:
        return _chances.pop()
    except IndexError:
        drawn = os.urandom(_CHANCE_BYTES * _DRAWN)
    starts = range(0, len(drawn), _CHANCE_BYTES)
    _chances.extend(int.from_bytes(drawn[start : start + _CHANCE_BYTES], "big") for start in starts)
    return _chances.pop()


@lru_cache(maxsize=1)
def _time_part(now_ms: int) -> str:
    """The same for all tickets of a millisecond."""
    return _coded(now_ms, 40)


def _coded(value: int, highest: int) -> str:
    return "".join([_PAIRS[value >> shift & 0x3FF] for shift in range(highest, -1, -10)])


def hall_of(ticket_id: str) -> str:
    """The hall of a ticket id; UnknownTicket where it cannot be one."""
    hall, _, rest = ticket_id.rpartition(".")
    if len(rest) != 26 or not _HALL.match(hall):
        raise UnknownTicket(f"{ticket_id[:80]!r} is not a ticket's id.", ticket=ticket_id[:80])
    return hall
