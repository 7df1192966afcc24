"""The house's habits that no linter checks: files of one subject, functions of one screen, names that say something."""

import ast
from pathlib import Path

from tests.house.checkout import PACKAGES, ROOT, functions, modules

MOST_LINES = 320
MOST_LINES_OF_A_FUNCTION = 60
LISTS = {"queue_service/domain/events.py": 460, "queue_service/domain/commands.py": 340}
"""Files that are one list and would not be clearer in two: a class for each kind of event, one for each command."""
SAYING_NOTHING = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_no_file_is_longer_than_its_subject() -> None:
    """A module of the packages stays under about 300 lines."""
    lengths = {str(module): len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in _ours()}
    assert {name: lines for name, lines in lengths.items() if lines > LISTS.get(name, MOST_LINES)} == {}


def test_every_exception_to_the_length_is_still_needed() -> None:
    """An exempted file exists and is longer than the others may be."""
    assert all(len((ROOT / name).read_text(encoding="utf-8").splitlines()) > MOST_LINES for name in LISTS)


def test_no_function_is_longer_than_a_screen() -> None:
    """A function of the packages or of the tests stays under about 60 lines."""
    lengths = {
        f"{module}:{one.name}": (one.end_lineno or one.lineno) - one.lineno + 1
        for module in modules(*PACKAGES, "tests", "bench")
        if "migrations" not in module.parts  # a migration is a list of what it makes, and never touched again
        for one in functions(module)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_no_name_says_nothing() -> None:
    """No module or folder is called utils, helpers, common, manager or base."""
    named = {module: set(module.with_suffix("").parts) for module in modules(*PACKAGES, "tests", "bench")}
    assert {module: parts & SAYING_NOTHING for module, parts in named.items() if parts & SAYING_NOTHING} == {}


def test_every_module_says_what_lives_in_it() -> None:
    """Every module has a docstring."""
    assert [module for module in modules(*PACKAGES, "tests", "bench") if not _docstring(module)] == []


def test_every_test_states_its_fact() -> None:
    """Every test has a docstring that is a sentence."""
    silent = [
        f"{module}:{one.name}"
        for module in modules("tests")
        for one in functions(module)
        if one.name.startswith("test_") and not (ast.get_docstring(one) or "").rstrip().endswith((".", "?", "!", ")"))
    ]
    assert silent == []


def _ours() -> list[Path]:
    return modules(*PACKAGES)


def _docstring(module: Path) -> str | None:
    return ast.get_docstring(ast.parse((ROOT / module).read_text(encoding="utf-8")))
