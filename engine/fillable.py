"""How much of an order the book would fill now, for FOK. Nothing changes."""

from __future__ import annotations

from collections import deque
from typing import Final

from engine.book import BookSide
from engine.halts import band_e4
from engine.iceberg import visible_e8
from engine.kinds import SelfTradePrevention
from engine.orders import Order
from engine.state import Instrument, State

CANCEL_OLDEST = SelfTradePrevention.CANCEL_OLDEST

SLICES_MET_MAX: Final = 10_000
"""A FOK order that needs more fills than that is refused: others end there (engine/matching.py)."""


def fillable_e8(state: State, side: BookSide, order: Order) -> int:
    """How much of an order the book would fill now: up to its quantity.

    Its own resting orders count for nothing: they end the matching (cancel newest, decrement) or go (cancel oldest).
    """
    limit_key = order.limit_e4 * side.sign
    found_e8 = 0
    bounds_e4 = None
    instrument = state.instruments[order.symbol]
    for level in side.best_first():
        if level.key > limit_key:
            break
        resting = level.first
        while resting is not None:
            if resting.special is not None and (resting.special.group_id or resting.special.terms.display_e8):
                return _slice_by_slice_e8(state, instrument, side, order)
            if resting.account_id != order.account_id:
                if instrument.halt_bps:  # no farther than the band; the order is new, so it was made now
                    bounds_e4 = bounds_e4 or band_e4(instrument, order.updated_us, level.price_e4)
                    if not bounds_e4[0] <= level.price_e4 <= bounds_e4[1]:
                        return found_e8
                found_e8 += resting.leaves_e8
                if found_e8 >= order.quantity_e8:
                    return order.quantity_e8
            elif order.self_trade_prevention is not CANCEL_OLDEST:
                return found_e8
            resting = resting.after
    return found_e8


def _slice_by_slice_e8(state: State, instrument: Instrument, side: BookSide, order: Order) -> int:
    """The same where there are icebergs, which are met a slice at a time, and pairs, which trade once."""
    limit_key = order.limit_e4 * side.sign
    found_e8 = 0
    bounds_e4 = None
    met = 0
    gone_e8: dict[int, int] = {}  # of a pair, by its group: what a fill of one leg takes off both
    for level in side.best_first():
        if level.key > limit_key or met >= SLICES_MET_MAX:
            break
        queue: deque[tuple[Order, int]] = deque()  # each with what was taken of it alone
        resting = level.first
        while resting is not None:
            queue.append((resting, 0))
            resting = resting.after
        while queue and met < SLICES_MET_MAX:
            resting, taken_e8 = queue.popleft()
            special = resting.special
            group_id = special.group_id if special is not None else 0
            if group_id:
                taken_e8 = gone_e8.get(group_id, 0)
            left_e8 = resting.leaves_e8 - taken_e8
            if resting.account_id == order.account_id:
                if order.self_trade_prevention is not CANCEL_OLDEST:
                    return found_e8
                continue
            if left_e8 <= 0:
                continue
            if instrument.halt_bps:
                bounds_e4 = bounds_e4 or band_e4(instrument, order.updated_us, level.price_e4)
                if not bounds_e4[0] <= level.price_e4 <= bounds_e4[1]:
                    return found_e8
            display_e8 = special.terms.display_e8 if special is not None else 0
            slice_e8 = min(display_e8 or left_e8, left_e8) if taken_e8 else min(visible_e8(resting), left_e8)
            met += 1
            found_e8 += slice_e8
            if found_e8 >= order.quantity_e8:
                return order.quantity_e8
            taken_e8 += slice_e8
            if group_id:
                gone_e8[group_id] = taken_e8
            if taken_e8 < resting.leaves_e8:
                queue.append((resting, taken_e8))
    return found_e8
