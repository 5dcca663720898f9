"""Splits: so many new shares for so many old ones, with cash in lieu of what is no whole lot. Source: docs/corporate-actions.md.

All that carries a quantity or a price of the instrument follows, in this order: open orders (engine/split_orders.py), positions
and their lots, the instrument's prices, dividends that are not recorded, what risk rules have seen today.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.accounts import brought_in_e4
from engine.action_events import ActionEffected, FractionPaid
from engine.closing import close_book
from engine.corporate_state import CorporateAction, DividendStage
from engine.events import Posted, Refused, SoldLot
from engine.kinds import CloseReason, TransactionKind
from engine.ledger import change_outside, post_cash
from engine.lot_methods import take
from engine.refusals import Refusal
from engine.risk import reference_e4
from engine.split_orders import restate_orders, seat_again
from engine.state import CUSTODY_ACCOUNT_ID, ISSUERS_ACCOUNT_ID, Account, Instrument, Position, State
from engine.stops import show_reference
from engine.turn import Turn
from engine.units import (
    CASH_TOTAL_MAX_E4,
    SECURITY_TOTAL_MAX_E8,
    fraction_up_e4,
    lots_down_e8,
    split_down_e8,
    split_price_e4,
    split_rate_e8,
)

RATIO_MAX: Final = 10_000
HOLDERS_MAX: Final = 200_000
"""A holder takes four ids at most, and a command makes no more than IDS_PER_SEQ."""


def split_refusal(state: State, instrument: Instrument, action: CorporateAction) -> Refused | None:
    """Whether a split can be carried out as things are now."""
    n, m = action.numerator, action.denominator
    if not (1 <= n <= RATIO_MAX and 1 <= m <= RATIO_MAX and n != m):
        return Refused(Refusal.INVALID_ACTION, (("numerator", n), ("denominator", m)))
    if instrument.lot_e8 * n < m:
        return Refused(Refusal.INVALID_ACTION, (("lot_e8", instrument.lot_e8),))
    anchor_e4 = reference_e4(instrument)
    if not anchor_e4:
        return Refused(Refusal.NO_REFERENCE_PRICE)
    after_e4 = split_price_e4(anchor_e4, n, m)
    if not instrument.price_min_e4 <= after_e4 <= instrument.price_max_e4:
        return Refused(Refusal.INVALID_ACTION, (("reference_e4", after_e4),))
    units_e8 = -state.outside.get((CUSTODY_ACCOUNT_ID, action.symbol), 0)
    if units_e8 * n // m > SECURITY_TOTAL_MAX_E8:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e8", SECURITY_TOTAL_MAX_E8),))
    holders = 0
    total_e4 = brought_in_e4(state, instrument.currency)
    for _, position in holdings(state, action.symbol):
        holders += 1
        units_e8 = split_down_e8(position.units_e8, n, m)
        total_e4 += fraction_up_e4(units_e8 % instrument.lot_e8, anchor_e4, n, m)
    if holders > HOLDERS_MAX:
        return Refused(Refusal.INVALID_ACTION, (("holders", holders), ("maximum", HOLDERS_MAX)))
    if total_e4 > CASH_TOTAL_MAX_E4:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", CASH_TOTAL_MAX_E4),))
    return None


def holdings(state: State, symbol: str) -> Iterator[tuple[Account, Position]]:
    """Every account that has units, by id."""
    for account_id in sorted(state.accounts):
        position = state.accounts[account_id].positions.get(symbol)
        if position is not None and position.units_e8:
            yield state.accounts[account_id], position


def split(turn: Turn, instrument: Instrument, action: CorporateAction) -> None:
    """Carry a split out."""
    state, symbol = turn.state, action.symbol
    n, m = action.numerator, action.denominator
    anchor_e4 = reference_e4(instrument)
    seats = []
    if n > m:
        seats = restate_orders(turn, instrument, n, m)
    else:
        close_book(turn, state, symbol, CloseReason.CORPORATE_ACTION)
    accounts = cash_e4 = 0
    for account, position in list(holdings(state, symbol)):
        accounts += 1
        cash_e4 += split_position(turn, instrument, action, account, position, anchor_e4)
    restate_prices(instrument, n, m)
    instrument.restated_us = action.effective_us
    state.dirty["instrument"][symbol] = None
    seat_again(turn, seats)
    restate_dividends(state, symbol, n, m)
    restate_risk_windows(state, symbol, n, m)
    turn.events.append(
        ActionEffected(
            action.action_id,
            action.kind,
            symbol,
            action.effective_us,
            n,
            m,
            accounts,
            -state.outside.get((CUSTODY_ACCOUNT_ID, symbol), 0),
            cash_e4,
            instrument.last_e4,
            instrument.reference_e4,
            instrument.previous_close_e4,
        )
    )
    show_reference(turn, instrument)


def split_position(
    turn: Turn,
    instrument: Instrument,
    action: CorporateAction,
    account: Account,
    position: Position,
    anchor_e4: int,
) -> int:
    """Give an account its new units; those that are no whole lot are paid for. Returns the cash."""
    before_e8 = position.units_e8
    restate_lots(turn.state, position, action.numerator, action.denominator)
    part_e8 = position.units_e8 - lots_down_e8(position.units_e8, instrument.lot_e8)
    cost_e4 = 0
    taken: tuple[SoldLot, ...] = ()
    if part_e8:
        cost_e4, taken = take(turn.state, account, position, part_e8, account.lot_method)
    post_change(turn, account, position, position.units_e8 - before_e8, f"act_{action.action_id}")
    if not part_e8:
        return 0
    amount_e4 = fraction_up_e4(part_e8, anchor_e4, action.numerator, action.denominator)
    account.realized_e4 += amount_e4 - cost_e4
    position.realized_e4 += amount_e4 - cost_e4
    pay_fraction(turn, action, account, part_e8, amount_e4, taken)
    return amount_e4


def restate_lots(state: State, position: Position, numerator: int, denominator: int) -> None:
    """Give a position's lots their new units, oldest first: each running total is rounded down, so they sum to the whole.

    A lot of which nothing is left gives its cost to the next, the last ones to the one before. The whole is never nothing.
    """
    running = given = carried_e4 = 0
    newest = None
    for lot in list(position.lots.values()):
        running += lot.units_e8
        due = split_down_e8(running, numerator, denominator)
        lot.units_e8 = due - given
        given = due
        state.dirty["lot"][lot.lot_id] = None
        if lot.units_e8:
            lot.cost_e4 += carried_e4
            carried_e4 = 0
            newest = lot
        else:
            carried_e4 += lot.cost_e4
            del position.lots[lot.lot_id], state.lots[lot.lot_id]
    assert newest is not None
    newest.cost_e4 += carried_e4
    position.units_e8 = given
    position.averaged_lot_id, position.dearest = 0, None
    state.dirty["position"][position.account_id, position.symbol] = None


def post_change(turn: Turn, account: Account, position: Position, units_e8: int, reference: str) -> None:
    """Report the units that an account has more, or fewer, and custody with it; nothing where it has as many as before."""
    if not units_e8:
        return
    symbol = position.symbol
    outside_e8 = change_outside(turn.state, CUSTODY_ACCOUNT_ID, symbol, -units_e8)
    turn.events.append(
        Posted(
            turn.new_id(2),
            TransactionKind.CORPORATE_ACTION,
            reference,
            (
                (account.account_id, symbol, units_e8, position.units_e8),
                (CUSTODY_ACCOUNT_ID, symbol, -units_e8, outside_e8),
            ),
        )
    )


def pay_fraction(
    turn: Turn,
    action: CorporateAction,
    account: Account,
    units_e8: int,
    amount_e4: int,
    taken: tuple[SoldLot, ...],
) -> None:
    """Pay cash in lieu, from the issuers' account."""
    reference = f"act_{action.action_id}"
    post_cash(turn, TransactionKind.CASH_IN_LIEU, account, ISSUERS_ACCOUNT_ID, amount_e4, reference)
    posted = turn.events[-1]
    assert isinstance(posted, Posted)
    turn.events.append(
        FractionPaid(
            posted.txn_id, action.action_id, account.account_id, action.symbol, units_e8, amount_e4, taken
        )
    )


def restate_prices(instrument: Instrument, numerator: int, denominator: int) -> None:
    """Bring every price that an instrument remembers to the new unit."""
    instrument.last_e4 = split_price_e4(instrument.last_e4, numerator, denominator)
    instrument.reference_e4 = split_price_e4(instrument.reference_e4, numerator, denominator)
    instrument.previous_close_e4 = split_price_e4(instrument.previous_close_e4, numerator, denominator)
    instrument.official_close_e4 = split_price_e4(instrument.official_close_e4, numerator, denominator)
    instrument.halt_reference_e4 = split_price_e4(instrument.halt_reference_e4, numerator, denominator)


def restate_dividends(state: State, symbol: str, numerator: int, denominator: int) -> None:
    """Bring the rates of dividends that are not recorded yet to the new unit; what is recorded is for the old ones."""
    for dividend in state.dividends.values():
        if dividend.symbol == symbol and dividend.stage is DividendStage.DECLARED:
            dividend.per_unit_e8 = split_rate_e8(dividend.per_unit_e8, numerator, denominator)
            dividend.is_restated = True
            state.dirty["dividend"][dividend.dividend_id] = None


def restate_risk_windows(state: State, symbol: str, numerator: int, denominator: int) -> None:
    """Bring what accounts have bought less sold today to the new unit."""
    for account_id, window in state.risk_windows.items():
        traded = window.days.get(symbol)
        if traded is not None:
            traded.net_e8 = split_down_e8(traded.net_e8, numerator, denominator)
            state.dirty["risk_window"][account_id] = None
