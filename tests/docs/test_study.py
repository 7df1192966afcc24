"""docs/study.md: its script makes the figures it says it makes, where the records are."""

import json
import re
import subprocess
import sys

import pytest

from tests.house.checkout import ROOT
from tests.running import environment

RECORDS = ROOT.parent / "shared" / "data" / "warsaw"
PAGE = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
TABLE = "standard deviation 0.75 of the mean (the table above)"


def shares(line: str) -> list[float]:
    """The percentages of a row."""
    return [float(share) / 100 for share in re.findall(r"(\d+\.\d) %", line)]


def test_the_two_tables_of_the_study_agree() -> None:
    """The headline is the first row of the sensitivity table."""
    headline = [shares(line)[0] for line in PAGE.splitlines() if line.startswith("| ") and len(shares(line)) == 1][:4]
    (row,) = [line for line in PAGE.splitlines() if TABLE in line]
    assert headline == shares(row)


@pytest.mark.skipif(not RECORDS.exists(), reason="the records are not part of the project")
def test_the_script_finds_what_the_study_says_in_two_halls() -> None:
    """On the first two halls alone the recorded share comes out as recorded, and the divisions in the study's order;
    the same seed gives the same figures."""
    script = (sys.executable, "docs/make_study.py", str(RECORDS), "--halls", "2", "--runs", "1", "--quick")
    run = subprocess.run(script, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    row = found["rows"]["cv 0.75"]
    assert (found["tickets"], found["recorded"]) == (18988, 0.5677)
    assert row["as recorded"] == pytest.approx(found["recorded"], abs=0.02)
    assert row["as recorded"] + 0.05 < row["one_in_five"] < row["moved"] < row["pooled"]
    assert row["pooled"] == pytest.approx(0.9454, abs=0.0001)
