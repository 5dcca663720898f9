"""RFID readers that Kerb connects to: a table each, `[[gate.readers]]`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

LLRP_PORT = 5_084


class ReaderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reader that speaks LLRP, and the gate that it is (docs/gates.md)."""

    host: Annotated[str, Meta(min_length=1)]
    gate: Annotated[str, Meta(pattern="^gat_[A-Za-z0-9._-]{1,32}$")]
    port: Annotated[int, Meta(ge=1, le=65_535)] = LLRP_PORT
    lane: Annotated[int, Meta(ge=0, le=64)] = 1  # 0: the number of the antenna
    gpo: Annotated[int, Meta(ge=0, le=65_535)] = 0  # output that opens the barrier; 0: none
    open_ms: Annotated[int, Meta(ge=100, le=30_000)] = 1_000  # the output is on for so long
    hold_s: Annotated[int, Meta(ge=1, le=25)] = 3  # a tag not seen for so long has gone
    rssi_min_dbm: Annotated[int, Meta(ge=-128, le=0)] = -128  # weaker reports are those of another lane
