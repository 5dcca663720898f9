"""What is over in car parks, as PostgreSQL has it: bookings, and stays with their receipts. Nothing durable is missing.

Every call first waits until Postgres has all that was durable when it came, and sees the rows of one account only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from engine.parking.booking_records import Booking, Terms
from engine.parking.kinds import BookingStatus, ChargeKind, EntryRight, SpaceType, VehicleKind
from engine.parking.records import Vehicle
from engine.parking.tariff_records import Price, PriceLine
from engine.parking.wish import Wish
from server.database import Database
from server.errors import BadRequest
from server.history import Page, microseconds, moment
from server.write_behind import WriteBehind
from sql.parking_rows import BOOKING, BOOKINGS, RECEIPTS, STAYS_OVER

if TYPE_CHECKING:
    from asyncpg import Record

_ID_MAX: Final = 2**63 - 1
_CURSOR: Final = re.compile(r"[0-9]{1,19}")
_lines: Final = msgspec.json.Decoder(tuple[PriceLine, ...])


class Receipt(Struct, frozen=True):
    """What was charged for a stay. `cash`: at a machine."""

    txn_id: int
    kind: ChargeKind
    price: Price
    paid_e4: int
    owed_e4: int
    cash: bool
    charged_us: int


class PastStay(Struct, frozen=True):
    """A stay that is over. `space` is its index within the lot, `NO_SPACE` when it had none."""

    stay_id: int
    lot: str
    vehicle_id: int
    plate: str
    space: int
    right: EntryRight
    begin_us: int
    end_us: int
    charged_e4: int
    owed_e4: int
    receipts: tuple[Receipt, ...]


class ParkingHistory:
    """Reads the tables of parking."""

    def __init__(self, database: Database, write_behind: WriteBehind) -> None:
        self._database = database
        self._write_behind = write_behind

    async def bookings(
        self, account_id: int, statuses: Collection[BookingStatus], cursor: str | None, limit: int
    ) -> Page[Booking]:
        """Newest first. Raises `BadRequest` for a bad cursor, and `DatabaseUnavailable`."""
        before = before_of(cursor)
        await self._write_behind.barrier()
        wanted = [int(status) for status in statuses]
        rows = await self._database.fetch(BOOKINGS, account_id, wanted, before, limit + 1)
        found = [_booking_of(row) for row in rows[:limit]]
        return Page(found, str(found[-1].booking_id) if len(rows) > limit else None)

    async def booking(self, account_id: int, booking_id: int) -> Booking | None:
        """One of the account's, or None. Raises `DatabaseUnavailable`."""
        await self._write_behind.barrier()
        row = await self._database.fetchrow(BOOKING, account_id, booking_id)
        return None if row is None else _booking_of(row)

    async def stays(
        self, account_id: int, seq: int, before: int, limit: int, vehicles: Sequence[Vehicle]
    ) -> list[PastStay]:
        """Those that ended up to the record `seq`, begun before the stay `before`: newest first, with their receipts.

        A stay is the account's whose vehicle it was when it began; none of before one of `vehicles`, the account's, was registered.
        Raises `DatabaseUnavailable`.
        """
        await self._write_behind.barrier()
        registered = [each.vehicle_id for each in vehicles], [moment(each.registered_us) for each in vehicles]
        rows = await self._database.fetch(STAYS_OVER, account_id, seq, before, limit, *registered)
        receipts: dict[int, list[Receipt]] = {row["stay_id"]: [] for row in rows}
        if receipts:
            for row in await self._database.fetch(RECEIPTS, list(receipts)):
                receipts[row["stay_id"]].append(_receipt_of(row))
        return [_stay_of(row, tuple(receipts[row["stay_id"]])) for row in rows]


def before_of(cursor: str | None) -> int:
    """The booking, or stay, before which a page begins. Raises `BadRequest` for a cursor that no page has."""
    if cursor is None:
        return _ID_MAX
    if _CURSOR.fullmatch(cursor) is None:
        raise BadRequest("cursor", "is not one that was given out")
    return min(int(cursor), _ID_MAX)


def _booking_of(row: Record) -> Booking:
    """The booking of a row; of its wish the type and what it had to have are kept."""
    return Booking(
        *(
            row["booking_id"],
            row["account_id"],
            row["vehicle_id"],
            row["plate"],
            row["lot"],
            row["space_index"],
        ),
        Wish(SpaceType(row["space_type"]), VehicleKind.STANDARD, required=row["required"]),
        *(microseconds(row["begin_at"]), microseconds(row["end_at"]), BookingStatus(row["status"])),
        Terms(row["tariff"], row["version"], row["occupancy_bps"], row["subscriber"]),
        *(row["price_e4"], row["tax_e4"], row["hold_e4"], microseconds(row["created_at"])),
        *(row["stay_id"], row["waiting_id"]),
    )


def _stay_of(row: Record, receipts: tuple[Receipt, ...]) -> PastStay:
    return PastStay(
        *(row["stay_id"], row["lot"], row["vehicle_id"], row["who"], row["space_index"]),
        *(EntryRight(row["entry_right"]), microseconds(row["begin_at"]), microseconds(row["end_at"])),
        *(row["charged_e4"], row["owed_e4"], receipts),
    )


def _receipt_of(row: Record) -> Receipt:
    price = Price(row["total_e4"], row["tax_e4"], _lines.decode(row["lines"]))
    return Receipt(
        *(row["txn_id"], ChargeKind(row["kind"]), price, row["paid_e4"], row["owed_e4"], row["cash"]),
        microseconds(row["charged_at"]),
    )
