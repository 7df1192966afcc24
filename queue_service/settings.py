"""Every setting, as `QUEUE_*` variables and as `serve` options of the same names."""

import json
import re
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.plan import HALL_ID_PATTERN

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Auth(StrEnum):
    """Who may send commands: anyone on this machine, or whoever holds the token."""

    OPEN = "open"
    TOKEN = "token"  # noqa: S105 (the word, not a secret)


class LogLevel(StrEnum):
    """What is not worth a line."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


_NODE = re.compile(r"https?://[^/@?#\s]+(/[^?#\s]*)?")
"""Without a name and password: those would be shown to whoever asks what is followed."""


def _pairs(given: object) -> object:
    """`HALL=VALUE` as the command line has it, several of them; a variable has a JSON object."""
    if isinstance(given, str):
        return _decoded(given, dict, 'a JSON object, such as {"HALL": "VALUE"}')
    if not isinstance(given, list):
        return given
    parts = [str(one).partition("=") for one in given]
    if wrong := next((name for name, sign, _ in parts if not sign), None):
        raise ValueError(f"write it as HALL=VALUE, not {wrong!r}")
    return {name: value for name, _, value in parts}


def _bounds(given: object) -> object:
    return _decoded(given, list, "a JSON list of seconds, such as [60, 600]") if isinstance(given, str) else given


def _decoded(given: str, kind: type, form: str) -> object:
    """The value of a variable that holds JSON; left to the library, what is no JSON is a traceback. The complaint does
    not repeat it: it may hold tokens."""
    try:
        value = json.loads(given)
    except ValueError:
        value = None
    if isinstance(value, kind):
        return value
    raise ValueError(f"write it as {form}")


def _rising(bounds: list[float]) -> list[float]:
    if not bounds or not all(before < after for before, after in pairwise([0.0, *bounds])):
        raise ValueError("each bound must be greater than 0 and than the one before it")
    return bounds


def _folder(named: str | None) -> str | None:
    if named is not None and not Path(named).is_dir():
        raise ValueError(f"there is no folder {named}")
    return named


class Settings(BaseSettings):
    """All that can be set from outside. Names on the command line: the same, with dashes, without QUEUE_."""

    model_config = SettingsConfigDict(env_prefix="QUEUE_", extra="ignore")

    database_url: str = Field(
        "sqlite:///./data/queue.db",
        description="where the log is kept: sqlite:///FILE, or postgresql://USER@HOST/DATABASE for several nodes",
    )
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8000, description="the port to listen on")
    auth: Auth = Field(Auth.OPEN, description="open (loopback only) or token")
    token: str | None = Field(None, description="the bearer token that `auth=token` asks for")
    max_body_bytes: Annotated[int, Field(ge=1_024)] = Field(
        1_048_576, description="larger request bodies are refused with 413"
    )
    socket_buffer_bytes: Annotated[int, Field(ge=4_096)] = Field(
        262_144, description="what may wait for one slow display before it gets a fresh snapshot instead"
    )
    heartbeat_s: Annotated[float, Field(gt=0, le=15)] = Field(15.0, description="how often a stream says it is alive")
    drain_s: Annotated[float, Field(ge=0, le=60)] = Field(
        0.0, description="asked to stop, a node is unready for so long, and serves, before it closes"
    )
    wait_buckets: Annotated[list[float], NoDecode, BeforeValidator(_bounds), AfterValidator(_rising)] = Field(
        default=[5, 15, 30, 60, 120, 180, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400],
        description="bucket bounds of the wait histogram in seconds, as a JSON list",
    )
    clips: Annotated[str | None, AfterValidator(_folder)] = Field(
        None, description="a folder of recorded words, for displays whose browser has no voice"
    )
    follow: Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs)] = Field(
        default_factory=dict,
        description="a read-only centre: by hall, the URL of the hall's own node, whose log it follows",
    )
    follow_tokens: Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs)] = Field(
        default_factory=dict, description="by hall, the bearer token that its own node asks for"
    )
    follow_s: Annotated[float, Field(gt=0, le=5)] = Field(1.0, description="how often a centre asks each hall's node")
    log_level: Annotated[LogLevel, BeforeValidator(str.lower)] = Field(
        LogLevel.INFO, description="critical, error, warning, info or debug"
    )

    @model_validator(mode="after")
    def _followable(self) -> "Settings":
        """Each hall that is followed has a node that can be asked, and only such halls have tokens."""
        for hall, url in self.follow.items():
            if not re.fullmatch(HALL_ID_PATTERN, hall):
                raise ValueError(f"QUEUE_FOLLOW: {hall!r} is no hall's id.")
            if not _NODE.fullmatch(url):
                raise ValueError(f"QUEUE_FOLLOW: {hall} is followed at http://HOST or https://HOST, not {url!r}.")
        for hall in self.follow_tokens:
            if hall not in self.follow:
                raise ValueError(f"QUEUE_FOLLOW_TOKENS: {hall} is not followed.")
        self.follow = {hall: url.rstrip("/") for hall, url in self.follow.items()}
        return self

    @model_validator(mode="after")
    def _guarded(self) -> "Settings":
        """Without credentials only this machine may ask; a token must be one that cannot be guessed."""
        if self.auth == Auth.OPEN and self.host not in LOOPBACK:
            raise ValueError(
                f"QUEUE_AUTH=open is for loopback only, not {self.host}: set QUEUE_AUTH=token and QUEUE_TOKEN."
            )
        if self.auth == Auth.TOKEN and len(self.token or "") < 16:
            raise ValueError("QUEUE_AUTH=token needs a QUEUE_TOKEN of at least 16 characters.")
        return self
