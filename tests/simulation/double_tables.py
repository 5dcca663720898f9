"""The tables of the Postgres double: their keys, rows out of COPY data, and the statements that it knows.

What a statement does is read from its text where it has a plain form (an INSERT of values or from a stage, with or without an
upsert), so a new column needs nothing here; what has another form is written out. An unknown statement is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from struct import unpack_from
from typing import Any, Final

import asyncpg

from sql.copy_rows import BIGINT_MAX, PG_EPOCH_US
from sql.settlements import PG_EPOCH_DAY

Row = dict[str, Any]
Key = tuple[Any, ...]

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "journal_position": ("one_row",),
    "engine_state": ("kind", "key"),
    "applied_ranges": ("bucket",),
    "instruments": ("symbol",),
    "accounts": ("account_id",),
    "wallets": ("account_id", "currency"),
    "holdings": ("account_id", "symbol"),
    "lots": ("lot_id",),
    "withdrawals": ("withdrawal_id",),
    "orders": ("order_id", "created_at"),
    "executions": ("order_id", "execution_id", "executed_at"),
    "postings": ("txn_id", "line", "created_at"),
    "candles": ("symbol", "start_at"),
    "notifications": ("account_id", "notification_id", "created_at"),
    "realized_gains": ("gain_id", "line", "sold_at"),
    "access_log": ("entry_id", "logged_at"),
    "parking_bookings": ("booking_id",),
    "parking_stays": ("stay_id",),
    "parking_charges": ("txn_id",),
    "risk_violations": ("violation_id",),
    "settlements": ("execution_id", "executed_at"),
    "settled_days": ("market", "settlement_date"),
    "good_faith_violations": ("execution_id",),
    "dividend_payments": ("txn_id",),
}
"""Table → primary key; the contract's test compares it with the real schema."""

DEFAULTS: Final[dict[str, Row]] = {
    "accounts": {"status": 1, "status_reason": ""},
    "executions": {"busted_at": None},
    "withdrawals": {"settled_at": None},
    "risk_violations": {"status": "OPEN", "reviewed_by": None, "reviewed_at": None, "note": None},
}
"""Columns that an insert does not name."""

STAGES: Final = {
    "stage_orders": "orders",
    "stage_parking_bookings": "parking_bookings",
    "stage_candles": "candles",
    "stage_wallets": "wallets",
    "stage_holdings": "holdings",
    "stage_lots": "lots",
    "stage_instruments": "instruments",
    "stage_state": "engine_state",
    "stage_lots_gone": "lots",
    "stage_state_gone": "engine_state",
}
"""Stage → the table whose columns it has."""

_DATES: Final = frozenset({"trade_date", "settlement_date"})
_BYTES: Final = frozenset({"key", "body"})
_BOOLEANS: Final = frozenset({"is_quote", "halted", "subscriber", "cash"})
_TEXTS: Final = frozenset(
    {"symbol", "client_order_id", "special", "asset", "reference", "currency", "name", "calendar", "fee_schedule", "market",
     "gate_id", "what", "space", "plate", "lot", "tariff", "who", "lines"}
)  # fmt: skip


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _figures(data: bytes) -> tuple[int, ...]:
    count = unpack_from(">i", data, 12)[0]
    return tuple(unpack_from(">q", data, 24 + 12 * n)[0] for n in range(count))


def _day(data: bytes) -> int:
    return _integer(data) + PG_EPOCH_DAY


def _time_us(data: bytes) -> int:
    return _integer(data) + PG_EPOCH_US


def _reader(table: str, column: str) -> Callable[[bytes], Any]:
    """How a column's bytes are read."""
    if column in _BYTES:
        return bytes
    if column in _TEXTS or (column, STAGES.get(table, table)) == ("kind", "engine_state"):
        return bytes.decode
    if column in _BOOLEANS:
        return any
    if column in _DATES:
        return _day
    if column == "sold_lots":
        return _figures
    return _time_us if column.endswith("_at") else _integer


@lru_cache(maxsize=256)
def _readers(table: str, columns: tuple[str, ...]) -> tuple[tuple[str, Callable[[bytes], Any]], ...]:
    return tuple((column, _reader(table, column)) for column in columns)


@lru_cache(maxsize=16_384)
def read_rows(table: str, columns: tuple[str, ...], data: bytes) -> tuple[Row, ...]:
    """The rows of COPY data without its header and trailer. Times are microseconds, dates days since 1970."""
    readers, defaults = _readers(table, columns), DEFAULTS.get(table, {})
    rows, place = [], 0
    while place < len(data):
        if unpack_from(">h", data, place)[0] != len(columns):
            raise asyncpg.BadCopyFileFormatError(f"{table}: {len(columns)} columns expected")
        row = dict(defaults)
        place += 2
        for column, reader in readers:
            (length,) = unpack_from(">i", data, place)
            place += 4
            row[column] = None if length < 0 else reader(data[place : place + length])
            place += max(length, 0)
        rows.append(row)
    return tuple(rows)


# ---- statements

_UPSERT: Final = re.compile(
    r"\s*INSERT INTO (\w+)(?: AS \w+)? \(([^)]*)\)\s*SELECT\s+([^;]*?)\s+FROM (stage_\w+)\s+"
    r"ON CONFLICT \(([^)]*)\) DO UPDATE SET\s+(.*)",
    re.DOTALL,
)
_VALUES: Final = re.compile(
    r"\s*INSERT INTO (\w+)\s*\(([^)]*)\)\s*VALUES \((.*?)\)\s*(ON CONFLICT.*)?$", re.DOTALL
)
_PLAIN: Final = re.compile(r"(\w+) = EXCLUDED\.(\w+)")


def _names(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text))


class Upsert:
    """A stage's rows become the newest of a table; `merged` makes a row of the old and the staged one."""

    def __init__(self, sql: str) -> None:
        found = _UPSERT.fullmatch(sql)
        if found is None:
            raise NotImplementedError(f"the double does not know this merge: {sql}")
        self.table, columns, selected, self.stage, keys, changes = found.groups()
        if _names(columns) != _names(selected) or _names(keys) != KEYS[self.table]:
            raise NotImplementedError(f"the double does not know this merge: {sql}")
        plain = [left for left, right in _PLAIN.findall(changes) if left == right]
        others = re.sub(r"[\s,]+", "", _PLAIN.sub("", changes))
        if others and self.table != "candles":
            raise NotImplementedError(f"the double does not know what becomes of {others}")
        self._plain = tuple(plain)

    def merged(self, old: Row, new: Row) -> Row:
        """The row after a conflict."""
        row = old | {column: new[column] for column in self._plain}
        if self.table == "candles":
            row["high_e4"] = max(old["high_e4"], new["high_e4"])
            row["low_e4"] = min(old["low_e4"], new["low_e4"])
            row["volume_e8"] = min(old["volume_e8"] + new["volume_e8"], BIGINT_MAX)
            row["trades"] = old["trades"] + new["trades"]
        return row


class Insert:
    """One row of arguments into a table. A time is an argument in microseconds, a date one in days, since 1970."""

    def __init__(self, sql: str) -> None:
        found = _VALUES.fullmatch(sql)
        if found is None:
            raise NotImplementedError(f"the double does not know this statement: {sql}")
        self.table, columns, values, conflict = found.groups()
        self.replaces = conflict is not None
        if conflict is not None and self.table != "settled_days":
            raise NotImplementedError(f"the double does not know this conflict: {sql}")
        expressions = re.split(r",\s*(?![^()]*\))", values)
        self._sources = tuple(
            (column, expression, re.search(r"\$(\d+)", expression))
            for column, expression in zip(_names(columns), expressions, strict=True)
        )

    def row(self, arguments: tuple[Any, ...]) -> Row:
        """The row that the arguments make."""
        row = dict(DEFAULTS.get(self.table, {}))
        for column, expression, place in self._sources:
            value = arguments[int(place[1]) - 1] if place else int(expression)
            row[column] = (value or None) if "nullif" in expression else value
        return row


@lru_cache(maxsize=256)
def upsert_of(sql: str) -> Upsert:
    """The merge that a text is."""
    return Upsert(sql)


@lru_cache(maxsize=256)
def insert_of(sql: str) -> Insert:
    """The insert that a text is."""
    return Insert(sql)


def key_of(table: str, row: Mapping[str, Any]) -> Key:
    """The row's primary key."""
    return tuple(row[column] for column in KEYS[table])
