"""Kinds of values that plans and requests are made of: no number from text, no control characters, no guessed time."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, StrictBool
from pydantic_core import PydanticCustomError

LINE_PATTERN = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f\s][^\x00-\x1f\x7f]*$"
"""Text of one line, not blank: control characters end up on displays and in spreadsheets, and NUL is no text to
PostgreSQL."""


def _is_number(given: Any) -> Any:
    if isinstance(given, str | bytes | bool):
        raise PydanticCustomError("number_type", "should be a number")
    return given


def _is_time(given: Any) -> Any:
    if isinstance(given, datetime) or (isinstance(given, str) and re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", given)):
        return given
    raise PydanticCustomError("time_type", "should be a time such as 2026-11-24T14:12:21Z")


def _is_date(given: Any) -> Any:
    if isinstance(given, date) or (isinstance(given, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", given)):
        return given
    raise PydanticCustomError("date_type", "should be a date such as 2026-11-24")


NUMBER = BeforeValidator(_is_number)
"""Behind the bounds of an `Annotated[int, ...]`: bounds that come after it are lost to the OpenAPI document."""
YesNo = StrictBool
Moment = Annotated[AwareDatetime, BeforeValidator(_is_time)]
Day = Annotated[date, BeforeValidator(_is_date)]
