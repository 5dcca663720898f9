"""What must hold after every command, checked in full. Slow; for tests, `verify` and recovery."""

from __future__ import annotations

from collections.abc import Iterator

from engine.action_invariants import broken_actions
from engine.fee_tiers import VOLUME_DAYS
from engine.iceberg import visible_e8
from engine.kinds import LotMethod, OrderStatus, Phase, Side, TimeInForce, TimerKind
from engine.links import carries_hold
from engine.lot_methods import by_unit_cost, units_left
from engine.orders import Order
from engine.parking.invariants import broken_parking
from engine.risk_figures import KYC_TIER_MAX, ORDERS_KEPT_MAX, figures_fit
from engine.risk_state import COUNTED_MAX_E4, SIZES_MAX, table_of
from engine.session_invariants import broken_sessions
from engine.settlement_invariants import broken_settlement
from engine.special_invariants import broken_links, broken_stops, expected_hold_e4
from engine.state import FEES_ACCOUNT_ID, OUTSIDE_ACCOUNTS, REGULATORY_ACCOUNT_ID, Account, State
from engine.waiting import NOBODY, is_off_book

MATCHING = (Phase.CONTINUOUS, Phase.EXTENDED)
"""Phases in which a book is never crossed after a command."""


def check_invariants(state: State) -> list[str]:
    """Every broken invariant, in words; empty when all hold."""
    return [
        *broken_sums(state),
        *(problem for account in state.accounts.values() for problem in broken_account(state, account)),
        *(problem for account in state.accounts.values() for problem in broken_lots(account)),
        *broken_orders(state),
        *broken_volumes(state),
        *broken_stops(state),
        *broken_links(state),
        *broken_settlement(state),
        *broken_sessions(state),
        *broken_actions(state),
        *(problem for symbol in sorted(state.books) for problem in broken_book(state, symbol)),
        *broken_risk(state),
        *broken_parking(state),
    ]


def broken_sums(state: State) -> Iterator[str]:
    """Nothing is made or lost: per asset, customers and the outside sum to zero."""
    totals: dict[str, int] = {}
    charged: dict[str, int] = {}
    for (account_id, asset), balance in state.outside.items():
        if account_id not in OUTSIDE_ACCOUNTS:
            yield f"outside account {account_id} is unknown"
        totals[asset] = totals.get(asset, 0) + balance
        if account_id in (FEES_ACCOUNT_ID, REGULATORY_ACCOUNT_ID):
            charged[asset] = charged.get(asset, 0) + balance
    for account in state.accounts.values():
        totals[account.currency] = totals.get(account.currency, 0) + account.cash_e4
        charged[account.currency] = charged.get(account.currency, 0) - account.fees_e4
        for symbol, position in account.positions.items():
            totals[symbol] = totals.get(symbol, 0) + position.units_e8
    for asset in sorted(totals):
        if totals[asset]:
            yield f"{asset} sums to {totals[asset]}, not zero"
    for currency in sorted(charged):
        if charged[currency]:
            yield f"fees in {currency} are {charged[currency]} more than what customers paid"


def broken_account(state: State, account: Account) -> Iterator[str]:
    """Held is the sum of open holds, available never negative, positions are the sum of their lots; cash and cost are what
    was brought in and what was made.
    """
    name = f"account {account.account_id}"
    orders = [*account.orders.values(), *(quote for quotes in account.quotes.values() for quote in quotes)]
    orders = [order for order in orders if order.order_id in state.orders]
    held_e4 = sum([order.hold_e4 for order in orders])
    for booking in state.parking.bookings.values():
        if booking.account_id == account.account_id:
            held_e4 += booking.hold_e4
    for withdrawal in state.withdrawals.values():
        if withdrawal.account_id == account.account_id:
            held_e4 += withdrawal.amount_e4
    if account.held_e4 != held_e4:
        yield f"{name} holds {account.held_e4}, its open holds are {held_e4}"
    if account.available_e4 < 0 or account.cash_e4 < 0:
        yield f"{name} has {account.cash_e4} and holds {account.held_e4}"
    cost_e4 = sum([position.cost_e4 for position in account.positions.values()])
    worth_e4 = account.contributed_e4 + account.realized_e4 + account.dividends_e4 - account.fees_e4
    if account.cash_e4 + cost_e4 != worth_e4:
        yield f"{name} has {account.cash_e4} and holdings that cost {cost_e4}, brought in and made {worth_e4}"
    yield from broken_positions(state, name, account, orders)


def broken_positions(state: State, name: str, account: Account, orders: list[Order]) -> Iterator[str]:
    """Units are the sum of the lots, and so is their cost; held are those that open sells are for."""
    sold_e8: dict[str, int] = {}
    for order in orders:
        if order.side is Side.SELL and carries_hold(order):
            sold_e8[order.symbol] = sold_e8.get(order.symbol, 0) + order.leaves_e8
    for symbol, position in account.positions.items():
        held_e8 = sold_e8.pop(symbol, 0)
        if position.held_e8 != held_e8 or not 0 <= held_e8 <= position.units_e8:
            yield f"{name} {symbol}: {position.units_e8} units, {position.held_e8} held, open sells {held_e8}"
        units_e8 = cost_e4 = 0
        for lot_id, lot in position.lots.items():
            units_e8 += lot.units_e8
            cost_e4 += lot.cost_e4
            if lot.units_e8 <= 0 or lot.cost_e4 < 0 or state.lots.get(lot_id) is not lot:
                yield f"{name} {symbol}: lot {lot_id} is empty, negative or unknown"
        if position.units_e8 != units_e8:
            yield f"{name} {symbol}: lots do not sum to {position.units_e8} units"
        if position.cost_e4 != cost_e4:
            yield f"{name} {symbol}: lots do not sum to a cost of {position.cost_e4}"
    for symbol in sold_e8:
        yield f"{name} sells {symbol}, of which it has no position"


def broken_lots(account: Account) -> Iterator[str]:
    """Lots stand in the order of their age, HIFO's memory of them is right, and no two open orders name the same one."""
    for symbol, position in account.positions.items():
        name = f"account {account.account_id} {symbol}"
        if list(position.lots) != sorted(position.lots):
            yield f"{name}: lots are out of order"
        dearest = position.dearest
        if dearest is not None:
            known = [by_unit_cost(lot) for lot in position.lots.values() if lot.lot_id <= dearest.up_to_id]
            if account.lot_method is not LotMethod.HIFO or sorted(dearest.heap) != sorted(known):
                yield f"{name}: what is remembered of the dearest lots is not so"
    named: dict[int, int] = {}
    for order in account.orders.values():
        if order.special is not None:
            for lot_id, _ in units_left(order.special.terms.lots, order.filled_e8, order.leaves_e8):
                if named.setdefault(lot_id, order.order_id) != order.order_id:
                    yield f"orders {named[lot_id]} and {order.order_id} both name lot {lot_id}"


def broken_orders(state: State) -> Iterator[str]:
    """Every open order rests in its book or stands outside it, holds what it must, and has something left."""
    for order_id, order in state.orders.items():
        phase = state.instruments[order.symbol].phase
        is_aside = order_id in state.off_book.get(order.symbol, NOBODY)
        if is_aside is not is_off_book(order, phase) or is_aside is (order.level is not None):
            yield f"order {order_id} ({order.status.name}) is not where it belongs while {phase.name}"
        timer_id = state.timer_ids.get((TimerKind.ORDER_EXPIRY, str(order_id)))
        if (order.time_in_force is TimeInForce.GTD) is not (timer_id in state.timers):
            yield f"order {order_id} is {order.time_in_force.name} and its timer is {timer_id}"
        if order.status > OrderStatus.PARTIAL or order.leaves_e8 <= 0:
            yield f"order {order_id} is {order.status.name} with {order.leaves_e8} left and still open"
        if not 0 <= order.regulatory_e4 <= order.fee_e4:
            yield f"order {order_id} was charged {order.fee_e4}, of it {order.regulatory_e4} by law"
        if order.side is Side.SELL and order.fee_e4 > order.notional_e4:
            yield f"order {order_id} brought {order.notional_e4} and was charged {order.fee_e4}"
        hold_e4 = expected_hold_e4(state, order)
        if order.hold_e4 != hold_e4:
            yield f"order {order_id} holds {order.hold_e4}, it should hold {hold_e4}"


def broken_volumes(state: State) -> Iterator[str]:
    """An account's volume has at most thirty days, in their order, none below zero."""
    for account_id, volume in state.volumes.items():
        days = [day for day, _ in volume.days]
        if days != sorted(set(days)) or len(days) > VOLUME_DAYS or account_id not in state.accounts:
            yield f"account {account_id} has volume on days {days}"
        if any(notional_e4 < 0 for _, notional_e4 in volume.days):
            yield f"account {account_id} has a volume below zero"


def broken_book(state: State, symbol: str) -> Iterator[str]:
    """Levels add up, queues are in time order, every resting order is open, and a book that matches is not crossed."""
    book = state.books[symbol]
    for side in (book.bids, book.asks):
        for level in side.best_first():
            place, count, leaves_e8 = -1, 0, 0
            order = level.first
            while order is not None:
                if order.priority <= place:
                    yield f"{symbol} {level.price_e4}: the queue is out of order"
                if state.orders.get(order.order_id) is not order or order.level is not level:
                    yield f"{symbol} {level.price_e4}: order {order.order_id} rests that is not open here"
                place = order.priority
                count += 1
                leaves_e8 += visible_e8(order)
                if not 0 < visible_e8(order) <= order.leaves_e8:
                    yield f"{symbol}: order {order.order_id} shows {visible_e8(order)} of {order.leaves_e8}"
                order = order.after
            if level.count != count or level.quantity_e8 != leaves_e8 or not count:
                yield f"{symbol} {level.price_e4}: the level does not add up"
    best_bid, best_ask = book.bids.best(), book.asks.best()
    if state.instruments[symbol].phase not in MATCHING:
        return
    if best_bid is not None and best_ask is not None and best_bid.price_e4 >= best_ask.price_e4:
        yield f"{symbol} is crossed: {best_bid.price_e4} against {best_ask.price_e4}"


def broken_risk(state: State) -> Iterator[str]:
    """The rules in force are those of the rows, and what is remembered of an account is bounded and in order."""
    wanted, found = table_of(state.risk_rules.values()), state.risk
    if (wanted is None) != (found is None) or (
        wanted is not None
        and found is not None
        and (wanted.everybody, wanted.narrower) != (found.everybody, found.narrower)
    ):
        yield "the risk rules in force are not those that were set"
    for (rule, account_id, symbol), row in state.risk_rules.items():
        if (row.rule, row.account_id, row.symbol) != (rule, account_id, symbol):
            yield f"the row of {rule.name} for {account_id} {symbol} is another one's"
        if not figures_fit(rule, row.figures):
            yield f"the row of {rule.name} for {account_id} {symbol} has figures that do not fit"
    for account_id, window in state.risk_windows.items():
        name = f"the risk window of account {account_id}"
        times = window.orders_us
        if window.account_id != account_id or account_id not in state.accounts:
            yield f"{name} is nobody's"
        if len(times) > ORDERS_KEPT_MAX or list(times) != sorted(times):
            yield f"{name} has {len(times)} times, or not in order"
        if not 0 <= window.sizes_count <= SIZES_MAX or window.sizes_e8 < window.sizes_count:
            yield f"{name} has {window.sizes_count} orders of {window.sizes_e8}"
        for symbol, traded in window.days.items():
            if traded.symbol != symbol or not 0 <= traded.bought_e4 <= COUNTED_MAX_E4:
                yield f"{name} has traded {traded} as {symbol}"
        if any(count < 1 for _, _, count in window.day_trades):
            yield f"{name} has day trades {window.day_trades}"
    for account in state.accounts.values():
        if not 0 <= account.kyc_tier <= KYC_TIER_MAX:
            yield f"account {account.account_id} has KYC tier {account.kyc_tier}"
