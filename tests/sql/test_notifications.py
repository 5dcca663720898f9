"""What each event tells its owner: a table of one row a case, and what the rows keep of it. No database."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.action_events import FractionPaid
from engine.dividend_events import DividendPaid
from engine.events import (
    AccountStatusChanged,
    AnyEvent,
    BalanceChanged,
    BookChanged,
    OrderUpdated,
    Posted,
    Refused,
    TradeBusted,
    Traded,
    WithdrawalRequested,
    WithdrawalSettled,
)
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    TransactionKind,
)
from engine.refusals import Refusal
from engine.state import ADJUSTMENTS_ACCOUNT_ID, BANK_ACCOUNT_ID, CUSTODY_ACCOUNT_ID, Account
from engine.terms import Special, Terms
from engine.units import IDS_PER_SEQ
from server.notification_text import KINDS, Topic, body_text
from sql.copy_rows import NOTIFICATION_COLUMNS, PG_EPOCH_US
from sql.notifications import Notification, NotificationKind, notable_of, notifications_of
from sql.projection import Rows
from tests.server.market_records import NOON_US, UNIT_E8, durable
from tests.sql.copy_decoder import decode

BUYER, SELLER, MAKER = 5 * IDS_PER_SEQ, 6 * IDS_PER_SEQ, 7 * IDS_PER_SEQ
SEQ = 70
Status, Reason = OrderStatus, CloseReason


def order(status: OrderStatus, filled: int = 0, **more: Any) -> OrderUpdated:
    """An order of the buyer for 10 at 175.45, of which so much is filled."""
    report = OrderUpdated(
        order_id=60 * IDS_PER_SEQ, account_id=BUYER, symbol="AAPL", side=Side.BUY, order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC, quantity_e8=10 * UNIT_E8, price_e4=1_754_500, limit_e4=1_754_500,
        filled_e8=filled * UNIT_E8, notional_e4=filled * 1_754_500, fee_e4=0, hold_e4=0, status=status,
        reason=Reason.NONE, created_us=NOON_US, updated_us=NOON_US, client_order_id="", replaces_id=0,
        replaced_by_id=0, is_quote=False,
    )  # fmt: skip
    return replace(report, **more)


def fired(triggered_us: int) -> Special:
    """The terms of a stop that was reached at this time."""
    return Special(Terms(stop_e4=1_754_400), trigger_e4=1_754_400, triggered_us=triggered_us)


def fill(units: int, buy_order_id: int = 60 * IDS_PER_SEQ) -> Traded:
    return Traded(
        SEQ * IDS_PER_SEQ, "AAPL", "USD", 1_754_500, units * UNIT_E8, units * 1_754_500, Side.SELL,
        buy_order_id, BUYER, 0, 0, 0, SEQ * IDS_PER_SEQ, SELLER, 0, 0, 0,
    )  # fmt: skip


def posted(kind: TransactionKind, outside_id: int, asset: str, amount: int) -> Posted:
    return Posted(
        SEQ * IDS_PER_SEQ, kind, "CARD", ((BUYER, asset, amount, 0), (outside_id, asset, -amount, 0))
    )


def told_by(*events: AnyEvent) -> list[Notification]:
    """What a record with these events tells; everybody but the MAKER is an ordinary user."""
    accounts = {
        BUYER: Account(BUYER, 1, AccountKind.USER, "USD"),
        MAKER: Account(MAKER, 2, AccountKind.MARKET_MAKER, "USD"),
    }
    record = durable(SEQ, *events)
    return notifications_of(record, notable_of(record), accounts)


IOC = {"time_in_force": TimeInForce.IOC, "reason": Reason.NO_LIQUIDITY}
DEPOSIT = posted(TransactionKind.DEPOSIT, BANK_ACCOUNT_ID, "USD", 2_505_000)
TAKEN = posted(TransactionKind.ADJUSTMENT, ADJUSTMENTS_ACCOUNT_ID, "USD", -15_000)
SHARES = posted(TransactionKind.TRANSFER_IN, CUSTODY_ACCOUNT_ID, "AAPL", 3 * UNIT_E8)
PAYMENT = posted(TransactionKind.WITHDRAWAL, BANK_ACCOUNT_ID, "USD", -100_000)

TOLD: list[tuple[str, tuple[AnyEvent, ...], str, str]] = [
    # what happens, its events, the kind, the text
    ("filled at once", (fill(10), order(Status.FILLED, 10)), "ORDER_FILLED", "Bought 10 AAPL at 175.45 USD."),
    ("the first part", (fill(1), fill(3), order(Status.PARTIAL, 4)), "ORDER_PARTIALLY_FILLED",
     "Bought 4 of 10 AAPL at 175.45 USD so far; the rest is open."),
    ("a part of a market order", (fill(4), order(Status.CANCELLED, 4, order_type=OrderType.MARKET, **IOC)),
     "ORDER_CANCELLED", "Bought 4 of 10 AAPL at 175.45 USD; the rest was cancelled: nobody was on the other side"),
    ("nothing for a market order", (order(Status.CANCELLED, order_type=OrderType.MARKET, **IOC),), "ORDER_CANCELLED",
     "Your order to buy 10 AAPL was cancelled: nobody was on the other side at an acceptable price."),
    ("a part of an IOC", (fill(4), order(Status.CANCELLED, 4, **IOC)), "ORDER_CANCELLED", "Bought 4 of 10"),
    ("self-trade", (order(Status.CANCELLED, reason=Reason.SELF_TRADE),), "ORDER_CANCELLED", "with an order of your own"),
    ("kill switch", (order(Status.CANCELLED, reason=Reason.KILL_SWITCH),), "ORDER_CANCELLED", "stopped by an operator"),
    ("disabled", (order(Status.CANCELLED, reason=Reason.ACCOUNT_DISABLED),), "ORDER_CANCELLED", "account was disabled"),
    ("session end", (order(Status.EXPIRED, 2, reason=Reason.SESSION_END),), "ORDER_EXPIRED",
     "Bought 2 of 10 AAPL at 175.45 USD; the rest was closed: the session has ended."),
    ("good till a time", (order(Status.EXPIRED, reason=Reason.TIME),), "ORDER_EXPIRED", "was closed: its time is over."),
    ("an auction that missed it", (order(Status.EXPIRED, reason=Reason.AUCTION_END),), "ORDER_EXPIRED", "did not fill it"),
    ("its pair has traded", (order(Status.CANCELLED, 3, reason=Reason.PAIR),), "ORDER_CANCELLED",
     "Bought 3 of 10 AAPL at 175.45 USD; the rest was cancelled: the other order of its pair has traded or ended."),
    ("released, not covered", (order(Status.CANCELLED, reason=Reason.NOT_COVERED),), "ORDER_CANCELLED", "could not cover it"),
    ("released, would take", (order(Status.CANCELLED, reason=Reason.POST_ONLY),), "ORDER_CANCELLED", "taken what others"),
    ("shares that changed", (order(Status.CANCELLED, reason=Reason.CORPORATE_ACTION),), "ORDER_CANCELLED", "corporate action"),
    ("its stop was reached", (order(Status.PENDING, special=fired(NOON_US)),), "ORDER_TRIGGERED",
     "The stop of your order to buy 10 AAPL was reached: the order is open now."),
    ("its stop was reached, and it fills", (fill(10), order(Status.FILLED, 10, special=fired(NOON_US))), "ORDER_FILLED",
     "Bought 10 AAPL"),
    ("its stop was reached, and nobody there", (order(Status.CANCELLED, order_type=OrderType.STOP_LOSS, special=fired(NOON_US),
     reason=Reason.NO_LIQUIDITY),), "ORDER_CANCELLED", "nobody was on the other side"),
    ("rejected later", (order(Status.REJECTED),), "ORDER_REJECTED", "Your order to buy 10 AAPL was rejected."),
    ("deposit", (DEPOSIT,), "DEPOSIT_CREDITED", "250.50 USD arrived in your account."),
    ("withdrawal paid", (WithdrawalSettled(9, BUYER, 100_000, True), PAYMENT), "WITHDRAWAL_PAID",
     "10.00 USD were paid to your bank."),
    ("withdrawal refused", (WithdrawalSettled(9, BUYER, 100_000, False),), "WITHDRAWAL_REFUSED", "did not take 10.00 USD"),
    ("adjusted", (TAKEN,), "CASH_ADJUSTED", "An operator has taken 1.50 USD from your account."),
    ("shares", (SHARES,), "SHARES_RECEIVED", "3 AAPL were transferred to your account."),
    ("cash in lieu", (FractionPaid(9, 8, BUYER, "AAPL", UNIT_E8 // 2, 300_000, ()),), "CASH_IN_LIEU",
     "You received 30.00 USD for 0.5 AAPL."),
    ("a split", (Posted(9, TransactionKind.CORPORATE_ACTION, "act_8", (
        (BUYER, "AAPL", 10 * UNIT_E8, 20 * UNIT_E8), (2, "AAPL", -10 * UNIT_E8, -20 * UNIT_E8))),), "SHARES_CHANGED",
     "you have 20 AAPL now."),
    ("dividend", (DividendPaid(9, 7, BUYER, "AAPL", 12 * UNIT_E8, 28_800),), "DIVIDEND_PAID",
     "You received a dividend of 2.88 USD for 12 AAPL."),
    ("account disabled", (AccountStatusChanged(BUYER, AccountStatus.DISABLED, "why"),), "ACCOUNT_DISABLED", "You cannot"),
    ("account enabled", (AccountStatusChanged(BUYER, AccountStatus.ACTIVE, "why"),), "ACCOUNT_ENABLED", "You can trade"),
]  # fmt: skip

SILENT: list[tuple[str, tuple[AnyEvent, ...]]] = [
    ("accepted", (order(Status.PENDING), BookChanged("AAPL", ()), BalanceChanged(BUYER, 0, 0))),
    ("a stop that waits", (order(Status.HELD, special=fired(0)),)),
    ("news of a stop that was reached before", (order(Status.PENDING, special=fired(NOON_US - 1)),)),
    ("legs that go with their parent", (order(Status.CANCELLED, reason=Reason.PARENT),)),
    ("a later part", (fill(1), order(Status.PARTIAL, 4))),
    ("smaller, not filled", (order(Status.PARTIAL, 4),)),
    ("cancelled by its owner", (order(Status.CANCELLED, reason=Reason.USER),)),
    ("all cancelled by their owner", (order(Status.CANCELLED, 3, reason=Reason.CANCEL_ALL),)),
    ("replaced", (order(Status.REPLACED, 3, reason=Reason.REPLACED),)),
    ("an IOC that finds nobody", (order(Status.CANCELLED, **IOC),)),
    (
        "a market maker's quote that trades",
        (fill(10), order(Status.FILLED, 10, account_id=MAKER, is_quote=True)),
    ),
    ("a market maker's order", (fill(10), order(Status.FILLED, 10, account_id=MAKER))),
    ("the first part of a market maker's order", (fill(4), order(Status.PARTIAL, 4, account_id=MAKER))),
    (
        "a market maker's orders go",
        (order(Status.CANCELLED, 4, account_id=MAKER, reason=Reason.KILL_SWITCH),),
    ),
    ("a withdrawal that was asked for", (WithdrawalRequested(9, BUYER, 100_000),)),
    ("refused", (Refused(Refusal.INSUFFICIENT_FUNDS),)),
]


@pytest.mark.parametrize(("events", "kind", "text"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_told(events: tuple[AnyEvent, ...], kind: str, text: str) -> None:
    (told,) = told_by(*events)
    assert (told.kind.name, told.account_id, told.created_us) == (kind, BUYER, NOON_US)
    assert text in body_text(told, "USD")
    assert told.notification_id // IDS_PER_SEQ == SEQ


@pytest.mark.parametrize("events", [row[1] for row in SILENT], ids=[row[0] for row in SILENT])
def test_what_is_not(events: tuple[AnyEvent, ...]) -> None:
    assert told_by(*events) == []


def test_every_kind_has_a_title_and_is_in_a_test_here_or_in_that_of_parking() -> None:
    assert set(KINDS) == set(NotificationKind)
    others = {kind.name for kind, about in KINDS.items() if about.topic is not Topic.PARKING}
    assert {row[2] for row in TOLD} | {"TRADE_BUSTED"} == others


def test_both_sides_are_told_of_a_bust_each_with_an_id_of_its_own() -> None:
    bust = TradeBusted(
        SEQ * IDS_PER_SEQ, 60 * IDS_PER_SEQ, NOON_US, "AAPL", "USD", 1_754_500, 2 * UNIT_E8, 3_509_000, Side.BUY,
        11, BUYER, 10, 0, 0, 12, SELLER, 10, 0, 0, 1, "a finger too fat",
    )  # fmt: skip
    buyer, seller = told_by(bust, BalanceChanged(BUYER, 1, 0), BalanceChanged(SELLER, 1, 0))
    assert (buyer.account_id, buyer.order_id, seller.account_id, seller.order_id) == (BUYER, 11, SELLER, 12)
    assert {buyer.kind, seller.kind} == {NotificationKind.TRADE_BUSTED}
    assert buyer.notification_id != seller.notification_id
    assert body_text(buyer, "USD").startswith(
        "Your purchase of 2 AAPL at 175.45 USD was annulled by an operator"
    )
    assert body_text(seller, "USD").startswith("Your sale of 2 AAPL")
    assert "finger" not in body_text(buyer, "USD")


def test_a_market_maker_is_told_of_its_money() -> None:
    deposit = Posted(
        SEQ * IDS_PER_SEQ,
        TransactionKind.DEPOSIT,
        "CARD",
        ((MAKER, "USD", 1, 1), (BANK_ACCOUNT_ID, "USD", -1, -1)),
    )
    assert [told.kind for told in told_by(deposit)] == [NotificationKind.DEPOSIT_CREDITED]


def test_both_sides_of_a_fill_are_told_each_with_an_id_of_its_own() -> None:
    sold = order(
        Status.FILLED, 10, order_id=SEQ * IDS_PER_SEQ, account_id=SELLER, side=Side.SELL, quantity_e8=10 * UNIT_E8
    )  # fmt: skip
    buyer, seller = told_by(fill(10), order(Status.FILLED, 10), sold)
    assert (buyer.account_id, buyer.notification_id) == (BUYER, SEQ * IDS_PER_SEQ + 1)
    assert (seller.account_id, seller.notification_id) == (SELLER, SEQ * IDS_PER_SEQ + 2)
    assert body_text(seller, "USD") == "Sold 10 AAPL at 175.45 USD."


def test_the_same_record_says_the_same_again() -> None:
    events = (fill(4), order(Status.PARTIAL, 4), DEPOSIT, SHARES)
    assert told_by(*events) == told_by(*events)
    assert len({told.notification_id for told in told_by(*events)}) == 3


def test_a_row_keeps_what_was_told() -> None:
    rows = Rows(SEQ)
    rows.add(durable(SEQ, fill(4), order(Status.PARTIAL, 4), BalanceChanged(BUYER, 1, 0)))
    rows.add(durable(SEQ + 1, TAKEN))
    rows.add(durable(SEQ + 2, order(Status.PENDING)))
    partly, taken = (decode(NOTIFICATION_COLUMNS, row) for row in rows.notifications)
    assert partly == {
        "account_id": BUYER, "notification_id": SEQ * IDS_PER_SEQ + 1, "created_at": NOON_US - PG_EPOCH_US,
        "order_id": 60 * IDS_PER_SEQ, "reference_id": 0, "quantity_e8": 10 * UNIT_E8, "filled_e8": 4 * UNIT_E8,
        "amount_e4": 7_018_000, "kind": NotificationKind.ORDER_PARTIALLY_FILLED, "side": Side.BUY, "reason": 0,
        "read_at": None, "symbol": "AAPL",
    }  # fmt: skip
    assert (taken["reference_id"], taken["amount_e4"], taken["side"]) == (SEQ * IDS_PER_SEQ, -15_000, 0)


def test_an_order_s_kind_without_an_order_is_a_bug() -> None:
    with pytest.raises(LookupError, match="ORDER_FILLED"):
        body_text(Notification(1, BUYER, NOON_US, NotificationKind.ORDER_FILLED), "USD")
