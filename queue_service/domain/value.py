"""Values of the domain: what is asked for, and what has happened. Nothing changes them once they are made.

That is for the type checker to see to. At run time they are plain dataclasses with slots: to freeze one there, each
field is set by a call of its own; making an event took three times as long, a tenth of what deciding a command costs.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, slots: bool) -> Any:
        """As `dataclass`, with `frozen` left to the type checker."""
        return dataclass(slots=slots, unsafe_hash=frozen)
