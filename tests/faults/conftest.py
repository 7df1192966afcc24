"""What the tests of faults share: a seed that is printed, so that a failure can be repeated with TEST_SEED."""

import os
import random

import pytest


@pytest.fixture
def chance() -> random.Random:
    """Random numbers from a seed that the test's output names."""
    seed = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**9))
    print(f"TEST_SEED={seed}")
    return random.Random(seed)  # noqa: S311 (nothing secret)
