"""An answer that is written at once: head and body as one piece of bytes, in one send.

aiohttp's own response builds a multidict, serializes it and joins it with the body, which takes longer than
what most handlers do. This one keeps to the two calls that aiohttp makes on a response.
"""

from __future__ import annotations

import time
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

_OF_SITE: Final = _ALWAYS.replace("no-store", "no-cache").replace(
    "default-src 'none'",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'",
)
"""The same for our own pages: they load their parts from here, and may be kept if we are asked whether they changed."""


@lru_cache(maxsize=64)
def _start(status: int, content_type: str, seconds: int, of_site: bool = False) -> bytes:
    """What an answer begins with, up to the figure of its length; the same for a second."""
    return (
        f"{_STATUS_LINES[status]}Content-Type: {content_type}\r\nDate: {formatdate(seconds, usegmt=True)}\r\n"
        f"{_OF_SITE if of_site else _ALWAYS}Content-Length: "
    ).encode()


def whole_answer(
    status: int, body: bytes, content_type: str, more: str, *, length: int | None = None
) -> bytes:
    """Head and body. `more` are further header lines, each with its line end. `length` stands for a body not sent."""
    return b"%b%d\r\n%b\r\n%b" % (
        _start(status, content_type, int(time.time())),
        len(body) if length is None else length,
        more.encode("utf-8", "surrogateescape"),
        body,
    )


def site_answer(status: int, body: bytes, content_type: str, more: str, *, length: int) -> bytes:
    """Head and body of one of our own pages."""
    start = _start(status, content_type, int(time.time()), of_site=True)
    return b"%b%d\r\n%b\r\n%b" % (start, length, more.encode("utf-8", "surrogateescape"), body)


class WholeResponse(web.StreamResponse):
    """An answer of a known length. `more` are header lines on top of those of every answer, each with its line end."""

    def __init__(
        self, status: int, body: bytes, content_type: str, more: str, *, of_site: bool = False
    ) -> None:
        super().__init__(status=status)
        self._whole_body = body
        self._content_type_line = content_type
        self._more = more
        self._write = site_answer if of_site else whole_answer
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
        more = self._more
        if not self._stays_open:
            more += "Connection: close\r\n"
        elif request.version.minor == 0:
            more += "Connection: keep-alive\r\n"
        body, length = self._whole_body, len(self._whole_body)
        if request.method == "HEAD" or self.status == 304:
            body = b""
        transport.write(self._write(self.status, body, self._content_type_line, more, length=length))
        if transport.get_write_buffer_size():
            await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""
        assert not data
