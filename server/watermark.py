"""The one row that says how far Postgres has come, and the rule that one writer alone moves it.

A writer's session is named after it. Whoever starts ends the sessions of the earlier owners of its own data folder, who
are dead. Any other writer that is connected is alive, as far as anybody can tell: then it is the newcomer who must not write.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

from server.errors import DatabaseUnavailable
from sql.statements import (
    ADVANCE,
    CREATE_STAGES,
    END_WRITERS,
    EXTEND_APPLIED_RANGE,
    FIRST_POSITION,
    LOCK_POSITION,
    LOOK_ANEW,
    NAME_SESSION,
    ONE_CLAIM,
    OTHER_WRITER,
    OWN_POSITION,
    READ_POSITION,
)

if TYPE_CHECKING:
    from asyncpg import Record

logger = logging.getLogger("kerb.write_behind")

WRITER_NAME: Final = "kerb-writer:"
"""With its instance, what a writer is called among the database's sessions."""

CLAIMANT_NAME: Final = "kerb-claimant:"
"""What it is called before that."""

GONE_S: Final = 3.0
"""A writer that is still connected after so long is alive: the session of a process that has died ends at once."""

GONE_POLL_S: Final = 0.05

CONNECT_TIMEOUT_S: Final = 5.0
COMMAND_TIMEOUT_S: Final = 60.0

_SERVER_SETTINGS: Final = {
    "synchronous_commit": "on",  # the journal may be pruned up to what was committed
    "jit": "off",
    "enable_hashjoin": "off",  # a stage is joined row by row through the primary key, whatever the planner
    "enable_mergejoin": "off",  # believes about a table that was empty a moment ago
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


Connect = Callable[..., Awaitable["asyncpg.Connection"]]


class ForeignJournal(Exception):
    """The database was written from another journal than the one in the data folder."""

    def __init__(self, stored: bytes, ours: bytes) -> None:
        super().__init__(
            f"the database belongs to journal {stored.hex()}, the data folder holds journal {ours.hex()}. "
            "Start with the data folder that the database belongs to. To adopt this journal instead, point Kerb at a "
            "new, empty database: it is filled from the journal, if the journal is kept from its start"
        )


class AnotherWriter(Exception):
    """Somebody else moved the watermark, took it over, or holds it. This process must not write, nor acknowledge, any more."""


class JournalBehind(Exception):
    """The database was written on from this journal, by somebody who has more of it: a copy of the folder, or its original."""

    def __init__(self, reaches: int, applied_seq: int) -> None:
        super().__init__(
            f"the journal in the data folder ends at sequence {reaches}, the database holds {applied_seq} of the same "
            "journal, written from another copy of the folder. Start with that copy; a second Kerb needs a data folder "
            "and a database of its own"
        )


class WentBack(Exception):
    """The database has lost batches that it had committed: a failover to a replica that was behind, or a restore.

    What they held is in the journal; recovery, at the next start, writes it again.
    """


class Watermark:
    """Who this writer is, and which journal it writes from. `journal_id` is 16 bytes.

    `predecessors` are the instances that earlier owners of the data folder were: they are dead.
    `connect` is how it gets a connection; it is called as asyncpg's function of that name.
    """

    __slots__ = ("connect", "dsn", "engine_version", "instance", "journal_id", "predecessors")

    def __init__(
        self,
        dsn: str,
        journal_id: bytes,
        engine_version: int,
        predecessors: Sequence[str] = (),
        connect: Connect = asyncpg.connect,
    ) -> None:
        self.connect = connect
        self.predecessors = predecessors
        self.dsn = dsn
        self.journal_id = journal_id
        self.engine_version = str(engine_version)
        self.instance = secrets.token_hex(8)

    def __repr__(self) -> str:
        return f"<Watermark of journal {self.journal_id.hex()}, writer {self.instance}>"


async def stored_position(watermark: Watermark) -> int:
    """How far the database is, without becoming its writer; 0 when nothing was ever written. Raises as `claim`."""
    connection = await _connect(watermark, CLAIMANT_NAME)
    try:
        row = await connection.fetchrow(READ_POSITION)
    finally:
        connection.terminate()
    _check(watermark, row, first=True)
    return int(row["applied_seq"]) if row is not None else 0


async def claim(
    watermark: Watermark, *, first: bool, reaches: int | None = None
) -> tuple[asyncpg.Connection, int]:
    """Become the writer: a connection for batches, and the sequence that has been applied.

    `first` is the claim at start. The predecessors' backends are ended before the row is locked and read, so nothing of
    theirs can commit afterwards. Another writer that is connected keeps its place, and so does one that is not, if the
    database is beyond what the own journal `reaches`. Later claims, after a lost connection, only find out whether the
    last batch was committed, and end none but their own earlier backends: whoever has lost its connection to a new
    writer must not take the new one's.

    Raises `ForeignJournal`, `AnotherWriter` (one is connected, or somebody claimed it since our first claim),
    `JournalBehind`, and what asyncpg raises when the server is away.
    """
    connection = await _connect(watermark, CLAIMANT_NAME if first else WRITER_NAME)
    try:
        _check(watermark, await connection.fetchrow(READ_POSITION), first=first)
        async with connection.transaction():
            if first:
                await connection.execute(ONE_CLAIM)
            await _end_writers(connection, watermark.predecessors if first else [watermark.instance])
            if first:
                await _check_alone(connection)
                await connection.execute(NAME_SESSION, f"{WRITER_NAME}{watermark.instance}")
                await connection.execute(
                    FIRST_POSITION, watermark.journal_id, watermark.engine_version, watermark.instance
                )
            row = await connection.fetchrow(LOCK_POSITION)
            _check(watermark, row, first=first)
            assert row is not None, "_check refuses a missing row"
            applied_seq = int(row["applied_seq"])
            if reaches is not None and applied_seq > reaches:
                raise JournalBehind(reaches, applied_seq)
            await connection.execute(OWN_POSITION, watermark.instance, watermark.engine_version)
        await connection.execute(CREATE_STAGES)
    except BaseException:
        connection.terminate()
        raise
    return connection, applied_seq


async def _connect(watermark: Watermark, name: str) -> asyncpg.Connection:
    return await watermark.connect(
        watermark.dsn,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={**_SERVER_SETTINGS, "application_name": f"{name}{watermark.instance}"},
    )


def _check(watermark: Watermark, row: Record | None, *, first: bool) -> None:
    if row is None:
        if not first:
            raise AnotherWriter("the watermark's row is gone")
        return
    if row["journal_id"] != watermark.journal_id:
        raise ForeignJournal(row["journal_id"], watermark.journal_id)
    if not first and row["owner_instance"] != watermark.instance:
        raise AnotherWriter(f"writer {row['owner_instance']} has taken over from {watermark.instance}")


async def _check_alone(connection: asyncpg.Connection) -> None:
    """Raise `AnotherWriter` when a writer is connected, and stays so."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + GONE_S
    while True:
        await connection.execute(LOOK_ANEW)
        other = await connection.fetchrow(OTHER_WRITER, f"{WRITER_NAME}%")
        if other is None:
            return
        if loop.time() >= until_s:
            raise AnotherWriter(
                f"{other['application_name']} holds the database, by its backend {other['pid']} for {other['client']}: "
                "another Kerb runs on it. Stop that one first; if its machine has gone, try again in half a minute"
            )
        await asyncio.sleep(GONE_POLL_S)


async def _end_writers(connection: asyncpg.Connection, instances: Sequence[str]) -> None:
    """End earlier backends of these instances and wait until they are gone. Raises `DatabaseUnavailable` when one stays."""
    for row in await connection.fetch(END_WRITERS, [f"{WRITER_NAME}{each}" for each in instances]):
        logger.warning("ended backend %d of an earlier writer", row["pid"])
        if not row["ended"]:
            raise DatabaseUnavailable(message=f"backend {row['pid']} of an earlier writer does not end")


async def advance(
    connection: asyncpg.Connection, watermark: Watermark, applied_seq: int, new_seq: int, records: int
) -> None:
    """Move the watermark within the batch's transaction. Raises `AnotherWriter` unless that hits exactly our row."""
    moved = await connection.fetch(ADVANCE, applied_seq, new_seq, watermark.instance, watermark.journal_id)
    if len(moved) != 1:
        raise AnotherWriter(f"the watermark is not at {applied_seq} or not ours: another writer was here")
    extended = await connection.fetch(EXTEND_APPLIED_RANGE, applied_seq + 1, new_seq, new_seq - applied_seq)
    if len(extended) != 1:
        raise AnotherWriter(f"what was applied does not end at {applied_seq}: another writer was here")
