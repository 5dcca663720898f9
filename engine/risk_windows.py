"""What the risk rules remember: an order when it is taken, a fill when it has happened. Only of accounts that a rule is on for."""

from __future__ import annotations

from bisect import bisect_right

from engine.events import TradeBusted, Traded
from engine.kinds import RiskMode, RiskRule, Side
from engine.orders import Order
from engine.risk_state import (
    COUNTED_MAX_E4,
    DAY_TRADES_KEPT_US,
    FILL_RULES,
    ORDER_RULES,
    SIZES_MAX,
    RiskTable,
    RiskWindow,
    Rules,
    TradedToday,
)
from engine.state import State
from engine.turn import Turn
from engine.violations import violate

BUY = Side.BUY
FLAG = RiskMode.FLAG
OFF = RiskMode.OFF
SELL = Side.SELL


def is_on(rules: Rules, rule: RiskRule) -> bool:
    """Whether a rule is among these, and no exception."""
    row = rules.get(rule)
    return row is not None and row.mode is not OFF


def window_of(state: State, account_id: int) -> RiskWindow:
    """The account's window, made when it is first needed; it counts as changed."""
    window = state.risk_windows.get(account_id)
    if window is None:
        window = state.risk_windows[account_id] = RiskWindow(account_id)
    state.dirty["risk_window"][account_id] = None
    return window


def remember_order(state: State, table: RiskTable, rules: Rules, order: Order, now_us: int) -> None:
    """Count an order that is taken: its time and its size."""
    rate, rapid, volume = ORDER_RULES
    counts_times = is_on(rules, rate) or is_on(rules, rapid)
    counts_sizes = is_on(rules, volume)
    if not counts_times and not counts_sizes:
        return
    window = window_of(state, order.account_id)
    if counts_times:
        times = window.orders_us
        times.append(now_us)
        if len(times) > table.orders_kept or times[0] <= now_us - table.kept_us:
            forgotten = bisect_right(times, now_us - table.kept_us)
            del times[: max(forgotten, len(times) - table.orders_kept)]
    if counts_sizes:
        if window.sizes_count >= SIZES_MAX:
            window.sizes_count //= 2
            window.sizes_e8 //= 2
        window.sizes_count += 1
        window.sizes_e8 += order.quantity_e8


def remember_fills(turn: Turn, table: RiskTable) -> None:
    """Count the command's fills for both sides, take those that were busted back, and report trades of linked accounts."""
    state = turn.state
    for event in list(turn.events):
        if type(event) is Traded:
            if table.remembers_fills:
                paid_e4 = -event.notional_e4 - event.buy_fee_e4
                got_e4 = event.notional_e4 - event.sell_fee_e4
                note_fill(turn, table, event.buy_account_id, event, event.quantity_e8, paid_e4)
                note_fill(turn, table, event.sell_account_id, event, -event.quantity_e8, got_e4)
            if table.wash_mode is not OFF:
                report_wash_trade(turn, event)
        elif type(event) is TradeBusted and table.remembers_fills:
            take_back(state, event, event.buy_account_id, turn.now_us)
            take_back(state, event, event.sell_account_id, turn.now_us)


def note_fill(
    turn: Turn, table: RiskTable, account_id: int, fill: Traded, units_e8: int, cash_e4: int
) -> None:
    """Count one side of a fill: units above zero and cash below it for the buyer, the other way round for the seller."""
    state, now_us = turn.state, turn.now_us
    rules = table.rules_for(account_id, fill.symbol)
    if not any(is_on(rules, rule) for rule in FILL_RULES):
        return
    window = window_of(state, account_id)
    traded = window.today(fill.symbol, now_us)
    calendar = state.calendars[state.instruments[fill.symbol].calendar]
    if traded is None:
        for symbol in [each.symbol for each in window.days.values() if each.day_us <= now_us]:
            del window.days[symbol]
        day_us = table.day_end_us(calendar, now_us)
        traded = window.days[fill.symbol] = TradedToday(fill.symbol, day_us)
    traded.net_e8 += units_e8
    traded.net_e4 = max(min(traded.net_e4 + cash_e4, COUNTED_MAX_E4), -COUNTED_MAX_E4)
    if units_e8 > 0:
        traded.bought_e4 = min(traded.bought_e4 + fill.notional_e4, COUNTED_MAX_E4)
        traded.sells_back = True
    elif traded.sells_back:
        traded.sells_back = False
        add_day_trade(window, calendar.calendar, traded.day_us, now_us)


def add_day_trade(window: RiskWindow, calendar: str, day_us: int, now_us: int) -> None:
    """Count a day trade; those of more than two weeks ago are forgotten."""
    count = 1
    kept = []
    for row in window.day_trades:
        if row[:2] == (calendar, day_us):
            count += row[2]
        elif row[1] > now_us - DAY_TRADES_KEPT_US:
            kept.append(row)
    window.day_trades = (*kept, (calendar, day_us, count))


def take_back(state: State, bust: TradeBusted, account_id: int, now_us: int) -> None:
    """Take one side of a busted fill out of the day's figures, when its day is still on. A day trade stays counted."""
    window = state.risk_windows.get(account_id)
    traded = window.today(bust.symbol, now_us) if window is not None else None
    if traded is None or bust.executed_us < previous_end_us(state, bust.symbol, traded.day_us):
        return
    state.dirty["risk_window"][account_id] = None
    if account_id == bust.buy_account_id:
        traded.net_e8 -= bust.quantity_e8
        traded.net_e4 += bust.notional_e4 + bust.buy_fee_e4
        traded.bought_e4 = max(traded.bought_e4 - bust.notional_e4, 0)
    else:
        traded.net_e8 += bust.quantity_e8
        traded.net_e4 -= bust.notional_e4 - bust.sell_fee_e4


def previous_end_us(state: State, symbol: str, day_us: int) -> int:
    """The end of the day before the one that ends at `day_us`; 0 when there was none."""
    last_us = 0
    for _, close_us in state.calendars[state.instruments[symbol].calendar].sessions:
        if close_us >= day_us:
            break
        last_us = close_us
    return last_us


def report_wash_trade(turn: Turn, fill: Traded) -> None:
    """Report a trade of two linked accounts that happened, for the account whose order came later."""
    accounts = turn.state.accounts
    buyer, seller = accounts[fill.buy_account_id], accounts[fill.sell_account_id]
    if not buyer.link_group or buyer.link_group != seller.link_group:
        return
    taker, order_id, other, other_id = buyer, fill.buy_order_id, seller, fill.sell_order_id
    if fill.taker_side is SELL:
        taker, order_id, other, other_id = seller, fill.sell_order_id, buyer, fill.buy_order_id
    figures = (
        ("trade_id", fill.trade_id),
        ("counterparty_id", other.account_id),
        ("counterparty_order_id", other_id),
    )
    at = (taker.account_id, fill.symbol, order_id, fill.taker_side, fill.quantity_e8, fill.price_e4)
    violate(turn, RiskRule.WASH_TRADE, FLAG, *at, figures)
