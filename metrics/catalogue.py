"""The words of reports and charts in each language, from `metrics/messages/`: no text for readers stands in code."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any


class Language(StrEnum):
    """The languages a report can be read in."""

    EN = "en"
    ZH_CN = "zh-CN"


class Words:
    """The texts of one language by their place in the catalogue, such as `section.promise`."""

    def __init__(self, language: Language, texts: Mapping[str, str]) -> None:
        """`texts`: by place."""
        self.language = language
        self.texts = texts

    def __call__(self, place: str, **values: Any) -> str:
        """The text at a place, its `{names}` filled in. Raises KeyError where there is none."""
        return self.texts[place].format(**values) if values else self.texts[place]

    def get(self, place: str, otherwise: str) -> str:
        """The text at a place, or another where there is none: for words that plans and logs bring along."""
        return self.texts.get(place, otherwise)


@lru_cache
def words(language: Language) -> Words:
    """The catalogue of a language."""
    text = files("metrics").joinpath("messages", f"{language.value}.toml").read_text(encoding="utf-8")
    return Words(language, dict(_flat(tomllib.loads(text))))


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        place = f"{before}{name}"
        found += _flat(value, f"{place}.") if isinstance(value, dict) else [(place, value)]
    return found
