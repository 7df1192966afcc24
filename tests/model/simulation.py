"""The same days from a plain random generator: longer and more varied than Hypothesis draws them. What fails is cut
down to the steps without which it does not."""

import traceback
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.model import steps
from tests.model.machine import Halls

Days = tuple[dict[str, Any], list[steps.Step]]


def drawn(seed: int, length: int) -> Days:
    """A beginning and so many steps."""
    random = Random(seed)  # noqa: S311 (anyone can repeat it)
    return steps.random_opening(random), [steps.random_step(random) for _ in range(length)]


def run(days: Days) -> None:
    """Live through the days; AssertionErrors and whatever the service raises pass through."""
    machine = Halls()
    try:
        machine.open_doors(days[0])
        for step in days[1]:
            machine.go_on(step)
    except BaseException:
        machine.side.close()
        raise
    machine.teardown()


def fault_of(days: Days) -> Exception | None:
    """What goes wrong in these days."""
    try:
        run(days)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the finding)
        return error
    return None


def cut_down(days: Days, fails: Callable[[Days], bool]) -> Days:
    """The days with all steps left out that the failure does not need."""
    opening, left = days
    size = len(left) // 2
    while size:
        for shorter in _without(left, size):
            if fails((opening, shorter)):
                left = shorter
                break
        else:
            size //= 2
    return opening, left


def told(days: Days, fault: Exception) -> str:
    """A failure with the steps that it needs."""
    place = _place(fault)
    opening, left = cut_down(days, lambda fewer: _place(fault_of(fewer)) == place)
    fault = fault_of((opening, left)) or fault
    trace = "".join(traceback.format_exception(fault, limit=-6))
    return "\n".join([f"open_doors({opening})", *(f"go_on({step})" for step in left), trace])


def _place(fault: Exception | None) -> tuple[str, int] | None:
    """Where it was raised: a shorter list of steps must fail in the same way."""
    if fault is None:
        return None
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return frame.filename, frame.lineno or 0


def _without(taken: list[steps.Step], size: int) -> Iterator[list[steps.Step]]:
    for start in range(len(taken) - size, -1, -size):
        yield taken[:start] + taken[start + size :]
