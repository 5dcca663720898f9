"""The shape of what `encode_order` writes, for the documents: a test holds the two together."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from handlers.field_types import (
    CloseReasonName,
    LotId,
    LotMethodName,
    OrderClassName,
    OrderId,
    OrderStatusName,
    OrderTypeName,
    SideName,
    Time,
    TimeInForceName,
)
from handlers.numbers import Number, NumberOrNull


class LotTakenJson(Struct, frozen=True):
    """What a sale is to take of a lot."""

    lot_id: LotId
    quantity: Number


class OrderJson(Struct, frozen=True):
    """An order as it stands. Numbers are exact decimals. Members from `order_class` on are there where they say something:
    a plain order has none of them.
    """

    order_id: OrderId
    stock_symbol: str
    side: SideName
    order_type: OrderTypeName
    time_in_force: TimeInForceName
    quantity: Number
    price: Annotated[NumberOrNull, Meta(description="its limit; null where it has none")]
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
    order_class: OrderClassName | UnsetType = UNSET
    parent_order_id: Annotated[OrderId, Meta(description="the order that arms this one")] | UnsetType = UNSET
    armed: Annotated[bool, Meta(description="of a leg: whether it may rest or fire by now")] | UnsetType = (
        UNSET
    )
    linked_order_id: (
        Annotated[OrderId, Meta(description="the other of its pair, as it was placed; see its `replaced_by`")]
        | UnsetType
    ) = UNSET
    planned_quantity: (
        Annotated[Number, Meta(description="what a leg grows to with its parent's fills")] | UnsetType
    ) = UNSET
    legs: Annotated[list[OrderId], Meta(description="the orders that this one arms")] | UnsetType = UNSET
    trigger_price: (
        Annotated[Number, Meta(description="the stop as it is now: that of a trailing one moves")] | UnsetType
    ) = UNSET
    triggered_at: Annotated[Time, Meta(description="when its stop was reached")] | UnsetType = UNSET
    stop_price: Annotated[Number, Meta(description="the stop that was asked for")] | UnsetType = UNSET
    trail_amount: Number | UnsetType = UNSET
    trail_percent: Number | UnsetType = UNSET
    display_quantity: (
        Annotated[Number, Meta(description="what the book shows of it at a time")] | UnsetType
    ) = UNSET
    post_only: bool | UnsetType = UNSET
    expires_at: Time | UnsetType = UNSET
    extended_hours: bool | UnsetType = UNSET
    do_not_reduce: Annotated[bool, Meta(description="a cash dividend lowers no price of it")] | UnsetType = (
        UNSET
    )
    notional: Annotated[Number, Meta(description="the cash that its quantity was made of")] | UnsetType = (
        UNSET
    )
    lot_method: LotMethodName | UnsetType = UNSET
    lots: list[LotTakenJson] | UnsetType = UNSET
