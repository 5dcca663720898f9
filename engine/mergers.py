"""Mergers: shares become shares of another instrument, or cash, or some of both. Source: docs/corporate-actions.md.

For shares the lots go on: id, date and cost stay (26 U.S.C. 354, 358, 1223(1)). For cash they are sold. For both a gain counts as
far as there is cash for it, a loss does not, and the cost becomes what it was, less the cash, and with that gain (26 U.S.C. 356, 358).
"""

from __future__ import annotations

from typing import Final

from engine.accounts import brought_in_e4
from engine.action_events import FractionPaid
from engine.closing import close_book
from engine.corporate_state import CorporateAction
from engine.delisting import report, shut
from engine.events import Posted, Refused, SoldLot
from engine.kinds import AccountKind, CloseReason, TransactionKind
from engine.ledger import change_outside, position_of, post_cash
from engine.lot_methods import take
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.splits import RATIO_MAX, holdings, restate_lots
from engine.state import CUSTODY_ACCOUNT_ID, ISSUERS_ACCOUNT_ID, Account, Instrument, Position, State
from engine.turn import Turn
from engine.units import (
    CASH_TOTAL_MAX_E4,
    QUANTITY_MAX_E8,
    SECURITY_TOTAL_MAX_E8,
    cash_for_units_down_e4,
    fraction_up_e4,
    lots_down_e8,
    notional_down_e4,
    shares_of,
    split_down_e8,
)

HOLDERS_MAX: Final = 100_000
"""A holder takes six ids at most, and a command makes no more than IDS_PER_SEQ."""


def merger_refusal(state: State, instrument: Instrument, action: CorporateAction) -> Refused | None:
    """Whether a merger can be carried out as things are now."""
    n, m = action.numerator, action.denominator
    if not 0 <= action.cash_e8 <= QUANTITY_MAX_E8:
        return Refused(Refusal.INVALID_ACTION, (("cash_e8", action.cash_e8),))
    acquirer = None
    if action.new_symbol:
        acquirer = state.instruments.get(action.new_symbol)
        if acquirer is None:
            return Refused(Refusal.UNKNOWN_SYMBOL)
        refused = acquirer_refusal(state, instrument, acquirer, action)
        if refused is not None:
            return refused
    elif not action.is_even:
        return Refused(Refusal.INVALID_ACTION, (("numerator", n), ("denominator", m)))
    holders = 0
    total_e4 = brought_in_e4(state, instrument.currency)
    for _, position in holdings(state, action.symbol):
        holders += 1
        total_e4 += cash_for_units_down_e4(action.cash_e8, position.units_e8)
        if acquirer is not None:
            part_e8 = split_down_e8(position.units_e8, n, m) % acquirer.lot_e8
            total_e4 += fraction_up_e4(part_e8, reference_e4(acquirer), 1, 1)
    if holders > HOLDERS_MAX:
        return Refused(Refusal.INVALID_ACTION, (("holders", holders), ("maximum", HOLDERS_MAX)))
    if total_e4 > CASH_TOTAL_MAX_E4:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", CASH_TOTAL_MAX_E4),))
    return None


def acquirer_refusal(
    state: State, instrument: Instrument, acquirer: Instrument, action: CorporateAction
) -> Refused | None:
    """Whether shares can become so many of another instrument's."""
    n, m = action.numerator, action.denominator
    if acquirer.is_delisted:
        return Refused(Refusal.INSTRUMENT_DELISTED)
    if acquirer.currency != instrument.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    if not (1 <= n <= RATIO_MAX and 1 <= m <= RATIO_MAX) or acquirer is instrument:
        return Refused(Refusal.INVALID_ACTION, (("numerator", n), ("denominator", m)))
    if instrument.lot_e8 * n < m:
        return Refused(Refusal.INVALID_ACTION, (("lot_e8", instrument.lot_e8),))
    if not reference_e4(acquirer):
        return Refused(Refusal.NO_REFERENCE_PRICE)
    units_e8 = -state.outside.get((CUSTODY_ACCOUNT_ID, instrument.symbol), 0) * n // m
    if units_e8 - state.outside.get((CUSTODY_ACCOUNT_ID, acquirer.symbol), 0) > SECURITY_TOTAL_MAX_E8:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e8", SECURITY_TOTAL_MAX_E8),))
    return None


def merge(turn: Turn, instrument: Instrument, action: CorporateAction) -> None:
    """Carry a merger out: all orders end, every holder gets shares or cash, and the instrument is delisted."""
    state = turn.state
    close_book(turn, state, instrument.symbol, CloseReason.CORPORATE_ACTION)
    acquirer = state.instruments[action.new_symbol] if action.new_symbol else None
    accounts = cash_e4 = 0
    for account, position in list(holdings(state, instrument.symbol)):
        accounts += 1
        if acquirer is None:
            cash_e4 += buy_out(turn, action, account, position)
        else:
            cash_e4 += exchange(turn, acquirer, action, account, position)
    instrument.restated_us = action.effective_us
    shut(turn, instrument, "merger")
    report(turn, acquirer or instrument, action, accounts, cash_e4)


def buy_out(turn: Turn, action: CorporateAction, account: Account, position: Position) -> int:
    """Pay an account for all of its units, which it has sold with that. Returns the cash."""
    state = turn.state
    units_e8, cost_e4 = position.units_e8, position.cost_e4
    amount_e4 = cash_for_units_down_e4(action.cash_e8, units_e8)
    taken = [(lot.lot_id, lot.units_e8, lot.cost_e4, lot.acquired_us) for lot in position.lots.values()]
    for lot_id in position.lots:
        del state.lots[lot_id]
        state.dirty["lot"][lot_id] = None
    position.lots.clear()
    empty(state, position)
    post_exchange(turn, action, account, position, units_e8, None, 0)
    pay(turn, action, account, position, units_e8, amount_e4, cost_e4, tuple(taken), is_merger=True)
    return amount_e4


def exchange(
    turn: Turn, acquirer: Instrument, action: CorporateAction, account: Account, position: Position
) -> int:
    """Give an account shares of the acquirer, cash with them, and cash in lieu of a fraction. Returns the cash."""
    state, anchor_e4 = turn.state, reference_e4(acquirer)
    had_e8 = position.units_e8
    amount_e4 = cash_for_units_down_e4(action.cash_e8, had_e8)
    sold = take_boot(position, action, amount_e4, anchor_e4) if amount_e4 else ()
    restate_lots(state, position, action.numerator, action.denominator)
    part_e8 = position.units_e8 - lots_down_e8(position.units_e8, acquirer.lot_e8)
    part_cost_e4 = 0
    part: tuple[SoldLot, ...] = ()
    if part_e8:
        part_cost_e4, part = take(state, account, position, part_e8, account.lot_method)
    given_e8 = position.units_e8
    new = position_of(state, account, acquirer.symbol)
    move_lots(state, account, position, new)
    post_exchange(turn, action, account, position, had_e8, new, given_e8)
    if amount_e4:
        sold_e4 = sum([cost_e4 for _, _, cost_e4, _ in sold])
        pay(turn, action, account, position, had_e8, amount_e4, sold_e4, sold, is_merger=True)
    part_e4 = 0
    if part_e8:
        part_e4 = fraction_up_e4(part_e8, anchor_e4, 1, 1)
        pay(turn, action, account, new, part_e8, part_e4, part_cost_e4, part, is_merger=False)
    return amount_e4 + part_e4


def take_boot(
    position: Position, action: CorporateAction, amount_e4: int, anchor_e4: int
) -> tuple[SoldLot, ...]:
    """Take out of each lot's cost what its part of the cash is for: all of that but the gain, if there is one. What was taken.

    A lot's gain is its cash and the worth of its new units, less its cost.
    """
    lots = list(position.lots.values())
    parts = shares_of(amount_e4, [lot.units_e8 for lot in lots])
    running = given = 0
    sold = []
    for lot, part_e4 in zip(lots, parts, strict=True):
        running += lot.units_e8
        due = split_down_e8(running, action.numerator, action.denominator)
        gain_e4 = part_e4 + notional_down_e4(anchor_e4, due - given) - lot.cost_e4
        given = due
        cost_e4 = part_e4 - max(0, min(part_e4, gain_e4))
        lot.cost_e4 -= cost_e4
        position.cost_e4 -= cost_e4
        sold.append((lot.lot_id, lot.units_e8, cost_e4, lot.acquired_us))
    return tuple(sold)


def move_lots(state: State, account: Account, position: Position, new: Position) -> None:
    """Hand the lots of a position, in new units already, to that of the acquirer. A market maker has one pool of them."""
    pool = next(iter(new.lots.values()), None) if account.kind is AccountKind.MARKET_MAKER else None
    for lot_id, lot in position.lots.items():
        state.dirty["lot"][lot_id] = None
        if pool is None:
            lot.symbol = new.symbol
            new.lots[lot_id] = lot
            continue
        pool.units_e8 += lot.units_e8
        pool.cost_e4 += lot.cost_e4
        state.dirty["lot"][pool.lot_id] = None
        del state.lots[lot_id]
    for lot_id in sorted(new.lots):  # oldest first, as ever
        new.lots.move_to_end(lot_id)
    new.units_e8 += position.units_e8
    new.cost_e4 += position.cost_e4
    new.averaged_lot_id, new.dearest = 0, None
    state.dirty["position"][account.account_id, new.symbol] = None
    position.lots.clear()
    empty(state, position)


def empty(state: State, position: Position) -> None:
    """Nothing is left of a position but what it has realised."""
    position.units_e8 = position.cost_e4 = position.averaged_lot_id = 0
    position.dearest = None
    state.dirty["position"][position.account_id, position.symbol] = None


def post_exchange(
    turn: Turn,
    action: CorporateAction,
    account: Account,
    position: Position,
    units_e8: int,
    new: Position | None,
    given_e8: int,
) -> None:
    """Report the units that have gone, and those that have come for them."""
    state, account_id, symbol = turn.state, account.account_id, position.symbol
    lines: tuple[tuple[int, str, int, int], ...] = ()
    if new is not None and given_e8:
        outside_e8 = change_outside(state, CUSTODY_ACCOUNT_ID, new.symbol, -given_e8)
        lines = (
            (account_id, new.symbol, given_e8, new.units_e8),
            (CUSTODY_ACCOUNT_ID, new.symbol, -given_e8, outside_e8),
        )
    outside_e8 = change_outside(state, CUSTODY_ACCOUNT_ID, symbol, units_e8)
    lines += (
        (account_id, symbol, -units_e8, 0),
        (CUSTODY_ACCOUNT_ID, symbol, units_e8, outside_e8),
    )
    reference = f"act_{action.action_id}"
    turn.events.append(Posted(turn.new_id(2), TransactionKind.CORPORATE_ACTION, reference, lines))


def pay(
    turn: Turn,
    action: CorporateAction,
    account: Account,
    position: Position,
    units_e8: int,
    amount_e4: int,
    cost_e4: int,
    taken: tuple[SoldLot, ...],
    *,
    is_merger: bool,
) -> None:
    """Pay for units from the issuers' account, which realises what they bring beyond their cost. It may be nothing."""
    account.realized_e4 += amount_e4 - cost_e4
    position.realized_e4 += amount_e4 - cost_e4
    turn.state.dirty["position"][position.account_id, position.symbol] = None
    kind = TransactionKind.MERGER_CASH if is_merger else TransactionKind.CASH_IN_LIEU
    post_cash(turn, kind, account, ISSUERS_ACCOUNT_ID, amount_e4, f"act_{action.action_id}")
    posted = turn.events[-1]
    assert isinstance(posted, Posted)
    turn.events.append(
        FractionPaid(
            posted.txn_id,
            action.action_id,
            account.account_id,
            position.symbol,
            units_e8,
            amount_e4,
            taken,
            is_merger,
        )
    )
