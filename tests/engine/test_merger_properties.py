"""Mergers in random worlds: units of the old share are gone, those of the new one and the cash are what the terms say, lots add up.

Invariants hold after every command (tests/engine/world.py): cash and units sum to zero, cost and realised gains are conserved.
"""

from __future__ import annotations

from random import Random

import pytest

from engine.commands import TransferIn
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from engine.state import CUSTODY_ACCOUNT_ID, ISSUERS_ACCOUNT_ID
from engine.state_hash import state_hash
from engine.units import MINUTE_US
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.test_split_properties import PEOPLE, random_world
from tests.engine.world import e4, e8, refusal, stock

RATIOS = ((1, 1), (2, 1), (3, 2), (1, 3), (7, 10), (1, 9))


@pytest.mark.parametrize("seed", range(8))
def test_a_merger_gives_everybody_what_its_terms_say(seed: int) -> None:
    dice = Random(seed)
    world = random_world(dice)
    lot = dice.choice(("1", "0.01", "3"))
    assert refusal(world.do(stock("BIG", lot=lot, reference=str(dice.randrange(20, 300))))) == "accepted"
    names = (*PEOPLE, "mm")
    for who in dice.sample(names, 2):
        world.do(TransferIn(world.ids[who], "BIG", e8(lot) * dice.randrange(1, 99), e4("777")))
    new, old = RATIOS[seed % len(RATIOS)]
    cash_e8 = dice.choice((0, 1, e8("3.33333333"), e8("55")))
    units = {who: world.account(who).positions["AAPL"].units_e8 for who in names}
    big = {who: world.account(who).positions.get("BIG") for who in names}
    owned = {who: each.units_e8 if each is not None else 0 for who, each in big.items()}
    cash = {who: world.account(who).cash_e4 for who in names}
    dates = {lot.lot_id: lot.acquired_us for lot in world.state.lots.values()}
    effective_us = (world.now_us // MINUTE_US + 1) * MINUTE_US
    command = DeclareAction(1, ActionKind.MERGER, "AAPL", effective_us, new, old, "BIG", cash_e8)
    assert refusal(world.do(command)) == "accepted"
    mirror = Mirror(world.state)
    world.advance(effective_us)
    mirror.cut(world.state)
    assert mirror.rows == all_rows(world.state)
    assert state_hash(restored(mirror.rows)) == state_hash(world.state)
    price_e4 = world.state.instruments["BIG"].reference_e4
    paid_e4 = 0
    for who in names:
        given_e8 = units[who] * new // old
        part_e8 = given_e8 % e8(lot)
        assert world.account(who).positions["BIG"].units_e8 == owned[who] + given_e8 - part_e8
        due_e4 = units[who] * cash_e8 // 10**12 + -(-part_e8 * price_e4 // 10**8)
        assert world.account(who).cash_e4 - cash[who] == due_e4
        paid_e4 += due_e4
    assert world.state.outside.get((ISSUERS_ACCOUNT_ID, "USD"), 0) == -paid_e4
    assert world.state.outside[CUSTODY_ACCOUNT_ID, "AAPL"] == 0
    assert all(dates[lot.lot_id] == lot.acquired_us for lot in world.state.lots.values())
    assert not [order for order in world.state.orders.values() if order.symbol == "AAPL"]
