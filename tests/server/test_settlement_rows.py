"""Settlement's rows in Postgres, what `verify` finds wrong with them, and recovery in the middle of a cycle."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from engine.commands import AdjustCash, SetCalendar, SetFees, SetSettlement
from engine.events import GoodFaithViolated
from engine.invariants import check_invariants
from engine.state_hash import state_hash
from engine.units import DAY_US
from server.verify import verify
from server.verify_journal import verify_journal
from sql.checks import CHECKS
from tests.server.ledger_world import START_US, World, open_world
from tests.server.test_verify_rows import world_of


def later(world: World, us: int) -> None:
    """Let time pass; what is due is fired before the next command."""
    clock = world.runtime.clock
    clock.us += us  # type: ignore[attr-defined]
    world.submit(SetFees("other", 0, 0))


def found(world: World) -> None:
    """Two days to settle, every day a business day; three traders."""
    world.found(traders=3)
    today = START_US // DAY_US
    days = tuple((day * DAY_US, (day + 1) * DAY_US) for day in range(today, today + 30))
    world.submit(SetCalendar("ALWAYS", days))
    world.submit(SetSettlement("ALWAYS", 2))
    world.submit(SetFees("standard", 1_000, 2_500, sell_ppb=27_800))


def violate(world: World) -> None:
    """One who has only unsettled cash buys with it and sells what was bought."""
    first, second, third = world.account_ids
    cash_e4 = world.state.accounts[first].available_e4
    world.submit(AdjustCash(first, -cash_e4, "drill"))
    for buyer, seller, units in ((second, first, 9), (first, second, 3), (third, first, 10_000 - 9 + 3)):
        world.buy(buyer, "AAPL", 1_000_000, units)
        applied = world.sell(seller, "AAPL", 1_000_000, units)
    assert any(isinstance(event, GoodFaithViolated) for event in applied.events)


async def test_rows_agree_through_trades_busts_and_settlement(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        found(world)
        violate(world)
        world.trade_at_random(150, seed=1)
        await world.written()
        assert await verify(database_dsn) == []
        for _ in range(4):
            later(world, DAY_US)
            world.trade_at_random(40, seed=2)
        await world.written()
        assert check_invariants(world.state) == []
        assert await verify(database_dsn) == []
        expected = state_hash(world.state)
    async with open_world(database_dsn, tmp_path) as world:
        assert state_hash(world.state) == expected
        later(world, 12 * DAY_US)  # the clock begins anew
        assert not world.state.unsettled
        await world.written()
        assert await verify(database_dsn) == []


FALSIFIED = [
    ("UPDATE wallets SET unsettled_e4 = unsettled_e4 + 1 WHERE unsettled_e4 > 0", "wallets = engine state"),
    ("UPDATE wallets SET unsettled_e4 = balance_e4 + 1", "unsettled cash = sales that settle later"),
    ("DELETE FROM settlements WHERE side = 2", "unsettled cash = sales that settle later"),
    ("UPDATE settlements SET amount_e4 = amount_e4 + 1", "settlements = executions"),
    ("UPDATE settlements SET settlement_date = trade_date", "settlements = executions"),
    ("UPDATE settlements SET market = 'XLON'", "settlements = journal"),
    ("DELETE FROM settlements WHERE side = 1", "settlements = journal"),
    ("UPDATE executions SET regulatory_e4 = 0", "regulatory fees = postings"),
]


async def test_what_is_changed_by_hand_is_found(database_dsn: str, tmp_path: Path) -> None:
    async with world_of(database_dsn, tmp_path, 1 << 20) as world:
        found(world)
        violate(world)
        await world.written()
    assert (await verify_journal(database_dsn, tmp_path)).findings == []
    connection = await asyncpg.connect(database_dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM good_faith_violations") == 1
        for change, check in FALSIFIED:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(change)
            found_by_sql = [
                name for name, query in CHECKS.items() if name == check and await connection.fetch(query)
            ]
            await transaction.rollback()
            assert found_by_sql == [check] or check not in CHECKS, change
        for change, check in FALSIFIED:
            if check not in CHECKS and check != "wallets = engine state":
                await connection.execute(change)
                findings = (await verify_journal(database_dsn, tmp_path)).findings
                assert check in {finding.check for finding in findings}, change
        await connection.execute(FALSIFIED[0][0])
        assert "wallets = engine state" in {finding.check for finding in await verify(database_dsn)}
    finally:
        await connection.close()
