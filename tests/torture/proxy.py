"""Relays that misbehave: they cut, reset, slice, delay and hold up what flows through them, also exactly at a COMMIT.

`Relay` knows bytes and stands between clients and the server. `PostgresRelay` knows PostgreSQL's messages
(https://www.postgresql.org/docs/current/protocol-message-formats.html) and stands between the server and its database.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

READ_BYTES: Final = 1 << 16
WRITERS: Final = (b"application_name\0kerb-writer:", b"application_name\0kerb-claimant:")
COMMIT: Final = b"Q\0\0\0\x0cCOMMIT;\0"
COMMITTED: Final = b"COMMIT\0"
_VERSION_3: Final = 3 << 16
_LENGTH: Final = struct.Struct(">I")

Address = tuple[str, int] | Path


class Side(Enum):
    """Where bytes come from."""

    CLIENT = auto()
    SERVER = auto()


class Link:
    """One client's connection and the one that was made for it. `left`: bytes that it still passes on, when bitten."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.readers = {Side.CLIENT: client[0], Side.SERVER: server[0]}
        self.writers = {Side.CLIENT: client[1], Side.SERVER: server[1]}
        self.left: int | None = None

    def to(self, side: Side) -> asyncio.StreamWriter:
        """Where what comes from a side goes."""
        return self.writers[Side.SERVER if side is Side.CLIENT else Side.CLIENT]

    def cut(self, *, reset: bool = False) -> None:
        """End both connections now, what was not sent is lost; `reset`: with an RST instead of an end."""
        for writer in self.writers.values():
            sock = writer.get_extra_info("socket")
            if reset and sock is not None and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Relay:
    """Passes everything on between whoever connects and `upstream`, as badly as it is told to.

    `slice_max`: pieces of 1 to so many bytes, each sent by itself; `delay_max_s`: each waits up to so long;
    `flowing`: while it is clear everything waits; `away`: nobody gets in; `bite`: from now on every connection
    passes on 1 to so many bytes more that come from a side, and is cut in the middle of them.
    """

    def __init__(self, upstream: Address, random: Random) -> None:
        self.upstream = upstream
        self.slice_max = 0
        self.delay_max_s = 0.0
        self.away = False
        self.bite: tuple[Side, int] | None = None
        self.bitten = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.links: set[Link] = set()
        self.refused = 0
        self._random = random
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self, *, reset: bool = False) -> int:
        """Cut every connection now; how many there were."""
        links = list(self.links)
        for link in links:
            link.cut(reset=reset)
        return len(links)

    def behave(self) -> None:
        """From now on pass everything on as it comes."""
        self.slice_max, self.delay_max_s, self.away, self.bite = 0, 0.0, False, None
        self.flowing.set()

    @asynccontextmanager
    async def listening(self, address: Address) -> AsyncIterator[asyncio.Server]:
        """Take connections on a TCP address or a unix socket."""
        if isinstance(address, Path):
            server = await asyncio.start_unix_server(self._serve, address)
        else:
            server = await asyncio.start_server(self._serve, *address)
        try:
            yield server
        finally:
            server.close()
            self.behave()
            self.cut()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.away:
                self.refused += 1
                return
            await self._relay(reader, writer)
        except (OSError, EOFError):
            return
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self.upstream, Path):
            up = await asyncio.open_unix_connection(str(self.upstream))
        else:
            up = await asyncio.open_connection(*self.upstream)
        link = self.new_link((reader, writer), up)
        self.links.add(link)
        try:
            ways = [asyncio.ensure_future(self._pass_on(link, side)) for side in Side]
            _, others = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self.links.discard(link)
            link.cut()

    def new_link(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> Link:
        """What belongs to one connection."""
        return Link(client, server)

    async def _pass_on(self, link: Link, side: Side) -> None:
        while data := await link.readers[side].read(READ_BYTES):
            for part in self.parts(link, side, data):
                await self._send(link, side, part)

    def parts(self, link: Link, side: Side, data: bytes) -> list[bytes]:
        """What is passed on of what has come."""
        return [data]

    async def _send(self, link: Link, side: Side, data: bytes) -> None:
        writer = link.to(side)
        if self.bite is not None and self.bite[0] is side:
            if link.left is None:
                link.left = self._random.randint(1, self.bite[1])
            if len(data) >= link.left:
                writer.write(data[: link.left])
                self.bitten += 1
                link.cut()
                return
            link.left -= len(data)
        while data:
            await self.flowing.wait()
            size = self._random.randint(1, self.slice_max) if self.slice_max else len(data)
            if self.delay_max_s:
                await asyncio.sleep(self._random.uniform(0, self.delay_max_s))
            writer.write(data[:size])
            await writer.drain()
            data = data[size:]
            if self.slice_max:
                await asyncio.sleep(0)


class Moment(Enum):
    """When something happens at a COMMIT."""

    BEFORE = "before the server has seen it"
    HALF = "when the server has half of its message"
    AFTER = "when it is committed, before the client hears"


class PostgresLink(Link):
    """A session: what has come of a message that is not complete yet, and whether it is the write-behind's."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        super().__init__(client, server)
        self.pending = {Side.CLIENT: b"", Side.SERVER: b""}
        self.is_started = False
        self.is_writer = False
        self.is_answer_awaited = False
        self.is_over = False
        """Nothing passes any more: what comes after something that was withheld would be no PostgreSQL's answer."""


class PostgresRelay(Relay):
    """A relay on the way to PostgreSQL. `at_commit` is called once, at a moment of the write-behind's next COMMIT."""

    def __init__(self, dsn: str, random: Random) -> None:
        parts = urlsplit(dsn)
        options = parse_qs(parts.query)
        host = options.get("host", [parts.hostname or "localhost"])[0]
        port = int(options.get("port", [str(parts.port or 5432)])[0])
        super().__init__(Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port), random)
        self._parts = parts
        self.moment = Moment.BEFORE
        self.at_commit: Callable[[PostgresLink], None] | None = None
        self.commits = 0
        self.reached = asyncio.Event()

    def dsn(self, folder: Path) -> str:
        """The DSN that leads through a relay that listens on `socket_in(folder)`."""
        user = self._parts.netloc.rpartition("@")[0]
        query = f"host={quote(str(folder), safe='')}&port=5432"
        return urlunsplit(("postgresql", f"{user}@", self._parts.path, query, ""))

    @staticmethod
    def socket_in(folder: Path) -> Path:
        """Where to listen."""
        return folder / ".s.PGSQL.5432"

    def arm(self, moment: Moment, at_commit: Callable[[PostgresLink], None]) -> None:
        """Call this at that moment of the next COMMIT; `reached` is set then."""
        self.reached.clear()
        self.moment, self.at_commit = moment, at_commit

    def new_link(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> PostgresLink:
        """A session."""
        return PostgresLink(client, server)

    def parts(self, link: Link, side: Side, data: bytes) -> list[bytes]:
        """Whole messages; an answer to COMMIT that must not be heard is not among them."""
        assert isinstance(link, PostgresLink)
        if link.is_over:
            return []
        data = link.pending[side] + data
        if not link.is_started and side is Side.SERVER and len(data) == 1:
            return [data]  # the answer to a request for encryption has no length
        passed, place = [], 0
        while (
            end := _end_of_message(data, place, is_started=link.is_started or side is Side.SERVER)
        ) is not None:
            message = data[place:end]
            place = end
            part = (
                self._from_client(link, message) if side is Side.CLIENT else self._from_server(link, message)
            )
            if part is None:
                break
            passed.append(part)
        link.pending[side] = data[place:]
        return [b"".join(passed)] if passed else []

    def _from_client(self, link: PostgresLink, message: bytes) -> bytes | None:
        if not link.is_started:
            link.is_started = _LENGTH.unpack_from(message, 4)[0] == _VERSION_3
            link.is_writer = any(name in message for name in WRITERS)
            return message
        if message != COMMIT or not link.is_writer:
            return message
        self.commits += 1
        if self.at_commit is None:
            return message
        if self.moment is Moment.AFTER:
            link.is_answer_awaited = True
            return message
        if self.moment is Moment.HALF:
            link.to(Side.CLIENT).write(message[: len(message) // 2])
        self._happen(link)
        return None

    def _from_server(self, link: PostgresLink, message: bytes) -> bytes | None:
        if link.is_answer_awaited and message[:1] == b"C" and message[5:] == COMMITTED:
            link.is_answer_awaited = False
            self._happen(link)
            return None
        return message

    def _happen(self, link: PostgresLink) -> None:
        link.is_over = True
        happening, self.at_commit = self.at_commit, None
        assert happening is not None
        happening(link)
        self.reached.set()


def _end_of_message(data: bytes, place: int, *, is_started: bool) -> int | None:
    """The place after the message that begins at `place`; None when it is not there as a whole."""
    kind_bytes = 1 if is_started else 0
    if len(data) < place + kind_bytes + 4:
        return None
    end = place + kind_bytes + int(_LENGTH.unpack_from(data, place + kind_bytes)[0])
    return end if end <= len(data) else None
