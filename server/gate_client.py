"""A gate controller's side of the protocol: connects, proves itself, sends lines and knows their answers.

For the simulator, the tests and the benchmark. It believes nothing that is not authenticated, as a real one must.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from server.gate_messages import (
    Ack,
    Alive,
    AllowList,
    Challenge,
    Decision,
    FromServer,
    GateCommand,
    Hello,
    Proof,
    Welcome,
    decode_from_server,
)
from server.gate_protocol import (
    NONCE_BYTES,
    TO_GATE,
    TO_SERVER,
    LineCoder,
    LineReader,
    ProtocolError,
    gate_proof,
    handshake_text,
    plain,
    same,
    server_proof,
    session_key,
    split_mac,
    unseal,
    with_proof,
)

FIRMWARE: Final = "kerb-simulator"
LINE_MAC: Final = b',"line_mac":"'


class GateRefused(Exception):
    """The server ended the connection, or it could not prove itself."""


class GateClient(asyncio.Protocol):
    """One connection of one gate. `n` is its counter, which goes on from connection to connection.

    `on_unasked` gets commands and allow-lists. `welcome` stands once the handshake is done.
    """

    def __init__(
        self,
        gate_id: str,
        secret: bytes,
        n: int = 0,
        on_unasked: Callable[[GateCommand | AllowList], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.gate_id = gate_id
        self.n = n
        self.welcome: Welcome | None = None
        self.closed: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self._secret = secret
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._handshake = b""
        self.key = b""
        self._on_unasked = on_unasked
        self._reader = LineReader()
        self.ready: asyncio.Future[None] = loop.create_future()
        self._waiting: dict[int, asyncio.Future[Decision | Ack | Alive]] = {}

    @property
    def key(self) -> bytes:
        """The session's key; tests give it another gate's."""
        return self._key

    @key.setter
    def key(self, key: bytes) -> None:
        self._key = key
        self._heard, self._said = LineCoder(key, TO_GATE), LineCoder(key, TO_SERVER)

    def __repr__(self) -> str:
        return f"<GateClient {self.gate_id} n={self.n} waiting={len(self._waiting)}>"

    @classmethod
    async def connect(
        cls,
        address: tuple[str, int],
        gate_id: str,
        secret: bytes,
        n: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        on_unasked: Callable[[GateCommand | AllowList], None] | None = None,
    ) -> GateClient:
        """A connection whose handshake is done. Raises OSError or GateRefused."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(
            lambda: cls(gate_id, secret, n, on_unasked), *address, ssl=tls
        )
        await client.ready
        return client

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(plain(Hello(self.gate_id, self._nonce.hex(), FIRMWARE, 1)))

    def data_received(self, data: bytes) -> None:
        """Lines of the server."""
        try:
            for line in self._reader.feed(data):
                self._take(line)
        except (ProtocolError, msgspec.DecodeError):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: whoever waits is told."""
        waiting, self._waiting = self._waiting, {}
        _fail(self.ready)
        for future in waiting.values():
            _fail(future)
        if not self.closed.done():
            self.closed.set_result(None)

    # -- what a gate does

    def next_n(self) -> int:
        """The next counter."""
        self.n += 1
        return self.n

    def send_body(self, body: bytes) -> None:
        """Send a line: everything before `,"mac"`. Sent again in a later session these bytes are the same line."""
        assert self.transport is not None
        self.transport.write(b'%b,"mac":"%b"}\n' % (body, self._said.code(body)))

    def ask(self, body: bytes, n: int) -> asyncio.Future[Decision | Ack | Alive]:
        """Send a line and get its answer, or GateRefused."""
        future: asyncio.Future[Decision | Ack | Alive] = asyncio.get_running_loop().create_future()
        if self.closed.done():
            raise GateRefused("the connection was ended")
        self._waiting[n] = future
        self.send_body(body)
        return future

    def report(self, kind: str, **members: object) -> asyncio.Future[Decision | Ack | Alive]:
        """Send a line with the next counter and get its answer."""
        n = self.next_n()
        return self.ask(body_of(kind, n, **members), n)

    async def scan(self, tag: str, at: str, lane: int = 1) -> Decision:
        """The answer to a tag."""
        answer = await self.report("scan", tag=tag, lane=lane, at=at)
        assert isinstance(answer, Decision)
        return answer

    def close(self) -> None:
        """Go."""
        if self.transport is not None:
            self.transport.abort()

    # -- what the server says

    def _take(self, line: bytes) -> None:
        if self.welcome is not None:
            self._taken(decode_from_server(unseal(self._heard, line)))
        elif not self._handshake:
            nonce = bytes.fromhex(msgspec.json.decode(line, type=Challenge).nonce)
            self._handshake = handshake_text(self.gate_id, self._nonce, nonce)
            self.key = session_key(self._secret, self._handshake)
            assert self.transport is not None
            self.transport.write(with_proof(Proof(), gate_proof(self._secret, self._handshake)))
        else:
            self._welcome(line)

    def _welcome(self, line: bytes) -> None:
        body, proof = split_mac(line)
        welcome = msgspec.json.decode(line, type=Welcome)
        covered = body.rpartition(LINE_MAC)[0]
        right = same(server_proof(self._secret, self._handshake), proof)
        if not right or not same(self._heard.code(covered), welcome.line_mac.encode()):
            self.close()
            return
        self.welcome = welcome
        self.n = max(self.n, welcome.n)
        if not self.ready.done():
            self.ready.set_result(None)

    def _taken(self, message: FromServer) -> None:
        if isinstance(message, GateCommand | AllowList):
            if self._on_unasked is not None:
                self._on_unasked(message)
        elif isinstance(message, Decision | Ack | Alive):
            future = self._waiting.pop(message.n, None)
            if future is not None and not future.done():
                future.set_result(message)


def _fail(future: asyncio.Future[Any]) -> None:
    """Let a future fail, without a word about one that nobody looks at."""
    if not future.done():
        future.set_exception(GateRefused("the connection was ended"))
        future.exception()


def body_of(kind: str, n: int, **members: object) -> bytes:
    """A line up to `,"mac"`."""
    return msgspec.json.encode({"type": kind, "n": n, **members})[:-1]
