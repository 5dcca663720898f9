"""An answer that is written at once: head and body as one piece of bytes, in one send.

aiohttp's own response builds a multidict, serializes it and joins it with the body, which takes longer than
what most handlers do. This one keeps to the two calls that aiohttp makes on a response.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

if TYPE_CHECKING:
    from aiohttp.web_request import BaseRequest

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_ALWAYS: Final = (
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Server: Kerb\r\n"
)
"""Headers of every answer; the security ones after https://owasp.org/www-project-secure-headers/."""


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


class WholeResponse(web.StreamResponse):
    """An answer of a known length. `headers` come on top of those of every answer; their values hold no line ends."""

    def __init__(self, status: int, body: bytes, content_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(status=status)
        self._whole_body = body
        self._content_type_line = content_type
        self._more = headers
        self._stays_open = False

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open after this answer."""
        return self._stays_open

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write everything. Raises ConnectionResetError when the client is gone."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        self._stays_open = request.keep_alive
        connection = ""
        if not self._stays_open:
            connection = "Connection: close\r\n"
        elif request.version.minor == 0:
            connection = "Connection: keep-alive\r\n"
        body = self._whole_body
        more = "".join([f"{name}: {value}\r\n" for name, value in self._more.items()])
        head = (
            f"{_STATUS_LINES[self.status]}Content-Type: {self._content_type_line}\r\n"
            f"Content-Length: {len(body)}\r\nDate: {_date(int(time.time()))}\r\n{_ALWAYS}{more}{connection}\r\n"
        ).encode("utf-8", "surrogateescape")
        transport.write(head if request.method == "HEAD" else head + body)
        if transport.get_write_buffer_size():
            await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""
        assert not data
