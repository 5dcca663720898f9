"""The lots that holdings are made of: what was bought when, at which cost (docs/lots.md)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.units import DAY_US, average_price_e4, notional_down_e4
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import LotId, Time
from handlers.numbers import Number, cash, percent, quantity
from handlers.order_json import time_text
from handlers.request_input import read_limit, read_page, read_text
from server.errors import NotFound

SYMBOL_MAX: Final = 32


class LotJson(Struct, frozen=True):
    """Units that were acquired at one time, valued at `current_price`. `cost` is for what is left of them."""

    lot_id: LotId
    symbol: str
    quantity: Number
    cost: Number
    cost_per_unit: Number
    current_price: Number
    current_value: Number
    unrealized_pnl: Number
    unrealized_pnl_percentage: Number
    acquired_at: Time
    days_held: int


async def lots(call: Call) -> Answer:
    """`GET /portfolio/lots?symbol=&page=&limit=`: by symbol, oldest first."""
    symbol = read_text(call.query, "symbol", most=SYMBOL_MAX)
    page, limit = read_page(call.query), read_limit(call.query)
    runtime, market = call.services.runtime, call.services.market
    account = runtime.state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    seq, now_us = runtime.state.seq, runtime.now_us()
    held = [
        lot
        for name, position in sorted(account.positions.items())
        if symbol is None or name == symbol
        for lot in position.lots.values()
    ]
    found = []
    for lot in held[(page - 1) * limit : page * limit]:
        price_e4 = market.last_e4(lot.symbol) or runtime.state.instruments[lot.symbol].reference_e4
        value_e4 = notional_down_e4(price_e4, lot.units_e8)
        found.append(
            LotJson(
                lot_id=f"lot_{lot.lot_id}",
                symbol=lot.symbol,
                quantity=quantity(lot.units_e8),
                cost=cash(lot.cost_e4),
                cost_per_unit=cash(average_price_e4(lot.cost_e4, lot.units_e8)),
                current_price=cash(price_e4),
                current_value=cash(value_e4),
                unrealized_pnl=cash(value_e4 - lot.cost_e4),
                unrealized_pnl_percentage=percent(value_e4 - lot.cost_e4, lot.cost_e4),
                acquired_at=time_text(lot.acquired_us),
                days_held=(now_us - lot.acquired_us) // DAY_US,
            )
        )
    await runtime.wait_durable(seq)
    return success(found, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(held)))
