"""A thousand short lives of several nodes on SQLite, fifty on PostgreSQL: whatever befalls them, nothing is lost,
doubled or shown out of order. More by hand: `python -m tests.seeds --help`."""

import os
from collections.abc import Mapping

import pytest

from tests.databases import BOTH, Kind
from tests.seeds.hazards import Hazard
from tests.seeds.seeds import Outcome, run

pytestmark = pytest.mark.long

COUNTS: Mapping[Kind, int] = {Kind.SQLITE: 1_000, Kind.POSTGRESQL: 50}
ONCE_MORE = 2
MUST_HAPPEN = {
    "Answer", "OutcomeUnknown", "Unavailable", "WrongState", "asked again", "replayed", "resumed", "days opened",
    "killed at rest", "stopped", "clock jumped", *Hazard,
}  # fmt: skip
"""A simulation in which one of these never comes proves less than it says."""


def _all(kind: Kind, count: int) -> Outcome:
    total = Outcome()
    for one in run(kind, 1, count, os.cpu_count() or 1):
        total.add(one)
    return total


@pytest.mark.parametrize("kind", BOTH)
def test_whatever_befalls_the_nodes_every_promise_is_kept(kind: Kind) -> None:
    """The auditor finds nothing in any seed, all that may go wrong went wrong in some, and a seed's steps are the same
    in another process."""
    total = _all(kind, COUNTS[kind])
    assert not total.findings, "\n\n".join(total.findings.values())
    assert MUST_HAPPEN - {what for what, times in total.counts.items() if times} == set()
    again = _all(kind, ONCE_MORE)
    assert again.digests == {seed: total.digests[seed] for seed in again.digests}
