"""A setting or a plan that cannot be: lines that name what is wrong and what is allowed, whichever command meets it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command

OBJECT = 'write it as a JSON object, such as {"HALL": "VALUE"}'
RISING = "each bound must be greater than 0 and than the one before it"
WRONG = {
    "QUEUE_LOG_LEVEL=verbose": "log_level: Input should be 'critical', 'error', 'warning', 'info' or 'debug'",
    "QUEUE_FOLLOW=nonsense": f"follow: {OBJECT}",
    "QUEUE_FOLLOW=[]": f"follow: {OBJECT}",
    'QUEUE_FOLLOW_TOKENS={"east": secret}': f"follow_tokens: {OBJECT}",
    "QUEUE_WAIT_BUCKETS=5,10": "wait_buckets: write it as a JSON list of seconds, such as [60, 600]",
    "QUEUE_WAIT_BUCKETS=[10, 5]": f"wait_buckets: {RISING}",
    "QUEUE_WAIT_BUCKETS=[]": f"wait_buckets: {RISING}",
    "QUEUE_CLIPS=/nodir": "clips: there is no folder /nodir",
}


@pytest.mark.parametrize("setting", WRONG)
def test_a_wrong_variable_is_named_in_a_line(
    queue_service: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str
) -> None:
    """No traceback, and nothing is made."""
    name, _, value = setting.partition("=")
    monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    outcome = queue_service("verify")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{WRONG[setting]}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--log-level", "loud"), WRONG["QUEUE_LOG_LEVEL=verbose"]),
        (("--log-level", "info", "--clips", "/nodir"), WRONG["QUEUE_CLIPS=/nodir"]),
        (("--wait-buckets", "10", "--wait-buckets", "5"), WRONG["QUEUE_WAIT_BUCKETS=[10, 5]"]),
    ],
)
def test_a_wrong_option_of_serve_is_named_in_a_line(
    queue_service: Command, url: str, database_path: Path, options: tuple[str, ...], line: str
) -> None:
    """The node does not start."""
    outcome = queue_service("serve", "--database-url", url, "--auth", "token", "--token", "a-token-of-a-test", *options)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{line}\n")
    assert not database_path.exists()


def test_right_ones_are_taken_as_they_are_written(
    queue_service: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Levels in capitals too, as loggers write them."""
    for name, value in (
        ("LOG_LEVEL", "WARNING"), ("WAIT_BUCKETS", "[5, 10.5]"), ("FOLLOW", '{"east": "http://east"}'),
        ("FOLLOW_TOKENS", '{"east": "x"}'), ("CLIPS", str(tmp_path)),
    ):  # fmt: skip
        monkeypatch.setenv(f"QUEUE_{name}", value)
    monkeypatch.chdir(tmp_path)
    assert queue_service("verify").err == "There is no database at data/queue.db.\n"


READING = (("verify",), ("export",), ("report", "hall"), ("backup", "copy.db"), ("archive", "2026-01"))


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_reading_command_makes_no_folder(
    queue_service: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A mistyped path is said not to be there, and is not there afterwards either."""
    monkeypatch.chdir(tmp_path)
    outcome = queue_service(*command, "--database-url", "sqlite:///./typo/queue.db")
    assert (outcome.code, outcome.err) == (2, "There is no database at typo/queue.db.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_faulty_plan_is_told_in_no_words_of_python(queue_service: Command, tmp_path: Path, url: str) -> None:
    """An entry that is no object is called so, not by the class that was to be made of it."""
    file = tmp_path / "plan.toml"
    file.write_text('id = "hall"\nname = "Hall"\ntime_zone = "UTC"\nservices = ["tax"]\ncounters = []\n', "utf-8")
    outcome = queue_service("apply", file, "--database-url", url)
    assert outcome.code == 2
    assert "  /services/0: Input should be an object\n" in outcome.err


def test_a_plan_that_is_not_there_makes_no_database(
    queue_service: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever mistypes it starts with nothing once more."""
    monkeypatch.chdir(tmp_path)
    assert queue_service("serve", "--hall", "typo.toml", "--port", "0").code == 2
    assert list(tmp_path.iterdir()) == []
