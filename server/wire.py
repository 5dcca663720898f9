"""In which form a client gets the data of channels; control messages, answers and errors are JSON text for all."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Final

SCHEMA: Final = Path(__file__).with_name("kerb.proto")
"""What binary messages are; `make proto` makes server/kerb_pb2.py of it."""


class Wire(Enum):
    """The form; the value is its WebSocket subprotocol."""

    JSON = "kerb.v1.json"
    PROTO = "kerb.v1.proto"
