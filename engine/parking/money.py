"""Parking's money: what is held, captured, released, owed and repaid. Every change is a transaction that sums to zero.

A charge is one transaction: customer −paid, PARKING_DEBT −owed, PARKING_REVENUE +net, PARKING_TAX +tax. Parking is paid from settled
cash; what was held for a booking is there whatever happened since. Source: docs/parking.md, "Stays and money".
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.events import Posted, Refused
from engine.kinds import TransactionKind
from engine.ledger import change_outside, post_cash
from engine.parking.booking_events import ParkingCharged
from engine.parking.booking_records import Debt
from engine.parking.keeping import put_debt
from engine.parking.kinds import ChargeKind
from engine.parking.records import Parking
from engine.parking.tariff_records import Price
from engine.refusals import Refusal
from engine.settlement import draw, unsettled_refusal, withdrawable_e4
from engine.state import (
    PARKING_CASH_ACCOUNT_ID,
    PARKING_DEBT_ACCOUNT_ID,
    PARKING_REVENUE_ACCOUNT_ID,
    PARKING_TAX_ACCOUNT_ID,
    Account,
    State,
)
from engine.turn import Turn


def funds_refusal(state: State, account: Account, amount_e4: int) -> Refused | None:
    """Why an account cannot pay, or hold, an amount now."""
    if amount_e4 > account.available_e4:
        detail = (("required_e4", amount_e4), ("available_e4", account.available_e4))
        return Refused(Refusal.INSUFFICIENT_FUNDS, detail)
    return unsettled_refusal(state, account, amount_e4) if account.unsettled_e4 else None


def change_hold(turn: Turn, account: Account, by_e4: int) -> None:
    """Hold more of an account's cash, or release some of it."""
    if by_e4:
        account.held_e4 += by_e4
        turn.accounts[account.account_id] = account


def debt_of(parking: Parking, debt_id: int) -> int:
    """What is owed under an id."""
    debt = parking.debts.get(debt_id)
    return 0 if debt is None else debt.amount_e4


def charge(
    turn: Turn,
    kind: ChargeKind,
    lot: str,
    price: Price,
    payer: Account | None,
    *,
    hold_e4: int = 0,
    stay_id: int = 0,
    right_id: int = 0,
    who: str = "",
    cash: bool = False,
) -> tuple[int, int]:
    """Charge a price; returns what was paid and what is owed from now on.

    The payer's hold is resolved: captured up to the price, the rest released. Without a payer everything is owed under the
    stay's id, or paid in `cash` at a machine.
    """
    state = turn.state
    currency = state.parking.lots[lot].currency
    total_e4 = price.total_e4
    paid_e4 = total_e4 if cash else 0
    postings: list[tuple[int, str, int, int]] = []
    if payer is not None:
        change_hold(turn, payer, -hold_e4)
        paid_e4 = min(total_e4, max(hold_e4, withdrawable_e4(payer)))
        if paid_e4:
            payer.cash_e4 -= paid_e4
            payer.contributed_e4 -= paid_e4
            turn.accounts[payer.account_id] = payer
            draw(state, payer)
            postings.append((payer.account_id, currency, -paid_e4, payer.cash_e4))
    owed_e4 = total_e4 - paid_e4
    outside = [
        (PARKING_CASH_ACCOUNT_ID, -paid_e4 if cash else 0),
        (PARKING_DEBT_ACCOUNT_ID, -owed_e4),
        (PARKING_REVENUE_ACCOUNT_ID, total_e4 - price.tax_e4),
        (PARKING_TAX_ACCOUNT_ID, price.tax_e4),
    ]
    for outside_id, amount_e4 in outside:
        if amount_e4:
            balance_e4 = change_outside(state, outside_id, currency, amount_e4)
            postings.append((outside_id, currency, amount_e4, balance_e4))
    txn_id = turn.new_id(2)
    account_id = 0 if payer is None else payer.account_id
    if postings:
        reference = str(stay_id or right_id)
        turn.events.append(Posted(txn_id, TransactionKind.PARKING_CHARGE, reference, tuple(postings)))
    turn.events.append(
        ParkingCharged(
            *(txn_id, kind, lot, account_id, stay_id, right_id, who, total_e4, price.tax_e4),
            *(paid_e4, owed_e4, cash, price.lines),
        )
    )
    if owed_e4:
        owe(turn, account_id or stay_id, account_id, who, currency, owed_e4)
    return paid_e4, owed_e4


def owe(turn: Turn, debt_id: int, account_id: int, who: str, currency: str, amount_e4: int) -> None:
    """Add to a debt. That of an account is known by the account, any other by the plate."""
    known = turn.state.parking.debts.get(debt_id)
    if known is None:
        known = Debt(debt_id, account_id, "" if account_id else who, currency, 0, turn.now_us)
    put_debt(turn, replace(known, amount_e4=known.amount_e4 + amount_e4))


def repay(turn: Turn, account: Account, debt: Debt, amount_e4: int) -> None:
    """Pay a debt, or a part of it, from an account's cash."""
    account.contributed_e4 -= amount_e4
    post_cash(
        *(turn, TransactionKind.PARKING_DEBT_REPAID, account, PARKING_DEBT_ACCOUNT_ID),
        *(-amount_e4, str(debt.debt_id)),
    )
    draw(turn.state, account)
    put_debt(turn, replace(debt, amount_e4=debt.amount_e4 - amount_e4))


def repay_from_deposit(turn: Turn, account: Account, deposited_e4: int) -> None:
    """The next deposit repays what its account owes, first of all."""
    debt = turn.state.parking.debts.get(account.account_id)
    if debt is not None:
        amount_e4 = min(debt.amount_e4, deposited_e4, withdrawable_e4(account))
        if amount_e4:
            repay(turn, account, debt, amount_e4)
