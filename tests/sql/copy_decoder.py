"""Reads rows in PostgreSQL's binary COPY format back, so that tests can look at them without a database."""

from __future__ import annotations

from struct import unpack_from

TEXTS = frozenset(
    {
        "symbol",
        "client_order_id",
        "asset",
        "reference",
        "currency",
        "kind_name",
        "special",
        "gate_id",
        "what",
        "space",
        "plate",
        "lot",
        "tariff",
        "who",
        "lines",
    }
)

ARRAYS = frozenset({"sold_lots"})

Value = int | str | None


def decode(columns: tuple[str, ...], row: bytes) -> dict[str, Value]:
    """Column → value: texts by their name, everything else is a big-endian integer."""
    (count,) = unpack_from(">h", row)
    assert count == len(columns)
    place = 2
    values: dict[str, Value] = {}
    for column in columns:
        (length,) = unpack_from(">i", row, place)
        place += 4
        data = row[place : place + max(length, 0)]
        place += max(length, 0)
        if column in ARRAYS and length > 0:
            count = unpack_from(">i", data, 12)[0]
            values[column] = " ".join(str(unpack_from(">q", data, 24 + 12 * n)[0]) for n in range(count))
            continue
        value: Value = data.decode() if column in TEXTS else int.from_bytes(data, "big", signed=True)
        values[column] = None if length < 0 else value
    assert place == len(row)
    return values
