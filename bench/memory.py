"""What an account and a resting order weigh, and how long a large state takes to come back.

    python -m bench.memory [ORDERS] [ACCOUNTS]

100 000 accounts with a position each and 1 000 000 resting orders in 100 books are made by commands; the resident memory is read
before and after each. The state is then written to an embedded PostgreSQL as the write-behind writes it, and a fresh process
recovers it: its time is what counts, and its hash must be that of the state that was written.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import asyncpg

from bench.book import LOT_E8, MIDDLE_E4, TICK_E4
from bench.figures import report
from bench.order_load import remove_database
from config.loading import load_settings
from engine.apply import apply
from engine.commands import (
    AnyCommand,
    Deposit,
    Envelope,
    OpenAccount,
    PlaceOrder,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetLimits,
    TransferIn,
)
from engine.kinds import AccountKind, OrderType, PriceSource, Side, Source, TimeInForce
from engine.state import State
from engine.state_hash import state_hash
from engine.units import DAY_US, NOTIONAL_MAX_E4, QUANTITY_MAX_E8
from server.embedded_postgres import EmbeddedPostgres
from server.migrations import migrate
from server.recovery import load_state
from sql.copy_rows import COPY_HEADER, COPY_TRAILER, STATE_COLUMNS
from sql.state_rows import LatestRows, cut_state

BOOKS: Final = 100
RECOVERY_MUST_S: Final = 60
CHUNK: Final = 100_000
POSITION: Final = "INSERT INTO journal_position (journal_id, applied_seq, engine_version, owner_instance) VALUES ($1, $2, 'bench', 'bench')"


def resident_bytes() -> int:
    """What this process has in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096


def do(state: State, command: AnyCommand, account_id: int = 0) -> None:
    """Carry out a command that must be accepted."""
    refused = apply(state, Envelope(Source.CONFIG, 0, account_id), command, 1).refused
    if refused is not None:
        raise RuntimeError(f"{command} was refused: {refused}")


def made_state(orders: int, accounts: int) -> tuple[State, float, float]:
    """The state, and the bytes of an account (with a position and its lot) and of a resting order."""
    state = State()
    do(state, SetCalendar("24x7", ((0, 10**15),)))
    do(state, SetFees("std", 500, 1_000))
    do(state, SetLimits(QUANTITY_MAX_E8, NOTIONAL_MAX_E4, 1_000, 500, 10_000, 200_000, DAY_US))
    for book in range(BOOKS):
        do(
            state,
            SetInstrument(
                f"S{book}",
                "",
                "USD",
                TICK_E4,
                LOT_E8,
                TICK_E4,
                10**8,
                MIDDLE_E4,
                "24x7",
                PriceSource.TAPE,
                2_000,
                "std",
            ),
        )
    before = resident_bytes()
    for user_id in range(1, accounts + 1):
        do(state, OpenAccount(user_id, AccountKind.USER, "USD"))
    ids = list(state.accounts)
    for index, account_id in enumerate(ids):
        do(state, Deposit(10**11, "CARD"), account_id)
        do(state, TransferIn(account_id, f"S{index % BOOKS}", 10**4 * LOT_E8, 10**6))
    opened = resident_bytes()
    for number in range(orders):
        index = number % accounts
        side = Side.SELL if number // accounts % 2 else Side.BUY
        away = 1 + number // BOOKS % 400
        price_e4 = MIDDLE_E4 + (-away if side is Side.BUY else away) * TICK_E4
        do(
            state,
            PlaceOrder(f"S{index % BOOKS}", side, OrderType.LIMIT, LOT_E8, price_e4, TimeInForce.GTC),
            ids[index],
        )
    return state, (opened - before) / accounts, (resident_bytes() - opened) / orders


async def copied(rows: list[bytes]) -> AsyncIterator[bytes]:
    """Rows as COPY wants them."""
    yield COPY_HEADER
    yield b"".join(rows)
    yield COPY_TRAILER


async def write(state: State, dsn: str) -> None:
    """All of the state as rows of `engine_state`, with the watermark."""
    changes = cut_state(state, 0).changes
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for at in range(0, len(changes), CHUNK):
                rows = LatestRows(state.seq)
                rows.add(changes[at : at + CHUNK])

                source = copied(rows.state)
                await connection.copy_to_table(
                    "engine_state", source=source, columns=STATE_COLUMNS, format="binary"
                )
            await connection.execute(POSITION, b"0" * 16, state.seq)
    finally:
        await connection.close()


async def recovered(dsn: str) -> None:
    """The other process: print how long the state took to come back, its hash, and its memory."""
    connection = await asyncpg.connect(dsn)
    begun_s = monotonic()
    gc.disable()
    state, _ = await load_state(connection)
    took_s = monotonic() - begun_s
    await connection.close()
    print(took_s, state_hash(state), resident_bytes(), flush=True)


async def measure(orders: int, accounts: int) -> None:
    """Make, write, recover."""
    gc.disable()
    begun_s = monotonic()
    state, account_bytes, order_bytes = made_state(orders, accounts)
    report("account_memory", account_bytes, "bytes", accounts=accounts, made_in_s=monotonic() - begun_s)
    report("resting_order_memory", order_bytes, "bytes", orders=orders)
    expected = state_hash(state)
    with TemporaryDirectory(prefix="kerb-bench-") as folder:
        data_dir = Path(folder) / "kerb"
        data_dir.mkdir()
        postgres = EmbeddedPostgres(data_dir, load_settings("test", None, {}).settings.postgres)
        dsn = await postgres.start()
        try:
            await migrate(dsn)
            await write(state, dsn)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.memory", "--recover", dsn, stdout=asyncio.subprocess.PIPE
            )
            told, _ = await process.communicate()
        finally:
            await postgres.stop()
            remove_database(data_dir)
    took_s, found, resident = told.decode().split()
    report(
        "recovery_of_a_large_state",
        float(took_s),
        "s",
        must=RECOVERY_MUST_S,
        lower_is_better=True,
        valid=found == expected,
        same_hash="yes" if found == expected else "no",
        resident_mb=int(resident) / 2**20,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--recover"]:
        asyncio.run(recovered(sys.argv[2]))
    else:
        asyncio.run(measure(*(int(each) for each in sys.argv[1:] or ("1000000", "100000"))))
