"""What an idempotency key is compared by: the decoded command, so spelling does not matter."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from engine.commands import AnyCommand, PlaceOrder, ReplaceOrder
from engine.parking.booking_commands import CancelBooking

_encode = msgspec.msgpack.Encoder().encode


class _Grown(NamedTuple):
    """A command that has more fields than when its first keys were given out."""

    added: Callable[[Any], Any]
    defaults: Any
    head: bytes
    tail_bytes: int


def _grown(command: type[AnyCommand], fields_first: int) -> _Grown:
    """Of a command that had so many fields at first."""
    added = command.__struct_fields__[fields_first:]
    defaults = command.__struct_defaults__[-len(added) :]
    tail = _encode(defaults)[1:]
    # An array of up to 15 elements begins with one byte; the first is the tag.
    head = bytes([_encode([None] * (fields_first + 1))[0]])
    return _Grown(attrgetter(*added), defaults if len(added) > 1 else defaults[0], head, len(tail))


_FIELDS_FIRST: Final[dict[type[AnyCommand], int]] = {PlaceOrder: 8, ReplaceOrder: 4, CancelBooking: 2}
_GROWN: Final = {
    command: _grown(command, count)
    for command, count in _FIELDS_FIRST.items()
    if len(command.__struct_fields__) > count
}


def digest(command: AnyCommand) -> bytes:
    """The digest of a command. A field that was added to its class counts only when it says something: a key that was used
    before the field existed answers the same call after an upgrade.
    """
    data = _encode(command)
    grown = _GROWN.get(type(command))
    if grown is not None and grown.added(command) == grown.defaults:
        data = grown.head + data[1 : -grown.tail_bytes]
    return blake2b(data, digest_size=16).digest()
