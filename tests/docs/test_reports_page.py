"""docs/reports.md: its commands run as written, and it tells of every field, finding and dimension."""

import re
import shlex
from pathlib import Path

import pytest
from pydantic import BaseModel

from metrics.breakdown import DIMENSIONS, Row, Scope
from metrics.charts import Chart
from metrics.comparison import Comparison
from metrics.counters import CounterFigures
from metrics.course import HalfHour, WaitBin
from metrics.formats import Format
from metrics.integrity import Finding
from metrics.report import Report
from tests.cli.conftest import Command, copied, database_path, loaded, loads, queue_service, url
from tests.house.checkout import ROOT

__all__ = ["copied", "database_path", "loaded", "loads", "queue_service", "url"]

PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([a-z0-9_.]+)`", PAGE))


def test_every_command_on_the_page_runs(
    queue_service: Command,
    copied: Path,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each line of the block, as it stands, against a hall of that name."""
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        outcome = queue_service(*shlex.split(line)[1:], "--database-url", url)
        assert outcome.code == 0, outcome.err
    assert {path.name for path in tmp_path.iterdir()} >= {"march.html", "march.xlsx"}


@pytest.mark.parametrize("shape", [Report, Row, Comparison, HalfHour, WaitBin, CounterFigures])
def test_every_field_is_explained(shape: type[BaseModel]) -> None:
    """A figure nobody can look up is no figure."""
    known = {"rows", "counter", "mean_s", "p50_s", "p90_s", "max_s", "share", "from_day", "to_day"}
    assert shape.model_fields.keys() - NAMED - known == set()


def test_every_word_of_the_closed_sets_is_explained() -> None:
    """Findings, dimensions, forms, charts."""
    words = {*Finding, *DIMENSIONS, *Chart, Scope.SERVICE_OVERALL, Scope.CROSS}
    assert {word.value for word in words} - NAMED == set()
    assert all(f"| {form.value} |" in PAGE for form in Format)
