"""One market maker's quotes in one symbol: a single mass quote, at most two a second, smaller or later when refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.commands import MassQuote
from engine.kinds import Side, TimeInForce
from engine.refusals import Refusal
from engine.risk import account_refusal, market_refusal
from engine.state import State
from engine.units import notional_up_e4
from feeds.desk import Desk, Elapsed

QUOTE_INTERVAL_US: Final = 500_000  # of wall time, whatever a replay's speed
BACKOFF_MAX_US: Final = 30_000_000
CASH_PARTS: Final = 4  # one symbol's bids take at most this fraction of the cash that is free

SHUT: Final = frozenset(
    {Refusal.KILL_SWITCH_ON, Refusal.SYMBOL_HALTED, Refusal.SESSION_CLOSED, Refusal.ACCOUNT_DISABLED}
)
"""Refusals of every quote, whatever its price and size, until somebody opens the market again."""

Ladder = tuple[tuple[int, int], ...]
"""(price_e4, quantity_e8), best first."""


class MakerQuotes:
    """Sends the ladders it is given when they differ from what stands, cut to what the account can cover."""

    def __init__(
        self, symbol: str, desk: Desk, state: State, elapsed_us: Elapsed, *, offset_us: int = 0
    ) -> None:
        """`offset_us` delays the first quote, so that many symbols do not quote in the same moment."""
        self.symbol = symbol
        self.desk = desk
        self.sent = 0
        self._state = state
        self._elapsed_us = elapsed_us
        self._due_us = elapsed_us() + offset_us
        self._may_again_us = self._due_us
        self._is_shut_out = False
        self._failures = 0
        self._uncovered = 0
        self._standing: tuple[Ladder, Ladder, int, int] | None = None

    def __repr__(self) -> str:
        return f"MakerQuotes({self.symbol}, {self.desk.name}, {self.sent} sent, {self._failures} failures)"

    @property
    def units_e8(self) -> int:
        """What the account owns of the symbol, also what its quotes hold."""
        account = self._state.accounts.get(self.desk.account_id)
        position = account.positions.get(self.symbol) if account is not None else None
        return position.units_e8 if position is not None else 0

    def is_due(self) -> bool:
        """Whether half a second (more after refusals) has passed since the last mass quote.

        What was shut out is due as soon as it may come back, so that orders meet a book right after a halt.
        """
        now_us = self._elapsed_us()
        if self.desk.closed or now_us < self._may_again_us:
            return False
        return now_us >= self._due_us or (self._is_shut_out and self._may_come_back())

    def quote(self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> bool:
        """Replaces the quotes if due and if they, or the inventory, have changed. Says whether a command was sent."""
        if not self.is_due():
            return False
        command = MassQuote(self.symbol, self._affordable(bids), self._owned(asks))
        units_e8 = self.units_e8
        if (command.bids, command.asks, units_e8, self._resting()) == self._standing:
            return False
        outcome = self.desk.send(command)
        self.sent += 1
        delay_us = QUOTE_INTERVAL_US
        if outcome is None:
            self._failures = self._uncovered = 0
            self._standing = (command.bids, command.asks, units_e8, self._resting())
        else:
            self._standing = None
            if outcome in (Refusal.INSUFFICIENT_FUNDS, Refusal.INSUFFICIENT_SHARES):
                self._uncovered += 1  # a smaller ladder may pass at once
            else:
                self._failures += 1
                delay_us = min(QUOTE_INTERVAL_US << min(self._failures, 10), BACKOFF_MAX_US)
        self._is_shut_out = outcome in SHUT
        now_us = self._elapsed_us()
        self._may_again_us = now_us + QUOTE_INTERVAL_US
        self._due_us = now_us + delay_us
        return True

    def _may_come_back(self) -> bool:
        """Whether neither the account nor the instrument is kept from trading any more."""
        account = self._state.accounts.get(self.desk.account_id)
        instrument = self._state.instruments.get(self.symbol)
        if account is None or instrument is None:
            return False
        state = self._state
        refused = market_refusal(state, account, instrument, TimeInForce.DAY, state.last_us)
        return account_refusal(account) is None and refused is None

    def _resting(self) -> int:
        """How many of the account's quotes still stand in the book."""
        account = self._state.accounts.get(self.desk.account_id)
        if account is None:
            return 0
        return sum(order.order_id in self._state.orders for order in account.quotes.get(self.symbol, ()))

    def _owned(self, asks: Iterable[tuple[int, int]]) -> Ladder:
        """Asks together not above what the account owns less what its other orders hold."""
        ladder = tuple(asks)
        free_e8 = (self.units_e8 - self._held_by_orders_e8()) >> self._uncovered
        return self._scaled(ladder, max(free_e8, 0), sum(quantity_e8 for _, quantity_e8 in ladder))

    def _affordable(self, bids: Iterable[tuple[int, int]]) -> Ladder:
        """Bids together not above a part of the free cash, fees included with room to spare."""
        account = self._state.accounts.get(self.desk.account_id)
        if account is None:
            return ()
        ladder = tuple(bids)
        standing_e4 = sum(order.hold_e4 for order in account.quotes.get(self.symbol, ()))
        free_e4 = ((account.available_e4 + standing_e4) // CASH_PARTS) >> self._uncovered
        cost_e4 = sum(notional_up_e4(price_e4, quantity_e8) for price_e4, quantity_e8 in ladder)
        return self._scaled(ladder, free_e4, cost_e4 * 11 // 10)

    def _scaled(self, ladder: Ladder, have: int, need: int) -> Ladder:
        """The ladder as it is, or all its levels made smaller by have / need."""
        if have >= need:
            return ladder
        instrument = self._state.instruments.get(self.symbol)
        lot_e8 = instrument.lot_e8 if instrument is not None else 1
        smaller = (
            (price_e4, quantity_e8 * have // need // lot_e8 * lot_e8) for price_e4, quantity_e8 in ladder
        )
        return tuple(level for level in smaller if level[1])

    def _held_by_orders_e8(self) -> int:
        """Units promised to the account's ordinary orders; its standing quotes will be replaced and do not count."""
        account = self._state.accounts.get(self.desk.account_id)
        if account is None or self.symbol not in account.positions:
            return 0
        quoted_e8 = sum(
            order.leaves_e8
            for order in account.quotes.get(self.symbol, ())
            if order.side == Side.SELL and order.order_id in self._state.orders
        )
        return account.positions[self.symbol].held_e8 - quoted_e8
