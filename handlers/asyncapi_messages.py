"""What the server says on a WebSocket, as types for the documents: tests hold them to what is really sent.

What clients say are the types that decode it (handlers/ws_messages.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from handlers.balance_json import BalanceJson
from handlers.booking_stream import StreamBookingJson
from handlers.busted_order_json import StreamOrderJson
from handlers.field_types import PhaseName, SideName, TradeId
from handlers.gate_stream import StreamGateJson
from handlers.notifications import NotificationJson
from handlers.numbers import Number, NumberOrNull
from handlers.parking_lots import FloorPartJson
from handlers.parking_words import ParkingLotId
from handlers.valuation import PortfolioJson
from handlers.violation_json import ViolationJson
from handlers.ws_messages import (
    Batch,
    Cancel,
    IntervalName,
    MessageId,
    Ping,
    Place,
    SignIn,
    Subscribe,
    Unsubscribe,
)

EpochMs = Annotated[int, Meta(ge=0, description="milliseconds since the epoch")]
Seq = Annotated[int, Meta(ge=0, description="the journal's sequence, the same number as `as_of_seq`")]


class Answer(Struct, frozen=True, kw_only=True):
    """The base of what answers a message; `id` is that of the message, if it had one."""

    id: MessageId | UnsetType = UNSET


class Ok(Answer, frozen=True, kw_only=True):
    """It was carried out, and is durable. `data` is an order, or the results of a batch, each an ok or an error."""

    type: Literal["ok"]
    idempotency_hit: Literal[True] | UnsetType = UNSET
    data: Any = field(default=UNSET)


class Error(Answer, frozen=True, kw_only=True):
    """It was not. `temporary`: the same message may work later. The session goes on. `idempotency_hit`: so it was answered
    when its key was used before.
    """

    type: Literal["error"]
    code: str
    message: str
    temporary: bool
    details: dict[str, Any] | UnsetType = UNSET
    idempotency_hit: Literal[True] | UnsetType = UNSET


class Pong(Answer, frozen=True, kw_only=True):
    """The server is there."""

    type: Literal["pong"]


class SymbolError(Struct, frozen=True, kw_only=True):
    """A symbol or a car park that cannot be followed; the others are."""

    symbol: str | UnsetType = UNSET
    lot_id: ParkingLotId | UnsetType = UNSET
    code: Literal["UNKNOWN_SYMBOL", "PARKING_LOT_NOT_FOUND"]


class Followed(Struct, frozen=True, kw_only=True):
    """What is followed of a channel. A public one: its symbols or car parks, and how often it is sent at most. A private one: the
    sequence after which it begins.
    """

    symbols: list[str] | UnsetType = UNSET
    lots: list[ParkingLotId] | UnsetType = UNSET
    intervals: list[str] | UnsetType = UNSET
    interval_ms: int | UnsetType = UNSET
    seq: Seq | UnsetType = UNSET


class Subscribed(Answer, frozen=True, kw_only=True):
    """What is followed from now on, by channel."""

    type: Literal["subscribed"]
    channels: dict[str, Followed]
    errors: list[SymbolError]


class Unsubscribed(Answer, frozen=True, kw_only=True):
    """What is not followed any more."""

    type: Literal["unsubscribed"]
    channels: list[str]


class ResyncRequired(Answer, frozen=True, kw_only=True):
    """What `resume_from` asked for is forgotten: GET the state, then subscribe from its `as_of_seq`. `lot_id`: of `gates`."""

    type: Literal["resync_required"]
    channel: str
    lot_id: ParkingLotId | UnsetType = UNSET
    seq: Seq


class Shutdown(Struct, frozen=True):
    """The server is about to restart; close code 1012 follows."""

    type: Literal["shutdown"]
    message: str


class StreamQuote(Struct, frozen=True):
    """A quote. `v` counts its changes and may skip: only the latest is sent. A price that does not exist yet is null."""

    symbol: str
    price: NumberOrNull
    change: Number
    change_percentage: Number
    volume: Number
    bid: NumberOrNull
    ask: NumberOrNull
    bid_size: Number
    ask_size: Number
    timestamp: EpochMs
    stale: bool
    v: int


class StreamTrade(Struct, frozen=True):
    """A public trade. `n` counts the symbol's trades since the server started, without gaps; `trade_id` is what it is called
    for good, null for a trade that a tape printed.

    `busted`: an operator has taken it back. Who was told of it before is told again, with the same `trade_id` and `n` (null
    when that is not known any more): strike it out.
    """

    symbol: str
    n: int | None
    trade_id: TradeId | None
    price: Number
    quantity: Number
    taker_side: SideName | None
    timestamp: EpochMs
    busted: Literal[True] | UnsetType = UNSET


class Quotes(Struct, frozen=True):
    """First a snapshot, then what has changed."""

    channel: Literal["quotes"]
    data: list[StreamQuote]


class Trades(Struct, frozen=True):
    """Trades, oldest first; after them those of before that were busted meanwhile."""

    channel: Literal["trades"]
    data: list[StreamTrade]


class StreamDepth(Struct, frozen=True, kw_only=True):
    """A book: all of it, or the levels that changed since `prev_seq`, each `[price, quantity, orders]`, 0 for gone.

    `checksum` is the CRC-32 of the best 10 levels of each side, as docs/streaming.md says.
    """

    symbol: str
    type: Literal["snapshot", "delta"]
    prev_seq: Seq | UnsetType = UNSET
    seq: Seq
    bids: list[tuple[Number, Number, int]]
    asks: list[tuple[Number, Number, int]]
    checksum: int


class StreamCandle(Struct, frozen=True):
    """A candle as it stands; `closed`: it is over. Without trades there is none."""

    symbol: str
    interval: IntervalName
    start: EpochMs
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    trades: int
    closed: bool


class Depth(Struct, frozen=True):
    """First a snapshot of each book, then deltas that join without a gap."""

    channel: Literal["depth"]
    data: list[StreamDepth]


class Candles(Struct, frozen=True):
    """First the newest candle of each symbol and interval, then what has changed."""

    channel: Literal["candles"]
    data: list[StreamCandle]


class StreamAuction(Struct, frozen=True):
    """What a book does, and in a call what its auction would do if the call ended now.

    `indicative_price` is null where nothing would trade, `imbalance_side` where both sides are even.
    """

    symbol: str
    phase: PhaseName
    indicative_price: NumberOrNull
    paired_volume: Number
    imbalance: Number
    imbalance_side: SideName | None
    timestamp: EpochMs


class Auctions(Struct, frozen=True):
    """First the phase of each symbol, then each change of it, and in a call each second what has changed of its auction."""

    channel: Literal["auctions"]
    data: list[StreamAuction]


class StreamParking(Struct, frozen=True):
    """Who is inside a car park: all vehicles, the spaces in service, and of each floor by type those parts that have changed since
    the message before; those that are left out are as they were. `seq` is that of the newest change.
    """

    lot_id: ParkingLotId
    seq: Seq
    inside: int
    capacity: int
    parts: list[FloorPartJson]
    timestamp: EpochMs


class Parking(Struct, frozen=True):
    """First each car park with all its parts, then what has changed. Only the newest state is sent."""

    channel: Literal["parking"]
    data: list[StreamParking]


class Private(Struct, frozen=True, kw_only=True):
    """The base of private streams, of which nothing is lost: `prev_seq` is the `seq` of the message before.

    `more`: another message with the same `seq` follows.
    """

    seq: Seq
    prev_seq: Seq
    more: Literal[True] | UnsetType = UNSET


class Orders(Private, frozen=True, kw_only=True):
    """An order of the account, as it stands now; with `bust`, because a fill of it was taken back."""

    channel: Literal["orders"]
    data: StreamOrderJson


class Balances(Private, frozen=True, kw_only=True):
    """The account's cash, as it stands now."""

    channel: Literal["balance"]
    data: BalanceJson


class Notifications(Private, frozen=True, kw_only=True):
    """Something that happened to the account. `read_at` is null here: `GET /notifications` says what has been read."""

    channel: Literal["notifications"]
    data: NotificationJson


class Risk(Private, frozen=True, kw_only=True):
    """An order broke a risk rule: for operators of the risk desk. `GET /admin/risk/violations` has those of before."""

    channel: Literal["risk"]
    data: ViolationJson


class Bookings(Private, frozen=True, kw_only=True):
    """A booking of the account, as it stands now."""

    channel: Literal["bookings"]
    data: StreamBookingJson


class Gates(Private, frozen=True, kw_only=True):
    """What happened at a gate, or was found in a car park: for its operators. Each car park is a stream of its own, so `prev_seq` is
    that of the message before with the same `lot_id`. `GET /admin/parking/access-logs` has those of before.
    """

    channel: Literal["gates"]
    data: StreamGateJson


class Portfolios(Struct, frozen=True):
    """What the account is worth, as `GET /portfolio` has it, from the state at `seq`. Only the newest is sent."""

    channel: Literal["portfolio"]
    seq: Seq
    data: PortfolioJson


CLIENT: Final = (SignIn, Subscribe, Unsubscribe, Ping, Place, Cancel, Batch)
SERVER: Final = (
    Ok, Error, Pong, Subscribed, Unsubscribed, ResyncRequired, Shutdown, Quotes, Trades, Depth, Candles,
    Auctions, Parking, Orders, Balances, Notifications, Portfolios, Risk, Bookings, Gates
)  # fmt: skip
