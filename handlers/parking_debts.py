"""What is owed for parking: the account's own debt and those of its plates, and paying one at once."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.apply import Applied
from engine.events import Posted
from engine.kinds import TransactionKind
from engine.parking.booking_commands import PayDebt
from engine.parking.booking_events import DebtSet
from engine.parking.booking_records import Debt
from engine.parking.records import Parking
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import Currency, Time, TransactionId
from handlers.numbers import Number, cash
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.request_input import ID_MAX, read_id
from server.errors import NotFound

PREFIX: Final = "dbt_"

DebtId = Annotated[str, Meta(pattern="^dbt_[1-9][0-9]{0,18}$")]


class DebtJson(Struct, frozen=True):
    """What is owed. `plate` is set for a walk-in's, and null for what the account owes: the next deposit pays that first."""

    debt_id: DebtId
    plate: str | None
    amount: Number
    currency: Currency
    since: Time


class PaidDebtJson(Struct, frozen=True):
    """What was paid of a debt, all of it."""

    debt_id: DebtId
    transaction_id: TransactionId
    paid: Number
    currency: Currency


async def debts(call: Call) -> Answer:
    """`GET /parking/debts`: what the caller's account owes, and its plates."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    data = encoded([debt_json(each) for each in debts_of(parking, call.principal.account_id)])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def pay(call: Call) -> Answer:
    """`POST /parking/debts/{debt_id}/pay`: all of it, from the wallet."""
    applied = await call.execute(PayDebt(debt_number(call)))
    for event in applied.answer:
        if isinstance(event, Posted) and event.kind is TransactionKind.PARKING_DEBT_REPAID:
            return _paid(applied, event)
    assert applied.refused is not None
    return refusal(applied.refused, call.request_id, in_path=True, duplicate=applied.duplicate)


def debts_of(parking: Parking, account_id: int) -> list[Debt]:
    """The account's own debt, and those of the plates that are its vehicles'."""
    own = parking.debts.get(account_id)
    found = [] if own is None else [own]
    for vehicle_id in parking.vehicles_of_account.get(account_id, {}):
        plate = parking.vehicles[vehicle_id].plate
        found += [parking.debts[debt_id] for debt_id in parking.debts_of_plate.get(plate, {})]
    return found


def debt_json(debt: Debt) -> DebtJson:
    """A debt in an answer."""
    return DebtJson(
        f"{PREFIX}{debt.debt_id}",
        debt.plate or None,
        cash(debt.amount_e4),
        debt.currency,
        time_text(debt.since_us),
    )


def debt_number(call: Call) -> int:
    """The number of the debt in the path; that of one that does not exist for what is none."""
    try:
        return read_id(call.path("debt_id"), PREFIX)
    except NotFound:
        return ID_MAX


def _paid(applied: Applied, posted: Posted) -> Answer:
    (debt,) = [event.debt for event in applied.answer if isinstance(event, DebtSet)]
    paid_e4 = max(amount for _, _, amount, _ in posted.postings)
    data = PaidDebtJson(f"{PREFIX}{debt.debt_id}", f"txn_{posted.txn_id}", cash(paid_e4), debt.currency)
    return success_as_of(encoded(data), applied.seq, headers=HIT if applied.duplicate else None)
