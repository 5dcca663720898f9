"""What an account's shares have paid, and what is recorded and still to be paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from engine.state import State
from engine.units import dividend_down_e4
from handlers.call import Call
from handlers.corporate_body import ActionId
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import Time, TransactionId
from handlers.numbers import NULL, Number, NumberOrNull, cash, quantity
from handlers.order_json import time_text
from handlers.request_input import read_cursor, read_limit, read_text, read_time_us
from server.corporate import PaidDividend, paid_dividends
from server.errors import BadRequest
from server.history import END_US

SYMBOL_MAX: Final = 32


class DividendJson(Struct, frozen=True):
    """A dividend on the `quantity` that was held at `record_at`. RECORDED until it is PAID by its transaction."""

    dividend_id: ActionId
    stock_symbol: str
    amount_per_share: NumberOrNull
    quantity: Number
    total_amount: Number
    record_at: Time | None
    payment_at: Time
    status: Literal["RECORDED", "PAID"]
    transaction_id: TransactionId | None


async def dividends(call: Call) -> Answer:
    """`GET /portfolio/dividends?symbol=&from_date=&to_date=&cursor=&limit=`: what is to come on the first page, then newest first."""
    account_id = call.principal.account_id
    symbol = read_text(call.query, "symbol", most=SYMBOL_MAX) or ""
    from_us = read_time_us(call.query, "from_date") or 0
    to_us = read_time_us(call.query, "to_date", end_of_day=True)
    if to_us is not None and to_us < from_us:
        raise BadRequest("to_date", "is before from_date")
    to_us = END_US if to_us is None else to_us
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    services = call.services
    state, seq = services.runtime.state, services.runtime.state.seq
    coming = [] if cursor else list(_coming(state, account_id, symbol, from_us, to_us))
    await services.runtime.wait_durable(seq)
    paid, more = await paid_dividends(
        services.database,
        services.write_behind,
        account_id,
        symbol=symbol,
        from_us=from_us,
        to_us=to_us,
        cursor=cursor,
        limit=limit,
    )
    rows = coming + [_paid(each) for each in paid]
    return success(rows, meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=more))


def _coming(state: State, account_id: int, symbol: str, from_us: int, to_us: int) -> Iterator[DividendJson]:
    """What is recorded for an account and not paid yet."""
    for dividend_id, entitled in state.entitlements.items():
        units_e8, dividend = entitled.get(account_id), state.dividends[dividend_id]
        if units_e8 is None or (symbol and dividend.symbol != symbol):
            continue
        if from_us <= dividend.payment_us < to_us:
            yield DividendJson(
                dividend_id=f"div_{dividend_id}",
                stock_symbol=dividend.symbol,
                amount_per_share=quantity(dividend.per_unit_e8),
                quantity=quantity(units_e8),
                total_amount=cash(dividend_down_e4(dividend.per_unit_e8, units_e8)),
                record_at=time_text(dividend.record_us),
                payment_at=time_text(dividend.payment_us),
                status="RECORDED",
                transaction_id=None,
            )


def _paid(paid: PaidDividend) -> DividendJson:
    return DividendJson(
        dividend_id=f"div_{paid.dividend_id}",
        stock_symbol=paid.symbol,
        amount_per_share=NULL if paid.per_unit_e8 is None else quantity(paid.per_unit_e8),
        quantity=quantity(paid.units_e8),
        total_amount=cash(paid.amount_e4),
        record_at=None if paid.record_us is None else time_text(paid.record_us),
        payment_at=time_text(paid.paid_us),
        status="PAID",
        transaction_id=f"txn_{paid.txn_id}",
    )
