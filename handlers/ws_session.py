"""What the server knows of one client of a WebSocket: who it is, what it has done wrong, what it still waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final

from handlers.access import CHANNEL_POLICIES, require_scope
from handlers.routing import HOLDER
from handlers.ws_tied_orders import TiedOrders
from server.errors import Forbidden, TooManyRequests, Unauthenticated
from server.outlet import Outlet
from server.principal import Principal, Role, Scope
from server.rate_limits import LimitClass
from server.request_log import RequestLog
from server.services import Services
from server.ws_frames import CloseCode

BAD_IN_A_ROW_MAX: Final = 50
"""So many malformed messages without a good one between them: the client is closed with 4400."""

SIGN_INS_REFUSED_MAX: Final = 5
"""So many refused tokens: the client is closed with 4401, or with 4403 when the last one was another user's."""

ANSWERS_DUE_MAX: Final = 64
"""So many messages may wait for durability before the next one is read."""


INBOUND_MAX: Final = 20_000
INBOUND_WINDOW_S: Final = 10.0
"""A client that sends so many frames, of whatever kind, in less than that time is closed with 4429. A frame costs a
good client nothing near it: orders are limited by themselves, and a batch is one frame."""


class Session:
    """One client. Everything that is sent to it goes through `outlet`."""

    __slots__ = (
        "_bad_in_a_row",
        "_connection_id",
        "_count",
        "_due",
        "_from_s",
        "_inbound",
        "_inbound_checked_at_s",
        "_log",
        "_peer",
        "_refused_sign_ins",
        "_room",
        "orders",
        "outlet",
        "principal",
        "services",
    )

    def __init__(self, services: Services, outlet: Outlet, *, connection_id: str, peer: str) -> None:
        self.services = services
        self.outlet = outlet
        self.principal: Principal | None = None
        self._connection_id = connection_id
        self._peer = peer
        self._count = 0
        self._bad_in_a_row = 0
        self._refused_sign_ins = 0
        self._due = 0
        self._log = services.request_log
        self._from_s = 0.0
        self._inbound = 0
        self._inbound_checked_at_s = asyncio.get_running_loop().time()
        self._room: asyncio.Future[None] | None = None
        self.orders: TiedOrders | None = None

    def __repr__(self) -> str:
        return f"<Session {self._connection_id} messages={self._count} due={self._due} {self.outlet!r}>"

    @property
    def request_id(self) -> str:
        """The id of the message that is being carried out."""
        return f"{self._connection_id}.{self._count}"

    def require_holder(self, scope: Scope = Scope.READ) -> Principal:
        """A signed-in client that has an account to trade with, with an API key of this scope if it came with one.

        Raises Unauthenticated, Forbidden or ScopeMissing.
        """
        return self._require(HOLDER, scope)

    def require_channel(self, channel: str) -> Principal:
        """A signed-in client that may follow a private channel. An operator's are for sessions, never for keys.

        Raises Unauthenticated, Forbidden or ScopeMissing.
        """
        policy = CHANNEL_POLICIES[channel]
        return self._require(policy, Scope.READ if policy is HOLDER else None)

    def _require(self, policy: frozenset[Role], scope: Scope | None) -> Principal:
        if self.principal is None:
            raise Unauthenticated
        if policy.isdisjoint(self.principal.roles):
            raise Forbidden
        require_scope(self.principal, scope)
        return self.principal

    def count_inbound(self) -> None:
        """Count a frame of any kind; close the client when there are far too many."""
        self._inbound += 1
        if self._inbound >= INBOUND_MAX:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._inbound_checked_at_s < INBOUND_WINDOW_S:
                self.outlet.close(CloseCode.TOO_MANY, "too many messages")
            self._inbound = 0
            self._inbound_checked_at_s = now_s

    def begin_message(self) -> None:
        """Count a message."""
        self._count += 1
        if self._log is not None:
            self._from_s = perf_counter()

    def good_message(self) -> None:
        """It had the right shape."""
        self._bad_in_a_row = 0

    def bad_message(self, answer: bytes) -> None:
        """It had not: say so, and close the client when it sends nothing else."""
        self.outlet.send(answer)
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= BAD_IN_A_ROW_MAX:
            self.outlet.close(CloseCode.BAD_MESSAGE, "too many malformed messages")

    def count_call(self) -> None:
        """Raises TooManyRequests when the caller's limit of calls is used up."""
        limits = self.services.rate_limits
        if self.principal is None:
            verdict = limits.take_address(LimitClass.CALLS, self._peer)
        else:
            verdict = limits.take_user(LimitClass.CALLS, self.principal)
        if verdict.retry_after_s:
            raise TooManyRequests(verdict.retry_after_s)

    def sign_in(self, token: str) -> None:
        """Begin or prolong the session. Raises Unauthenticated, TokenExpired, Forbidden for another user's token."""
        self.adopt(self.services.auth.verify(token))

    def tie_orders(self, on: bool) -> None:
        """Whether orders placed from now on are cancelled when the connection ends. What was tied before stays tied."""
        if self.principal is None:
            raise Unauthenticated
        if self.orders is None and on:
            self.orders = TiedOrders(self.services, self.principal, self._connection_id)
            self.outlet.on_end = self.orders.end
        if self.orders is not None:
            self.orders.is_on = on

    def refused_sign_in(self, refused: Unauthenticated | Forbidden) -> None:
        """A token was refused, and the client knows: close it when that has happened too often."""
        self._refused_sign_ins += 1
        if self._refused_sign_ins >= SIGN_INS_REFUSED_MAX:
            foreign = isinstance(refused, Forbidden)
            code = CloseCode.NOT_ALLOWED if foreign else CloseCode.NOT_AUTHENTICATED
            self.outlet.close(code, "too many refused tokens")

    def adopt(self, principal: Principal) -> None:
        """The connection is this caller's from now on. Raises Forbidden when it is somebody else's already."""
        if not self.services.hub.sign_in(self.outlet, principal):
            raise Forbidden("This connection belongs to another user.")
        self._refused_sign_ins = 0
        self.principal = principal

    def answer_when_durable(self, seq: int, answer: bytes, route: str) -> None:
        """Send the answer to a message with orders once everything up to `seq` is durable. `route` is for the log."""
        self._due += 1

        def send() -> None:
            self.outlet.send(answer)
            self._due -= 1
            if self._room is not None and not self._room.done():
                self._room.set_result(None)

        self.services.hub.when_durable(
            seq, send if self._log is None else self._noting(self._log, send, route, answer)
        )

    def _noting(
        self, log: RequestLog, send: Callable[[], None], route: str, answer: bytes
    ) -> Callable[[], None]:
        """`send`, with a line in the log."""
        request_id, from_s = self.request_id, self._from_s

        def send_and_note() -> None:
            send()
            log.add_message(route, perf_counter() - from_s, request_id, self.principal, answer)

        return send_and_note

    def note(self, route: str, answer: bytes) -> None:
        """Have the log say what the message that is being carried out was answered; '' is a message without orders."""
        if self._log is not None and route:
            seconds = perf_counter() - self._from_s
            self._log.add_message(route, seconds, self.request_id, self.principal, answer)

    async def room(self) -> None:
        """Come back when another message may be read: not too many answers are waiting for the disk."""
        while self._due >= ANSWERS_DUE_MAX:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
