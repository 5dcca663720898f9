"""Which events tell whom what: the notifications of a journal record, made from its events and from nothing else.

Both who writes them to Postgres and who streams them ask here, so the two never differ. The fewest that somebody wants:
an order that begins to fill, that is done, whose stop was reached, or that ends without having been asked to; a fill that is taken back; money and
units that move other than by a fill; an account that is disabled or enabled. A market maker's orders are a program's, and
come by thousands a second: they tell nothing, the `orders` channel has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, Protocol

from msgspec import Struct

from engine.action_events import FractionPaid
from engine.dividend_events import DividendPaid
from engine.events import (
    AccountStatusChanged,
    AnyEvent,
    OrderUpdated,
    Posted,
    TradeBusted,
    Traded,
    WithdrawalSettled,
)
from engine.kinds import (
    AccountKind,
    AccountStatus,
    CloseReason,
    OrderStatus,
    OrderType,
    Side,
    TransactionKind,
)
from engine.state import Account
from engine.units import IDS_PER_SEQ
from sql.parking_notifications import NOTABLE_IN_PARKING, told_of_parking

FILLED: Final = OrderStatus.FILLED
LIMIT: Final = OrderType.LIMIT
MARKET_MAKER: Final = AccountKind.MARKET_MAKER
NO_LIQUIDITY: Final = CloseReason.NO_LIQUIDITY
PARTIAL: Final = OrderStatus.PARTIAL
PENDING: Final = OrderStatus.PENDING
USER: Final = CloseReason.USER
NO_ACCOUNTS: Final[Mapping[int, Account]] = {}
"""Where nobody is a market maker."""


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
    TRADE_BUSTED = 13
    ORDER_TRIGGERED = 14
    DIVIDEND_PAID = 15
    SHARES_CHANGED = 16
    CASH_IN_LIEU = 17
    BOOKING_CONFIRMED = 18
    BOOKING_CANCELLED = 19
    BOOKING_NOT_USED = 20
    BOOKING_OVERSTAYED = 21
    SPACE_OFFERED = 22
    PARKING_DEBT = 23
    PARKING_DEBT_PAID = 24
    PASS_ENDED = 25


class Notification(Struct, frozen=True, gc=False):
    """One thing that one account is told.

    `notification_id` is the record's sequence and the event's place in it, as all ids are made. `reference_id` is the
    transaction or withdrawal behind it, 0 for none; so is `order_id`. `amount_e4` is what the order's fills (the fill that
    was busted) were worth, or the cash that moved, signed. `quantity_e8` is the order's, the fill's, or the units that arrived.
    Of parking `reference_id` is the booking, the pass or the transaction, and `symbol` the code of the car park.
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


NOTABLE: Final = (
    *(Posted, WithdrawalSettled, AccountStatusChanged, TradeBusted, DividendPaid, FractionPaid),
    *NOTABLE_IN_PARKING,
)
"""Events other than an order's report that may tell somebody something."""


def notable_of(record: RecordLike) -> list[AnyEvent]:
    """The events of a record that may tell somebody something. Who walks the events of every record anyhow picks them out
    in passing, by the same two questions about an order: most rest, or are cancelled by their owner, and that is all they
    may cost.
    """
    return [
        event
        for event in record.events
        if (
            (event.status is not PENDING or event.special is not None) and event.reason is not USER
            if type(event) is OrderUpdated
            else type(event) in NOTABLE
        )
    ]


def notifications_of(
    record: RecordLike, notable: Sequence[AnyEvent], accounts: Mapping[int, Account]
) -> list[Notification]:
    """What these events of a record, in its order, tell. Of `accounts` only the kind is read, which never changes.

    An id has room for IDS_PER_SEQ of the record's events: what lies beyond (a kill switch over a million open orders) is
    told by the other channels alone.
    """
    events, now_us, first_id = record.events, record.now_us, record.seq * IDS_PER_SEQ
    place = -1
    found = []
    for event in notable:
        place = events.index(event, place + 1)
        if place >= IDS_PER_SEQ:
            break
        if type(event) is OrderUpdated:
            account = accounts.get(event.account_id)
            if account is not None and account.kind is MARKET_MAKER:
                continue
            kind = _ORDER_FILLED if event.status is FILLED else _kind_of_order(event, events, now_us)
            if kind is not None:
                found.append(
                    Notification(
                        first_id + place,
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
        elif type(event) is TradeBusted:
            found += _busted(event, first_id + place, first_id + len(events) + place, now_us)
        else:
            if type(event) in NOTABLE_IN_PARKING:
                rare = _of_parking(event, record, first_id + place)
            else:
                rare = _rare(event, first_id + place, now_us)
            if rare is not None:
                found.append(rare)
    return found


_ORDER_FILLED: Final = NotificationKind.ORDER_FILLED


def _kind_of_order(order: OrderUpdated, events: Sequence[AnyEvent], now_us: int) -> NotificationKind | None:
    """What the report of an order that is not filled says to its owner; None when that is nothing, or was asked for."""
    status = order.status
    if status is PENDING:
        special = order.special
        fired = special is not None and special.triggered_us == now_us
        return NotificationKind.ORDER_TRIGGERED if fired else None
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


_UNASKED: Final = (
    CloseReason.SELF_TRADE,
    CloseReason.KILL_SWITCH,
    CloseReason.ACCOUNT_DISABLED,
    CloseReason.PAIR,
    CloseReason.NOT_COVERED,
    CloseReason.POST_ONLY,
    CloseReason.CORPORATE_ACTION,
    CloseReason.TOO_MANY_FILLS,
)
"""Why an order is cancelled that nobody asked to be."""


def _filled_now_e8(order_id: int, events: Sequence[AnyEvent]) -> int:
    """How much of an order these events have filled. Fills come before the reports of what they have touched."""
    filled_e8 = 0
    for event in events:
        if type(event) is Traded:
            if event.buy_order_id == order_id or event.sell_order_id == order_id:
                filled_e8 += event.quantity_e8
        elif type(event) is OrderUpdated:
            break
    return filled_e8


def _busted(event: TradeBusted, buyer_s_id: int, seller_s_id: int, now_us: int) -> tuple[Notification, ...]:
    """What a fill that was taken back tells both sides. The one event has two ids: the second lies beyond all places."""
    kind, units_e8, worth_e4 = NotificationKind.TRADE_BUSTED, event.quantity_e8, event.notional_e4
    sides = (
        (buyer_s_id, event.buy_account_id, event.buy_order_id, Side.BUY),
        (seller_s_id, event.sell_account_id, event.sell_order_id, Side.SELL),
    )
    return tuple(
        Notification(
            own_id, account_id, now_us, kind, order_id, 0, side, event.symbol, units_e8, units_e8, worth_e4
        )
        for own_id, account_id, order_id, side in sides
    )


_OF_TRANSACTION: Final = {
    TransactionKind.DEPOSIT: NotificationKind.DEPOSIT_CREDITED,
    TransactionKind.ADJUSTMENT: NotificationKind.CASH_ADJUSTED,
    TransactionKind.TRANSFER_IN: NotificationKind.SHARES_RECEIVED,
    TransactionKind.CORPORATE_ACTION: NotificationKind.SHARES_CHANGED,
    TransactionKind.PARKING_DEBT_REPAID: NotificationKind.PARKING_DEBT_PAID,
}
"""A withdrawal is told when the bank has answered, paid or not."""


def _of_parking(event: AnyEvent, record: RecordLike, notification_id: int) -> Notification | None:
    """What parking tells a driver."""
    told = told_of_parking(event, record.events, record.seq)
    if told is None:
        return None
    return Notification(
        notification_id,
        told.account_id,
        record.now_us,
        NotificationKind(told.telling),
        reference_id=told.reference_id,
        symbol=told.lot,
        amount_e4=told.amount_e4,
    )


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
    if isinstance(event, (DividendPaid, FractionPaid)):
        is_dividend = isinstance(event, DividendPaid)
        return Notification(
            notification_id,
            event.account_id,
            now_us,
            NotificationKind.DIVIDEND_PAID if is_dividend else NotificationKind.CASH_IN_LIEU,
            reference_id=event.txn_id,
            symbol=event.symbol,
            quantity_e8=event.units_e8,
            amount_e4=event.amount_e4,
        )
    if isinstance(event, AccountStatusChanged):
        enabled = event.status is AccountStatus.ACTIVE
        kind = NotificationKind.ACCOUNT_ENABLED if enabled else NotificationKind.ACCOUNT_DISABLED
        return Notification(notification_id, event.account_id, now_us, kind)
    if isinstance(event, Posted) and event.kind in _OF_TRANSACTION:
        kind = _OF_TRANSACTION[event.kind]
        account_id, asset, amount, after = next(line for line in event.postings if line[0] >= IDS_PER_SEQ)
        if kind is NotificationKind.SHARES_CHANGED:
            return Notification(
                notification_id, account_id, now_us, kind, 0, event.txn_id, symbol=asset, quantity_e8=after
            )
        if kind is NotificationKind.SHARES_RECEIVED:
            return Notification(
                notification_id, account_id, now_us, kind, 0, event.txn_id, symbol=asset, quantity_e8=amount
            )
        return Notification(
            notification_id, account_id, now_us, kind, reference_id=event.txn_id, amount_e4=amount
        )
    return None
