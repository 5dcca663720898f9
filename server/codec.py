"""Records as bytes: msgpack of typed, tagged arrays. The journal stores them, consumers and recovery read them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from engine.commands import AnyCommand, Envelope
from engine.events import AnyEvent


class Record(Struct, frozen=True, gc=False, array_like=True):
    """One applied command and what came of it. `seq` is contiguous from 1, `now_us` the market clock's time."""

    seq: int
    now_us: int
    envelope: Envelope
    command: AnyCommand
    events: tuple[AnyEvent, ...]


class StoredRecord(Struct, frozen=True, gc=False, array_like=True):
    """A record whose events are left encoded: a replay makes them again and compares the bytes."""

    seq: int
    now_us: int
    envelope: Envelope
    command: AnyCommand
    events: Raw


_encoder = msgspec.msgpack.Encoder()
_record_decoder = msgspec.msgpack.Decoder(Record)
_stored_decoder = msgspec.msgpack.Decoder(StoredRecord)
_command_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)

encode_record = _encoder.encode
"""Record → bytes."""

encode_value = _encoder.encode
"""Anything made of the engine's types → bytes."""

decode_record = _record_decoder.decode
"""Bytes → Record; raises `msgspec.ValidationError` on anything else."""

decode_stored = _stored_decoder.decode
"""Bytes → StoredRecord."""


def mark_of(event: type[AnyEvent]) -> bytes:
    """Bytes that stand in every record which has an event of this type, and in few others."""
    return _encoder.encode(event.__struct_config__.tag)


def decode_command(data: bytes) -> AnyCommand:
    """Bytes of a command → the command."""
    return _command_decoder.decode(data)


def encode_events(events: tuple[AnyEvent, ...]) -> bytes:
    """The events exactly as they stand in a record."""
    return _encoder.encode(events)


def jsonable(value: Any) -> Any:
    """A record or command as plain lists and numbers, for an operator's eyes."""
    return msgspec.to_builtins(value)
