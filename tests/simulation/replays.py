"""One state by three ways: the engine that lived, Postgres with the journal's tail, and the whole journal. Real Postgres, real disk.

`python -m tests.simulation.replays SEED COUNT` does that for so many seeds and prints what each came to, a line a seed.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Final

import asyncpg
from msgspec.structs import replace

from config.loading import load_settings
from config.settings import Settings
from engine.apply import ENGINE_VERSION
from engine.invariants import check_invariants
from engine.state import State
from engine.state_hash import state_hash
from server.core import Core, recover_core
from server.data_folder import DataFolder
from server.embedded_postgres import EmbeddedPostgres
from server.lifecycle import Lifecycle
from server.migrations import migrate
from server.replay import replay
from server.service_manager import ServiceManager
from server.watermark import Watermark
from tests.conftest import dsn_of
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands
from tests.server.reachable_folder import reachable_folder

COMMANDS: Final = 250
GROUP_MAX: Final = 12


class TimeOfRecords:
    """The market clock stands where the last command has put it."""

    def now_us(self) -> int:
        return 1_000_000


def settings_of(random: Random) -> Settings:
    """Small segments and small batches."""
    settings = load_settings("test", None, {}).settings
    return replace(
        settings,
        journal=replace(settings.journal, segment_bytes=65_536, tail_records=random.choice((20, 1_000))),
        write_behind=replace(
            settings.write_behind, batch_records_max=random.choice((10, 4_096)), interval_ms=2
        ),
    )


@asynccontextmanager
async def running(dsn: str, folder: Path, random: Random) -> AsyncIterator[Core]:
    """A core that has recovered; nothing of it is drained at the end."""
    lifecycle = Lifecycle(ServiceManager({}), 10.0)
    owned = DataFolder.own(folder)
    lifecycle.on_stop("the data folder", owned.close)
    watermark = Watermark(dsn, owned.journal_id(), ENGINE_VERSION)
    core = await recover_core(owned, watermark, settings_of(random), TimeOfRecords(), lifecycle)
    try:
        yield core
    finally:
        await core.write_behind.close()
        await lifecycle.stop()


async def three_ways(seed: str, dsn: str, folder: Path, commands: int = COMMANDS) -> str:
    """A digest of the journal's records and of the state. Raises AssertionError when one way leads elsewhere."""
    random = Random(seed)
    naive = NaiveExchange()
    async with running(dsn, folder, random) as core:
        runtime, written_until = core.runtime, random.randint(commands // 4, commands)
        for count, (envelope, command, now_us) in enumerate(
            RandomCommands(random.getrandbits(32), naive).steps(commands)
        ):
            naive.apply(envelope, command, now_us)
            runtime._apply(command, envelope, now_us)
            if random.random() < 1 / GROUP_MAX:
                await runtime.wait_durable(runtime.state.seq)
            if count == written_until:
                await core.write_behind.reached(runtime.state.seq // 2)
                await core.write_behind.close()
        await runtime.wait_durable(runtime.state.seq)
        lived = state_hash(core.state)
    async with running(dsn, folder, random) as again:
        journal = again.runtime.journal
        assert state_hash(again.state) == lived, (
            f"seed {seed}: Postgres at {again.recovered_from} and the tail are another state"
        )
        problems = check_invariants(again.state)
        assert not problems, f"seed {seed}: {problems}"
        records, born = blake2b(digest_size=12), State()
        for _, data in journal.read(1):
            records.update(data)
        replay(born, journal.read(1))
        assert state_hash(born) == lived, f"seed {seed}: the whole journal leads to another state"
        tail = journal.durable_seq - again.recovered_from
    return f"{journal.durable_seq} records {records.hexdigest()} state {lived}, {tail} of them replayed"


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def main(seed: str, count: int) -> None:
    """A database for each seed, from one template."""
    logging.disable(logging.CRITICAL)
    with reachable_folder() as home:
        server = EmbeddedPostgres(home, load_settings("test", None, {}).settings.postgres)
        dsn = await server.start()
        try:
            await _execute(dsn, "CREATE DATABASE shape")
            await migrate(dsn_of(dsn, "shape"))
            for number in range(count):
                await _execute(dsn, f"CREATE DATABASE seed_{number} TEMPLATE shape")
                with tempfile.TemporaryDirectory(prefix="kerb-replays-") as folder:
                    found = await three_ways(f"{seed}.{number}", dsn_of(dsn, f"seed_{number}"), Path(folder))
                print(f"seed {seed}.{number}: {found}", flush=True)
                await _execute(dsn, f"DROP DATABASE seed_{number} WITH (FORCE)")
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
