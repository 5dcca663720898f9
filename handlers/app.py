"""The aiohttp application: the route table, and what answers a path or method that is not in it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from handlers.cors import Cors
from handlers.direct import DirectRunner, direct_routes
from handlers.envelope import failure
from handlers.middleware import endpoint, request_id_of, respond, stream_endpoint
from handlers.routes import ROUTES, STREAM_ROUTES
from handlers.routing import Endpoint
from server.errors import MethodNotAllowed, NotFound
from server.services import Services

SHUTDOWN_SHARES: Final = 4
"""Streams have a quarter of the time that a shutdown has, calls one to end by themselves and one when they are cancelled."""

SERVICES: Final = web.AppKey("services", Services)


def build_application(services: Services) -> web.Application:
    """The application over running services; HEAD answers wherever GET does. `build_runner` serves it."""
    app = web.Application(client_max_size=services.settings.http.body_max_bytes)
    app[SERVICES] = services
    cors = Cors(services.settings.http.cors_origins)
    for route in ROUTES:
        handler = endpoint(route, services, cors)
        app.router.add_route(route.method, route.path, handler)
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, handler)
    for stream in STREAM_ROUTES:
        app.router.add_route("GET", stream.path, stream_endpoint(stream, services, cors))
    known = tuple(app.router.resources())
    elsewhere = _elsewhere(known, services, cors)
    for path in {resource.canonical for resource in known if isinstance(resource, web.PlainResource)}:
        app.router.add_route(
            "*", path, elsewhere
        )  # or it would be taken for `…/{order_id}` in another method
    app.router.add_route("*", "/{tail:.*}", elsewhere)
    return app


def build_runner(services: Services) -> web.AppRunner:
    """What serves the application: give it a site, or a listening socket.

    Bodies are not decompressed (a Content-Encoding is answered 415), and there is no access log.
    """
    http = services.settings.http
    return DirectRunner(
        build_application(services),
        direct_routes(ROUTES, services, Cors(http.cors_origins)),
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
    observe = services.metrics.route("elsewhere").observe
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
        observe(answer.status, 0.0)
        if services.request_log is not None:
            services.request_log.add("elsewhere", answer.status, 0.0, request_id, None)
        return respond(request, cors, answer, request_id, None)

    return handle
