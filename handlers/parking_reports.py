"""Reports for who runs car parks: revenue and occupancy by hour or day, lot, type and kind; as JSON by pages, or as CSV in one piece."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, Struct

from engine.parking.kinds import ChargeKind, SpaceType
from engine.parking.records import Parking
from engine.refusals import Refusal
from handlers.call import Call
from handlers.csv_text import accepts_csv, csv_answer
from handlers.envelope import Answer, MetaJson, success
from handlers.field_types import Currency, Time
from handlers.numbers import Number, cash
from handlers.order_json import time_text
from handlers.parking_lots import read_moment_us
from handlers.parking_words import ParkingLotId, read_lot, shown_lot
from handlers.request_input import LIMIT_MAX, read_choice, read_limit, read_page
from server.errors import BadRequest, NotFound, RefusedAtBorder
from server.local_time import local_text
from server.parking_reports import (
    NO_TYPE,
    Bound,
    By,
    OccupancyRow,
    Reports,
    RevenueRow,
    Sum,
    Wanted,
    totals,
)

T = TypeVar("T")

NONE: Final = "NONE"
_ONE: Final = "(total|hour|day|lot|type|kind)"
BY_PATTERN: Final = f"{_ONE}(,{_ONE}){{0,4}}"
_DATE_LENGTH: Final = len("2025-01-31")

ReportTypeName = Annotated[
    str,
    Meta(
        extra_json_schema={"enum": [*(each.name for each in SpaceType), NONE]},
        description="NONE: a pass, or no space",
    ),
]
ReportKindName = Annotated[str, Meta(extra_json_schema={"enum": [each.name for each in ChargeKind]})]
LocalTime = Annotated[
    str, Meta(extra_json_schema={"format": "date-time"}, description="by the car park's wall clock")
]


class CellJson(Struct, frozen=True, kw_only=True, rename={"begins": "from"}):
    """The hour, day or whole range that a row is for. What the report is not split by is null."""

    begins: Time
    to: Time
    local_from: LocalTime
    time_zone: str
    lot_id: ParkingLotId | None
    lot_name: str | None
    type: ReportTypeName | None


class RevenueRowJson(CellJson, frozen=True, kw_only=True):
    """What was charged: `total` is `net` and `tax`, and it is `paid` and `owed`; `cash` is what of `paid` machines took."""

    kind: ReportKindName | None
    currency: Currency
    charges: int
    total: Number
    net: Number
    tax: Number
    paid: Number
    cash: Number
    owed: Number


class RevenueTotalJson(Struct, frozen=True, kw_only=True):
    """All rows of a currency, whatever the page."""

    currency: Currency
    charges: int
    total: Number
    net: Number
    tax: Number
    paid: Number
    cash: Number
    owed: Number


class RevenueJson(Struct, frozen=True):
    """Rows in which something was charged, and the sums of all of them."""

    rows: list[RevenueRowJson]
    totals: list[RevenueTotalJson]


class OccupancyRowJson(CellJson, frozen=True, kw_only=True):
    """Vehicles inside: the most at a time, on average, and when the cell ended; `came` and `went` in it. `capacity` is today's."""

    capacity: int
    peak: int
    mean: Number
    at_end: int
    came: int
    went: int


async def revenue(call: Call) -> Answer:
    """`GET /admin/reports/parking/revenue?from_date=&to_date=&lot_id=&by=&format=&page=&limit=`."""
    wanted, as_csv = read_wanted(call), _as_csv(call)
    page, limit = read_page(call.query), read_limit(call.query, LIMIT_MAX)
    parking = call.services.runtime.state.parking
    rows, seq = await _reports(call).revenue(wanted)
    if as_csv:
        return await csv_answer(
            RevenueRowJson, lambda: [_revenue(parking, row) for row in rows], "parking-revenue.csv"
        )
    data = RevenueJson(
        [_revenue(parking, row) for row in _page(rows, page, limit)],
        [RevenueTotalJson(currency=currency, **_sums(total)) for currency, total in totals(rows).items()],
    )
    return success(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(rows)))


async def occupancy(call: Call) -> Answer:
    """`GET /admin/reports/parking/occupancy?from_date=&to_date=&lot_id=&by=&format=&page=&limit=`."""
    wanted, as_csv = read_wanted(call), _as_csv(call)
    page, limit = read_page(call.query), read_limit(call.query, LIMIT_MAX)
    parking = call.services.runtime.state.parking
    rows, seq = await _reports(call).occupancy(wanted)
    if as_csv:
        return await csv_answer(
            OccupancyRowJson, lambda: [_occupancy(parking, row) for row in rows], "parking-occupancy.csv"
        )
    data = [_occupancy(parking, row) for row in _page(rows, page, limit)]
    return success(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(rows)))


def read_wanted(call: Call) -> Wanted:
    """What is asked for. `from_date` and `to_date` are dates of the car park's calendar, the last with its day, or times."""
    text = call.query.get("by", "")
    if text and re.fullmatch(BY_PATTERN, text) is None:
        raise BadRequest("by", "must be total, or some of hour, day, lot, type and kind with commas between")
    by = frozenset([By(each) for each in text.split(",")]) if text else frozenset({By.DAY})
    begin, end = _bound(call, "from_date"), _bound(call, "to_date", end_of_day=True)
    lots = call.services.runtime.state.parking.lots
    lot_id = call.query.get("lot_id")
    if lot_id is None:
        return Wanted(tuple(lots), begin, end, by)
    try:
        code = read_lot(lot_id)
    except NotFound:
        code = ""
    if code not in lots:
        raise RefusedAtBorder(Refusal.PARKING_LOT_NOT_FOUND, "lot_id", "is no car park")
    return Wanted((code,), begin, end, by)


def _bound(call: Call, name: str, *, end_of_day: bool = False) -> Bound:
    time_us = read_moment_us(call, name, end_of_day=end_of_day)
    if time_us is None:
        raise BadRequest(name, "is required")
    return Bound(time_us, len(call.query[name]) == _DATE_LENGTH)


def _as_csv(call: Call) -> bool:
    return read_choice(call.query, "format", {"json": False, "csv": True}, accepts_csv(call))


def _reports(call: Call) -> Reports:
    services = call.services
    return Reports(services.runtime, services.database, services.write_behind)


def _page(rows: Sequence[T], page: int, limit: int) -> Sequence[T]:
    return rows[(page - 1) * limit : page * limit]


def _revenue(parking: Parking, row: RevenueRow) -> RevenueRowJson:
    return RevenueRowJson(
        **_cell(parking, row),
        kind=None if row.kind is None else row.kind.name,
        currency=row.currency,
        **_sums(row.sum),
    )


def _occupancy(parking: Parking, row: OccupancyRow) -> OccupancyRowJson:
    return OccupancyRowJson(
        **_cell(parking, row),
        capacity=row.capacity,
        peak=row.peak,
        mean=cash(row.mean_e4),
        at_end=row.at_end,
        came=row.came,
        went=row.went,
    )


def _cell(parking: Parking, row: RevenueRow | OccupancyRow) -> dict[str, Any]:
    kind = row.space_type
    return {
        "begins": time_text(row.from_us),
        "to": time_text(row.to_us),
        "local_from": local_text(row.zone, row.from_us),
        "time_zone": row.zone.name,
        "lot_id": shown_lot(row.lot) if row.lot else None,
        "lot_name": parking.lots[row.lot].name if row.lot else None,
        "type": None if kind is None else NONE if kind == NO_TYPE else SpaceType(kind).name,
    }


def _sums(each: Sum) -> dict[str, Any]:
    return {
        "charges": each.charges,
        "total": cash(each.total_e4),
        "net": cash(each.total_e4 - each.tax_e4),
        "tax": cash(each.tax_e4),
        "paid": cash(each.paid_e4),
        "cash": cash(each.cash_e4),
        "owed": cash(each.owed_e4),
    }
