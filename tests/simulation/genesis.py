"""What a history of records must lead to, made from record 1 on: the state's hash and the rows of every table, at each sequence."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar, cast

import asyncpg
import msgspec

from engine.apply import apply
from engine.invariants import check_invariants
from engine.state import State
from engine.state_hash import state_hash
from server.batch_writer import Batch, write_batch
from server.codec import Record, decode_record, encode_events
from server.watermark import Watermark
from sql.state_rows import cut_state
from tests.simulation.double_tables import Key, Row
from tests.simulation.postgres_double import DoubleConnection, PostgresDouble

T = TypeVar("T")
Tables = dict[str, dict[Key, Row]]

MIRRORS: Final = ("wallets", "holdings", "lots", "instruments")
"""Tables whose rows say as of which batch they are."""

JOURNAL_ID: Final = b"g" * 16


class View(msgspec.Struct, frozen=True):
    """What an account may be shown of itself: money, and its open orders with what is left of each."""

    cash_e4: int
    held_e4: int
    orders: tuple[tuple[int, int], ...]


def view_of(state: State, account_id: int) -> View:
    """As a GET would show it."""
    account = state.accounts[account_id]
    orders = sorted((order.order_id, order.leaves_e8) for order in account.orders.values())
    return View(account.cash_e4, account.held_e4, tuple(orders))


class Point(msgspec.Struct, frozen=True):
    """What stands at one sequence of one history."""

    state_hash: str
    tables: Tables
    views: dict[int, View]


def run_calmly(work: Coroutine[Any, Any, T]) -> T:
    """Run what never really waits, without a loop."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        return cast("T", end.value)


class History:
    """Records from 1 on, and for each sequence a digest of all up to it."""

    __slots__ = ("digests", "records")

    def __init__(self, records: Sequence[bytes] = (), digests: Sequence[bytes] = (b"",)) -> None:
        self.records = list(records)
        self.digests = list(digests)

    def __repr__(self) -> str:
        return f"<History of {len(self.records)} records>"

    def up_to(self, seq: int) -> History:
        """Its beginning, to be continued."""
        return History(self.records[:seq], self.digests[: seq + 1])

    def add(self, record: bytes) -> None:
        """One record more."""
        self.records.append(record)
        self.digests.append(blake2b(self.digests[-1] + record, digest_size=12).digest())


class Genesis:
    """Replays a history and keeps what stands at each sequence, by the digest of the records up to it."""

    def __init__(self) -> None:
        self.points: dict[bytes, Point] = {b"": Point(state_hash(State()), PostgresDouble().tables, {})}

    def learn(self, history: History) -> None:
        """Replay a history from record 1, and look at every sequence that is not known yet."""
        if history.digests[-1] in self.points:
            return
        state, written = State(), 0
        server = PostgresDouble()
        connection, watermark = self._connect(server)
        records = [decode_record(data) for data in history.records]
        for record, digest in zip(records, history.digests[1:], strict=True):
            applied = apply(state, record.envelope, record.command, record.now_us)
            assert encode_events(applied.events) == encode_events(record.events), (
                f"record {record.seq} replays otherwise"
            )
            if digest not in self.points:
                self._write(state, records, written, connection, watermark)
                written = state.seq
                problems = check_invariants(state)
                assert not problems, f"at {state.seq}: {problems}"
                views = {account_id: view_of(state, account_id) for account_id in state.accounts}
                self.points[digest] = Point(state_hash(state), dict(server.tables), views)

    def _connect(self, server: PostgresDouble) -> tuple[DoubleConnection, Watermark]:
        watermark = Watermark("", JOURNAL_ID, 0)
        connection = DoubleConnection(server, 1, "genesis", 1.0)
        position = {
            "one_row": True,
            "journal_id": JOURNAL_ID,
            "applied_seq": 0,
            "owner_instance": watermark.instance,
        }
        server.tables["journal_position"] = {(True,): position}
        return connection, watermark

    def _write(
        self,
        state: State,
        records: list[Record],
        written: int,
        connection: DoubleConnection,
        watermark: Watermark,
    ) -> None:
        def read(after: int, up_to: int, limit: int) -> list[Record]:
            return records[after : min(up_to, after + limit)]

        cut = cut_state(state, written)
        batch = Batch(written, state.seq, cut.changes, frozenset(), state.accounts)
        run_calmly(write_batch(cast("asyncpg.Connection", connection), watermark, batch, read, 4_096))


def differences(found: Tables, expected: Tables) -> list[str]:
    """What rows two databases do not share, but for who wrote them and in how many batches."""
    problems = []
    for table, rows in expected.items():
        if table == "journal_position" or rows is found[table]:
            continue
        mine, theirs = _comparable(table, rows), _comparable(table, found[table])
        if mine != theirs:
            problems += [f"{table} {key} is missing" for key in mine.keys() - theirs.keys()]
            problems += [f"{table} {key} is too much" for key in theirs.keys() - mine.keys()]
            problems += [
                f"{table} {key} is {theirs[key]}, not {mine[key]}"
                for key in mine.keys() & theirs.keys()
                if mine[key] != theirs[key]
            ]
    return sorted(problems)


def _comparable(table: str, rows: dict[Key, Row]) -> dict[Key, Row]:
    if table in MIRRORS:
        return {key: row | {"seq": 0} for key, row in rows.items()}
    if table == "applied_ranges":
        return {key: row | {"batches": 0} for key, row in rows.items()}
    return rows
