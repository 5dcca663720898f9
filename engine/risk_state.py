"""What the risk rules stand on: the rows that set them, the table made of the rows, and what is remembered of each account.

With no rule on there is no table (`State.risk` is None) and nothing is remembered: an order pays for one look.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final

from engine.kinds import RiskMode, RiskRule
from engine.units import DAY_US, MINUTE_US, TIME_MAX_US

if TYPE_CHECKING:
    from engine.state import Calendar

OFF = RiskMode.OFF

RuleKey = tuple[RiskRule, int, str]
"""A rule, and the account (0: all) and symbol ('': all) that its row is for."""

EVERYBODY: Final = (0, "")
"""The widest scope."""

SIZES_MAX: Final = 64
"""The average order size is that of about so many orders: then both sums are halved, so they stay small."""

COUNTED_MAX_E4: Final = 10**18
"""A day's purchases are counted up to here (`CASH_TOTAL_MAX_E4`), which no limit is above."""

DAY_TRADES_KEPT_US: Final = 14 * DAY_US
"""Five business days are never further apart."""


@dataclass(slots=True, eq=False)
class RuleRow:
    """One setting of a rule, for a scope. `figures` are those of `risk_rules.FIGURES`, in their order.

    The narrowest scope counts: account and symbol, account, symbol, everybody. An OFF there makes an exception.
    """

    rule: RiskRule
    account_id: int
    symbol: str
    mode: RiskMode
    figures: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class TradedToday:
    """What an account traded in one symbol on one trading day, which is over at `day_us`.

    `net_e8` is bought less sold, `net_e4` cash received less paid, fees included, `bought_e4` what was bought for.
    `sells_back`: the last fill bought, so a sale of today makes a day trade.
    """

    symbol: str
    day_us: int
    net_e8: int = 0
    net_e4: int = 0
    bought_e4: int = 0
    sells_back: bool = False


_TRADED_ROW: Final = attrgetter("symbol", "day_us", "net_e8", "net_e4", "bought_e4", "sells_back")


@dataclass(slots=True, eq=False)
class RiskWindow:
    """What is remembered of one account. `orders_us` are the times of its newest orders, `sizes_*` make their average
    size; `day_trades` are (calendar, end of the trading day, how many).
    """

    account_id: int
    orders_us: array[int] = field(default_factory=lambda: array("q"))
    sizes_count: int = 0
    sizes_e8: int = 0
    days: dict[str, TradedToday] = field(default_factory=dict)
    day_trades: tuple[tuple[str, int, int], ...] = ()

    def today(self, symbol: str, now_us: int) -> TradedToday | None:
        """What was traded in a symbol on the day that is on; None when nothing was."""
        traded = self.days.get(symbol)
        return traded if traded is not None and traded.day_us > now_us else None

    def row(self) -> tuple[Any, ...]:
        """As it is saved."""
        days = tuple([_TRADED_ROW(each) for each in self.days.values()])
        return (
            self.account_id,
            tuple(self.orders_us),
            self.sizes_count,
            self.sizes_e8,
            days,
            self.day_trades,
        )


WINDOW_ROW_TYPE: Final = tuple[
    int,
    tuple[int, ...],
    int,
    int,
    tuple[tuple[str, int, int, int, int, bool], ...],
    tuple[tuple[str, int, int], ...],
]


def window_of_row(row: tuple[Any, ...]) -> RiskWindow:
    """A window from its row."""
    account_id, orders_us, sizes_count, sizes_e8, days, day_trades = row
    traded = {each[0]: TradedToday(*each) for each in days}
    return RiskWindow(account_id, array("q", orders_us), sizes_count, sizes_e8, traded, day_trades)


Rules = dict[RiskRule, RuleRow]

ORDER_RULES: Final = (RiskRule.ORDER_RATE_LIMIT, RiskRule.RAPID_TRADING, RiskRule.UNUSUAL_VOLUME)
"""Rules that remember orders."""

FILL_RULES: Final = (RiskRule.KYC_LIMIT, RiskRule.DAILY_LOSS_LIMIT, RiskRule.PDT_VIOLATION)
"""Rules that remember fills."""


class RiskTable:
    """The rules in force, made of the rows. `everybody` are those of the widest scope, `narrower` all others by scope.

    `orders_kept` and `kept_us`: how many times of orders the rules look back at, and how long. `day_ends` keeps, by
    calendar, the end of the day that is on, with the sessions that it was found in.
    """

    __slots__ = (
        "day_ends",
        "everybody",
        "kept_us",
        "narrower",
        "orders_kept",
        "remembers_fills",
        "wash_mode",
    )

    def __init__(self, rows: Iterable[RuleRow]) -> None:
        self.everybody: Rules = {}
        self.narrower: dict[tuple[int, str], Rules] = {}
        self.orders_kept = 0
        self.kept_us = 0
        self.remembers_fills = False
        self.wash_mode = OFF
        self.day_ends: dict[str, tuple[tuple[tuple[int, int], ...], int]] = {}
        for row in sorted(rows, key=attrgetter("rule", "account_id", "symbol")):
            scope = (row.account_id, row.symbol)
            if scope != EVERYBODY:
                self.narrower.setdefault(scope, {})[row.rule] = row
            elif row.mode is not OFF:
                self.everybody[row.rule] = row
            if row.mode is not OFF:
                self._note(row)

    def _note(self, row: RuleRow) -> None:
        """What a rule that is on needs to have remembered."""
        if row.rule is RiskRule.ORDER_RATE_LIMIT:
            self.orders_kept = max(self.orders_kept, *row.figures)
            self.kept_us = max(self.kept_us, MINUTE_US)
        elif row.rule is RiskRule.RAPID_TRADING:
            self.orders_kept = max(self.orders_kept, row.figures[0])
            self.kept_us = max(self.kept_us, row.figures[1])
        elif row.rule in FILL_RULES:
            self.remembers_fills = True
        elif row.rule is RiskRule.WASH_TRADE:
            self.wash_mode = row.mode

    def day_end_us(self, calendar: Calendar, now_us: int) -> int:
        """When the trading day ends that is on, or comes next; beyond all time when the calendar has no more."""
        known = self.day_ends.get(calendar.calendar)
        if known is not None and known[0] is calendar.sessions and now_us < known[1]:
            return known[1]
        sessions = calendar.sessions
        at = bisect_right(sessions, now_us, key=itemgetter(1))
        end_us = sessions[at][1] if at < len(sessions) else TIME_MAX_US
        self.day_ends[calendar.calendar] = (sessions, end_us)
        return end_us

    def rules_for(self, account_id: int, symbol: str) -> Rules:
        """The rules that count for an account in a symbol, by rule; those of exceptions are OFF."""
        narrower = self.narrower
        if not narrower:
            return self.everybody
        rules = self.everybody
        for scope in ((0, symbol), (account_id, ""), (account_id, symbol)):
            found = narrower.get(scope)
            if found is not None:
                rules = {**rules, **found}
        if rules is not self.everybody:
            rules = {rule: rules[rule] for rule in sorted(rules)}
        return rules


def table_of(rows: Iterable[RuleRow]) -> RiskTable | None:
    """The rules in force; None when all are off."""
    found = list(rows)
    return RiskTable(found) if any(row.mode is not OFF for row in found) else None
