"""docs/centre.md: its settings make a centre, its commands run as written, and it tells of every field."""

import re
import shlex
import subprocess
from pathlib import Path

from models.answers import FollowedAnswer
from tests.centre.halls import followed, put_hall, until_followed, work
from tests.halls import plan
from tests.house.checkout import ROOT
from tests.http.conftest import BEARER, TOKEN
from tests.running import QUEUE_SERVICE, assigned, environment, running_node, until

PAGE = (ROOT / "docs" / "centre.md").read_text(encoding="utf-8")


def blocks() -> list[str]:
    """What stands in fences, not indented."""
    found = re.findall(r"^( *)```\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines()) for indent, text in found]


def test_the_settings_make_a_centre_and_its_log_a_new_node(tmp_path: Path) -> None:
    """The variables as they stand, but for the nodes' addresses, follow two halls; what is said to restore a lost node
    gives one that has the hall's log and goes on."""
    settings, restoring, accepting = blocks()
    (tmp_path / "hall").mkdir()
    with running_node(tmp_path / "hall", "--auth", "token", QUEUE_TOKEN=TOKEN) as node:
        for hall in ("fengxian", "jinshan"):
            put_hall(node, hall, headers=BEARER)
        ours = re.sub(r"http://127\.0\.0\.1:800[12]", node.base_url, settings)
        ours = ours.replace('{"fengxian": "a-token', f'{{"jinshan": "{TOKEN}", "fengxian": "a-token')
        variables = dict(one.split("=", 1) for one in shlex.split(ours))
        url = variables.pop("QUEUE_DATABASE_URL")
        with running_node(assigned(tmp_path, url), **variables) as centre, centre.client() as client:
            ends = work(node, "fengxian", 4, headers=BEARER)
            until_followed(client, "fengxian", ends)
            until(lambda: not followed(client, "jinshan")["stale"], "the other hall is followed")
            for line in restoring.splitlines():
                done = subprocess.run(
                    [*QUEUE_SERVICE, *shlex.split(line.removeprefix("$ queue-service "))],
                    cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.returncode == 0, done.stderr
    (tmp_path / "database.url").unlink()
    with running_node(tmp_path) as restored, restored.client() as client:
        assert client.get("/v1/halls/fengxian").json()["name"] == plan()["name"]
        assert client.post("/v1/halls/fengxian/tickets", json={"service": "tax"}).json()["seq"] == ends + 1
    told = (
        r"\$ queue-service accept-history fengxian\nfengxian: \d+ events after event \d+ were set aside, the log is .*"
    )
    assert re.fullmatch(told, accepting)


def test_every_field_is_explained() -> None:
    """What `GET /v1/following` says of a hall."""
    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE))
    assert FollowedAnswer.model_fields.keys() - {"hall"} - named == set()
