"""The hub of all WebSocket clients, made with what it needs to tell them: encoders, candles, and accounts' worth."""

from __future__ import annotations

from config.settings import StreamSettings
from engine.events import BalanceChanged, OrderUpdated, RiskViolated
from engine.parking.booking_events import BookingSet
from handlers.balance_json import BalanceEncoder
from handlers.booking_stream import BookingEncoder, BookingPacker
from handlers.busted_order_json import encode_busted_order
from handlers.envelope import encoded
from handlers.gate_stream import GateEntryEncoder, GateEntryPacker
from handlers.notifications import NotificationEncoder
from handlers.order_json import encode_order
from handlers.private_proto import (
    BalancePacker,
    NotificationPacker,
    ViolationPacker,
    packed_busted_order,
    packed_order,
    packed_portfolio,
)
from handlers.valuation import portfolio_json, value_holdings
from handlers.violation_json import ViolationEncoder
from server.busted_orders import OrderBusted
from server.candle_streams import CandleStreams
from server.clock import Clock
from server.fan_out import Hub
from server.gate_stream import GateEntry
from server.live_values import LiveValue, ValueOf
from server.market_types import CandleSource
from server.market_view import MarketView
from server.notifications import Notification
from server.runtime import Runtime
from server.wire import Wire


def make_hub(
    market: MarketView, runtime: Runtime, candles: CandleSource, settings: StreamSettings, clock: Clock
) -> Hub:
    """The hub. `clock` is wall time, for sessions that expire; candles end by the market's."""
    return Hub(
        market,
        settings,
        {
            OrderUpdated: encode_order,
            OrderBusted: encode_busted_order,
            BalanceChanged: BalanceEncoder(runtime.state),
            Notification: NotificationEncoder(runtime.state),
            RiskViolated: ViolationEncoder(runtime.state),
            BookingSet: BookingEncoder(runtime.state),
            GateEntry: GateEntryEncoder(runtime.state),
        },
        {
            OrderUpdated: packed_order,
            OrderBusted: packed_busted_order,
            BalanceChanged: BalancePacker(runtime.state),
            Notification: NotificationPacker(runtime.state),
            RiskViolated: ViolationPacker(runtime.state),
            BookingSet: BookingPacker(runtime.state),
            GateEntry: GateEntryPacker(runtime.state),
        },
        clock,
        CandleStreams(market, candles, runtime.now_us),
        value_of(runtime, market),
        runtime.state.accounts,
        runtime.state.parking.gates,
    )


def value_of(runtime: Runtime, market: MarketView) -> ValueOf:
    """What `GET /portfolio` says of an account now, durable or not: the hub waits for that."""
    state = runtime.state

    def value(account_id: int, wire: Wire) -> LiveValue | None:
        account = state.accounts.get(account_id)
        if account is None:
            return None
        valued = value_holdings(state, account, market.last_e4)
        symbols = tuple(holding.position.symbol for holding in valued)
        worth = portfolio_json(account, valued, runtime.now_us())
        packed = packed_portfolio(worth) if wire is Wire.PROTO else bytes(encoded(worth))
        return LiveValue(state.seq, symbols, packed)

    return value
