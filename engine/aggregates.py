"""Every aggregate that `apply` reads, as rows: the one table that saving, recovery and the state hash share.

A kind names its keys, the type of its row, how a row is taken from the state (None when the aggregate is
gone) and how it is put back. `rebuild` then makes what is derived: books, heaps, the orders of an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify
from operator import attrgetter
from typing import Final

from engine.book import Book
from engine.corporate_state import CorporateAction, Dividend
from engine.kinds import KillScope, RiskRule, Side
from engine.orders import Order
from engine.parking.rows import PARKING_KINDS, rebuild_parking
from engine.risk_state import WINDOW_ROW_TYPE, RuleRow, table_of, window_of_row
from engine.rows import Kind, Row, kind_of, row_of
from engine.settlement_state import FundedLot, SettlementRules, SettlingDay, Unsettled, Volume
from engine.state import (
    Account,
    Calendar,
    ClientOrderId,
    FeeSchedule,
    Group,
    Instrument,
    KeyRecord,
    KillSwitch,
    Limits,
    Lot,
    Position,
    State,
    Timer,
    Withdrawal,
)
from engine.stop_book import arm, is_armed_stop
from engine.timers import place_of
from engine.waiting import is_off_book, set_aside
from engine.watching import watch

DERIVED_FIELDS: Final[dict[type, frozenset[str]]] = {
    Account: frozenset({"positions", "orders", "quotes", "leaving_e4", "buckets"}),
    Position: frozenset({"lots", "dearest"}),
    Order: frozenset({"level", "before", "after", "account", "position"}),
}
"""Class → the fields of its objects that no row holds: `rebuild` hangs them on."""

POSITION_ROW: Final = row_of(Position, DERIVED_FIELDS[Position])
LIMITS_ROW: Final = row_of(Limits)
INSTRUMENT_FIELDS: Final = row_of(Instrument).fields


def dump_clock(state: State, key: str) -> Row:
    """The sequence and time of the last command."""
    return (state.seq, state.last_us)


def load_clock(state: State, key: str, row: Row) -> None:
    """Put sequence and time back."""
    state.seq, state.last_us = row


def load_limits(state: State, key: str, row: Row) -> None:
    """Put the venue's limits back."""
    state.limits = Limits(*row)


def load_account(state: State, key: int, row: Row) -> None:
    """Put an account back, without what `rebuild` hangs on it."""
    account = state.accounts[key] = Account(*row)
    state.account_by_user[account.user_id] = key


def position_keys(state: State) -> Iterable[tuple[int, str]]:
    """(account, symbol) of every position."""
    return [
        (account_id, symbol) for account_id, account in state.accounts.items() for symbol in account.positions
    ]


def dump_one_position(state: State, key: tuple[int, str]) -> Row | None:
    """A position, without its lots."""
    position = state.accounts[key[0]].positions.get(key[1])
    return None if position is None else POSITION_ROW.dump(position)


def load_position(state: State, key: tuple[int, str], row: Row) -> None:
    """Put a position back; its account is loaded before it (the order of KINDS)."""
    state.accounts[key[0]].positions[key[1]] = Position(*row)


def load_outside(state: State, key: tuple[int, str], row: Row) -> None:
    """Put a balance of the outside back."""
    (state.outside[key],) = row


def dump_outside(state: State, key: tuple[int, str]) -> Row:
    """A balance of the outside."""
    return (state.outside[key],)


def dump_bust(state: State, key: int) -> Row | None:
    """When a busted trade was executed; None once it is forgotten."""
    executed_us = state.busts.get(key)
    return None if executed_us is None else (executed_us,)


def load_bust(state: State, key: int, row: Row) -> None:
    """Remember a busted trade again."""
    (state.busts[key],) = row


def dump_risk_window(state: State, key: int) -> Row | None:
    """What the risk rules remember of an account."""
    window = state.risk_windows.get(key)
    return None if window is None else window.row()


def load_risk_window(state: State, key: int, row: Row) -> None:
    """Put an account's window back."""
    state.risk_windows[key] = window_of_row(row)


def entitlement_keys(state: State) -> Iterable[tuple[int, int]]:
    """(dividend, account) of all who are still to be paid."""
    return [
        (dividend_id, account_id)
        for dividend_id, entitled in state.entitlements.items()
        for account_id in entitled
    ]


def dump_entitlement(state: State, key: tuple[int, int]) -> Row | None:
    """The units for which an account gets a dividend; None once it is paid."""
    units_e8 = state.entitlements.get(key[0], {}).get(key[1])
    return None if units_e8 is None else (units_e8,)


def load_entitlement(state: State, key: tuple[int, int], row: Row) -> None:
    """Put an entitlement back; `rebuild` sorts those of a dividend."""
    state.entitlements.setdefault(key[0], {})[key[1]] = row[0]


ONE = ("clock",)
LIMITS_KEYS = ("limits",)

KINDS: Final[dict[str, Kind]] = {
    "clock": Kind(str, tuple[int, int], lambda state: ONE, dump_clock, load_clock),
    "limits": Kind(
        str,
        LIMITS_ROW.row_type,
        lambda state: LIMITS_KEYS,
        lambda state, key: LIMITS_ROW.dump(state.limits),
        load_limits,
        LIMITS_ROW.defaults,
    ),
    "account": kind_of(int, "accounts", Account, DERIVED_FIELDS[Account], load_account),
    "position": Kind(
        tuple[int, str],
        POSITION_ROW.row_type,
        position_keys,
        dump_one_position,
        load_position,
        POSITION_ROW.defaults,
    ),
    "lot": kind_of(int, "lots", Lot),
    "order": kind_of(int, "orders", Order, DERIVED_FIELDS[Order]),
    "instrument": kind_of(str, "instruments", Instrument),
    "fees": kind_of(str, "fees", FeeSchedule),
    "calendar": kind_of(str, "calendars", Calendar),
    "timer": kind_of(int, "timers", Timer),
    "withdrawal": kind_of(int, "withdrawals", Withdrawal),
    "key": kind_of(tuple[int, str], "keys", KeyRecord),
    "client_order_id": kind_of(tuple[int, str], "client_order_ids", ClientOrderId),
    "kill_switch": kind_of(tuple[KillScope, str], "kill_switches", KillSwitch),
    "group": kind_of(int, "groups", Group),
    "outside": Kind(tuple[int, str], tuple[int], lambda state: state.outside, dump_outside, load_outside),
    "bust": Kind(int, tuple[int], lambda state: state.busts, dump_bust, load_bust),
    "risk_rule": kind_of(tuple[RiskRule, int, str], "risk_rules", RuleRow),
    "risk_window": Kind(
        int, WINDOW_ROW_TYPE, lambda state: state.risk_windows, dump_risk_window, load_risk_window
    ),
    "volume": kind_of(int, "volumes", Volume),
    "settlement": kind_of(str, "settlement", SettlementRules),
    "settling": kind_of(tuple[str, int], "settling", SettlingDay),
    "unsettled": kind_of(tuple[str, int, int], "unsettled", Unsettled),
    "funded_lot": kind_of(int, "funded_lots", FundedLot),
    "dividend": kind_of(int, "dividends", Dividend),
    "entitlement": Kind(tuple[int, int], tuple[int], entitlement_keys, dump_entitlement, load_entitlement),
    "action": kind_of(int, "actions", CorporateAction),
    **PARKING_KINDS,
}
"""Aggregate kinds in the order in which they must be loaded."""

DERIVED: Final = frozenset(
    {
        "account_by_user",
        "books",
        "client_order_ids_closed",
        "counts_volume",
        "dirty",
        "keys_by_principal",
        "off_book",
        "purge_due_us",
        "risk",
        "stops",
        "timer_heap",
        "watches_fills",
        "timer_ids",
    }
)
"""Fields of the state that no row holds: `rebuild` makes them."""

STORED: Final = {
    "seq": "clock",
    "last_us": "clock",
    "limits": "limits",
    "accounts": "account",
    "lots": "lot",
    "orders": "order",
    "instruments": "instrument",
    "fees": "fees",
    "calendars": "calendar",
    "timers": "timer",
    "withdrawals": "withdrawal",
    "keys": "key",
    "client_order_ids": "client_order_id",
    "kill_switches": "kill_switch",
    "groups": "group",
    "outside": "outside",
    "busts": "bust",
    "risk_rules": "risk_rule",
    "risk_windows": "risk_window",
    "volumes": "volume",
    "settlement": "settlement",
    "settling": "settling",
    "unsettled": "unsettled",
    "funded_lots": "funded_lot",
    "dividends": "dividend",
    "entitlements": "entitlement",
    "actions": "action",
    "parking": "parking_lot",
}
"""Fields of the state → the kind that stores them; `parking` has its own (engine/parking/rows.py)."""


def rebuild(state: State) -> None:
    """Make all that is derived from the loaded rows. Queues come back in the order of their priority."""
    state.risk = table_of(state.risk_rules.values())
    for symbol in sorted(state.instruments):
        state.books[symbol] = Book(symbol)
    for lot_id in sorted(state.lots):
        lot = state.lots[lot_id]
        state.accounts[lot.account_id].positions[lot.symbol].lots[lot_id] = lot
    for unsettled_key in sorted(state.unsettled):
        bucket = state.unsettled[unsettled_key]
        state.accounts[bucket.account_id].buckets[bucket.day, bucket.market] = bucket
    for withdrawal in state.withdrawals.values():
        state.accounts[withdrawal.account_id].leaving_e4 += withdrawal.amount_e4
    for order_id in sorted(state.orders):
        order = state.orders[order_id]
        account = order.account = state.accounts[order.account_id]
        if order.side is Side.SELL and (order.special is None or order.special.is_armed):
            order.position = account.positions[order.symbol]
        if order.is_quote:
            account.quotes.setdefault(order.symbol, []).append(order)
        else:
            account.orders[order_id] = order
    state.orders = {order_id: state.orders[order_id] for order_id in sorted(state.orders)}
    for order in sorted(state.orders.values(), key=attrgetter("priority")):
        if is_off_book(order, state.instruments[order.symbol].phase):
            set_aside(state, order)
            if is_armed_stop(order):
                arm(state, order)
        else:
            state.books[order.symbol].side(order.side).add(order)
    watch(state)
    rebuild_parking(state.parking)
    state.entitlements = {
        dividend_id: dict(sorted(entitled.items())) for dividend_id, entitled in state.entitlements.items()
    }
    state.timer_heap = list(map(place_of, state.timers.values()))
    heapify(state.timer_heap)
    for timer_id in sorted(state.timers):
        timer = state.timers[timer_id]
        state.timer_ids[timer.kind, timer.target] = timer_id
    for key, record in sorted(state.keys.items(), key=lambda item: (item[1].created_us, item[1].seq)):
        state.keys.move_to_end(key)
        principal = record.principal
        state.keys_by_principal[principal] = state.keys_by_principal.get(principal, 0) + 1
    closed = [(record.closed_us, key) for key, record in state.client_order_ids.items() if record.closed_us]
    for _, closed_key in sorted(closed):
        state.client_order_ids_closed[closed_key] = state.client_order_ids[closed_key]
