"""WebSocket frames as bytes (RFC 6455, section 5.2), server to client: unmasked, never fragmented.

A frame made here can be written to any number of transports as it is.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

CONTROL_PAYLOAD_MAX: Final = 125

_TEXT: Final = 0x81  # FIN and the opcode
_BINARY: Final = 0x82
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_pack_short = Struct("!BB").pack
_pack_medium = Struct("!BBH").pack
_pack_long = Struct("!BBQ").pack
_pack_code = Struct("!H").pack


class CloseCode(IntEnum):
    """Why a connection was closed, and so whether to come back (API.md, "WebSocket")."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_BIG = 1009  # a message of more than 64 KiB
    FAULT = 1011  # a bug here; come back
    RESTART = 1012  # come back in a moment
    BAD_MESSAGE = 4400
    NOT_AUTHENTICATED = 4401  # get a new token first
    NOT_ALLOWED = 4403
    SLOW_CONSUMER = 4408  # come back and resume
    REPLACED = 4409
    TOO_MANY = 4429  # come back later


def text_frame(payload: bytes, first: int = _TEXT) -> bytes:
    """A text message. `first` is the frame's first byte."""
    length = len(payload)
    if length < 126:
        return _pack_short(first, length) + payload
    if length < 65_536:
        return _pack_medium(first, 126, length) + payload
    return _pack_long(first, 127, length) + payload


def binary_frame(payload: bytes) -> bytes:
    """A binary message."""
    return text_frame(payload, _BINARY)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut at what a control frame can hold."""
    payload = _pack_code(code) + reason.encode()[: CONTROL_PAYLOAD_MAX - 2]
    return _pack_short(_CLOSE, len(payload)) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping: the same payload."""
    return _pack_short(_PONG, len(payload)) + payload


PING_FRAME: Final = _pack_short(_PING, 0)
EMPTY_CLOSE_FRAME: Final = _pack_short(_CLOSE, 0)
