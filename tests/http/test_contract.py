"""The OpenAPI document against the running service: no 5xx, no undocumented status, every answer as its schema says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.conftest import NewHall
from tests.running import Node, environment

pytestmark = pytest.mark.long

TICKETS = 12
EXAMPLES = 5
LONGEST_S = 240
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "missing_required_header",
    "well_formed_is_understood",
)


def _tickets(client: httpx.Client, hall: str) -> list[str]:
    """Some tickets: one finished, two held, the others waiting."""
    path = f"/v1/halls/{hall}"
    tickets = [client.post(f"{path}/tickets", json={"service": "tax"}).json()["id"] for _ in range(TICKETS)]
    client.post(f"{path}/counters/1/call-next")
    client.post(f"{path}/counters/1/call-next", json={"finish_current": True})
    client.post(f"{path}/counters/2/call-next")
    return tickets


def _narrowed(client: httpx.Client, hall: str) -> dict[str, Any]:
    """The document with names that mostly exist in its paths: with any others every answer would be 404."""
    document: dict[str, Any] = client.get("/openapi.json").json()
    names = {
        "hall": [hall, "nowhere"],
        "counter": ["1", "2", "3", "99"],
        "chart": ["wait", "distribution", "services", "counters", "days"],
        "ticket": [*_tickets(client, hall), f"{hall}.{'0' * 26}"],
        "alert": ["none"],
        "advice": ["none"],
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] = {"type": "string", "enum": names[parameter["name"]]}
    return document


def test_the_service_keeps_its_contract(node: Node, client: httpx.Client, new_hall: NewHall, tmp_path: Path) -> None:
    """Whatever the document allows or forbids to send, the answer is one that it describes."""
    narrowed = tmp_path / "openapi.json"
    narrowed.write_text(json.dumps(_narrowed(client, new_hall(open_counters=2))), encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(narrowed), "--url", node.base_url),
            *("--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--checks", ",".join(CHECKS)),
            *("--generation-deterministic", "--continue-on-failure", "--warnings", "off", "--no-color"),
        ],
        env=environment({"SCHEMATHESIS_HOOKS": "tests.http.contract_checks"}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    assert "Traceback" not in node.log
