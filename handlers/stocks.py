"""Instruments and their public market data: search, details, quote, depth, trades, candles."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Raw, Struct

from engine.kinds import Side
from engine.state import Instrument
from engine.units import DAY_US
from handlers.auction_json import AuctionJson, auction_json
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import Currency, PhaseName, SideName, Time, TradeId
from handlers.numbers import NULL, Number, NumberOrNull, cash, quantity
from handlers.order_json import time_text
from handlers.request_input import read_choice, read_limit, read_number, read_text
from server.candle_history import candles_of_any_age
from server.decimal_text import cash_text, percent_text, quantity_text
from server.errors import BadRequest, NotFound
from server.instrument_search import search as ranked
from server.market_types import Interval

QUERY_MAX: Final = 64
SEARCH_DEFAULT: Final = 20
SEARCH_MAX: Final = 50
DEPTH_DEFAULT: Final = 20
DEPTH_MAX: Final = 200
CANDLES_MAX: Final = 5_000

INTERVALS: Final = {interval.value: interval for interval in Interval}
RANGES_US: Final[dict[str, int | None]] = {
    "1d": DAY_US,
    "5d": 5 * DAY_US,
    "1w": 7 * DAY_US,
    "1m": 31 * DAY_US,
    "3m": 92 * DAY_US,
    "6m": 183 * DAY_US,
    "1y": 366 * DAY_US,
    "5y": 1_827 * DAY_US,
    "max": None,
}
"""How far back a chart goes; calendar months and years are taken at their longest."""

IntervalName = Annotated[str, Meta(extra_json_schema={"enum": list(INTERVALS)})]
Levels = Annotated[
    Raw,
    Meta(
        description="Levels as [price, quantity, orders], best first.",
        extra_json_schema={
            "type": "array",
            "items": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
        },
    ),
]


class FoundJson(Struct, frozen=True):
    """A hit of a search. `price` is null before the first trade."""

    symbol: str
    name: str
    currency: Currency
    price: NumberOrNull


class StockJson(Struct, frozen=True):
    """An instrument and what an order for it has to keep to. `auction` is null outside of a call."""

    symbol: str
    name: str
    currency: Currency
    phase: PhaseName
    tick_size: Number
    lot_size: Number
    price_min: Number
    price_max: Number
    price: NumberOrNull
    previous_close: NumberOrNull
    auction: AuctionJson | None


class QuoteJson(Struct, frozen=True):
    """The latest quote. A price that does not exist yet is null."""

    symbol: str
    price: NumberOrNull
    bid: NumberOrNull
    ask: NumberOrNull
    bid_size: Number
    ask_size: Number
    change: Number
    change_percentage: Number
    volume: Number
    open: NumberOrNull
    high: NumberOrNull
    low: NumberOrNull
    previous_close: NumberOrNull
    timestamp: Time
    stale: bool


class DepthJson(Struct, frozen=True):
    """Levels as [price, quantity, orders], best first. `seq` is the journal sequence of the newest change."""

    symbol: str
    seq: int
    bids: Levels
    asks: Levels


class PublicTradeJson(Struct, frozen=True):
    """A public trade. `trade_id` and `taker_side` are null for a trade that a tape printed. `busted`: an operator has taken
    it back, so it counts in no volume.
    """

    trade_id: TradeId | None
    price: Number
    quantity: Number
    taker_side: SideName | None
    executed_at: Time
    busted: bool


class CandleJson(Struct, frozen=True):
    """One bar; `time` is its start."""

    time: Time
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    trades: int


class ChartJson(Struct, frozen=True):
    """Candles, oldest first; intervals without a trade are left out."""

    symbol: str
    interval: IntervalName
    candles: list[CandleJson]


async def search(call: Call) -> Answer:
    """`GET /stocks/search?q=&limit=`: by symbol, by the words of the name, and with a typo or two."""
    text = read_text(call.query, "q", most=QUERY_MAX)
    if text is None:
        raise BadRequest("q", "is required")
    limit = read_number(call.query, "limit", SEARCH_DEFAULT, least=1, most=SEARCH_MAX)
    last_e4 = call.services.market.last_e4
    return success(
        [
            FoundJson(found.symbol, found.name, found.currency, _price(last_e4(found.symbol)))
            for found in ranked(call.services.runtime.state.instruments.values(), text, limit)
        ]
    )


async def details(call: Call) -> Answer:
    """`GET /stocks/{symbol}`."""
    instrument = _instrument(call)
    market = call.services.market
    view = market.symbols.get(instrument.symbol)
    phase = instrument.phase if view is None else view.phase
    return success(
        StockJson(
            symbol=instrument.symbol,
            name=instrument.name,
            currency=instrument.currency,
            phase=phase.name,
            tick_size=cash(instrument.tick_e4),
            lot_size=quantity(instrument.lot_e8),
            price_min=cash(instrument.price_min_e4),
            price_max=cash(instrument.price_max_e4),
            price=_price(market.last_e4(instrument.symbol)),
            previous_close=_price(instrument.previous_close_e4),
            auction=None if view is None else auction_json(view),
        )
    )


async def quote(call: Call) -> Answer:
    """`GET /stocks/{symbol}/quote`."""
    instrument = _instrument(call)
    latest = call.services.market.quote(instrument.symbol)
    if latest is None:
        raise NotFound
    return success(
        QuoteJson(
            symbol=latest.symbol,
            price=_price(latest.price_e4),
            bid=_price(latest.bid_e4),
            ask=_price(latest.ask_e4),
            bid_size=quantity(latest.bid_size_e8),
            ask_size=quantity(latest.ask_size_e8),
            change=cash(latest.change_e4),
            change_percentage=Raw(percent_text(latest.change_bps).encode()),
            volume=quantity(latest.volume_e8),
            open=_price(latest.open_e4),
            high=_price(latest.high_e4),
            low=_price(latest.low_e4),
            previous_close=_price(latest.previous_close_e4),
            timestamp=time_text(latest.timestamp_us),
            stale=latest.stale,
        )
    )


async def depth(call: Call) -> Answer:
    """`GET /stocks/{symbol}/depth?levels=`."""
    instrument = _instrument(call)
    levels_max = read_number(call.query, "levels", DEPTH_DEFAULT, least=1, most=DEPTH_MAX)
    book = call.services.market.depth(instrument.symbol, levels_max)
    if book is None:
        raise NotFound
    seq, bids, asks = book
    return success(DepthJson(instrument.symbol, seq, _levels(bids), _levels(asks)))


async def trades(call: Call) -> Answer:
    """`GET /stocks/{symbol}/trades?limit=`, newest first."""
    instrument = _instrument(call)
    found = call.services.market.trades(instrument.symbol, read_limit(call.query))
    return success(
        [
            PublicTradeJson(
                trade_id=f"trd_{trade.trade_id}" if trade.trade_id else None,
                price=cash(trade.price_e4),
                quantity=quantity(trade.quantity_e8),
                taker_side=Side(trade.taker_side).name if trade.taker_side else None,
                executed_at=time_text(trade.time_us),
                busted=trade.busted,
            )
            for trade in found
        ]
    )


async def chart(call: Call) -> Answer:
    """`GET /stocks/{symbol}/chart?interval=&range=&extended_hours=`: intervals 1m 5m 15m 1h 1d, ranges 1d … 5y, max.

    Regular hours only, unless `extended_hours` is true. What memory does not keep comes from Postgres.
    """
    instrument = _instrument(call)
    interval = read_choice(call.query, "interval", INTERVALS, Interval.MINUTE_1)
    range_us = read_choice(
        {name: text.lower() for name, text in call.query.items()}, "range", RANGES_US, DAY_US
    )
    extended = read_choice(call.query, "extended_hours", {"true": True, "false": False}, False)
    end_us = call.services.runtime.now_us() + 1
    source = call.services.candles
    candles = await candles_of_any_age(
        call.services.database,
        source,
        instrument.symbol,
        interval,
        start_us=max(0, end_us - range_us) if range_us is not None else 0,
        end_us=end_us,
        sessions=None if extended else source.regular_sessions(instrument.symbol),
        limit=CANDLES_MAX,
        splits=call.services.market.symbols[instrument.symbol].splits,
    )
    return success(
        ChartJson(
            instrument.symbol,
            interval.value,
            [
                CandleJson(
                    time=time_text(candle.start_us),
                    open=cash(candle.open_e4),
                    high=cash(candle.high_e4),
                    low=cash(candle.low_e4),
                    close=cash(candle.close_e4),
                    volume=quantity(candle.volume_e8),
                    trades=candle.trades,
                )
                for candle in candles
            ],
        )
    )


def _instrument(call: Call) -> Instrument:
    """The instrument in the path. Raises NotFound."""
    instrument = call.services.runtime.state.instruments.get(call.path("symbol"))
    if instrument is None:
        raise NotFound("There is no instrument with this symbol.")
    return instrument


def _price(price_e4: int) -> Raw:
    return cash(price_e4) if price_e4 else NULL


def _levels(levels: list[tuple[int, int, int]]) -> Raw:
    texts = (
        f"[{cash_text(price_e4)},{quantity_text(quantity_e8)},{orders}]"
        for price_e4, quantity_e8, orders in levels
    )
    return Raw(f"[{','.join(texts)}]".encode())
