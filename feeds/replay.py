"""Plays a recorded day: last values, consolidated quote and candles, marks for the engine, quotes for its book.

Every turn of a few milliseconds takes all rows that are due by the market clock. Raw ticks stay here; the engine gets
at most one mark a second and two mass quotes a second of wall time, whatever the speed (DESIGN.md §6).
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from engine.commands import Marks
from feeds.consolidated import SIDE_AGE_MAX_US, Best, ConsolidatedBook
from feeds.desk import Desk, Elapsed
from feeds.last_value import LastValueTable
from feeds.maker_quotes import Ladder, MakerQuotes
from feeds.market_clock import MarketClock
from feeds.quote_file import QuoteFile, QuoteRows
from feeds.tape_cursor import TapeCursor
from feeds.tape_file import EXCHANGE_ZONE, TapeError
from feeds.trade_file import TradeFile, TradeRows
from server.market_types import MINUTE_US, Quote, Session, TradePrint

logger = logging.getLogger("kerb.feeds.replay")

TURN_S: Final = 0.02
ROWS_MAX: Final = 1_000  # between two chances for other work: 1 000 quotes take about 2 ms
PRINTS_MAX: Final = 50  # of one portion of rows that are shown one by one
MARK_INTERVAL_US: Final = 1_000_000  # of wall time
LEAD_US: Final = 5 * MINUTE_US  # a replay begins so long before the regular session
LEVELS: Final = 5
LEVEL_SIZE_MIN_E8: Final = 100 * 100_000_000
LEVEL_SIZE_MAX_E8: Final = 5_000 * 100_000_000
OPENS_US: Final = 570 * MINUTE_US  # 09:30
CLOSES_US: Final = 960 * MINUTE_US  # 16:00


class TapeView(Protocol):
    """Where the replay shows what the tape says (server.market_view.MarketView)."""

    def update_tape(self, quote: Quote) -> None:
        """Takes the newest quote."""
        ...

    def add_print(self, trade: TradePrint) -> None:
        """Takes a trade."""
        ...


class Replay:
    """One symbol's day. `clock` is the market clock, paused or not; `run` lets it pass."""

    def __init__(
        self,
        trade_path: Path,
        *,
        clock: MarketClock,
        elapsed_us: Elapsed,
        table: LastValueTable,
        view: TapeView,
        marks: Desk,
        maker: MakerQuotes | None = None,
        tick_e4: int = 100,
        previous_close_e4: int = 0,
    ) -> None:
        """Looks at the files' names only. `marks` sends reference prices, `maker` quotes at the tape's best prices in
        steps of `tick_e4`; None for no quotes of our own. `previous_close_e4` is what changes are measured from, 0 for
        unknown. Raises TapeError for a name that is no trade tape's.
        """
        self._trade_file = TradeFile(trade_path)
        quote_path = self._trade_file.quote_path()
        self._quote_file = QuoteFile(quote_path) if quote_path is not None else None
        self.symbol = self._trade_file.name.symbol
        self.book = ConsolidatedBook()
        self.is_finished = False
        self._trades = TapeCursor(self._trade_file.chunks())
        self._quotes = TapeCursor(self._quote_file.chunks()) if self._quote_file is not None else None
        self._clock = clock
        self._elapsed_us = elapsed_us
        self._table = table
        self._number = table.register(self.symbol, zone=EXCHANGE_ZONE, previous_close_e4=previous_close_e4)
        self._view = view
        self._marks = marks
        self._maker = maker
        self._tick_e4 = tick_e4
        self._mark_due_us = elapsed_us()
        self._marked_e4 = 0
        self._shown_version = 0
        self._stopping = asyncio.Event()

    def __repr__(self) -> str:
        state = "finished" if self.is_finished else repr(self._clock)
        return f"Replay({self.symbol}, {state}, {self.book!r})"

    async def run(self) -> None:
        """Takes what lies before the clock's time in silence, then plays until `stop`; at the end the last values stay,
        marked stale, and the maker goes on quoting at them. A file that turns out damaged ends the same way.
        """
        try:
            await self.catch_up()
            if self._clock.is_paused:
                self._clock.resume()
            logger.info("replaying %s at %dx", self._trade_file.name.path.name, self._clock.speed)
            while not self._stopping.is_set() and not self._marks.closed:
                await self.step()
                await self._rest()
        except TapeError as error:
            logger.error("the replay ends here: %s", error)
            self._finish()
            while not self._stopping.is_set() and not self._marks.closed:
                self._send()
                await self._rest()
        logger.info("replay stopped")

    def stop(self) -> None:
        """Ends `run` after the turn that is under way."""
        self._stopping.set()

    async def catch_up(self) -> None:
        """Takes the rows before the clock's time: candles and day figures are complete, nothing is sent or printed."""
        now_us = self._clock.now_us()
        while (trades := await self._trades.take(now_us, ROWS_MAX)) is not None:
            self._take_trades(trades)
        if self._quotes is not None:
            while (quotes := await self._quotes.take(now_us - SIDE_AGE_MAX_US, 1 << 20)) is not None:
                del quotes  # too old to count
        await self._take_quotes(now_us)
        self._show()

    async def step(self) -> None:
        """Takes everything that is due by the market clock, shows it, and sends what is due by wall time."""
        if not self.is_finished:
            now_us = self._clock.now_us()
            while (trades := await self._trades.take(now_us, ROWS_MAX)) is not None:
                self._take_trades(trades)
                self._print(trades)
                await asyncio.sleep(0)
            await self._take_quotes(now_us)
            self._show()
            if self._trades.is_finished and (self._quotes is None or self._quotes.is_finished):
                self._finish()
        self._send()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), TURN_S)
        except TimeoutError:
            return

    def _take_trades(self, rows: TradeRows) -> None:
        numbers = np.full(len(rows), self._number, dtype=np.int64)
        self._table.trades(numbers, rows.time_us, rows.price_e4, rows.quantity_e8)

    async def _take_quotes(self, now_us: int) -> None:
        if self._quotes is None:
            return
        while (rows := await self._quotes.take(now_us, ROWS_MAX)) is not None:
            self._take_rows(rows)
            await asyncio.sleep(0)
        if not self._quotes.is_finished:
            self.book.expire(now_us)
        best = self.book.best()
        if best.bid_e4 and best.ask_e4:
            self._table.set_quote(self._number, self.book.time_us, best)

    def _take_rows(self, rows: QuoteRows) -> None:
        self.book.update_all(rows.each())

    def _print(self, rows: TradeRows) -> None:
        """Shows the newest trades of a portion one by one."""
        rows = rows.part(max(len(rows) - PRINTS_MAX, 0), len(rows))
        columns = (
            rows.time_us.tolist(),
            rows.price_e4.tolist(),
            rows.quantity_e8.tolist(),
            rows.exchange.tolist(),
        )
        for time_us, price_e4, quantity_e8, exchange in zip(*columns, strict=True):
            self._view.add_print(TradePrint(self.symbol, time_us, price_e4, quantity_e8, chr(exchange)))

    def _show(self) -> None:
        """Shows the quote if it has changed since it was shown."""
        value = self._table.value(self._number)
        if value.version != self._shown_version:
            self._shown_version = value.version
            quote = self._table.quote(self.symbol)
            if quote is not None:
                self._view.update_tape(quote)

    def _finish(self) -> None:
        if self.is_finished:
            return
        self.is_finished = True
        self._table.mark_stale(self._number)
        self._show()
        quotes = self._quote_file.report.summary() if self._quote_file is not None else "none"
        logger.info(
            "%s has ended; trades: %s; quotes: %s; sides dropped: %d old, %d crossed",
            self._trade_file.name.path.name,
            self._trade_file.report.summary(),
            quotes,
            self.book.dropped.old,
            self.book.dropped.crossed,
        )

    def _send(self) -> None:
        """The mark first: what the maker quotes is measured against it."""
        mark_e4 = self._mark_e4()
        if mark_e4 and mark_e4 != self._marked_e4 and self._elapsed_us() >= self._mark_due_us:
            self._mark_due_us = self._elapsed_us() + MARK_INTERVAL_US
            if self._marks.send(Marks(((self.symbol, mark_e4),))) is None:
                self._marked_e4 = mark_e4
        if self._maker is not None and self._marked_e4 and self._maker.is_due():
            ladders = self._ladders()
            if ladders is not None:
                self._maker.quote(*ladders)

    def _mark_e4(self) -> int:
        """The last trade; before the first one the middle of the quote; 0 for neither."""
        value = self._table.value(self._number)
        if value.price_e4:
            return value.price_e4
        best = value.best
        return (best.bid_e4 + best.ask_e4) // 2 if best.is_two_sided else 0

    def _ladders(self) -> tuple[Ladder, Ladder] | None:
        """From the tape's best prices outwards; without quotes one tick around the last trade. None: leave as it is."""
        value = self._table.value(self._number)
        best = value.best
        if not best.is_two_sided:
            if self._quotes is not None or value.price_e4 <= self._tick_e4:
                return None
            best = Best(value.price_e4 - self._tick_e4, 0, value.price_e4 + self._tick_e4, 0)
        bid_e4 = best.bid_e4 - best.bid_e4 % self._tick_e4
        ask_e4 = best.ask_e4 + -best.ask_e4 % self._tick_e4
        bid_size_e8, ask_size_e8 = _level_size(best.bid_size_e8), _level_size(best.ask_size_e8)
        steps = [level * self._tick_e4 for level in range(LEVELS)]
        bids = tuple((bid_e4 - step, bid_size_e8) for step in steps if bid_e4 > step)
        return bids, tuple((ask_e4 + step, ask_size_e8) for step in steps)


def _level_size(tape_size_e8: int) -> int:
    """What the tape shows, within reason for one account."""
    return max(LEVEL_SIZE_MIN_E8, min(tape_size_e8, LEVEL_SIZE_MAX_E8))


def regular_session(trade_path: Path) -> Session:
    """09:30 to 16:00 in New York of the tape's day. Raises TapeError for a name that is no trade tape's."""
    midnight_us = TradeFile(trade_path).name.midnight_us
    return midnight_us + OPENS_US, midnight_us + CLOSES_US


def start_us(trade_path: Path, *, from_first_row: bool = False) -> int:
    """Where the market clock of a replay begins: a few minutes before the regular session, or at the file's first row.

    Raises TapeError for a file that cannot be used.
    """
    if not from_first_row:
        return regular_session(trade_path)[0] - LEAD_US
    trade_file = TradeFile(trade_path)
    quote_path = trade_file.quote_path()
    firsts = [next((int(rows.time_us[0]) for rows in trade_file.chunks() if len(rows)), None)]
    if quote_path is not None:
        firsts.append(
            next((int(rows.time_us[0]) for rows in QuoteFile(quote_path).chunks() if len(rows)), None)
        )
    return min((first for first in firsts if first is not None), default=trade_file.name.midnight_us)
