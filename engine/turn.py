"""One command's turn: the ids it makes, what it touches, and the events that come of it."""

from __future__ import annotations

from msgspec import Struct

from engine.book import BookSide
from engine.events import AnyEvent, BalanceChanged, BookChanged, OrderUpdated
from engine.kinds import Side
from engine.orders import Order
from engine.state import Account, State
from engine.units import IDS_PER_SEQ

LevelRow = tuple[Side, int, int, int]


class Turn(Struct, eq=False):
    """Collects while a command mutates the state; `finish` turns what was touched into absolute events.

    Orders, price levels and balances are reported once per command, after it, however often they changed.
    `next_id` starts at `seq * IDS_PER_SEQ`.
    """

    state: State
    seq: int
    now_us: int
    next_id: int
    events: list[AnyEvent] = []
    orders: dict[int, Order] = {}
    accounts: dict[int, Account] = {}
    levels: dict[tuple[BookSide, int], None] = {}

    def new_id(self, count: int = 1) -> int:
        """The next id of this command; `count` reserves that many in a row and returns the first."""
        first = self.next_id
        self.next_id = first + count
        return first

    def touch_order(self, order: Order) -> None:
        """The order will be reported as it is when the command ends."""
        self.orders[order.order_id] = order

    def touch_account(self, account: Account) -> None:
        """The account's balance will be reported as it is when the command ends."""
        self.accounts[account.account_id] = account

    def touch_level(self, side: BookSide, price_e4: int) -> None:
        """The price level will be reported as it is when the command ends."""
        self.levels[side, price_e4] = None

    def view(self, order_id: int) -> OrderUpdated:
        """The report of an order that this command touched; after `finish`."""
        for event in self.events:
            if type(event) is OrderUpdated and event.order_id == order_id:
                return event
        raise LookupError(f"command {self.seq} did not touch order {order_id}")

    def finish(self) -> None:
        """Append the reports of all that was touched, in the order it was touched first."""
        if self.next_id > (self.seq + 1) * IDS_PER_SEQ:
            raise OverflowError(f"command {self.seq} made more than {IDS_PER_SEQ} ids")
        events = self.events
        dirty = self.state.dirty
        if self.orders:
            dirty_orders = dirty["order"]
            for order_id, order in self.orders.items():
                dirty_orders[order_id] = None
                if not order.is_quote or order.filled_e8:
                    events.append(order.snapshot())
        levels = self.levels
        if len(levels) == 1:
            for side, price_e4 in levels:
                events.append(BookChanged(side.symbol, (level_row(side, price_e4),)))
        elif levels:
            self.report_levels()
        if self.accounts:
            dirty_accounts = dirty["account"]
            for account_id, account in self.accounts.items():
                dirty_accounts[account_id] = None
                events.append(BalanceChanged(account_id, account.cash_e4, account.held_e4))

    def report_levels(self) -> None:
        """Append the touched price levels, by symbol."""
        by_symbol: dict[str, list[LevelRow]] = {}
        for side, price_e4 in self.levels:
            rows = by_symbol.get(side.symbol)
            if rows is None:
                rows = by_symbol[side.symbol] = []
            rows.append(level_row(side, price_e4))
        for symbol, rows in by_symbol.items():
            self.events.append(BookChanged(symbol, tuple(rows)))


def level_row(side: BookSide, price_e4: int) -> LevelRow:
    """A price level as it is reported; without quantity when it is gone."""
    level = side.levels.get(price_e4 * side.sign)
    if level is None:
        return (side.side, price_e4, 0, 0)
    return (side.side, price_e4, level.quantity_e8, level.count)
