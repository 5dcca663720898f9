"""What clients send on a WebSocket, as types, and the few messages that answer them, as JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from handlers.order_body import PlainOrder, Symbol
from handlers.order_terms import OrderBody
from handlers.parking_words import ParkingLotId

CHANNELS_MAX: Final = 16
SYMBOLS_MAX: Final = 1_000
SEQ_MAX: Final = 2**63 - 1

MessageId = Annotated[int, Meta(ge=-SEQ_MAX, le=SEQ_MAX)] | Annotated[str, Meta(max_length=64)] | None
"""What a client calls its message; the answer has it too."""

IntervalName = Literal["1m", "5m", "15m", "1h", "1d"]

IdempotencyKey = Annotated[str, Meta(pattern="^[!-~]{1,128}$")]


class Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="action", kw_only=True):
    """The base of what clients send; `action` says which."""

    id: MessageId = None


class SignIn(Message, frozen=True, tag="auth", kw_only=True):
    """Sign in with an access token; again with a newer one to go on.

    `cancel_on_disconnect`: orders placed on this connection from now on are cancelled when it ends; left out, as it was.
    """

    token: Annotated[str, Meta(min_length=1, max_length=4_096)]
    cancel_on_disconnect: bool | None = None

    def __repr__(self) -> str:
        return "<SignIn>"


class Subscribe(Message, frozen=True, tag="subscribe", kw_only=True):
    """Follow channels. `symbols` are for public ones, `lots` for parking and gates, `intervals` for candles, `resume_from` for private ones."""

    channels: Annotated[tuple[str, ...], Meta(min_length=1, max_length=CHANNELS_MAX)]
    symbols: Annotated[tuple[Symbol, ...], Meta(max_length=SYMBOLS_MAX)] = ()
    lots: Annotated[tuple[ParkingLotId, ...], Meta(max_length=SYMBOLS_MAX)] = ()
    intervals: Annotated[tuple[IntervalName, ...], Meta(min_length=1, max_length=5)] = ("1m",)
    interval_ms: int | None = None
    resume_from: Annotated[int, Meta(ge=0, le=SEQ_MAX)] | None = None


class Unsubscribe(Message, frozen=True, tag="unsubscribe", kw_only=True):
    """Stop following channels, of these symbols (parking and gates: of these `lots`) or, without any, of all."""

    channels: Annotated[tuple[str, ...], Meta(min_length=1, max_length=CHANNELS_MAX)]
    symbols: Annotated[tuple[Symbol, ...], Meta(max_length=SYMBOLS_MAX)] | None = None
    lots: Annotated[tuple[ParkingLotId, ...], Meta(max_length=SYMBOLS_MAX)] | None = None


class Ping(Message, frozen=True, tag="ping", kw_only=True):
    """Ask whether the server is there."""


class Place(Message, frozen=True, tag="order.place", kw_only=True):
    """A new order, with the body of `POST /orders`."""

    order: OrderBody
    idempotency_key: IdempotencyKey | None = None


class PlainPlace(Message, frozen=True, tag="order.place", kw_only=True):
    """The same with a plain order: what is tried first."""

    order: PlainOrder
    idempotency_key: IdempotencyKey | None = None


class Cancel(Message, frozen=True, tag="order.cancel", kw_only=True):
    """Cancel an open order."""

    order_id: Annotated[str, Meta(max_length=64)]


class BatchItem(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Exactly one of `place` and `cancel`."""

    place: OrderBody | None = None
    cancel: Annotated[str, Meta(max_length=64)] | None = None
    idempotency_key: IdempotencyKey | None = None


class PlainItem(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same with a plain order."""

    place: PlainOrder | None = None
    cancel: Annotated[str, Meta(max_length=64)] | None = None
    idempotency_key: IdempotencyKey | None = None


class Batch(Message, frozen=True, tag="orders.batch", kw_only=True):
    """Orders and cancels, carried out one after the other; each has its own result."""

    orders: Annotated[tuple[BatchItem, ...], Meta(min_length=1)]


class PlainBatch(Message, frozen=True, tag="orders.batch", kw_only=True):
    """The same with plain orders: what is tried first."""

    orders: Annotated[tuple[PlainItem, ...], Meta(min_length=1)]


class LooseBatch(Message, frozen=True, tag="orders.batch", kw_only=True):
    """A batch whose items are looked at one by one: one of them has terms, or is malformed."""

    orders: Annotated[tuple[Raw, ...], Meta(min_length=1)]


class Heading(Struct, frozen=True):
    """What can be read of a message that is otherwise malformed, so that its answer can name it."""

    action: str = ""
    id: MessageId = None


decode_message: Final = msgspec.json.Decoder(
    SignIn | Subscribe | Unsubscribe | Ping | PlainPlace | Cancel | PlainBatch
).decode
decode_place: Final = msgspec.json.Decoder(Place).decode
decode_heading: Final = msgspec.json.Decoder(Heading).decode
decode_loose_batch: Final = msgspec.json.Decoder(LooseBatch).decode
decode_item: Final = msgspec.json.Decoder(BatchItem).decode

ACTIONS: Final = frozenset(
    {"auth", "subscribe", "unsubscribe", "ping", "order.place", "order.cancel", "orders.batch"}
)

encode: Final = msgspec.json.Encoder().encode


def id_member(message_id: MessageId) -> bytes:
    """`,"id":…` of an answer; nothing when the message had none."""
    return b"" if message_id is None else b',"id":' + encode(message_id)


def ok_text(message_id: MessageId, data: bytes | None = None) -> bytes:
    """The answer to a message that was carried out; `data` is JSON text."""
    if data is None:
        return b'{"type":"ok"%b}' % id_member(message_id)
    return b'{"type":"ok"%b,"data":%b}' % (id_member(message_id), data)


def repeated_text(message_id: MessageId, data: bytes) -> bytes:
    """The answer to a message whose idempotency key was used before: what it was answered then."""
    return b'{"type":"ok"%b,"idempotency_hit":true,"data":%b}' % (id_member(message_id), data)


def error_text(
    message_id: MessageId,
    code: str,
    message: str,
    *,
    temporary: bool = False,
    details: Mapping[str, Any] | None = None,
    repeated: bool = False,
) -> bytes:
    """The answer to a message that was not carried out. `temporary`: the same may work later. `repeated`: its
    idempotency key was used before, and answered so.
    """
    more = b',"details":' + encode(details) if details else b""
    if repeated:
        more += b',"idempotency_hit":true'
    return b'{"type":"error"%b,"code":%b,"message":%b,"temporary":%b%b}' % (
        id_member(message_id),
        encode(code),
        encode(message),
        b"true" if temporary else b"false",
        more,
    )
