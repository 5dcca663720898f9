"""Reads rows in PostgreSQL's binary COPY format back, so that tests can look at them without a database."""

from __future__ import annotations

from struct import unpack_from

TEXTS = frozenset({"symbol", "client_order_id", "asset", "reference", "currency", "kind_name"})

Value = int | str | None


def decode(columns: tuple[str, ...], row: bytes) -> dict[str, Value]:
    """Column → value: texts by their name, everything else is a big-endian integer."""
    (count,) = unpack_from(">h", row)
    assert count == len(columns)
    place, values = 2, {}
    for column in columns:
        (length,) = unpack_from(">i", row, place)
        place += 4
        data = row[place : place + max(length, 0)]
        place += max(length, 0)
        value: Value = data.decode() if column in TEXTS else int.from_bytes(data, "big", signed=True)
        values[column] = None if length < 0 else value
    assert place == len(row)
    return values
