"""An account's past as Postgres has it: closed orders, executions, the cash statement. Nothing durable is missing.

Every call first waits until Postgres has all that was durable when it came (`WriteBehind.barrier`), and sees the rows
of one account only: somebody else's are answered like rows that do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from msgspec import Struct

from engine.events import OrderUpdated
from engine.kinds import CloseReason, OrderStatus, OrderType, Side, TimeInForce
from server.database import Database
from server.errors import BadRequest
from server.write_behind import WriteBehind
from sql.entries import EntryKind, Liquidity
from sql.queries import ENTRIES, ENTRY, EXECUTIONS, ORDER, ORDERS
from sql.specials import special_of

if TYPE_CHECKING:
    from asyncpg import Record

T = TypeVar("T")

LIMIT_MAX: Final = 500
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
END_US: Final = 253_402_300_799_000_000
"""The last second of the year 9999: later than anything."""

_ID_MAX: Final = 2**63 - 1
_TRANSACTION_ID = re.compile(r"txn_([0-9]{1,19})(_fee)?")
_ORDER_CURSOR = re.compile(r"([0-9]{1,19})")
_ENTRY_CURSOR = re.compile(r"([0-9]{1,19})-([0-9]{1,4})")

ALL_STATUSES: Final = frozenset(OrderStatus)
ALL_ENTRIES: Final = frozenset(kind for kind in EntryKind if kind is not EntryKind.NONE)


class Page(Struct, Generic[T], frozen=True):
    """Some items of a growing list, newest first. `next_cursor` asks for those after them; None at the end."""

    items: Sequence[T]
    next_cursor: str | None


class Execution(Struct, frozen=True):
    """One side of a fill. `busted`: an operator has taken it back. `regulatory_e4` is the part of the fee that the law takes."""

    execution_id: int
    order_id: int
    symbol: str
    side: Side
    quantity_e8: int
    price_e4: int
    notional_e4: int
    fee_e4: int
    liquidity: Liquidity
    executed_us: int
    busted: bool = False
    regulatory_e4: int = 0


class Transaction(Struct, frozen=True):
    """A line of a cash statement: `amount_e4` is signed, `balance_after_e4` the cash right after it.

    `transaction_id` and `reference_id` are texts as clients see them; a fill's reference is its order. What stands in
    the ledger is completed, so there is no other status.
    """

    transaction_id: str
    kind: EntryKind
    amount_e4: int
    balance_after_e4: int
    currency: str
    reference_id: str
    created_us: int


class History:
    """Reads of one account's past. Every method raises `DatabaseUnavailable` when Postgres is away or behind."""

    def __init__(self, database: Database, write_behind: WriteBehind) -> None:
        self._database = database
        self._write_behind = write_behind

    async def order(self, account_id: int, order_id: int) -> OrderUpdated | None:
        """An order, open or closed."""
        if not 0 < order_id <= _ID_MAX:
            return None
        await self._write_behind.barrier()
        row = await self._database.fetchrow(ORDER, account_id, order_id)
        return None if row is None else order_of(row)

    async def orders(
        self,
        account_id: int,
        *,
        symbol: str = "",
        statuses: Collection[OrderStatus] = ALL_STATUSES,
        from_us: int = 0,
        to_us: int = END_US,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[OrderUpdated]:
        """Orders created from `from_us` to before `to_us`; '' is every symbol. Raises `BadRequest` for a bad cursor."""
        (before,) = _cursor(_ORDER_CURSOR, cursor, (_ID_MAX,))
        await self._write_behind.barrier()
        limit = min(limit, LIMIT_MAX)
        rows = await self._database.fetch(
            ORDERS,
            *(account_id, before, symbol, [int(status) for status in statuses]),
            *(moment(from_us), moment(to_us), limit + 1),
        )
        more = len(rows) > limit
        rows = rows[:limit]
        return Page([order_of(row) for row in rows], str(rows[-1]["order_id"]) if more else None)

    async def executions(self, account_id: int, order_id: int) -> list[Execution]:
        """The fills of an order, oldest first; none when the order is not this account's."""
        if not 0 < order_id <= _ID_MAX:
            return []
        await self._write_behind.barrier()
        return [_execution(row) for row in await self._database.fetch(EXECUTIONS, account_id, order_id)]

    async def transactions(
        self,
        account_id: int,
        *,
        kinds: Collection[EntryKind] = ALL_ENTRIES,
        from_us: int = 0,
        to_us: int = END_US,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Transaction]:
        """The cash statement from `from_us` to before `to_us`. Raises `BadRequest` for a bad cursor."""
        before_txn, before_line = _cursor(_ENTRY_CURSOR, cursor, (_ID_MAX, 0))
        await self._write_behind.barrier()
        limit = min(limit, LIMIT_MAX)
        rows = await self._database.fetch(
            ENTRIES,
            *(account_id, before_txn, before_line, [int(kind) for kind in kinds]),
            *(moment(from_us), moment(to_us), limit + 1),
        )
        more = len(rows) > limit
        rows = rows[:limit]
        cursor = f"{rows[-1]['txn_id']}-{rows[-1]['line']}" if more else None
        return Page([_transaction(row) for row in rows], cursor)

    async def transaction(self, account_id: int, transaction_id: str) -> Transaction | None:
        """One line of the cash statement, by the id that clients see."""
        matched = _TRANSACTION_ID.fullmatch(transaction_id)
        if matched is None:
            return None
        entry_id = min(int(matched[1]), _ID_MAX)
        kinds = [EntryKind.FEE] if matched[2] else sorted(ALL_ENTRIES - {EntryKind.FEE})
        await self._write_behind.barrier()
        row = await self._database.fetchrow(ENTRY, account_id, entry_id - 1, entry_id, entry_id, kinds)
        return None if row is None else _transaction(row)


def moment(us: int) -> datetime:
    """Microseconds since the epoch as a time, exactly; a time outside of what Postgres can hold is its nearest."""
    return EPOCH + MICROSECOND * max(0, min(us, END_US))


def microseconds(time: datetime) -> int:
    """A time as microseconds since the epoch, exactly."""
    return (time - EPOCH) // MICROSECOND


def _cursor(pattern: re.Pattern[str], cursor: str | None, start: tuple[int, ...]) -> tuple[int, ...]:
    if cursor is None:
        return start
    matched = pattern.fullmatch(cursor)
    if matched is None:
        raise BadRequest("cursor", "is not one that was given out")
    return tuple(min(int(part), _ID_MAX) for part in matched.groups())


def order_of(row: Record) -> OrderUpdated:
    """An order from its row of `orders`."""
    return OrderUpdated(
        row["order_id"],
        row["account_id"],
        row["symbol"],
        Side(row["side"]),
        OrderType(row["order_type"]),
        TimeInForce(row["time_in_force"]),
        row["quantity_e8"],
        row["price_e4"],
        row["limit_e4"],
        row["filled_e8"],
        row["notional_e4"],
        row["fee_e4"],
        row["hold_e4"],
        OrderStatus(row["status"]),
        CloseReason(row["reason"]),
        microseconds(row["created_at"]),
        microseconds(row["updated_at"]),
        row["client_order_id"],
        row["replaces_id"],
        row["replaced_by_id"],
        row["is_quote"],
        special_of(row["special"]),
    )


def _execution(row: Record) -> Execution:
    return Execution(
        row["execution_id"],
        row["order_id"],
        row["symbol"],
        Side(row["side"]),
        row["quantity_e8"],
        row["price_e4"],
        row["notional_e4"],
        row["fee_e4"],
        Liquidity(row["liquidity"]),
        microseconds(row["executed_at"]),
        row["busted_at"] is not None,
        row["regulatory_e4"],
    )


def _transaction(row: Record) -> Transaction:
    kind = EntryKind(row["kind"])
    suffix = "_fee" if kind is EntryKind.FEE else ""
    reference = f"wdr_{row['reference']}" if kind is EntryKind.WITHDRAWAL else row["reference"]
    return Transaction(
        f"txn_{row['entry_id']}{suffix}",
        kind,
        row["amount"],
        row["balance_after"],
        row["asset"],
        f"ord_{row['order_id']}" if row["order_id"] else reference,
        microseconds(row["created_at"]),
    )
