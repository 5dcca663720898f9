"""Commands answered without a task: from the parsed request straight to the engine, from durable straight to the socket.

aiohttp makes a task, a request, a response and three turns of the loop for each call, which takes longer than all
that an order costs otherwise. A route whose handler is a `CommandHandler` and whose path is fixed needs none of them:
1. aiohttp's own parser and protocol take the bytes in; a call that is anything but plain is left to them
2. the same checks as on any other route, then the command is submitted       (handlers/middleware.py)
3. when it is durable, the answer is written at once

A connection has one call at a time: what is pipelined behind it waits in aiohttp's queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from time import perf_counter
from typing import Any, Final

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from multidict import MultiMapping, istr

from engine.apply import Applied
from handlers.call import Call
from handlers.cors import Cors
from handlers.envelope import Answer, failure
from handlers.middleware import (
    BodyCut,
    admit,
    bug,
    checked_body,
    header_lines,
    is_about_order,
    request_id_of,
    stopped,
)
from handlers.routing import CommandHandler, Route
from handlers.unfinished_heads import UnfinishedHeads
from handlers.unread_orders import ORDER_LINE, refusal_unread
from handlers.whole_response import WholeResponse, whole_answer
from server.admission import Admission
from server.errors import BadRequest, KerbError
from server.journal_errors import JournalFailed
from server.request_log import order_id_in
from server.services import Services

log = logging.getLogger("kerb.http")

EXPECT: Final = istr("Expect")
HELD_MAX: Final = 16_384
"""What is longer is no plain call, and aiohttp's task may have it at once."""

_chunks_of: Final[Callable[[StreamReader], deque[bytes]]] = attrgetter("_buffer")
"""What has come of a body, as aiohttp keeps it: its own way of reading that takes as long as the checks of an order."""

Write = Callable[[bytes | None], None]
"""Takes a whole answer, or None where there can be none: then the connection is cut."""


class DirectRoute:
    """A route of the table that is answered without a task."""

    __slots__ = (
        *("_about_order", "_body_max_bytes", "_cors", "_handler"),
        *("_log_of_calls", "_observe", "_route", "_services"),
    )

    def __init__(self, route: Route, handler: CommandHandler, services: Services, cors: Cors) -> None:
        self._route = route
        self._handler = handler
        self._services = services
        self._cors = cors
        self._observe = services.metrics.route(route.name).observe
        self._log_of_calls = services.request_log
        self._about_order = is_about_order(route)
        self._body_max_bytes = services.settings.http.body_max_bytes

    def begin(self, headers: MultiMapping[str], body: bytes, write: Write) -> None:
        """Carry a call out; `write` gets the whole answer, now or when it is durable."""
        started_s = perf_counter()
        call = Call(self._services, None, request_id_of(headers), headers)
        try:
            admit(call, self._route, None)
            call.body = checked_body(headers, body, self._body_max_bytes)
            applied = call.submit(self._handler.command(call))
            self._services.runtime.call_when_durable(
                applied.seq, partial(self._end, call, applied, started_s, write)
            )
        except KerbError as error:
            self._write(call, failure(error, call.request_id), started_s, write)
        except JournalFailed:
            self._write(call, stopped(call), started_s, write)
        except Exception:
            log.exception("%s failed, request %s", self._route.name, call.request_id)
            self._write(call, bug(call), started_s, write)

    def _end(
        self, call: Call, applied: Applied, started_s: float, write: Write, lost: JournalFailed | None
    ) -> None:
        if lost is not None:
            write(None)  # it may be on the disk: nobody can be told yet
            return
        try:
            answer = self._handler.answer(call, applied)
        except KerbError as error:
            answer = failure(error, call.request_id)
        except Exception:
            log.exception("%s failed, request %s", self._route.name, call.request_id)
            answer = bug(call)
        self._write(call, answer, started_s, write)

    def _write(self, call: Call, answer: Answer, started_s: float, write: Write) -> None:
        seconds = perf_counter() - started_s
        self._observe(answer.status, seconds)
        if self._log_of_calls is not None:
            order_id = order_id_in(answer.body) if self._about_order else None
            self._log_of_calls.add(
                self._route.name, answer.status, seconds, call.request_id, call.signed_in, order_id
            )
        more = header_lines(call.headers, self._cors, answer, call.request_id, call.verdict)
        write(whole_answer(answer.status, answer.body, answer.content_type, more))


DirectRoutes = Mapping[tuple[str, str], DirectRoute]
"""Method and path → route."""


def direct_routes(routes: tuple[Route, ...], services: Services, cors: Cors) -> DirectRoutes:
    """Those routes of the table that can be answered without a task."""
    return {
        (route.method, route.path): DirectRoute(route, route.handler, services, cors)
        for route in routes
        if isinstance(route.handler, CommandHandler) and "{" not in route.path
    }


class DirectProtocol(RequestHandler):
    """A connection. `_waiter` is what aiohttp's task waits on while the connection is idle; setting it hands a call over."""

    __slots__ = ("_admission", "_head_begun", "_heads", "_held", "_routes", "body")

    def __init__(
        self,
        server: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        routes: DirectRoutes,
        heads: UnfinishedHeads,
        admission: Admission,
        **options: Any,
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self._admission: Final = admission
        self._routes: Final = routes
        self._heads: Final = heads
        self._head_begun = -1  # the number, from 0, of the last request whose head came in pieces
        self._held = b""  # what has come before aiohttp's task was back to wait for it
        self.body: StreamReader | None = None  # that of the last call which was left to aiohttp

    def data_received(self, data: bytes) -> None:
        """Bytes from the client. While aiohttp's task is busy with a call, they are its own affair."""
        admission = self._admission
        if not admission.in_turn:
            admission.begin_turn()
        admission.reads += 1
        waiter = self._waiter
        if waiter is not None:
            self._take(data, waiter)
        elif (
            data
            and not (self._request_in_progress or self._messages)
            and len(self._held) + len(data) <= HELD_MAX
        ):
            # The task has begun, or answered, and is not back yet. What it finds it would keep, and so the next call of
            # a client that is quick, and the next: a turn later it waits, and need not be woken.
            if not self._held:
                self._loop.call_soon(self._release)
            self._held += data
        else:
            held, self._held = self._held, b""
            super().data_received(held + data)

    def _release(self) -> None:
        """Go on with what was held for a turn."""
        data, self._held = self._held, b""
        waiter = self._waiter
        if not data or self.transport is None:
            return
        if waiter is not None:
            self._take(data, waiter)
        else:
            super().data_received(data)

    def _take(self, data: bytes, waiter: asyncio.Future[None]) -> None:
        """Bytes that came while aiohttp's task was waiting, or about to go on."""
        if waiter.done():
            super().data_received(data)
            return
        admission = self._admission
        if admission.is_tight and admission.is_late() and data.startswith(ORDER_LINE) and self._refuse(data):
            return
        self._waiter = None  # or aiohttp would wake its task for whatever has come
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        if self._messages:
            if not self._request_in_progress:
                self._begin(waiter)
        elif self._head_begun != self._request_count:
            self._head_begun = self._request_count
            self._heads.begin(self)

    def _refuse(self, data: bytes) -> bool:
        """Under overload: answer an order that comes too late, if nothing is under way and it is a plain call."""
        if (
            self._request_in_progress
            or self._messages
            or self._head_begun == self._request_count
            or self.transport is None
            or self.transport.get_write_buffer_size()
        ):
            return False
        refusal = refusal_unread(data)
        if refusal is None:
            return False
        self._admission.note_refused()
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        self.transport.write(refusal)
        return True

    def resume_reading(self, resume_parser: bool = True) -> None:
        """A body's reader has room. Where nothing was held back, nothing has to go on: aiohttp would parse nothing again,
        twice for each call.
        """
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def head_overdue(self) -> None:
        """Close the connection if that head has still not ended and no call is under way."""
        if self._head_begun == self._request_count:
            if self._request_in_progress:
                self._heads.begin(self)
            else:
                self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        self._heads.forget(self)
        super().connection_lost(exc)

    def _next(self) -> None:
        """Begin with the next call, unless there is none or one is under way."""
        waiter = self._waiter
        if self._messages and not self._request_in_progress and waiter is not None and not waiter.done():
            self._begin(waiter)

    def _begin(self, waiter: asyncio.Future[None]) -> None:
        """Begin with the first call that waits; none is under way, and aiohttp's task waits too."""
        parser, manager = self._parser, self._manager
        message, payload = self._messages[0]
        if (
            type(message) is not RawRequestMessage  # the parser's complaint
            or not payload.is_eof()
            or (route := self._direct_route(message)) is None
            or parser is None
            or manager is None
        ):
            waiter.set_result(None)
            return
        self._messages.popleft()
        parser.message_consumed()
        manager.requests_count += 1
        self._request_in_progress = True
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        body = None
        if type(payload) is StreamReader and not self._reading_paused:
            chunks = _chunks_of(payload)
            if len(chunks) == 1:  # as nearly always; nothing has to go on for having been read
                body = chunks[0]
        route.begin(message.headers, payload.read_nowait() if body is None else body, self._answer)

    def _direct_route(self, message: RawRequestMessage) -> DirectRoute | None:
        """The route of a call that is plain in every respect; None leaves the call to aiohttp."""
        route = self._routes.get((message.method, message.path))
        if (
            route is None
            or message.should_close
            or message.upgrade
            or message.version is not HttpVersion11  # the parser has one for all
            or EXPECT in message.headers
            or self._buffer_paused
            or self.transport is None
            or self.transport.get_write_buffer_size()
        ):
            return None
        return route

    async def shutdown(self, timeout: float | None = None) -> None:
        """End the connection: a call under way is waited for, a body that has not come whole is not."""
        if self.body is not None and not self.body.is_eof():
            self.body.set_exception(BodyCut())
        await super().shutdown(timeout)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The envelope for what is not HTTP; it is the client's affair, so the log has a line and no traceback.

        Raises ConnectionError when part of an answer is out already.
        """
        if status >= web.HTTPInternalServerError.status_code:
            return super().handle_error(request, status, exc, message)
        log.info("not HTTP from %s: %s", request.remote, type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer is out already")
        request_id = request_id_of({})
        answer = failure(BadRequest("", "this is not valid HTTP"), request_id)
        return WholeResponse(status, answer.body, answer.content_type, f"X-Request-ID: {request_id}\r\n")

    def _answer(self, answer: bytes | None) -> None:
        """Write the whole answer, if the client is still there, and go on with what it has sent meanwhile. None cuts the
        connection instead.
        """
        self._request_in_progress = False
        if self.transport is not None:
            if answer is None:
                self.transport.abort()
            else:
                self.transport.write(answer)
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)  # the shutdown waited for this call
        elif self._messages:
            self._loop.call_soon(self._next)
