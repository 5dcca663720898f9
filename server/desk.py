"""What operators read: everybody's orders, users, and the audit log. Every function raises DatabaseUnavailable."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.events import OrderUpdated
from engine.kinds import OrderStatus
from server.database import Database
from server.history import Page, order_of
from sql import desk
from sql import users as user_queries

if TYPE_CHECKING:
    from server.write_behind import WriteBehind

_ID_MAX: Final = 2**63 - 1


class UserRow(Struct, frozen=True):
    """A user as operators see one."""

    user_id: int
    email: str
    full_name: str
    phone: str | None
    roles: tuple[str, ...]
    premium: bool
    email_verified: bool
    kyc_status: str
    kyc_tier: int
    created_at: datetime
    last_login_at: datetime | None


class AuditRow(Struct, frozen=True):
    """One action of an operator."""

    audit_id: int
    at: datetime
    user_id: int
    action: str
    target: str
    body: str
    status: int
    request_id: str


async def orders(
    database: Database,
    write_behind: WriteBehind,
    *,
    account_id: int,
    symbol: str,
    statuses: Collection[OrderStatus],
    before_id: int | None,
    limit: int,
) -> Page[OrderUpdated]:
    """Orders of an account (0: of all), newest first, with all that was durable when it was asked."""
    await write_behind.barrier()
    before = _ID_MAX if before_id is None else before_id
    numbers = [int(status) for status in statuses]
    rows = await database.fetch(desk.ORDERS, account_id, before, symbol, numbers, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return Page([order_of(row) for row in rows], str(rows[-1]["order_id"]) if more else None)


async def users(database: Database, text: str, page: int, limit: int) -> tuple[list[UserRow], int]:
    """Users whose address or name contains the text ('' for all), by id, and how many there are in all."""
    rows = await database.fetch(desk.USERS, text, (page - 1) * limit, limit)
    found = []
    for row in rows:
        fields = dict(row)
        del fields["total"]
        found.append(UserRow(**(fields | {"roles": tuple(fields["roles"])})))
    return found, rows[0]["total"] if rows else 0


async def operators(database: Database) -> set[int]:
    """The ids of all users with the role `admin`, also of those who are disabled."""
    return {row["user_id"] for row in await database.fetch(user_queries.OPERATORS)}


async def add_audit(
    database: Database, user_id: int, action: str, target: str, body: str, status: int, request_id: str
) -> None:
    """Write down what an operator did."""
    await database.execute(desk.INSERT_AUDIT, user_id, action, target, body, status, request_id)


async def audit(database: Database, user_id: int, before_id: int | None, limit: int) -> Page[AuditRow]:
    """What an operator did (0: all of them), newest first."""
    before = _ID_MAX if before_id is None else before_id
    rows = await database.fetch(desk.AUDIT, user_id, before, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return Page([AuditRow(**dict(row)) for row in rows], str(rows[-1]["audit_id"]) if more else None)
