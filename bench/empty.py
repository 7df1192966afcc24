"""What commands are compared with: a FastAPI application that does nothing, served as the node is served.

`POST /empty` is the least FastAPI can do: no body declared, an empty object back. `POST /checked` reads and validates
the body that the issue command takes, as every useful endpoint must; its figures stand beside.
"""

from typing import Any

import uvicorn
from fastapi import FastAPI

from models.requests import IssueBody

APP = FastAPI()


@APP.post("/empty")
async def empty() -> dict[str, str]:
    """Nothing."""
    return {}


@APP.post("/checked")
async def checked(body: IssueBody) -> dict[str, str]:
    """Nothing, after looking at the body."""
    return {}


class Server(uvicorn.Server):
    """uvicorn, saying where it listens."""

    async def startup(self, sockets: Any = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        print(f"Serving at http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}", flush=True)


def main() -> None:
    """Serve with the settings of `api.cli.serve.Server`."""
    config = uvicorn.Config(
        APP, host="127.0.0.1", port=0, http="httptools", access_log=False, log_config=None, server_header=False
    )
    Server(config).run()


if __name__ == "__main__":
    main()
