"""Serving the pages: one shell for each, and the modules, styles and words they load from this node alone.

The shells are the same for everybody and hold no data, so they are free to read; what they ask for afterwards is
subject to the access rules of the API. A page's script is `static/<page>.js`, its style `static/<page>.css`.
"""

import hashlib
import mimetypes
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from string import Template

import segno
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.problems import problem

ROUTER = APIRouter(include_in_schema=False)

PAGES = {
    "display": "/display/{hall}",
    "kiosk": "/kiosk/{hall}",
    "join": "/join/{hall}",
    "ticket": "/t/{ticket}",
    "desk": "/desk/{hall}",
    "counter": "/counter/{hall}/{counter}",
    "board": "/board/{hall}",
    "plan": "/plan/{hall}",
    "home": "/",
}
"""Where each page is."""

_STATIC = files("api") / "pages" / "static"
_NAME = re.compile(r"(?:lib/|words/)?[A-Za-z0-9-]+\.(?:js|css|json|svg)")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}
_SHELL = Template(
    """<!doctype html>
<html lang="zh-CN" data-page="$page">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="$scheme">
<title>·</title>
<link rel="icon" href="/pages/icon.svg">
<link rel="stylesheet" href="/pages/base.css">
<link rel="stylesheet" href="/pages/$page.css">
<script type="module" src="/pages/$page.js"></script>
</head>
<body><main id="page"></main><noscript>JavaScript</noscript></body>
</html>
"""
)


def _policy(request: Request) -> str:
    """Nothing from elsewhere, nothing inline. Older browsers do not take 'self' for websockets: the host is named."""
    host = request.headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        f"connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _headers(request: Request, etag: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": _policy(request),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-cache",
        "ETag": etag,
    }


def answer(request: Request, content: bytes, media_type: str) -> Response:
    """Content that only changes with the service, under the pages' policy."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = _headers(request, etag)
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


@cache
def _shell(page: str) -> bytes:
    scheme = "dark" if page == "display" else "light"
    return _SHELL.substitute(page=page, scheme=scheme).encode()


@cache
def _file(name: str) -> bytes | None:
    """A file of ours; None where there is none of that name."""
    found: Traversable = _STATIC
    for part in name.split("/"):
        found = found / part
    return found.read_bytes() if found.is_file() else None


def _page(page: str) -> None:
    async def show(request: Request) -> Response:
        return answer(request, _shell(page), "text/html; charset=utf-8")

    ROUTER.add_api_route(PAGES[page], show, methods=["GET"], name=f"{page}_page")


for _name in PAGES:
    _page(_name)


@ROUTER.get("/pages/{name:path}")
async def static_file(request: Request, name: str) -> Response:
    """A module, a style, words or a picture."""
    content = _file(name) if _NAME.fullmatch(name) else None
    if content is None:
        return problem(404, "not-found", "There is no such file.", "Pages load only what belongs to them.")
    suffix = name[name.rindex(".") :]
    media_type = _TYPES.get(suffix) or mimetypes.types_map[suffix]
    return answer(request, content, f"{media_type}; charset=utf-8")


@ROUTER.get("/qr/{kind}/{name}.svg")
async def qr(request: Request, kind: str, name: str) -> Response:
    """A QR code: `t` leads to a ticket's page, `join` to where a phone takes a ticket in a hall."""
    if kind not in ("t", "join") or not re.fullmatch(r"[A-Za-z0-9.-]{1,100}", name):
        return problem(404, "not-found", "There is no such code.", "Codes lead to /t/{ticket} or /join/{hall}.")
    url = f"{request.url.scheme}://{request.headers.get('host', '')}/{kind}/{name}"
    drawn = BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", scale=4, border=2, xmldecl=False, nl=False)
    return answer(request, drawn.getvalue(), "image/svg+xml")
