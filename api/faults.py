"""What pydantic finds wrong, for people who know neither it nor Python: where it is, and what. No HTTP here."""

import re
from typing import Any

_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")
"""How it writes a word of a closed set."""
_OBJECTS = frozenset(("dict_type", "mapping_type", "model_type", "model_attributes_type"))


def place_of(location: tuple[Any, ...]) -> str:
    """Where a fault is: a JSON pointer into the body, or the parameter's kind and name."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "/" + "/".join(parts[1:] if parts and parts[0] == "body" else parts)


def message_of(fault: Any) -> str:
    """What is wrong. An object is called so, and not by the class that was to be made of it."""
    if fault["type"] in _OBJECTS:
        return "Input should be an object"
    return _MEMBER.sub(r"\1", fault["msg"]).removeprefix("Value error, ")
