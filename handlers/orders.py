"""Placing, replacing and cancelling orders."""

from __future__ import annotations

from typing import Final

from engine.apply import Applied
from engine.commands import CancelAll, CancelOrder, PlaceOrder
from engine.events import AnyEvent, OrderUpdated, Refused
from engine.kinds import Source
from engine.refusals import Refusal
from engine.units import IDS_PER_SEQ
from handlers.call import Call
from handlers.envelope import Answer, raw_list, refusal, success_as_of
from handlers.order_command import read_order, read_replacement, replacement_of
from handlers.order_in_session import to_place
from handlers.order_json import encode_order
from handlers.request_input import order_not_found, read_order_id, read_text
from handlers.routing import CommandHandler

SYMBOL_MAX: Final = 32
HIT: Final = {"Idempotency-Hit": "true"}


def _order_to_place(call: Call) -> PlaceOrder:
    return to_place(call, read_order(call.body))


def _placed(call: Call, applied: Applied) -> Answer:
    if not applied.duplicate and type(applied.answer[0]) is OrderUpdated:
        call.services.metrics.count_order(Source.HTTP)
    return _order_answer(call, applied, status=201)


place: Final = CommandHandler(_order_to_place, _placed)
"""`POST /orders`: 201 with the order as it stands after matching, or the engine's refusal (422, no order)."""


async def replace(call: Call) -> Answer:
    """`PATCH /orders/{id}`: 200 with the new order, which links to the one it replaces."""
    order_id = read_order_id(call.path("order_id"))
    applied = await call.execute(replacement_of(order_id, read_replacement(call.body)))
    return _order_answer(call, applied, await outcome(call, applied, order_id), status=200)


async def cancel(call: Call) -> Answer:
    """`DELETE /orders/{id}`: 200 with the order, CANCELLED; 409 ORDER_NOT_OPEN when it is final."""
    order_id = read_order_id(call.path("order_id"))
    applied = await call.execute(CancelOrder(order_id))
    return _order_answer(call, applied, await outcome(call, applied, order_id), status=200)


async def cancel_all(call: Call) -> Answer:
    """`DELETE /orders[?symbol=]`: 200 with every order that this cancelled."""
    symbol = read_text(call.query, "symbol", most=SYMBOL_MAX) or ""
    applied = await call.execute(CancelAll(symbol))
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    orders = [encode_order(event) for event in applied.answer if isinstance(event, OrderUpdated)]
    return success_as_of(raw_list(orders), applied.seq, headers=HIT if applied.duplicate else None)


def _order_answer(call: Call, applied: Applied, event: AnyEvent | None = None, *, status: int) -> Answer:
    """The answer to an order command: the order, or the refusal, in `event` or first in what was applied."""
    event = event or applied.answer[0]
    if type(event) is OrderUpdated:
        return success_as_of(
            encode_order(event), applied.seq, status=status, headers=HIT if applied.duplicate else None
        )
    if type(event) is Refused:
        return refusal(event, call.request_id, duplicate=applied.duplicate)
    raise TypeError(f"an order command was answered by {type(event).__name__}")


async def outcome(call: Call, applied: Applied, order_id: int) -> AnyEvent:
    """What came of a command about an order in the path. The engine forgets orders that are final: whether such a
    one was the caller's stands in the history. Raises NotFound for an order that is not.
    """
    refused = applied.refused
    if refused is None or refused.refusal is not Refusal.ORDER_NOT_FOUND:
        return applied.answer[0]
    principal = call.principal
    may_exist = order_id // IDS_PER_SEQ <= applied.seq
    if not may_exist or await call.services.history.order(principal.account_id, order_id) is None:
        raise order_not_found()
    return Refused(Refusal.ORDER_NOT_OPEN)
