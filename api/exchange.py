"""A plain command on its way from a connection to the engine and back, without ASGI and without a task of its own.

Most of what a request costs is neither deciding nor storing: a scope, messages, a task and its turns of the event loop,
a head written header by header. A command whose request is plain needs none of it: its route's function is called when
the body is there, goes on when the engine's future is done, and what it returns is written at once. Everything else
goes uvicorn's way, as it came.
"""

import asyncio
import logging
import time
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import ValidationError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.corked import Corked
from api.direct import Answering, Asked, NotPlain
from api.edge import Edge
from api.problems import on_bug, problem_of
from queue_service.errors import QueueServiceError

LOG = logging.getLogger("queue_service.exchange")


class Exchange:
    """One request and its answer. It stands where uvicorn's protocol has the cycle of a request, with all that the
    protocol touches there."""

    __slots__ = (
        "_answering",
        "_asked",
        "_begun",
        "_connection",
        "_edge",
        "_scope",
        "_transport",
        "body",
        "disconnected",
        "keep_alive",
        "response_complete",
    )

    message_event = asyncio.Event()
    """Nobody waits for it."""

    def __init__(self, connection: HttpToolsProtocol, transport: Corked, edge: Edge, asked: Asked) -> None:
        """The head has come."""
        self._connection = connection
        self._transport = transport
        self._edge = edge
        self._asked = asked
        self._scope: dict[str, Any] = connection.scope  # type: ignore[assignment]
        self._answering: Answering
        self._begun = 0.0
        self.body = b""
        self.keep_alive = connection.parser.should_keep_alive()
        self.disconnected = self.response_complete = False

    def begin(self) -> bool:
        """The body has come; False: it is not plain, and nothing was done."""
        self._begun = time.perf_counter()
        try:
            self._answering = self._asked.begin(self._edge.direct.app, self._scope, self.body)
        except (NotPlain, ValidationError):
            return False
        self._connection.loop.call_soon(self._go_on)  # not while the parser may still have more
        return True

    def _go_on(self, _: object = None) -> None:
        """Run the route's function up to the next future that it waits for; it waits for nothing else."""
        try:
            future: asyncio.Future[Any] = self._answering.send(None)
            future._asyncio_future_blocking = False  # noqa: SLF001 (a task takes its mark away, too)
            future.add_done_callback(self._go_on)
        except StopIteration as end:
            self._end(end.value)
        except QueueServiceError as error:
            self._end(problem_of(error))
        except (Exception, asyncio.CancelledError) as error:
            LOG.exception("command-failed")
            self.keep_alive = False
            self._end(on_bug(Request(self._scope), error))

    def _end(self, response: Response) -> None:
        """Count it, and answer whoever is still there."""
        self.response_complete = True
        route, status = self._asked.way.route.path, response.status_code
        self._edge.count("POST", route, status, time.perf_counter() - self._begun)
        connection, transport = self._connection, self._transport
        if self.disconnected or transport.is_closing():
            return
        if self._edge.is_stopping():
            self.keep_alive = False
        parts = [STATUS_LINE[status]]
        for name, value in (*connection.server_state.default_headers, *response.raw_headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n", bytes(response.body))
        transport.write_answer(b"".join(parts))
        if not self.keep_alive:
            transport.close()
        connection.on_response_complete()
