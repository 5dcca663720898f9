"""What every call goes through, in order:

1. a request id       2. the caller, and whether the route's policy lets the caller in       3. rate limits
4. the body: its length and content type       5. the handler       6. any exception becomes the envelope
7. headers, metrics. One function a route does all of it: layers of middleware cost more than their work. What is no
more than a command goes the same way without a task of its own (handlers/direct.py).
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping
from itertools import count
from time import perf_counter
from typing import Final

from aiohttp import web
from multidict import istr

from handlers.access import access_of, require_scope, scope_of
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
    Overloaded,
    ShuttingDown,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from server.journal_errors import JournalFailed
from server.principal import Principal
from server.rate_limits import LimitClass, RateLimits, Verdict
from server.request_log import order_id_in
from server.services import Services

AUTHORIZATION: Final = istr("Authorization")
CONTENT_ENCODING: Final = istr("Content-Encoding")
CONTENT_TYPE: Final = istr("Content-Type")
ORIGIN: Final = istr("Origin")
X_API_KEY: Final = istr("X-API-Key")
X_REQUEST_ID: Final = istr("X-Request-ID")
"""Looking for a str takes three times as long."""

BY_ADDRESS: Final = frozenset({LimitClass.REGISTRATION, LimitClass.LOGIN, LimitClass.READINGS})
WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})

BODY_TIMEOUT_S: Final = 30
"""A body that has not come by then will not come: a client must not keep a connection busy for ever."""

STOPPED: Final = "The server has stopped, try again with the same idempotency key."

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PREFIX: Final = secrets.token_hex(4)
_numbers = count(1)

log = logging.getLogger("kerb.http")


class BodyCut(TimeoutError):
    """What a shutdown ends the reading of a body with: nothing more of it is taken in, so waiting for it is in vain.

    A timeout, as aiohttp expects when it reads on behind an early answer.
    """


def request_id_of(headers: Mapping[str, str]) -> str:
    """The caller's X-Request-ID if it is a sane one, else a new one."""
    given = headers.get(X_REQUEST_ID)
    if given is not None and _REQUEST_ID.fullmatch(given) is not None:
        return given
    return f"{_PREFIX}-{next(_numbers):x}"


def authenticate(services: Services, headers: Mapping[str, str]) -> Principal:
    """The caller. Raises Unauthenticated, TokenExpired or AccountDisabled."""
    header = headers.get(AUTHORIZATION)
    if header is None:
        api_key = headers.get(X_API_KEY)
        if api_key is None:
            raise Unauthenticated
        return services.auth.api_keys.verify(api_key)
    if header[:7] != "Bearer " and header[:7].lower() != "bearer ":
        raise Unauthenticated("Send the access token as 'Authorization: Bearer …'.")
    return services.auth.verify(header[7:])


def authorize(services: Services, headers: Mapping[str, str], route: Route | StreamRoute) -> Principal | None:
    """The caller, if the route's policy lets the caller in. Raises Unauthenticated, Forbidden or ScopeMissing.

    On a public route a bad token is the same as none: it may be the very thing that the call is to replace.
    """
    if not route.policy:
        try:
            has_credentials = AUTHORIZATION in headers or X_API_KEY in headers
            return authenticate(services, headers) if has_credentials else None
        except (Unauthenticated, Forbidden):
            return None
    principal = authenticate(services, headers)
    if route.policy.isdisjoint(principal.roles):
        raise Forbidden
    if principal.scopes is not None:
        require_scope(principal, scope_of(route.method, route.path, route.limit))
    return principal


def limit(
    limits: RateLimits, limit_class: LimitClass, principal: Principal | None, request: web.Request | None
) -> Verdict | None:
    """Count the call in its class, where it is limited. Raises TooManyRequests by way of the verdict.

    A call counts in one class: an order is no "call", or a market maker's limits would mean nothing.
    """
    if limit_class is LimitClass.NONE:
        return None
    if principal is not None and limit_class not in BY_ADDRESS:
        return limits.take_user(limit_class, principal)
    address = (request.remote if request is not None else None) or ""
    return limits.take_address(limit_class if limit_class in BY_ADDRESS else LimitClass.CALLS, address)


async def read_body(request: web.Request, body_max_bytes: int) -> bytes:
    """The body, if it is declared as JSON and not too long. Raises BodyTooLarge, UnsupportedMediaType, BadRequest."""
    content = request.content
    if content.is_eof() and content.exception() is None:
        body = content.read_nowait()  # all of it came with the head
    else:
        body = await _read_long_body(request, body_max_bytes)
    return checked_body(request.headers, body, body_max_bytes)


def checked_body(headers: Mapping[str, str], body: bytes, body_max_bytes: int) -> bytes:
    """A whole body, if it is declared as JSON and not too long. Raises BodyTooLarge or UnsupportedMediaType."""
    if len(body) > body_max_bytes:
        raise BodyTooLarge(body_max_bytes)
    if CONTENT_ENCODING in headers:
        raise UnsupportedMediaType("Send the body without a content encoding.")
    if body:
        declared = headers.get(CONTENT_TYPE, "")
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
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except BodyCut:
        raise ShuttingDown from None
    except TimeoutError:
        raise BadRequest("body", f"did not arrive within {BODY_TIMEOUT_S} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(body_max_bytes) from None
    except web.RequestPayloadError:
        raise BadRequest("body", "cannot be read") from None
    except OSError:  # the client has hung up: nobody will read this, but it is no fault of ours
        raise BadRequest("body", "did not arrive whole") from None


def admit(call: Call, route: Route | StreamRoute, request: web.Request | None) -> None:
    """Find the caller, apply the route's policy and its rate limit. Raises what those raise, and TooManyRequests.

    Under overload an order that comes too late is not looked at any further: Overloaded.
    """
    services = call.services
    if services.admission.is_tight and is_new_order(route) and services.admission.refuses():
        raise Overloaded
    call.signed_in = principal = authorize(services, call.headers, route)
    call.verdict = verdict = limit(services.rate_limits, route.limit, principal, request)
    if verdict is not None and verdict.retry_after_s:
        raise TooManyRequests(verdict.retry_after_s)


def is_new_order(route: Route | StreamRoute) -> bool:
    """Whether the route's calls bring orders."""
    return isinstance(route, Route) and route.method == "POST" and route.limit is LimitClass.ORDERS


def bug(call: Call) -> Answer:
    """The answer to a call that ended with an exception which is not meant for clients; the caller has logged it."""
    call.services.metrics.count_fault()
    return fault(call.request_id)


def stopped(call: Call) -> Answer:
    """The answer where the journal has stopped, a full disk say, before the command: the machine's trouble, which the log has
    already, and no bug.

    A command that had joined a group by then gets no answer: whether that is on the disk shows after the restart, so its
    connection is cut, as a crash cuts it (DESIGN.md §4: no acknowledgement).
    """
    return failure(ShuttingDown(STOPPED), call.request_id)


def endpoint(route: Route, services: Services, cors: Cors) -> Endpoint:
    """The function that aiohttp calls for a route."""
    handler = route.handler
    access = access_of(route)
    has_body = route.method not in WITHOUT_BODY
    body_max_bytes = services.settings.http.body_max_bytes
    observe = services.metrics.route(route.name).observe
    log_of_calls = services.request_log
    about_order = is_about_order(route)

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(services, request, request_id_of(request.headers))
        try:
            admit(call, route, request)
            if access.owned:
                access.hide_others(call)
            if has_body:
                call.body = await read_body(request, body_max_bytes)
            answer = await handler(call)
        except KerbError as error:
            answer = failure(error, call.request_id)
        except JournalFailed:
            answer = stopped(call)
            if request.transport is not None:
                request.transport.abort()  # the command may be on the disk: nobody can be told yet
        except Exception:
            log.exception("%s failed, request %s", route.name, call.request_id)
            answer = bug(call)
        seconds = perf_counter() - started
        observe(answer.status, seconds)
        if log_of_calls is not None:
            order_id = order_id_in(answer.body) if about_order else None
            log_of_calls.add(route.name, answer.status, seconds, call.request_id, call.signed_in, order_id)
        return respond(request, cors, answer, call.request_id, call.verdict)

    return handle


def is_about_order(route: Route) -> bool:
    """Whether the answers of a route are about one order, so that the log can name it."""
    return route.limit is LimitClass.ORDERS or "{order_id}" in route.path


def stream_endpoint(route: StreamRoute, services: Services, cors: Cors) -> Endpoint:
    """The function that aiohttp calls for a WebSocket: the handler answers by itself unless it is refused."""
    name = f"{route.method} {route.path}"

    def log_call(call: Call, status: int, started: float) -> None:
        if services.request_log is not None:
            seconds = perf_counter() - started
            services.request_log.add(name, status, seconds, call.request_id, call.signed_in)

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(services, request, request_id_of(request.headers))
        try:
            admit(call, route, request)
            socket = await route.handler(call)
            log_call(call, socket.status, started)
            return socket
        except KerbError as error:
            answer = failure(error, call.request_id)
        except web.HTTPForbidden as refused:
            answer = failure(Forbidden(refused.text or refused.reason), call.request_id)
        except web.HTTPBadRequest as refused:
            answer = failure(BadRequest("handshake", refused.text or refused.reason), call.request_id)
        log_call(call, answer.status, started)
        return respond(request, cors, answer, call.request_id, call.verdict)

    return handle


def respond(
    request: web.Request, cors: Cors, answer: Answer, request_id: str, verdict: Verdict | None
) -> WholeResponse:
    """The answer as it is sent, with the headers that the call asks for."""
    more = header_lines(request.headers, cors, answer, request_id, verdict)
    return WholeResponse(answer.status, answer.body, answer.content_type, more, of_site=answer.of_site)


def header_lines(
    asked: Mapping[str, str], cors: Cors, answer: Answer, request_id: str, verdict: Verdict | None
) -> str:
    """The headers of an answer to a call with the headers `asked`, but for those that every answer has."""
    more = f"X-Request-ID: {request_id}\r\n"
    if verdict is not None:
        more += (
            f"RateLimit-Limit: {verdict.limit}\r\nRateLimit-Remaining: {verdict.remaining}\r\n"
            f"RateLimit-Reset: {verdict.reset_s}\r\n"
        )
    if answer.status == 401:
        more += "WWW-Authenticate: Bearer\r\n"
    if answer.headers is not None:
        more += _lines(answer.headers)
    if ORIGIN in asked:
        more += _lines(cors.marks(asked[ORIGIN]))
    return more


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
