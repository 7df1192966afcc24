"""The connections to PostgreSQL that are open, so that they can be cut when the server has fallen silent.

The kernel notices a peer that is gone, and a network that swallows everything. It does not notice a server that hangs,
or a proxy that goes on taking what it cannot deliver: whoever waits for an answer there would wait for ever.
"""

import os
import socket
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg


class Opened:
    """Connections, held only for as long as somebody else holds them."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._connections: WeakSet[Any] = WeakSet()

    def add(self, connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]") -> None:
        """From now on it is cut with the others."""
        with self._lock:
            self._connections.add(connection)

    def cut(self) -> None:
        """End each as if its server had: whoever waits is told that the connection is lost."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
                line.shutdown(socket.SHUT_RDWR)
