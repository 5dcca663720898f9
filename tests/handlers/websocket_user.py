"""The client's end of `/api/v1/ws`, for tests: a whole aiohttp client, and one that reads raw frames when it likes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiohttp
import msgspec
from aiohttp import WSMsgType
from yarl import URL

from tests.handlers.small_kerb import Client, SmallKerb
from tests.server.proto_reader import messages_of
from tests.server.stream_client import StreamClient

PATIENCE_S = 10

Message = dict[str, Any]


def plain(message: Message) -> Message:
    """A message that was read exactly, with the figures that a JSON decoder makes by itself."""
    found: Message = json.loads(json.dumps(message, default=float))
    return found


class Closed(Exception):
    """The server closed the connection."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocketUser:
    """One connection. What is not asked for yet waits in `inbox`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.inbox: list[Message] = []
        self._ids = count(1)

    async def send(self, message: Message) -> None:
        await self.socket.send_str(msgspec.json.encode(message).decode())

    async def ask(self, action: str, **members: Any) -> Message:
        """Send a message and come back with its answer."""
        message_id = next(self._ids)
        await self.send({"action": action, "id": message_id, **members})
        return await self.answer(message_id)

    async def answer(self, message_id: int | str) -> Message:
        """The answer to a message that was sent."""
        return await self.find(lambda message: message.get("id") == message_id)

    async def on(self, channel: str) -> Message:
        """The next message of a channel."""
        return await self.find(lambda message: message.get("channel") == channel and "type" not in message)

    async def find(self, wanted: Callable[[Message], bool]) -> Message:
        """The next message that is wanted; raises Closed when the server ends the connection before it."""
        for place, message in enumerate(self.inbox):
            if wanted(message):
                return self.inbox.pop(place)
        while not wanted(message := await self.receive()):
            self.inbox.append(message)
        return message

    async def receive(self) -> Message:
        """The next message from the network."""
        received = await self.socket.receive(PATIENCE_S)
        if received.type is WSMsgType.BINARY:
            (told,) = messages_of(received.data)
            return plain(told)
        if received.type is WSMsgType.TEXT:
            message: Message = msgspec.json.decode(received.data)
            return message
        assert received.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING), received
        raise Closed(self.socket.close_code)

    async def close_code(self) -> int | None:
        """The code with which the server closes; what comes before it lands in the inbox."""
        try:
            while True:
                self.inbox.append(await self.receive())
        except Closed as closed:
            return closed.code

    async def place(self, side: str, quantity: str, price: str, **more: Any) -> Message:
        """A LIMIT order for AAPL."""
        return await self.ask("order.place", order=limit_order(side, quantity, price), **more)


def limit_order(side: str, quantity: str, price: str, **more: Any) -> Message:
    """The body of a LIMIT order for AAPL."""
    order = {"stock_symbol": "AAPL", "side": side, "order_type": "LIMIT"}
    return {**order, "quantity": quantity, "price": price, **more}


@asynccontextmanager
async def connected(
    kerb: SmallKerb, client: Client | None = None, **options: Any
) -> AsyncIterator[WebSocketUser]:
    """A connection, signed in by a message when a client is given."""
    async with kerb.http.ws_connect(f"{kerb.url}/api/v1/ws", **options) as socket:
        user = WebSocketUser(socket)
        if client is not None:
            assert await user.ask("auth", token=client.token) == {"type": "ok", "id": 1}
        yield user


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A frame as a client sends it."""
    mask = os.urandom(4)
    length = len(payload)
    head = bytes((0x80 | opcode,))
    if length < 126:
        head += bytes((0x80 | length,))
    elif length < 65_536:
        head += bytes((0x80 | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((0x80 | 127,)) + length.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


@asynccontextmanager
async def raw_connection(kerb: SmallKerb, token: str = "") -> AsyncIterator[StreamClient]:
    """A connection that takes nothing from the network, beyond small buffers, while nobody reads from it."""
    url = URL(kerb.url)
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    end.setblocking(False)
    await asyncio.get_running_loop().sock_connect(end, (url.host, url.port))
    reader, writer = await asyncio.open_connection(sock=end, limit=2_048)
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    writer.write(
        f"GET /api/v1/ws HTTP/1.1\r\nHost: {url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{authorization}\r\n".encode()
    )
    try:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        yield StreamClient(reader, writer)
    finally:
        writer.transport.abort()


def send_raw(client: StreamClient, message: Message) -> None:
    """Send a JSON message on a raw connection."""
    client.writer.write(masked(msgspec.json.encode(message)))
