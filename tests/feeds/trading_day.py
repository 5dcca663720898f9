"""A recorded day as a day of our own exchange: auctions, stops and all, with a report that has to add up.

`python -m tests.feeds.trading_day shared/data/aig_20131009_trade.zip [every]` prints it. Each trade of the tape becomes an order and
another one that meets it, by customers of ours, at the time and for the price and size of the tape; those of its first minute are
orders for the opening, those that the exchange printed after the close orders for the closing auction. Customers protect
themselves with stops, a market maker quotes around the last price, and the calendar of config/calendars.toml ends it all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Final

from msgspec import Struct

from config.catalogue import load_catalogue
from config.sessions import phases_between, sessions_between
from engine.apply import Applied, apply
from engine.commands import (
    AnyCommand,
    Deposit,
    Envelope,
    FireTimer,
    MassQuote,
    OpenAccount,
    PlaceOrder,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetSettlement,
    TransferIn,
)
from engine.invariants import check_invariants
from engine.kinds import AccountKind, OrderType, Phase, PriceSource, Side, Source, TimeInForce
from engine.state import Account, State
from engine.terms import Terms
from engine.timers import next_timer
from engine.units import DAY_US, MINUTE_US, QUANTITY_SCALE, SECOND_US
from feeds.trade_file import TradeFile
from tests.feeds.day_report import DayReport

TICK_E4: Final = 100
CASH_E4: Final = 10**12
UNITS_E8: Final = 2_000_000 * QUANTITY_SCALE
TRADERS: Final = 40
SETTLEMENT_DAYS: Final = 3  # T+3, as the United States settled in 2013
SETTLED_AFTER_DAYS: Final = 7
CHECKED_EVERY: Final = 5_000
QUOTED_EVERY_US: Final = 10 * SECOND_US
BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
DAY, GTC, IOC, OPG, CLS = (
    *(TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC),
    *(TimeInForce.OPG, TimeInForce.CLS),
)


class Print(Struct, frozen=True, order=True):
    """A trade of the tape; `minute` is that of the exchange's day in which it comes."""

    time_us: int
    price_e4: int
    quantity_e8: int
    tif: TimeInForce = DAY
    is_extended: bool = False


class TradingDay:
    """One day of one symbol through `engine.apply`, with what came of it."""

    def __init__(self, path: Path, every: int = 1) -> None:
        self.file = TradeFile(path)
        self.symbol = self.file.name.symbol
        self.every = every
        self.state = State()
        self.report = DayReport(self.symbol)
        self.commands = 0
        self.now_us = 0
        self.maker_id = 0
        self.traders: list[int] = []
        self.quoted_us = 0

    # -- what drives it

    def do(self, command: AnyCommand, account_id: int = 0, source: Source = Source.HTTP) -> Applied:
        """Carry a command out, and count what came of it."""
        phase = self.phase()
        applied = apply(self.state, Envelope(source, account_id, account_id), command, self.now_us)
        self.report.take(phase, command, applied)
        self.commands += 1
        if self.commands % CHECKED_EVERY == 0:
            assert check_invariants(self.state) == []
        return applied

    def phase(self) -> Phase:
        instrument = self.state.instruments.get(self.symbol)
        return Phase.CLOSED if instrument is None else instrument.phase

    def advance(self, to_us: int) -> None:
        """Fire what is due until a time, each timer at its time."""
        while (timer := next_timer(self.state)) is not None and timer.due_us <= to_us:
            self.now_us = max(self.now_us, timer.due_us)
            self.do(FireTimer(timer.timer_id), source=Source.TIMER)
        self.now_us = max(self.now_us, to_us)

    def run(self) -> DayReport:
        """The whole day, to the report."""
        self.found()
        flow = sorted(self.prints())
        protected = False
        sides = cycle((BUY, SELL, SELL, BUY, BUY, SELL))
        for number, each in enumerate(flow):
            self.advance(each.time_us)
            if not protected and self.phase() is Phase.CONTINUOUS:
                protected = True
                self.protect()
            self.quote()
            self.trade(number, each, next(sides))
        self.advance(flow[-1].time_us + SETTLED_AFTER_DAYS * DAY_US)
        assert check_invariants(self.state) == []
        self.report.close(self.state, self.started)
        return self.report

    # -- who and what there is

    def found(self) -> None:
        """The venue before the day: the calendar of config, one instrument, customers with cash and shares."""
        first = next(iter(self.file.chunks()))
        day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.file.name.midnight_us)).date()
        (calendar,) = [each for each in load_catalogue().calendars if each.name == "XNYS"]
        self.now_us = self.file.name.midnight_us
        last = day + timedelta(days=SETTLED_AFTER_DAYS)
        phases = tuple([(us, Phase[name]) for us, name in phases_between(calendar, day, last)])
        self.do(SetCalendar("XNYS", sessions_between(calendar, day, last), phases))
        self.do(SetSettlement("XNYS", SETTLEMENT_DAYS))
        self.do(SetFees("std", 300, 1_000))
        opening_e4 = int(first.price_e4[0])
        prices = (TICK_E4, TICK_E4, 100 * opening_e4, opening_e4)
        self.do(
            SetInstrument(
                self.symbol, self.symbol, "USD", prices[0], QUANTITY_SCALE, *prices[1:], "XNYS", PriceSource.OWN, 2_000, "std"
            )
        )  # fmt: skip
        for user_id in range(1, TRADERS + 2):
            kind = AccountKind.MARKET_MAKER if user_id > TRADERS else AccountKind.USER
            self.do(OpenAccount(user_id, kind, "USD"))
        self.traders = list(self.state.accounts)[:-1]
        self.maker_id = list(self.state.accounts)[-1]
        for account_id in self.state.accounts:
            self.do(Deposit(CASH_E4, "CARD"), account_id)
            self.do(TransferIn(account_id, self.symbol, UNITS_E8, 0))
        self.started = {account_id: self.standing(each) for account_id, each in self.state.accounts.items()}

    def standing(self, account: Account) -> tuple[int, int]:
        """(cash_e4, units_e8) of an account."""
        return account.cash_e4, account.positions[self.symbol].units_e8

    def prints(self) -> Iterator[Print]:
        """The day's trades, each `every`th of the continuous ones; those of the auctions moved into their calls."""
        midnight_us = self.file.name.midnight_us
        count = 0
        for rows in self.file.chunks():
            columns = rows.time_us.tolist(), rows.price_e4.tolist(), rows.quantity_e8.tolist()
            for time_us, price_e4, quantity_e8 in zip(*columns, strict=True):
                minute = (time_us - midnight_us) // MINUTE_US
                if minute < 568:
                    yield Print(time_us, price_e4, quantity_e8, GTC, is_extended=True)
                elif minute < 571:
                    yield Print(
                        midnight_us + 568 * MINUTE_US + (time_us // 997) % (100 * SECOND_US),
                        *(price_e4, quantity_e8, OPG),
                    )
                elif 958 <= minute < 965:
                    yield Print(
                        midnight_us + 958 * MINUTE_US + (time_us // 997) % (100 * SECOND_US),
                        *(price_e4, quantity_e8, CLS),
                    )
                elif minute >= 965:
                    yield Print(time_us, price_e4, quantity_e8, GTC, is_extended=True)
                else:
                    count += 1
                    if count % self.every == 0:
                        yield Print(time_us, price_e4, quantity_e8)

    # -- orders

    def place(
        self,
        account_id: int,
        side: Side,
        order_type: OrderType,
        quantity_e8: int,
        price_e4: int,
        tif: TimeInForce,
        terms: Terms | None = None,
    ) -> None:
        self.do(
            PlaceOrder(self.symbol, side, order_type, quantity_e8, price_e4, tif, terms=terms), account_id
        )

    def trade(self, number: int, each: Print, side: Side) -> None:
        """An order, and one of somebody else that meets it: some buy and others sell. For an auction each ninth has no limit."""
        place = 2 * (number % (TRADERS // 2))
        buyer, seller = self.traders[place], self.traders[(place * 7 + 1) % TRADERS]
        first, second = (buyer, seller) if side is BUY else (seller, buyer)
        other = SELL if side is BUY else BUY
        price_e4 = each.price_e4 - each.price_e4 % TICK_E4
        terms = Terms(extended_hours=True) if each.is_extended else None
        for turn, (account_id, one) in enumerate(((first, side), (second, other))):
            tif = IOC if turn and each.tif is DAY else each.tif
            is_market = each.tif in (OPG, CLS) and (number + turn) % 9 == 0
            self.place(
                account_id,
                one,
                MARKET if is_market else LIMIT,
                each.quantity_e8,
                0 if is_market else price_e4,
                tif,
                terms,
            )

    def protect(self) -> None:
        """Stops of every kind around the opening price: those of sellers below it, those of buyers above."""
        last_e4 = self.state.instruments[self.symbol].last_e4
        for number, account_id in enumerate(self.traders):
            side, sign = (SELL, -1) if number % 2 else (BUY, 1)
            stop_e4 = last_e4 + sign * (number + 2) * TICK_E4
            quantity_e8 = (number + 1) * 100 * QUANTITY_SCALE
            kind = number % 3
            if kind == 0:
                self.place(account_id, side, OrderType.STOP_LOSS, quantity_e8, 0, DAY, Terms(stop_e4=stop_e4))
            elif kind == 1:
                limit_e4 = stop_e4 + sign * 10 * TICK_E4
                self.place(
                    *(account_id, side, OrderType.STOP_LIMIT, quantity_e8, limit_e4, GTC),
                    Terms(stop_e4=stop_e4),
                )
            else:
                trail = Terms(trail_e4=(number + 5) * TICK_E4) if number % 2 else Terms(trail_ppm=8_000)
                self.place(account_id, side, OrderType.TRAILING_STOP, quantity_e8, 0, GTC, trail)

    def quote(self) -> None:
        """The maker's five levels each side, a tick apart, around the last price."""
        instrument = self.state.instruments[self.symbol]
        if instrument.phase is not Phase.CONTINUOUS or self.now_us < self.quoted_us + QUOTED_EVERY_US:
            return
        self.quoted_us = self.now_us
        last_e4 = instrument.last_e4
        steps = [step * TICK_E4 for step in range(1, 6)]
        size_e8 = 300 * QUANTITY_SCALE
        bids = tuple((last_e4 - step, size_e8) for step in steps)
        asks = tuple((last_e4 + step, size_e8) for step in steps)
        self.do(MassQuote(self.symbol, bids, asks), self.maker_id)


def main() -> None:
    """Print the report of a day."""
    path = Path(sys.argv[1])
    day = TradingDay(path, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    report = day.run()
    print(report.text())
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
