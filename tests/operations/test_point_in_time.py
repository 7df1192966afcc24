"""A moment of a PostgreSQL database is had back by the commands of docs/operations.md, run as they stand there."""

import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.databases import Server, new_folder, programs
from tests.faults.proving import verify
from tests.halls import plan
from tests.house.checkout import ROOT
from tests.http.reading import log_of, of_kind
from tests.running import assigned, running_node, until

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("**PostgreSQL.**")[1]


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


SETTINGS = dict(re.findall(r"^(\w+) = '?([^'\n]+)'?$", blocks("ini")[0], re.MULTILINE))
NIGHTLY, NAMED, RESTORED, PROVED = blocks("sh")


class Site:
    """A server that archives its log, and the place that its backups go to."""

    def __init__(self) -> None:
        """Started, with durability on."""
        self.folder = new_folder("backup")
        self.places = {"backup": self.folder, "restored": self.folder / "restored"}
        for name in ("wal", "base"):
            self.server_makes(self.folder / name)
        self.server = Server(name="archived").make()
        self.server.start(**{name: self.placed(value) for name, value in SETTINGS.items()})

    def server_makes(self, folder: Path) -> None:
        """A folder of the user that PostgreSQL runs as."""
        folder.mkdir()
        folder.chmod(0o777)

    def placed(self, text: str) -> str:
        """What the page says, with this site's folders in the place of the page's."""
        return re.sub(r"/(backup|restored)\b", lambda found: str(self.places[found[1]]), text)

    def run(self, script: str) -> str:
        """A block of the page, by the user that PostgreSQL runs as."""
        head = f'export PATH={programs()}:$PATH DATABASE="{self.server.url("postgres")}"\n'
        return self.server.run("/bin/bash", "-euo", "pipefail", "-c", head + self.placed(script))

    def archive_all(self) -> None:
        """End the present piece of the log and wait until it lies in the archive."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            [piece] = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or [""]
            asked = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
            until(lambda: connection.execute(asked, (piece,)).fetchone() == (True,), f"{piece} is archived")

    def restored(self) -> Server:
        """The server that the page's commands have made, at the address of the old one, which is gone."""
        self.server.stop(signal.SIGQUIT)
        self.run(RESTORED)
        server = Server(name="restored")
        server.data, server.port = self.folder / "restored", self.server.port
        return server.start()


@pytest.fixture
def site() -> Iterator[Site]:
    """Taken away at the end."""
    one = Site()
    yield one
    one.server.remove()


def take(client: httpx.Client, key: str) -> httpx.Response:
    """Take a ticket by a key."""
    return client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers={"Idempotency-Key": key})


def given(client: httpx.Client, name: str, times: int = 10) -> dict[str, str]:
    """Tickets, by their keys."""
    return {key: take(client, key).raise_for_status().json()["id"] for key in (f"{name}-{n}" for n in range(times))}


def given_while(client: httpx.Client, name: str, do: Callable[[], object]) -> dict[str, str]:
    """Tickets without a pause while something is done; one at least."""
    found = dict[str, str]()
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(do)
        for number in count():
            found |= given(client, f"{name}-{number}", 1)
            if doing.done():
                break
        doing.result()
    return found


def test_a_moment_is_had_back_and_gone_on_from(site: Site, tmp_path: Path) -> None:
    """A base backup is made while tickets are given; then a moment is named, more are given, and the server is lost.
    Restored to that moment it holds all that was acknowledged before and nothing that came after, and proves true; the
    node that had been ahead of it goes on from there."""
    with running_node(assigned(tmp_path, site.server.url("postgres"))) as node, node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        kept = given(client, "before")
        site.archive_all()
        kept |= given_while(client, "meanwhile", lambda: site.run(NIGHTLY))
        kept |= given(client, "after-the-backup")
        site.run(NAMED)
        lost = given(client, "lost")
        site.archive_all()
        server = site.restored()
        try:
            verify(tmp_path)
            until(lambda: client.get("/readyz").status_code == 200, "the node is ready")
            log = of_kind(log_of(client, "hall"), "ticket_issued")
            assert [event["ticket"] for event in log] == list(kept.values())
            check_goes_on(client, kept, lost)
            assert "Traceback" not in node.log, node.log
            node.stop()
            verify(tmp_path)
        finally:
            server.stop()


def check_goes_on(client: httpx.Client, kept: dict[str, str], lost: dict[str, str]) -> None:
    """Keys of before are known, those of after are new; numbers go on from the moment; the lost tickets are unknown."""
    again = {key: decided(client, key) for key in (*kept, *lost)}
    assert {key: again[key]["id"] for key in kept} == kept
    assert [again[key]["number"] for key in again] == [f"A{number:03d}" for number in range(1, len(again) + 1)]
    assert {client.get(f"/v1/tickets/{ticket}").status_code for ticket in lost.values()} == {404}
    end = log_of(client, "hall")[-1]
    until(lambda: shown(client) == (end["seq"], end["head"]), "the board is that of the log as it is now")


def shown(client: httpx.Client) -> tuple[int, str]:
    """The place in the log that the board is as of."""
    board = client.get("/v1/halls/hall/board").json()
    return board["seq"], board["head"]


def decided(client: httpx.Client, key: str) -> dict[str, str]:
    """The ticket of a key, asked for until it is decided."""
    answers = [take(client, key)]

    def is_decided() -> bool:
        if answers[-1].status_code == 503:
            answers.append(take(client, key))
        return answers[-1].status_code != 503

    until(is_decided, "it is decided")
    assert answers[-1].status_code == 201, answers[-1].text
    found: dict[str, str] = answers[-1].json()
    return found


def test_the_page_proves_the_restored_database() -> None:
    """What it tells to run is what the test above runs."""
    assert PROVED.split() == ["queue-service", "verify", "--database-url", '"$DATABASE"']
