"""Parking's commands and events are decoded from the journal by tag, with the same values of the same types."""

from __future__ import annotations

from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from engine.commands import AnyCommand
from engine.events import AnyEvent
from engine.parking.commands import ParkingCommand
from engine.parking.events import ParkingEvent
from engine.parking.table import PARKING_COMMANDS


def example_of(expected: Any) -> Any:
    """Some value of a type: figures and texts that are no defaults, the last member of an enum, one element in a tuple."""
    if get_origin(expected) is tuple:
        parts = [part for part in get_args(expected) if part is not Ellipsis]
        return tuple([example_of(part) for part in parts])
    if get_origin(expected) in (Union, UnionType):
        return example_of(next(part for part in get_args(expected) if part is not NoneType))
    if issubclass(expected, msgspec.Struct):
        hints = get_type_hints(expected)
        return expected(*[example_of(hints[name]) for name in expected.__struct_fields__])
    if issubclass(expected, Enum):
        return list(expected)[-1]
    return {bool: True, int: 77, str: "x", bytes: b"x"}[expected]


def test_every_parking_command_has_its_function() -> None:
    assert set(PARKING_COMMANDS) == set(get_args(ParkingCommand))


@pytest.mark.parametrize("kind", get_args(ParkingCommand), ids=lambda kind: kind.__name__)
def test_every_parking_command_survives_the_journal(kind: type) -> None:
    example = example_of(kind)
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(example), type=AnyCommand)
    assert repr(back) == repr(example)


@pytest.mark.parametrize("kind", get_args(ParkingEvent), ids=lambda kind: kind.__name__)
def test_every_parking_event_survives_the_journal(kind: type) -> None:
    example = example_of(kind)
    back = msgspec.msgpack.decode(msgspec.msgpack.encode(example), type=AnyEvent)
    assert repr(back) == repr(example)
