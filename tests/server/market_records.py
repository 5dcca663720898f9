"""Durable records made by hand, for what reads market data without an engine."""

from __future__ import annotations

from engine.commands import Envelope, FireTimer
from engine.events import (
    AnyEvent,
    BalanceChanged,
    BookChanged,
    InstrumentSet,
    OrderUpdated,
    TradeBusted,
    Traded,
)
from engine.kinds import (
    CloseReason,
    OrderStatus,
    OrderType,
    PriceSource,
    Side,
    Source,
    TimeInForce,
)
from server.codec import Record

UNIT_E8 = 100_000_000
NOON_US = 1_704_723_845_000_000


def durable(seq: int, *events: AnyEvent, now_us: int = NOON_US) -> Record:
    """A record with these events; who asked for what is of no interest here."""
    return Record(seq, now_us, Envelope(Source.FEED), FireTimer(0), events)


def listing(symbol: str, price_source: PriceSource = PriceSource.OWN) -> InstrumentSet:
    return InstrumentSet(
        symbol=symbol,
        name=f"{symbol} Inc.",
        currency="USD",
        tick_e4=100,
        lot_e8=UNIT_E8,
        price_min_e4=100,
        price_max_e4=100_000_000,
        calendar="always",
        price_source=price_source,
        band_bps=1_000,
        fee_schedule="standard",
    )


def book(symbol: str, *levels: tuple[Side, int, int, int]) -> BookChanged:
    """Levels are (side, price in cents, units, orders)."""
    return BookChanged(
        symbol, tuple((side, cents * 100, units * UNIT_E8, orders) for side, cents, units, orders in levels)
    )


def trade(symbol: str, cents: int, units: int, *, taker: Side = Side.BUY, trade_id: int = 1) -> Traded:
    return Traded(
        trade_id=trade_id,
        symbol=symbol,
        currency="USD",
        price_e4=cents * 100,
        quantity_e8=units * UNIT_E8,
        notional_e4=cents * 100 * units,
        taker_side=taker,
        buy_order_id=1,
        buy_account_id=11,
        buy_fee_e4=0,
        buy_cash_e4=0,
        buy_units_e8=0,
        sell_order_id=2,
        sell_account_id=12,
        sell_fee_e4=0,
        sell_cash_e4=0,
        sell_units_e8=0,
    )


def bust(fill: Traded, executed_us: int = NOON_US) -> TradeBusted:
    return TradeBusted(
        bust_id=900,
        trade_id=fill.trade_id,
        executed_us=executed_us,
        symbol=fill.symbol,
        currency=fill.currency,
        price_e4=fill.price_e4,
        quantity_e8=fill.quantity_e8,
        notional_e4=fill.notional_e4,
        taker_side=fill.taker_side,
        buy_order_id=fill.buy_order_id,
        buy_account_id=fill.buy_account_id,
        buy_fee_e4=fill.buy_fee_e4,
        buy_cash_e4=0,
        buy_units_e8=0,
        sell_order_id=fill.sell_order_id,
        sell_account_id=fill.sell_account_id,
        sell_fee_e4=fill.sell_fee_e4,
        sell_cash_e4=0,
        sell_units_e8=0,
        operator_id=1,
        reason="a fat finger",
    )


def order(account_id: int, order_id: int, status: OrderStatus = OrderStatus.PENDING) -> OrderUpdated:
    return OrderUpdated(
        order_id=order_id,
        account_id=account_id,
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        quantity_e8=10 * UNIT_E8,
        price_e4=1_754_500,
        limit_e4=1_754_500,
        filled_e8=0,
        notional_e4=0,
        fee_e4=0,
        hold_e4=17_545_000,
        status=status,
        reason=CloseReason.NONE,
        created_us=NOON_US,
        updated_us=NOON_US,
        client_order_id="",
        replaces_id=0,
        replaced_by_id=0,
        is_quote=False,
    )


def balance(account_id: int, cash_units: int) -> BalanceChanged:
    return BalanceChanged(account_id, cash_units * 10_000, 0)
