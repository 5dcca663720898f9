"""aiohttp's server and runner over connections that answer commands without a task (handlers/direct.py)."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from handlers.direct import DirectProtocol, DirectRoutes
from handlers.unfinished_heads import UnfinishedHeads
from server.admission import Admission


class DirectServer(web.Server):
    """aiohttp's server over connections of the kind above."""

    def __init__(
        self,
        server: web.Server,
        routes: DirectRoutes,
        admission: Admission,
        *,
        head_timeout_s: float,
        **options: Any,
    ) -> None:
        super().__init__(server.request_handler, request_factory=self._make_call, **options)
        self._make: Final = server.request_factory
        self._routes: Final = routes
        self._admission: Final = admission
        self._heads: Final = UnfinishedHeads(self._loop, head_timeout_s)

    def __call__(self) -> DirectProtocol:
        """The protocol of a new connection."""
        return DirectProtocol(
            self,
            loop=self._loop,
            routes=self._routes,
            heads=self._heads,
            admission=self._admission,
            **self._kwargs,
        )

    async def shutdown(self, timeout: float | None = None) -> None:
        """End every connection."""
        self._heads.close()
        await super().shutdown(timeout)

    def _make_call(
        self,
        message: RawRequestMessage,
        body: StreamReader,
        connection: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        cast(DirectProtocol, connection).body = body
        return self._make(message, body, connection, writer, task)


class DirectRunner(web.AppRunner):
    """aiohttp's runner over the server above. `options` are those of aiohttp's protocol."""

    def __init__(
        self,
        app: web.Application,
        routes: DirectRoutes,
        admission: Admission,
        *,
        shutdown_timeout: float,
        head_timeout_s: float,
        **options: Any,
    ) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout, **options)
        self._routes: Final = routes
        self._admission: Final = admission
        self._head_timeout_s: Final = head_timeout_s
        self._options: Final = options

    async def _make_server(self) -> web.Server:
        return DirectServer(
            await super()._make_server(),
            self._routes,
            self._admission,
            head_timeout_s=self._head_timeout_s,
            **self._options,
        )
