"""Accounts and the money that comes and goes: open, disable, deposit, withdraw, transfer units in, adjust."""

from __future__ import annotations

from engine.closing import close_all
from engine.commands import (
    AdjustCash,
    Deposit,
    Envelope,
    OpenAccount,
    RequestWithdrawal,
    SetAccountStatus,
    SetLotMethod,
    SettleWithdrawal,
    TransferIn,
)
from engine.events import (
    AccountOpened,
    AccountStatusChanged,
    LotMethodSet,
    Refused,
    WithdrawalRequested,
    WithdrawalSettled,
)
from engine.kinds import AccountKind, AccountStatus, CloseReason, LotMethod, TransactionKind
from engine.ledger import post_cash, post_units
from engine.parking.money import debt_of, repay_from_deposit
from engine.refusals import Refusal
from engine.risk import account_refusal
from engine.settlement import draw, unsettled_refusal
from engine.state import (
    ADJUSTMENTS_ACCOUNT_ID,
    BANK_ACCOUNT_ID,
    CUSTODY_ACCOUNT_ID,
    ISSUERS_ACCOUNT_ID,
    Account,
    State,
    Withdrawal,
)
from engine.trading import Answer
from engine.turn import Turn
from engine.units import CASH_TOTAL_MAX_E4, ID_MAX, SECURITY_TOTAL_MAX_E8

BRING_IN = (BANK_ACCOUNT_ID, ADJUSTMENTS_ACCOUNT_ID, ISSUERS_ACCOUNT_ID)
CUSTOMER_KINDS = (AccountKind.USER, AccountKind.MARKET_MAKER)


def open_account(turn: Turn, envelope: Envelope, command: OpenAccount) -> Answer:
    """Open the one account of a user."""
    state = turn.state
    if command.user_id in state.account_by_user:
        return Refused(Refusal.ACCOUNT_EXISTS, (("account_id", state.account_by_user[command.user_id]),))
    if command.kind not in CUSTOMER_KINDS or not 0 < command.user_id <= ID_MAX:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if not command.currency or command.currency in state.instruments:
        return Refused(Refusal.CURRENCY_MISMATCH)
    account = Account(turn.new_id(), command.user_id, command.kind, command.currency)
    state.accounts[account.account_id] = account
    state.account_by_user[account.user_id] = account.account_id
    turn.events.append(AccountOpened(account.account_id, account.user_id, account.kind, account.currency))
    turn.accounts[account.account_id] = account
    return None


def set_account_status(turn: Turn, envelope: Envelope, command: SetAccountStatus) -> Answer:
    """Disable or enable an account; disabling takes its orders off the book."""
    account = turn.state.accounts.get(command.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    account.status = command.status
    turn.events.append(AccountStatusChanged(account.account_id, command.status, command.reason))
    turn.accounts[account.account_id] = account
    if command.status is AccountStatus.DISABLED:
        close_all(turn, account, "", CloseReason.ACCOUNT_DISABLED)
    return None


def set_lot_method(turn: Turn, envelope: Envelope, command: SetLotMethod) -> Answer:
    """Set which lots sales take from now on. Market makers have one lot of each symbol and nothing to choose."""
    account = turn.state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused
    if command.method is LotMethod.SPECIFIC or account.kind is AccountKind.MARKET_MAKER:
        return Refused(Refusal.INVALID_TERMS, (("lot_method", int(command.method)),))
    account.lot_method = command.method
    for position in account.positions.values():
        position.dearest = None
    turn.state.dirty["account"][account.account_id] = None
    turn.events.append(LotMethodSet(account.account_id, command.method))
    return None


def brought_in_e4(state: State, currency: str) -> int:
    """What bank, adjustments and dividends have brought in: all customers' cash, before the fees that they have paid."""
    outside = state.outside
    return -sum([outside.get((outside_id, currency), 0) for outside_id in BRING_IN])


def deposit(turn: Turn, envelope: Envelope, command: Deposit) -> Answer:
    """Credit cash that arrived from the bank. A disabled account still receives."""
    state = turn.state
    account = state.accounts.get(envelope.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if command.amount_e4 <= 0:
        return Refused(Refusal.INVALID_AMOUNT)
    total_e4 = command.amount_e4 + brought_in_e4(state, account.currency)
    if total_e4 > CASH_TOTAL_MAX_E4 or account.contributed_e4 + command.amount_e4 > CASH_TOTAL_MAX_E4:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", CASH_TOTAL_MAX_E4),))
    account.contributed_e4 += command.amount_e4
    post_cash(turn, TransactionKind.DEPOSIT, account, BANK_ACCOUNT_ID, command.amount_e4, command.method)
    if state.parking.debts:
        repay_from_deposit(turn, account, command.amount_e4)
    return None


def request_withdrawal(turn: Turn, envelope: Envelope, command: RequestWithdrawal) -> Answer:
    """Hold cash until the bank has answered."""
    state = turn.state
    account = state.accounts.get(envelope.account_id)
    refused = account_refusal(account)
    if refused is not None or account is None:
        return refused
    if command.amount_e4 <= 0:
        return Refused(Refusal.INVALID_AMOUNT)
    free_e4 = account.available_e4 - debt_of(state.parking, account.account_id)
    if command.amount_e4 > free_e4:
        detail = (("required_e4", command.amount_e4), ("available_e4", free_e4))
        return Refused(Refusal.INSUFFICIENT_FUNDS, detail)
    refused = unsettled_refusal(state, account, command.amount_e4) if account.unsettled_e4 else None
    if refused is not None:
        return refused
    withdrawal = Withdrawal(turn.new_id(), account.account_id, command.amount_e4, turn.now_us)
    state.withdrawals[withdrawal.withdrawal_id] = withdrawal
    state.dirty["withdrawal"][withdrawal.withdrawal_id] = None
    account.held_e4 += withdrawal.amount_e4
    account.leaving_e4 += withdrawal.amount_e4
    turn.accounts[account.account_id] = account
    turn.events.append(
        WithdrawalRequested(withdrawal.withdrawal_id, account.account_id, withdrawal.amount_e4)
    )
    return None


def settle_withdrawal(turn: Turn, envelope: Envelope, command: SettleWithdrawal) -> Answer:
    """Resolve a withdrawal's hold exactly once: captured when the bank paid, else released."""
    state = turn.state
    withdrawal = state.withdrawals.get(command.withdrawal_id)
    if withdrawal is None:
        return Refused(Refusal.WITHDRAWAL_NOT_FOUND)
    account = state.accounts[withdrawal.account_id]
    del state.withdrawals[withdrawal.withdrawal_id]
    state.dirty["withdrawal"][withdrawal.withdrawal_id] = None
    account.held_e4 -= withdrawal.amount_e4
    account.leaving_e4 -= withdrawal.amount_e4
    turn.accounts[account.account_id] = account
    turn.events.append(
        WithdrawalSettled(withdrawal.withdrawal_id, account.account_id, withdrawal.amount_e4, command.paid)
    )
    if command.paid:
        account.contributed_e4 -= withdrawal.amount_e4
        reference = str(withdrawal.withdrawal_id)
        post_cash(
            turn, TransactionKind.WITHDRAWAL, account, BANK_ACCOUNT_ID, -withdrawal.amount_e4, reference
        )
    return None


def transfer_in(turn: Turn, envelope: Envelope, command: TransferIn) -> Answer:
    """Receive units of a security from custody outside, as a lot with its cost."""
    state = turn.state
    account = state.accounts.get(command.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    instrument = state.instruments.get(command.symbol)
    if instrument is None:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    if instrument.currency != account.currency:
        return Refused(Refusal.CURRENCY_MISMATCH)
    if command.quantity_e8 <= 0 or command.quantity_e8 % instrument.lot_e8:
        return Refused(Refusal.INVALID_QUANTITY)
    if not 0 <= command.cost_e4 <= CASH_TOTAL_MAX_E4 - account.contributed_e4:
        return Refused(Refusal.INVALID_AMOUNT)
    total_e8 = command.quantity_e8 - state.outside.get((CUSTODY_ACCOUNT_ID, command.symbol), 0)
    if total_e8 > SECURITY_TOTAL_MAX_E8:
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e8", SECURITY_TOTAL_MAX_E8),))
    account.contributed_e4 += command.cost_e4
    turn.accounts[account.account_id] = account
    post_units(turn, account, CUSTODY_ACCOUNT_ID, command.symbol, command.quantity_e8, command.cost_e4)
    return None


def adjust_cash(turn: Turn, envelope: Envelope, command: AdjustCash) -> Answer:
    """Give cash to an account or take available cash from it, against the adjustments' account.

    It counts as a contribution: a correction is neither a gain nor a loss. A disabled account can be adjusted.
    """
    account = turn.state.accounts.get(command.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    amount_e4 = command.amount_e4
    if not amount_e4 or amount_e4 < -CASH_TOTAL_MAX_E4:
        return Refused(Refusal.INVALID_AMOUNT)
    if -amount_e4 > account.available_e4:
        detail = (("required_e4", -amount_e4), ("available_e4", account.available_e4))
        return Refused(Refusal.INSUFFICIENT_FUNDS, detail)
    contributed_e4 = account.contributed_e4 + amount_e4
    if (
        amount_e4 + brought_in_e4(turn.state, account.currency) > CASH_TOTAL_MAX_E4
        or contributed_e4 > CASH_TOTAL_MAX_E4
    ):
        return Refused(Refusal.BALANCE_LIMIT, (("maximum_e4", CASH_TOTAL_MAX_E4),))
    account.contributed_e4 = contributed_e4
    post_cash(turn, TransactionKind.ADJUSTMENT, account, ADJUSTMENTS_ACCOUNT_ID, amount_e4, command.reference)
    draw(turn.state, account)
    return None
