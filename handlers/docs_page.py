"""The documents of the contract as they are served: OpenAPI, AsyncAPI, the schema of binary messages, errors, and a page.

Everything is made once and kept as bytes with its ETag (RFC 9110, section 8.8.3): a client that has it gets a 304.
The page's files are those in web/; they load nothing from anywhere else, and their policy forbids it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from config.settings import Mode
from handlers.asyncapi import asyncapi
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.error_table import error_rows
from handlers.openapi import openapi
from handlers.openapi_doc import Doc
from handlers.routing import BASE, PUBLIC, Handler, Route
from server.demo import PASSWORD, TRADERS
from server.rate_limits import LimitClass
from server.wire import SCHEMA

WEB: Final = Path(__file__).resolve().parents[1] / "web"
JSON: Final = "application/json"
MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".proto": "text/plain; charset=utf-8",
}


class DemoLogin(Struct, frozen=True):
    """The published login of a demo; nothing anywhere else."""

    demo: bool
    email: str | None = None
    password: str | None = None


class Document:
    """Bytes that do not change while the server runs, made when they are first asked for."""

    def __init__(self, make: Callable[[], bytes], content_type: str = JSON) -> None:
        self._make: Final = cache(make)
        self._content_type: Final = content_type

    def answer(self, call: Call) -> Answer:
        """The document, or 304 for a client that has it."""
        body = self._make()
        etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        asked = call.headers.get("If-None-Match", "")
        status = 304 if asked == "*" or etag in asked else 200
        return Answer(status, body, {"ETag": etag}, self._content_type, of_site=True)

    async def __call__(self, call: Call) -> Answer:
        """As a handler."""
        return self.answer(call)


def document_routes(routes: Sequence[Route], docs: Mapping[str, Doc]) -> tuple[Route, ...]:
    """The routes that serve what is written about `routes`, and about themselves."""

    def made() -> bytes:
        return msgspec.json.encode(openapi((*routes, *own), docs))

    handlers: dict[str, Handler] = {
        f"{BASE}/errors": Document(lambda: success(error_rows()).body),
        "/openapi.json": Document(made),
        "/asyncapi.json": Document(lambda: msgspec.json.encode(asyncapi())),
        "/kerb.proto": _file(SCHEMA),
        "/docs": _file(WEB / "docs.html"),
        "/docs/docs.js": _file(WEB / "docs.js"),
        "/docs/docs.css": _file(WEB / "docs.css"),
        "/docs/icon.svg": _file(WEB / "icon.svg"),
        "/docs/demo.json": demo,
    }
    own = tuple(
        Route("GET", path, handler, PUBLIC, LimitClass.CALLS if path.startswith(BASE) else LimitClass.NONE)
        for path, handler in handlers.items()
    )
    return own


async def demo(call: Call) -> Answer:
    """`GET /docs/demo.json`: how to sign in where money is only paper, so that the page can do it."""
    return (_DEMO if call.services.settings.mode is Mode.DEMO else _NO_DEMO).answer(call)


def _login() -> bytes:
    return msgspec.json.encode(DemoLogin(demo=True, email=TRADERS[0].email, password=PASSWORD))


_DEMO: Final = Document(_login)
_NO_DEMO: Final = Document(lambda: msgspec.json.encode(DemoLogin(demo=False)))


def _file(path: Path) -> Document:
    return Document(path.read_bytes, MEDIA_TYPES[path.suffix])
