"""An order as clients see it: `OrderUpdated` to JSON, for HTTP answers and for the `orders` channel."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Final

import msgspec

from engine.events import OrderUpdated
from engine.kinds import CloseReason, LotMethod, OrderClass, OrderStatus, OrderType, Side, TimeInForce
from engine.terms import Special, Terms
from engine.units import SECOND_US, average_price_e4, notional_up_e4
from server.decimal_text import cash_text, quantity_text


def _names(members: type[IntEnum]) -> tuple[str, ...]:
    """The names of an enum by value: indexing a tuple does not hash the member, which runs Python code."""
    names = {int(member): member.name for member in members}
    return tuple(names.get(value, "") for value in range(max(names) + 1))


FILLED: Final = OrderStatus.FILLED

_SIDES: Final = _names(Side)
_ORDER_TYPES: Final = _names(OrderType)
_TIMES_IN_FORCE: Final = _names(TimeInForce)
_STATUSES: Final = _names(OrderStatus)
_CLASSES: Final = _names(OrderClass)
_LOT_METHODS: Final = _names(LotMethod)
_REASONS: Final = tuple(f'"{name}"' if value else "null" for value, name in enumerate(_names(CloseReason)))


_cash = lru_cache(maxsize=16_384)(cash_text)
_quantity = lru_cache(maxsize=4_096)(quantity_text)
"""The same prices and quantities come again and again."""


@lru_cache(maxsize=4096)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def time_text(time_us: int) -> str:
    """A time as RFC 3339, UTC, with microseconds."""
    seconds, rest_us = divmod(time_us, SECOND_US)
    return f"{_to_the_second(seconds)}.{rest_us:06d}Z"


def encode_order(order: OrderUpdated) -> bytes:
    """The JSON text of an order. One format string: as a record with its encoder it takes three times as long,
    and every order answered or streamed passes here.

    `hold` is the cash still held for it, `estimated_total` its fills plus the open rest at its price.
    `average_price` is null while nothing is filled, `price` for an order that becomes a market order, `reason` while it is
    open or when it filled. Ids of linked orders are null when there is no link. What only orders with terms have comes last.
    """
    quantity_e8, filled_e8, notional_e4 = order.quantity_e8, order.filled_e8, order.notional_e4
    rest_e8 = quantity_e8 - filled_e8
    estimated_e4 = notional_e4 + notional_up_e4(order.limit_e4, rest_e8) if order.is_open else notional_e4
    created_at = time_text(order.created_us)
    updated_at = created_at if order.updated_us == order.created_us else time_text(order.updated_us)
    filled_at = f'"{updated_at}"' if order.status is FILLED else "null"
    return (
        f'{{"order_id":"ord_{order.order_id}","stock_symbol":{_symbol(order.symbol)},'
        f'"side":"{_SIDES[order.side]}","order_type":"{_ORDER_TYPES[order.order_type]}",'
        f'"time_in_force":"{_TIMES_IN_FORCE[order.time_in_force]}","quantity":{_quantity(quantity_e8)},'
        f'"price":{_cash(order.price_e4) if order.price_e4 else "null"},'
        f'"status":"{_STATUSES[order.status]}","filled_quantity":{_quantity(filled_e8) if filled_e8 else "0"},'
        f'"remaining_quantity":{_quantity(rest_e8)},'
        f'"average_price":{_cash(average_price_e4(notional_e4, filled_e8)) if filled_e8 else "null"},'
        f'"fee":{_cash(order.fee_e4) if order.fee_e4 else "0.00"},'
        f'"hold":{_cash(order.hold_e4) if order.hold_e4 else "0.00"},'
        f'"estimated_total":{_cash(estimated_e4)},'
        f'"client_order_id":{_quoted(order.client_order_id) if order.client_order_id else "null"},'
        f'"created_at":"{created_at}","updated_at":"{updated_at}",'
        f'"filled_at":{filled_at},"replaces":{_link(order.replaces_id) if order.replaces_id else "null"},'
        f'"replaced_by":{_link(order.replaced_by_id) if order.replaced_by_id else "null"},'
        f'"reason":{_REASONS[order.reason]}'
        f"{special_members(order.special, order.order_type) if order.special is not None else ''}}}"
    ).encode()


def linked_id(special: Special, order_type: OrderType) -> int:
    """The other order of a pair, as the two were placed: the LIMIT one, the stop and their group have ids in a row."""
    return special.group_id - (1 if order_type is OrderType.LIMIT else 2)


def special_members(special: Special, order_type: OrderType) -> str:
    """The members, each with a comma before it.

    `stop_price` is what was asked for, `trigger_price` the stop as it is now: that of a trailing one moves. `legs` are
    the orders that this one arms, `armed` says of such a leg whether it may rest or fire by now, `planned_quantity`
    is what it grows to.
    """
    return "".join((*_of_links(special, order_type), *_of_trigger(special), *_of_terms(special.terms)))


def _of_links(special: Special, order_type: OrderType) -> list[str]:
    found = []
    if special.order_class:
        found.append(f',"order_class":"{_CLASSES[special.order_class]}"')
    if special.parent_id:
        armed = "true" if special.is_armed else "false"
        found.append(f',"parent_order_id":"ord_{special.parent_id}","armed":{armed}')
    if special.group_id:
        found.append(f',"linked_order_id":"ord_{linked_id(special, order_type)}"')
    if special.planned_e8:
        found.append(f',"planned_quantity":{_quantity(special.planned_e8)}')
    if special.children:
        legs = [f'"ord_{each}"' for each in special.children]
        found.append(f',"legs":[{",".join(legs)}]')
    return found


def _of_trigger(special: Special) -> list[str]:
    found = []
    if special.trigger_e4:
        found.append(f',"trigger_price":{_cash(special.trigger_e4)}')
    if special.triggered_us:
        found.append(f',"triggered_at":"{time_text(special.triggered_us)}"')
    return found


def _of_terms(terms: Terms) -> list[str]:
    found = []
    if terms.stop_e4:
        found.append(f',"stop_price":{_cash(terms.stop_e4)}')
    if terms.trail_e4:
        found.append(f',"trail_amount":{_cash(terms.trail_e4)}')
    if terms.trail_ppm:  # a percent is 10 000 millionths
        found.append(f',"trail_percent":{_cash(terms.trail_ppm)}')
    if terms.display_e8:
        found.append(f',"display_quantity":{_quantity(terms.display_e8)}')
    if terms.post_only:
        found.append(',"post_only":true')
    if terms.expires_us:
        found.append(f',"expires_at":"{time_text(terms.expires_us)}"')
    if terms.extended_hours:
        found.append(',"extended_hours":true')
    if terms.do_not_reduce:
        found.append(',"do_not_reduce":true')
    if terms.notional_e4:
        found.append(f',"notional":{_cash(terms.notional_e4)}')
    if terms.lot_method is not None:
        found.append(f',"lot_method":"{_LOT_METHODS[terms.lot_method]}"')
    if terms.lots:
        lots = [f'{{"lot_id":"lot_{each}","quantity":{_quantity(units)}}}' for each, units in terms.lots]
        found.append(f',"lots":[{",".join(lots)}]')
    return found


def _link(order_id: int) -> str:
    """The id of a linked order."""
    return f'"ord_{order_id}"'


def _quoted(text: str) -> str:
    """A JSON string."""
    if text.isalnum() and text.isascii():
        return f'"{text}"'
    return msgspec.json.encode(text).decode()


_symbol = lru_cache(maxsize=4_096)(_quoted)
