"""The tables that are compared with the journal row by row, as the bytes of binary COPY that the write-behind would send.

Each is read in the order in which the journal makes its rows, from the first sequence on that the journal still has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final, NamedTuple

from engine.kinds import OrderStatus
from engine.units import IDS_PER_SEQ
from sql.access_log import ACCESS_COLUMNS
from sql.copy_rows import (
    COPY_TRAILER,
    EXECUTION_COLUMNS,
    NOTIFICATION_COLUMNS,
    ORDER_COLUMNS,
    PG_EPOCH_US,
    POSTING_COLUMNS,
)
from sql.parking_rows import BOOKING_COLUMNS, CHARGE_COLUMNS, STAY_COLUMNS, is_open
from sql.projection import Rows
from sql.realized_gains import BEGIN, GAIN_COLUMNS
from sql.settlements import SETTLEMENT_COLUMNS

_TEXTS: Final = frozenset(
    {
        "symbol",
        "client_order_id",
        "asset",
        "reference",
        "currency",
        "market",
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
_BIGINT_FIELD_BYTES: Final = 12
_BIGINT = Struct(">q")
_COUNT = Struct(">h")
_LENGTH = Struct(">i")
_YEAR_9999_US: Final = 252_455_616_000_000_000
_PG_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=PG_EPOCH_US)

_ROWS: Final = "SELECT {columns} FROM {table} WHERE {position} >= {first} ORDER BY {order}"


class ComparedTable(NamedTuple):
    """A table whose rows records leave behind: `rows_of` a projection.

    `position` is the column that grows with the journal, `ids_per_seq` to a record; `key` names a row. `is_replaced` is
    None where rows are only ever added, else it says of a row whether a later record's will take its place.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    position: str
    ids_per_seq: int
    rows_of: Callable[[Rows], Sequence[bytes]]
    is_replaced: Callable[[bytes], bool] | None = None
    blank: str = ""
    """A column that is not the journal's to say; no row has it at first."""
    begin: str = ""
    """The query for the sequence after which it is the journal's: of a table that was not there from the first record on."""

    def query(self, first_seq: int) -> str:
        """All rows that records from `first_seq` on left behind, in the journal's order."""
        columns = (f"NULL::TIMESTAMPTZ AS {each}" if each == self.blank else each for each in self.columns)
        return _ROWS.format(
            columns=", ".join(columns),
            table=self.name,
            position=self.position,
            first=first_seq * self.ids_per_seq,
            order=", ".join(dict.fromkeys((self.position, *self.key))),
        )

    def position_of(self, row: bytes) -> int:
        """Where in the journal's order the row stands. All columns before that one are BIGINT and never NULL."""
        at = _COUNT.size + _LENGTH.size + _BIGINT_FIELD_BYTES * self.columns.index(self.position)
        return int(_BIGINT.unpack_from(row, at)[0])

    def subject(self, row: bytes) -> str:
        """The row's name."""
        fields = self._by_column(row)
        return ", ".join(f"{column} {fields[column]}" for column in self.key)

    def difference(self, row: bytes, right: bytes) -> str:
        """In what a row differs from the one that the journal gives."""
        found, wanted = self._by_column(row), self._by_column(right)
        return ", ".join(
            f"{column} is {found[column]}, the journal says {wanted[column]}"
            for column in self.columns
            if found[column] != wanted[column]
        )

    def _by_column(self, row: bytes) -> dict[str, object]:
        return dict(zip(self.columns, map(_shown, self.columns, _fields(row)), strict=True))


def _order_rows(rows: Rows) -> list[bytes]:
    return rows.new_orders() + rows.older_orders()


_STATUS_AT: Final = _COUNT.size + 14 * _BIGINT_FIELD_BYTES + 3 * 6 + _LENGTH.size
"""Where an order's status stands: behind 14 columns of BIGINT or time and three of SMALLINT."""


def _is_open(row: bytes) -> bool:
    """An order is reported again as long as it is open, and never afterwards."""
    return int(_COUNT.unpack_from(row, _STATUS_AT)[0]) <= OrderStatus.PARTIAL


COMPARED: Final = (
    ComparedTable("orders", ORDER_COLUMNS, ("order_id",), "seq", 1, _order_rows, _is_open),
    ComparedTable(
        *("executions", EXECUTION_COLUMNS, ("execution_id", "order_id"), "execution_id", IDS_PER_SEQ),
        lambda rows: rows.executions,
    ),
    ComparedTable(
        *("postings", POSTING_COLUMNS, ("txn_id", "line"), "txn_id", IDS_PER_SEQ),
        lambda rows: rows.postings,
    ),
    ComparedTable(
        *("settlements", SETTLEMENT_COLUMNS, ("execution_id",), "execution_id", IDS_PER_SEQ),
        lambda rows: rows.dues,
    ),
    ComparedTable(
        *("notifications", NOTIFICATION_COLUMNS, ("notification_id", "account_id"), "notification_id"),
        *(IDS_PER_SEQ, lambda rows: rows.notifications),
        blank="read_at",
        begin="SELECT after_seq FROM notifications_begin",
    ),
    ComparedTable(
        *("realized_gains", GAIN_COLUMNS, ("gain_id", "line"), "gain_id", IDS_PER_SEQ),
        lambda rows: rows.gains,
        begin=BEGIN,
    ),
    ComparedTable(
        *("access_log", ACCESS_COLUMNS, ("entry_id",), "entry_id", IDS_PER_SEQ),
        lambda rows: rows.access_log.rows,
    ),
    ComparedTable(
        *("parking_bookings", BOOKING_COLUMNS, ("booking_id",), "seq", 1),
        *(lambda rows: rows.parking.bookings(), is_open),
    ),
    ComparedTable(
        *("parking_stays", STAY_COLUMNS, ("stay_id",), "seq", 1),
        lambda rows: rows.parking.stays,
    ),
    ComparedTable(
        *("parking_charges", CHARGE_COLUMNS, ("txn_id",), "txn_id", IDS_PER_SEQ),
        lambda rows: rows.parking.charges,
    ),
)
"""What the write-behind copies or replaces whole. Which executions are busted is asked for apart: BUSTED."""

BUSTED: Final = """
SELECT order_id, execution_id, (extract(epoch FROM busted_at) * 1000000)::BIGINT AS busted_us
FROM executions WHERE busted_at IS NOT NULL ORDER BY execution_id
"""

# symbols that a tape ever priced, first minute in microseconds; our own trades' candles are what the executions make of them,
# without those that were taken back
CANDLES: Final = """
SELECT format('candle %s %s', symbol, start_at AT TIME ZONE 'UTC') AS subject,
    format('open, high, low, close, volume and trades are %s, the executions say %s',
        coalesce(c.figures::TEXT, 'missing'), coalesce(made.figures::TEXT, 'nothing')) AS problem
FROM (
    SELECT symbol, start_at, ARRAY[open_e4, high_e4, low_e4, close_e4, volume_e8, trades] AS figures
    FROM candles WHERE start_at >= TIMESTAMPTZ 'epoch' + $2::BIGINT * INTERVAL '1 microsecond' AND symbol <> ALL ($1::TEXT[])
) AS c
FULL JOIN (
    SELECT symbol, date_bin('1 minute', executed_at, 'epoch') AS start_at, ARRAY[
        (min(ARRAY[execution_id, price_e4]))[2], max(price_e4), min(price_e4), (max(ARRAY[execution_id, price_e4]))[2],
        least(sum(quantity_e8), 9223372036854775807)::BIGINT, count(*)
    ] AS figures
    FROM executions
    WHERE side = 1 AND busted_at IS NULL AND executed_at >= TIMESTAMPTZ 'epoch' + $2::BIGINT * INTERVAL '1 microsecond'
        AND symbol <> ALL ($1::TEXT[]) GROUP BY 1, 2
) AS made USING (symbol, start_at)
WHERE c.figures IS DISTINCT FROM made.figures ORDER BY start_at, symbol
"""


def row_end(data: bytes, at: int) -> int:
    """Where the row that begins at `at` ends; 0 when it is not whole. Raises `EOFError` where the trailer stands."""
    size = len(data)
    if size - at < _COUNT.size:
        return 0
    if data[at : at + _COUNT.size] == COPY_TRAILER:
        raise EOFError
    columns = int.from_bytes(data[at : at + _COUNT.size])
    at += _COUNT.size
    unpack = _LENGTH.unpack_from
    for _ in range(columns):
        if size - at < 4:
            return 0
        length = unpack(data, at)[0]
        at += 4 if length < 0 else 4 + length
    return at if at <= size else 0


def _fields(row: bytes) -> Iterator[bytes | None]:
    at = _COUNT.size
    while at < len(row):
        (length,) = _LENGTH.unpack_from(row, at)
        at += _LENGTH.size
        yield row[at : at + length] if length >= 0 else None
        at += max(length, 0)


def _shown(column: str, field: bytes | None) -> object:
    if field is None:
        return None
    if column in _TEXTS:
        return field.decode()
    if column == "sold_lots":
        return [_BIGINT.unpack_from(field, at)[0] for at in range(24, len(field), _BIGINT_FIELD_BYTES)]
    figure = int.from_bytes(field, signed=True)
    if column.endswith("_at") and abs(figure) < _YEAR_9999_US:
        return (_PG_EPOCH + timedelta(microseconds=figure)).isoformat()
    return figure
