"""What moves: the instruments that have risen and fallen most today, and those that were traded most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Raw, Struct

from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import Time
from handlers.numbers import Number, cash, quantity
from handlers.order_json import time_text
from handlers.request_input import read_number
from server.decimal_text import percent_text
from server.market_types import Quote

MOVERS_DEFAULT: Final = 10
MOVERS_MAX: Final = 100


class MoverJson(Struct, frozen=True):
    """An instrument among the movers; the change is against the previous close."""

    symbol: str
    name: str
    price: Number
    change: Number
    change_percentage: Number
    volume: Number
    timestamp: Time


async def gainers(call: Call) -> Answer:
    """`GET /market/top-gainers?limit=`: those that have risen, most in percent first."""
    return _movers(call, lambda quote: quote.change_e4 > 0, lambda quote: -quote.change_bps)


async def losers(call: Call) -> Answer:
    """`GET /market/top-losers?limit=`: those that have fallen, most in percent first."""
    return _movers(call, lambda quote: quote.change_e4 < 0, lambda quote: quote.change_bps)


async def most_active(call: Call) -> Answer:
    """`GET /market/most-active?limit=`: those traded today, by units."""
    return _movers(call, lambda quote: quote.volume_e8 > 0, lambda quote: -quote.volume_e8)


def _movers(call: Call, belongs: Callable[[Quote], bool], first: Callable[[Quote], int]) -> Answer:
    limit = read_number(call.query, "limit", MOVERS_DEFAULT, least=1, most=MOVERS_MAX)
    market = call.services.market
    quotes = [view.quote() for view in market.symbols.values()]
    found = [quote for quote in quotes if quote.price_e4 and belongs(quote)]
    found.sort(key=lambda quote: (first(quote), quote.symbol))
    return success([_mover_json(quote, market.symbols[quote.symbol].name) for quote in found[:limit]])


def _mover_json(quote: Quote, name: str) -> MoverJson:
    return MoverJson(
        symbol=quote.symbol,
        name=name,
        price=cash(quote.price_e4),
        change=cash(quote.change_e4),
        change_percentage=Raw(percent_text(quote.change_bps).encode()),
        volume=quantity(quote.volume_e8),
        timestamp=time_text(quote.timestamp_us),
    )
