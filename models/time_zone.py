"""Which names of time zones a hall may have."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic_core import PydanticCustomError

_NOT_OF_IANA = re.compile("localtime|posixrules|Factory|(?:posix|right)/.*")
"""What else lies in a system's folder of zones: it depends on the machine, means nothing, or counts leap seconds."""


def known_time_zone(name: str) -> str:
    """The name; ValueError where it is not one of IANA's: an unknown one would only fail at the first ticket."""
    named = re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name) and not _NOT_OF_IANA.fullmatch(name)
    try:
        if named:
            ZoneInfo(name)
            return name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise PydanticCustomError("time_zone", "not the name of an IANA time zone, such as Asia/Shanghai")
