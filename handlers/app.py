"""The aiohttp application: the route table, and what answers a path or method that is not in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.http_writer import HttpVersion11

from handlers.cors import Cors
from handlers.direct import direct_routes
from handlers.direct_server import DirectRunner
from handlers.envelope import failure
from handlers.middleware import endpoint, request_id_of, respond, stream_endpoint
from handlers.routes import ROUTES, STREAM_ROUTES
from handlers.routing import Endpoint
from server.errors import ExpectationFailed, MethodNotAllowed, NotFound
from server.services import Services

SHUTDOWN_SHARES: Final = 4
"""Streams have a quarter of the time that a shutdown has, calls one to end by themselves and one when they are cancelled."""

SERVICES: Final = web.AppKey("services", Services)


def build_application(services: Services) -> web.Application:
    """The application over running services; HEAD answers wherever GET does. `build_runner` serves it."""
    app = web.Application(client_max_size=services.settings.http.body_max_bytes)
    app[SERVICES] = services
    cors = Cors(services.settings.http.cors_origins)
    expect = _expect(services, cors)

    def add(method: str, path: str, handler: Endpoint) -> None:
        app.router.add_route(method, path, handler, expect_handler=expect)

    for route in ROUTES:
        handler = endpoint(route, services, cors)
        add(route.method, route.path, handler)
        if route.method == "GET":
            add("HEAD", route.path, handler)
    for stream in STREAM_ROUTES:
        add("GET", stream.path, stream_endpoint(stream, services, cors))
    known = tuple(app.router.resources())
    elsewhere = _elsewhere(known, services, cors)
    for path in {resource.canonical for resource in known if isinstance(resource, web.PlainResource)}:
        add("*", path, elsewhere)  # or it would be taken for `…/{order_id}` in another method
    add("*", "/{tail:.*}", elsewhere)
    return app


def build_runner(services: Services) -> web.AppRunner:
    """What serves the application: give it a site, or a listening socket.

    Bodies are not decompressed (a Content-Encoding is answered 415), and there is no access log.
    """
    http = services.settings.http
    return DirectRunner(
        build_application(services),
        direct_routes(ROUTES, services, Cors(http.cors_origins)),
        services.admission,
        access_log=None,
        auto_decompress=False,
        max_line_size=http.header_max_bytes,
        max_field_size=http.header_max_bytes,
        head_timeout_s=http.head_timeout_s,
        keepalive_timeout=http.idle_s,
        shutdown_timeout=http.shutdown_s / SHUTDOWN_SHARES,
    )


def _elsewhere(known: tuple[web.AbstractResource, ...], services: Services, cors: Cors) -> Endpoint:
    """What answers everything that is not in the table: OPTIONS, 405 for another method, 404 for the rest."""
    note = _notes(services)
    fixed: dict[str, set[str]] = {}
    for resource in known:
        if isinstance(resource, web.PlainResource):
            fixed.setdefault(resource.canonical, set()).update(route.method for route in resource)

    async def handle(request: web.Request) -> web.StreamResponse:
        allowed = set(fixed.get(request.path, ()))
        for resource in () if allowed else known:
            _, methods = await resource.resolve(request)
            allowed |= methods
        request_id = request_id_of(request.headers)
        if allowed and request.method == "OPTIONS":
            return cors.preflight(request, ", ".join(sorted(allowed | {"OPTIONS"})))
        if allowed:
            methods_text = ", ".join(sorted(allowed))
            answer = failure(MethodNotAllowed(methods_text), request_id)
            answer.headers = {"Allow": methods_text}
        else:
            answer = failure(NotFound(), request_id)
        note(answer.status, request_id)
        return respond(request, cors, answer, request_id, None)

    return handle


def _expect(services: Services, cors: Cors) -> Callable[[web.Request], Awaitable[web.StreamResponse | None]]:
    """What is asked first about a call with the header Expect: None has it go on."""
    note = _notes(services)

    async def expect(request: web.Request) -> web.StreamResponse | None:
        if request.version < HttpVersion11:  # such a client does not know what it says
            return None
        if request.headers["Expect"].lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the answer itself has not begun
            return None
        request_id = request_id_of(request.headers)
        answer = failure(ExpectationFailed(), request_id)
        note(answer.status, request_id)
        return respond(request, cors, answer, request_id, None)

    return expect


def _notes(services: Services) -> Callable[[int, str], None]:
    """What counts and logs an answer outside of the table: its status and request id."""
    observe = services.metrics.route("elsewhere").observe

    def note(status: int, request_id: str) -> None:
        observe(status, 0.0)
        if services.request_log is not None:
            services.request_log.add("elsewhere", status, 0.0, request_id, None)

    return note
