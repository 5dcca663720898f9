"""Accounts: open, disable, deposit, withdraw, transfer units in."""

from __future__ import annotations

import pytest

from engine.commands import (
    AdjustCash,
    AnyCommand,
    Deposit,
    OpenAccount,
    RequestWithdrawal,
    SetAccountStatus,
    SettleWithdrawal,
    TransferIn,
)
from engine.events import AccountOpened, OrderUpdated, Posted, WithdrawalRequested, WithdrawalSettled
from engine.kinds import AccountKind, AccountStatus, CloseReason, TransactionKind
from engine.state import ADJUSTMENTS_ACCOUNT_ID, BANK_ACCOUNT_ID, CUSTODY_ACCOUNT_ID
from engine.units import CASH_TOTAL_MAX_E4, SECURITY_TOTAL_MAX_E8
from tests.engine.world import World, e4, e8, of_kind, refusal, stock


@pytest.fixture
def world() -> World:
    world = World()
    world.open("ann", cash="1000", shares="10")
    return world


def test_an_account_opens_empty(world: World) -> None:
    applied = world.do(OpenAccount(99, AccountKind.USER, "EUR"))
    (opened,) = of_kind(applied, AccountOpened)
    account = world.state.accounts[opened.account_id]
    assert (opened.user_id, opened.currency) == (99, "EUR")
    assert (account.cash_e4, account.held_e4, account.status) == (0, 0, AccountStatus.ACTIVE)


ACCOUNT_REFUSALS = [
    (OpenAccount(1, AccountKind.USER, "USD"), "ACCOUNT_EXISTS"),
    (OpenAccount(0, AccountKind.USER, "USD"), "ACCOUNT_NOT_FOUND"),
    (OpenAccount(2**63, AccountKind.USER, "USD"), "ACCOUNT_NOT_FOUND"),
    (OpenAccount(2, AccountKind.BANK, "USD"), "ACCOUNT_NOT_FOUND"),
    (OpenAccount(2, AccountKind.USER, ""), "CURRENCY_MISMATCH"),
    (OpenAccount(2, AccountKind.USER, "AAPL"), "CURRENCY_MISMATCH"),
    (SetAccountStatus(5, AccountStatus.DISABLED, ""), "ACCOUNT_NOT_FOUND"),
    (Deposit(0, "CARD"), "INVALID_AMOUNT"),
    (Deposit(-1, "CARD"), "INVALID_AMOUNT"),
    (Deposit(CASH_TOTAL_MAX_E4 - e4("1000"), "CARD"), "BALANCE_LIMIT"),
    (RequestWithdrawal(0), "INVALID_AMOUNT"),
    (RequestWithdrawal(-1), "INVALID_AMOUNT"),
    (RequestWithdrawal(e4("1000.0001")), "INSUFFICIENT_FUNDS"),
    (SettleWithdrawal(5, paid=True), "WITHDRAWAL_NOT_FOUND"),
    (TransferIn(5, "AAPL", e8("1"), 0), "ACCOUNT_NOT_FOUND"),
    (AdjustCash(5, 1, ""), "ACCOUNT_NOT_FOUND"),
]


@pytest.mark.parametrize(("command", "outcome"), ACCOUNT_REFUSALS)
def test_what_is_refused(world: World, command: AnyCommand, outcome: str) -> None:
    assert refusal(world.do(command, "ann")) == outcome
    assert world.cash("ann") == ("1000", "0")


@pytest.mark.parametrize("command", [Deposit(1, "CARD"), RequestWithdrawal(1)])
def test_money_needs_an_account(world: World, command: AnyCommand) -> None:
    assert refusal(world.do(command, "nobody")) == "ACCOUNT_NOT_FOUND"


TRANSFER_REFUSALS = [
    ("NOPE", e8("1"), 0, "UNKNOWN_SYMBOL"),
    ("EURX", e8("1"), 0, "CURRENCY_MISMATCH"),
    ("AAPL", 0, 0, "INVALID_QUANTITY"),
    ("AAPL", -e8("1"), 0, "INVALID_QUANTITY"),
    ("AAPL", 1, 0, "INVALID_QUANTITY"),
    ("AAPL", e8("1"), -1, "INVALID_AMOUNT"),
    ("AAPL", e8("1"), CASH_TOTAL_MAX_E4, "INVALID_AMOUNT"),
    ("AAPL", SECURITY_TOTAL_MAX_E8, 0, "BALANCE_LIMIT"),
    ("AAPL", SECURITY_TOTAL_MAX_E8 - e8("10"), 0, "accepted"),
]


@pytest.mark.parametrize(("symbol", "quantity_e8", "cost_e4", "outcome"), TRANSFER_REFUSALS)
def test_units_that_arrive(world: World, symbol: str, quantity_e8: int, cost_e4: int, outcome: str) -> None:
    world.do(stock("EURX", currency="EUR"))
    command = TransferIn(world.ids["ann"], symbol, quantity_e8, cost_e4)
    assert refusal(world.do(command)) == outcome


def test_a_deposit_is_one_transaction_with_the_bank(world: World) -> None:
    applied = world.do(Deposit(e4("500"), "UPI"), "ann")
    (posted,) = of_kind(applied, Posted)
    assert (posted.kind, posted.reference) == (TransactionKind.DEPOSIT, "UPI")
    assert posted.postings == (
        (world.ids["ann"], "USD", e4("500"), e4("1500")),
        (BANK_ACCOUNT_ID, "USD", -e4("500"), -e4("1500")),
    )


def test_a_transfer_is_one_transaction_with_custody_and_counts_as_contributed(world: World) -> None:
    applied = world.do(TransferIn(world.ids["ann"], "AAPL", e8("5"), e4("600")))
    (posted,) = of_kind(applied, Posted)
    assert posted.postings == (
        (world.ids["ann"], "AAPL", e8("5"), e8("15")),
        (CUSTODY_ACCOUNT_ID, "AAPL", -e8("5"), -e8("15")),
    )
    account = world.account("ann")
    assert account.contributed_e4 == e4("1000") + e4("100") + e4("600")
    assert account.positions["AAPL"].cost_e4 == e4("700")


@pytest.mark.parametrize(
    ("paid", "cash", "contributed"), [(True, ("600", "0"), "700"), (False, ("1000", "0"), "1100")]
)
def test_a_withdrawal_is_held_and_then_captured_or_released_once(
    world: World, paid: bool, cash: tuple[str, str], contributed: str
) -> None:
    (asked,) = of_kind(world.do(RequestWithdrawal(e4("400")), "ann"), WithdrawalRequested)
    assert world.cash("ann") == ("1000", "400")
    settled = world.do(SettleWithdrawal(asked.withdrawal_id, paid))
    assert len(of_kind(settled, WithdrawalSettled)) == 1
    assert len(of_kind(settled, Posted)) == int(paid)
    assert world.cash("ann") == cash
    assert world.account("ann").contributed_e4 == e4(contributed)
    assert refusal(world.do(SettleWithdrawal(asked.withdrawal_id, paid))) == "WITHDRAWAL_NOT_FOUND"


def test_what_an_open_buy_holds_cannot_be_withdrawn(world: World) -> None:
    world.buy("ann", "6", "100")
    assert refusal(world.do(RequestWithdrawal(e4("400.01")), "ann")) == "INSUFFICIENT_FUNDS"
    assert refusal(world.do(RequestWithdrawal(e4("400")), "ann")) == "accepted"


def test_disabling_cancels_orders_and_stops_new_ones_but_money_still_arrives(world: World) -> None:
    world.buy("ann", "1", "99")
    world.sell("ann", "1", "101")
    applied = world.do(SetAccountStatus(world.ids["ann"], AccountStatus.DISABLED, "lost card"))
    assert {order.reason for order in of_kind(applied, OrderUpdated)} == {CloseReason.ACCOUNT_DISABLED}
    assert world.book() == ([], [])
    assert refusal(world.do(RequestWithdrawal(1), "ann")) == "ACCOUNT_DISABLED"
    assert refusal(world.do(Deposit(1, "CARD"), "ann")) == "accepted"
    world.do(SetAccountStatus(world.ids["ann"], AccountStatus.ACTIVE, "found"))
    assert refusal(world.do(RequestWithdrawal(1), "ann")) == "accepted"


def test_disabling_a_market_maker_takes_its_quotes_off(world: World) -> None:
    world.open("mm", cash="1000", maker=True)
    world.quote("mm", [("1", "99")], [])
    world.do(SetAccountStatus(world.ids["mm"], AccountStatus.DISABLED, ""))
    assert world.book() == ([], [])


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        ("0", "INVALID_AMOUNT"),
        ("-1000.0001", "INSUFFICIENT_FUNDS"),
        ("-1000", "accepted"),
        ("99999999999000", "BALANCE_LIMIT"),
        ("0.0001", "accepted"),
    ],
)
def test_an_adjustment_may_take_what_is_available_and_no_more(
    world: World, amount: str, outcome: str
) -> None:
    assert refusal(world.do(AdjustCash(world.ids["ann"], e4(amount), "adj_1"))) == outcome


def test_an_adjustment_is_posted_against_its_own_account_and_is_no_gain(world: World) -> None:
    contributed_e4 = world.account("ann").contributed_e4
    world.do(SetAccountStatus(world.ids["ann"], AccountStatus.DISABLED, ""))
    applied = world.do(AdjustCash(world.ids["ann"], -e4("250"), "adj_7"))
    (posted,) = of_kind(applied, Posted)
    assert (posted.kind, posted.reference) == (TransactionKind.ADJUSTMENT, "adj_7")
    assert posted.postings == (
        (world.ids["ann"], "USD", -e4("250"), e4("750")),
        (ADJUSTMENTS_ACCOUNT_ID, "USD", e4("250"), e4("250")),
    )
    assert world.cash("ann") == ("750", "0")
    assert world.account("ann").contributed_e4 == contributed_e4 - e4("250")


def test_deposits_and_adjustments_share_one_bound(world: World) -> None:
    world.open("bob")
    most_e4 = CASH_TOTAL_MAX_E4 - e4("1000")
    assert refusal(world.do(AdjustCash(world.ids["bob"], most_e4, ""))) == "accepted"
    assert refusal(world.do(Deposit(1, "CARD"), "ann")) == "BALANCE_LIMIT"
    assert refusal(world.do(AdjustCash(world.ids["bob"], -1, ""))) == "accepted"
    assert refusal(world.do(Deposit(1, "CARD"), "ann")) == "accepted"
