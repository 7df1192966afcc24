"""The service against an independent model: random commands, random faults, everything compared after each commit.

QUEUE_MODEL_DAYS and QUEUE_MODEL_EXAMPLES ask for more, QUEUE_MODEL_SEED repeats a run."""

import os
import secrets

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model import simulation
from tests.model.machine import Halls

pytestmark = pytest.mark.long

DAYS = int(os.environ.get("QUEUE_MODEL_DAYS", "60"))
STEPS = int(os.environ.get("QUEUE_MODEL_STEPS", "150"))
EXAMPLES = int(os.environ.get("QUEUE_MODEL_EXAMPLES", "20"))
SEED = int(os.environ.get("QUEUE_MODEL_SEED") or secrets.randbelow(2**32))


def test_days_go_as_the_model_says() -> None:
    """Over midnights, rollbacks and two writers, model and service agree in all that there is to see."""
    for number in range(SEED, SEED + DAYS):
        print(f"QUEUE_MODEL_SEED={number} QUEUE_MODEL_DAYS=1 QUEUE_MODEL_STEPS={STEPS}")
        days = simulation.drawn(number, STEPS)
        if (fault := simulation.fault_of(days)) is not None:
            pytest.fail(simulation.told(days, fault))


def test_every_sequence_that_hypothesis_finds_goes_as_the_model_says() -> None:
    """The same steps drawn by Hypothesis, which is better at what is odd and at cutting a failure down."""
    print(f"QUEUE_MODEL_SEED={SEED} QUEUE_MODEL_EXAMPLES={EXAMPLES}")
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=50,
        deadline=None,
        print_blob=True,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(SEED)(Halls), settings=chosen)
