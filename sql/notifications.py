"""Which events tell whom what: the notifications of a journal record, made from its events and from nothing else.

Both who writes them to Postgres and who streams them ask here, so the two never differ. The fewest that somebody wants:
an order that begins to fill, that is done, or that ends without having been asked to; money and units that move other than
by a fill; an account that is disabled or enabled. A market maker's quotes tell nobody: the `orders` channel has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct

from engine.events import AccountStatusChanged, AnyEvent, OrderUpdated, Posted, Traded, WithdrawalSettled
from engine.kinds import AccountStatus, CloseReason, OrderStatus, OrderType, Side, TransactionKind
from engine.units import IDS_PER_SEQ

FILLED: Final = OrderStatus.FILLED
LIMIT: Final = OrderType.LIMIT
NO_LIQUIDITY: Final = CloseReason.NO_LIQUIDITY
PARTIAL: Final = OrderStatus.PARTIAL
PENDING: Final = OrderStatus.PENDING
USER: Final = CloseReason.USER


class NotificationKind(IntEnum):
    """What happened. The numbers stand in the table, the names in the contract: neither ever changes."""

    ORDER_FILLED = 1
    ORDER_PARTIALLY_FILLED = 2
    ORDER_CANCELLED = 3
    ORDER_EXPIRED = 4
    ORDER_REJECTED = 5
    DEPOSIT_CREDITED = 6
    WITHDRAWAL_PAID = 7
    WITHDRAWAL_REFUSED = 8
    CASH_ADJUSTED = 9
    SHARES_RECEIVED = 10
    ACCOUNT_DISABLED = 11
    ACCOUNT_ENABLED = 12


class Notification(Struct, frozen=True, gc=False):
    """One thing that one account is told.

    `notification_id` is the record's sequence and the event's place in it, as all ids are made. `reference_id` is the
    transaction or withdrawal behind it, 0 for none; so is `order_id`. `amount_e4` is what the order's fills were worth, or
    the cash that moved, signed. `quantity_e8` is the order's, or the units that arrived.
    """

    notification_id: int
    account_id: int
    created_us: int
    kind: NotificationKind
    order_id: int = 0
    reference_id: int = 0
    side: Side | None = None
    symbol: str = ""
    quantity_e8: int = 0
    filled_e8: int = 0
    amount_e4: int = 0
    reason: CloseReason = CloseReason.NONE


class RecordLike(Protocol):
    """What is needed of a journal record."""

    @property
    def seq(self) -> int: ...
    @property
    def now_us(self) -> int: ...
    @property
    def events(self) -> Sequence[AnyEvent]: ...


NOTABLE: Final = (Posted, WithdrawalSettled, AccountStatusChanged)
"""Events other than an order's that may tell somebody something."""


def may_notify(order: OrderUpdated) -> bool:
    """Whether a record with this report has to be looked at. It is asked for every order: most rest, or are cancelled
    by their owner, and cost no more than this.
    """
    return order.status is not PENDING and order.reason is not USER


def notifications_of(record: RecordLike) -> list[Notification]:
    """The notifications of a record, in the order of its events. An id has room for IDS_PER_SEQ of those: what lies
    beyond (a kill switch over a million open orders) is told by the other channels alone.
    """
    first_id, now_us, events = record.seq * IDS_PER_SEQ, record.now_us, record.events
    found = []
    for notification_id, event in enumerate(islice(events, IDS_PER_SEQ), first_id):
        if type(event) is OrderUpdated:
            kind = _kind_of_order(event, events) if may_notify(event) else None
            if kind is not None:
                found.append(
                    Notification(
                        notification_id,
                        event.account_id,
                        now_us,
                        kind,
                        event.order_id,
                        0,
                        event.side,
                        event.symbol,
                        event.quantity_e8,
                        event.filled_e8,
                        event.notional_e4,
                        event.reason,
                    )
                )
        elif type(event) in NOTABLE:
            rare = _rare(event, notification_id, now_us)
            if rare is not None:
                found.append(rare)
    return found


def _kind_of_order(order: OrderUpdated, events: Sequence[AnyEvent]) -> NotificationKind | None:
    """What an order's report says to its owner; None when that is nothing, or was asked for."""
    if order.is_quote:
        return None
    status = order.status
    if status is FILLED:
        return NotificationKind.ORDER_FILLED
    if status is PARTIAL:  # once: when it begins to fill
        filled_e8 = _filled_now_e8(order.order_id, events)
        return NotificationKind.ORDER_PARTIALLY_FILLED if filled_e8 == order.filled_e8 else None
    if status is OrderStatus.EXPIRED:
        return NotificationKind.ORDER_EXPIRED
    if status is OrderStatus.REJECTED:
        return NotificationKind.ORDER_REJECTED
    reason = order.reason
    if reason in _UNASKED:
        return NotificationKind.ORDER_CANCELLED
    if reason is NO_LIQUIDITY and (order.filled_e8 or order.order_type is not LIMIT):
        return (
            NotificationKind.ORDER_CANCELLED
        )  # an IOC or FOK that finds nobody was answered so, as it asked
    return None


_UNASKED: Final = (CloseReason.SELF_TRADE, CloseReason.KILL_SWITCH, CloseReason.ACCOUNT_DISABLED)
"""Why an order is cancelled that nobody asked to be."""


def _filled_now_e8(order_id: int, events: Sequence[AnyEvent]) -> int:
    """How much of an order these events have filled."""
    return sum(
        event.quantity_e8
        for event in events
        if type(event) is Traded and order_id in (event.buy_order_id, event.sell_order_id)
    )


_OF_TRANSACTION: Final = {
    TransactionKind.DEPOSIT: NotificationKind.DEPOSIT_CREDITED,
    TransactionKind.ADJUSTMENT: NotificationKind.CASH_ADJUSTED,
    TransactionKind.TRANSFER_IN: NotificationKind.SHARES_RECEIVED,
}
"""A withdrawal is told when the bank has answered, paid or not."""


def _rare(event: AnyEvent, notification_id: int, now_us: int) -> Notification | None:
    """What money, units and accounts tell their owner."""
    if isinstance(event, WithdrawalSettled):
        kind = NotificationKind.WITHDRAWAL_PAID if event.paid else NotificationKind.WITHDRAWAL_REFUSED
        return Notification(
            notification_id,
            event.account_id,
            now_us,
            kind,
            reference_id=event.withdrawal_id,
            amount_e4=-event.amount_e4 if event.paid else event.amount_e4,
        )
    if isinstance(event, AccountStatusChanged):
        enabled = event.status is AccountStatus.ACTIVE
        kind = NotificationKind.ACCOUNT_ENABLED if enabled else NotificationKind.ACCOUNT_DISABLED
        return Notification(notification_id, event.account_id, now_us, kind)
    if isinstance(event, Posted) and event.kind in _OF_TRANSACTION:
        kind = _OF_TRANSACTION[event.kind]
        account_id, asset, amount, _ = next(line for line in event.postings if line[0] >= IDS_PER_SEQ)
        if kind is NotificationKind.SHARES_RECEIVED:
            return Notification(
                notification_id, account_id, now_us, kind, 0, event.txn_id, symbol=asset, quantity_e8=amount
            )
        return Notification(
            notification_id, account_id, now_us, kind, reference_id=event.txn_id, amount_e4=amount
        )
    return None
