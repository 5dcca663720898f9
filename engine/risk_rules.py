"""The risk rules: what an order that could be taken in every other way is still judged by.

A rule is a row of `CHECKS`: a function that finds the figures of a violation, or None. What comes of it, its mode says
(kinds.RiskMode): flag, and the order is taken; block, and it is refused with the refusal of the rule's name. All rules are
judged, so each violation is told; the first that blocks is the refusal. docs/risk.md is this in words, with the sources.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from engine.events import Refused
from engine.kinds import AccountKind, OrderStatus, Phase, RiskMode, RiskRule, SelfTradePrevention, Side
from engine.orders import Order
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.risk_figures import KYC_TIER_MAX
from engine.risk_state import RiskTable, RiskWindow, Rules
from engine.risk_windows import remember_order
from engine.state import Account, Calendar, Instrument, State
from engine.turn import Turn
from engine.units import DAY_US, MINUTE_US, SECOND_US, notional_down_e4, notional_up_e4
from engine.violations import Figures, bounded, violate

BUY = Side.BUY
BLOCK = RiskMode.BLOCK
OFF = RiskMode.OFF
USER = AccountKind.USER

MATCHING: Final = (Phase.CONTINUOUS, Phase.EXTENDED)
"""The phases in which an order trades on arrival."""


class Asked(Struct, frozen=True, gc=False):
    """An order that is judged. `replaced` is the one whose place it takes, `window` what is remembered of the account."""

    state: State
    account: Account
    instrument: Instrument
    order: Order
    replaced: Order | None
    window: RiskWindow | None
    now_us: int


def fat_finger(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """More units, or worth more, than anybody means to order here."""
    order = asked.order
    value_e4 = notional_up_e4(order.limit_e4, order.quantity_e8)
    if order.quantity_e8 <= figures[0] and value_e4 <= figures[1]:
        return None
    return (("quantity_e8", order.quantity_e8), ("value_e4", value_e4))


def order_rate(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """More orders within a second or a minute than allowed."""
    for most, span_us in ((figures[0], SECOND_US), (figures[1], MINUTE_US)):
        if orders_within(asked, most, span_us):
            return (("orders", most + 1), ("seconds", span_us // SECOND_US))
    return None


def rapid_trading(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """More than so many orders within the window (document 001, rule 3: 50 in five minutes)."""
    most, window_us = figures
    if orders_within(asked, most, window_us):
        return (("orders", most + 1), ("seconds", window_us // SECOND_US))
    return None


def orders_within(asked: Asked, most: int, span_us: int) -> bool:
    """Whether the account has sent `most` orders in the time that ends now: this one is too many."""
    if asked.window is None:
        return False
    times = asked.window.orders_us
    return len(times) >= most and times[-most] > asked.now_us - span_us


def unusual_volume(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """More units than so many times the account's average order (document 001, rule 2), once there is an average."""
    times, orders_min = figures
    window = asked.window
    if window is None or window.sizes_count < orders_min:
        return None
    if asked.order.quantity_e8 * window.sizes_count <= times * window.sizes_e8:
        return None
    average_e8 = window.sizes_e8 // window.sizes_count
    return (("quantity_e8", asked.order.quantity_e8), ("average_e8", average_e8))


def penny_stock(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """Many units of what costs little (document 001, rule 4). An order without a price has that of the market."""
    order = asked.order
    price_e4 = order.price_e4 or reference_e4(asked.instrument)
    if price_e4 >= figures[0] or order.quantity_e8 <= figures[1]:
        return None
    return (("price_e4", price_e4), ("quantity_e8", order.quantity_e8))


def position_limit(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """A purchase after which the account could have more of an instrument, in units or in worth at the order's limit."""
    order, account = asked.order, asked.account
    if order.side is not BUY:
        return None
    position = account.positions.get(order.symbol)
    units_e8 = order.quantity_e8 + (position.units_e8 if position is not None else 0)
    for other in open_purchases(asked):
        if other.symbol == order.symbol:
            units_e8 += other.quantity_e8 - other.filled_e8
    value_e4 = notional_up_e4(order.limit_e4, units_e8)
    if units_e8 <= figures[0] and value_e4 <= figures[1]:
        return None
    return (("position_e8", units_e8), ("value_e4", value_e4))


def open_purchases(asked: Asked) -> Iterator[Order]:
    """The account's open purchases but the one that is replaced; of a pair, of which one is to trade, the dearer."""
    pairs: dict[int, Order] = {}
    for other in asked.account.orders.values():
        if other.side is not BUY or other is asked.replaced:
            continue
        special = other.special
        if special is None or not special.group_id:
            yield other
        elif special.group_id not in pairs or other.limit_e4 > pairs[special.group_id].limit_e4:
            pairs[special.group_id] = other
    yield from pairs.values()


def kyc_limit(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """A purchase that could bring a day's above what the customer's tier allows (document 001, KYC tiers).

    Counted are today's fills, what the open purchases can still cost without fees, and this order at its limit.
    """
    order, account = asked.order, asked.account
    if order.side is not BUY or account.kind is not USER or account.kyc_tier >= KYC_TIER_MAX:
        return None
    most_e4 = figures[account.kyc_tier]
    bought_e4 = notional_up_e4(order.limit_e4, order.quantity_e8)
    for other in open_purchases(asked):
        bought_e4 += notional_up_e4(other.limit_e4, other.quantity_e8 - other.filled_e8)
    if asked.window is not None:
        for traded in asked.window.days.values():
            if traded.day_us > asked.now_us:
                bought_e4 += traded.bought_e4
    if bought_e4 <= most_e4:
        return None
    return (("bought_e4", bought_e4), ("maximum_e4", most_e4), ("tier", account.kyc_tier))


def daily_loss(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """A purchase by an account that has lost too much since the day began. Sales are never kept from anybody."""
    if asked.order.side is not BUY:
        return None
    result_e4 = day_result_e4(asked.state, asked.account, asked.window, asked.now_us)
    return (("loss_e4", -result_e4), ("maximum_e4", figures[0])) if -result_e4 >= figures[0] else None


def day_result_e4(state: State, account: Account, window: RiskWindow | None, now_us: int) -> int:
    """What an account has made since its instruments' days began, realised or not, after fees.

    What it had then is worth the previous close, what it has now the reference price, and between lie the day's fills.
    """
    result_e4 = 0
    for symbol, position in account.positions.items():
        traded = window.today(symbol, now_us) if window is not None else None
        if traded is None and not position.units_e8:
            continue
        instrument = state.instruments[symbol]
        mark_e4 = reference_e4(instrument)
        close_e4 = instrument.previous_close_e4 or mark_e4
        had_e8 = position.units_e8
        if traded is not None:
            had_e8 -= traded.net_e8
            result_e4 += traded.net_e4
        result_e4 += notional_down_e4(mark_e4, position.units_e8) - notional_down_e4(close_e4, had_e8)
    return result_e4


def equity_e4(state: State, account: Account) -> int:
    """Cash and holdings at the reference prices."""
    total_e4 = account.cash_e4
    for symbol, position in account.positions.items():
        if position.units_e8:
            total_e4 += notional_down_e4(reference_e4(state.instruments[symbol]), position.units_e8)
    return total_e4


def pattern_day_trade(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """A sale that would be the fourth day trade in five business days of an account under 25 000 (FINRA 4210(f)(8)(B)).

    A sale of what was last bought on the same day is a day trade. Open sales of that sort in other symbols count as made.
    """
    order, account, window = asked.order, asked.account, asked.window
    if order.side is BUY or account.kind is not USER or window is None:
        return None
    traded = window.today(order.symbol, asked.now_us)
    if traded is None or not traded.sells_back:
        return None
    day_trades = count_day_trades(asked.state, window, asked.now_us, figures[1])
    pending = [
        other.symbol
        for other in account.orders.values()
        if other.side is not BUY and other.symbol != order.symbol
    ]
    for symbol in dict.fromkeys(pending):
        other_day = window.today(symbol, asked.now_us)
        if other_day is not None and other_day.sells_back:
            day_trades += 1
    if day_trades < figures[0]:
        return None
    worth_e4 = equity_e4(asked.state, account)
    if worth_e4 >= figures[2]:
        return None
    return (("day_trades", day_trades + 1), ("equity_e4", worth_e4), ("minimum_e4", figures[2]))


def count_day_trades(state: State, window: RiskWindow, now_us: int, days: int) -> int:
    """How many day trades were made in the last so many business days, today's among them, of each calendar."""
    first_us: dict[str, int] = {}
    found = 0
    for name, day_us, count in window.day_trades:
        if name not in first_us:
            first_us[name] = first_day_us(state.calendars[name], now_us, days)
        if day_us >= first_us[name]:
            found += count
    return found


def first_day_us(calendar: Calendar, now_us: int, days: int) -> int:
    """The end of the earliest of the last so many days, the one that is on or comes next included.

    Where the calendar's sessions do not reach back so far, eight days of 24 hours: longer than five business days mostly
    are, so a calendar that was cut short never makes the rule milder.
    """
    sessions = calendar.sessions
    today = bisect_right(sessions, now_us, key=lambda session: session[1])
    first = today - days + 1
    if first < 0 or today == len(sessions):
        return now_us - 8 * DAY_US
    return sessions[first][1]


def wash_trade(asked: Asked, figures: tuple[int, ...]) -> Figures | None:
    """An order that would trade, on arrival, with one of a linked account."""
    order, group = asked.order, asked.account.link_group
    if not group or asked.instrument.phase not in MATCHING or order.status is OrderStatus.HELD:
        return None
    side = asked.state.books[order.symbol].opposite(order.side)
    left_e8 = order.quantity_e8
    for level in side.best_first():
        if level.key > order.limit_e4 * side.sign:
            return None
        resting = level.first
        while resting is not None:
            if resting.account_id == order.account_id:
                if order.self_trade_prevention is SelfTradePrevention.CANCEL_NEWEST:
                    return None
                if order.self_trade_prevention is SelfTradePrevention.DECREMENT:
                    left_e8 -= resting.quantity_e8 - resting.filled_e8
            elif resting.account is not None and resting.account.link_group == group:
                return (("counterparty_id", resting.account_id), ("counterparty_order_id", resting.order_id))
            else:
                left_e8 -= resting.quantity_e8 - resting.filled_e8
            if left_e8 <= 0:
                return None
            resting = resting.after
    return None


CHECKS: Final[dict[RiskRule, Callable[[Asked, tuple[int, ...]], Figures | None]]] = {
    RiskRule.FAT_FINGER: fat_finger,
    RiskRule.ORDER_RATE_LIMIT: order_rate,
    RiskRule.RAPID_TRADING: rapid_trading,
    RiskRule.UNUSUAL_VOLUME: unusual_volume,
    RiskRule.PENNY_STOCK_ALERT: penny_stock,
    RiskRule.POSITION_LIMIT: position_limit,
    RiskRule.KYC_LIMIT: kyc_limit,
    RiskRule.DAILY_LOSS_LIMIT: daily_loss,
    RiskRule.PDT_VIOLATION: pattern_day_trade,
    RiskRule.WASH_TRADE: wash_trade,
}
"""Rule → how it is judged."""

REFUSALS: Final = {rule: Refusal[rule.name] for rule in RiskRule}
"""Rule → the refusal of an order that it blocks."""


class Violation(NamedTuple):
    """A rule that an order breaks, and its figures."""

    rule: RiskRule
    mode: RiskMode
    figures: Figures


def violations(
    state: State,
    rules: Rules,
    account: Account,
    instrument: Instrument,
    order: Order,
    replaced: Order | None,
    now_us: int,
) -> list[Violation]:
    """All rules that an order breaks. Changes nothing, so a preview asks here too."""
    window = state.risk_windows.get(account.account_id)
    asked = Asked(state, account, instrument, order, replaced, window, now_us)
    found = []
    for rule, row in rules.items():
        if row.mode is not OFF:
            figures = CHECKS[rule](asked, row.figures)
            if figures is not None:
                plain = tuple([(name, bounded(figure)) for name, figure in figures])
                found.append(Violation(rule, row.mode, plain))
    return found


def admit(
    turn: Turn,
    table: RiskTable,
    account: Account,
    instrument: Instrument,
    order: Order,
    replaced: Order | None = None,
) -> Refused | None:
    """Judge an order that nothing else speaks against, report what it breaks, and remember it when it is taken."""
    rules = table.rules_for(account.account_id, order.symbol)
    found = violations(turn.state, rules, account, instrument, order, replaced, turn.now_us)
    refused = None
    if found:
        refused = next(
            (Refused(REFUSALS[each.rule], each.figures) for each in found if each.mode is BLOCK), None
        )
        order_id = order.order_id if refused is None else 0
        at = (account.account_id, order.symbol, order_id, order.side, order.quantity_e8)
        for each in found:
            if each.rule is not RiskRule.WASH_TRADE or refused is not None:
                violate(turn, each.rule, each.mode, *at, order.price_e4 or order.limit_e4, each.figures)
    if refused is None:
        remember_order(turn.state, table, rules, order, turn.now_us)
    return refused
