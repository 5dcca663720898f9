"""What a client sends for a plain order, as types. What only some orders say is read by wider ones (handlers/order_terms.py),
so that the many pay nothing for the few.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct, field

from handlers.field_types import PRINTABLE
from handlers.numbers import (
    PriceInOrNull,
    QuantityIn,
    QuantityInOrNull,
)
from server.errors import BadRequest

CLIENT_ORDER_ID_MAX: Final = 64
SYMBOL_MAX: Final = 32


# Literals, not enums: a look-up by an enum member runs Python code, and an order has four of them.
SideIn = Literal["BUY", "SELL"]
OrderTypeIn = Literal["MARKET", "LIMIT"]
TimeInForceIn = Literal["DAY", "GTC", "IOC", "FOK"]
SelfTradePreventionIn = Literal["CANCEL_NEWEST", "CANCEL_OLDEST", "DECREMENT"]

_TEXT: Final = Meta(extra_json_schema={"pattern": PRINTABLE})
Symbol = Annotated[str, Meta(min_length=1, max_length=SYMBOL_MAX), _TEXT]
ClientOrderId = Annotated[str, Meta(max_length=CLIENT_ORDER_ID_MAX), _TEXT]


class NoTerms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The members of handlers/order_terms.py, where they say nothing. `post_only` and `extended_hours` may be true: their
    type cannot say it, so whoever reads a body looks.
    """

    post_only: bool = False
    extended_hours: bool = False
    do_not_reduce: None = None
    order_class: Literal["SIMPLE"] = "SIMPLE"
    lot_method: None = None
    notional: None = None
    stop_price: None = None
    trail_amount: None = None
    trail_percent: None = None
    display_quantity: None = None
    expires_at: None = None
    lots: None = None
    take_profit: None = None
    stop_loss: None = None


class PlainOrder(NoTerms, frozen=True, forbid_unknown_fields=True):
    """An order as nearly all are. `price` is required for LIMIT and not allowed for MARKET."""

    stock_symbol: Symbol
    side: SideIn
    order_type: OrderTypeIn
    quantity: QuantityIn
    price: PriceInOrNull = field(default_factory=Raw)
    time_in_force: TimeInForceIn | None = None
    client_order_id: ClientOrderId | None = None
    self_trade_prevention: SelfTradePreventionIn = "CANCEL_NEWEST"


class PlainReplacement(NoTerms, frozen=True, forbid_unknown_fields=True):
    """A replacement as nearly all are: a new quantity, a new price or both."""

    quantity: QuantityInOrNull = field(default_factory=Raw)
    price: PriceInOrNull = field(default_factory=Raw)
    client_order_id: ClientOrderId | None = None


def said_text(text: str, field: str) -> str:
    """As `plain_text`, and it says something: blanks alone do not."""
    if not text.strip():
        raise BadRequest(field, "must not be blank")
    return plain_text(text, field)


def plain_text(text: str, field: str) -> str:
    """The text, if every character can be printed (so: no NUL, no control characters, no lone surrogates)."""
    if not text.isprintable():
        raise BadRequest(field, "must not contain control characters")
    return text
