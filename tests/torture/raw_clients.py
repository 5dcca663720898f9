"""Raw clients for attacks that need many answers a second: pipelined HTTP, and orders in batches over a WebSocket.

Both give the requests' answers in order. There are fewer of them than requests when the server has gone; then nobody
knows of the rest. They check nothing: an answer is what came.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, cast

import msgspec
from msgspec import Raw, Struct

from bench.stream_readers import masked

PIPELINE: Final = 16
"""Requests that are under way on one HTTP connection."""

SOCKET_BATCH: Final = 200
"""Orders in one batch: about half of what a message may have."""

_LENGTH: Final = b"Content-Length: "
_TEXT: Final = 0x81
_FAREWELL: Final = b'"type":"shutdown"'
_HIT: Final = b"\r\nIdempotency-Hit: true\r\n"


class Said(Struct, frozen=True):
    """What a request was answered: 200, 201 or 422 and so on (0 over a WebSocket), whether it was a repetition, and what
    stands in it: the bytes of an answer's data, or of a refusal its code and details.
    """

    status: int
    hit: bool
    ok: bool
    text: bytes
    seq: int = 0

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return "" if self.ok else self.text.partition(b" ")[0].decode()


class _Error(Struct):
    code: str
    details: Raw = Raw(b"{}")


class _Meta(Struct):
    as_of_seq: int = 0


class _Envelope(Struct):
    success: bool
    data: Raw = Raw(b"")
    error: _Error | None = None
    meta: _Meta | None = None


class _Result(Struct):
    type: str
    data: Raw = Raw(b"")
    code: str = ""
    details: Raw = Raw(b"{}")
    idempotency_hit: bool = False


class _Answers(Struct):
    data: list[_Result]


_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_answers: Final = msgspec.json.Decoder(_Answers).decode


def said_over_http(status: int, head: bytes, body: bytes) -> Said:
    """An answer over HTTP."""
    envelope = _decode_envelope(body)
    hit = _HIT in head
    if envelope.error is not None:
        text = envelope.error.code.encode() + b" " + bytes(envelope.error.details)
        return Said(status, hit, ok=False, text=text)
    seq = envelope.meta.as_of_seq if envelope.meta is not None else 0
    return Said(status, hit, ok=True, text=bytes(envelope.data), seq=seq)


def said_over_socket(result: _Result) -> Said:
    """A result of a batch."""
    if result.type == "ok":
        return Said(0, result.idempotency_hit, ok=True, text=bytes(result.data))
    return Said(0, result.idempotency_hit, ok=False, text=result.code.encode() + b" " + bytes(result.details))


class RawConnection(asyncio.Protocol):
    """What both have in common: bytes that come, and a queue of who waits for what."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._buffer = b""
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(b"")

    def close(self) -> None:
        """Let the connection go, with whatever is under way."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        at = 0
        while (end := self._end_of_message(at)) is not None:
            self._take(self._buffer[at:end])
            at = end
        self._buffer = self._buffer[at:]

    def _end_of_message(self, at: int) -> int | None:
        raise NotImplementedError

    def _take(self, message: bytes) -> None:
        waiter = self._waiting.popleft()
        if not waiter.done():
            waiter.set_result(message)

    def _ask(self, data: bytes, answers: int) -> list[asyncio.Future[bytes]]:
        """Who waits for the answers; each gets b"" when the server goes before that."""
        if self._is_lost:
            return []
        loop = asyncio.get_running_loop()
        waiters = [loop.create_future() for _ in range(answers)]
        self._waiting += waiters
        self.transport.write(data)
        return waiters


class HttpPipe(RawConnection):
    """One HTTP connection, some requests under way."""

    async def ask(self, requests: Sequence[bytes]) -> list[Said]:
        """Send a few requests at once and read the answers."""
        waiters = self._ask(b"".join(requests), len(requests))
        said = []
        for waiter in waiters:
            if answer := await waiter:
                head, _, body = answer.partition(b"\r\n\r\n")
                said.append(said_over_http(int(head[9:12]), head + b"\r\n", body))
        return said

    def _end_of_message(self, at: int) -> int | None:
        head_end = self._buffer.find(b"\r\n\r\n", at)
        if head_end < 0:
            return None
        length_at = self._buffer.index(_LENGTH, at) + len(_LENGTH)
        end = head_end + 4 + int(self._buffer[length_at : self._buffer.index(b"\r", length_at)])
        return end if end <= len(self._buffer) else None


class SocketPipe(RawConnection):
    """One WebSocket that follows nothing: all it is sent are answers."""

    async def open(self, token: str) -> None:
        """The handshake. Raises ConnectionError when it is refused."""
        handshake = (
            "GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        self._is_open = False
        for waiter in self._ask(handshake.encode(), 1):
            head = await waiter
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"the handshake was answered {head[:200]!r}")

    async def ask(self, items: Sequence[bytes]) -> list[Said]:
        """Send items as one batch and read the results."""
        frame = masked(b'{"action":"orders.batch","id":1,"orders":[%b]}' % b",".join(items))
        for waiter in self._ask(frame, 1):
            if answer := await waiter:
                return [said_over_socket(result) for result in _decode_answers(answer).data]
        return []

    def _end_of_message(self, at: int) -> int | None:
        if not self._is_open:
            head_end = self._buffer.find(b"\r\n\r\n", at)
            if head_end < 0:
                return None
            self._is_open = True
            return head_end + 4
        data = self._buffer
        if len(data) - at < 2:
            return None
        length, body = data[at + 1], at + 2
        if length == 126:
            length, body = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif length == 127:
            length, body = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        return body + length if body + length <= len(data) else None

    def _take(self, message: bytes) -> None:
        if message.startswith(b"HTTP/"):
            super()._take(message)
        elif message[0] == _TEXT and _FAREWELL not in message[:64]:
            super()._take(message[{126: 4, 127: 10}.get(message[1], 2) :])


async def http_pipe(port: int) -> HttpPipe:
    """A connection to a server on this machine. Raises OSError."""
    _, pipe = await asyncio.get_running_loop().create_connection(HttpPipe, "127.0.0.1", port)
    return pipe


async def socket_pipe(port: int, token: str) -> SocketPipe:
    """A signed-in WebSocket. Raises OSError."""
    _, pipe = await asyncio.get_running_loop().create_connection(SocketPipe, "127.0.0.1", port)
    await pipe.open(token)
    return pipe
