"""The diagram and the table of docs/states.md, drawn from TABLE."""

import re

from models.vocabulary import TERMINAL_STATES, TicketState
from queue_service.domain.rules.table import TABLE

BEGIN = "<!-- begin: drawn from TABLE -->\n"
END = "<!-- end: drawn from TABLE -->\n"
OPEN_STATES = tuple(state for state in TicketState if state not in TERMINAL_STATES)


def rendered() -> str:
    """The part of the page between the marks, the first included."""
    return f"{BEGIN}\n{_diagram()}\n{_table()}\n"


def explained(page: str) -> set[str]:
    """The commands that have a paragraph of their own: lines that begin with `- **command**`."""
    return set(re.findall(r"^- \*\*([a-z-]+)\*\*", page, flags=re.MULTILINE))


def _diagram() -> str:
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, verb), targets in TABLE.items():
        for target in targets:
            arrows.setdefault((state, target), []).append(verb)
    lines = [f"    {start} --> {target}: {', '.join(verbs)}" for (start, target), verbs in arrows.items()]
    begins = [f"    [*] --> {state}: issue" for state in (TicketState.EXPECTED, TicketState.WAITING)]
    ends = [f"    {state} --> [*]" for state in TicketState if state in TERMINAL_STATES]
    return "\n".join(["```mermaid", "stateDiagram-v2", *begins, *lines, *ends, "```", ""])


def _table() -> str:
    verbs = dict.fromkeys(verb for _, verb in TABLE)
    rows = [f"| {verb} | " + " | ".join(_cell(state, verb) for state in OPEN_STATES) + " |" for verb in verbs]
    head = "| command | " + " | ".join(f"from {state}" for state in OPEN_STATES) + " |"
    return "\n".join([head, "|---" * (len(OPEN_STATES) + 1) + "|", *rows, ""])


def _cell(state: TicketState, verb: str) -> str:
    return " or ".join(TABLE.get((state, verb), ())) or "–"
