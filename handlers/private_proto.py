"""Private channels and an account's worth as protobuf (server/kerb.proto): the same as their JSON, in another form.

Orders are packed from the integers of their event. What is rarer is packed from the very record that JSON is made of, by
the rule of names at the head of the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from google.protobuf.message import Message
from msgspec import Raw, Struct

from engine import kinds as engine_kinds
from engine.events import BalanceChanged, OrderUpdated, RiskViolated
from engine.state import State
from engine.terms import Special
from engine.units import average_price_e4, notional_up_e4
from handlers.balance_json import balance_json
from handlers.notifications import notification_json
from handlers.numbers import NULL, scaled
from handlers.order_json import FILLED, linked_id
from handlers.valuation import PortfolioJson
from handlers.violation_json import figure_texts
from server.busted_orders import OrderBusted
from server.kerb_pb2 import (
    Balance,
    BalanceEvent,
    BustedFill,
    CloseReason,
    Data,
    Holding,
    Liquidity,
    LotMethod,
    LotTaken,
    Notification,
    NotificationEvent,
    Order,
    OrderClass,
    OrderEvent,
    OrderStatus,
    OrderType,
    Portfolio,
    RiskEvent,
    RiskFigure,
    RiskMode,
    RiskRule,
    RiskViolation,
    Side,
    TimeInForce,
)
from server.notifications import Notification as Told
from server.private_streams import Remembered
from server.stream_proto import UNSIGNED_MAX

SIGNED_MAX: Final = 2**63 - 1
HELD: Final = 8
"""The status of a held order: 0 in the engine, which in protobuf says nothing."""

Members = tuple[tuple[str, str, Callable[[Any], Any]], ...]
"""Of each member of a message: its name, its name in JSON, and what makes the one's value of the other's."""


def packed_order(entry: Remembered) -> bytes:
    """A message of the `orders` channel."""
    order = cast(OrderUpdated, entry.event)
    notional_e4, filled_e8, updated_us = order.notional_e4, order.filled_e8, order.updated_us
    rest_e8 = order.quantity_e8 - filled_e8
    estimated_e4 = notional_e4 + notional_up_e4(order.limit_e4, rest_e8) if order.is_open else notional_e4
    message = Order(
        order_id=f"ord_{order.order_id}",
        stock_symbol=order.symbol,
        side=cast(Side, order.side),
        order_type=cast(OrderType, order.order_type),
        time_in_force=cast(TimeInForce, order.time_in_force),
        quantity_e8=order.quantity_e8,
        price_e4=order.price_e4 or None,
        status=cast(OrderStatus, order.status or HELD),
        filled_quantity_e8=filled_e8,
        remaining_quantity_e8=rest_e8,
        average_price_e4=average_price_e4(notional_e4, filled_e8) if filled_e8 else None,
        fee_e4=order.fee_e4,
        hold_e4=order.hold_e4,
        estimated_total_e4=min(estimated_e4, UNSIGNED_MAX),
        client_order_id=order.client_order_id or None,
        created_at_us=order.created_us,
        updated_at_us=updated_us,
        filled_at_us=updated_us if order.status is FILLED else None,
        replaces=f"ord_{order.replaces_id}" if order.replaces_id else None,
        replaced_by=f"ord_{order.replaced_by_id}" if order.replaced_by_id else None,
        reason=cast(CloseReason, order.reason),
    )
    if order.special is not None:
        message.MergeFrom(_special(order.special, order.order_type))
    event = OrderEvent(seq=entry.seq, prev_seq=entry.prev_seq, more=entry.more, data=message)
    packed: bytes = Data(orders=(event,)).SerializeToString()
    return packed


def _special(special: Special, order_type: engine_kinds.OrderType) -> Order:
    """What an order with terms says beyond a plain one, as `special_members` says it in JSON."""
    terms = special.terms
    return Order(
        order_class=cast(OrderClass, special.order_class),
        parent_order_id=f"ord_{special.parent_id}" if special.parent_id else None,
        armed=special.is_armed if special.parent_id else None,
        linked_order_id=f"ord_{linked_id(special, order_type)}" if special.group_id else None,
        planned_quantity_e8=special.planned_e8 or None,
        legs=[f"ord_{each}" for each in special.children],
        trigger_price_e4=special.trigger_e4 or None,
        triggered_at_us=special.triggered_us or None,
        stop_price_e4=terms.stop_e4 or None,
        trail_amount_e4=terms.trail_e4 or None,
        trail_percent_e4=terms.trail_ppm or None,
        display_quantity_e8=terms.display_e8 or None,
        post_only=terms.post_only,
        expires_at_us=terms.expires_us or None,
        extended_hours=terms.extended_hours,
        do_not_reduce=terms.do_not_reduce,
        notional_e4=terms.notional_e4 or None,
        lot_method=cast(LotMethod, terms.lot_method or 0),
        lots=[LotTaken(lot_id=f"lot_{each}", quantity_e8=units_e8) for each, units_e8 in terms.lots],
    )


def packed_busted_order(entry: Remembered) -> bytes:
    """A message of the `orders` channel that tells of a busted fill."""
    told = cast(OrderBusted, entry.event)
    data = Data.FromString(packed_order(Remembered(entry.seq, entry.prev_seq, told.order, None, entry.more)))
    fill = BustedFill(
        execution_id=f"exe_{told.execution_id}",
        quantity_e8=told.quantity_e8,
        price_e4=told.price_e4,
        amount_e4=told.notional_e4,
        fee_e4=told.fee_e4,
        liquidity=cast(Liquidity, told.liquidity),
        executed_at_us=told.executed_us,
        busted_at_us=told.busted_us,
        transaction_id=f"txn_{told.bust_id}",
    )
    data.orders[0].data.bust.CopyFrom(fill)
    packed: bytes = data.SerializeToString()
    return packed


class BalancePacker:
    """Makes a message of the `balance` channel; the currency is that of the account."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, entry: Remembered) -> bytes:
        told = cast(BalanceChanged, entry.event)
        currency = self._state.accounts[told.account_id].currency
        record = balance_json(currency, told.cash_e4, told.held_e4, told.unsettled_e4, told.settled_only)
        message = Balance(**_packed(_BALANCE, record))
        event = BalanceEvent(seq=entry.seq, prev_seq=entry.prev_seq, more=entry.more, data=message)
        packed: bytes = Data(balance=(event,)).SerializeToString()
        return packed


class NotificationPacker:
    """Makes a message of the `notifications` channel, which does not say what has been read."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, entry: Remembered) -> bytes:
        told = cast(Told, entry.event)
        record = notification_json(told, self._state.accounts[told.account_id].currency, None)
        message = Notification(created_at_us=told.created_us, **_packed(_NOTIFICATION, record))
        event = NotificationEvent(seq=entry.seq, prev_seq=entry.prev_seq, more=entry.more, data=message)
        packed: bytes = Data(notifications=(event,)).SerializeToString()
        return packed


class ViolationPacker:
    """Makes a message of the `risk` channel; whose account it is, the state says."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, entry: Remembered) -> bytes:
        told = cast(RiskViolated, entry.event)
        message = RiskViolation(
            violation_id=f"vio_{told.violation_id}",
            at_us=told.violated_us,
            rule=cast(RiskRule, told.rule),
            mode=cast(RiskMode, told.mode),
            account_id=f"acc_{told.account_id}",
            user_id=f"usr_{self._state.accounts[told.account_id].user_id}",
            stock_symbol=told.symbol,
            order_id=f"ord_{told.order_id}" if told.order_id else None,
            side=cast(Side, told.side),
            quantity_e8=told.quantity_e8,
            price_e4=told.price_e4,
            figures=[RiskFigure(name=name, value=text) for name, text in figure_texts(told.figures)],
        )
        event = RiskEvent(seq=entry.seq, prev_seq=entry.prev_seq, more=entry.more, data=message)
        packed: bytes = Data(risk=(event,)).SerializeToString()
        return packed


def packed_portfolio(worth: PortfolioJson) -> bytes:
    """What an account is worth, as a `Portfolio`."""
    holdings = [Holding(**_packed(_HOLDING, holding)) for holding in worth.holdings]
    packed: bytes = Portfolio(holdings=holdings, **_packed(_PORTFOLIO, worth)).SerializeToString()
    return packed


def _packed(members: Members, record: Struct) -> dict[str, Any]:
    """The members of a message by name; what is null in JSON is left out."""
    return {
        name: convert(value)
        for name, json_name, convert in members
        if (value := getattr(record, json_name)) is not None and value != NULL
    }


def _figure(number: Raw, decimals: int) -> int:
    """A figure in the units of its member, or the closest that a member holds."""
    value = scaled(number, "", decimals)
    assert value is not None, "more decimals than its unit"
    return max(-SIGNED_MAX, min(value, SIGNED_MAX))


def _members(message: type[Message]) -> Members:
    """How to pack a message: figures, names and texts. Lists and times of which JSON has the text are left to the caller."""
    found: list[tuple[str, str, Callable[[Any], Any]]] = []
    for field in message.DESCRIPTOR.fields:
        name = field.name
        if name[-3:] in _DECIMALS:
            found.append((name, name[:-3], partial(_figure, decimals=_DECIMALS[name[-3:]])))
        elif field.enum_type is not None:
            zero = field.enum_type.values_by_number[0].name
            found.append((name, name, f"{zero.rpartition('_')[0]}_{{}}".format))
        elif not name.endswith("_us") and not field.is_repeated:
            found.append((name, name, str))
    return tuple(found)


_DECIMALS: Final = {"_e2": 2, "_e4": 4, "_e8": 8}
_BALANCE: Final = _members(Balance)
_NOTIFICATION: Final = _members(Notification)
_PORTFOLIO: Final = _members(Portfolio)
_HOLDING: Final = _members(Holding)
