"""Orders over a WebSocket: one at a time or in batches, answered when they are durable."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from engine.commands import AnyCommand, CancelOrder, Envelope
from engine.events import AnyEvent, OrderUpdated, Refused
from engine.kinds import Source
from engine.refusals import RETRYABLE, Refusal
from handlers.envelope import refusal_details
from handlers.order_body import OrderBody, digest, place_order
from handlers.order_json import encode_order
from handlers.refusal_status import REFUSALS
from handlers.request_input import read_id
from handlers.ws_messages import BatchItem, MessageId, decode_item, error_text, ok_text
from server.errors import BadRequest, KerbError, NotFound, RefusedAtBorder, TooManyRequests
from server.principal import Principal
from server.rate_limits import LimitClass
from server.services import Services

TURN_MAX_S: Final = 0.002
"""One client's batch is worked on for so long before others get their turn."""


class OrderDesk:
    """Hands one signed-in client's orders to the runtime."""

    __slots__ = ("_principal", "_services")

    def __init__(self, services: Services, principal: Principal) -> None:
        self._services = services
        self._principal = principal

    def place(
        self, message_id: MessageId, body: OrderBody, key: str | None, request_id: str
    ) -> tuple[int, bytes]:
        """Submit an order. Returns the sequence to wait for and the answer to give then."""
        try:
            self._count_order()
            return self._submit(message_id, place_order(body), key or "", request_id)
        except KerbError as error:
            return 0, error_answer(message_id, error)

    def cancel(self, message_id: MessageId, order_id: str, request_id: str) -> tuple[int, bytes]:
        """Submit a cancel. Returns the sequence to wait for and the answer to give then."""
        try:
            return self._submit(message_id, CancelOrder(read_id(order_id, "ord_")), "", request_id)
        except NotFound:
            return 0, refusal_answer(message_id, Refused(Refusal.ORDER_NOT_FOUND))
        except KerbError as error:
            return 0, error_answer(message_id, error)

    async def batch(
        self, message_id: MessageId, items: tuple[BatchItem | msgspec.Raw, ...], request_id: str
    ) -> tuple[int, bytes]:
        """Submit the items in order, each with its own result. One wait, for the last of them, covers all."""
        loop = asyncio.get_running_loop()
        turn_ends_s = loop.time() + TURN_MAX_S
        last_seq = 0
        results = []
        for item in items:
            seq, result = self._item(item, request_id)
            if seq > last_seq:
                last_seq = seq
            results.append(result)
            if loop.time() > turn_ends_s:
                await asyncio.sleep(0)
                turn_ends_s = loop.time() + TURN_MAX_S
        return last_seq, ok_text(message_id, b"[" + b",".join(results) + b"]")

    def _item(self, item: BatchItem | msgspec.Raw, request_id: str) -> tuple[int, bytes]:
        if isinstance(item, msgspec.Raw):
            try:
                item = decode_item(item)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                return 0, error_text(None, BadRequest.code, str(error)[:200])
        if item.place is not None and item.cancel is None:
            return self.place(None, item.place, item.idempotency_key, request_id)
        if item.cancel is not None and item.place is None:
            return self.cancel(None, item.cancel, request_id)
        return 0, error_text(None, BadRequest.code, "give either place or cancel")

    def _count_order(self) -> None:
        """Raises TooManyRequests when the caller's limit of orders is used up."""
        verdict = self._services.rate_limits.take_user(LimitClass.ORDERS, self._principal)
        if verdict.retry_after_s:
            raise TooManyRequests(verdict.retry_after_s)

    def _submit(
        self, message_id: MessageId, command: AnyCommand, key: str, request_id: str
    ) -> tuple[int, bytes]:
        principal = self._principal
        applied = self._services.runtime.submit(
            command,
            Envelope(
                Source.WEBSOCKET,
                principal.user_id,
                principal.account_id,
                request_id,
                key,
                digest(command) if key else b"",
            ),
        )
        answer = applied.answer[0]
        if type(answer) is Refused and not applied.duplicate:
            self._services.metrics.count_refusal(answer.refusal)
        return applied.seq, event_answer(message_id, answer)


def event_answer(message_id: MessageId, event: AnyEvent) -> bytes:
    """The answer that an event makes: the order, or why not."""
    if type(event) is OrderUpdated:
        return ok_text(message_id, encode_order(event))
    if type(event) is Refused:
        return refusal_answer(message_id, event)
    raise TypeError(f"{type(event).__name__} answers no order")


def refusal_answer(message_id: MessageId, refused: Refused) -> bytes:
    """The engine's refusal: its code, never flattened."""
    refusal = refused.refusal
    return error_text(
        message_id,
        refusal.name,
        REFUSALS[refusal].message,
        temporary=refusal in RETRYABLE,
        details=refusal_details(refused),
    )


def error_answer(message_id: MessageId, error: KerbError) -> bytes:
    """An exception of the shell as an answer."""
    code = error.refusal.name if isinstance(error, RefusedAtBorder) else error.code
    details = dict(error.details)
    if error.retry_after_s is not None:
        details["retry_after_s"] = round(error.retry_after_s, 3)
    return error_text(message_id, code, error.message, temporary=error.retryable, details=details)
