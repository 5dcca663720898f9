"""Bookings that are over, as PostgreSQL has them. Nothing durable is missing.

Every call first waits until Postgres has all that was durable when it came, and sees the rows of one account only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from engine.parking.booking_records import Booking, Terms
from engine.parking.kinds import BookingStatus, SpaceType, VehicleKind
from engine.parking.wish import Wish
from server.database import Database
from server.errors import BadRequest
from server.history import Page, microseconds
from server.write_behind import WriteBehind
from sql.parking_rows import BOOKING, BOOKINGS

if TYPE_CHECKING:
    from asyncpg import Record

_ID_MAX: Final = 2**63 - 1
_CURSOR: Final = re.compile(r"[0-9]{1,19}")


class ParkingHistory:
    """Reads the table of bookings."""

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


def before_of(cursor: str | None) -> int:
    """The booking before which a page begins. Raises `BadRequest` for a cursor that no page has."""
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
