"""A withdrawal as Postgres has it, once the engine has forgotten it because it is settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from server.database import Database
from server.write_behind import WriteBehind
from sql.users import WITHDRAWAL

PAID: Final = 2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID_MAX: Final = 2**63 - 1


class SettledWithdrawal(Struct, frozen=True):
    """What became of it. `txn_id` and `balance_after_e4` are None unless it was paid."""

    withdrawal_id: int
    amount_e4: int
    currency: str
    paid: bool
    requested_us: int
    txn_id: int | None
    balance_after_e4: int | None


async def find_withdrawal(
    database: Database, write_behind: WriteBehind, account_id: int, withdrawal_id: int
) -> SettledWithdrawal | None:
    """An account's withdrawal that the bank has answered; None when there is none. Raises DatabaseUnavailable."""
    if withdrawal_id > _ID_MAX:
        return None
    await write_behind.barrier()
    row = await database.fetchrow(WITHDRAWAL, account_id, withdrawal_id)
    if row is None:
        return None
    return SettledWithdrawal(
        withdrawal_id=row["withdrawal_id"],
        amount_e4=row["amount_e4"],
        currency=row["currency"],
        paid=row["status"] == PAID,
        requested_us=(row["requested_at"] - _EPOCH) // timedelta(microseconds=1),
        txn_id=row["txn_id"],
        balance_after_e4=row["balance_after"],
    )
