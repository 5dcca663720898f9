"""The trade dialect of reference document 003: camelCase objects without an envelope, over the same commands.

A trade is an order. Its status is pending, partiallyExecuted, executed or canceled; what expired or was replaced
counts as canceled. Errors are those of every other route.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from engine.apply import Applied
from engine.commands import CancelOrder, PlaceOrder
from engine.events import AnyEvent, OrderUpdated, Refused
from engine.kinds import OrderStatus, Side, Source
from engine.state import Account
from engine.units import average_price_e4, notional_up_e4
from handlers.call import Call
from handlers.dialect_trade_body import WORDS, order_meant, read_trade
from handlers.envelope import Answer, encoded, refusal
from handlers.field_types import OrderId, Time, UserId
from handlers.numbers import (
    NULL,
    Number,
    NumberOrNull,
    cash,
    quantity,
)
from handlers.order_in_session import to_place
from handlers.order_json import time_text
from handlers.orders import HIT, outcome
from handlers.orders_read import OPEN, find_order
from handlers.other_words import in_other_words
from handlers.request_input import read_cursor, read_limit, read_order_id
from handlers.routing import CommandHandler
from handlers.valuation import value_holdings
from server.errors import NotFound

TradeStatus = Literal["pending", "executed", "partiallyExecuted", "canceled"]

STATUSES: Final[dict[OrderStatus, TradeStatus]] = {
    OrderStatus.HELD: "pending",
    OrderStatus.PENDING: "pending",
    OrderStatus.PARTIAL: "partiallyExecuted",
    OrderStatus.FILLED: "executed",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.EXPIRED: "canceled",
    OrderStatus.REPLACED: "canceled",
}
"""Order status → trade status; a test shows that it is total."""

FINAL: Final = frozenset(STATUSES) - OPEN


class TradeJson(Struct, frozen=True, rename="camel"):
    """A trade. `pricePerShare` is the limit, for a market order the average of its fills."""

    trade_id: OrderId
    user_id: UserId
    stock_symbol: str
    quantity: Number
    filled_quantity: Number
    price_per_share: NumberOrNull
    total_price: Number
    trade_type: Literal["buy", "sell"]
    status: TradeStatus
    created_at: Time
    updated_at: Time


class TradeBalanceJson(Struct, frozen=True, rename="camel"):
    """The balance: total = available + held."""

    user_id: UserId
    available_balance: Number
    held_for_trades: Number
    total_balance: Number


class TradeHoldingJson(Struct, frozen=True, rename="camel"):
    """Units of one stock and what they cost on average."""

    stock_symbol: str
    quantity: Number
    average_purchase_price: Number


class TradePortfolioJson(Struct, frozen=True, rename="camel"):
    """All holdings; `totalValue` is what they are worth now."""

    user_id: UserId
    holdings: list[TradeHoldingJson]
    total_value: Number


def _trade_to_place(call: Call) -> PlaceOrder:
    body = read_trade(call.body)
    with in_other_words(WORDS):
        return to_place(call, order_meant(body))


def _placed(call: Call, applied: Applied) -> Answer:
    if not applied.duplicate and applied.refused is None:
        call.services.metrics.count_order(Source.HTTP)
    return _answer(call, applied, applied.answer[0], status=201)


place: Final = CommandHandler(_trade_to_place, _placed)
"""`POST /trade/place`: 201 with the trade, or the engine's refusal."""


async def cancel(call: Call) -> Answer:
    """`POST /trade/{tradeId}/cancel`: the trade, canceled; 409 when it is final."""
    order_id = read_order_id(call.path("order_id"))
    applied = await call.execute(CancelOrder(order_id))
    return _answer(call, applied, await outcome(call, applied, order_id), status=200)


async def get(call: Call) -> Answer:
    """`GET /trade/{tradeId}`."""
    order, _ = await find_order(call, read_order_id(call.path("order_id")))
    return Answer(200, encoded(_trade(call, order)))


async def history(call: Call) -> Answer:
    """`GET /transaction-history?cursor=&limit=`: executed and canceled trades, newest first; `Next-Cursor` goes on."""
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    runtime = call.services.runtime
    await runtime.wait_durable(runtime.state.seq)
    found = await call.services.history.orders(
        call.principal.account_id, statuses=FINAL, cursor=cursor, limit=limit
    )
    headers = {"Next-Cursor": found.next_cursor} if found.next_cursor else None
    return Answer(200, encoded([_trade(call, order) for order in found.items]), headers)


async def balance(call: Call) -> Answer:
    """`GET /balance`."""
    runtime = call.services.runtime
    account, seq = _account(call), runtime.state.seq
    data = encoded(
        TradeBalanceJson(
            user_id=_user_id(call),
            available_balance=cash(account.available_e4),
            held_for_trades=cash(account.held_e4),
            total_balance=cash(account.cash_e4),
        )
    )
    await runtime.wait_durable(seq)
    return Answer(200, data)


async def portfolio(call: Call) -> Answer:
    """`GET /portfolio`."""
    runtime = call.services.runtime
    account, seq = _account(call), runtime.state.seq
    valued = value_holdings(runtime.state, account, call.services.market.last_e4)
    data = encoded(
        TradePortfolioJson(
            user_id=_user_id(call),
            holdings=[
                TradeHoldingJson(
                    stock_symbol=each.position.symbol,
                    quantity=quantity(each.position.units_e8),
                    average_purchase_price=cash(
                        average_price_e4(each.position.cost_e4, each.position.units_e8)
                    ),
                )
                for each in valued
            ],
            total_value=cash(sum(each.value_e4 for each in valued)),
        )
    )
    await runtime.wait_durable(seq)
    return Answer(200, data)


def _answer(call: Call, applied: Applied, event: AnyEvent, *, status: int) -> Answer:
    if isinstance(event, Refused):
        return refusal(event, call.request_id, duplicate=applied.duplicate)
    if not isinstance(event, OrderUpdated):
        raise TypeError(f"a trade command was answered by {type(event).__name__}")
    return Answer(status, encoded(_trade(call, event)), HIT if applied.duplicate else None)


def _trade(call: Call, order: OrderUpdated) -> TradeJson:
    rest_e8 = order.quantity_e8 - order.filled_e8
    open_e4 = notional_up_e4(order.limit_e4, rest_e8) if order.is_open else 0
    price_e4 = order.price_e4 or average_price_e4(order.notional_e4, order.filled_e8)
    return TradeJson(
        trade_id=f"ord_{order.order_id}",
        user_id=_user_id(call),
        stock_symbol=order.symbol,
        quantity=quantity(order.quantity_e8),
        filled_quantity=quantity(order.filled_e8),
        price_per_share=cash(price_e4) if price_e4 else NULL,
        total_price=cash(order.notional_e4 + open_e4),
        trade_type="buy" if order.side is Side.BUY else "sell",
        status=STATUSES[order.status],
        created_at=time_text(order.created_us),
        updated_at=time_text(order.updated_us),
    )


def _user_id(call: Call) -> str:
    return f"usr_{call.principal.user_id}"


def _account(call: Call) -> Account:
    account = call.services.runtime.state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    return account
