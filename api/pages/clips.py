"""Recorded words for displays whose browser has no voice: the files of a folder that the node's operator names.

Free to read, as all that pages are made of: a browser's player sends no token. `docs/pages.md` says how they are named.
"""

import re
from pathlib import Path

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from api.asking import json_response, service_of
from api.problems import problem

ROUTER = APIRouter(include_in_schema=False)

_LANGUAGE = r"[a-z]{2}(?:-[A-Z]{2})?"
_CLIP = re.compile(rf"({_LANGUAGE})/[A-Za-z0-9_-]{{1,60}}\.(?:mp3|ogg|opus|wav|m4a)")


def _folder(request: Request) -> Path | None:
    named = service_of(request).settings.clips
    return None if named is None else Path(named)


@ROUTER.get("/clips/index.json")
async def clip_index(request: Request) -> Response:
    """The names of all clips there are, such as `zh-CN/please.mp3`."""
    folder = _folder(request)
    files = [] if folder is None else sorted(folder.glob("*/*.*"))
    names = [file.relative_to(folder).as_posix() for file in files if folder is not None]
    return json_response(orjson.dumps({"items": [name for name in names if _CLIP.fullmatch(name)]}))


@ROUTER.get("/clips/{language}/{name}")
async def clip(request: Request, language: str, name: str) -> Response:
    """One clip."""
    folder, path = _folder(request), f"{language}/{name}"
    if folder is None or not _CLIP.fullmatch(path) or not (folder / path).is_file():
        return problem(404, "not-found", "There is no such clip.", "/clips/index.json lists those there are.")
    return FileResponse(folder / path, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"})
