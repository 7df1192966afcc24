"""A Python client: follow a hall's board as a display does, and send commands that are safe to repeat.

    async with HallFollower("http://127.0.0.1:8000", "fengxian") as follower:
        async for kind, board in follower:
            print(kind, board["recent"][:1])

    async with QueueClient("http://127.0.0.1:8000") as client:
        ticket = await client.issue("fengxian", "identity-card")

What the frames and answers hold is told in `docs/stream.md`, `/asyncapi.json` and `/docs`.
"""

import asyncio
import json
import random
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from queue_service.board import merge_patch

Document = dict[str, Any]

HOPELESS = (4400, 4401, 4404)
"""Close codes that coming back does not help against."""
OPEN_S = 10.0
MOST_BYTES = 16 * 2**20


def _delay_s(failures: int, first_s: float, longest_s: float) -> float:
    """How long to wait after so many failures: twice as long each time, and everyone differently, so that a hall's
    displays do not all come back at once."""
    return min(longest_s, first_s * 2.0 ** min(failures - 1, 30)) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)


class StreamRefused(Exception):
    """There is no such hall, or no right to follow it."""

    def __init__(self, code: int, reason: str) -> None:
        """`code` is the websocket's close code."""
        super().__init__(f"{reason} ({code})")
        self.code = code


class HallFollower:
    """A hall's board, kept up for as long as it is iterated over, whatever the network or the node does.

    Yields `(kind, board)` at every change: `snapshot` (a new beginning), the kind of an event (`ticket_called`, ...),
    `stale` when nothing was heard for two heartbeats (tell whoever looks at the board), and `fresh` when it turns out
    that nothing had changed since. `seq` and `head` are the place in the hall's log that `board` is as of, `frame` is
    the last one that came, `trouble` says why there is no connection. Raises StreamRefused.
    """

    def __init__(
        self,
        base_url: str,
        hall: str,
        *,
        token: str | None = None,
        heartbeat_s: float = 15.0,
        first_delay_s: float = 0.5,
        longest_delay_s: float = 15.0,
    ) -> None:
        """`base_url` is the node's (http or https). `heartbeat_s`: as the node is set. Delays: before coming back."""
        self.board: Document = {}
        self.seq = -1
        self.head = ""
        self.as_of: str | None = None
        self.frame: Document = {}
        self.is_stale = False
        self.trouble = ""
        self._url = f"ws{base_url.removeprefix('http').rstrip('/')}/v1/halls/{quote(hall, safe='')}/stream"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._patience_s = 2 * heartbeat_s
        self._delays_s = (first_delay_s, longest_delay_s)
        self._socket: ClientConnection | None = None
        self._failures = 0
        self._stale_at: float | None = None

    async def __aenter__(self) -> Self:
        """Nothing is connected before the first change is asked for."""
        self._stale_at = asyncio.get_running_loop().time() + self._patience_s
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        await self._hang_up()

    def __aiter__(self) -> Self:
        """Itself."""
        return self

    async def __anext__(self) -> tuple[str, Document]:
        """The next change."""
        while True:
            try:
                async with asyncio.timeout_at(self._stale_at):
                    frame = await self._next_frame()
            except TimeoutError:
                self.is_stale, self._stale_at = True, None
                return "stale", self.board
            kind = self._take(frame)
            if kind is not None:
                return kind, self.board

    def _take(self, frame: Document) -> str | None:
        """Bring the board up to a frame; the kind of the change, None where there is none to tell."""
        self.frame, self.trouble, self._failures = frame, "", 0
        self._stale_at = asyncio.get_running_loop().time() + self._patience_s
        recovers, self.is_stale = self.is_stale, False
        if frame["type"] == "snapshot":
            self.board = frame["board"]
        elif frame["type"] == "event":
            self.board = frame["board"] if "board" in frame else merge_patch(self.board, frame["patch"])
        else:
            self.as_of = frame.get("as_of", self.as_of)
            return "fresh" if recovers else None
        self.seq, self.head = frame["seq"], frame["head"]
        kind: str = frame.get("kind", "snapshot")
        return kind

    async def _next_frame(self) -> Document:
        while True:
            socket = self._socket or await self._connect()
            try:
                frame: Document = json.loads(await socket.recv())
            except ConnectionClosed as closed:
                self._gone(closed)
                if closed.rcvd is not None and closed.rcvd.code in HOPELESS:
                    raise StreamRefused(closed.rcvd.code, closed.rcvd.reason) from closed
                continue
            if self._follows(frame):
                return frame
            self.seq = -1  # nothing can be built on it: a snapshot is needed
            await self._hang_up()
            self._gone("a frame is missing")

    def _follows(self, frame: Document) -> bool:
        """Whether nothing is missing between the board and this frame."""
        step = {"event": 1, "heartbeat": 0}.get(frame["type"])
        return step is None or frame["seq"] == self.seq + step

    async def _connect(self) -> ClientConnection:
        while True:
            if self._failures:
                await asyncio.sleep(_delay_s(self._failures, *self._delays_s))
            place = "" if self.seq < 0 else "?" + urlencode({"after": self.seq, "head": self.head})
            try:
                self._socket = await connect(
                    self._url + place,
                    additional_headers=self._headers,
                    compression=None,
                    max_size=MOST_BYTES,
                    open_timeout=OPEN_S,
                )
                return self._socket
            except (OSError, InvalidHandshake, EOFError) as error:
                self._gone(error)

    def _gone(self, why: object) -> None:
        self._socket = None
        self._failures += 1
        self.trouble = str(why)

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


class Refused(Exception):
    """The node refused; nothing was changed. `problem` is its problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Document) -> None:
        """`type` is the stable last part of the problem's type, such as `wrong-state`."""
        super().__init__(problem.get("detail") or f"HTTP {status}")
        self.status = status
        self.problem = problem
        self.type = str(problem.get("type", "")).rpartition("/")[2]


class Undecided(Exception):
    """The node did not say in time whether the command was done. The same `key` again is safe, however late."""

    def __init__(self, key: str, cause: str) -> None:
        """`key` is the idempotency key that was used."""
        super().__init__(f"not decided: {cause}")
        self.key = key


class QueueClient:
    """Reads and commands over REST. A command carries an idempotency key of its own; while nobody says what became of
    it (503, a lost connection) it is sent again with that key. Raises Refused, Undecided."""

    def __init__(self, base_url: str, token: str | None = None, *, attempts: int = 6, timeout_s: float = 10.0) -> None:
        """`attempts`: how often a request is sent at most."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(base_url=base_url.rstrip("/"), headers=headers, timeout=timeout_s)
        self._attempts = attempts

    async def __aenter__(self) -> Self:
        """Connections are opened as they are needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        await self._http.aclose()

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a read, such as `get("/v1/halls")`, or the text of what is no JSON (`/metrics`)."""
        return await self._send("GET", path, params=query)

    async def put_new(self, path: str, body: Document) -> Any:
        """Make what is not there yet, such as a hall from its plan. Refused with 412 where it is."""
        return await self._send("PUT", path, json=body, headers={"If-None-Match": "*"})

    async def post(self, path: str, body: Document | None = None, key: str | None = None) -> Any:
        """A command; the JSON it is answered with, None for 204. `key`: to repeat an earlier command."""
        return await self._send("POST", path, json=body or {}, headers={"Idempotency-Key": key or uuid4().hex})

    async def issue(self, hall: str, service: str, **fields: Any) -> Document:
        """Take a ticket; `fields` as POST /v1/halls/{hall}/tickets takes them."""
        ticket: Document = await self.post(f"/v1/halls/{hall}/tickets", {"service": service, **fields})
        return ticket

    async def ticket(self, ticket: str, verb: str, **fields: Any) -> Document:
        """A command about a ticket: `start`, `finish`, `no-show`, ..., with the fields of its body."""
        document: Document = await self.post(f"/v1/tickets/{ticket}/{verb}", fields)
        return document

    async def counter(self, hall: str, counter: str, verb: str, **fields: Any) -> Document:
        """A command about a counter: `open`, `pause`, `resume`, `close`, ..., with the fields of its body."""
        document: Document = await self.post(f"/v1/halls/{hall}/counters/{counter}/{verb}", fields)
        return document

    async def call_next(self, hall: str, counter: str, finish_current: bool = True) -> Document | None:
        """The one button: finish the ticket held and call whoever is next; None: nobody is waiting."""
        path = f"/v1/halls/{hall}/counters/{counter}/call-next"
        ticket: Document | None = await self.post(path, {"finish_current": finish_current})
        return ticket

    async def _send(self, method: str, path: str, **how: Any) -> Any:
        cause = ""
        for attempt in range(1, self._attempts + 1):
            wait_s = 0.0
            try:
                answer = await self._http.request(method, path, **how)
            except httpx.TransportError as error:
                cause = str(error) or type(error).__name__
            else:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return _document(answer)
                after = answer.headers.get("Retry-After", "")
                cause, wait_s = answer.text, float(after) if after.isdecimal() else 0.0
            if attempt < self._attempts:
                await asyncio.sleep(max(wait_s, _delay_s(attempt, 0.1, 5.0)))
        raise Undecided(how.get("headers", {}).get("Idempotency-Key", ""), cause)


def _document(answer: httpx.Response) -> Any:
    is_json = answer.headers.get("Content-Type", "").partition(";")[0].endswith("json")
    document = answer.json() if is_json and answer.content else answer.text or None
    if answer.is_success:
        return document
    raise Refused(answer.status_code, document if isinstance(document, dict) else {})
