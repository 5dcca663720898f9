"""A relay in front of PostgreSQL that can cut connections, also exactly at a COMMIT, refuse new ones, and hang (`flowing`)."""

from __future__ import annotations

import asyncio
from enum import Enum
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

COMMIT = b"COMMIT;"


class CutAt(Enum):
    """What happens to the next COMMIT that comes by."""

    NEVER = "relay it"
    BEFORE_COMMIT = "cut without relaying it"
    AFTER_COMMIT = "relay it, and cut when the server has answered"


class PostgresProxy:
    """Listens on a unix socket in `folder`; `dsn` leads through it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        parts = urlsplit(dsn)
        options = parse_qs(parts.query)
        self._host = options.get("host", [parts.hostname or "localhost"])[0]
        self._port = int(options.get("port", [str(parts.port or 5432)])[0])
        user = parts.netloc.rpartition("@")[0]
        query = f"host={quote(str(folder), safe='')}&port=5432"
        self.dsn = urlunsplit(("postgresql", f"{user}@", parts.path, query, ""))
        self.cut_at = CutAt.NEVER
        self.away = False
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.commits_cut = 0
        self.refused = 0
        self._path = folder / ".s.PGSQL.5432"
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Break every connection now."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            self.refused += 1
            writer.transport.abort()
            return
        if self._host.startswith("/"):
            up = await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        else:
            up = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, up[1]}
        answered = asyncio.Event()
        await asyncio.gather(
            self._to_server(reader, up[1], writer, answered),
            self._to_client(up[0], writer, answered),
            return_exceptions=True,
        )
        for each in (writer, up[1]):
            self._writers.discard(each)
            each.transport.abort()

    async def _to_server(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        answered: asyncio.Event,
    ) -> None:
        while data := await reader.read(1 << 16):
            await self.flowing.wait()
            if COMMIT in data and self.cut_at is not CutAt.NEVER:
                self.commits_cut += 1
                cut_at, self.cut_at = self.cut_at, CutAt.NEVER
                client.transport.abort()
                if cut_at is CutAt.AFTER_COMMIT:
                    answered.clear()
                    server.write(data)
                    await server.drain()
                    await answered.wait()
                break
            server.write(data)
            await server.drain()
        server.transport.abort()

    async def _to_client(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, answered: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            await self.flowing.wait()
            answered.set()
            if not client.is_closing():
                client.write(data)
                await client.drain()
        client.transport.abort()
