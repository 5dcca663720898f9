"""Reports of car parks for their operators: what was charged and who was inside, by hour or day, lot, type and kind.

Hours and days are those of each lot's wall clock; lots of different time zones or currencies are never summed. All is as of one
sequence: what PostgreSQL has up to it, and the stays that run then. Nothing durable is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Final

import asyncpg
from msgspec import Struct

from engine.parking.booking_records import NO_SPACE
from engine.parking.kinds import ChargeKind, SpaceType
from engine.parking.layout import layout_of
from engine.parking.records import Parking
from engine.parking.zones import Zone
from engine.refusals import Refusal
from engine.units import DAY_US, IDS_PER_SEQ
from server.database import Database
from server.errors import DatabaseUnavailable, RefusedAtBorder
from server.history import moment
from server.local_time import day_start_us, day_starts_us, hour_starts_us, zone_between
from server.runtime import Runtime
from server.write_behind import WriteBehind
from sql.parking_reports import occupancy as occupancy_sql
from sql.parking_reports import revenue as revenue_sql

if TYPE_CHECKING:
    from asyncpg import Record

ROWS_MAX: Final = 10_000
REVENUE_MAX_US: Final = 400 * DAY_US
OCCUPANCY_MAX_US: Final = 62 * DAY_US
CHANGE_US: Final = DAY_US
"""By so much a range may be longer than its days: the clock is put back now and then."""

NO_TYPE: Final = 0
"""What is of no type of space: a pass, or a vehicle for which there was no space."""


class By(Enum):
    """What a report is split by. HOUR and DAY together are HOUR; TOTAL is nothing, and says so."""

    TOTAL = "total"
    HOUR = "hour"
    DAY = "day"
    LOT = "lot"
    TYPE = "type"
    KIND = "kind"


class Bound(Struct, frozen=True):
    """A begin or end: an instant, or the midnight (here in UTC) with which a date begins in each time zone."""

    time_us: int
    is_date: bool

    def at_us(self, zone: str) -> int:
        """The instant, for lots in a time zone."""
        return day_start_us(zone, self.time_us // DAY_US) if self.is_date else self.time_us


class Wanted(Struct, frozen=True):
    """What is asked for: car parks by their codes, from and to, split by what."""

    lots: tuple[str, ...]
    begin: Bound
    end: Bound
    by: frozenset[By]


class Span(Struct, frozen=True):
    """The lots of one time zone and currency, what is asked of them, and where its hours or days begin."""

    zone: Zone
    currency: str
    lots: tuple[str, ...]
    from_us: int
    to_us: int
    starts: tuple[int, ...]

    def cell(self, number: int) -> tuple[int, int]:
        """From when to when an hour or day is, by its number from 1."""
        return self.starts[number - 1], self.starts[number] if number < len(self.starts) else self.to_us


class Sum(Struct):
    """Charges, added up: `total_e4` = net + tax = paid + owed; `cash_e4` is what of `paid_e4` machines took."""

    charges: int = 0
    total_e4: int = 0
    tax_e4: int = 0
    paid_e4: int = 0
    cash_e4: int = 0
    owed_e4: int = 0

    def add(self, other: Sum) -> None:
        """Count another one in."""
        self.charges += other.charges
        self.total_e4 += other.total_e4
        self.tax_e4 += other.tax_e4
        self.paid_e4 += other.paid_e4
        self.cash_e4 += other.cash_e4
        self.owed_e4 += other.owed_e4


class RevenueRow(Struct, frozen=True):
    """What was charged in a cell. `lot` '', `space_type` None and `kind` None where it is not split by them."""

    zone: Zone
    from_us: int
    to_us: int
    lot: str
    space_type: int | None
    kind: ChargeKind | None
    currency: str
    sum: Sum


class OccupancyRow(Struct, frozen=True):
    """Who was inside in a cell: the most at a time, on average (1e-4 of a vehicle), and at its end; comings and goings.

    `capacity` are the spaces in service today.
    """

    zone: Zone
    from_us: int
    to_us: int
    lot: str
    space_type: int | None
    capacity: int
    peak: int
    mean_e4: int
    at_end: int
    came: int
    went: int


class Part(Struct, frozen=True):
    """A group that occupancy is counted for."""

    lot: str
    space_type: int | None
    capacity: int


class Reports:
    """Reads the tables of parking. Every method raises `RefusedAtBorder` for a range it does not answer, `Overloaded`
    where too many reports are being made, and `DatabaseUnavailable`.
    """

    def __init__(self, runtime: Runtime, database: Database, write_behind: WriteBehind) -> None:
        self._runtime = runtime
        self._database = database
        self._write_behind = write_behind

    async def revenue(self, wanted: Wanted) -> tuple[list[RevenueRow], int]:
        """What was charged, by cells in which something was; as of which sequence."""
        state = self._runtime.state
        parking, seq = state.parking, state.seq
        spans = list(spans_of(parking, wanted, REVENUE_MAX_US, by_currency=True))
        inside = [each for each in parking.stays.values() if each.paid_us]
        running = ([each.stay_id for each in inside], [int(each.wish.space_type) for each in inside])
        by = wanted.by
        query = revenue_sql(by_lot=By.LOT in by, by_type=By.TYPE in by, by_kind=By.KIND in by)
        await self._written(seq)
        found: list[RevenueRow] = []
        for span in spans:
            rows = await self._read(
                *(query, list(span.lots), moment(span.from_us), moment(span.to_us)),
                *((seq + 1) * IDS_PER_SEQ, [moment(each) for each in span.starts], *running),
                ROWS_MAX + 1 - len(found),
            )
            _hold_rows(len(found) + len(rows))
            found += await asyncio.to_thread(_revenue_rows, span, rows, by)
        return found, seq

    async def occupancy(self, wanted: Wanted) -> tuple[list[OccupancyRow], int]:
        """Who was inside, until now at most; as of which sequence."""
        state, now_us = self._runtime.state, self._runtime.now_us()
        parking, seq = state.parking, state.seq
        spans = list(spans_of(parking, wanted, OCCUPANCY_MAX_US, now_us=now_us))
        plans = [(span, *_parts_of(parking, span, wanted.by)) for span in spans]
        _hold_rows(sum(len(span.starts) * len(parts) for span, parts, _, _ in plans))
        query = occupancy_sql(by_type=By.TYPE in wanted.by)
        await self._written(seq)
        found: list[OccupancyRow] = []
        for span, parts, places, running in plans:
            rows = await self._read(
                *(query, *places, moment(span.from_us), moment(span.to_us), seq, *running),
                *([moment(each) for each in (*span.starts, span.to_us)], len(parts)),
            )
            found += await asyncio.to_thread(_occupancy_rows, span, parts, rows)
        return found, seq

    async def _read(self, query: str, *arguments: object) -> Sequence[Record]:
        """The rows. What takes longer than a statement may is refused: asking again would take as long."""
        try:
            return await self._database.fetch_much(query, *arguments)
        except DatabaseUnavailable as error:
            if not isinstance(error.__cause__, asyncpg.QueryCanceledError):
                raise
            problem = "takes too long: ask for a shorter time, or for one car park"
            raise RefusedAtBorder(Refusal.INVALID_INTERVAL, "to_date", problem) from None

    async def _written(self, seq: int) -> None:
        await self._runtime.wait_durable(seq)
        await self._write_behind.barrier()


def spans_of(
    parking: Parking, wanted: Wanted, most_us: int, *, by_currency: bool = False, now_us: int | None = None
) -> Iterator[Span]:
    """The lots by time zone (and currency), those that can be summed together. With `now_us` no span goes on after it.

    Raises `RefusedAtBorder` for a range that is none, or too long.
    """
    together: dict[tuple[str, str], list[str]] = {}
    for code in sorted(wanted.lots):
        lot = parking.lots[code]
        together.setdefault((lot.time_zone, lot.currency if by_currency else ""), []).append(code)
    for (name, currency), lots in sorted(together.items()):
        from_us, to_us = wanted.begin.at_us(name), wanted.end.at_us(name)
        if not from_us < to_us <= from_us + most_us + CHANGE_US:
            problem = f"must be after from_date, by {most_us // DAY_US} days at most"
            raise RefusedAtBorder(Refusal.INVALID_INTERVAL, "to_date", problem)
        to_us = to_us if now_us is None else min(to_us, now_us)
        zone = zone_between(name, from_us, max(from_us, to_us))
        starts: Iterable[int] = (from_us,) if from_us < to_us else ()
        if By.HOUR in wanted.by:
            starts = hour_starts_us(zone, from_us, to_us)
        elif By.DAY in wanted.by:
            starts = day_starts_us(zone, from_us, to_us)
        span = Span(zone, currency, tuple(lots), from_us, to_us, tuple(starts))
        if span.starts:
            yield span


def totals(rows: Iterable[RevenueRow]) -> dict[str, Sum]:
    """The sums of all rows, by currency."""
    found: dict[str, Sum] = {}
    for row in rows:
        found.setdefault(row.currency, Sum()).add(row.sum)
    return dict(sorted(found.items()))


def _hold_rows(count: int) -> None:
    if count > ROWS_MAX:
        problem = f"gives more than {ROWS_MAX} rows: ask for a shorter time, or for one car park"
        raise RefusedAtBorder(Refusal.INVALID_INTERVAL, "to_date", problem)


Places = tuple[list[str], list[int], list[int]]
"""Lots, indexes of spaces, and the part of each."""
Running = tuple[list[int], list[object]]
"""The part of each stay that runs now, and its begin."""


def _parts_of(parking: Parking, span: Span, by: frozenset[By]) -> tuple[list[Part], Places, Running]:
    """What occupancy is counted for; which part each lot or space belongs to, and each stay that runs now."""
    numbers: dict[tuple[str, int | None], int] = {}
    capacity: dict[int, int] = {}
    part_of: dict[tuple[str, int], int] = {}

    def number_of(lot: str, kind: int | None, spaces: int) -> int:
        number = numbers.setdefault((lot if By.LOT in by else "", kind), len(numbers))
        capacity[number] = capacity.get(number, 0) + spaces
        return number

    for lot in span.lots:
        layout = layout_of(parking, lot)
        if By.TYPE not in by:
            part_of[lot, NO_SPACE] = number_of(lot, None, layout.active.bit_count())
            continue
        for kind in SpaceType:
            if layout.types[kind]:
                number_of(lot, kind, (layout.types[kind] & layout.active).bit_count())
        part_of[lot, NO_SPACE] = number_of(lot, NO_TYPE, 0)
        for space in layout.spaces:
            part_of[lot, space.index] = number_of(lot, space.space_type, 0)
    parts = [Part(lot, kind, capacity[number]) for (lot, kind), number in numbers.items()]
    inside = [each for each in parking.stays.values() if (each.lot, NO_SPACE) in part_of]
    running = [
        part_of[each.lot, each.space if (each.lot, each.space) in part_of else NO_SPACE] for each in inside
    ]
    places = ([lot for lot, _ in part_of], [index for _, index in part_of], list(part_of.values()))
    return parts, places, (running, [moment(each.begin_us) for each in inside])


def _revenue_rows(span: Span, rows: Sequence[Record], by: frozenset[By]) -> list[RevenueRow]:
    names: Sequence[str] = ("charges", "total_e4", "tax_e4", "paid_e4", "cash_e4", "owed_e4")
    return [
        RevenueRow(
            *(span.zone, *span.cell(row["cell"]), row["lot"]),
            row["space_type"] if By.TYPE in by else None,
            ChargeKind(row["kind"]) if By.KIND in by else None,
            span.currency,
            Sum(*[int(row[name]) for name in names]),
        )
        for row in rows
    ]


def _occupancy_rows(span: Span, parts: Sequence[Part], rows: Sequence[Record]) -> list[OccupancyRow]:
    """All but those of vehicles without a space, where there never was one."""
    seen = {row["grp"] for row in rows if row["peak"]}
    found = []
    for row in rows:
        part, (from_us, to_us) = parts[row["grp"]], span.cell(row["cell"])
        if part.space_type != NO_TYPE or row["grp"] in seen:
            mean = mean_e4(int(row["vehicle_us"]), to_us - from_us)
            counts = (row["peak"], mean, row["at_end"], row["came"], row["went"])
            found.append(
                OccupancyRow(span.zone, from_us, to_us, part.lot, part.space_type, part.capacity, *counts)
            )
    return found


def mean_e4(vehicle_us: int, length_us: int) -> int:
    """How many were inside on average, in 1e-4, rounded to the nearest."""
    return (vehicle_us * 10_000 + length_us // 2) // length_us
