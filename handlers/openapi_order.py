"""The shape of what `encode_order` writes, for the documents: a test holds the two together."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from handlers.field_types import (
    CloseReasonName,
    OrderId,
    OrderStatusName,
    OrderTypeName,
    SideName,
    Time,
    TimeInForceName,
)
from handlers.numbers import Number, NumberOrNull


class OrderJson(Struct, frozen=True):
    """An order as it stands. Numbers are exact decimals."""

    order_id: OrderId
    stock_symbol: str
    side: SideName
    order_type: OrderTypeName
    time_in_force: TimeInForceName
    quantity: Number
    price: Annotated[NumberOrNull, Meta(description="null for a MARKET order")]
    status: OrderStatusName
    filled_quantity: Number
    remaining_quantity: Number
    average_price: Annotated[NumberOrNull, Meta(description="null while nothing is filled")]
    fee: Number
    hold: Annotated[Number, Meta(description="cash that is still held for it")]
    estimated_total: Annotated[Number, Meta(description="its fills, plus the open rest at its price")]
    client_order_id: str | None
    created_at: Time
    updated_at: Time
    filled_at: Time | None
    replaces: OrderId | None
    replaced_by: OrderId | None
    reason: (
        Annotated[CloseReasonName, Meta(description="why it left the book; null while open or when filled")]
        | None
    )
