"""What a start loads: it is loading for the most part; what few commands or requests need comes with those."""

import signal
import subprocess
import sys
from pathlib import Path

from api.cli import COMMANDS, application
from tests.halls import plan
from tests.running import ROOT, START_S, command_line, environment, start_node, until

SAMPLE = ROOT / "deploy" / "halls" / "fengxian.toml"
BEFORE = "import atexit, gc, signal, sys; from api.cli import main; "
FROZEN = "'frozen' if gc.isenabled() and gc.get_freeze_count() else ''"
TELL = f"lambda *_: print('Loaded', {FROZEN}, *sys.modules, flush=True)"
WHEN_ASKED = (sys.executable, "-c", f"{BEFORE}signal.signal(signal.SIGUSR1, {TELL}); main()")
AT_THE_END = (sys.executable, "-c", f"{BEFORE}atexit.register({TELL}); main()")
DEAR = {
    "alembic",
    "httpx",
    "mako",
    "matplotlib",
    "numpy",
    "psycopg",
    "pygments",
    "scipy",
    "sklearn",
    "xlsxwriter",
    "xml.etree",
}


def told(output: str) -> set[str]:
    """What a process said it has loaded; nothing before the line is whole."""
    whole = [line for line in output.splitlines(keepends=True) if line.startswith("Loaded ") and line.endswith("\n")]
    return set(whole[0].split()[1:]) if whole else set()


def test_a_node_loads_nothing_that_its_first_commands_do_not_need(tmp_path: Path) -> None:
    """Neither what learns, draws, writes workbooks, migrates, nor what asks other nodes; and the collector, off while
    it was loaded, is on again and does not look at what was."""
    assert command_line("migrate", "--database-url", f"sqlite:///{tmp_path / 'queue.db'}").returncode == 0
    node = start_node(tmp_path, command=(*WHEN_ASKED, "serve"))
    with node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        assert client.post("/v1/halls/hall/tickets", json={"service": "tax"}).status_code == 201
    node.process.send_signal(signal.SIGUSR1)
    loaded = until(lambda: told(node.log), "the node says what it has loaded")
    assert node.stop() in (0, -signal.SIGTERM)
    assert {"api.app", "fastapi", "frozen"} <= loaded
    assert not DEAR & loaded


def test_a_command_loads_neither_the_server_nor_other_commands(tmp_path: Path) -> None:
    """A plan is put, and a log proved, without FastAPI; each command comes with the modules it needs."""
    url = f"sqlite:///{tmp_path / 'queue.db'}"
    assert command_line("apply", str(SAMPLE), "--database-url", url).returncode == 0
    for command in (("apply", str(SAMPLE)), ("verify",)):
        done = subprocess.run(
            [*AT_THE_END, *command, "--database-url", url],
            env=environment(), capture_output=True, text=True, check=True, timeout=START_S,
        )  # fmt: skip
        loaded = told(done.stdout)
        assert {"queue_service.batch", "frozen"} <= loaded
        assert not (DEAR | {"fastapi", "uvicorn", "api.cli.serve", "api.cli.demo"}) & loaded


def test_every_command_is_found_in_its_module() -> None:
    """The table of commands says what the modules register."""
    registered: dict[str, set[str]] = {}
    for one in application().registered_commands:
        assert one.callback is not None
        module = one.callback.__module__.removeprefix("api.cli.")
        registered.setdefault(module, set()).add(one.name or one.callback.__name__.replace("_", "-"))
    assert registered == {module: set(commands) for module, commands in COMMANDS.items()}
