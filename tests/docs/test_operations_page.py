"""docs/operations.md: the tests it names are there, its alerts are all of them, its commands are commands.

Its backup and restore are run in tests/operations/test_point_in_time.py.
"""

import re
import shlex
import subprocess

import pytest
import typer.main
import yaml

from api.cli import application
from tests.house.checkout import ROOT, functions, modules

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES = ROOT / "deploy" / "prometheus"


def section(title: str) -> str:
    """What stands under a heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's table, its head left out."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [
        text
        for named, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if named == language
    ]


def test_every_failure_is_shown_by_tests_that_there_are() -> None:
    """Each row names at least one, and no test that is gone."""
    there = {one.name for module in modules("tests") for one in functions(module)}
    for failure, *_, shown_by in rows("What fails, and what people see"):
        named = re.findall(r"`(test_\w+)`", shown_by)
        assert named, failure
        assert set(named) <= there, failure


def test_every_alert_has_its_row() -> None:
    """Of Prometheus: each once, as urgent as the rule says, leading to its runbook."""
    groups = yaml.safe_load((RULES / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    alerts = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    found = {}
    for name, whose, _ in rows("Alerts"):
        link = re.fullmatch(r"\[(\w+)\]\(monitoring\.md#(\w+)\)", name)
        assert link is not None, name
        assert link[2] == link[1].lower()
        found[link[1]] = whose.rpartition(", ")[2]
    assert found == {name: rule["labels"]["severity"] for name, rule in alerts.items()}


def test_every_command_that_it_names_is_one() -> None:
    """Those of `queue-service`, wherever they stand, and each file of deploy that a command takes."""
    commands = typer.main.get_group(application()).commands
    assert set(re.findall(r"queue-service ([a-z]+(?:-[a-z]+)*)", PAGE)) <= set(commands)
    for line in "".join(blocks("")).splitlines():
        words = shlex.split(line)
        assert all((ROOT / word).exists() for word in words if word.startswith("deploy/")), line


def test_its_compose_commands_name_services() -> None:
    """`run` and `up` are about services of the file they name."""
    services = yaml.safe_load((ROOT / "deploy" / "compose.replicas.yaml").read_text(encoding="utf-8"))["services"]
    lines = [line for line in "".join(blocks("")).splitlines() if re.search(r"\.yaml (run|up) ", line)]
    asked = [line.split()[-1] for line in lines]
    assert asked == ["migrate", "queue-1", "queue-2"]
    assert set(asked) <= set(services)


def test_it_turns_the_rules_into_those_of_the_operator() -> None:
    """The loop, run as it stands, gives documents whose groups are those of the files."""
    (loop,) = [block for block in blocks("sh") if "PrometheusRule" in block]
    made = subprocess.run(["bash", "-euc", loop], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    documents = list(yaml.safe_load_all(made))
    assert [document["metadata"]["name"] for document in documents] == ["queue-recording", "queue-alerts"]
    for document in documents:
        name = document["metadata"]["name"].removeprefix("queue-")
        assert document["kind"] == "PrometheusRule"
        assert document["spec"] == yaml.safe_load((RULES / f"{name}.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"\bQUEUE_[A-Z_]+\b", PAGE))))
def test_every_setting_that_it_names_is_in_the_readme(variable: str) -> None:
    """The page explains no setting that does not exist."""
    assert f"`{variable}`" in (ROOT / "README.md").read_text(encoding="utf-8")
