"""A client's copy of a book, kept from `depth` messages as docs/streaming.md says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zlib import crc32

import msgspec

Row = tuple[Decimal, Decimal, int]


class ClientBook:
    """One symbol. `apply` fails when a step does not follow or when the checksum differs."""

    def __init__(self) -> None:
        self.seq = -1
        self.snapshots = 0
        self.deltas = 0
        self.sides: dict[str, dict[Decimal, tuple[Decimal, int]]] = {"bids": {}, "asks": {}}

    def apply(self, step: dict[str, Any]) -> None:
        if step["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
            self.snapshots += 1
        else:
            assert step["prev_seq"] == self.seq, "a step is missing"
            self.deltas += 1
        for name, levels in self.sides.items():
            for price, quantity, orders in step[name]:
                if quantity:
                    levels[price] = (quantity, orders)
                else:
                    levels.pop(price, None)  # it may have come and gone since the last step
        self.seq = step["seq"]
        assert step["checksum"] == self.checksum()

    def side(self, name: str) -> list[Row]:
        """Best first."""
        levels = self.sides[name]
        return [(price, *levels[price]) for price in sorted(levels, reverse=name == "bids")]

    def checksum(self) -> int:
        texts = (
            ",".join(
                f"{int(price * 10**4)}:{int(quantity * 10**8)}" for price, quantity, _ in self.side(name)[:10]
            )
            for name in ("bids", "asks")
        )
        return crc32("|".join(texts).encode())


def exact(text: bytes) -> dict[str, Any]:
    """A message whose numbers with a point are decimals."""
    decoded: dict[str, Any] = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(text)
    return decoded


def steps_of(frame: bytes) -> list[dict[str, Any]]:
    """The data of one `depth` frame as it stands on the wire; none of an empty one."""
    if not frame:
        return []
    head = 2 if frame[1] < 126 else 4 if frame[1] == 126 else 10
    message = exact(frame[head:])
    assert message["channel"] == "depth"
    data: list[dict[str, Any]] = message["data"]
    return data
