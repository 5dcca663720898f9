"""In-app notifications: the list, what has been read, and the JSON that the `notifications` channel has too."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.kinds import CloseReason
from engine.state import State
from engine.units import average_price_e4
from handlers.booking_json import BookingId
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, raw_list, success, success_encoded
from handlers.field_types import CloseReasonName, Currency, OrderId, SideName, Time, TransactionId, names
from handlers.numbers import NULL, NumberOrNull, cash, quantity
from handlers.order_json import time_text
from handlers.parking_words import ParkingLotId, shown_lot
from handlers.preferences import NotificationPreferences, kept_preferences
from handlers.request_input import ID_MAX, read_choice, read_cursor, read_id, read_limit
from server.errors import BadRequest, NotFound
from server.notification_text import KINDS, Severity, Topic, body_text
from server.notifications import (
    Notification,
    NotificationKind,
    Stored,
    count_unread,
    page_of,
    read_one,
    read_up_to,
)

PREFIX: Final = "ntf_"

NotificationId = Annotated[str, Meta(pattern="^ntf_[1-9][0-9]{0,18}$")]
KindName = Annotated[str, Meta(extra_json_schema=names(NotificationKind))]
TopicName = Annotated[str, Meta(extra_json_schema=names(Topic))]
SeverityName = Annotated[str, Meta(extra_json_schema=names(Severity))]

_CURSOR = re.compile(r"[0-9]{1,19}")
_WITHDRAWALS: Final = (NotificationKind.WITHDRAWAL_PAID, NotificationKind.WITHDRAWAL_REFUSED)
_FLAGS: Final = {"true": True, "false": False}


class NotificationJson(Struct, frozen=True, gc=False):
    """Something that happened to the caller. `title` and `body` are for people, `kind` and what follows for programs.

    `amount` is the cash that moved, signed, or what the order's fills were worth; `quantity` the order's, or the shares that
    arrived; of a booking what it costs. `lot_id` is a car park. What does not apply is null, and so is `read_at` until it is read.
    """

    notification_id: NotificationId
    kind: KindName
    topic: TopicName
    severity: SeverityName
    title: str
    body: str
    order_id: OrderId | None
    transaction_id: TransactionId | None
    symbol: str | None
    side: SideName | None
    quantity: NumberOrNull
    filled_quantity: NumberOrNull
    average_price: NumberOrNull
    amount: NumberOrNull
    currency: Currency
    reason: CloseReasonName | None
    lot_id: ParkingLotId | None
    booking_id: BookingId | None
    created_at: Time
    read_at: Time | None


class ReadBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /notifications/read`: the newest one that has been shown."""

    up_to: NotificationId


class ReadJson(Struct, frozen=True):
    """How many were marked just now, and how many are left that have not been read, counted to 1 000."""

    marked: int
    unread: int


_read = msgspec.json.Decoder(ReadBody)


async def notifications(call: Call) -> Answer:
    """`GET /notifications?unread_only=&cursor=&limit=`, newest first, without those that the preferences silence."""
    services, account_id = call.services, call.principal.account_id
    unread_only = read_choice(call.query, "unread_only", _FLAGS, False)
    cursor, limit = read_cursor(call.query), read_limit(call.query)
    if cursor is not None and _CURSOR.fullmatch(cursor) is None:
        raise BadRequest("cursor", "is not one that was given out")
    currency = _currency(services.runtime.state, account_id)
    seq = await _settled(call)
    silenced = silenced_kinds((await kept_preferences(call)).notifications)
    found = await page_of(
        services.database,
        services.write_behind,
        account_id,
        before_id=None if cursor is None else min(int(cursor), ID_MAX),
        unread_only=unread_only,
        silenced=silenced,
        limit=limit,
    )
    unread = await count_unread(services.database, services.write_behind, account_id, silenced)
    return success_encoded(
        raw_list([_stored_json(stored, currency) for stored in found.items]),
        meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=found.next_cursor, unread=unread),
    )


async def read(call: Call) -> Answer:
    """`POST /notifications/{id}/read`: the notification, read. Again, and nothing changes."""
    services, account_id = call.services, call.principal.account_id
    notification_id = read_id(call.path("notification_id"), PREFIX)
    currency = _currency(services.runtime.state, account_id)
    await _settled(call)
    stored = await read_one(services.database, services.write_behind, account_id, notification_id)
    if stored is None:
        raise NotFound
    return success_encoded(_stored_json(stored, currency))


async def read_all(call: Call) -> Answer:
    """`POST /notifications/read`: everything up to one is read, also what the preferences silence."""
    services, account_id = call.services, call.principal.account_id
    newest_id = min(int(call.decode(_read).up_to.removeprefix(PREFIX)), ID_MAX)
    await _settled(call)
    silenced = silenced_kinds((await kept_preferences(call)).notifications)
    marked = await read_up_to(services.database, services.write_behind, account_id, newest_id)
    unread = await count_unread(services.database, services.write_behind, account_id, silenced)
    return success(ReadJson(marked, unread))


def silenced_kinds(wanted: NotificationPreferences) -> frozenset[NotificationKind]:
    """What a user does not want to hear of. A refusal, an operator's doing or a disabled account is always told."""
    silenced: set[NotificationKind] = set()
    if not wanted.orders:
        silenced.update(kind for kind, about in KINDS.items() if about.topic is Topic.ORDERS)
    if not wanted.parking:
        silenced.update(
            kind
            for kind, about in KINDS.items()
            if about.topic is Topic.PARKING and about.severity is Severity.INFO
        )
    if not wanted.deposits:
        silenced.update(
            kind
            for kind, about in KINDS.items()
            if about.topic is Topic.MONEY and about.severity is Severity.INFO
        )
    return frozenset(silenced)


class NotificationEncoder:
    """Makes the JSON text of a notification for the stream, which does not say what has been read."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, told: Notification) -> bytes:
        return encoded(notification_json(told, self._state.accounts[told.account_id].currency, None))


def notification_json(told: Notification, currency: str, read_us: int | None) -> NotificationJson:
    """The JSON object of a notification; the currency is that of its account."""
    about = KINDS[told.kind]
    is_order, moved = told.side is not None, told.amount_e4 != 0
    is_parking = about.topic is Topic.PARKING
    symbol = "" if is_parking else told.symbol
    return NotificationJson(
        notification_id=f"{PREFIX}{told.notification_id}",
        kind=told.kind.name,
        topic=about.topic.name,
        severity=about.severity.name,
        title=about.title,
        body=body_text(told, currency),
        order_id=f"ord_{told.order_id}" if told.order_id else None,
        transaction_id=_transaction_id(told),
        symbol=symbol or None,
        side=told.side.name if told.side is not None else None,
        quantity=quantity(told.quantity_e8) if symbol else NULL,
        filled_quantity=quantity(told.filled_e8) if is_order else NULL,
        average_price=cash(average_price_e4(told.amount_e4, told.filled_e8)) if told.filled_e8 else NULL,
        amount=cash(told.amount_e4) if is_order or moved else NULL,
        currency=currency,
        reason=told.reason.name if told.reason is not CloseReason.NONE else None,
        lot_id=shown_lot(told.symbol) if is_parking and told.symbol else None,
        booking_id=f"bkg_{told.reference_id}" if told.kind in _OF_BOOKINGS and told.reference_id else None,
        created_at=time_text(told.created_us),
        read_at=None if read_us is None else time_text(read_us),
    )


_OF_UNITS: Final = (NotificationKind.SHARES_RECEIVED, NotificationKind.SHARES_CHANGED)
"""Kinds whose transaction is no line of the cash statement."""

_OF_BOOKINGS: Final = (
    NotificationKind.BOOKING_CONFIRMED,
    NotificationKind.BOOKING_CANCELLED,
    NotificationKind.BOOKING_NOT_USED,
    NotificationKind.BOOKING_OVERSTAYED,
    NotificationKind.SPACE_OFFERED,
)
"""Kinds whose reference is a booking."""


def _transaction_id(told: Notification) -> str | None:
    """The line of the statement that is behind it; shares that arrive have none."""
    if not told.reference_id or told.kind in (*_OF_UNITS, *_OF_BOOKINGS, NotificationKind.PASS_ENDED):
        return None
    return f"{'wdr' if told.kind in _WITHDRAWALS else 'txn'}_{told.reference_id}"


def _stored_json(stored: Stored, currency: str) -> bytes:
    return bytes(encoded(notification_json(stored.told, currency, stored.read_us)))


def _currency(state: State, account_id: int) -> str:
    """The account's currency. Raises NotFound where the account is not open yet."""
    account = state.accounts.get(account_id)
    if account is None:
        raise NotFound
    return account.currency


async def _settled(call: Call) -> int:
    """Wait until everything applied so far is durable; its sequence. The rows are waited for by who reads them."""
    runtime = call.services.runtime
    seq = runtime.state.seq
    await runtime.wait_durable(seq)
    return seq
