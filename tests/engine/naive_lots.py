"""Which lots a sale of the naive exchange takes, from docs/lots.md and docs/orders.md, and what an order may say about them."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from engine.commands import PlaceOrder, SetLotMethod
from engine.events import LotMethodSet, Refused
from engine.kinds import AccountKind, AccountStatus, LotMethod, Side
from engine.refusals import Refusal
from engine.terms import NO_TERMS, Terms
from tests.engine.naive_records import NaiveAccount, NaiveOrder, SoldLot
from tests.engine.naive_turn import NaiveTurn

if TYPE_CHECKING:
    from tests.engine.naive_rules import NaiveRules

NAMED_MAX = 100


# -- taking


def sell(account: NaiveAccount, order: NaiveOrder, units_e8: int) -> list[SoldLot]:
    """A fill's units, which `order` counts already, of the lots that it or its account says."""
    terms, symbol = order.asked(), order.symbol
    if account.kind is AccountKind.MARKET_MAKER or terms.lot_method is not LotMethod.SPECIFIC:
        return take(account, symbol, units_e8, terms.lot_method)
    taken: list[SoldLot] = []
    for lot_id, part_e8 in named_next(terms.lots, order.filled_e8() - units_e8, units_e8):
        there = [lot for lot in account.lots[symbol] if lot[0] == lot_id]
        taken += [account.take_of(symbol, lot, part_e8) for lot in there]
    rest_e8 = units_e8 - sum(part_e8 for _, part_e8, _, _ in taken)
    return taken + take(account, symbol, rest_e8, None)


def take(account: NaiveAccount, symbol: str, units_e8: int, method: LotMethod | None = None) -> list[SoldLot]:
    """By a method, or by the account's."""
    taken: list[SoldLot] = []
    method = method or account.lot_method
    if account.kind is AccountKind.MARKET_MAKER:
        method = LotMethod.FIFO
    if method is LotMethod.AVERAGE and units_e8:
        return take_at_average(account, symbol, units_e8)
    while units_e8:
        lots = account.lots[symbol]
        best = {
            LotMethod.FIFO: lots[0],
            LotMethod.LIFO: lots[-1],
            LotMethod.HIFO: min(lots, key=lambda lot: (-Fraction(lot[2], lot[1]), lot[0])),
        }[method]
        taken.append(account.take_of(symbol, best, units_e8))
        units_e8 -= taken[-1][1]
    return taken


def take_at_average(account: NaiveAccount, symbol: str, units_e8: int) -> list[SoldLot]:
    """The oldest, at the average cost of all; a lot that is broken makes up for what the others' parts are off."""
    lots = account.lots[symbol]
    if any(lot[0] > account.averaged.get(symbol, 0) for lot in lots):
        spread(account, symbol)
    all_e8, all_e4 = sum(lot[1] for lot in lots), sum(lot[2] for lot in lots)
    due_e4 = floor(Fraction(all_e4 * units_e8, all_e8))
    taken = account.deliver(symbol, units_e8)
    lots = account.lots[symbol]
    lot_id, part_e8, part_e4, since_us = taken[-1]
    if lots and lots[0][0] == lot_id:
        more_e4 = due_e4 - sum(cost_e4 for _, _, cost_e4, _ in taken)
        more_e4 = max(-part_e4, min(more_e4, lots[0][2]))
        lots[0][2] -= more_e4
        taken[-1] = (lot_id, part_e8, part_e4 + more_e4, since_us)
    return taken


def spread(account: NaiveAccount, symbol: str) -> None:
    """Give each lot the average cost of its units."""
    lots = account.lots[symbol]
    all_e8, all_e4 = sum(lot[1] for lot in lots), sum(lot[2] for lot in lots)
    units_e8 = given_e4 = 0
    for lot in lots:
        units_e8 += lot[1]
        lot[2] = floor(Fraction(all_e4 * units_e8, all_e8)) - given_e4
        given_e4 += lot[2]
    account.averaged[symbol] = max(lot[0] for lot in lots)


def named_next(lots: tuple[tuple[int, int], ...], filled_e8: int, units_e8: int) -> list[tuple[int, int]]:
    """Of what an order names, the parts from `filled_e8` on, for so many units."""
    found, begin_e8 = [], 0
    for lot_id, named_e8 in lots:
        first_e8 = max(begin_e8, filled_e8)
        last_e8 = min(begin_e8 + named_e8, filled_e8 + units_e8)
        if last_e8 > first_e8:
            found.append((lot_id, last_e8 - first_e8))
        begin_e8 += named_e8
    return found


# -- what may be said


def set_method(rules: NaiveRules, turn: NaiveTurn, account_id: int, command: SetLotMethod) -> Refused | None:
    account = rules.accounts.get(account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if account.status is AccountStatus.DISABLED:
        return Refused(Refusal.ACCOUNT_DISABLED)
    if command.method is LotMethod.SPECIFIC or account.kind is AccountKind.MARKET_MAKER:
        return Refused(Refusal.INVALID_TERMS, (("lot_method", int(command.method)),))
    account.lot_method = command.method
    turn.events.append(LotMethodSet(account_id, command.method))
    return None


def bad_lots(
    rules: NaiveRules, account: NaiveAccount, command: PlaceOrder, quantity_e8: int
) -> Refused | None:
    """Whether what an order says about lots makes no sense, or they are not there, or another's."""
    terms = command.terms or NO_TERMS
    method, lots = terms.lot_method, terms.lots
    if method is None and not lots:
        return None
    if command.side is Side.BUY or account.kind is AccountKind.MARKET_MAKER:
        return Refused(Refusal.INVALID_TERMS, (("lot_method", int(method or 0)),))
    ids = [lot_id for lot_id, _ in lots]
    wrong = (
        (method is LotMethod.SPECIFIC) != bool(lots)
        or len(lots) > NAMED_MAX
        or len(set(ids)) < len(ids)
        or any(units_e8 <= 0 for _, units_e8 in lots)
        or (bool(lots) and sum(units_e8 for _, units_e8 in lots) != quantity_e8)
    )
    if wrong:
        return Refused(Refusal.INVALID_TERMS, (("lots", len(lots)),))
    for lot_id, units_e8 in lots:
        has_e8 = [lot[1] for lot in account.lots.get(command.symbol, []) if lot[0] == lot_id]
        if not has_e8:
            return Refused(Refusal.LOT_NOT_FOUND)
        if has_e8[0] < units_e8:
            detail = (("required_e8", units_e8), ("available_e8", has_e8[0]))
            return Refused(Refusal.LOT_NOT_FOUND, detail)
    for order in rules.orders:
        if order.account_id == account.account_id:
            still = named_next(order.asked().lots, order.filled_e8(), order.leaves_e8())
            if any(lot_id in ids for lot_id, _ in still):
                return Refused(Refusal.LOT_TAKEN)
    return None


def go_on_with(old: NaiveOrder, terms: Terms | None, quantity_e8: int) -> Refused | Terms | None:
    """The terms of a replacement for so many units."""
    if terms is None or not terms.lots:
        return terms
    left = named_next(terms.lots, old.filled_e8(), quantity_e8)
    there_e8 = sum(units_e8 for _, units_e8 in left)
    if there_e8 < quantity_e8:
        return Refused(Refusal.INVALID_REPLACE, (("filled_e8", old.filled_e8()), ("maximum_e8", there_e8)))
    return changed(terms, lots=tuple(left))
