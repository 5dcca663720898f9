"""Reports of car parks against a brute force that reads the journal's events, and revenue against the ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asyncpg import Record
from msgspec import Struct

from engine.parking.booking_events import BookingSet, ParkingCharged, StaySet
from engine.parking.booking_records import NO_SPACE, Stay
from engine.parking.kinds import ChargeKind, SpaceType, StayStatus
from engine.state import (
    PARKING_CASH_ACCOUNT_ID,
    PARKING_DEBT_ACCOUNT_ID,
    PARKING_REVENUE_ACCOUNT_ID,
    PARKING_TAX_ACCOUNT_ID,
)
from engine.units import DAY_US, HOUR_US, MINUTE_US
from server.database import Database
from server.parking_reports import Bound, By, Reports, Wanted, mean_e4, totals
from server.runtime import Runtime
from server.verify import verify
from server.write_behind import WriteBehind
from tests.server.ledger_world import SteppingClock, World, open_world
from tests.server.report_town import LOTS, Town

CHANGES = ("2024-03-30", "2024-10-26")
"""The day before a change of the clocks in Berlin."""


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**6


class Charge(Struct):
    """What an event says was charged, and when."""

    at_us: int
    type: int
    event: ParkingCharged


class Lived(Struct):
    """What has happened in a town: every stay as it is now, and every charge."""

    town: Town
    reports: Reports
    database: Database
    stays: dict[int, Stay]
    charges: list[Charge]
    now_us: int
    begin_us: int


@pytest.fixture(params=CHANGES)
async def lived(request: pytest.FixtureRequest, database_dsn: str, tmp_path: Path) -> AsyncIterator[Lived]:
    """Some days in a town, the clocks change in the middle of them, and some are still inside."""
    async with open_world(database_dsn, tmp_path) as world:
        clock = world.runtime.clock
        assert isinstance(clock, SteppingClock)
        clock.us = begin_us = us(request.param)
        town = Town(world, seed=3)
        town.found(drivers=9)
        town.live(steps=300, minutes_max=18)
        town.linger()
        await world.written()
        database = Database(database_dsn, pool_min=1, pool_max=2)
        await database.open()
        try:
            reports = Reports(world.runtime, database, world.write_behind)
            stays, charges = told(world)
            now_us = world.runtime.now_us()
            yield Lived(town, reports, database, stays, charges, now_us, begin_us)
        finally:
            await database.close()


def told(world: World, seq: int = 1 << 60) -> tuple[dict[int, Stay], list[Charge]]:
    """All stays and charges that the journal tells of up to a record."""
    stays: dict[int, Stay] = {}
    types: dict[int, SpaceType] = {}
    charges: list[Charge] = []
    for record in world.runtime.durable_records(after=0):
        for event in record.events if record.seq <= seq else ():
            if isinstance(event, StaySet):
                stays[event.stay.stay_id] = event.stay
                types[event.stay.stay_id] = event.stay.wish.space_type
            elif isinstance(event, BookingSet):
                types[event.booking.booking_id] = event.booking.wish.space_type
            elif isinstance(event, ParkingCharged):
                kind = types.get(event.stay_id or event.right_id, 0)
                charges.append(Charge(record.now_us, kind, event))
    return stays, charges


def naive_cells(zone: str, by: By, from_us: int, to_us: int) -> list[tuple[int, int]]:
    """The hours or days of a wall clock, found by looking at it every quarter of an hour."""
    rules, edges, before = ZoneInfo(zone), [from_us], None
    for at_us in range(from_us // (15 * MINUTE_US) * 15 * MINUTE_US, to_us, 15 * MINUTE_US):
        wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).astimezone(rules)
        shown = (wall.date(), (wall.hour, wall.utcoffset()) if by is By.HOUR else None)
        if before is not None and shown != before:
            edges.append(at_us)
        before = shown
    return list(pairwise([*edges, to_us]))


def wanted(begin_us: int, end_us: int, *by: By, lots: tuple[str, ...] = tuple(LOTS)) -> Wanted:
    return Wanted(lots, Bound(begin_us, is_date=False), Bound(end_us, is_date=False), frozenset(by))


SPLITS = [
    (time, *more)
    for time in (By.TOTAL, By.HOUR, By.DAY)
    for count in range(4)
    for more in combinations((By.LOT, By.TYPE, By.KIND), count)
]

Key = tuple[str, int, int, str, int | None, ChargeKind | None, str]


def naive_revenue(lived: Lived, begin_us: int, end_us: int, by: tuple[By, ...]) -> dict[Key, Counter[str]]:
    """Every charge into its cell, one by one."""
    found: dict[Key, Counter[str]] = {}
    for each in lived.charges:
        event, (zone, currency) = each.event, LOTS[each.event.lot]
        time = next((part for part in by if part in (By.HOUR, By.DAY)), None)
        cells = [(begin_us, end_us)] if time is None else naive_cells(zone, time, begin_us, end_us)
        for from_us, to_us in cells:
            if from_us <= each.at_us < to_us:
                key = (
                    *(zone, from_us, to_us, event.lot if By.LOT in by else ""),
                    *(each.type if By.TYPE in by else None, event.kind if By.KIND in by else None, currency),
                )
                sums = found.setdefault(key, Counter())
                sums["charges"] += 1
                sums["total_e4"] += event.total_e4
                sums["tax_e4"] += event.tax_e4
                sums["paid_e4"] += event.paid_e4
                sums["cash_e4"] += event.paid_e4 if event.cash else 0
                sums["owed_e4"] += event.owed_e4
    return found


async def test_reports_are_those_of_every_stay_and_charge_and_of_the_ledger(
    lived: Lived, database_dsn: str
) -> None:
    await check_revenue(lived)
    await check_ledger(lived)
    for time in (By.TOTAL, By.HOUR, By.DAY):
        for more in ((), (By.LOT,), (By.TYPE,), (By.LOT, By.TYPE)):
            await check_occupancy(lived, lived.now_us + DAY_US, time, *more)
    await check_occupancy(lived, lived.now_us - 9 * HOUR_US, By.DAY, By.TYPE)
    await check_what_happens_meanwhile(lived)
    assert await verify(database_dsn) == []


async def check_revenue(lived: Lived) -> None:
    begin_us, end_us = lived.begin_us + 5 * 10**9, lived.now_us - 10**9  # neither at an hour
    assert {each.event.kind for each in lived.charges} == set(ChargeKind)
    for by in SPLITS:
        rows, seq = await lived.reports.revenue(wanted(begin_us, end_us, *by))
        assert seq == lived.town.world.state.seq
        naive = naive_revenue(lived, begin_us, end_us, by)
        found = {}
        for row in rows:
            key = (
                *(row.zone.name, row.from_us, row.to_us),
                *(row.lot, row.space_type, row.kind, row.currency),
            )
            found[key] = Counter({name: getattr(row.sum, name) for name in row.sum.__struct_fields__})
        assert found == naive, by
        assert sum(each.sum.charges for each in rows) == len(
            [each for each in lived.charges if begin_us <= each.at_us < end_us]
        )
        for currency, total in totals(rows).items():
            assert await ledger(lived, currency, begin_us, end_us) == (
                *(total.total_e4 - total.tax_e4, total.tax_e4, -total.cash_e4, -total.owed_e4),
            ), by


async def ledger(lived: Lived, currency: str, from_us: int, to_us: int) -> tuple[int, int, int, int]:
    """What was posted to revenue, tax, machines and (as new debts) debts in a time."""
    query = (
        "SELECT account_id, sum(amount)::BIGINT AS total FROM postings WHERE account_id = ANY ($1) AND asset = $2 AND "
        "created_at >= to_timestamp($3::NUMERIC / 1000000) AND created_at < to_timestamp($4::NUMERIC / 1000000) "
        "AND (account_id <> $5 OR amount < 0) GROUP BY 1"
    )
    accounts = (
        *(PARKING_REVENUE_ACCOUNT_ID, PARKING_TAX_ACCOUNT_ID),
        *(PARKING_CASH_ACCOUNT_ID, PARKING_DEBT_ACCOUNT_ID),
    )
    rows = await lived.database.fetch(
        query, list(accounts), currency, from_us, to_us, PARKING_DEBT_ACCOUNT_ID
    )
    found = {row["account_id"]: int(row["total"]) for row in rows}
    revenue, tax, machines, debts = (found.get(account_id, 0) for account_id in accounts)
    return revenue, tax, machines, debts


async def check_ledger(lived: Lived) -> None:
    rows, _ = await lived.reports.revenue(wanted(lived.begin_us, lived.now_us + 1, By.DAY, By.LOT))
    outside = lived.town.world.state.outside
    for currency, total in totals(rows).items():
        assert outside[PARKING_REVENUE_ACCOUNT_ID, currency] == total.total_e4 - total.tax_e4
        assert outside[PARKING_TAX_ACCOUNT_ID, currency] == total.tax_e4
        assert total.owed_e4 > 0
        assert total.cash_e4 > 0


def naive_occupancy(
    lived: Lived, from_us: int, to_us: int, lots: set[str], kind: int | None
) -> tuple[int, int, int, int, int]:
    """Peak, mean, at the end, came and went of a cell, by looking at every stay at every moment that counts."""
    parking = lived.town.world.state.parking
    stays = [
        (each.begin_us, each.end_us if each.status is StayStatus.ENDED else 1 << 60)
        for each in lived.stays.values()
        if each.lot in lots
        and (
            kind is None
            or kind == (0 if each.space == NO_SPACE else parking.space_at(each.lot, each.space).space_type)
        )
    ]

    def inside(at_us: int) -> int:
        return sum(begin_us <= at_us < end_us for begin_us, end_us in stays)

    moments = [from_us, *(begin_us for begin_us, _ in stays if from_us <= begin_us < to_us)]
    spent_us = sum(max(0, min(end_us, to_us) - max(begin_us, from_us)) for begin_us, end_us in stays)
    return (
        max(map(inside, moments)),
        mean_e4(spent_us, to_us - from_us),
        inside(to_us - 1),
        sum(from_us <= begin_us < to_us for begin_us, _ in stays),
        sum(from_us <= end_us < to_us for _, end_us in stays),
    )


async def check_occupancy(lived: Lived, end_us: int, *by: By) -> None:
    """Every row; until now at most."""
    begin_us = lived.begin_us + 5 * 10**9
    running = [each for each in lived.stays.values() if each.status is StayStatus.INSIDE]
    assert len(running) > len(LOTS)
    rows, _ = await lived.reports.occupancy(wanted(begin_us, end_us, *by))
    until_us = {row.zone.name: row.to_us for row in rows}
    assert set(until_us) == {zone for zone, _ in LOTS.values()}
    for zone, to_us in until_us.items():
        assert min(end_us, lived.now_us) <= to_us <= min(end_us, lived.now_us + 10**6)
        cells = [(begin_us, to_us)] if By.TOTAL in by else naive_cells(zone, by[0], begin_us, to_us)
        of_zone = [row for row in rows if row.zone.name == zone]
        assert sorted({(row.from_us, row.to_us) for row in of_zone}) == cells
        here = {lot for lot, (name, _) in LOTS.items() if name == zone}
        for row in of_zone:
            lots = {row.lot} if row.lot else here
            assert (row.peak, row.mean_e4, row.at_end, row.came, row.went) == naive_occupancy(
                lived, row.from_us, row.to_us, lots, row.space_type
            ), (by, row)
            spaces = [6, 3, 3] if By.TYPE in by else [12]
            assert row.capacity in [len(lots) * each for each in (*spaces, 0)]


class LateReports(Reports):
    """Asks PostgreSQL only when it is told to."""

    def __init__(self, runtime: Runtime, database: Database, write_behind: WriteBehind) -> None:
        super().__init__(runtime, database, write_behind)
        self.may_read = asyncio.Event()

    async def _read(self, query: str, *arguments: object) -> Sequence[Record]:
        await self.may_read.wait()
        return await super()._read(query, *arguments)


async def check_what_happens_meanwhile(lived: Lived) -> None:
    """Reports stay as of when they were asked for, whatever people do until PostgreSQL is asked."""
    world, begin_us = lived.town.world, lived.begin_us
    end_us = lived.now_us + DAY_US
    reports = LateReports(world.runtime, lived.database, world.write_behind)
    full = asyncio.create_task(reports.occupancy(wanted(begin_us, end_us, By.DAY, By.TYPE)))
    paid = asyncio.create_task(reports.revenue(wanted(begin_us, end_us, By.TOTAL, By.TYPE)))
    await asyncio.sleep(0)  # both have looked at the state now
    lived.town.live(steps=60, minutes_max=18)
    await world.written()
    assert len(told(world)[1]) > len(lived.charges)
    reports.may_read.set()
    (occupied, seq), (charged, as_of) = await full, await paid
    assert seq == as_of < world.state.seq
    assert sum(each.sum.charges for each in charged) == len(lived.charges)
    assert told(world, seq)[1] == lived.charges
    for row in occupied:
        here = {lot for lot, (name, _) in LOTS.items() if name == row.zone.name}
        assert (row.peak, row.mean_e4, row.at_end, row.came, row.went) == naive_occupancy(
            lived, row.from_us, row.to_us, here, row.space_type
        ), row
