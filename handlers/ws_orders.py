"""Orders over a WebSocket: one at a time or in batches, answered when they are durable."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from engine.commands import CancelOrder, Envelope, PlaceOrder
from engine.events import OrderUpdated, Refused
from engine.kinds import Source
from engine.refusals import RETRYABLE, Refusal
from engine.units import IDS_PER_SEQ
from handlers.command_digest import digest
from handlers.envelope import refusal_details
from handlers.order_body import PlainOrder
from handlers.order_command import MARKET, order_of
from handlers.order_in_session import in_session
from handlers.order_json import encode_order
from handlers.order_terms import OrderBody
from handlers.refusal_status import REFUSALS
from handlers.request_input import read_id
from handlers.ws_messages import (
    BatchItem,
    MessageId,
    PlainItem,
    decode_item,
    error_text,
    ok_text,
    repeated_text,
)
from handlers.ws_tied_orders import TiedOrders
from server.errors import BadRequest, KerbError, NotFound, Overloaded, RefusedAtBorder, TooManyRequests
from server.principal import Principal
from server.private_channels import ORDERS
from server.rate_limits import LimitClass
from server.services import Services

TURN_MAX_S: Final = 0.002
"""One client's batch is worked on for so long before others get their turn."""

PROBLEM_LENGTH_MAX: Final = 200


class OrderDesk:
    """Hands one signed-in client's orders to the runtime. `tied` gets those that end with the connection."""

    __slots__ = ("_principal", "_services", "_tied")

    def __init__(self, services: Services, principal: Principal, tied: TiedOrders | None = None) -> None:
        self._services = services
        self._principal = principal
        self._tied = tied if tied is not None and tied.is_on else None

    def place(
        self, message_id: MessageId, body: PlainOrder | OrderBody, key: str | None, request_id: str
    ) -> tuple[int, bytes]:
        """Submit an order. Returns the sequence to wait for and the answer to give then."""
        try:
            self._count(LimitClass.ORDERS)
            said = order_of(body)
            command = said
            if said.order_type is MARKET:
                command = in_session(self._services.runtime.state, body, said)
            return self._submit(message_id, command, key or "", request_id, said)
        except KerbError as error:
            return 0, error_answer(message_id, error)

    async def cancel(self, message_id: MessageId, order_id: str, request_id: str) -> tuple[int, bytes]:
        """Submit a cancel. Returns the sequence to wait for and the answer to give then."""
        seq, answer, missing_id = self._cancel(message_id, order_id, request_id)
        return seq, await self._about_missing(message_id, missing_id, seq) if missing_id else answer

    async def batch(
        self, message_id: MessageId, items: tuple[PlainItem | msgspec.Raw, ...], request_id: str
    ) -> tuple[int, bytes]:
        """Submit the items in order, each with its own result. One wait, for the last of them, covers all.

        Under overload a batch that comes too late has its orders refused, and its cancels carried out.
        """
        loop = asyncio.get_running_loop()
        admission = self._services.admission
        late = error_answer(None, Overloaded()) if admission.is_tight and admission.refuses() else b""
        turn_ends_s = loop.time() + TURN_MAX_S
        last_seq = 0
        results: list[bytes] = []
        missing: list[tuple[int, int]] = []
        for item in items:
            seq, result, missing_id = self._item(item, request_id, late)
            if seq > last_seq:
                last_seq = seq
            if missing_id:
                missing.append((len(results), missing_id))
            results.append(result)
            if loop.time() > turn_ends_s:
                await asyncio.sleep(0)
                turn_ends_s = loop.time() + TURN_MAX_S
        reasons = await asyncio.gather(
            *(self._about_missing(None, order_id, last_seq) for _, order_id in missing)
        )
        for (place, _), reason in zip(missing, reasons, strict=True):
            results[place] = reason
        return last_seq, ok_text(message_id, b"[" + b",".join(results) + b"]")

    def _item(
        self, item: PlainItem | BatchItem | msgspec.Raw, request_id: str, late: bytes
    ) -> tuple[int, bytes, int]:
        """Sequence, result, and the id of an order that was to be cancelled and is not open. `late`: what orders get instead."""
        if isinstance(item, msgspec.Raw):
            try:
                item = decode_item(item)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                return 0, error_text(None, BadRequest.code, problem_text(error)), 0
        if item.place is not None and item.cancel is None:
            if late:
                return 0, late, 0
            return *self.place(None, item.place, item.idempotency_key, request_id), 0
        if item.cancel is not None and item.place is None:
            return self._cancel(None, item.cancel, request_id)
        return 0, error_text(None, BadRequest.code, "give either place or cancel"), 0

    def _cancel(self, message_id: MessageId, text: str, request_id: str) -> tuple[int, bytes, int]:
        """Sequence, answer, and the order's id when it is not among the account's open orders.

        A cancel of an open order is free: the order was counted when it was placed. One that finds nothing
        counts as a call, or a client could fill the journal with refusals.
        """
        try:
            order_id = read_id(text, "ord_")
            account = self._services.runtime.state.accounts.get(self._principal.account_id)
            is_open = account is not None and order_id in account.orders
            if not is_open:
                self._count(LimitClass.CALLS)
            seq, answer = self._submit(message_id, CancelOrder(order_id), "", request_id)
        except NotFound:
            return 0, refusal_answer(message_id, Refused(Refusal.ORDER_NOT_FOUND)), 0
        except KerbError as error:
            return 0, error_answer(message_id, error), 0
        return seq, answer, 0 if is_open else order_id

    async def _about_missing(self, message_id: MessageId, order_id: int, seq: int) -> bytes:
        """Why an order could not be cancelled: the engine forgets orders that are final, the history does not."""
        services = self._services
        order = None
        try:
            if order_id // IDS_PER_SEQ <= seq:
                await services.runtime.wait_durable(seq)
                order = await services.history.order(self._principal.account_id, order_id)
        except KerbError as error:
            return error_answer(message_id, error)
        why = Refusal.ORDER_NOT_OPEN if order is not None else Refusal.ORDER_NOT_FOUND
        return refusal_answer(message_id, Refused(why))

    def _count(self, limit_class: LimitClass) -> None:
        """Raises TooManyRequests when the caller's limit is used up."""
        verdict = self._services.rate_limits.take_user(limit_class, self._principal)
        if verdict.retry_after_s:
            raise TooManyRequests(verdict.retry_after_s)

    def _submit(
        self,
        message_id: MessageId,
        command: PlaceOrder | CancelOrder,
        key: str,
        request_id: str,
        said: PlaceOrder | None = None,
    ) -> tuple[int, bytes]:
        principal = self._principal
        services = self._services
        if self._tied is not None and type(command) is PlaceOrder:
            self._tied.check()
        applied = services.runtime.submit(
            command,
            Envelope(
                Source.WEBSOCKET,
                principal.user_id,
                principal.account_id,
                request_id,
                key,
                digest(said or command) if key else b"",
            ),
        )
        answer = applied.answer[0]
        if type(answer) is Refused:
            if not applied.duplicate:
                services.metrics.count_refusal(answer.refusal)
            return applied.seq, refusal_answer(message_id, answer, repeated=applied.duplicate)
        if type(answer) is not OrderUpdated:
            raise TypeError(f"{type(answer).__name__} answers no order")
        if applied.duplicate:
            return applied.seq, repeated_text(message_id, encode_order(answer))
        if type(command) is PlaceOrder:
            if self._tied is not None:
                _tie(self._tied, answer)
            services.metrics.count_order(Source.WEBSOCKET)
        text = encode_order(answer)
        if services.hub.private.has_readers(principal.account_id, ORDERS):
            services.hub.private.prepare(applied.seq, answer, text)
        return applied.seq, ok_text(message_id, text)


def _tie(tied: TiedOrders, order: OrderUpdated) -> None:
    """An order that was placed, and the legs that it arms: they are open also when it is filled already."""
    if order.is_open:
        tied.add(order.order_id)
    if order.special is not None:
        for leg_id in order.special.children:
            tied.add(leg_id)


def refusal_answer(message_id: MessageId, refused: Refused, *, repeated: bool = False) -> bytes:
    """The engine's refusal: its code, never flattened. `repeated`: it is what the idempotency key was answered before."""
    refusal = refused.refusal
    return error_text(
        message_id,
        refusal.name,
        REFUSALS[refusal].message,
        temporary=refusal in RETRYABLE,
        details=refusal_details(refused),
        repeated=repeated,
    )


def error_answer(message_id: MessageId, error: KerbError) -> bytes:
    """An exception of the shell as an answer."""
    code = error.refusal.name if isinstance(error, RefusedAtBorder) else error.code
    details = dict(error.details)
    if error.retry_after_s is not None:
        details["retry_after_s"] = round(error.retry_after_s, 3)
    return error_text(message_id, code, error.message, temporary=error.retryable, details=details)


def problem_text(error: Exception) -> str:
    """What is wrong with bytes that are not a message, in a sentence that is not too long."""
    if isinstance(error, msgspec.ValidationError):
        return str(error)[:PROBLEM_LENGTH_MAX]
    if isinstance(error, RecursionError):
        return "the message is nested too deeply"
    return "the message is not JSON"
