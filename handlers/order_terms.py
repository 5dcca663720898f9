"""What a client can say of an order beyond a plain one, as types: the whole of API.md, "Orders".

They are what the documents show. What becomes of a body stands in handlers/order_command.py.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct, field

from handlers.field_types import LotId, TimeIn
from handlers.numbers import (
    AmountInOrNull,
    PercentInOrNull,
    PriceIn,
    PriceInOrNull,
    QuantityIn,
    QuantityInOrNull,
)
from handlers.order_body import ClientOrderId, SelfTradePreventionIn, SideIn, Symbol

LOTS_MAX: Final = 100

OrderTypeIn = Literal["MARKET", "LIMIT", "STOP_LOSS", "STOP_LIMIT", "TRAILING_STOP"]
TimeInForceIn = Literal["DAY", "GTC", "GTD", "IOC", "FOK", "OPG", "CLS"]
OrderClassIn = Literal["SIMPLE", "BRACKET", "OCO", "OTO"]
LotMethodIn = Literal["FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC"]


class LotChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """A lot that a sale is to take from, and how much."""

    lot_id: LotId
    quantity: QuantityIn


class TakeProfit(Struct, frozen=True, forbid_unknown_fields=True):
    """The leg that takes the profit: a LIMIT order."""

    price: PriceIn
    client_order_id: ClientOrderId | None = None


class StopLoss(Struct, frozen=True, forbid_unknown_fields=True):
    """The leg that ends the loss: a STOP_LOSS at `stop_price`, with a `price` too a STOP_LIMIT; or a TRAILING_STOP, by
    `trail_amount` or `trail_percent`.
    """

    stop_price: PriceInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    trail_amount: PriceInOrNull = field(default_factory=Raw)
    trail_percent: PercentInOrNull = field(default_factory=Raw)
    client_order_id: ClientOrderId | None = None


class OrderTerms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What only some orders say. `stop_price` fires STOP_LOSS (which becomes a market order) and STOP_LIMIT; a TRAILING_STOP
    follows the market by `trail_amount` or `trail_percent`. `expires_at` is for GTD. `display_quantity` is what the book
    shows of it at a time. `do_not_reduce` keeps its price when a cash dividend would lower it. A sale takes lots by `lot_method`, else by that of its account. `notional` buys or sells for so much cash, in place of `quantity`. BRACKET has `take_profit` and
    `stop_loss`, OTO one of them, OCO is itself the take-profit and has a `stop_loss`.
    """

    post_only: bool = False
    extended_hours: bool = False
    do_not_reduce: bool = False
    order_class: OrderClassIn = "SIMPLE"
    lot_method: LotMethodIn | None = None
    notional: AmountInOrNull = field(default_factory=Raw)
    stop_price: PriceInOrNull = field(default_factory=Raw)
    trail_amount: PriceInOrNull = field(default_factory=Raw)
    trail_percent: PercentInOrNull = field(default_factory=Raw)
    display_quantity: QuantityInOrNull = field(default_factory=Raw)
    expires_at: TimeIn | None = None
    lots: Annotated[tuple[LotChoice, ...], Meta(max_length=LOTS_MAX)] | None = None
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None


class OrderBody(OrderTerms, frozen=True, forbid_unknown_fields=True):
    """An order. `price` is required for LIMIT and STOP_LIMIT and not allowed for others, `quantity` is required unless there
    is a `notional`.
    """

    stock_symbol: Symbol
    side: SideIn
    order_type: OrderTypeIn
    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


class ReplaceBody(OrderTerms, frozen=True, forbid_unknown_fields=True):
    """`PATCH /orders/{id}`: a new `quantity` (the total, fills included), `price`, `stop_price`, `trail_amount` or
    `trail_percent`. What is left out stays as it is; of the other members only what says nothing is taken.
    """

    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    client_order_id: ClientOrderId | None = None
