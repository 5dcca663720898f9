"""What a route is: a method, a path, its handler, who may call it, and what limits it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from msgspec import Struct

from engine.apply import Applied
from engine.commands import AnyCommand
from handlers.call import Call
from handlers.envelope import Answer
from server.principal import Role
from server.rate_limits import LimitClass

Handler = Callable[[Call], Awaitable[Answer]]
Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]
StreamHandler = Callable[[Call], Awaitable[web.StreamResponse]]

BASE: Final = "/api/v1"

PUBLIC: Final[frozenset[Role]] = frozenset()
"""The policy of a route that anybody may call."""
SIGNED_IN: Final = frozenset(Role)
"""Every user, whatever the role."""
HOLDER: Final = frozenset({Role.TRADER, Role.MARKET_MAKER})
"""Users who have an account of their own to trade with."""
ADMIN: Final = frozenset({Role.ADMIN})
RISK_DESK: Final = frozenset({Role.RISK, Role.ADMIN})
"""Who sets risk rules and reviews what broke them."""

PARKING_DESK: Final = frozenset({Role.PARKING_OPERATOR, Role.ADMIN})
"""Who runs car parks and their gates."""


class CommandHandler(Struct, frozen=True):
    """A handler that is one command: what the call means, and the answer to what came of it, once that is durable.

    It waits for nothing else, so a route with a fixed path can be answered without a task (handlers/direct.py).
    """

    command: Callable[[Call], AnyCommand]
    answer: Callable[[Call, Applied], Answer]

    async def __call__(self, call: Call) -> Answer:
        """As a handler like any other."""
        return self.answer(call, await call.execute(self.command(call)))


class Route(Struct, frozen=True):
    """A row of the route table. `policy`: the roles of which the caller needs one; PUBLIC for anybody."""

    method: str
    path: str
    handler: Handler
    policy: frozenset[Role]
    limit: LimitClass

    @property
    def name(self) -> str:
        """How metrics call it."""
        return f"{self.method} {self.path}"


class StreamRoute(Struct, frozen=True):
    """A route that answers by itself: a WebSocket, which authenticates its own messages."""

    path: str
    handler: StreamHandler
    policy: frozenset[Role]
    limit: LimitClass
    method: str = "GET"
