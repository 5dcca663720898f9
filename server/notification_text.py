"""Notifications in words: what each kind is about, how much it matters, and its text."""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct

from engine.kinds import CloseReason, Side
from engine.units import average_price_e4
from server.decimal_text import cash_text, quantity_text
from sql.notifications import Notification, NotificationKind


class Severity(Enum):
    """How much a notification matters: what was asked for, what was not, and what stops somebody."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Topic(Enum):
    """What a notification is about."""

    ORDERS = "ORDERS"
    MONEY = "MONEY"
    ACCOUNT = "ACCOUNT"
    PARKING = "PARKING"


class About(Struct, frozen=True):
    """What is the same for all notifications of a kind."""

    topic: Topic
    severity: Severity
    title: str


KINDS: Final[dict[NotificationKind, About]] = {
    NotificationKind.ORDER_FILLED: About(Topic.ORDERS, Severity.INFO, "Order filled"),
    NotificationKind.ORDER_PARTIALLY_FILLED: About(Topic.ORDERS, Severity.INFO, "Order partly filled"),
    NotificationKind.ORDER_CANCELLED: About(Topic.ORDERS, Severity.WARNING, "Order cancelled"),
    NotificationKind.ORDER_EXPIRED: About(Topic.ORDERS, Severity.INFO, "Order expired"),
    NotificationKind.ORDER_REJECTED: About(Topic.ORDERS, Severity.WARNING, "Order rejected"),
    NotificationKind.DEPOSIT_CREDITED: About(Topic.MONEY, Severity.INFO, "Deposit credited"),
    NotificationKind.WITHDRAWAL_PAID: About(Topic.MONEY, Severity.INFO, "Withdrawal paid"),
    NotificationKind.WITHDRAWAL_REFUSED: About(Topic.MONEY, Severity.WARNING, "Withdrawal refused"),
    NotificationKind.CASH_ADJUSTED: About(Topic.MONEY, Severity.WARNING, "Balance adjusted"),
    NotificationKind.SHARES_RECEIVED: About(Topic.MONEY, Severity.INFO, "Shares received"),
    NotificationKind.ACCOUNT_DISABLED: About(Topic.ACCOUNT, Severity.CRITICAL, "Account disabled"),
    NotificationKind.ACCOUNT_ENABLED: About(Topic.ACCOUNT, Severity.INFO, "Account enabled"),
    NotificationKind.TRADE_BUSTED: About(Topic.ORDERS, Severity.CRITICAL, "Trade annulled"),
    NotificationKind.DIVIDEND_PAID: About(Topic.MONEY, Severity.INFO, "Dividend received"),
    NotificationKind.SHARES_CHANGED: About(Topic.MONEY, Severity.INFO, "Shares changed"),
    NotificationKind.CASH_IN_LIEU: About(Topic.MONEY, Severity.INFO, "Cash for shares received"),
    NotificationKind.ORDER_TRIGGERED: About(Topic.ORDERS, Severity.INFO, "Stop reached"),
    NotificationKind.BOOKING_CONFIRMED: About(Topic.PARKING, Severity.INFO, "Space booked"),
    NotificationKind.BOOKING_CANCELLED: About(Topic.PARKING, Severity.WARNING, "Booking cancelled"),
    NotificationKind.BOOKING_NOT_USED: About(Topic.PARKING, Severity.WARNING, "Booking not used"),
    NotificationKind.BOOKING_OVERSTAYED: About(Topic.PARKING, Severity.WARNING, "Your parking time is over"),
    NotificationKind.SPACE_OFFERED: About(Topic.PARKING, Severity.WARNING, "A space is offered to you"),
    NotificationKind.PARKING_DEBT: About(Topic.PARKING, Severity.WARNING, "Parking not paid in full"),
    NotificationKind.PARKING_DEBT_PAID: About(Topic.PARKING, Severity.INFO, "Parking debt paid"),
    NotificationKind.PASS_ENDED: About(Topic.PARKING, Severity.INFO, "Parking pass over"),
}
"""Kind → what is said of it; a test shows that none is missing."""

_WHY: Final = {
    CloseReason.NO_LIQUIDITY: "nobody was on the other side at an acceptable price",
    CloseReason.SELF_TRADE: "it would have traded with an order of your own",
    CloseReason.SESSION_END: "the session has ended",
    CloseReason.KILL_SWITCH: "trading was stopped by an operator",
    CloseReason.ACCOUNT_DISABLED: "your account was disabled",
    CloseReason.PAIR: "the other order of its pair has traded or ended",
    CloseReason.PARENT: "the order that it waited for has ended",
    CloseReason.TIME: "its time is over",
    CloseReason.AUCTION_END: "the auction did not fill it",
    CloseReason.NOT_COVERED: "your account could not cover it when its turn came",
    CloseReason.POST_ONLY: "it would have taken what others offer",
    CloseReason.CORPORATE_ACTION: "a corporate action has changed the shares",
    CloseReason.TOO_MANY_FILLS: "it has traded as often as one order may at once",
}
_DEAL: Final = {Side.BUY: "purchase", Side.SELL: "sale"}
_DID: Final = {Side.BUY: "Bought", Side.SELL: "Sold"}
_ENDED: Final = {
    NotificationKind.ORDER_CANCELLED: "cancelled",
    NotificationKind.ORDER_EXPIRED: "closed",
    NotificationKind.ORDER_REJECTED: "rejected",
}


_IN_PARKING: Final = {
    NotificationKind.BOOKING_CONFIRMED: "A space in {lot} is booked for you, for {amount}.",
    NotificationKind.BOOKING_CANCELLED: "Your booking in {lot} was cancelled: {amount} of its price were kept.",
    NotificationKind.BOOKING_NOT_USED: "Nobody came for your booking in {lot}: its price of {amount} was charged.",
    NotificationKind.BOOKING_OVERSTAYED: "The time of your booking in {lot} is over and your vehicle is still inside: what comes after it is charged by the tariff.",
    NotificationKind.SPACE_OFFERED: "A space in {lot} has come free and is held for you for some minutes: take it, or it is offered to the next.",
    NotificationKind.PARKING_DEBT: "Parking in {lot} cost {amount} more than there was. The next deposit pays that first.",
    NotificationKind.PARKING_DEBT_PAID: "{amount} that you owed for parking were paid.",
    NotificationKind.PASS_ENDED: "Your pass for {lot} is over.",
}
"""Kind about parking → its sentence."""


def body_text(told: Notification, currency: str) -> str:
    """A notification in one or two plain sentences. `currency` is that of the account."""
    if told.side is not None:
        return _order_text(told, told.side, currency)
    amount = f"{cash_text(abs(told.amount_e4))} {currency}"
    if told.kind in _IN_PARKING:
        if told.kind is NotificationKind.BOOKING_CANCELLED and not told.amount_e4:
            return f"Your booking in lot_{told.symbol} was cancelled. It costs nothing."
        return _IN_PARKING[told.kind].format(lot=f"lot_{told.symbol}", amount=amount)
    match told.kind:
        case NotificationKind.DEPOSIT_CREDITED:
            return f"{amount} arrived in your account."
        case NotificationKind.WITHDRAWAL_PAID:
            return f"{amount} were paid to your bank."
        case NotificationKind.WITHDRAWAL_REFUSED:
            return f"Your bank did not take {amount}. They are available again."
        case NotificationKind.CASH_ADJUSTED:
            way = f"added {amount} to" if told.amount_e4 > 0 else f"taken {amount} from"
            return f"An operator has {way} your account."
        case NotificationKind.SHARES_RECEIVED:
            return f"{quantity_text(told.quantity_e8)} {told.symbol} were transferred to your account."
        case NotificationKind.DIVIDEND_PAID:
            return f"You received a dividend of {amount} for {quantity_text(told.quantity_e8)} {told.symbol}."
        case NotificationKind.SHARES_CHANGED:
            return f"A corporate action has changed your shares: you have {quantity_text(told.quantity_e8)} {told.symbol} now."
        case NotificationKind.CASH_IN_LIEU:
            return f"You received {amount} for {quantity_text(told.quantity_e8)} {told.symbol}."
        case NotificationKind.ACCOUNT_DISABLED:
            return "You cannot place orders or withdraw money. Open orders were cancelled."
        case NotificationKind.ACCOUNT_ENABLED:
            return "You can trade and withdraw money again."
        case _:
            raise LookupError(f"{told.kind.name} without an order")


def _order_text(told: Notification, side: Side, currency: str) -> str:
    quantity, filled = quantity_text(told.quantity_e8), quantity_text(told.filled_e8)
    done = ""
    if told.kind is NotificationKind.TRADE_BUSTED:
        price = cash_text(average_price_e4(told.amount_e4, told.filled_e8))
        deal = f"{_DEAL[side]} of {quantity} {told.symbol} at {price} {currency}"
        return f"Your {deal} was annulled by an operator: money, fees and shares went back. The order stays as it was."
    if told.filled_e8:
        part = filled if told.filled_e8 == told.quantity_e8 else f"{filled} of {quantity}"
        price = cash_text(average_price_e4(told.amount_e4, told.filled_e8))
        done = f"{_DID[side]} {part} {told.symbol} at {price} {currency}"
    if told.kind is NotificationKind.ORDER_FILLED:
        return f"{done}."
    if told.kind is NotificationKind.ORDER_PARTIALLY_FILLED:
        return f"{done} so far; the rest is open."
    if told.kind is NotificationKind.ORDER_TRIGGERED:
        return f"The stop of your order to {side.name.lower()} {quantity} {told.symbol} was reached: the order is open now."
    ended = _ENDED[told.kind]
    why = _WHY.get(told.reason)
    because = f": {why}" if why else ""
    if done:
        return f"{done}; the rest was {ended}{because}."
    return f"Your order to {side.name.lower()} {quantity} {told.symbol} was {ended}{because}."
