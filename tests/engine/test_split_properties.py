"""A split and the one that takes it back, in random worlds: value is kept to within the roundings of docs/corporate-actions.md.

Invariants hold after every command (tests/engine/world.py), so cash and units sum to zero throughout.
"""

from __future__ import annotations

from random import Random

import pytest

from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.kinds import LotMethod, TimeInForce
from engine.risk import reference_e4
from engine.state import Position
from engine.units import MINUTE_US, QUANTITY_SCALE
from tests.engine.world import BUY, DAY, GTC, LIMIT, SELL, World, e8, refusal, shown, stock

WORLDS = 12
PEOPLE = ("ann", "bob", "cal")
METHODS = (LotMethod.FIFO, LotMethod.LIFO, LotMethod.HIFO, LotMethod.AVERAGE)
RATIOS = ((2, 1), (3, 1), (10, 1), (20, 1), (3, 2), (7, 5), (10, 3), (1, 2), (1, 7), (2, 3))


def random_world(dice: Random) -> World:
    """Three customers and a market maker with lots of random trades, and orders that are left."""
    lot = dice.choice(("1", "1", "0.01", "0.0001", "5"))
    tick = dice.choice(("0.01", "0.0001"))
    listing = stock(lot=lot, low="1", tick=tick, reference=str(dice.randrange(60, 140)))
    world = World(listings=[listing])
    for who in (*PEOPLE, "mm"):
        units = shown(e8(lot) * dice.randrange(600, 4_000), 10**8)
        world.open(who, cash="1000000", shares=units, maker=who == "mm")
        world.account(who).lot_method = LotMethod.FIFO if who == "mm" else dice.choice(METHODS)
    for _ in range(14):
        buyer, seller = dice.sample(PEOPLE, 2)
        quantity = shown(e8(lot) * dice.randrange(2, 60), 10**8)
        price = str(listing.reference_e4 // 10**4 + dice.randrange(-3, 4))
        world.place(buyer, BUY, quantity, price, dice.choice((DAY, GTC)))
        world.place(seller, SELL, quantity, price, dice.choice((DAY, GTC, TimeInForce.IOC)))
        world.order(seller, SELL, quantity, LIMIT, GTC, price="150", display=lot)
    return world


def split(world: World, action_id: int, new: int, old: int) -> None:
    effective_us = (world.now_us // MINUTE_US + 1) * MINUTE_US
    declared = world.do(DeclareAction(action_id, ActionKind.SPLIT, "AAPL", effective_us, new, old))
    assert refusal(declared) == "accepted"
    world.advance(effective_us)
    assert world.state.instruments["AAPL"].restated_us == effective_us


def price_of(world: World) -> int:
    return reference_e4(world.state.instruments["AAPL"])


def worth(world: World, who: str) -> int:
    """Cash, and units at the last price, as one figure in 1e-12."""
    account = world.account(who)
    return account.cash_e4 * QUANTITY_SCALE + account.positions["AAPL"].units_e8 * price_of(world)


def lots(position: Position) -> list[tuple[int, int, int, int]]:
    return [(lot.lot_id, lot.units_e8, lot.cost_e4, lot.acquired_us) for lot in position.lots.values()]


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_split_and_its_reverse_keep_what_everybody_is_worth(seed: int) -> None:
    """Each may be off by the rounding of the price on all units, of a fraction's cash, and by less than 1e-8 of a share."""
    dice = Random(seed)
    world = random_world(dice)
    new, old = RATIOS[seed % len(RATIOS)]
    positions = {who: world.account(who).positions["AAPL"] for who in (*PEOPLE, "mm")}
    worths = {who: worth(world, who) for who in positions}
    units = {who: position.units_e8 for who, position in positions.items()}
    before = {who: lots(position) for who, position in positions.items()}
    dates = {lot_id: acquired_us for each in before.values() for lot_id, _, _, acquired_us in each}
    bounds = dict.fromkeys(positions, 0)
    for action_id, ratio in enumerate(((new, old), (old, new)), start=1):
        split(world, action_id, *ratio)
        for who, position in positions.items():
            bounds[who] += position.units_e8 + QUANTITY_SCALE + price_of(world)
            assert abs(worth(world, who) - worths[who]) <= bounds[who]
            assert all(dates[lot_id] == acquired_us for lot_id, _, _, acquired_us in lots(position))
    for who, position in positions.items():
        assert position.units_e8 <= units[who]
        if old == 1:  # nothing is rounded on the way there, and so nothing on the way back
            assert (position.units_e8, lots(position)) == (units[who], before[who])
