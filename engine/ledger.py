"""Double entry for ownership: every change of cash or units is a transaction whose postings sum to zero per asset.

Customers' balances live in their accounts and positions, the outside's in `state.outside`. A fill's postings
are implied by its `Traded` event; every other transaction is reported as `Posted`.
"""

from __future__ import annotations

from engine.events import Posted, SoldLot
from engine.kinds import LotMethod, TransactionKind
from engine.lot_methods import take_by_method
from engine.orders import Order, buy_hold_e4, charge_terms
from engine.positions import add_lot, take_fifo
from engine.state import Account, Position, State
from engine.turn import Turn
from engine.units import fee_parts_up_e4

FIFO = LotMethod.FIFO


def change_outside(state: State, account_id: int, asset: str, amount: int) -> int:
    """Post to an outside account; returns its balance after."""
    key = (account_id, asset)
    balance = state.outside[key] = state.outside.get(key, 0) + amount
    state.dirty["outside"][key] = None
    return balance


def post_cash(
    turn: Turn, kind: TransactionKind, account: Account, outside_id: int, amount_e4: int, reference: str
) -> None:
    """Move cash from the outside to a customer (or back, when the amount is negative)."""
    account.cash_e4 += amount_e4
    turn.accounts[account.account_id] = account
    outside_e4 = change_outside(turn.state, outside_id, account.currency, -amount_e4)
    turn.events.append(
        Posted(
            turn.new_id(2),
            kind,
            reference,
            (
                (account.account_id, account.currency, amount_e4, account.cash_e4),
                (outside_id, account.currency, -amount_e4, outside_e4),
            ),
        )
    )


def post_units(
    turn: Turn, account: Account, outside_id: int, symbol: str, units_e8: int, cost_e4: int
) -> None:
    """Move units of a security from the outside to a customer, as a new lot with its cost."""
    txn_id = turn.new_id(2)
    position = position_of(turn.state, account, symbol)
    add_lot(turn, account, position, txn_id, units_e8, cost_e4)
    outside_e8 = change_outside(turn.state, outside_id, symbol, -units_e8)
    turn.events.append(
        Posted(
            txn_id,
            TransactionKind.TRANSFER_IN,
            "",
            (
                (account.account_id, symbol, units_e8, position.units_e8),
                (outside_id, symbol, -units_e8, outside_e8),
            ),
        )
    )


def position_of(state: State, account: Account, symbol: str) -> Position:
    """The account's position in a symbol, made when it is first needed."""
    position = account.positions.get(symbol)
    if position is None:
        position = account.positions[symbol] = Position(account.account_id, symbol)
        state.dirty["position"][(account.account_id, symbol)] = None
    return position


def charge_fee(order: Order, account: Account) -> int:
    """Bring a plain order's fee up to what is due on its cumulative notional; returns what is charged now."""
    maker_e4 = order.maker_notional_e4  # as `fee_due_e4`, without a call for each fill
    due_e4 = fee_parts_up_e4(maker_e4, order.maker_ppm, order.notional_e4 - maker_e4, order.taker_ppm)
    fee_e4 = due_e4 - order.fee_e4
    order.fee_e4 = due_e4
    account.fees_e4 += fee_e4
    return fee_e4


def settle_buy(
    turn: Turn, order: Order, notional_e4: int, quantity_e8: int, lot_id: int
) -> tuple[int, Account, Position]:
    """The buyer's half of a fill: capture the hold, pay notional and fee, receive the units as a lot.

    With nothing left to fill, what the hold has over is given back.

    Returns the fee, the account and the position, for the `Traded` event.
    """
    account = order.account
    assert account is not None
    if order.fee_terms is None:
        fee_e4 = charge_fee(order, account)
    else:
        fee_e4, _ = charge_terms(order, quantity_e8, notional_e4)
        account.fees_e4 += fee_e4
    account.cash_e4 -= notional_e4 + fee_e4
    # A pair's hold follows when both are smaller (engine/links.py).
    if order.special is None or not order.special.group_id:
        hold_e4 = buy_hold_e4(order) if order.filled_e8 < order.quantity_e8 else 0
        account.held_e4 -= order.hold_e4 - hold_e4
        order.hold_e4 = hold_e4
    position = account.positions.get(order.symbol)
    if position is None:
        position = position_of(turn.state, account, order.symbol)
    add_lot(turn, account, position, lot_id, quantity_e8, notional_e4)
    turn.accounts[account.account_id] = account
    return fee_e4, account, position


def settle_sell(
    turn: Turn, order: Order, notional_e4: int, quantity_e8: int
) -> tuple[int, int, Account, Position, tuple[SoldLot, ...]]:
    """The seller's half of a fill: release the held units, deliver them, receive notional less fee.

    Returns the fee, the part of it that the law takes, the account, the position and what was taken of its lots, for the
    `Traded` event.
    """
    account, position = order.account, order.position
    assert account is not None
    assert position is not None
    law_e4 = 0
    if order.fee_terms is None:
        fee_e4 = charge_fee(order, account)
    else:
        fee_e4, law_e4 = charge_terms(order, quantity_e8, notional_e4)
        account.fees_e4 += fee_e4
    account.cash_e4 += notional_e4 - fee_e4
    position.held_e8 -= quantity_e8
    if order.special is None and account.lot_method is FIFO:
        cost_e4, sold_lots = take_fifo(turn.state, position, quantity_e8)
    else:
        cost_e4, sold_lots = take_by_method(turn.state, account, order, position, quantity_e8)
    gain_e4 = notional_e4 - cost_e4
    position.realized_e4 += gain_e4
    account.realized_e4 += gain_e4
    turn.accounts[account.account_id] = account
    return fee_e4, law_e4, account, position, sold_lots
