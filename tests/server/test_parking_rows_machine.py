"""Whatever people, gates and time do, PostgreSQL takes what it makes of bookings: a batch that is refused would make Kerb read-only.

The commands are those of the engine's own machine; each batch is checked as its COMMIT would check it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import cycle

import asyncpg
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from engine.apply import Applied
from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.parking.booking_events import BookingSet, ParkingCharged, StaySet
from engine.parking.kinds import BookingStatus, StayStatus
from server.batch_writer import write_rows
from server.codec import Record
from sql.parking_rows import PARKED
from sql.projection import Rows
from sql.statements import CREATE_STAGES
from tests.engine.parking.parking_machine import ParkingMachine

SIZES = (1, 1, 2, 1, 5, 1, 30)
NOW = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
STANDING = "SELECT booking_id, status, space_index FROM parking_bookings ORDER BY booking_id"


def test_postgres_takes_what_any_commands_make(database_dsn: str) -> None:
    totals = Counter[str]()

    class WrittenMachine(ParkingMachine):
        """Writes what its commands did when it ends."""

        def __init__(self) -> None:
            self.records: list[Record] = []
            super().__init__()

        def look_at(self, command: AnyCommand, applied: Applied) -> None:
            super().look_at(command, applied)
            envelope = Envelope(Source.HTTP)
            self.records.append(Record(applied.seq, applied.now_us, envelope, command, applied.events))

        def teardown(self) -> None:
            totals.update(asyncio.run(write(database_dsn, self.records)))

    run_state_machine_as_test(
        seed(1)(WrittenMachine),
        settings=settings(
            max_examples=40,
            stateful_step_count=80,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert min(totals[each] for each in ("bookings", "moved", "arrived", "stays", "charges")) > 0, totals


async def write(dsn: str, records: list[Record]) -> Counter[str]:
    """Write the records in batches, compare what is there then with their events, and take it all back."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(CREATE_STAGES)
        transaction = connection.transaction()
        await transaction.start()
        sizes, start = cycle(SIZES), 0
        while start < len(records):
            batch = records[start : start + next(sizes)]
            start += len(batch)
            rows = Rows(batch[0].seq)
            for record in batch:
                rows.add(record)
            await write_rows(connection, rows, staged=True)
            if any(type(event) in PARKED for record in batch for event in record.events):
                await connection.execute(NOW)
        counts = await compared(connection, records)
        await transaction.rollback()
        return counts
    finally:
        await connection.close()


async def compared(connection: asyncpg.Connection, records: list[Record]) -> Counter[str]:
    """The tables against the events, which are counted."""
    bookings: dict[int, tuple[int, int, int]] = {}
    stays, charges, counts = [], [], Counter[str]()
    for record in records:
        for event in record.events:
            if isinstance(event, BookingSet):
                each = event.booking
                before = bookings.get(each.booking_id)
                counts["moved"] += before is not None and before[2] != each.space
                counts["arrived"] += each.status is BookingStatus.ARRIVED
                bookings[each.booking_id] = (each.booking_id, each.status, each.space)
            elif isinstance(event, StaySet) and event.stay.status is StayStatus.ENDED:
                stays.append(event.stay.stay_id)
            elif isinstance(event, ParkingCharged):
                charges.append((event.txn_id, event.total_e4))
    assert [tuple(row) for row in await connection.fetch(STANDING)] == [
        bookings[key] for key in sorted(bookings)
    ]
    written = await connection.fetch("SELECT stay_id FROM parking_stays ORDER BY stay_id")
    assert [row["stay_id"] for row in written] == sorted(stays)
    receipts = await connection.fetch("SELECT txn_id, total_e4 FROM parking_charges ORDER BY txn_id")
    assert [tuple(row) for row in receipts] == charges
    counts.update(bookings=len(bookings), stays=len(stays), charges=len(charges))
    return counts
