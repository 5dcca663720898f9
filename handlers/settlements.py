"""What settles when: a record for each trade of the caller's that settles on a later day."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from handlers.call import Call
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import Currency, ExecutionId, OrderId, SideName, Time
from handlers.numbers import Number, cash, quantity
from handlers.order_json import time_text
from handlers.request_input import read_choice, read_cursor, read_limit
from server.settlements import Status, settlements_of

SettlementId = Annotated[str, Meta(pattern="^stl_[1-9][0-9]{0,18}$")]
DateText = Annotated[str, Meta(extra_json_schema={"format": "date"})]
STATUSES: Final = {"PENDING": "PENDING", "SETTLED": "SETTLED", "BUSTED": "BUSTED"}


class SettlementJson(Struct, frozen=True):
    """What a trade brings and costs: `amount` is signed, fees included. `settled_at` is null until it has settled.

    BUSTED: an operator has taken the trade back.
    """

    settlement_id: SettlementId
    execution_id: ExecutionId
    order_id: OrderId
    stock_symbol: str
    side: SideName
    quantity: Number
    amount: Number
    currency: Currency
    trade_date: DateText
    settlement_date: DateText
    status: Status
    settled_at: Time | None


async def settlements(call: Call) -> Answer:
    """`GET /portfolio/settlements?status=&cursor=&limit=`, newest first. What settles at once has no record."""
    services = call.services
    status = read_choice(call.query, "status", STATUSES, "")
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    seq = services.runtime.state.seq
    await services.runtime.wait_durable(seq)
    page = await settlements_of(
        services.database,
        services.write_behind,
        call.principal.account_id,
        status=status,
        cursor=cursor,
        limit=limit,
    )
    data = [
        SettlementJson(
            settlement_id=f"stl_{each.execution_id}",
            execution_id=f"exe_{each.execution_id}",
            order_id=f"ord_{each.order_id}",
            stock_symbol=each.symbol,
            side=each.side.name,
            quantity=quantity(each.quantity_e8),
            amount=cash(each.amount_e4),
            currency=each.currency,
            trade_date=each.trade_date.isoformat(),
            settlement_date=each.settlement_date.isoformat(),
            status=each.status,
            settled_at=time_text(each.settled_us) if each.settled_us else None,
        )
        for each in page.items
    ]
    return success(data, meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=page.next_cursor))
