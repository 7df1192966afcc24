"""The progress bar: on a terminal, on standard error, and nowhere else."""

import os
import pty
import subprocess

from tests.cli.conftest import SAMPLE
from tests.running import QUEUE_SERVICE, WAIT_S, environment


def test_long_work_shows_its_progress_on_a_terminal() -> None:
    """A bar on standard error that is taken away at the end; standard output is what it is without a terminal."""
    ours, theirs = pty.openpty()
    replaying = subprocess.Popen(
        [*QUEUE_SERVICE, "replay", SAMPLE, "--zone", "Asia/Shanghai"],
        env=environment({"TERM": "xterm"}),
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:
        pass  # the other end is closed: all has been shown
    os.close(ours)
    out, _ = replaying.communicate(timeout=WAIT_S)
    assert replaying.returncode == 0, shown
    assert b"replaying" in shown
    assert b"/589" in shown
    assert out.endswith(b"all figures are equal.\n")
    assert b"\x1b" not in out
