"""Public market data as a projection of durable events: nobody sees another user's order before it is safe.

Fed by `runtime.add_listener(view.listener)`; seeded once after recovery. Instruments whose price comes from a
tape take their quote from the feed instead; their book is still our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any, TypeVar

from engine.action_events import ActionEffected
from engine.corporate_state import ActionKind
from engine.events import (
    BookChanged,
    DayEnded,
    Indicative,
    InstrumentSet,
    PhaseChanged,
    TradeBusted,
    Traded,
)
from engine.kinds import Phase, PriceSource
from engine.state import Instrument, State
from engine.units import IDS_PER_SEQ
from server.codec import Record
from server.market_types import MINUTE_US, Candle, CandleSource, Interval, Quote, TradePrint
from server.parking_view import ParkingView
from server.split_candles import in_new_shares, splits_of
from server.symbol_view import NO_SIDE, MarketTrade, SymbolView

E = TypeVar("E")


class MarketView:
    """All instruments by symbol. `changes` counts every visible change; a reader that remembers it can ask
    each symbol whether it has changed since. `parking` are the car parks, which share that count. `fills` counts the trades of our
    own books since the start.
    """

    __slots__ = ("_instruments", "_project", "changes", "fills", "parking", "symbols")

    def __init__(self) -> None:
        self.symbols: dict[str, SymbolView] = {}
        self.changes = 0
        self.fills = 0
        self.parking = ParkingView(self)
        self._instruments: Mapping[str, Instrument] = {}
        self._project: dict[type, Callable[[Any, Record], None]] = {
            BookChanged: self._on_book_changed,
            Traded: self._on_traded,
            TradeBusted: self._on_trade_busted,
            PhaseChanged: self._on_phase_changed,
            Indicative: self._on_indicative,
            DayEnded: self._on_day_ended,
            InstrumentSet: self._on_instrument_set,
            ActionEffected: self._on_action_effected,
            **self.parking.projections(),
        }

    # -- fed by

    def listener(self, records: Sequence[Record]) -> None:
        """Take newly durable records, in sequence order."""
        project = self._project
        for record in records:
            for event in record.events:
                handle = project.get(type(event))
                if handle is not None:
                    handle(event, record)
        if self.parking.due:
            self.parking.settle(records[-1].seq, records[-1].now_us)

    def also(self, kind: type[E], handle: Callable[[E, Record], None]) -> None:
        """Tell somebody else of durable events that this view takes, after itself: nobody has to look for them again."""
        own = self._project[kind]

        def both(event: E, record: Record) -> None:
            own(event, record)
            handle(event, record)

        self._project[kind] = both

    def seed(self, state: State, *, now_us: int, candles: CandleSource | None = None) -> None:
        """Start from the recovered state, all of which is durable: instruments, and the levels of open orders.

        Day figures come from `candles`, where it has any.
        """
        self._instruments = state.instruments
        self.parking.seed(state, now_us=now_us)
        for symbol, instrument in state.instruments.items():
            view = self._view(symbol)
            view.name = instrument.name
            view.currency = instrument.currency
            view.price_source = instrument.price_source
            view.phase = Phase.HALTED if instrument.halted else instrument.phase
            view.auction, view.auction_us = instrument.indicative, now_us
            view.last_e4 = instrument.last_e4
            view.previous_close_e4 = instrument.previous_close_e4
            view.splits, view.restated_us = splits_of(state, symbol), instrument.restated_us
            view.depth_seq = state.seq
            stats = candles.day_stats(symbol) if candles is not None else None
            if stats is not None:
                view.open_e4, view.high_e4, view.low_e4 = stats.open_e4, stats.high_e4, stats.low_e4
                view.volume_e8 = stats.volume_e8
                if view.price_source is PriceSource.OWN:
                    view.last_e4 = stats.last_e4  # the engine's own last price may be that of a busted trade
            view.day_us = now_us if stats is None else stats.day_start_us
            if candles is not None and stats is not None and self._was_split_today(view):
                minutes = candles.candles(symbol, Interval.MINUTE_1, start_us=view.day_us)
                self._take_day(view, minutes)
            self._touch(view, now_us)
        for symbol, book in state.books.items():
            for side in (book.bids, book.asks):
                shown = self._view(symbol).side(side.side)
                for level in side.best_first():
                    shown.set_level(level.price_e4, level.quantity_e8, level.count)

    def update_tape(self, quote: Quote) -> None:
        """Take the newest quote of an instrument whose price comes from a tape; others are left alone.

        The quote's own `version` is not used: versions count what this view shows. Where it knows no previous close,
        that of the day which ended last here stays.
        """
        view = self.symbols.get(quote.symbol)
        if view is None or view.price_source is not PriceSource.TAPE:
            return
        view.tape = (quote.bid_e4, quote.bid_size_e8, quote.ask_e4, quote.ask_size_e8)
        view.last_e4 = quote.price_e4
        view.open_e4 = quote.open_e4
        view.high_e4 = quote.high_e4
        view.low_e4 = quote.low_e4
        view.volume_e8 = quote.volume_e8
        view.previous_close_e4 = quote.previous_close_e4 or view.previous_close_e4
        view.stale = quote.stale
        self._touch(view, quote.timestamp_us)

    def add_print(self, trade: TradePrint) -> None:
        """Take a trade that a tape printed. It is shown among the trades; the quote comes by `update_tape`."""
        view = self.symbols.get(trade.symbol)
        if view is not None and view.price_source is PriceSource.TAPE:
            self._add_trade(view, trade.price_e4, trade.quantity_e8, NO_SIDE, trade.time_us)

    def mark_stale(self, symbol: str, *, stale: bool) -> None:
        """Say that the source of a quote has stopped, or is back."""
        view = self.symbols.get(symbol)
        if view is not None and view.stale is not stale:
            view.stale = stale
            self._touch(view, view.timestamp_us)

    # -- asked by

    def __contains__(self, symbol: str) -> bool:
        return symbol in self.symbols

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote; None for an unknown symbol."""
        view = self.symbols.get(symbol)
        return view.quote() if view is not None else None

    def last_e4(self, symbol: str) -> int:
        """The last price; 0 when there is none yet, and while the engine has split the shares and that is not durable yet."""
        view = self.symbols.get(symbol)
        if view is None:
            return 0
        instrument = self._instruments.get(symbol)
        if instrument is not None and instrument.restated_us > view.restated_us:
            return 0
        return view.last_e4

    def depth(
        self, symbol: str, levels_max: int
    ) -> tuple[int, list[tuple[int, int, int]], list[tuple[int, int, int]]] | None:
        """(seq, bids, asks), each level (price_e4, quantity_e8, orders), best first; None when unknown.

        `seq` is the journal sequence of the newest change of the levels.
        """
        view = self.symbols.get(symbol)
        if view is None:
            return None
        bids = list(islice(view.bids.best_first(), levels_max))
        asks = list(islice(view.asks.best_first(), levels_max))
        return view.depth_seq, bids, asks

    def trades(self, symbol: str, limit: int) -> list[MarketTrade]:
        """The newest trades, newest first; empty when unknown."""
        view = self.symbols.get(symbol)
        return list(islice(reversed(view.trades), limit)) if view is not None else []

    def trades_since(self, symbol: str, seq: int) -> list[MarketTrade] | None:
        """The trades of our own book after a sequence, oldest first; None when not all of them are remembered."""
        trades = self.symbols[symbol].trades
        first_id = (seq + 1) * IDS_PER_SEQ
        found = list(takewhile(lambda trade: trade.trade_id >= first_id, reversed(trades)))
        return None if len(found) == trades.maxlen else found[::-1]

    def mend(self, symbol: str, minute_us: int, day: Sequence[Candle]) -> None:
        """A minute of an own instrument has lost a busted trade: take the day's prices from its candles, oldest first.

        Without any trade of that day that stands, the last price stays.
        """
        view = self.symbols[symbol]
        if minute_us + MINUTE_US > view.day_us:
            self._take_day(view, day)
        view.mended_us = minute_us
        self._touch(view, view.timestamp_us)

    @staticmethod
    def _was_split_today(view: SymbolView) -> bool:
        is_own = view.price_source is PriceSource.OWN
        return is_own and bool(view.splits) and view.splits[-1][0] > view.day_us

    def _take_day(self, view: SymbolView, day: Sequence[Candle]) -> None:
        """The day's prices from its candles."""
        day = in_new_shares(day, view.splits)
        view.open_e4 = day[0].open_e4 if day else 0
        view.high_e4 = max((candle.high_e4 for candle in day), default=0)
        view.low_e4 = min((candle.low_e4 for candle in day), default=0)
        view.last_e4 = day[-1].close_e4 if day else view.last_e4

    # -- the projection

    def _view(self, symbol: str) -> SymbolView:
        view = self.symbols.get(symbol)
        if view is None:
            view = self.symbols[symbol] = SymbolView(symbol)
        return view

    def _touch(self, view: SymbolView, time_us: int) -> None:
        self.changes += 1
        view.changed_at = self.changes
        view.version += 1
        view.fragment = None
        view.timestamp_us = time_us

    def _add_trade(
        self,
        view: SymbolView,
        price_e4: int,
        quantity_e8: int,
        taker_side: int,
        time_us: int,
        trade_id: int = 0,
    ) -> None:
        self.changes += 1
        view.traded_at = self.changes
        view.trade_count += 1
        view.trades.append(
            MarketTrade(
                view.trade_count,
                self.changes,
                view.symbol,
                price_e4,
                quantity_e8,
                taker_side,
                time_us,
                trade_id,
            )
        )

    def _on_book_changed(self, event: BookChanged, record: Record) -> None:
        view = self._view(event.symbol)
        top_changed = False
        for side, price_e4, quantity_e8, orders in event.levels:
            if view.side(side).set_level(price_e4, quantity_e8, orders):
                top_changed = True
        depth = view.depth
        if depth.followers:
            self.changes += 1
            depth.add(self.changes, view.depth_seq, record.seq, event.levels)
        view.depth_seq = record.seq
        if top_changed and view.price_source is PriceSource.OWN:
            self._touch(view, record.now_us)

    def _on_traded(self, event: Traded, record: Record) -> None:
        self.fills += 1
        view = self._view(event.symbol)
        self._add_trade(
            view, event.price_e4, event.quantity_e8, int(event.taker_side), record.now_us, event.trade_id
        )
        if view.price_source is PriceSource.OWN:
            view.count_trade(event.price_e4, event.quantity_e8)
            self._touch(view, record.now_us)

    def _on_trade_busted(self, event: TradeBusted, record: Record) -> None:
        view = self._view(event.symbol)
        self.changes += 1
        view.strike_out(event, self.changes)
        if view.price_source is PriceSource.OWN:
            view.take_back(event)
            self._touch(view, record.now_us)

    def _on_phase_changed(self, event: PhaseChanged, record: Record) -> None:
        view = self._view(event.symbol)
        view.phase = event.phase
        view.auction = (0, 0, 0)
        self._touch(view, record.now_us)
        view.auction_at, view.auction_us = self.changes, record.now_us

    def _on_indicative(self, event: Indicative, record: Record) -> None:
        view = self._view(event.symbol)
        self.changes += 1
        view.auction = (event.price_e4, event.volume_e8, event.imbalance_e8)
        view.auction_at, view.auction_us = self.changes, record.now_us

    def _on_day_ended(self, event: DayEnded, record: Record) -> None:
        view = self._view(event.symbol)
        if view.price_source is PriceSource.OWN:
            view.start_day(event.previous_close_e4, record.now_us)
        else:  # the day's figures are the tape's, which may not know what was before it
            view.previous_close_e4 = event.previous_close_e4
        self._touch(view, record.now_us)

    def _on_instrument_set(self, event: InstrumentSet, record: Record) -> None:
        view = self._view(event.symbol)
        view.name = event.name
        view.currency = event.currency
        view.price_source = event.price_source
        self._touch(view, record.now_us)

    def _on_action_effected(self, event: ActionEffected, record: Record) -> None:
        """A split: the day's figures are in new shares from here on. Trades of before stay as they were printed."""
        view = self._view(event.symbol)
        if event.kind is ActionKind.SPLIT:
            view.restate(event)
        elif event.kind is ActionKind.SYMBOL_CHANGE:
            named = self._view(event.new_symbol)
            named.take_over(view)
            self._touch(named, record.now_us)
        view.restated_us = event.effective_us
        self._touch(view, record.now_us)
