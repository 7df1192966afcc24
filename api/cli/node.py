"""Commands for a running node: `confirm-clock`."""

import sys
from typing import Annotated, Any, NoReturn

import httpx
import typer

from api.cli import APP, ERR, OUT

TIMEOUT_S = 10


@APP.command()
def confirm_clock(
    url: Annotated[str, typer.Option(help="where the node listens")] = "http://127.0.0.1:8000",
    token: Annotated[
        str | None, typer.Option(envvar="QUEUE_TOKEN", help="the node's bearer token, where it asks for one")
    ] = None,
) -> None:
    """Tell a node that its present time is right, after a jump of the clock made it unready.

    Look at the machine's time first: what the node does from then on is dated by it.
    """
    answer = _post(f"{url.rstrip('/')}/v1/node/confirm-clock", token)
    document = _document(answer)
    if answer.status_code == httpx.codes.OK:
        OUT.print("The clock is confirmed; the node is ready.")
    elif "reasons" in document:
        OUT.print("The clock is confirmed; the node is still not ready:")
        for reason in document["reasons"]:
            OUT.print(f"  {reason}")
        sys.exit(1)
    else:
        _fail(f"{url} answered {answer.status_code}: {document.get('detail', 'it is no node of this service')}")


def _post(url: str, token: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return httpx.post(url, headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _fail(f"No node answers at {url}: {error}")


def _document(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; empty where it is none."""
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _fail(message: str) -> NoReturn:
    ERR.print(message, style="red", markup=False)
    sys.exit(2)
