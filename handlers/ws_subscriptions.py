"""Subscriptions of a WebSocket client: which channels there are, who may follow them, and how many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from engine.refusals import Refusal
from handlers.access import CHANNEL_POLICIES
from handlers.ws_messages import IntervalName, MessageId, Subscribe, Unsubscribe, encode, id_member
from handlers.ws_session import Session
from server.errors import BadRequest, KerbError
from server.gate_stream import GATES
from server.live_values import PORTFOLIO
from server.market_types import Interval
from server.outlet import Follows, Outlet
from server.parking_view import PARKING_MAX_MS
from server.symbol_view import SymbolView

SYMBOL_SOURCES: Final[dict[str, Callable[[SymbolView], object]]] = {
    "quotes": lambda view: view,
    "trades": lambda view: view,
    "depth": lambda view: view.depth,
    "auctions": lambda view: view,
}
"""Public channel → what it shows of a symbol. Candles are of a symbol and an interval, parking is of car parks."""

CANDLES: Final = "candles"
PARKING: Final = "parking"
PUBLIC_CHANNELS: Final = frozenset({*SYMBOL_SOURCES, CANDLES, PARKING})
PRIVATE_CHANNELS: Final = frozenset(CHANNEL_POLICIES)


class UnknownChannel(KerbError):
    """There is no such channel."""

    code = "UNKNOWN_CHANNEL"

    def __init__(self, channel: str) -> None:
        super().__init__("There is no such channel.", details={"channel": channel[:64]})


class TooManySubscriptions(KerbError):
    """One connection may follow only so much."""

    code = "TOO_MANY_SUBSCRIPTIONS"

    def __init__(self, limit: int) -> None:
        super().__init__("This connection follows too much already.", details={"limit": limit})


def subscribe(session: Session, message: Subscribe) -> None:
    """Follow channels, all of them or, on any error but an unknown symbol or car park, none.

    Raises BadRequest, UnknownChannel, Unauthenticated, Forbidden, TooManySubscriptions, TooManyRequests.
    """
    session.count_call()
    channels = dict.fromkeys(message.channels)
    public = [channel for channel in channels if channel in PUBLIC_CHANNELS]
    private = [channel for channel in channels if channel in PRIVATE_CHANNELS]
    _check_channels(session, channels)
    if any(channel != PARKING for channel in public) and not message.symbols:
        raise BadRequest("symbols", "is required for public channels")
    if (PARKING in public or GATES in private) and not message.lots:
        raise BadRequest("lots", "is required for parking and gates")
    if message.resume_from is not None and not private:
        raise BadRequest("resume_from", "is for private channels")
    interval_ms = _interval_ms(session, message.interval_ms)
    if PARKING in public or session.outlet.follows.get(PARKING):
        interval_ms = min(interval_ms, PARKING_MAX_MS)
    market = session.services.market.symbols
    found = {symbol: market[symbol] for symbol in message.symbols if symbol in market}
    parks = session.services.market.parking.lots
    lots = {lot_id: parks[lot_id] for lot_id in message.lots if lot_id in parks}
    wanted: Follows = {
        channel: _candles(session, found, message.intervals)
        if channel == CANDLES
        else lots
        if channel == PARKING
        else {symbol: SYMBOL_SOURCES[channel](view) for symbol, view in found.items()}
        for channel in public
    }
    streams = _streams(private, lots)
    _check_room(session, wanted, streams)

    done: dict[str, object] = {
        channel: {"symbols": list(found), "interval_ms": interval_ms} for channel in public
    }
    if CANDLES in public:
        done[CANDLES] = {"symbols": list(found), "intervals": message.intervals, "interval_ms": interval_ms}
    if PARKING in public:
        done[PARKING] = {"lots": list(lots), "interval_ms": interval_ms}
    if PORTFOLIO in private:
        done[PORTFOLIO] = {"interval_ms": interval_ms}
    if GATES in private and not lots:
        done[GATES] = {"lots": []}
    resync = _resume(session, streams, message.resume_from, done)
    unknown = [
        {"symbol": symbol, "code": "UNKNOWN_SYMBOL"}
        for symbol in dict.fromkeys(message.symbols)
        if symbol not in market
    ]
    unknown += [
        {"lot_id": lot_id, "code": Refusal.PARKING_LOT_NOT_FOUND.name}
        for lot_id in dict.fromkeys(message.lots)
        if lot_id not in parks
    ]
    _answer(session, message.id, done, unknown, resync)
    if public:
        session.services.hub.follow_market(session.outlet, wanted, interval_ms)
    if PORTFOLIO in private:
        session.services.hub.follow_value(session.outlet, interval_ms)


def _streams(private: list[str], lots: Iterable[str]) -> list[str]:
    """What is followed of private channels, by name: of `gates` a stream for each car park."""
    streams: list[str] = []
    for channel in private:
        streams += [f"{GATES} {lot_id}" for lot_id in lots] if channel == GATES else [channel]
    return streams


def _resume(
    session: Session, streams: list[str], resume_from: int | None, done: dict[str, object]
) -> list[str]:
    """Follow private streams, and say so in `done`. Returns those that cannot be resumed from there."""
    resync = []
    followed_lots: list[str] = []
    for stream in streams:
        channel, _, lot_id = stream.partition(" ")
        if channel == PORTFOLIO:
            continue
        seq = session.services.hub.private.subscribe(session.outlet, stream, resume_from)
        if seq is None:
            resync.append(stream)
        elif lot_id:
            followed_lots.append(lot_id)
            done[channel] = {"lots": followed_lots, "seq": seq}
        else:
            done[channel] = {"seq": seq}
    return resync


def _answer(
    session: Session,
    message_id: MessageId,
    done: dict[str, object],
    errors: list[dict[str, str]],
    resync: list[str],
) -> None:
    if done:
        session.outlet.send(
            b'{"type":"subscribed"%b,"channels":%b,"errors":%b}'
            % (id_member(message_id), encode(done), encode(errors))
        )
    for stream in resync:
        channel, _, lot_id = stream.partition(" ")
        of_lot = b',"lot_id":' + encode(lot_id) if lot_id else b""
        session.outlet.send(
            b'{"type":"resync_required"%b,"channel":%b%b,"seq":%d}'
            % (id_member(message_id), encode(channel), of_lot, session.services.hub.private.seq)
        )


def _candles(
    session: Session, found: dict[str, SymbolView], intervals: tuple[IntervalName, ...]
) -> dict[str, object]:
    series = session.services.hub.candles.series
    every = [series(view, Interval(name)) for view in found.values() for name in dict.fromkeys(intervals)]
    return {one.name: one for one in every}


def _check_channels(session: Session, channels: dict[str, None]) -> None:
    for channel in channels:
        if channel in PRIVATE_CHANNELS:
            session.require_channel(channel)
        elif channel not in PUBLIC_CHANNELS:
            raise UnknownChannel(channel)


def _interval_ms(session: Session, asked_ms: int | None) -> int:
    """The client's cadence: one for the whole connection."""
    settings = session.services.settings.stream
    if asked_ms is None:
        return session.outlet.interval_ms
    if not settings.interval_min_ms <= asked_ms <= settings.interval_max_ms:
        raise BadRequest(
            "interval_ms", f"must be from {settings.interval_min_ms} to {settings.interval_max_ms}"
        )
    return asked_ms


def _check_room(session: Session, wanted: Follows, streams: list[str]) -> None:
    """Raises TooManySubscriptions when the client would follow more than it may."""
    outlet = session.outlet
    follows = outlet.follows
    total = sum(
        len(follows.get(channel, {}).keys() | wanted.get(channel, {}).keys()) for channel in PUBLIC_CHANNELS
    )
    followed = {*outlet.cursors, PORTFOLIO} if outlet.value is not None else set(outlet.cursors)
    total += len(followed | set(streams))
    limit = session.services.settings.stream.subscriptions_max
    if total > limit:
        raise TooManySubscriptions(limit)


def unsubscribe(session: Session, message: Unsubscribe) -> None:
    """Stop following channels; what the client does not follow is ignored. Raises UnknownChannel."""
    session.count_call()
    for channel in message.channels:
        if channel not in PUBLIC_CHANNELS and channel not in PRIVATE_CHANNELS:
            raise UnknownChannel(channel)
    hub, outlet = session.services.hub, session.outlet
    for channel in message.channels:
        if channel == GATES:
            for stream in [name for name in outlet.cursors if name.partition(" ")[0] == GATES]:
                if message.lots is None or stream.partition(" ")[2] in message.lots:
                    hub.private.unsubscribe(outlet, stream)
        elif channel in PRIVATE_CHANNELS:
            hub.private.unsubscribe(outlet, channel)
        if channel == PORTFOLIO:
            hub.values.unfollow(outlet)
    public = [channel for channel in message.channels if channel in PUBLIC_CHANNELS]
    hub.unfollow_market(outlet, {channel: _unwanted(outlet, channel, message) for channel in public})
    outlet.send(
        b'{"type":"unsubscribed"%b,"channels":%b}' % (id_member(message.id), encode(message.channels))
    )


def _unwanted(outlet: Outlet, channel: str, message: Unsubscribe) -> list[str]:
    """What a client follows in a channel of the symbols or lots of a message, or of all."""
    names = outlet.follows.get(channel, {})
    symbols = message.lots if channel == PARKING else message.symbols
    return [name for name in names if symbols is None or name.partition(" ")[0] in symbols]
