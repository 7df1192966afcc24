"""A real HAProxy for tests: Debian's, with the configuration of deploy/haproxy as it is, in front of real nodes."""

import csv
import io
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.databases import free_port
from tests.running import ROOT, TLS, WAIT_S, environment, until

CONFIGURATION = ROOT / "deploy" / "haproxy" / "haproxy.cfg"


def program() -> str:
    """Where HAProxy is; without it the test is skipped."""
    found = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip("haproxy is not installed (Debian: apt-get install haproxy): nothing is sent through the proxy")
    return found


@dataclass
class Proxy:
    """One that runs."""

    base_url: str
    watch_url: str

    def standing(self, column: str = "status", backend: str = "nodes") -> dict[str, str]:
        """A column of its statistics for each node: `status` (`UP`, `DOWN`, with how far a change is), `stot`
        (requests that it was given), ..."""
        answer = httpx.get(f"{self.watch_url}/;csv", verify=TLS, timeout=WAIT_S)
        rows = csv.DictReader(io.StringIO(answer.text.removeprefix("# ")))
        return {row["svname"]: row[column] for row in rows if row["pxname"] == backend and row["svname"] != "BACKEND"}

    def sees(self, node: str, status: str) -> None:
        """Wait until it takes the node (`node-1`, `node-2`) for UP or DOWN."""
        until(lambda: self.standing()[node] == status, f"the proxy takes {node} for {status}")

    def client(self, **options: object) -> httpx.AsyncClient:
        """A client of it."""
        return httpx.AsyncClient(base_url=self.base_url, timeout=WAIT_S, verify=TLS, **options)  # type: ignore[arg-type]


@contextmanager
def running_proxy(folder: Path, *nodes: str, status: str = "UP") -> Iterator[Proxy]:
    """A proxy before the nodes at these base URLs; it takes them for up (or down) when the block begins."""
    ports = free_port(), free_port()
    names = {f"NODE_{place}": url.removeprefix("http://") for place, url in enumerate(nodes, 1)}
    binds = {
        "PROXY_BIND": f"127.0.0.1:{ports[0]}",
        "PROXY_WATCH": f"127.0.0.1:{ports[1]}",
    }
    log_path = folder / "haproxy.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [program(), "-db", "-f", str(CONFIGURATION)], env=environment({**names, **binds}), stdout=log, stderr=log
        )
    proxy = Proxy(*(f"http://127.0.0.1:{port}" for port in ports))

    def is_settled() -> bool:
        assert process.poll() is None, log_path.read_text(encoding="utf-8")
        try:
            return set(proxy.standing().values()) == {status}
        except httpx.TransportError:
            return False

    try:
        until(is_settled, f"the proxy takes all nodes for {status}")
        yield proxy
    finally:
        process.terminate()
        process.wait(WAIT_S)
