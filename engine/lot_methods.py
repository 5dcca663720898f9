"""Which lots a sale takes: the methods, and what an order may say about them.

| method | takes | at the cost of |
|---|---|---|
| FIFO | the oldest first | each lot |
| LIFO | the newest first | each lot |
| HIFO | those with the highest cost a unit first, of equal ones the oldest | each lot |
| AVERAGE | the oldest first | the average of all units of the position |
| SPECIFIC | those that the order names, in its order | each lot |

Sources: document 001, "Cost Basis Methods"; IRS Publication 550, "Basis of Investment Property". Lots keep their dates
under every method. With AVERAGE the cost of all lots is spread over their units before a sale (parts sum to the whole), so
a later change of the method goes on from the average. What a SPECIFIC order can't find any more when it fills, because
another sale took it, comes by the account's method. A plain order of a FIFO account never comes here (engine/ledger.py).
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

from msgspec.structs import replace

from engine.events import Refused, SoldLot
from engine.kinds import AccountKind, LotMethod, Side
from engine.orders import Order
from engine.positions import take_fifo
from engine.refusals import Refusal
from engine.state import Account, Dearest, Lot, Position, State
from engine.terms import Special, Terms
from engine.units import cost_share_e4, shares_of

FIFO = LotMethod.FIFO
SPECIFIC = LotMethod.SPECIFIC
UNIT_COST_SCALE: Final = 10**16

LOTS_NAMED_MAX: Final = 100
"""How many lots an order may name: its terms are part of each of its reports."""

Taken = list[SoldLot]


# -- taking


def take_by_method(
    state: State, account: Account, order: Order, position: Position, units_e8: int
) -> tuple[int, tuple[SoldLot, ...]]:
    """Take a fill's units out of a seller's position, as its order or else its account says; cost, and what was taken.

    `order.filled_e8` counts this fill already.
    """
    terms = order.special.terms if order.special is not None else None
    method = terms.lot_method if terms is not None else None
    if account.kind is AccountKind.MARKET_MAKER:
        return take_fifo(state, position, units_e8)
    if method is not SPECIFIC or terms is None:
        return take(state, account, position, units_e8, method or account.lot_method)
    taken = _named(state, position, units_left(terms.lots, order.filled_e8 - units_e8, units_e8))
    left_e8 = units_e8 - sum([part_e8 for _, part_e8, _, _ in taken])
    position.dearest = None
    if left_e8:
        taken += take(state, account, position, left_e8, account.lot_method)[1]
    return sum([cost_e4 for _, _, cost_e4, _ in taken]), tuple(taken)


def take(
    state: State, account: Account, position: Position, units_e8: int, method: LotMethod
) -> tuple[int, tuple[SoldLot, ...]]:
    """Take units out of a position by a method other than SPECIFIC; their cost, and what was taken of each lot."""
    taken = PICKERS[method](state, position, units_e8)
    if method is not LotMethod.HIFO or account.lot_method is not LotMethod.HIFO:
        position.dearest = None  # it would not learn of what other ways take
    return sum([cost_e4 for _, _, cost_e4, _ in taken]), tuple(taken)


def _fifo(state: State, position: Position, units_e8: int) -> Taken:
    return list(take_fifo(state, position, units_e8)[1])


def _lifo(state: State, position: Position, units_e8: int) -> Taken:
    taken = []
    while units_e8:
        lot = position.lots[next(reversed(position.lots))]
        taken.append(take_of(state, position, lot, units_e8))
        units_e8 -= taken[-1][1]
    return taken


def _hifo(state: State, position: Position, units_e8: int) -> Taken:
    heap = dearest_of(position).heap
    taken = []
    while units_e8:
        lot = position.lots[heappop(heap)[1]]
        taken.append(take_of(state, position, lot, units_e8))
        units_e8 -= taken[-1][1]
        if lot.units_e8:
            heappush(heap, by_unit_cost(lot))
    return taken


def _average(state: State, position: Position, units_e8: int) -> Taken:
    newest = next(reversed(position.lots))
    if newest > position.averaged_lot_id:
        spread_cost(state, position)
        position.averaged_lot_id = newest
    due_e4 = cost_share_e4(position.cost_e4, units_e8, position.units_e8)
    taken = _fifo(state, position, units_e8)
    lot_id, part_e8, part_e4, acquired_us = taken[-1]
    lot = position.lots.get(lot_id)
    if lot is not None:  # the part of a broken lot makes up for what rounding by lots left over
        more_e4 = max(-part_e4, min(lot.cost_e4, due_e4 - sum([cost_e4 for _, _, cost_e4, _ in taken])))
        lot.cost_e4 -= more_e4
        position.cost_e4 -= more_e4
        taken[-1] = (lot_id, part_e8, part_e4 + more_e4, acquired_us)
    return taken


PICKERS: Final[dict[LotMethod, Callable[[State, Position, int], Taken]]] = {
    LotMethod.FIFO: _fifo,
    LotMethod.LIFO: _lifo,
    LotMethod.HIFO: _hifo,
    LotMethod.AVERAGE: _average,
}
"""Method → what takes so many units out of a position; it has them."""


def _named(state: State, position: Position, named: list[tuple[int, int]]) -> Taken:
    """What is still there of named lots."""
    taken = []
    for lot_id, units_e8 in named:
        lot = position.lots.get(lot_id)
        if lot is not None:
            taken.append(take_of(state, position, lot, units_e8))
    return taken


def take_of(state: State, position: Position, lot: Lot, units_e8: int) -> SoldLot:
    """Take units of one lot, or all of it if it has no more; what was taken. An empty lot is gone."""
    if units_e8 >= lot.units_e8:
        units_e8, cost_e4 = lot.units_e8, lot.cost_e4
        del position.lots[lot.lot_id], state.lots[lot.lot_id]
    else:
        cost_e4 = cost_share_e4(lot.cost_e4, units_e8, lot.units_e8)
    lot.units_e8 -= units_e8
    lot.cost_e4 -= cost_e4
    position.units_e8 -= units_e8
    position.cost_e4 -= cost_e4
    state.dirty["lot"][lot.lot_id] = None
    state.dirty["position"][position.account_id, position.symbol] = None
    return (lot.lot_id, units_e8, cost_e4, lot.acquired_us)


def spread_cost(state: State, position: Position) -> None:
    """Give each lot the part of the position's cost that its units are of all units."""
    lots = position.lots
    costs = shares_of(position.cost_e4, [lot.units_e8 for lot in lots.values()])
    for lot, cost_e4 in zip(lots.values(), costs, strict=True):
        lot.cost_e4 = cost_e4
        state.dirty["lot"][lot.lot_id] = None


def by_unit_cost(lot: Lot) -> tuple[int, int]:
    """What HIFO sorts by: the highest cost a unit first, then the oldest."""
    return (-(lot.cost_e4 * UNIT_COST_SCALE // lot.units_e8), lot.lot_id)


def dearest_of(position: Position) -> Dearest:
    """The position's lots as a heap, made or brought up to its newest lot: ids grow, so those come last."""
    dearest = position.dearest
    if dearest is None:
        heap = [by_unit_cost(lot) for lot in position.lots.values()]
        heapify(heap)
        dearest = position.dearest = Dearest(heap, 0)
    else:
        for lot_id in reversed(position.lots):
            if lot_id <= dearest.up_to_id:
                break
            heappush(dearest.heap, by_unit_cost(position.lots[lot_id]))
    dearest.up_to_id = next(reversed(position.lots), 0)
    return dearest


# -- what an order may say


def lot_terms_refusal(
    state: State, account: Account, symbol: str, side: Side, quantity_e8: int, terms: Terms
) -> Refused | None:
    """Whether an order's method makes sense, and the lots that it names are there and free.

    INVALID_TERMS names the member; LOT_NOT_FOUND for one that is not there, not the account's, or smaller than what is
    wanted of it; LOT_TAKEN for one that another open order of the account names.
    """
    method, lots = terms.lot_method, terms.lots
    if method is None and not lots:
        return None
    if side is not Side.SELL or account.kind is AccountKind.MARKET_MAKER:
        return Refused(Refusal.INVALID_TERMS, (("lot_method", int(method or 0)),))
    if (method is SPECIFIC) != bool(lots) or len(lots) > LOTS_NAMED_MAX:
        return Refused(Refusal.INVALID_TERMS, (("lots", len(lots)),))
    if not lots:
        return None
    units = dict(lots)
    if len(units) < len(lots) or min(units.values()) <= 0 or sum(units.values()) != quantity_e8:
        return Refused(Refusal.INVALID_TERMS, (("lots", len(lots)),))
    for lot_id, units_e8 in lots:
        lot = state.lots.get(lot_id)
        if lot is None or lot.account_id != account.account_id or lot.symbol != symbol:
            return Refused(Refusal.LOT_NOT_FOUND)
        if lot.units_e8 < units_e8:
            detail = (("required_e8", units_e8), ("available_e8", lot.units_e8))
            return Refused(Refusal.LOT_NOT_FOUND, detail)
    for order in account.orders.values():
        if order.special is not None:
            named = units_left(order.special.terms.lots, order.filled_e8, order.leaves_e8)
            if any(lot_id in units for lot_id, _ in named):
                return Refused(Refusal.LOT_TAKEN)
    return None


def units_left(lots: tuple[tuple[int, int], ...], filled_e8: int, units_e8: int) -> list[tuple[int, int]]:
    """Of the lots that an order names, those for its next units, after what it has filled."""
    found = []
    for lot_id, named_e8 in lots:
        skipped_e8 = min(named_e8, filled_e8)
        filled_e8 -= skipped_e8
        part_e8 = min(named_e8 - skipped_e8, units_e8)
        units_e8 -= part_e8
        if part_e8:
            found.append((lot_id, part_e8))
    return found


def special_of_replacement(old: Order, quantity_e8: int) -> Special | Refused | None:
    """The terms of the order that takes an order's place for so many units: of the lots it names what is left of them.

    INVALID_REPLACE when they do not cover the new order.
    """
    special = old.special
    if special is None or not special.terms.lots:
        return special
    left = units_left(special.terms.lots, old.filled_e8, quantity_e8)
    covered_e8 = sum([part_e8 for _, part_e8 in left])
    if covered_e8 < quantity_e8:
        return Refused(Refusal.INVALID_REPLACE, (("filled_e8", old.filled_e8), ("maximum_e8", covered_e8)))
    return replace(special, terms=replace(special.terms, lots=tuple(left)))
