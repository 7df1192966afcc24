"""uvicorn's HTTP protocol: answers are written once (see `corked`), and plain commands answered a shorter way (see
`exchange`)."""

import asyncio
import re
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from api.corked import Corked
from api.edge import Edge
from api.exchange import Exchange

_PLAIN = re.compile(rb"[\w/.:-]+")
"""An address without a query, or anything coded."""


class HttpProtocol(HttpToolsProtocol):
    """Writes through a Corked; a websocket gets the transport as it is."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Made by uvicorn for each connection to an Edge."""
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config.app, Edge), "made for it"
        assert (config.root_path, config.limit_concurrency) == ("", None), "plain commands do not look at them"
        self._edge = config.app
        self._corked: Corked
        self._reading: Exchange | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection."""
        super().connection_made(transport)
        self._corked = Corked(transport, self.loop)
        self.transport = self._corked  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone. A command whose body has not come whole ends as any other such request."""
        if self._reading is not None:
            self._go_uvicorns_way(self._reading)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """The websocket's protocol writes for itself."""
        self._corked.flush()
        self.transport = self._corked.transport
        super().handle_websocket_upgrade()

    # -- plain commands

    def on_headers_complete(self) -> None:
        """A request's head has come."""
        self._reading = self._plain()
        if self._reading is None:
            super().on_headers_complete()
        else:
            self.cycle = self._reading  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """A request has come whole."""
        exchange = self._reading
        if exchange is None:
            super().on_message_complete()
            return
        if exchange.begin():
            self._reading = None
        else:
            self._go_uvicorns_way(exchange)
            super().on_message_complete()

    def _plain(self) -> Exchange | None:
        """The exchange of a plain command that nothing stands in the way of; None: it goes uvicorn's way."""
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return None
        before: RequestResponseCycle | Exchange | None = self.cycle
        if self.flow.write_paused or not (before is None or before.response_complete):
            return None
        if not _PLAIN.fullmatch(self.url):
            return None
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["method"], scope["path"] = "POST", self.url.decode()
        asked = self._edge.asked(scope)
        return None if asked is None else Exchange(self, self._corked, self._edge, asked)

    def _go_uvicorns_way(self, exchange: Exchange) -> None:
        """As if nobody had thought the request plain."""
        self._reading = None
        exchange.response_complete = True
        super().on_headers_complete()
        self.cycle.body += exchange.body
        self.cycle.keep_alive = self.cycle.keep_alive and exchange.keep_alive  # the node may have begun to stop
