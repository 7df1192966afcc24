"""The connections to PostgreSQL that are open, so that they can be cut when nobody answers on them.

The kernel notices a peer that is gone, and a network that swallows everything. It does not notice a server that hangs,
a proxy that goes on taking what it cannot deliver, or a COMMIT that waits for a standby that is gone: whoever waits for
an answer there would wait for ever.
"""

import os
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg


class Opened:
    """Connections, held only for as long as somebody else holds them."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._connections: WeakSet[Any] = WeakSet()
        self._lent: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def add(self, connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]") -> None:
        """From now on it is cut with the others."""
        with self._lock:
            self._connections.add(connection)

    def lend(self, connection: Any) -> None:
        """Somebody begins a transaction that must not take long."""
        with self._lock:
            self._lent[connection] = time.monotonic()

    def give_back(self, connection: Any) -> None:
        """It is over, or may take its time. None: it was lost meanwhile."""
        if connection is not None:
            with self._lock:
                self._lent.pop(connection, None)

    def cut(self) -> None:
        """End each as if its server had: whoever waits is told that the connection is lost."""
        with self._lock:
            connections = list(self._connections)
        self._end(connections)

    def cut_overdue(self, longest_s: float) -> None:
        """End those that were lent for longer than so."""
        before = time.monotonic() - longest_s
        with self._lock:
            connections = [connection for connection, since in self._lent.items() if since < before]
        self._end(connections)

    def _end(self, connections: Iterable[Any]) -> None:
        for connection in connections:
            with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
                line.shutdown(socket.SHUT_RDWR)
