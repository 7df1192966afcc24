"""The page `/docs`: the OpenAPI document as Swagger UI shows it. Its files come with a package, since many halls have
no way to a network that would have them; of that package nothing is run."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.pages.serving import answer
from api.problems import problem

ROUTER = APIRouter(include_in_schema=False)

_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_SHELL = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="/pages/icon.svg">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script type="module" src="/pages/docs.js"></script>
</head>
<body><main id="page"></main></body>
</html>
"""


@cache
def _file(name: str) -> bytes:
    """Read when somebody looks at the page for the first time; found without importing the package."""
    found = find_spec("fastapi_swagger")
    assert found is not None, "it is a dependency"
    assert found.origin is not None, "it is a package with files"
    return (Path(found.origin).parent / "resources" / name).read_bytes()


@ROUTER.get("/docs")
async def docs(request: Request) -> Response:
    """The shell."""
    return answer(request, _SHELL, "text/html; charset=utf-8")


@ROUTER.get("/docs/{name}")
async def docs_file(request: Request, name: str) -> Response:
    """A file of Swagger UI's."""
    if name not in _TYPES:
        return problem(404, "not-found", "There is no such file.", "The description is at /docs.")
    return answer(request, _file(name), f"{_TYPES[name]}; charset=utf-8")
