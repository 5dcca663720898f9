"""The WebSocket endpoint: handshake, the reading loop of one connection, and its end."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Transport
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from handlers.call import Call
from handlers.ws_dispatch import handle, refuse_binary
from handlers.ws_session import Session
from server.errors import BadRequest, Forbidden, ShuttingDown, Unauthenticated
from server.fan_out import Hub
from server.outlet import Outlet
from server.wire import Wire
from server.ws_frames import EMPTY_CLOSE_FRAME, CloseCode, close_frame, pong_frame

SUBPROTOCOLS: Final = tuple(wire.value for wire in Wire)
"""What is spoken here; of what a client offers, the first of these is taken. Without one, or with others only, it is JSON."""

PATHS: Final = ("/api/v1/ws", "/v1/ws")

TURN_MAX_S: Final = 0.002
"""A client whose messages are waiting already is read for so long before others get their turn."""

log = logging.getLogger("kerb.ws")


async def websocket(call: Call) -> web.StreamResponse:
    """Talk with one client until it goes.

    Raises before the handshake: BadRequest (no upgrade), Forbidden (a foreign origin), ShuttingDown.
    """
    request, services = call.request, call.services
    if services.hub.is_shutting_down:
        raise ShuttingDown
    if not origin_allowed(request, services.settings.http.cors_origins):
        raise Forbidden("This origin may not connect.")
    socket: web.WebSocketResponse[bool] = web.WebSocketResponse(
        protocols=SUBPROTOCOLS,
        compress=False,
        autoping=False,
        autoclose=False,
        decode_text=False,
        max_msg_size=services.settings.stream.frame_max_bytes + 1,
    )
    if not socket.can_prepare(request).ok:
        raise BadRequest("Upgrade", "this is a WebSocket")
    writer = await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    outlet = _attach(services.hub, transport)
    if outlet is None:
        return socket
    outlet.wire = Wire(socket.ws_protocol or Wire.JSON)
    session = Session(services, outlet, connection_id=f"ws-{token_hex(8)}", peer=request.remote or "")
    try:
        _adopt(session, call)
        await _converse(socket, session, writer.drain)
    except ConnectionError:
        log.debug("a client went away while it was written to")
    except Exception:
        log.exception("the stream of %r failed", session)
        services.metrics.count_fault()
        outlet.close(CloseCode.FAULT, "internal error")
    finally:
        services.hub.detach(outlet)
        transport.close()
    return socket


def origin_allowed(request: web.Request, origins: tuple[str, ...]) -> bool:
    """Browsers say which page connects: our own, or one that config lists. Other clients say nothing."""
    origin = request.headers.get("Origin")
    if origin is None or "*" in origins or origin in origins:
        return True
    try:
        return urlsplit(origin).netloc.lower() == request.host.lower()
    except ValueError:
        return False


def _attach(hub: Hub, transport: Transport) -> Outlet | None:
    """The connection's outlet; None, with the connection closed, when there are too many or the end is near."""
    outlet = hub.attach(transport)
    if outlet is None:
        if hub.is_shutting_down:
            transport.write(close_frame(CloseCode.RESTART, "restart"))
        else:
            transport.write(close_frame(CloseCode.TOO_MANY, "too many connections"))
        transport.close()
    return outlet


def _adopt(session: Session, call: Call) -> None:
    """Sign in with the handshake's own token, where it had one; it may have become worthless since it was looked at."""
    principal = call.signed_in
    if principal is None:
        return
    try:
        call.services.auth.check(principal)
    except (Unauthenticated, Forbidden):
        return
    session.adopt(principal)


async def _converse(
    socket: web.WebSocketResponse[bool], session: Session, drain: Callable[[], Awaitable[None]]
) -> None:
    """Read until the client closes or is gone. Once our close frame is out, what comes in is thrown away."""
    outlet = session.outlet
    loop = asyncio.get_running_loop()
    turn_ends_s = 0.0
    while True:
        message = await socket.receive()
        outlet.pings_unanswered = 0
        session.count_inbound()
        kind = message.type
        if kind is WSMsgType.TEXT:
            if outlet.is_open:
                await handle(session, message.data)
        elif kind is WSMsgType.BINARY:
            if outlet.is_open:
                refuse_binary(session)
        elif kind is WSMsgType.PING:
            outlet.write(pong_frame(message.data))
        elif kind is WSMsgType.CLOSE:
            _answer_close(outlet, message.data)
            return
        elif kind is not WSMsgType.PONG:
            return
        if outlet.unsent_bytes():
            await drain()
        if loop.time() > turn_ends_s:
            await asyncio.sleep(0)
            turn_ends_s = loop.time() + TURN_MAX_S


def _answer_close(outlet: Outlet, code: int) -> None:
    """Give the client its close code back, unless our own close frame is out already."""
    outlet.write(close_frame(code) if code else EMPTY_CLOSE_FRAME)
    outlet.is_open = False
