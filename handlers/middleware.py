"""What every call goes through, in order:

1. a request id       2. the caller, and whether the route's policy lets the caller in       3. rate limits
4. the body: its length and content type       5. the handler       6. any exception becomes the envelope
7. headers, metrics. One function a route does all of it: layers of middleware cost more than their work.
"""

from __future__ import annotations

import logging
import re
import secrets
from itertools import count
from time import perf_counter
from typing import Final

from aiohttp import web

from handlers.call import Call
from handlers.cors import Cors
from handlers.envelope import Answer, failure, fault
from handlers.routing import Endpoint, Route, StreamRoute
from handlers.whole_response import WholeResponse
from server.errors import (
    BadRequest,
    BodyTooLarge,
    Forbidden,
    KerbError,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from server.principal import Principal
from server.rate_limits import LimitClass, RateLimits, Verdict
from server.services import Services

BY_ADDRESS: Final = frozenset({LimitClass.REGISTRATION, LimitClass.LOGIN})
WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PREFIX: Final = secrets.token_hex(4)
_numbers = count(1)

log = logging.getLogger("kerb.http")


def request_id_of(request: web.Request) -> str:
    """The caller's X-Request-ID if it is a sane one, else a new one."""
    given = request.headers.get("X-Request-ID")
    if given is not None and _REQUEST_ID.fullmatch(given) is not None:
        return given
    return f"{_PREFIX}-{next(_numbers):x}"


def authenticate(services: Services, request: web.Request) -> Principal:
    """The caller. Raises Unauthenticated or TokenExpired."""
    header = request.headers.get("Authorization")
    if header is None:
        raise Unauthenticated
    if header[:7] != "Bearer " and header[:7].lower() != "bearer ":
        raise Unauthenticated("Send the access token as 'Authorization: Bearer …'.")
    return services.auth.verify(header[7:])


def authorize(services: Services, request: web.Request, route: Route | StreamRoute) -> Principal | None:
    """The caller, if the route's policy lets the caller in. Raises Unauthenticated or Forbidden.

    On a public route a bad token is the same as none: it may be the very thing that the call is to replace.
    """
    if not route.policy:
        try:
            return authenticate(services, request) if "Authorization" in request.headers else None
        except Unauthenticated:
            return None
    principal = authenticate(services, request)
    if route.policy.isdisjoint(principal.roles):
        raise Forbidden
    return principal


def limit(
    limits: RateLimits, limit_class: LimitClass, principal: Principal | None, request: web.Request
) -> Verdict | None:
    """Count the call in its class, where it is limited. Raises TooManyRequests by way of the verdict.

    A call counts in one class: an order is no "call", or a market maker's limits would mean nothing.
    """
    if limit_class is LimitClass.NONE:
        return None
    if principal is not None and limit_class not in BY_ADDRESS:
        return limits.take_user(limit_class, principal)
    address = request.remote or ""
    return limits.take_address(limit_class if limit_class in BY_ADDRESS else LimitClass.CALLS, address)


async def read_body(request: web.Request, body_max_bytes: int) -> bytes:
    """The body, if it is declared as JSON and not too long. Raises BodyTooLarge, UnsupportedMediaType, BadRequest."""
    content = request.content
    if content.is_eof() and content.exception() is None:
        body = content.read_nowait()  # all of it came with the head
        if len(body) > body_max_bytes:
            raise BodyTooLarge(body_max_bytes)
    else:
        body = await _read_long_body(request, body_max_bytes)
    if "Content-Encoding" in request.headers:
        raise UnsupportedMediaType("Send the body without a content encoding.")
    if body:
        declared = request.headers.get("Content-Type", "")
        if (
            declared != "application/json"
            and declared.partition(";")[0].strip().lower() != "application/json"
        ):
            raise UnsupportedMediaType
    return body


async def _read_long_body(request: web.Request, body_max_bytes: int) -> bytes:
    length = request.content_length
    if length is not None and length > body_max_bytes:
        raise BodyTooLarge(body_max_bytes)
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(body_max_bytes) from None
    except web.RequestPayloadError:
        raise BadRequest("body", "cannot be read") from None


def endpoint(route: Route, services: Services, cors: Cors) -> Endpoint:
    """The function that aiohttp calls for a route."""
    handler = route.handler
    limit_class = route.limit
    has_body = route.method not in WITHOUT_BODY
    body_max_bytes = services.settings.http.body_max_bytes
    observe = services.metrics.route(route.name).observe
    limits = services.rate_limits

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(services, request, request_id_of(request))
        verdict: Verdict | None = None
        try:
            call.signed_in = principal = authorize(services, request, route)
            verdict = limit(limits, limit_class, principal, request)
            if verdict is not None and verdict.retry_after_s:
                raise TooManyRequests(verdict.retry_after_s)
            if has_body:
                call.body = await read_body(request, body_max_bytes)
            answer = await handler(call)
        except KerbError as error:
            answer = failure(error, call.request_id)
        except Exception:
            log.exception("%s %s failed, request %s", route.method, route.path, call.request_id)
            services.metrics.count_fault()
            answer = fault(call.request_id)
        observe(answer.status, perf_counter() - started)
        return respond(request, cors, answer, call.request_id, verdict)

    return handle


def stream_endpoint(route: StreamRoute, services: Services, cors: Cors) -> Endpoint:
    """The function that aiohttp calls for a WebSocket: the handler answers by itself unless it is refused."""

    async def handle(request: web.Request) -> web.StreamResponse:
        call = Call(services, request, request_id_of(request))
        verdict: Verdict | None = None
        try:
            call.signed_in = authorize(services, request, route)
            verdict = limit(services.rate_limits, route.limit, call.signed_in, request)
            if verdict is not None and verdict.retry_after_s:
                raise TooManyRequests(verdict.retry_after_s)
            return await route.handler(call)
        except KerbError as error:
            answer = failure(error, call.request_id)
        except web.HTTPForbidden as refused:
            answer = failure(Forbidden(refused.text or refused.reason), call.request_id)
        except web.HTTPBadRequest as refused:
            answer = failure(BadRequest("handshake", refused.text or refused.reason), call.request_id)
        return respond(request, cors, answer, call.request_id, verdict)

    return handle


def respond(
    request: web.Request, cors: Cors, answer: Answer, request_id: str, verdict: Verdict | None
) -> WholeResponse:
    """The answer as it is sent, with the headers that the call asks for."""
    headers = {"X-Request-ID": request_id}
    if verdict is not None:
        headers["RateLimit-Limit"] = str(verdict.limit)
        headers["RateLimit-Remaining"] = str(verdict.remaining)
        headers["RateLimit-Reset"] = str(verdict.reset_s)
    if answer.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if answer.headers is not None:
        headers.update(answer.headers)
    cors.mark(request, headers)
    return WholeResponse(answer.status, answer.body, answer.content_type, headers)
