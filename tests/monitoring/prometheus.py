"""A real Prometheus for tests: Debian's, on a free port, with the repository's own configuration and rules."""

import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.running import ROOT, TLS, WAIT_S, eventually

FOLDER = ROOT / "deploy" / "prometheus"
EVERY = "1s"


def program(name: str) -> str:
    """Where `prometheus` or `promtool` is; without it the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install prometheus): rules and panels are not evaluated")
    return found


def configuration(target: str, token_file: Path) -> str:
    """deploy/prometheus/prometheus.yml, hurried, scraping one target; rules by their full names; no Alertmanager."""
    document = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    document["global"] = {"scrape_interval": EVERY, "evaluation_interval": EVERY}
    document["rule_files"] = [str(FOLDER / name) for name in document["rule_files"]]
    (job,) = document["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    job["authorization"]["credentials_file"] = str(token_file)
    del document["alerting"]
    return yaml.safe_dump(document)


class Asked:
    """Answers of a Prometheus."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """`client` is at its address."""
        self._client = client

    async def rules(self) -> list[dict[str, Any]]:
        """Every rule as last evaluated."""
        groups = (await self._client.get("/api/v1/rules")).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def data(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of every series of an instant query. Fails where Prometheus does not understand it."""
        answer = (await self._client.get("/api/v1/query", params={"query": query})).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    async def is_ready(self) -> bool:
        """Whether it can be asked yet."""
        try:
            return (await self._client.get("/-/ready")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def running_prometheus(folder: Path, target: str, token: str) -> AsyncIterator[Asked]:
    """One that scrapes `target` (host:port), for the length of a block."""
    token_file = folder / "token"
    token_file.write_text(token, encoding="utf-8")
    (folder / "prometheus.yml").write_text(configuration(target, token_file), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    arguments = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
    )
    process = _start(folder, arguments)
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=WAIT_S, verify=TLS) as client:
            asked = Asked(client)
            await eventually(asked.is_ready, "Prometheus can be asked")
            yield asked
    finally:
        process.terminate()
        process.wait(WAIT_S)


def _start(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    with (folder / "prometheus.log").open("wb") as log:
        return subprocess.Popen([program("prometheus"), *arguments], stdout=log, stderr=log)
