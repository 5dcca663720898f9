"""Delisting and another symbol in the naive exchange, from docs/corporate-actions.md, and what all three ends of a symbol share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import action_events as e
from engine.corporate_commands import DeclareAction
from engine.events import InstrumentSet, PhaseChanged, Posted
from engine.kinds import CloseReason, KillScope, OrderStatus, Phase, TimerKind, TransactionKind
from tests.engine.naive_records import NaiveAccount
from tests.engine.naive_turn import NaiveInstrument, NaiveTimer, NaiveTurn

if TYPE_CHECKING:
    from tests.engine.naive_exchange import NaiveExchange

CUSTODY = 2


def delist(
    exchange: NaiveExchange, turn: NaiveTurn, instrument: NaiveInstrument, command: DeclareAction
) -> None:
    """The orders end, and the book; everybody keeps the units."""
    symbol = command.symbol
    end_all(exchange, turn, symbol)
    close_for_good(exchange, turn, instrument, "delisted")
    holders = [each for each in exchange.accounts.values() if each.units_e8(symbol)]
    tell(turn, command, instrument, len(holders), exchange.brought_in(CUSTODY, symbol), 0)


def change_symbol(
    exchange: NaiveExchange, turn: NaiveTurn, instrument: NaiveInstrument, command: DeclareAction
) -> None:
    """All but quotes goes on under another name."""
    old, new = command.symbol, command.new_symbol
    mine = [order for order in exchange.orders if order.symbol == old]
    for order in sorted(mine, key=exchange.from_the_top):
        if order.is_quote:
            exchange.end(turn, order, OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)
    fields = {name: getattr(instrument, name) for name in instrument.__dataclass_fields__}
    listed = NaiveInstrument(**{**fields, "symbol": new})
    exchange.instruments[new] = listed
    said = {name: getattr(listed, name) for name in InstrumentSet.__struct_fields__}
    turn.events.append(InstrumentSet(**said))
    turn.events.append(PhaseChanged(new, listed.phase, "symbol_change"))
    for timer in list(exchange.timers):
        if (timer.kind, timer.target) == (TimerKind.REOPEN, old):
            exchange.timers.append(NaiveTimer(turn.new_id(), timer.due_us, TimerKind.REOPEN, new))
    for order in mine:
        if order.open():
            exchange.touch(turn, order)
            order.symbol = new
            exchange.touch(turn, order)
    holders = [each for each in exchange.accounts.values() if each.units_e8(old)]
    for account in sorted(holders, key=lambda each: each.account_id):
        units_e8 = account.units_e8(old)
        account.lots[new], account.averaged[new] = account.lots.pop(old), account.averaged.pop(old, 0)
        swap(exchange, turn, command, account, units_e8, units_e8)
    if (KillScope.SYMBOL, old) in exchange.switches:
        exchange.switches.remove((KillScope.SYMBOL, old))
        exchange.switches.add((KillScope.SYMBOL, new))
    close_for_good(exchange, turn, instrument, "symbol_change")
    instrument.restated_us = command.effective_us
    tell(turn, command, listed, len(holders), exchange.brought_in(CUSTODY, new), 0)


def swap(
    exchange: NaiveExchange,
    turn: NaiveTurn,
    command: DeclareAction,
    account: NaiveAccount,
    old_e8: int,
    new_e8: int,
) -> None:
    """One transaction: units of the old symbol go to custody, those of the new one come from it."""
    rows = []
    for symbol, more_e8 in ((command.new_symbol, new_e8), (command.symbol, -old_e8)):
        if more_e8:
            there_e8 = exchange.outside.get((CUSTODY, symbol), 0) - more_e8
            exchange.outside[CUSTODY, symbol] = there_e8
            rows.append((account.account_id, symbol, more_e8, account.units_e8(symbol)))
            rows.append((CUSTODY, symbol, -more_e8, there_e8))
    kind, reference = TransactionKind.CORPORATE_ACTION, f"act_{command.action_id}"
    turn.events.append(Posted(turn.new_id(2), kind, reference, tuple(rows)))


def end_all(exchange: NaiveExchange, turn: NaiveTurn, symbol: str) -> None:
    mine = [order for order in exchange.orders if order.symbol == symbol]
    for order in sorted(mine, key=exchange.from_the_top):
        if order.open():
            exchange.end(turn, order, OrderStatus.CANCELLED, CloseReason.CORPORATE_ACTION)


def close_for_good(
    exchange: NaiveExchange, turn: NaiveTurn, instrument: NaiveInstrument, reason: str
) -> None:
    instrument.delisted, instrument.halted, instrument.phase = True, False, Phase.CLOSED
    exchange.drop_reopening(instrument)
    turn.events.append(PhaseChanged(instrument.symbol, Phase.CLOSED, reason))


def tell(
    turn: NaiveTurn,
    command: DeclareAction,
    instrument: NaiveInstrument,
    accounts: int,
    units_e8: int,
    cash_e4: int,
) -> None:
    """What it came to; the prices are those of the instrument that goes on."""
    turn.events.append(
        e.ActionEffected(
            *(command.action_id, command.kind, command.symbol, command.effective_us, command.numerator),
            *(command.denominator, accounts, units_e8, cash_e4, instrument.last_e4),
            *(instrument.reference_e4, instrument.previous_close_e4, command.new_symbol),
        )
    )
