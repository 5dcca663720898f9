"""The end of a symbol: delisted, or called by another name from a minute on. Source: docs/corporate-actions.md.

A delisted instrument stays known, for what was traded and held under it. Nothing trades in it any more.
"""

from __future__ import annotations

import dataclasses

from engine.action_events import ActionEffected
from engine.asset_names import is_currency
from engine.book import Book
from engine.closing import close_book, close_order
from engine.corporate_state import ActionKind, ActionStage, CorporateAction, DividendStage
from engine.events import InstrumentSet, PhaseChanged, Posted, Refused
from engine.kinds import CloseReason, KillScope, OrderStatus, Phase, TimerKind, TransactionKind
from engine.ledger import change_outside, position_of
from engine.orders import Order
from engine.refusals import Refusal
from engine.risk_state import table_of
from engine.splits import HOLDERS_MAX, holdings
from engine.state import CUSTODY_ACCOUNT_ID, Account, Instrument, KillSwitch, Position, State
from engine.stop_book import arm, disarm, is_armed_stop
from engine.timers import add_timer, drop_timer
from engine.turn import Turn
from engine.waiting import off_book_of, set_aside, take_back

SYMBOL_MAX = 32
"""No symbol of config is longer; tables and streams hold that many."""


def delisting_refusal(state: State, instrument: Instrument, action: CorporateAction) -> Refused | None:
    """Whether an instrument can be delisted: if it is not already."""
    return None


def delist(turn: Turn, instrument: Instrument, action: CorporateAction) -> None:
    """End all orders and close the book for good. Holders keep what they have, at its last price."""
    close_book(turn, turn.state, instrument.symbol, CloseReason.CORPORATE_ACTION)
    shut(turn, instrument, "delisted")
    report(turn, instrument, action, sum([1 for _ in holdings(turn.state, action.symbol)]))


def shut(turn: Turn, instrument: Instrument, reason: str) -> None:
    """Close a book that has no orders for good."""
    state = turn.state
    timer_id = state.timer_ids.get((TimerKind.REOPEN, instrument.symbol))
    if timer_id is not None:
        drop_timer(state, state.timers[timer_id])
    instrument.phase = Phase.CLOSED
    instrument.halted = False
    instrument.indicative = (0, 0, 0)
    instrument.is_delisted = True
    state.dirty["instrument"][instrument.symbol] = None
    turn.events.append(PhaseChanged(instrument.symbol, Phase.CLOSED, reason))


def report(
    turn: Turn, instrument: Instrument, action: CorporateAction, accounts: int, cash_e4: int = 0
) -> None:
    """Say that an action has taken effect, with the figures of the instrument that goes on."""
    turn.events.append(
        ActionEffected(
            action.action_id,
            action.kind,
            action.symbol,
            action.effective_us,
            action.numerator,
            action.denominator,
            accounts,
            -turn.state.outside.get((CUSTODY_ACCOUNT_ID, instrument.symbol), 0),
            cash_e4,
            instrument.last_e4,
            instrument.reference_e4,
            instrument.previous_close_e4,
            action.new_symbol,
        )
    )


# -- another name


def symbol_change_refusal(state: State, instrument: Instrument, action: CorporateAction) -> Refused | None:
    """Whether an instrument can be called so: by a name that nothing has."""
    name = action.new_symbol
    if (
        not 0 < len(name) <= SYMBOL_MAX
        or not name.isprintable()
        or name in state.instruments
        or is_currency(state, name)
    ):
        return Refused(Refusal.INVALID_ACTION)
    holders = sum([1 for _ in holdings(state, action.symbol)])
    if holders > HOLDERS_MAX:
        return Refused(Refusal.INVALID_ACTION, (("holders", holders), ("maximum", HOLDERS_MAX)))
    return None


def change_symbol(turn: Turn, instrument: Instrument, action: CorporateAction) -> None:
    """List the instrument anew under its new symbol and move over all that is open or held; the old one is delisted."""
    state = turn.state
    successor = dataclasses.replace(instrument, symbol=action.new_symbol)
    state.instruments[successor.symbol] = successor
    state.books[successor.symbol] = Book(successor.symbol)
    state.dirty["instrument"][successor.symbol] = None
    turn.events.append(
        InstrumentSet(
            *(successor.symbol, successor.name, successor.currency, successor.tick_e4, successor.lot_e8),
            *(successor.price_min_e4, successor.price_max_e4, successor.calendar, successor.price_source),
            *(successor.band_bps, successor.fee_schedule),
        )
    )
    turn.events.append(PhaseChanged(successor.symbol, successor.phase, "symbol_change"))
    timer_id = state.timer_ids.get((TimerKind.REOPEN, instrument.symbol))
    if timer_id is not None:
        add_timer(turn, state.timers[timer_id].due_us, TimerKind.REOPEN, successor.symbol)
    move_orders(turn, instrument, successor)
    accounts = 0
    for account, position in list(holdings(state, instrument.symbol)):
        accounts += 1
        move_position(turn, account, position, successor.symbol, f"act_{action.action_id}")
    move_rules(state, instrument.symbol, successor.symbol)
    move_windows(state, instrument.symbol, successor.symbol)
    move_what_is_to_come(state, action, successor.symbol)
    instrument.restated_us = action.effective_us
    shut(turn, instrument, "symbol_change")
    report(turn, successor, action, accounts)


def move_orders(turn: Turn, instrument: Instrument, successor: Instrument) -> None:
    """Quotes end; all other open orders stand under the new symbol where they stood, each at its priority."""
    state, symbol = turn.state, instrument.symbol
    book = state.books[symbol]
    found = [*book.resting(), *off_book_of(state, symbol)]
    for order in found:
        if order.is_quote:
            close_order(turn, order, OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)
    for order in [each for each in found if not each.is_quote]:
        move_order(turn, order, successor.symbol)


def move_order(turn: Turn, order: Order, symbol: str) -> None:
    """Take an open order over to the book of another symbol. What it holds is moved with its account's position."""
    state, level = turn.state, order.level
    special = order.special
    if level is not None:
        level.side.remove(order)
        turn.levels[level] = None
        order.special = special  # an iceberg shows what it showed
    else:
        take_back(state, order)
        disarm(state, order)
    order.symbol = symbol
    if order.position is not None:
        order.position = position_of(state, state.accounts[order.account_id], symbol)
    order.updated_us = turn.now_us
    turn.orders[order.order_id] = order
    if level is not None:
        turn.levels[state.books[symbol].side(order.side).insert(order)] = None
        return
    set_aside(state, order)
    if is_armed_stop(order):
        arm(state, order)


def move_position(turn: Turn, account: Account, position: Position, symbol: str, reference: str) -> None:
    """Give an account the same lots under another symbol. What it has realised stays with the old one."""
    state, old = turn.state, position.symbol
    new = position_of(state, account, symbol)
    units_e8 = position.units_e8
    for lot_id, lot in position.lots.items():
        lot.symbol = symbol
        new.lots[lot_id] = lot
        state.dirty["lot"][lot_id] = None
    new.units_e8, new.held_e8, new.cost_e4 = units_e8, position.held_e8, position.cost_e4
    new.averaged_lot_id = position.averaged_lot_id
    position.lots.clear()
    position.units_e8 = position.held_e8 = position.cost_e4 = position.averaged_lot_id = 0
    position.dearest = None
    state.dirty["position"][account.account_id, old] = None
    state.dirty["position"][account.account_id, symbol] = None
    given_e8 = change_outside(state, CUSTODY_ACCOUNT_ID, symbol, -units_e8)
    taken_e8 = change_outside(state, CUSTODY_ACCOUNT_ID, old, units_e8)
    turn.events.append(
        Posted(
            turn.new_id(2),
            TransactionKind.CORPORATE_ACTION,
            reference,
            (
                (account.account_id, symbol, units_e8, units_e8),
                (CUSTODY_ACCOUNT_ID, symbol, -units_e8, given_e8),
                (account.account_id, old, -units_e8, 0),
                (CUSTODY_ACCOUNT_ID, old, units_e8, taken_e8),
            ),
        )
    )


def move_rules(state: State, old: str, symbol: str) -> None:
    """Risk rules and kill switches that name the symbol name the new one."""
    for key in [key for key in state.risk_rules if key[2] == old]:
        row = state.risk_rules.pop(key)
        row.symbol = symbol
        state.risk_rules[key[0], key[1], symbol] = row
        state.dirty["risk_rule"][key] = state.dirty["risk_rule"][key[0], key[1], symbol] = None
    state.risk = table_of(state.risk_rules.values())
    switch = state.kill_switches.pop((KillScope.SYMBOL, old), None)
    if switch is not None:
        state.kill_switches[KillScope.SYMBOL, symbol] = KillSwitch(KillScope.SYMBOL, symbol, switch.reason)
        state.dirty["kill_switch"][KillScope.SYMBOL, old] = None
        state.dirty["kill_switch"][KillScope.SYMBOL, symbol] = None


def move_windows(state: State, old: str, symbol: str) -> None:
    """What accounts have traded today they have traded in the new symbol."""
    for account_id, window in state.risk_windows.items():
        traded = window.days.pop(old, None)
        if traded is not None:
            traded.symbol = symbol
            window.days[symbol] = traded
            state.dirty["risk_window"][account_id] = None


def move_what_is_to_come(state: State, done: CorporateAction, symbol: str) -> None:
    """Dividends that are not paid and actions that are declared are the new symbol's, and so are mergers into it."""
    for dividend in state.dividends.values():
        if dividend.symbol == done.symbol and dividend.stage is not DividendStage.PAID:
            dividend.symbol = symbol
            state.dirty["dividend"][dividend.dividend_id] = None
    for action in state.actions.values():
        if action.stage is not ActionStage.DECLARED:
            continue
        if action.symbol == done.symbol:
            action.symbol = symbol
            state.dirty["action"][action.action_id] = None
        elif action.kind is ActionKind.MERGER and action.new_symbol == done.symbol:
            action.new_symbol = symbol
            state.dirty["action"][action.action_id] = None
