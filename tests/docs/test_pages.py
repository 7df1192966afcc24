"""What the documents say is so: their commands run as written, their links lead somewhere, their lists are complete."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from api.cli import application
from tests.house.checkout import ROOT
from tests.running import environment, running_node

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(path for path in ROOT.glob("**/*.md") if ".venv" not in path.parts and "node_modules" not in path.parts)
SAMPLE = ROOT / "deploy/halls/fengxian.toml"


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_readme_takes_and_calls_a_ticket(tmp_path: Path) -> None:
    """The lines for the second terminal, run as they stand against a new node, give and call the first ticket."""
    (script,) = blocks(README, "sh")
    with running_node(tmp_path, "--hall", str(SAMPLE)) as node:
        ours = script.replace("http://127.0.0.1:8000", node.base_url).replace("\ncurl", "\necho; curl")
        done = subprocess.run(["bash", "-euc", ours], capture_output=True, text=True, env=environment(), check=True)
    taken, opened, called, board, report = (json.loads(line) for line in done.stdout.splitlines() if line)
    assert (taken["number"], opened["clerk"], called["state"]) == ("A001", "li", "called")
    assert board["board"]["recent"][0]["number"] == "A001"
    assert (report["rows"][0]["counted"], report["rows"][0]["kept"]) == (1, 1)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    """Links and pictures within the project point at what is there."""
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_lists_every_command() -> None:
    """The table of commands names exactly those that `queue-service --help` shows."""
    shown = {name for name, command in typer.main.get_group(application()).commands.items() if not command.hidden}
    table = README.split("## Command line")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z-]+)", row)} == shown
