"""In which form a client gets the data of channels; control messages, answers and errors are JSON text for all."""

from __future__ import annotations

from enum import Enum


class Wire(Enum):
    """The form; the value is its WebSocket subprotocol."""

    JSON = "kerb.v1.json"
    PROTO = "kerb.v1.proto"
