"""Commands for a running node: `confirm-clock`, `accept-history`."""

import sys
from typing import Annotated, Any, NoReturn

import httpx
import typer

from api.cli import APP, ERR, OUT

TIMEOUT_S = 10


Url = Annotated[str, typer.Option(help="where the node listens")]
Token = Annotated[str | None, typer.Option(envvar="QUEUE_TOKEN", help="the node's bearer token, where it asks for one")]
HERE = "http://127.0.0.1:8000"


@APP.command()
def confirm_clock(url: Url = HERE, token: Token = None) -> None:
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
        _refused(url, answer)


@APP.command()
def accept_history(
    hall: Annotated[str, typer.Argument(help="the hall whose own node has another history")],
    url: Url = HERE,
    token: Token = None,
) -> None:
    """Tell a centre that the other history which a hall's own node has is the true one.

    Look why first: usually the node went back to a backup. What the centre has beyond it was acknowledged to visitors;
    `export` at the centre and `import` at a new node restores it instead, if the hall has not gone on yet. Once
    accepted, the centre follows the node again; what it alone had is set aside: `queue-service export --displaced`.
    """
    answer = _post(f"{url.rstrip('/')}/v1/halls/{hall}/accept-history", token)
    if answer.status_code != httpx.codes.OK:
        _refused(url, answer)
    found = _document(answer)
    OUT.print(
        f"{hall}: {found['set_aside']} events after event {found['common_seq']} were set aside, "
        f"the log is followed up to event {found['seq']}.",
        markup=False,
    )


def _refused(url: str, answer: httpx.Response) -> NoReturn:
    detail = _document(answer).get("detail", "it is no node of this service")
    _fail(f"{url} answered {answer.status_code}: {detail}")


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
