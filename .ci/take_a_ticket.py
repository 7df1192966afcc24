"""The first minutes of an installed service, seen from outside: ready, a ticket, a counter, a call, the metrics.

Standard library only: `python take_a_ticket.py SERVE.LOG`, where SERVE.LOG holds what `queue-service serve` printed.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

START_S = 30


def until(ask: Callable[[], Any], otherwise: str) -> Any:
    """Ask until there is something; SystemExit when that takes too long."""
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        if found := ask():
            return found
        time.sleep(0.1)
    sys.exit(f"{otherwise} after {START_S} s")


def base_url(log: Path) -> str:
    """Where the server says it listens."""
    said = re.compile(r"Serving at (http://\S+)")
    found: re.Match[str] = until(lambda: said.search(log.read_text(encoding="utf-8")), "no server")
    return found[1]


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """GET, or POST where there is a body; the JSON of the answer (an error status raises)."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 (our own server)
    with urlopen(request, timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return json.loads(text) if answer.headers["Content-Type"].startswith("application/json") else text


def main() -> None:
    """Take a ticket of the sample hall and call it."""
    base = base_url(Path(sys.argv[1]))
    hall = f"{base}/v1/halls/fengxian"
    assert ask(f"{base}/readyz")["status"] == "ready"
    ticket = ask(f"{hall}/tickets", {"service": "business-registration"})
    assert ticket["number"] == "A001", ticket
    ask(f"{hall}/counters/1/open", {"clerk": "li"})
    ask(f"{hall}/counters/1/call-next", {})
    assert ask(f"{base}/v1/tickets/{ticket['id']}")["state"] == "called"
    until(lambda: "\nqueue_scribe_up 1.0" in ask(f"{base}/metrics"), "the process that stores is not there")
    assert ask(f"{base}/openapi.json")["openapi"].startswith("3.")
    sys.stdout.write(f"{ticket['number']} taken and called at {base}\n")


main()
