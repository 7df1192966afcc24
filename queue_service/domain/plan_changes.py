"""What a new plan would change: pure comparison of two documents, for people who look before they put it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One difference. `place`: a JSON pointer, entries of lists by their `id` where they have one. None: not there."""

    place: str
    before: Any
    after: Any


def plan_changes(before: Any, after: Any, place: str = "") -> Iterator[PlanChange]:
    """Every difference, as deep as both sides have the same shape. Where an entry stands in a list of entries with
    ids means nothing but for classes and languages, whose order is told as a change of the whole list."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from plan_changes(before.get(name), after.get(name), f"{place}/{name}")
    elif (old := _by_id(before)) is not None and (new := _by_id(after)) is not None:
        yield from plan_changes(old, new, place)
        if list(old) != list(new) and old.keys() == new.keys():
            yield PlanChange(place, list(old), list(new))
    else:
        yield PlanChange(place, before, after)


def _by_id(value: Any) -> dict[str, Any] | None:
    """A list of entries with different ids as a mapping; None: it is something else."""
    if not isinstance(value, list) or not all(isinstance(one, dict) and "id" in one for one in value):
        return None
    found = {one["id"]: one for one in value}
    return found if len(found) == len(value) else None
