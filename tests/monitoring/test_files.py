"""What lies in deploy for Prometheus and Grafana is valid, and each alert fires when it should.

How the compose files put them together: tests/operations/test_compose.py.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.prometheus import FOLDER, program
from tests.running import ROOT

DEPLOY = ROOT / "deploy"
RULE_TESTS = ("alerts.yml", "alerts_over_hours.yml")
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]


def promtool(*arguments: str | Path) -> None:
    """Run it; it must have nothing to say against the files."""
    done = subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules() -> None:
    """Recording and alert rules parse, templates included, and no rule is there twice."""
    promtool("check", "rules", "--lint-fatal", FOLDER / "recording.yml", FOLDER / "alerts.yml")


@pytest.mark.parametrize("file", ["prometheus.yml", "replicas.yml"])
def test_promtool_accepts_the_configuration(file: str, tmp_path: Path) -> None:
    """It is valid, with the token's file where the test can put one."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    (tmp_path / "token").write_text("a-token-that-nobody-guesses", encoding="utf-8")
    for name in ("recording.yml", "alerts.yml"):
        (tmp_path / name).write_text((FOLDER / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(
        text.replace("/run/secrets/queue_token", str(tmp_path / "token")), encoding="utf-8"
    )
    promtool("check", "config", tmp_path / "prometheus.yml")


@pytest.mark.parametrize("file", RULE_TESTS)
def test_alerts_fire_when_they_should(file: str) -> None:
    """Series are played into the rules, and promtool finds each alert firing, or silent, as written."""
    promtool("test", "rules", ROOT / "tests" / "monitoring" / file)


def test_every_alert_is_tried_both_ways() -> None:
    """The rule tests hold, for every alert, a case in which it fires and one in which it is silent."""
    text = "".join((ROOT / "tests/monitoring" / file).read_text(encoding="utf-8") for file in RULE_TESTS)
    fires = set(re.findall(r'ALERTS\{alertname="(\w+)", alertstate="firing", \w+=', text))
    silent = set(re.findall(r'alertname="(\w+)", alertstate="firing"\}\n +eval_time: \w+\n +exp_samples: \[\]', text))
    assert fires == silent == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    """It has a severity, a summary, a description, and a runbook that is a section of our documents."""
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, section = rule["annotations"]["runbook_url"].split("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert section in {heading.lower().replace(" ", "-") for heading in headings}


def test_the_dashboards_are_what_the_code_makes(tmp_path: Path) -> None:
    """Made again they come out the same, and no other file lies beside them."""
    subprocess.run([sys.executable, DEPLOY / "grafana" / "make_dashboards.py", tmp_path], check=True)
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DEPLOY / "grafana" / "dashboards").iterdir()}
    assert kept == made


def test_every_panel_says_what_it_shows_and_asks_the_provisioned_source() -> None:
    """Title, description and query on each, and the data source by the uid that is provisioned."""
    provisioned = _yaml(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    for path in (DEPLOY / "grafana" / "dashboards").iterdir():
        shown = [panel for panel in _yaml(path)["panels"] if panel["type"] != "row"]
        assert all(panel["title"] and panel["description"] and panel["targets"] for panel in shown)
        assert {panel["datasource"]["uid"] for panel in shown} == {source["uid"] for source in provisioned}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
