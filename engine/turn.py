"""One command's turn: the ids it makes, what it touches, and the events that come of it."""

from __future__ import annotations

from msgspec import Struct

from engine.events import AnyEvent, BalanceChanged, BookChanged, OrderUpdated
from engine.kinds import Side
from engine.orders import Level, Order
from engine.state import Account, State
from engine.units import IDS_PER_SEQ

LevelRow = tuple[Side, int, int, int]


class Aftermath(Struct, eq=False, gc=False):
    """What is left to do when a command has done its own work (engine/aftermath.py).

    `prints` are (symbol, price) in their order, of symbols with armed stops; the first `shown` of them have been shown. `fresh`
    says of stops armed meanwhile how many prints came before. `marked` are stops that were reached, as (priority, order id)
    in a heap. `parents` are orders with legs and what was filled of them, by id.
    """

    prints: list[tuple[str, int]] = []
    shown: int = 0
    fresh: dict[int, int] = {}
    marked: list[tuple[int, int]] = []
    parents: dict[int, tuple[Order, int]] = {}


class Turn(Struct, eq=False, gc=False):
    """Collects while a command mutates the state; `finish` turns what was touched into absolute events.

    Orders, price levels and balances are reported once per command, as they are at its end, however often they
    changed: `orders`, `levels` and `accounts` name them in the order in which they were touched first.
    Ids are counted and made when they are asked for: a cancel makes none, and their arithmetic is beyond small integers.
    """

    state: State
    seq: int
    now_us: int
    ids: int = 0
    events: list[AnyEvent] = []
    orders: dict[int, Order] = {}
    accounts: dict[int, Account] = {}
    levels: dict[Level, None] = {}
    after: Aftermath | None = None

    def aftermath(self) -> Aftermath:
        """What is left to do after the command's own work; made when there is something."""
        after = self.after
        if after is None:
            after = self.after = Aftermath()
        return after

    def note_print(self, symbol: str, price_e4: int) -> None:
        """Remember a trigger price, to be shown to the armed stops of its symbol."""
        self.aftermath().prints.append((symbol, price_e4))

    def new_id(self, count: int = 1) -> int:
        """The next id of this command; `count` reserves that many in a row and returns the first."""
        index = self.ids
        self.ids = index + count
        return self.seq * IDS_PER_SEQ + index

    def finish(self, answering_id: int = 0) -> OrderUpdated | None:
        """Append the reports of all that was touched; returns the report of the order that answers, if it is asked for."""
        if self.ids > IDS_PER_SEQ:
            raise OverflowError(f"command {self.seq} made more than {IDS_PER_SEQ} ids")
        events = self.events
        dirty = self.state.dirty
        answer = None
        if self.orders:
            dirty_orders = dirty["order"]
            for order_id, order in self.orders.items():
                dirty_orders[order_id] = None
                if not order.is_quote or order.filled_e8:
                    report = order.snapshot()
                    events.append(report)
                    if order_id == answering_id:
                        answer = report
        levels = self.levels
        if len(levels) == 1:
            for level in levels:
                side = level.side
                row = (side.side, level.price_e4, level.quantity_e8, level.count)
                events.append(BookChanged(side.symbol, (row,)))
        elif levels:
            self.report_levels()
        if self.accounts:
            dirty_accounts = dirty["account"]
            for account_id, account in self.accounts.items():
                dirty_accounts[account_id] = None
                if account.unsettled_e4:
                    settled_only = account.settled_only_until_us > self.now_us
                    of_unsettled = (account.unsettled_e4, settled_only)
                    events.append(BalanceChanged(account_id, account.cash_e4, account.held_e4, *of_unsettled))
                else:
                    events.append(BalanceChanged(account_id, account.cash_e4, account.held_e4))
        return answer

    def report_levels(self) -> None:
        """Append the touched price levels, by symbol. A level that is gone has no quantity and no orders.

        One that went and came back within the command may be here twice: the row is that of the later.
        """
        by_symbol: dict[str, dict[tuple[Side, int], LevelRow]] = {}
        for level in self.levels:
            side, price_e4 = level.side, level.price_e4
            rows = by_symbol.get(side.symbol)
            if rows is None:
                rows = by_symbol[side.symbol] = {}
            rows[side.side, price_e4] = (side.side, price_e4, level.quantity_e8, level.count)
        for symbol, rows in by_symbol.items():
            self.events.append(BookChanged(symbol, tuple(rows.values())))
