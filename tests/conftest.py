"""What holds for every test: a seed that is printed, so that a failure can be repeated with TEST_SEED, an end in order
for whoever asks the run to stop, and long ones first."""

import os
import random
import signal
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings

WORKERS: list[int] = []
"""Processes among which xdist shares the tests out."""


def pytest_configure() -> None:
    """SIGTERM ends the run as Ctrl-C does: fixtures are torn down, and the servers that tests have started are stopped
    (`atexit`); by default nothing of that would happen."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None)  # how long an example takes says more of the machine
    settings.load_profile("untimed")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodeready(node: Any) -> None:
    """A worker is up."""
    WORKERS.append(node.gateway._io.popen.pid)


def pytest_keyboard_interrupt() -> None:
    """Workers would be killed soon, and what their tests have started would stay: they are asked to end, too."""
    for worker in WORKERS:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGTERM)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `long` comes first: of several workers none is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture
def chance() -> random.Random:
    """Random numbers from a seed that the test's output names."""
    seed = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**9))
    print(f"TEST_SEED={seed}")
    return random.Random(seed)  # noqa: S311 (nothing secret)
