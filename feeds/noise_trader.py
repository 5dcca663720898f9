"""Simulated traders who want small quantities for no reason: they make instruments trade every few seconds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from engine.commands import CancelAll, PlaceOrder
from engine.kinds import OrderType, Side, TimeInForce
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.state import Instrument, State
from engine.units import BPS, QUANTITY_SCALE, tick_down_e4, tick_up_e4
from feeds.desk import Desk, Elapsed

PAUSE_MIN_US: Final = 1_500_000
PAUSE_MAX_US: Final = 4_000_000
RETRY_US: Final = 15_000_000  # after a refusal: halted, closed, out of money
ORDER_VALUE_E4: Final = 1_500 * 10_000
RESTING_SHARE: Final = 0.2  # orders that wait near the market instead of taking
RESTING_MAX: Final = 3  # of one trader in one instrument; more and all are cancelled first
REACH_BPS: Final = 30  # how far a taking order goes beyond the reference price


class NoiseTrader:
    """All noise in one instrument: each order is another trader's, at random; the same seed gives the same orders."""

    def __init__(
        self, instrument: Instrument, desks: Sequence[Desk], state: State, elapsed_us: Elapsed, seed: str
    ) -> None:
        """Begins to trade within the longest pause."""
        self.instrument = instrument
        self.sent = 0
        self._desks = desks
        self._state = state
        self._elapsed_us = elapsed_us
        self._random = random.Random(seed)
        self._due_us = elapsed_us() + self._random.randint(0, PAUSE_MAX_US)

    def __repr__(self) -> str:
        return f"NoiseTrader({self.instrument.symbol}, {self.sent} sent)"

    def step(self) -> bool:
        """When its time has come: one order. Says whether a command was sent."""
        if self._elapsed_us() < self._due_us:
            return False
        desk = self._random.choice(self._desks)
        self._due_us = self._elapsed_us() + self._random.randint(PAUSE_MIN_US, PAUSE_MAX_US)
        if desk.closed or not reference_e4(self.instrument):
            return False
        self.sent += 1
        order = self._order(desk)
        outcome = desk.send(order)
        if outcome in (Refusal.INSUFFICIENT_SHARES, Refusal.INSUFFICIENT_FUNDS):
            self._tidy(desk)
        if outcome is not None:
            self._due_us += RETRY_US
        return True

    def _order(self, desk: Desk) -> PlaceOrder:
        account = self._state.accounts.get(desk.account_id)
        position = account.positions.get(self.instrument.symbol) if account is not None else None
        free_e8 = position.units_e8 - position.held_e8 if position is not None else 0
        anchor_e4 = reference_e4(self.instrument)
        quantity_e8 = self._quantity_e8(anchor_e4)
        sells = free_e8 >= quantity_e8 and self._random.random() < 0.5
        side = Side.SELL if sells else Side.BUY
        if self._random.random() < RESTING_SHARE:
            self._make_room(desk)
            return self._limit(
                side, quantity_e8, self._price_e4(anchor_e4, side, -REACH_BPS), TimeInForce.DAY
            )
        return self._limit(side, quantity_e8, self._price_e4(anchor_e4, side, REACH_BPS), TimeInForce.IOC)

    def _limit(self, side: Side, quantity_e8: int, price_e4: int, time_in_force: TimeInForce) -> PlaceOrder:
        return PlaceOrder(self.instrument.symbol, side, OrderType.LIMIT, quantity_e8, price_e4, time_in_force)

    def _quantity_e8(self, price_e4: int) -> int:
        """Whole units worth up to ORDER_VALUE_E4, at least one."""
        units = self._random.randint(1, max(ORDER_VALUE_E4 // price_e4, 1))
        return max(units * QUANTITY_SCALE // self.instrument.lot_e8, 1) * self.instrument.lot_e8

    def _price_e4(self, anchor_e4: int, side: Side, reach_bps: int) -> int:
        """`reach_bps` beyond the reference towards the other side (negative: short of it), on the tick."""
        instrument = self.instrument
        away_e4 = anchor_e4 * reach_bps // BPS
        price_e4 = anchor_e4 + away_e4 if side is Side.BUY else anchor_e4 - away_e4
        on_tick_e4 = (tick_up_e4 if side is Side.BUY else tick_down_e4)(price_e4, instrument.tick_e4)
        return max(instrument.price_min_e4, min(on_tick_e4, instrument.price_max_e4))

    def _make_room(self, desk: Desk) -> None:
        """Cancels the trader's orders here when there are too many."""
        account = self._state.accounts.get(desk.account_id)
        if account is None:
            return
        symbol = self.instrument.symbol
        if sum(order.symbol == symbol for order in account.orders.values()) >= RESTING_MAX:
            self._tidy(desk)

    def _tidy(self, desk: Desk) -> None:
        desk.send(CancelAll(self.instrument.symbol))
