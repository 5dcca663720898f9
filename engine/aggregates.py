"""Every aggregate that `apply` reads, as rows: the one table that saving, recovery and the state hash share.

A kind names its keys, the type of its row, how a row is taken from the state (None when the aggregate is
gone) and how it is put back. `rebuild` then makes what is derived: books, heaps, the orders of an account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify
from operator import attrgetter
from typing import Any, Final, NamedTuple

from engine.book import Book
from engine.events import AnyEvent
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    KillScope,
    OrderStatus,
    OrderType,
    Phase,
    PriceSource,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TimerKind,
)
from engine.orders import Order
from engine.state import (
    Account,
    Calendar,
    ClientOrderId,
    FeeSchedule,
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

Row = tuple[Any, ...]


class Kind(NamedTuple):
    """How one kind of aggregate is saved. `key_type` and `row_type` are the types to decode to."""

    key_type: Any
    row_type: Any
    keys: Callable[[State], Iterable[Any]]
    dump: Callable[[State, Any], Row | None]
    load: Callable[[State, Any, Row], None]


ACCOUNT_FIELDS = [
    "account_id",
    "user_id",
    "kind",
    "currency",
    "status",
    "cash_e4",
    "held_e4",
    "contributed_e4",
    "fees_e4",
    "realized_e4",
]
POSITION_FIELDS = ["account_id", "symbol", "units_e8", "held_e8", "cost_e4", "realized_e4"]
LOT_FIELDS = ["lot_id", "account_id", "symbol", "units_e8", "cost_e4", "acquired_us"]
ORDER_FIELDS = [
    "order_id",
    "account_id",
    "symbol",
    "side",
    "order_type",
    "time_in_force",
    "quantity_e8",
    "price_e4",
    "limit_e4",
    "maker_ppm",
    "taker_ppm",
    "created_us",
    "updated_us",
    "client_order_id",
    "self_trade_prevention",
    "replaces_id",
    "is_quote",
    "priority",
    "filled_e8",
    "notional_e4",
    "maker_notional_e4",
    "fee_e4",
    "hold_e4",
    "status",
    "reason",
    "replaced_by_id",
]
INSTRUMENT_FIELDS = [
    "symbol",
    "name",
    "currency",
    "tick_e4",
    "lot_e8",
    "price_min_e4",
    "price_max_e4",
    "calendar",
    "price_source",
    "band_bps",
    "fee_schedule",
    "reference_e4",
    "phase",
    "halted",
    "last_e4",
    "previous_close_e4",
]
LIMITS_FIELDS = [
    "order_quantity_max_e8",
    "order_value_max_e4",
    "open_orders_max",
    "market_collar_bps",
    "keys_per_user_max",
    "keys_max",
    "key_ttl_us",
]
KEY_FIELDS = ["principal", "key", "digest", "seq", "created_us", "answer"]

dump_account = attrgetter(*ACCOUNT_FIELDS)
dump_position = attrgetter(*POSITION_FIELDS)
dump_lot = attrgetter(*LOT_FIELDS)
dump_order = attrgetter(*ORDER_FIELDS)
dump_instrument = attrgetter(*INSTRUMENT_FIELDS)
dump_limits = attrgetter(*LIMITS_FIELDS)
dump_key = attrgetter(*KEY_FIELDS)
dump_fees = attrgetter("schedule", "maker_ppm", "taker_ppm")
dump_calendar = attrgetter("calendar", "sessions", "ended_us")
dump_timer = attrgetter("timer_id", "due_us", "kind", "target")
dump_withdrawal = attrgetter("withdrawal_id", "account_id", "amount_e4", "requested_us")
dump_client_order_id = attrgetter("account_id", "client_order_id", "order_id", "closed_us")
dump_kill_switch = attrgetter("scope", "target", "reason")


def stored_in(
    table: str, fields: Callable[[Any], Row]
) -> tuple[Callable[[State], Iterable[Any]], Callable[[State, Any], Row | None]]:
    """Keys and dump of a kind that lives in one dict of the state."""
    the_table = attrgetter(table)

    def keys(state: State) -> Iterable[Any]:
        found: Iterable[Any] = the_table(state)
        return found

    def dump(state: State, key: Any) -> Row | None:
        aggregate = the_table(state).get(key)
        return None if aggregate is None else fields(aggregate)

    return keys, dump


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
    return None if position is None else dump_position(position)


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


def load_into(table: str, make: Callable[..., Any]) -> Callable[[State, Any, Row], None]:
    """Load of a kind that lives in one dict of the state."""
    the_table = attrgetter(table)

    def load(state: State, key: Any, row: Row) -> None:
        the_table(state)[key] = make(*row)

    return load


ONE = ("clock",)
LIMITS_KEYS = ("limits",)
SESSIONS = tuple[tuple[int, int], ...]

KINDS: Final[dict[str, Kind]] = {
    "clock": Kind(str, tuple[int, int], lambda state: ONE, dump_clock, load_clock),
    "limits": Kind(
        str,
        tuple[int, int, int, int, int, int, int],
        lambda state: LIMITS_KEYS,
        lambda state, key: dump_limits(state.limits),
        load_limits,
    ),
    "account": Kind(
        int,
        tuple[int, int, AccountKind, str, AccountStatus, int, int, int, int, int],
        *stored_in("accounts", dump_account),
        load_account,
    ),
    "position": Kind(
        tuple[int, str], tuple[int, str, int, int, int, int], position_keys, dump_one_position, load_position
    ),
    "lot": Kind(
        int, tuple[int, int, str, int, int, int], *stored_in("lots", dump_lot), load_into("lots", Lot)
    ),
    "order": Kind(
        int,
        tuple[
            int,
            int,
            str,
            Side,
            OrderType,
            TimeInForce,
            int,
            int,
            int,
            int,
            int,
            int,
            int,
            str,
            SelfTradePrevention,
            int,
            bool,
            int,
            int,
            int,
            int,
            int,
            int,
            OrderStatus,
            CloseReason,
            int,
        ],
        *stored_in("orders", dump_order),
        load_into("orders", Order),
    ),
    "instrument": Kind(
        str,
        tuple[str, str, str, int, int, int, int, str, PriceSource, int, str, int, Phase, bool, int, int],
        *stored_in("instruments", dump_instrument),
        load_into("instruments", Instrument),
    ),
    "fees": Kind(str, tuple[str, int, int], *stored_in("fees", dump_fees), load_into("fees", FeeSchedule)),
    "calendar": Kind(
        str,
        tuple[str, SESSIONS, int],
        *stored_in("calendars", dump_calendar),
        load_into("calendars", Calendar),
    ),
    "timer": Kind(
        int, tuple[int, int, TimerKind, str], *stored_in("timers", dump_timer), load_into("timers", Timer)
    ),
    "withdrawal": Kind(
        int,
        tuple[int, int, int, int],
        *stored_in("withdrawals", dump_withdrawal),
        load_into("withdrawals", Withdrawal),
    ),
    "key": Kind(
        tuple[int, str],
        tuple[int, str, bytes, int, int, tuple[AnyEvent, ...]],
        *stored_in("keys", dump_key),
        load_into("keys", KeyRecord),
    ),
    "client_order_id": Kind(
        tuple[int, str],
        tuple[int, str, int, int],
        *stored_in("client_order_ids", dump_client_order_id),
        load_into("client_order_ids", ClientOrderId),
    ),
    "kill_switch": Kind(
        tuple[KillScope, str],
        tuple[KillScope, str, str],
        *stored_in("kill_switches", dump_kill_switch),
        load_into("kill_switches", KillSwitch),
    ),
    "outside": Kind(tuple[int, str], tuple[int], lambda state: state.outside, dump_outside, load_outside),
    "bust": Kind(int, tuple[int], lambda state: state.busts, dump_bust, load_bust),
}
"""Aggregate kinds in the order in which they must be loaded."""

DERIVED: Final = frozenset(
    {
        "account_by_user",
        "books",
        "client_order_ids_closed",
        "dirty",
        "keys_by_principal",
        "purge_due_us",
        "timer_heap",
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
    "outside": "outside",
    "busts": "bust",
}
"""Fields of the state → the kind that stores them."""


def rebuild(state: State) -> None:
    """Make all that is derived from the loaded rows. Queues come back in the order of their priority."""
    for symbol in sorted(state.instruments):
        state.books[symbol] = Book(symbol)
    for lot_id in sorted(state.lots):
        lot = state.lots[lot_id]
        state.accounts[lot.account_id].positions[lot.symbol].lots[lot_id] = lot
    for order_id in sorted(state.orders):
        order = state.orders[order_id]
        account = order.account = state.accounts[order.account_id]
        if order.side is Side.SELL:
            order.position = account.positions[order.symbol]
        if order.is_quote:
            account.quotes.setdefault(order.symbol, []).append(order)
        else:
            account.orders[order_id] = order
    state.orders = {order_id: state.orders[order_id] for order_id in sorted(state.orders)}
    for order in sorted(state.orders.values(), key=attrgetter("priority")):
        state.books[order.symbol].side(order.side).add(order)
    state.timer_heap = [(timer.due_us, timer_id) for timer_id, timer in state.timers.items()]
    heapify(state.timer_heap)
    for key, record in sorted(state.keys.items(), key=lambda item: (item[1].created_us, item[1].seq)):
        state.keys.move_to_end(key)
        principal = record.principal
        state.keys_by_principal[principal] = state.keys_by_principal.get(principal, 0) + 1
    closed = [(record.closed_us, key) for key, record in state.client_order_ids.items() if record.closed_us]
    for _, closed_key in sorted(closed):
        state.client_order_ids_closed[closed_key] = state.client_order_ids[closed_key]
