"""What `POST /trade/place` takes, in camelCase, and the order it means: the types of handlers/order_terms.py in other words.

A type does not rename the members that it inherits, so they stand here again; a test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct, field, structs

from handlers.field_types import LotId, TimeIn
from handlers.numbers import (
    AmountInOrNull,
    PercentInOrNull,
    PriceIn,
    PriceInOrNull,
    QuantityIn,
    QuantityInOrNull,
    is_absent,
)
from handlers.order_body import ClientOrderId, PlainOrder, SideIn, Symbol
from handlers.order_command import reader
from handlers.order_terms import (
    LOTS_MAX,
    LotChoice,
    LotMethodIn,
    OrderBody,
    OrderClassIn,
    OrderTypeIn,
    StopLoss,
    TakeProfit,
)

TradeType = Literal["buy", "sell"]


class PlainTrade(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A plain trade."""

    stock_symbol: Symbol
    trade_type: TradeType
    quantity: QuantityIn
    price_per_share: PriceInOrNull = field(default_factory=Raw)


class TradeLot(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A lot that a sale is to take from, and how much."""

    lot_id: LotId
    quantity: QuantityIn


class TradeTakeProfit(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The leg that takes the profit."""

    price: PriceIn
    client_order_id: ClientOrderId | None = None


class TradeStopLoss(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The leg that ends the loss."""

    stop_price: PriceInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    trail_amount: PriceInOrNull = field(default_factory=Raw)
    trail_percent: PercentInOrNull = field(default_factory=Raw)
    client_order_id: ClientOrderId | None = None


class PlaceTradeBody(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`POST /trade/place`. Without a price it is a market order; `stopPrice` makes it a stop order (with a price too a stop limit
    order), `trailAmount` or `trailPercent` a trailing stop. From `postOnly` on as `OrderBody`, in camelCase; with `expiresAt`
    it is good till then.
    """

    stock_symbol: Symbol
    trade_type: TradeType
    quantity: QuantityInOrNull = field(default_factory=Raw)
    price_per_share: PriceInOrNull = field(default_factory=Raw)
    post_only: bool = False
    extended_hours: bool = False
    order_class: OrderClassIn = "SIMPLE"
    lot_method: LotMethodIn | None = None
    notional: AmountInOrNull = field(default_factory=Raw)
    stop_price: PriceInOrNull = field(default_factory=Raw)
    trail_amount: PriceInOrNull = field(default_factory=Raw)
    trail_percent: PercentInOrNull = field(default_factory=Raw)
    display_quantity: QuantityInOrNull = field(default_factory=Raw)
    expires_at: TimeIn | None = None
    lots: Annotated[tuple[TradeLot, ...], Meta(max_length=LOTS_MAX)] | None = None
    take_profit: TradeTakeProfit | None = None
    stop_loss: TradeStopLoss | None = None


WORDS: Final = {each.name: each.encode_name for each in structs.fields(PlaceTradeBody)} | {
    "lot_id": "lotId",
    "client_order_id": "clientOrderId",
    "price": "pricePerShare",
    "take_profit.price": "takeProfit.price",
    "stop_loss.price": "stopLoss.price",
}
"""What members are called here."""

read_trade: Final = reader(PlainTrade, PlaceTradeBody)


def order_meant(body: PlainTrade | PlaceTradeBody) -> PlainOrder | OrderBody:
    """The order that a trade is."""
    side: SideIn = "BUY" if body.trade_type == "buy" else "SELL"
    if type(body) is PlainTrade:
        order_type: Literal["MARKET", "LIMIT"] = "MARKET" if is_absent(body.price_per_share) else "LIMIT"
        return PlainOrder(body.stock_symbol, side, order_type, body.quantity, body.price_per_share)
    assert isinstance(body, PlaceTradeBody)
    take_profit, stop_loss = body.take_profit, body.stop_loss
    return OrderBody(
        body.stock_symbol,
        side,
        _order_type(body),
        body.quantity,
        body.price_per_share,
        None if body.expires_at is None else "GTD",
        post_only=body.post_only,
        extended_hours=body.extended_hours,
        order_class=body.order_class,
        lot_method=body.lot_method,
        notional=body.notional,
        stop_price=body.stop_price,
        trail_amount=body.trail_amount,
        trail_percent=body.trail_percent,
        display_quantity=body.display_quantity,
        expires_at=body.expires_at,
        lots=None
        if body.lots is None
        else tuple([LotChoice(each.lot_id, each.quantity) for each in body.lots]),
        take_profit=None if take_profit is None else TakeProfit(**structs.asdict(take_profit)),
        stop_loss=None if stop_loss is None else StopLoss(**structs.asdict(stop_loss)),
    )


def _order_type(body: PlaceTradeBody) -> OrderTypeIn:
    """What the figures say: the dialect has no member for it."""
    if not (is_absent(body.trail_amount) and is_absent(body.trail_percent)):
        return "TRAILING_STOP"
    if is_absent(body.price_per_share):
        return "MARKET" if is_absent(body.stop_price) else "STOP_LOSS"
    return "LIMIT" if is_absent(body.stop_price) else "STOP_LIMIT"
