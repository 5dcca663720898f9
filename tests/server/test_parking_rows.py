"""Bookings, stays and charges in PostgreSQL: what the journal says is there, a changed row is found, and two never have one space."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import msgspec
import pytest

from engine.parking.booking_commands import BookSpace, CancelBooking
from engine.parking.kinds import BookingStatus, ChargeKind, SpaceType
from engine.parking.tariff_records import PriceLine
from engine.units import DAY_US, HOUR_US
from server.verify import verify
from server.verify_journal import verify_journal
from sql.parking_rows import shown_who
from tests.server.test_parking_is_written import driver, open_lot, pass_gate
from tests.server.test_verify_rows import world_of


async def test_rows_are_those_of_the_journal(database_dsn: str, tmp_path: Path) -> None:
    async with world_of(database_dsn, tmp_path) as world:
        open_lot(world)
        rich_id, rich_car = driver(world, 7_001, 10**6)
        driver(world, 7_002, 10**6)
        begin_us = (world.runtime.now_us() // DAY_US + 1) * DAY_US
        asked = BookSpace("P1", rich_car, begin_us, begin_us + 2 * HOUR_US, SpaceType.STANDARD)
        assert world.submit(asked, rich_id, "first").refused is None
        cancelled = next(iter(world.state.parking.bookings))
        await world.written()
        assert world.submit(CancelBooking(cancelled), rich_id).refused is None
        assert world.submit(asked, rich_id, "second").refused is None
        standing = next(iter(world.state.parking.bookings))
        pass_gate(world, "in", "CAR7002")
        world.clock_leap(3 * HOUR_US // 10**6)
        pass_gate(world, "out", "CAR7002")
        await world.written()
        assert world.write_behind.refused is None
    connection = await asyncpg.connect(database_dsn)
    try:
        found = await connection.fetch("SELECT booking_id, status FROM parking_bookings ORDER BY booking_id")
        assert [tuple(row) for row in found] == [
            (cancelled, BookingStatus.CANCELLED),
            (standing, BookingStatus.CONFIRMED),
        ]
        (stay,) = await connection.fetch("SELECT * FROM parking_stays")
        assert (stay["who"], stay["lot"], stay["gate_id"]) == ("CAR7002", "P1", "in")
        assert (stay["end_at"] - stay["begin_at"]).total_seconds() >= 3 * 3600
        charges = await connection.fetch("SELECT * FROM parking_charges ORDER BY txn_id")
        assert [row["kind"] for row in charges] == [ChargeKind.CANCELLATION, ChargeKind.STAY]
        receipt = charges[1]
        assert receipt["stay_id"] == stay["stay_id"]
        assert receipt["total_e4"] == stay["charged_e4"] == receipt["paid_e4"] > 0
        lines = msgspec.json.decode(receipt["lines"], type=tuple[PriceLine, ...])
        assert sum(line.amount_e4 for line in lines) == receipt["total_e4"]
        assert await verify(database_dsn) == []
        assert (await verify_journal(database_dsn, tmp_path)).findings == []
        for change, said in (
            (
                "UPDATE parking_bookings SET plate = 'X' WHERE status = 5",
                "plate is X, the journal says CAR7001",
            ),
            ("UPDATE parking_stays SET who = 'X'", "who is X, the journal says CAR7002"),
            ("UPDATE parking_charges SET total_e4 = 1 WHERE kind = 1", "total_e4 is 1"),
        ):
            await connection.execute(change)
            assert said in str((await verify_journal(database_dsn, tmp_path)).findings)
    finally:
        await connection.close()


async def test_two_that_have_not_come_never_have_one_space(database_dsn: str) -> None:
    row = (
        "INSERT INTO parking_bookings VALUES ({}, 1, 1, 1, 0, 0, 0, 0, 0, 1, TIMESTAMPTZ '2026-01-01 {}Z', "
        "TIMESTAMPTZ '2026-01-01 {}Z', now(), {}, 1, 0, 0, {}, false, 'CAR', '{}', 'STD')"
    )
    apart = [
        (1, "10:00", "12:00", 2, 0, "P1"),
        (2, "12:00", "13:00", 1, 0, "P1"),  # half open
        (3, "10:00", "12:00", 2, 1, "P1"),  # another space
        (4, "10:00", "12:00", 2, 0, "P2"),  # another lot
        (5, "10:00", "12:00", 3, 0, "P1"),  # has arrived: its stay may have been moved
    ]
    connection = await asyncpg.connect(database_dsn)
    try:
        async with connection.transaction():
            for each in apart:
                await connection.execute(row.format(*each))
        with pytest.raises(asyncpg.ExclusionViolationError):
            await connection.execute(row.format(6, "11:59", "12:30", 2, 0, "P1"))
        async with connection.transaction():  # looked at only at the end: two may change places
            await connection.execute("UPDATE parking_bookings SET space_index = 1 WHERE booking_id = 1")
            await connection.execute("UPDATE parking_bookings SET space_index = 0 WHERE booking_id = 3")
    finally:
        await connection.close()


def test_of_a_code_its_end_is_kept() -> None:
    assert shown_who("KERB1") == "KERB1"
    assert shown_who("code:ABCDEFGH") == "code:…EFGH"
