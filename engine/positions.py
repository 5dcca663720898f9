"""Positions and the lots they are made of. A sale takes the oldest lots first (FIFO)."""

from __future__ import annotations

from engine.events import SoldLot
from engine.kinds import AccountKind
from engine.state import Account, Lot, Position, State
from engine.turn import Turn
from engine.units import cost_share_e4

MARKET_MAKER = AccountKind.MARKET_MAKER


def add_lot(
    turn: Turn, account: Account, position: Position, lot_id: int, units_e8: int, cost_e4: int
) -> None:
    """Add units to a position as a lot of their own.

    Market makers hold one pooled lot a symbol: they choose no lots, and would make thousands.
    """
    state = turn.state
    position.units_e8 += units_e8
    position.cost_e4 += cost_e4
    state.dirty["position"][position.account_id, position.symbol] = None
    if account.kind is MARKET_MAKER and position.lots:
        lot = next(iter(position.lots.values()))
        lot.units_e8 += units_e8
        lot.cost_e4 += cost_e4
        state.dirty["lot"][lot.lot_id] = None
        return
    position.lots[lot_id] = state.lots[lot_id] = Lot(
        lot_id, position.account_id, position.symbol, units_e8, cost_e4, turn.now_us
    )
    state.dirty["lot"][lot_id] = None


def take_fifo(state: State, position: Position, units_e8: int) -> tuple[int, tuple[SoldLot, ...]]:
    """Take units out of a position, oldest lots first; returns their cost, and what was taken of each lot."""
    lots, dirty = position.lots, state.dirty
    cost_e4 = 0
    taken: list[SoldLot] = []
    left_e8 = units_e8
    while left_e8:
        lot = lots[next(iter(lots))]
        lot_e8 = lot.units_e8
        dirty["lot"][lot.lot_id] = None
        if lot_e8 <= left_e8:
            left_e8 -= lot_e8
            cost_e4 += lot.cost_e4
            taken.append((lot.lot_id, lot_e8, lot.cost_e4, lot.acquired_us))
            del lots[lot.lot_id], state.lots[lot.lot_id]
        else:
            part_e4 = cost_share_e4(lot.cost_e4, left_e8, lot_e8)
            lot.units_e8 = lot_e8 - left_e8
            lot.cost_e4 -= part_e4
            cost_e4 += part_e4
            taken.append((lot.lot_id, left_e8, part_e4, lot.acquired_us))
            left_e8 = 0
    position.units_e8 -= units_e8
    position.cost_e4 -= cost_e4
    dirty["position"][position.account_id, position.symbol] = None
    return cost_e4, tuple(taken)
