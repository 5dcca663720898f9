"""What of an account's trades settles later, as Postgres has it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from engine.kinds import Side
from server.database import Database
from server.errors import BadRequest
from server.history import Page, microseconds
from server.write_behind import WriteBehind
from sql.settlements import SETTLEMENTS

_ID_MAX: Final = 2**63 - 1
_CURSOR: Final = re.compile(r"[0-9]{1,19}")


Status = Literal["PENDING", "SETTLED", "BUSTED"]


class Settlement(Struct, frozen=True):
    """One side of a trade that settles on a later day. `amount_e4` is below zero where the account pays.

    `status` is PENDING, SETTLED (with `settled_us`) or BUSTED.
    """

    execution_id: int
    order_id: int
    symbol: str
    side: Side
    quantity_e8: int
    amount_e4: int
    currency: str
    trade_date: date
    settlement_date: date
    status: Status
    settled_us: int


async def settlements_of(
    database: Database,
    write_behind: WriteBehind,
    account_id: int,
    *,
    status: str = "",
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Settlement]:
    """Newest first; '' is every status. Raises `BadRequest` for a bad cursor, and `DatabaseUnavailable`."""
    if cursor is not None and _CURSOR.fullmatch(cursor) is None:
        raise BadRequest("cursor", "is not one that was given out")
    before = min(int(cursor), _ID_MAX) if cursor is not None else _ID_MAX
    await write_behind.barrier()
    rows = await database.fetch(SETTLEMENTS, account_id, before, status, limit + 1)
    found = [
        Settlement(
            row["execution_id"],
            row["order_id"],
            row["symbol"],
            Side(row["side"]),
            row["quantity_e8"],
            row["amount_e4"],
            row["currency"],
            row["trade_date"],
            row["settlement_date"],
            row["status"],
            microseconds(row["settled_at"]) if row["settled_at"] is not None else 0,
        )
        for row in rows[:limit]
    ]
    return Page(found, str(found[-1].execution_id) if len(rows) > limit else None)
