"""Writes one batch in one transaction: rows of records, rows of changed aggregates, and the new watermark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from engine.state import Account
from server.codec import Record
from server.postgres_errors import is_away
from server.watermark import Watermark, advance
from sql.busts import DROP_CANDLE, MARK_BUSTED, MEND_CANDLE
from sql.copy_rows import COPY_HEADER, COPY_TRAILER
from sql.corporate_actions import INSERT_CASH, INSERT_EFFECTED
from sql.dividends import INSERT_PAYMENT
from sql.notifications import NO_ACCOUNTS
from sql.projection import Rows
from sql.risk import INSERT_VIOLATION
from sql.settlements import INSERT_GOOD_FAITH, INSERT_SETTLED_DAY
from sql.state_rows import Change, LatestRows
from sql.statements import (
    ACCESS_LOG,
    BOOKINGS,
    CANDLES,
    CHARGES,
    EXECUTIONS,
    GAINS,
    HOLDINGS,
    INSERT_ACCOUNT,
    INSERT_WITHDRAWAL,
    INSTRUMENTS,
    LOTS,
    LOTS_GONE,
    NEW_ORDERS,
    NOTIFICATIONS,
    OLDER_ORDERS,
    POSTINGS,
    SETTLE_WITHDRAWAL,
    SETTLEMENTS,
    STATE,
    STATE_GONE,
    STAYS,
    UPDATE_ACCOUNT_STATUS,
    WALLETS,
    CopyTarget,
)

if TYPE_CHECKING:
    import asyncpg

SLICE_RECORDS: Final = 64
SLICE_ORDERS: Final = 128
SLICE_CHANGES: Final = 256
"""How much is encoded in one turn of the loop: about half a millisecond. An order needs several turns, so it waits for several of these."""

CHUNK_CHANGES: Final = 16_384
"""How many changed aggregates are in memory as rows at a time."""

STREAM_ROWS: Final = 1_024

ReadRecords = Callable[[int, int, int], Sequence[Record]]
"""(after, up to, limit) → the next records; at least one while `after` is below `up to`."""


class Batch:
    """What brings Postgres from `applied_seq` to `last_seq`: the records between, and all that changed by then.

    `tapes` are the instruments whose candles a feed stores; `accounts` say who is a market maker.
    """

    __slots__ = ("accounts", "applied_seq", "changes", "last_seq", "tapes")

    def __init__(
        self,
        applied_seq: int,
        last_seq: int,
        changes: Sequence[Change],
        tapes: frozenset[str] = frozenset(),
        accounts: Mapping[int, Account] = NO_ACCOUNTS,
    ) -> None:
        self.accounts = accounts
        self.applied_seq = applied_seq
        self.last_seq = last_seq
        self.changes = changes
        self.tapes = tapes

    def __repr__(self) -> str:
        return f"<Batch {self.applied_seq + 1}..{self.last_seq}: {len(self.changes)} aggregates>"


async def write_batch(
    connection: asyncpg.Connection, watermark: Watermark, batch: Batch, read: ReadRecords, chunk_records: int
) -> None:
    """Write the batch, all of it or nothing. Memory is bounded by the chunk, however many records there are.

    Raises `AnotherWriter` when the watermark is no longer where this writer left it, and what asyncpg raises.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await _write(connection, watermark, batch, read, chunk_records)
    except Exception as error:
        if not is_away(error):  # a connection that is in doubt is not asked for anything more
            await transaction.rollback()
        raise
    await transaction.commit()


async def _write(
    connection: asyncpg.Connection, watermark: Watermark, batch: Batch, read: ReadRecords, chunk_records: int
) -> None:
    after, records = batch.applied_seq, 0
    while after < batch.last_seq:
        up_to = min(after + chunk_records, batch.last_seq)
        rows = await project(after, up_to, read, batch.tapes, batch.accounts)
        await write_rows(connection, rows, staged=after > batch.applied_seq)
        records += rows.record_count
        after = rows.last_seq
    for start in range(0, len(batch.changes), CHUNK_CHANGES):
        latest = await encode_changes(batch.last_seq, batch.changes[start : start + CHUNK_CHANGES])
        await write_latest(connection, latest, staged=start > 0)
    await advance(connection, watermark, batch.applied_seq, batch.last_seq, records)


async def project(
    after: int,
    up_to: int,
    read: ReadRecords,
    tapes: frozenset[str] = frozenset(),
    accounts: Mapping[int, Account] = NO_ACCOUNTS,
) -> Rows:
    """The rows of the records after `after` up to `up_to`, giving way to the loop often."""
    rows = Rows(after + 1, tapes, accounts)
    while rows.last_seq < up_to:
        for record in read(rows.last_seq, up_to, SLICE_RECORDS):
            rows.add(record)
        await asyncio.sleep(0)
    return rows


async def encode_orders(rows: Rows) -> tuple[list[bytes], list[bytes]]:
    """The rows of new orders and of older ones, giving way to the loop often."""
    new: list[bytes] = []
    older: list[bytes] = []
    for start in range(0, rows.order_count, SLICE_ORDERS):
        new += rows.new_orders(start, start + SLICE_ORDERS)
        older += rows.older_orders(start, start + SLICE_ORDERS)
        await asyncio.sleep(0)
    return new, older


async def encode_changes(seq: int, changes: Sequence[Change]) -> LatestRows:
    """The rows of changed aggregates, giving way to the loop often."""
    latest = LatestRows(seq)
    for start in range(0, len(changes), SLICE_CHANGES):
        latest.add(changes[start : start + SLICE_CHANGES])
        await asyncio.sleep(0)
    return latest


async def write_rows(connection: asyncpg.Connection, rows: Rows, *, staged: bool) -> None:
    """What records left behind. `staged`: the stages still hold rows of an earlier chunk of this transaction."""
    new_orders, older_orders = await encode_orders(rows)
    await _copy(connection, NEW_ORDERS, new_orders)
    await _copy(connection, EXECUTIONS, rows.executions)
    await _copy(connection, POSTINGS, rows.postings)
    await _copy(connection, NOTIFICATIONS, rows.notifications)
    await _copy(connection, SETTLEMENTS, rows.dues)
    await _copy(connection, GAINS, rows.gains)
    await _copy(connection, ACCESS_LOG, rows.access_log.rows)
    await _copy(connection, STAYS, rows.parking.stays)
    await _copy(connection, CHARGES, rows.parking.charges)
    await _stage_and_merge(
        connection,
        (
            (OLDER_ORDERS, older_orders),
            (CANDLES, rows.candles()),
            (BOOKINGS, rows.parking.bookings()),
        ),
        staged=staged,
    )
    if rows.accounts:
        await connection.executemany(INSERT_ACCOUNT, rows.accounts)
    if rows.account_statuses:
        await connection.executemany(UPDATE_ACCOUNT_STATUS, rows.account_statuses)
    if rows.withdrawals:
        await connection.executemany(INSERT_WITHDRAWAL, rows.withdrawals)
    if rows.settlements:
        await connection.executemany(SETTLE_WITHDRAWAL, rows.settlements)
    if rows.violations:
        await connection.executemany(INSERT_VIOLATION, rows.violations)
    if rows.settled_days:
        await connection.executemany(INSERT_SETTLED_DAY, rows.settled_days)
    if rows.good_faith:
        await connection.executemany(INSERT_GOOD_FAITH, rows.good_faith)
    if rows.dividends:
        await connection.executemany(INSERT_PAYMENT, rows.dividends)
    if rows.effected:
        await connection.executemany(INSERT_EFFECTED, rows.effected)
    if rows.cash:
        await connection.executemany(INSERT_CASH, rows.cash)
    if rows.bust_marks:
        await connection.executemany(MARK_BUSTED, rows.bust_marks)
    if rows.busted_minutes:
        await connection.executemany(MEND_CANDLE, rows.busted_minutes)
        await connection.executemany(DROP_CANDLE, rows.busted_minutes)


async def write_latest(connection: asyncpg.Connection, latest: LatestRows, *, staged: bool) -> None:
    """The engine's state, and the readable tables that mirror it."""
    await _stage_and_merge(
        connection,
        (
            (STATE, latest.state),
            (STATE_GONE, latest.state_gone),
            (WALLETS, latest.wallets),
            (HOLDINGS, latest.holdings),
            (LOTS, latest.lots),
            (LOTS_GONE, latest.lots_gone),
            (INSTRUMENTS, latest.instruments),
        ),
        staged=staged,
    )


async def _stage_and_merge(
    connection: asyncpg.Connection, staged_rows: Sequence[tuple[CopyTarget, Sequence[bytes]]], *, staged: bool
) -> None:
    """Copy rows to their stages, then merge all of them in one round trip."""
    targets = [target for target, rows in staged_rows if rows]
    if not targets:
        return
    if staged:
        await connection.execute("TRUNCATE " + ", ".join(target.table for target in targets))
    for target, rows in staged_rows:
        await _copy(connection, target, rows)
    await connection.execute(";".join(target.merge for target in targets))


async def _copy(connection: asyncpg.Connection, target: CopyTarget, rows: Sequence[bytes]) -> None:
    """Binary COPY of packed rows."""
    if rows:
        await connection.copy_to_table(
            target.table, source=_stream(rows), columns=target.columns, format="binary"
        )


async def _stream(rows: Sequence[bytes]) -> AsyncIterator[bytes]:
    """The rows as COPY data, in pieces that the socket can take one at a time."""
    yield COPY_HEADER
    for start in range(0, len(rows), STREAM_ROWS):
        yield b"".join(rows[start : start + STREAM_ROWS])
    yield COPY_TRAILER
