"""A WebSocket client that reads raw frames, and a server that hands its connections to a hub: real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from server.fan_out import Hub
from server.listening_socket import listening_socket
from server.outlet import Outlet

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


class Frame(msgspec.Struct):
    opcode: int
    payload: bytes

    @property
    def json(self) -> dict[str, Any]:
        assert self.opcode == TEXT, self
        return msgspec.json.decode(self.payload, type=dict[str, Any])

    @property
    def close_code(self) -> int:
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big")


class StreamClient:
    """The client's end. It reads nothing from the network while nobody reads from it, beyond a small buffer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def frame(self) -> Frame:
        """The next frame; waits at most 10 s."""
        async with asyncio.timeout(10):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            return Frame(first & 15, await self.reader.readexactly(length))

    async def json(self) -> dict[str, Any]:
        """The next text message."""
        return (await self.frame()).json

    async def quote(self, symbol: str) -> dict[str, Any]:
        """The next quote of a symbol; messages without it are skipped."""
        while True:
            for quote in (await self.json())["data"]:
                if quote["symbol"] == symbol:
                    found: dict[str, Any] = quote
                    return found


class _Accepted(asyncio.Protocol):
    def __init__(self, hub: Hub, accepted: asyncio.Queue[Outlet | None]) -> None:
        self._hub = hub
        self._accepted = accepted
        self._outlet: Outlet | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._outlet = self._hub.attach(transport)
        self._accepted.put_nowait(self._outlet)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._outlet is not None:
            self._hub.detach(self._outlet)


Connect = Callable[[], Any]


@asynccontextmanager
async def hub_server(hub: Hub) -> AsyncIterator[Callable[[], Any]]:
    """Gives a function that connects a client: its outlet in the hub, and the client's end."""
    accepted: asyncio.Queue[Outlet | None] = asyncio.Queue()
    listener = listening_socket("127.0.0.1", 0, hub.settings)
    server = await asyncio.get_running_loop().create_server(lambda: _Accepted(hub, accepted), sock=listener)
    clients: list[StreamClient] = []

    async def connect() -> tuple[Outlet, StreamClient]:
        end = socket.socket()
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        end.setblocking(False)
        await asyncio.get_running_loop().sock_connect(end, listener.getsockname())
        reader, writer = await asyncio.open_connection(sock=end, limit=2_048)
        client = StreamClient(reader, writer)
        clients.append(client)
        outlet = await accepted.get()
        assert outlet is not None
        return outlet, client

    try:
        yield connect
    finally:
        server.close()
        for client in clients:
            client.writer.transport.abort()
        while hub.outlets:
            await asyncio.sleep(0)
        await server.wait_closed()
