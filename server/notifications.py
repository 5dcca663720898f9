"""What an account has been told: the rows that the write-behind makes of notifications, and whether they were read.

Every function waits, like the history, until Postgres has all that was durable when it was called, sees one account only,
and raises `DatabaseUnavailable`. `silenced` are kinds that the user does not want to hear of: neither listed nor counted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.kinds import CloseReason, Side
from engine.units import ID_MAX
from server.database import Database
from server.history import LIMIT_MAX, Page, microseconds
from server.write_behind import WriteBehind
from sql.notifications import Notification, NotificationKind
from sql.queries import NOTIFICATIONS, READ_ONE, READ_UP_TO, UNREAD

if TYPE_CHECKING:
    from asyncpg import Record

__all__ = [
    "Notification",
    "NotificationKind",
    "Stored",
    "count_unread",
    "page_of",
    "read_one",
    "read_up_to",
]

UNREAD_MAX: Final = 1_000
"""Unread notifications are counted up to here: more than that nobody reads."""


class Stored(Struct, frozen=True):
    """A notification as Postgres has it. `read_us` is None until it is read."""

    told: Notification
    read_us: int | None


async def page_of(
    database: Database,
    write_behind: WriteBehind,
    account_id: int,
    *,
    before_id: int | None,
    unread_only: bool,
    silenced: Collection[NotificationKind],
    limit: int,
) -> Page[Stored]:
    """Some of an account's notifications, newest first; None begins with the newest."""
    await write_behind.barrier()
    limit = min(limit, LIMIT_MAX)
    before = ID_MAX if before_id is None else before_id
    kinds = [int(kind) for kind in silenced]
    rows = await database.fetch(NOTIFICATIONS, account_id, before, kinds, unread_only, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return Page([_stored(row) for row in rows], str(rows[-1]["notification_id"]) if more else None)


async def count_unread(
    database: Database, write_behind: WriteBehind, account_id: int, silenced: Collection[NotificationKind]
) -> int:
    """How many have not been read, counted up to UNREAD_MAX."""
    await write_behind.barrier()
    row = await database.fetchrow(UNREAD, account_id, [int(kind) for kind in silenced], UNREAD_MAX)
    return 0 if row is None else int(row["count"])


async def read_one(
    database: Database, write_behind: WriteBehind, account_id: int, notification_id: int
) -> Stored | None:
    """Mark one as read; once more, and it stays as it was. None when the account has no such notification."""
    await write_behind.barrier()
    row = await database.fetchrow(READ_ONE, account_id, notification_id)
    return None if row is None else _stored(row)


async def read_up_to(
    database: Database, write_behind: WriteBehind, account_id: int, notification_id: int
) -> int:
    """Mark all up to this one as read; how many of them were not."""
    await write_behind.barrier()
    row = await database.fetchrow(READ_UP_TO, account_id, notification_id)
    return 0 if row is None else int(row["count"])


def _stored(row: Record) -> Stored:
    told = Notification(
        row["notification_id"],
        row["account_id"],
        microseconds(row["created_at"]),
        NotificationKind(row["kind"]),
        row["order_id"],
        row["reference_id"],
        Side(row["side"]) if row["side"] else None,
        row["symbol"],
        row["quantity_e8"],
        row["filled_e8"],
        row["amount_e4"],
        CloseReason(row["reason"]),
    )
    return Stored(told, None if row["read_at"] is None else microseconds(row["read_at"]))
