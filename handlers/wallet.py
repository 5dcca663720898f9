"""The wallet: balance, deposits, withdrawals, and the statement."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

import msgspec
from msgspec import Struct

from config.settings import Mode
from engine.apply import Applied
from engine.commands import Deposit, RequestWithdrawal
from engine.events import Posted, WithdrawalRequested
from engine.state import State, Withdrawal
from handlers.balance_json import balance_json
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, refusal, success, success_as_of
from handlers.field_types import Currency, EntryName, Time, TransactionId
from handlers.numbers import NULL, AmountIn, Number, NumberOrNull, cash, read_amount_e4
from handlers.order_json import time_text
from handlers.orders import HIT
from handlers.paging import nth_page
from handlers.request_input import read_cursor, read_id, read_limit, read_page
from server.errors import DepositsClosed, NotFound
from server.history import Page, Transaction
from server.withdrawals import find_withdrawal

WITHDRAWAL_PREFIX: Final = "wdr_"

StatusName = Literal["PENDING", "COMPLETED", "FAILED"]


class PaymentMethod(StrEnum):
    """How money comes in."""

    BANK_TRANSFER = "BANK_TRANSFER"
    CARD = "CARD"
    UPI = "UPI"


class DepositBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /wallet/deposit`."""

    amount: AmountIn
    payment_method: PaymentMethod


class WithdrawBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /wallet/withdraw`."""

    amount: AmountIn


class TransactionJson(Struct, frozen=True):
    """A line of the statement. `amount` is signed; `balance_after` is null while the line is pending."""

    transaction_id: TransactionId
    type: EntryName
    amount: Number
    currency: Currency
    balance_after: NumberOrNull
    reference_id: str | None
    status: StatusName
    created_at: Time


class DepositJson(TransactionJson, frozen=True):
    """A deposit, with how it came in."""

    payment_method: PaymentMethod


_deposit = msgspec.json.Decoder(DepositBody)
_withdraw = msgspec.json.Decoder(WithdrawBody)


async def balance(call: Call) -> Answer:
    """`GET /wallet/balance`."""
    runtime = call.services.runtime
    seq = runtime.state.seq
    account = runtime.state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    settled_only = account.settled_only_until_us > runtime.now_us()
    data = encoded(
        balance_json(account.currency, account.cash_e4, account.held_e4, account.unsettled_e4, settled_only)
    )
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def deposit(call: Call) -> Answer:
    """`POST /wallet/deposit`: paper money arrives at once (201, COMPLETED)."""
    body = call.decode(_deposit)
    if call.services.settings.mode is Mode.PRODUCTION:
        raise DepositsClosed
    applied = await call.execute(Deposit(read_amount_e4(body.amount), body.payment_method.value))
    posted = next((event for event in applied.answer if isinstance(event, Posted)), None)
    if posted is None:
        return _refused(call, applied)
    _, currency, amount_e4, balance_e4 = next(
        posting for posting in posted.postings if posting[0] == call.principal.account_id
    )
    data = DepositJson(
        transaction_id=f"txn_{posted.txn_id}",
        type="DEPOSIT",
        amount=cash(amount_e4),
        currency=currency,
        balance_after=cash(balance_e4),
        reference_id=None,
        status="COMPLETED",
        created_at=time_text(applied.now_us),
        payment_method=PaymentMethod(posted.reference),
    )
    return _created(data, applied)


async def withdraw(call: Call) -> Answer:
    """`POST /wallet/withdraw`: the amount is held (201, PENDING) until the bank has paid."""
    body = call.decode(_withdraw)
    applied = await call.execute(RequestWithdrawal(read_amount_e4(body.amount)))
    requested = next((event for event in applied.answer if isinstance(event, WithdrawalRequested)), None)
    if requested is None:
        return _refused(call, applied)
    data = TransactionJson(
        transaction_id=f"wdr_{requested.withdrawal_id}",
        type="WITHDRAWAL",
        amount=cash(-requested.amount_e4),
        currency=call.services.runtime.state.accounts[requested.account_id].currency,
        balance_after=NULL,
        reference_id=None,
        status="PENDING",
        created_at=time_text(applied.now_us),
    )
    return _created(data, applied)


async def transactions(call: Call) -> Answer:
    """`GET /wallet/transactions?cursor=&limit=` (or `page=`), newest first.

    What the bank has not answered yet stands on top of the first page, PENDING.
    """
    services, account_id = call.services, call.principal.account_id
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    page_number = read_page(call.query)
    seq = services.runtime.state.seq
    pending = [] if cursor or page_number > 1 else _pending(services.runtime.state, account_id)
    await services.runtime.wait_durable(seq)

    async def after(cursor: str | None, limit: int) -> Page[Transaction]:
        return await services.history.transactions(account_id, cursor=cursor, limit=limit)

    page = await (after(cursor, limit) if cursor else nth_page(after, page_number, limit))
    lines = [_line_json(line) for line in page.items]
    settled = {line.transaction_id for line in lines}
    first = [line for line in pending if line.transaction_id not in settled]
    meta = MetaJson(as_of_seq=seq, limit=limit, next_cursor=page.next_cursor)
    return success([*first, *lines], meta=meta)


async def transaction(call: Call) -> Answer:
    """`GET /wallet/transactions/{id}`: a `txn_` of the ledger, or a `wdr_` through its whole life."""
    services, account_id = call.services, call.principal.account_id
    runtime = services.runtime
    text = call.path("transaction_id")
    seq = runtime.state.seq
    if text.startswith(WITHDRAWAL_PREFIX):
        found = await _withdrawal(call, read_id(text, WITHDRAWAL_PREFIX), seq)
    else:
        await runtime.wait_durable(seq)
        line = await services.history.transaction(account_id, text)
        found = _line_json(line) if line is not None else None
    if found is None:
        raise NotFound
    return success_as_of(encoded(found), seq)


async def _withdrawal(call: Call, withdrawal_id: int, seq: int) -> TransactionJson | None:
    services, account_id = call.services, call.principal.account_id
    runtime = services.runtime
    open_withdrawal = runtime.state.withdrawals.get(withdrawal_id)
    if open_withdrawal is not None and open_withdrawal.account_id == account_id:
        found = _pending_json(open_withdrawal, runtime.state.accounts[account_id].currency)
        await runtime.wait_durable(seq)
        return found
    await runtime.wait_durable(seq)
    settled = await find_withdrawal(services.database, services.write_behind, account_id, withdrawal_id)
    if settled is None:
        return None
    return TransactionJson(
        transaction_id=f"wdr_{settled.withdrawal_id}",
        type="WITHDRAWAL",
        amount=cash(-settled.amount_e4),
        currency=settled.currency,
        balance_after=cash(settled.balance_after_e4) if settled.balance_after_e4 is not None else NULL,
        reference_id=f"txn_{settled.txn_id}" if settled.txn_id is not None else None,
        status="COMPLETED" if settled.paid else "FAILED",
        created_at=time_text(settled.requested_us),
    )


def _pending(state: State, account_id: int) -> list[TransactionJson]:
    """The account's withdrawals that the bank has not answered, newest first."""
    return [
        _pending_json(withdrawal, state.accounts[account_id].currency)
        for withdrawal in sorted(state.withdrawals.values(), key=lambda each: -each.withdrawal_id)
        if withdrawal.account_id == account_id
    ]


def _pending_json(withdrawal: Withdrawal, currency: str) -> TransactionJson:
    return TransactionJson(
        transaction_id=f"wdr_{withdrawal.withdrawal_id}",
        type="WITHDRAWAL",
        amount=cash(-withdrawal.amount_e4),
        currency=currency,
        balance_after=NULL,
        reference_id=None,
        status="PENDING",
        created_at=time_text(withdrawal.requested_us),
    )


def _line_json(line: Transaction) -> TransactionJson:
    """A posted line. A withdrawal keeps the id that its request was answered with."""
    transaction_id, reference_id = line.transaction_id, line.reference_id
    if line.kind.name == "WITHDRAWAL":
        transaction_id, reference_id = reference_id, transaction_id
    return TransactionJson(
        transaction_id=transaction_id,
        type=line.kind.name,
        amount=cash(line.amount_e4),
        currency=line.currency,
        balance_after=cash(line.balance_after_e4),
        reference_id=reference_id or None,
        status="COMPLETED",
        created_at=time_text(line.created_us),
    )


def _created(data: TransactionJson, applied: Applied) -> Answer:
    return success_as_of(encoded(data), applied.seq, status=201, headers=HIT if applied.duplicate else None)


def _refused(call: Call, applied: Applied) -> Answer:
    refused = applied.refused
    if refused is None:
        raise TypeError("a command about money was answered by neither its event nor a refusal")
    return refusal(refused, call.request_id, duplicate=applied.duplicate)
