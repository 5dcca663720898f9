"""Binary messages read back as the JSON they stand for, by the rules at the head of server/kerb.proto and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from server.kerb_pb2 import Data, Level

SCALES = {"_e2": 100, "_e4": 10_000, "_e8": 100_000_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONFLATED = ("quotes", "trades", "depth", "candles", "auctions", "parking")
FLAGS = ("more", "busted", "post_only", "extended_hours", "do_not_reduce")
WITH_TERMS = (
    "order_class", "parent_order_id", "armed", "planned_quantity_e8", "legs", "trigger_price_e4", "triggered_at_us",
    "stop_price_e4", "trail_amount_e4", "trail_percent_e4", "display_quantity_e8", "expires_at_us", "notional_e4",
    "lot_method", "lots", "linked_order_id",
)  # fmt: skip
LEFT_OUT = ("prev_seq", "bust", *FLAGS, *WITH_TERMS)
"""Members that JSON leaves out where they say nothing."""


def exact_json(payload: bytes) -> Any:
    """JSON with exact numbers."""
    return json.loads(payload, parse_float=Decimal)


def messages_of(payload: bytes) -> Iterator[dict[str, Any]]:
    """The JSON messages that a binary message stands for."""
    data = Data.FromString(payload)
    assert data.SerializeToString() == payload, "nothing is there that the schema does not name"
    for field, value in data.ListFields():
        if field.name in CONFLATED:
            yield {"channel": field.name, "data": [members(one) for one in value]}
        else:
            yield from ({"channel": field.name, **members(event)} for event in value)


def members(message: Message) -> Any:
    """A message as the JSON object, or the level of a book, that it stands for."""
    if isinstance(message, Level):
        return [_value(field, getattr(message, field.name)) for field in message.DESCRIPTOR.fields]
    found: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        name = field.name
        value = getattr(message, name)
        is_told = message.HasField(name) if field.has_presence else name not in FLAGS or value
        if name in WITH_TERMS and not field.has_presence and not value:
            continue
        if field.is_repeated:
            found[name] = [_value(field, one) for one in value]
        elif is_told:
            found[_name(name)] = _value(field, value)
        elif name not in LEFT_OUT:
            found[_name(name)] = None
    return found


def _name(name: str) -> str:
    return name[:-3] if name[-3:] in (*SCALES, "_ms", "_us") else name


def _value(field: Any, value: Any) -> Any:
    suffix = field.name[-3:]
    if suffix in SCALES:
        return Decimal(value) / SCALES[suffix]
    if suffix == "_us":
        return (EPOCH + timedelta(microseconds=value)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if field.enum_type is not None:
        return name_of(field.enum_type, value)
    if field.message_type is not None:
        return members(value)
    return value


def name_of(enum: EnumDescriptor, number: int) -> str | None:
    """An enum's value as JSON has it."""
    if not number:
        return None
    prefix = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in enum.name)[1:] + "_"
    name: str = enum.values_by_number[number].name
    assert name.startswith(prefix)
    return name.removeprefix(prefix).lower() if enum.name == "DepthType" else name.removeprefix(prefix)
