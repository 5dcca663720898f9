"""One call as handlers see it: who asks, what was sent, the services, and how to give a command to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from aiohttp import web

from engine.apply import Applied
from engine.commands import AnyCommand, Envelope
from engine.events import Refused
from engine.kinds import Source
from handlers.order_body import digest
from handlers.request_input import decode_body, idempotency_key
from server.errors import Unauthenticated
from server.principal import Principal
from server.services import Services

T = TypeVar("T")


class Call:
    """A call on its way through a handler. `signed_in` is None on a public route without a token."""

    __slots__ = ("body", "request", "request_id", "services", "signed_in")

    def __init__(self, services: Services, request: web.Request, request_id: str) -> None:
        self.services = services
        self.request = request
        self.request_id = request_id
        self.signed_in: Principal | None = None
        self.body = b""

    @property
    def principal(self) -> Principal:
        """The caller of a route that requires one."""
        if self.signed_in is None:
            raise Unauthenticated
        return self.signed_in

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters."""
        return self.request.query

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body, decoded. Raises BadRequest."""
        return decode_body(decoder, self.body)

    async def execute(self, command: AnyCommand) -> Applied:
        """Give a command to the engine in the caller's name; back when the outcome is durable.

        Raises BadRequest for a malformed idempotency key, and what `Runtime.submit` raises.
        """
        principal = self.principal
        key = idempotency_key(self.request.headers)
        envelope = Envelope(
            Source.HTTP,
            principal.user_id,
            principal.account_id,
            self.request_id,
            key,
            digest(command) if key else b"",
        )
        services = self.services
        applied = await services.runtime.execute(command, envelope)
        answer = applied.answer
        if answer and type(answer[0]) is Refused and not applied.duplicate:
            services.metrics.count_refusal(answer[0].refusal)
        return applied
