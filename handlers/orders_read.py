"""Reading orders and their executions: what is open from the engine, what is final from the history."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.events import OrderUpdated
from engine.kinds import OrderStatus
from engine.units import IDS_PER_SEQ
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, raw_list, success, success_as_of, success_encoded
from handlers.field_types import ExecutionId, LiquidityName, OrderId, SideName, Time
from handlers.numbers import Number, cash, quantity
from handlers.order_json import encode_order, time_text
from handlers.paging import nth_page
from handlers.request_input import (
    order_not_found,
    read_cursor,
    read_limit,
    read_order_id,
    read_page,
    read_text,
    read_time_us,
)
from server.errors import BadRequest
from server.history import ALL_STATUSES, END_US, Page

SYMBOL_MAX: Final = 32
STATUS_MAX: Final = 100
OPEN: Final = frozenset({OrderStatus.HELD, OrderStatus.PENDING, OrderStatus.PARTIAL})


class ExecutionJson(Struct, frozen=True):
    """A fill of the caller's order. `fee` is the commission and, of a sale, what the law takes. `busted`: an operator has taken it back; the order stays as it was."""

    execution_id: ExecutionId
    order_id: OrderId
    stock_symbol: str
    side: SideName
    quantity: Number
    price: Number
    amount: Number
    fee: Number
    commission: Number
    regulatory_fee: Number
    liquidity: LiquidityName
    executed_at: Time
    busted: bool


async def get(call: Call) -> Answer:
    """`GET /orders/{id}`."""
    order_id = read_order_id(call.path("order_id"))
    order, seq = await find_order(call, order_id)
    return success_as_of(encode_order(order), seq)


async def executions(call: Call) -> Answer:
    """`GET /orders/{id}/executions`, oldest first."""
    order_id = read_order_id(call.path("order_id"))
    _, seq = await find_order(call, order_id)
    account_id = call.principal.account_id
    fills = await call.services.history.executions(account_id, order_id)
    return success(
        [
            ExecutionJson(
                execution_id=f"exe_{fill.execution_id}",
                order_id=f"ord_{fill.order_id}",
                stock_symbol=fill.symbol,
                side=fill.side.name,
                quantity=quantity(fill.quantity_e8),
                price=cash(fill.price_e4),
                amount=cash(fill.notional_e4),
                fee=cash(fill.fee_e4),
                commission=cash(fill.fee_e4 - fill.regulatory_e4),
                regulatory_fee=cash(fill.regulatory_e4),
                liquidity=fill.liquidity.name,
                executed_at=time_text(fill.executed_us),
                busted=fill.busted,
            )
            for fill in fills
        ],
        meta=MetaJson(as_of_seq=seq),
    )


async def orders(call: Call) -> Answer:
    """`GET /orders?status=&symbol=&page=&limit=`, newest first. Several statuses are separated by commas."""
    statuses = statuses_of(call)
    symbol = read_text(call.query, "symbol", most=SYMBOL_MAX) or ""
    page, limit = read_page(call.query), read_limit(call.query)
    if statuses <= OPEN:
        return await _open_orders(call, statuses, symbol, page, limit)
    seq = await _settled(call)
    reader = call.services.history.orders

    async def after(cursor: str | None, limit: int) -> Page[OrderUpdated]:
        return await reader(
            call.principal.account_id, symbol=symbol, statuses=statuses, cursor=cursor, limit=limit
        )

    found = await nth_page(after, page, limit)
    return success_encoded(
        raw_list([encode_order(order) for order in found.items]),
        meta=MetaJson(as_of_seq=seq, page=page, limit=limit, next_cursor=found.next_cursor),
    )


async def history(call: Call) -> Answer:
    """`GET /orders/history?from_date=&to_date=&status=&symbol=&cursor=&limit=`, newest first."""
    statuses = statuses_of(call)
    symbol = read_text(call.query, "symbol", most=SYMBOL_MAX) or ""
    from_us = read_time_us(call.query, "from_date") or 0
    to_us = read_time_us(call.query, "to_date", end_of_day=True) or END_US
    if to_us < from_us:
        raise BadRequest("to_date", "is before from_date")
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    seq = await _settled(call)
    found = await call.services.history.orders(
        call.principal.account_id,
        symbol=symbol,
        statuses=statuses,
        from_us=from_us,
        to_us=to_us,
        cursor=cursor,
        limit=limit,
    )
    return success_encoded(
        raw_list([encode_order(order) for order in found.items]),
        meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=found.next_cursor),
    )


def statuses_of(call: Call) -> frozenset[OrderStatus]:
    """`status=`: names separated by commas; all of them when it is left out."""
    text = read_text(call.query, "status", most=STATUS_MAX)
    if text is None:
        return ALL_STATUSES
    names = text.split(",")
    if any(name not in OrderStatus.__members__ for name in names):
        raise BadRequest("status", f"must be of {', '.join(OrderStatus.__members__)}")
    return frozenset(OrderStatus[name] for name in names)


async def _settled(call: Call) -> int:
    """Wait until everything applied so far is durable; its sequence. The history waits for the rest."""
    runtime = call.services.runtime
    seq = runtime.state.seq
    await runtime.wait_durable(seq)
    return seq


async def find_order(call: Call, order_id: int) -> tuple[OrderUpdated, int]:
    """One of the caller's orders and the sequence it stands for. Raises `order_not_found`."""
    runtime = call.services.runtime
    account_id = call.principal.account_id
    seq = runtime.state.seq
    order = runtime.state.orders.get(order_id)
    if order is not None and order.account_id == account_id:
        found = order.snapshot()
        await runtime.wait_durable(seq)
        return found, seq
    if order_id // IDS_PER_SEQ > seq:
        raise order_not_found()
    await runtime.wait_durable(seq)
    closed = await call.services.history.order(account_id, order_id)
    if closed is None:
        raise order_not_found()
    return closed, seq


async def _open_orders(
    call: Call, statuses: frozenset[OrderStatus], symbol: str, page: int, limit: int
) -> Answer:
    runtime = call.services.runtime
    seq = runtime.state.seq
    account = runtime.state.accounts.get(call.principal.account_id)
    found = [
        order
        for order in (account.orders.values() if account is not None else ())
        if order.status in statuses and (not symbol or order.symbol == symbol)
    ]
    found.sort(key=lambda order: order.order_id, reverse=True)
    first = (page - 1) * limit
    texts = [encode_order(order.snapshot()) for order in found[first : first + limit]]
    meta = MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(found))
    await runtime.wait_durable(seq)
    return success_encoded(raw_list(texts), meta=meta)
