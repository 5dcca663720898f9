"""Many WebSocket clients in one process, on bare protocols, that note all they are told. Run by tests/torture/streams.py.

    python -m tests.torture.stream_clients

Each line on stdin is a command (a `Command` as JSON), each line on stdout its answer (a `Report` as JSON). A follower is
a signed-in client of `orders`, `balance` and `quotes`, a watcher one of `quotes` alone. Whoever loses its connection,
for whatever reason, comes back and resumes each private channel from the last sequence that it knows to be whole.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast
from zlib import crc32

import msgspec
import uvloop

from bench.stream_readers import masked
from tests.torture.stream_notes import (
    PRIVATE,
    SLOW_CONSUMER,
    Ask,
    Channel,
    Command,
    Drop,
    Dump,
    Noted,
    Open,
    Stall,
    Tally,
    Wake,
)

SAMPLE_EVERY: Final = 16
"""The ages of the quotes in every 16th frame are looked at."""

CONNECTING_MAX: Final = 100
COMMAND_MAX_BYTES: Final = 1 << 24
POLL_S: Final = 0.02

_EVENT: Final = re.compile(
    rb'\{"channel":"(orders|balance)","seq":(\d+),"prev_seq":(\d+)(,"more":true)?,"data":'
)
_STAMP: Final = re.compile(rb'"timestamp":(\d+)')
_QUOTES: Final = b'{"channel":"quotes"'
_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89
_PONG_FRAME: Final = bytes((0x8A, 0x80, 0, 0, 0, 0))
_BYE_FRAME: Final = bytes((0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8))


class Client(asyncio.Protocol):
    """One client, over all its connections. `account` is -1 for a watcher."""

    __slots__ = (
        "_buffer",
        "_clients",
        "_due",
        "_is_open",
        "account",
        "channels",
        "code",
        "connections",
        "is_stalled",
        "return_at_s",
        "transport",
    )

    def __init__(self, clients: Clients, account: int) -> None:
        self._clients = clients
        self.account = account
        self.channels = {name: Channel() for name in PRIVATE} if account >= 0 else {}
        self.code = 0
        self.connections = 0
        self.is_stalled = False
        self.return_at_s = 0.0
        self._buffer = b""
        self._due = -1
        self._is_open = False

    @property
    def is_live(self) -> bool:
        """Whether the server has confirmed all that the newest connection asked for."""
        return self._due == 0

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._buffer, self._is_open, self.code = b"", False, 0
        self.connections += 1
        self.transport.write(self._clients.handshake(self.account))

    def connection_lost(self, exc: Exception | None) -> None:
        tally = self._clients.tally
        tally.closes[self.is_stalled][self.code] += 1
        self._due = -1
        self.is_stalled = False
        for channel in self.channels.values():
            tally.told -= channel.forget_half()
        self._clients.come_back(self)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        at, end = 0, len(data)
        if not self._is_open:
            at = self._opened(data)
        while end - at >= 2 and self._is_open:
            length, body = data[at + 1], at + 2
            if length == 126:
                length, body = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, body = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if body + length > end:
                break
            self._frame(data, data[at], body, body + length)
            at = body + length
        self._buffer = data[at:] if at < end else b""

    def _opened(self, data: bytes) -> int:
        """Ask for everything once the handshake is answered; where the first frame begins."""
        head = data.find(b"\r\n\r\n")
        if head < 0:
            return 0
        if not data.startswith(b"HTTP/1.1 101"):
            self._clients.tally.fault(f"the handshake was answered {data[:200]!r}")
        self._is_open = True
        wanted = []
        for name, channel in self.channels.items():
            message: dict[str, Any] = {"action": "subscribe", "channels": [name]}
            if channel.known >= 0:
                message["resume_from"] = channel.known
            wanted.append(masked(msgspec.json.encode(message)))
        self._due = len(wanted) + 1
        self.transport.write(b"".join([*wanted, self._clients.quotes]))
        return head + 4

    # -- what comes

    def _frame(self, data: bytes, opcode: int, start: int, end: int) -> None:
        if opcode == _TEXT:
            self._text(data, start, end)
        elif opcode == _PING:
            self.transport.write(_PONG_FRAME)
        elif opcode == _CLOSE:
            self.code = int.from_bytes(data[start : start + 2], "big")
            self.transport.write(_BYE_FRAME)
            self.transport.close()

    def _text(self, data: bytes, start: int, end: int) -> None:
        tally = self._clients.tally
        tally.frames += 1
        tally.size += end - start
        if data.startswith(_QUOTES, start):
            if tally.frames % SAMPLE_EVERY == 0 and not self.is_stalled:
                now_ms = time.time() * 1_000
                tally.ages_ms += [now_ms - int(stamp) for stamp in _STAMP.findall(data, start, end)]
            return
        event = _EVENT.match(data, start, end)
        if event is None:
            self._answer(data[start:end])
            return
        name, seq, prev_seq, more = event.groups()
        tally.told += 1
        digest = crc32(data[event.end() : end - 1])
        if not self.channels[name.decode()].take(int(seq), int(prev_seq), more is not None, digest):
            tally.broken += 1
            tally.fault(f"follower of {self.account}: {data[start : event.end()]!r} does not join")

    def _answer(self, text: bytes) -> None:
        answer = msgspec.json.decode(text)
        if answer["type"] == "shutdown":
            return
        told = answer.get("channels", {})
        for name, channel in self.channels.items():
            if name in told and not channel.subscribed(told[name]["seq"]):
                self._clients.tally.fault(f"resumed {name} from {channel.known}, told {text!r}")
        if answer["type"] != "subscribed" or answer["errors"]:
            self._clients.tally.fault(f"a subscription was answered {text!r}")
        self._due -= 1


class Clients:
    """All clients of this process, and what they have in common."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.followers: list[Client] = []
        self.watchers: list[Client] = []
        self.quotes = b""
        self._port = self._receive_bytes = 0
        self._small: set[Client] = set()
        self._tokens: list[str] = []
        self._returning: set[asyncio.Task[None]] = set()
        self._connecting = asyncio.Semaphore(CONNECTING_MAX)

    def handshake(self, account: int) -> bytes:
        """What opens a connection: signed in, when it is an account's."""
        signed_in = f"Authorization: Bearer {self._tokens[account]}\r\n" if account >= 0 else ""
        return (
            "GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{signed_in}\r\n"
        ).encode()

    def come_back(self, client: Client) -> None:
        """Connect a client again, when it is time for it."""
        task = asyncio.create_task(self._connect(client))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _connect(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        if client.code != SLOW_CONSUMER and client.return_at_s > loop.time():
            await asyncio.sleep(client.return_at_s - loop.time())
        async with self._connecting:
            connection = socket.socket()
            connection.setblocking(False)
            if self._receive_bytes and client in self._small:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
            try:
                await loop.sock_connect(connection, ("127.0.0.1", self._port))
                await loop.create_connection(lambda: client, sock=connection)
            except OSError as error:
                self.tally.fault(f"no connection: {error}")
        self.tally.resumed += any(channel.known >= 0 for channel in client.channels.values())

    # -- commands

    async def open(self, command: Open) -> None:
        """Connect everybody."""
        self._port, self._tokens = command.port, command.tokens
        self._receive_bytes = command.receive_bytes
        self.quotes = masked(
            msgspec.json.encode(
                {
                    "action": "subscribe",
                    "channels": ["quotes"],
                    "symbols": command.symbols,
                    "interval_ms": command.interval_ms,
                }
            )
        )
        accounts = range(len(command.tokens))
        self.followers = [Client(self, account) for _ in range(command.each) for account in accounts]
        self._small = set(self.followers[: command.small])
        self.watchers = [Client(self, -1) for _ in range(command.watchers)]
        for client in (*self.followers, *self.watchers):
            self.come_back(client)
        await _all_back(dict.fromkeys((*self.followers, *self.watchers), 0))

    def stall(self, count: int) -> None:
        """Stop reading."""
        for client in self.followers[:count]:
            client.is_stalled = True
            client.transport.pause_reading()

    async def wake(self) -> None:
        """Read on."""
        stalled = [client for client in self.followers if client.is_stalled]
        before = {client: client.connections for client in stalled}
        for client in stalled:
            client.transport.resume_reading()
        await _all_back(before)

    async def drop(self, over_s: float) -> None:
        """Go, every other one without a word, and come back."""
        now_s = asyncio.get_running_loop().time()
        count = len(self.followers)
        before = {client: client.connections for client in self.followers}
        for number, client in enumerate(self.followers):
            client.return_at_s = now_s + over_s * number / count
            if number % 2:
                client.transport.abort()
            else:
                client.transport.write(_BYE_FRAME)
                client.transport.close()
        await _all_back(before)

    def dump(self, file: str) -> None:
        """Write the notes down."""
        notes = [
            Noted(client.account, name, channel.start, channel.seqs.tobytes(), channel.digests.tobytes())
            for client in self.followers
            for name, channel in client.channels.items()
        ]
        Path(file).write_bytes(msgspec.msgpack.encode(notes))


async def _all_back(before: Mapping[Client, int]) -> None:
    """Come back when each client is on a later connection than that one, and everything is confirmed there."""
    waiting = dict(before)
    while waiting:
        await asyncio.sleep(POLL_S)
        waiting = {
            client: number
            for client, number in waiting.items()
            if client.connections == number or not client.is_live
        }


async def main() -> None:
    """Commands from stdin until its end."""
    clients = Clients()
    commands = asyncio.StreamReader(limit=COMMAND_MAX_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    decode = msgspec.json.Decoder(Command).decode
    while line := await commands.readline():
        command = decode(line)
        match command:
            case Open():
                if command.core >= 0:
                    os.sched_setaffinity(0, {command.core})
                await clients.open(command)
                gc.collect()
                gc.freeze()
            case Stall():
                clients.stall(command.count)
            case Wake():
                await clients.wake()
            case Drop():
                await clients.drop(command.over_s)
            case Dump():
                clients.dump(command.file)
            case Ask():
                pass
        report = clients.tally.report(anew=isinstance(command, Ask) and command.anew)
        print(msgspec.json.encode(report).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
