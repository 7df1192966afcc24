"""Settings: each is in the README and an option of `serve`; no file sets one that does not exist."""

import inspect
import re

import pytest

from api.cli import serve
from queue_service.settings import Settings
from tests.house.checkout import ROOT

VARIABLES = {f"QUEUE_{name.upper()}" for name in Settings.model_fields}


def test_the_readme_lists_every_setting() -> None:
    """A setting nobody can read about is no setting."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {variable for variable in VARIABLES if f"`{variable}`" not in text} == set()


def test_every_setting_is_an_option_of_serve() -> None:
    """`serve --port` is QUEUE_PORT, and so on for all."""
    assert Settings.model_fields.keys() <= inspect.signature(serve.serve).parameters.keys()


FILES = (
    "README.md", "CONTRIBUTING.md", ".ci/run", "Dockerfile", "deploy/compose.yaml", "deploy/compose.replicas.yaml",
    "docs/operations.md",
)  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_no_file_sets_what_does_not_exist(file: str) -> None:
    """Every QUEUE_ variable that a file names is a setting."""
    named = set(re.findall(r"\bQUEUE_[A-Z][A-Z_]*\b", (ROOT / file).read_text(encoding="utf-8")))
    assert named <= VARIABLES
