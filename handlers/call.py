"""One call as handlers see it: who asks, what was sent, the services, and how to give a command to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from aiohttp import web
from multidict import MultiMapping

from engine.apply import Applied
from engine.commands import AnyCommand, Envelope
from engine.events import Refused
from engine.kinds import Source
from handlers.command_digest import digest
from handlers.request_input import decode_body, idempotency_key
from server.errors import Unauthenticated
from server.principal import Principal
from server.rate_limits import Verdict
from server.services import Services

T = TypeVar("T")


class Call:
    """A call on its way through a handler. `signed_in` is None on a public route without a token, `verdict` on one
    without a limit. `said` is the command that was sent, where the session makes it another one: idempotency keys are compared
    by what was sent.

    `request` is None where a command is answered without one (handlers/direct.py): then there is no query and no
    part of the path to ask for.
    """

    __slots__ = (
        "_hidden",
        "_request",
        "body",
        "headers",
        "request_id",
        "said",
        "services",
        "signed_in",
        "verdict",
    )

    def __init__(
        self,
        services: Services,
        request: web.Request | None,
        request_id: str,
        headers: MultiMapping[str] | None = None,
    ) -> None:
        self.services = services
        self._request = request
        self.request_id = request_id
        self.headers: MultiMapping[str] = self.request.headers if headers is None else headers
        self.signed_in: Principal | None = None
        self.verdict: Verdict | None = None
        self.body = b""
        self.said: AnyCommand | None = None
        self._hidden: dict[str, str] | None = None

    @property
    def request(self) -> web.Request:
        """The request as aiohttp has it."""
        assert self._request is not None, "a direct route asked for more than headers and body"
        return self._request

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
        """A part of the path; what the caller may not know of has been replaced (handlers/access.py)."""
        if self._hidden is not None and name in self._hidden:
            return self._hidden[name]
        return self.request.match_info[name]

    def hide(self, name: str, absent: str) -> None:
        """Let `path` say `absent` from now on."""
        self._hidden = (self._hidden or {}) | {name: absent}

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body, decoded. Raises BadRequest."""
        return decode_body(decoder, self.body)

    async def execute(self, command: AnyCommand) -> Applied:
        """Give a command to the engine in the caller's name; back when the outcome is durable. Raises as `submit`."""
        applied = self.submit(command)
        await self.services.runtime.wait_durable(applied.seq)
        return applied

    def submit(self, command: AnyCommand) -> Applied:
        """Give a command to the engine in the caller's name. What came of it may be told once `seq` is durable.

        Raises BadRequest for a malformed idempotency key, and what `Runtime.submit` raises.
        """
        principal = self.principal
        key = idempotency_key(self.headers)
        envelope = Envelope(
            Source.HTTP,
            principal.user_id,
            principal.account_id,
            self.request_id,
            key,
            digest(self.said or command) if key else b"",
        )
        services = self.services
        applied = services.runtime.submit(command, envelope)
        answer = applied.answer
        if answer and type(answer[0]) is Refused and not applied.duplicate:
            services.metrics.count_refusal(answer[0].refusal)
        return applied
