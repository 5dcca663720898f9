"""Market indices and where they stand."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from config.records import Weighting
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import Time, names
from handlers.numbers import NULL, ZERO, Number, NumberOrNull, cash, percent
from handlers.order_json import time_text
from server.indices import Index


class IndexJson(Struct, frozen=True):
    """An index. `level` is null until every constituent has a price; the change is against the previous closes."""

    symbol: str
    name: str
    weighting: Annotated[str, Meta(extra_json_schema=names(Weighting))]
    level: NumberOrNull
    previous_close: NumberOrNull
    change: Number
    change_percentage: Number
    constituents: list[str]
    timestamp: Time


async def indices(call: Call) -> Answer:
    """`GET /market/indices`: every index at the last prices."""
    return success([_index_json(call, index) for index in call.services.indices])


def _index_json(call: Call, index: Index) -> IndexJson:
    services = call.services
    instruments = services.runtime.state.instruments

    def price_e4(symbol: str) -> int:
        known = instruments.get(symbol)
        return services.market.last_e4(symbol) or (known.reference_e4 if known is not None else 0)

    def close_e4(symbol: str) -> int:
        view = services.market.symbols.get(symbol)
        return view.previous_close_e4 if view is not None else 0

    level_e4, before_e4 = index.level_e4(price_e4), index.level_e4(close_e4)
    change_e4 = level_e4 - before_e4 if level_e4 and before_e4 else 0
    symbols = [symbol for symbol, _ in index.constituents]
    newest_us = max(
        (services.market.symbols[symbol].timestamp_us for symbol in symbols if symbol in services.market),
        default=0,
    )
    return IndexJson(
        symbol=index.symbol,
        name=index.name,
        weighting=index.weighting.name,
        level=cash(level_e4) if level_e4 else NULL,
        previous_close=cash(before_e4) if before_e4 else NULL,
        change=cash(change_e4) if change_e4 else ZERO,
        change_percentage=percent(change_e4, before_e4),
        constituents=symbols,
        timestamp=time_text(newest_us),
    )
