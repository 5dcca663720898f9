"""The simulated bank pays each withdrawal once, also what was open before it started."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.commands import RequestWithdrawal
from server.bank import Bank
from server.runtime import Gate
from tests.server.ledger_world import World, open_world


async def settled(world: World, bank: Bank) -> None:
    async with asyncio.timeout(10):
        while world.state.withdrawals:
            await asyncio.sleep(0)
    await bank.stop()


async def taken_up(bank: Bank) -> None:
    async with asyncio.timeout(10):
        while repr(bank) != "<Bank waiting=0>":
            await asyncio.sleep(0)


async def test_what_was_open_before_and_what_comes_later_is_paid_once(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        (account_id,) = world.account_ids
        account = world.state.accounts[account_id]
        before_e4 = account.cash_e4
        world.submit(RequestWithdrawal(10_000), account_id)
        bank = Bank(world.runtime)
        bank.start()
        world.submit(RequestWithdrawal(20_000), account_id)
        assert account.held_e4 == 30_000
        await settled(world, bank)
        assert (account.cash_e4, account.held_e4) == (before_e4 - 30_000, 0)
        assert repr(bank) == "<Bank waiting=0>"


async def test_it_waits_while_kerb_is_read_only(database_dsn: str, tmp_path: Path) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        (account_id,) = world.account_ids
        world.submit(RequestWithdrawal(10_000), account_id)
        world.runtime.gate = Gate.READ_ONLY
        bank = Bank(world.runtime, retry_s=0.001)
        bank.start()
        await taken_up(bank)
        assert len(world.state.withdrawals) == 1
        world.runtime.gate = Gate.OPEN
        await settled(world, bank)
        assert world.state.accounts[account_id].held_e4 == 0


async def test_a_bank_that_starts_while_kerb_stops_leaves_it_for_the_next_start(
    database_dsn: str, tmp_path: Path
) -> None:
    async with open_world(database_dsn, tmp_path) as world:
        world.found(traders=1)
        (account_id,) = world.account_ids
        world.submit(RequestWithdrawal(10_000), account_id)
        world.runtime.stop()
        bank = Bank(world.runtime)
        bank.start()
        await taken_up(bank)
        await bank.stop()
        assert len(world.state.withdrawals) == 1
