"""The real process killed, its disk failing, and started twice: what was acknowledged is there once, the rest whole or absent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import aiohttp
import pytest

from server.demo import MAKER, PASSWORD, TRADERS
from server.exit_codes import ExitCode
from tests.kerb_process import KerbProcess, running_kerb
from tests.server.reachable_folder import reachable_folder
from tests.torture.disk import limit_file_size, nothing
from tests.torture.kill import Crash, killed_start, plan, torture

ROUNDS = 20
VERIFIED_EVERY = 5


@pytest.mark.timeout(400)
async def test_kills_and_a_failing_disk_under_load_lose_nothing_and_do_nothing_twice() -> None:
    random = Random()
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    random.seed(seed)
    acknowledged = in_doubt = probed = 0
    crashes = set()
    async with torture(seed) as rounds:
        rounds.verified_every = VERIFIED_EVERY
        for number in range(ROUNDS):
            report = await rounds.round(plan(random, number))
            print(report)
            acknowledged += report.tally.acknowledged
            in_doubt += report.in_doubt
            probed += report.probed
            crashes.add(report.crash)
        failed = await rounds.round_of("file size limit", limit_file_size, nothing)
    print(failed)
    assert failed.in_doubt > 0
    assert acknowledged > 30 * ROUNDS  # the load was one
    assert in_doubt > 0
    assert probed > ROUNDS
    assert crashes == {crash.value for crash in Crash}


async def test_of_three_started_at_once_one_serves(tmp_path: Path, database_dsn: str) -> None:
    several = [KerbProcess(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn) for _ in range(3)]
    try:
        results = await asyncio.gather(*(each.start() for each in several), return_exceptions=True)
        refusals = [str(result) for result in results if result is not None]
        assert len(refusals) == 2
        for refusal in refusals:
            assert refusal.startswith(f"exit code {ExitCode.LOCKED.value}\n")
    finally:
        codes = [await each.stop() for each in several if each.url]
    assert codes == [ExitCode.OK]
    await several[0].verify()


async def test_first_starts_that_are_killed_leave_nothing_half_made(http: aiohttp.ClientSession) -> None:
    random = Random()
    with reachable_folder() as folder:
        kerb = KerbProcess(folder / "kerb")
        try:
            for _ in range(3):
                await killed_start(kerb, random.uniform(0.3, 1.5))
        finally:
            async with running_kerb(folder / "kerb") as kerb:
                for user in (*TRADERS, MAKER):
                    client = await kerb.sign_in(http, user.email, PASSWORD)
                    balance = (await client("GET", "/wallet/balance")).data
                    assert balance["balance"] == user.cash_e4 / 10_000, user
                    holdings = (await client("GET", "/portfolio/holdings")).data
                    symbols = {holding["symbol"] for holding in holdings}
                    assert {holding["quantity"] for holding in holdings} == {user.units}
                    assert len(symbols) == len(holdings) >= (user.symbols or 20)
                await kerb.verify()
