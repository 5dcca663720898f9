"""Which web pages may call from a browser: the origins that config names (https://fetch.spec.whatwg.org, "CORS protocol")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

ALLOWED_METHODS: Final = "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"
ALLOWED_HEADERS: Final = (
    "Authorization, X-API-Key, Content-Type, X-Idempotency-Key, Idempotency-Key, X-Request-ID"
)
EXPOSED_HEADERS: Final = (
    "X-Request-ID, Idempotency-Hit, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
)
PREFLIGHT_MAX_AGE_S: Final = 600


class Cors:
    """The configured origins. `*` is any. Credentials are bearer tokens, never cookies."""

    __slots__ = ("_any", "_origins")

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)
        self._any = "*" in self._origins

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may call."""
        return self._any or origin in self._origins

    def marks(self, origin: str) -> dict[str, str]:
        """The headers that tell the browser whether a page of this origin may read the answer."""
        headers = {"Vary": "Origin"}
        if self.allows(origin):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        return headers

    def preflight(self, request: web.Request, allowed_methods: str) -> web.Response:
        """The answer to OPTIONS."""
        headers = {"Allow": allowed_methods}
        if "Origin" in request.headers:
            headers |= self.marks(request.headers["Origin"])
        if "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
            headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)
        return web.Response(status=204, headers=headers)
