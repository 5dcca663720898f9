"""Rows in PostgreSQL's binary COPY format: one packing function a table, because each order makes several rows.

A row is a column count and for each column a length and its bytes, big-endian. The fixed-width columns of a table
come first and are packed by one `struct` call; text and bytes follow. The names in `*_COLUMNS` are in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct, pack
from typing import Any, Final

from engine.events import OrderUpdated, SoldLot
from engine.terms import Special
from sql.notifications import Notification
from sql.specials import special_json

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER: Final = b"\xff\xff"

PG_EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01: PostgreSQL's timestamps count microseconds from there."""

BIGINT_MAX: Final = 2**63 - 1

_LENGTH = Struct(">i")

ORDER_COLUMNS: Final = (
    "order_id",
    "account_id",
    "quantity_e8",
    "price_e4",
    "limit_e4",
    "filled_e8",
    "notional_e4",
    "fee_e4",
    "hold_e4",
    "replaces_id",
    "replaced_by_id",
    "seq",
    "created_at",
    "updated_at",
    "side",
    "order_type",
    "time_in_force",
    "status",
    "reason",
    "is_quote",
    "symbol",
    "client_order_id",
    "special",
)
_ORDER = Struct(">h" + "iq" * 14 + "ih" * 5 + "i?")

EXECUTION_COLUMNS: Final = (
    "order_id",
    "execution_id",
    "executed_at",
    "account_id",
    "price_e4",
    "quantity_e8",
    "notional_e4",
    "fee_e4",
    "regulatory_e4",
    "side",
    "liquidity",
    "symbol",
    "sold_lots",
)
_EXECUTION = Struct(">h" + "iq" * 9 + "ih" * 2)
_ONE_LOT = Struct(">" + "i" * 6 + "iq" * 4)
_NULL = b"\xff\xff\xff\xff"
_NEITHER = bytes(4) + _NULL
"""An order without an id of its owner's and without terms."""
_BIGINT_OID = 20

POSTING_COLUMNS: Final = (
    "txn_id",
    "created_at",
    "account_id",
    "entry_id",
    "order_id",
    "amount",
    "balance_after",
    "line",
    "kind",
    "txn_kind",
    "asset",
    "reference",
)
_POSTING_HEAD = Struct(">h" + "iq" * 2)
_POSTING = Struct(">" + "iq" * 5)
_POSTING_NO_BALANCE = Struct(">" + "iq" * 4 + "i")
_POSTING_TAIL = Struct(">" + "ih" * 3)

CANDLE_COLUMNS: Final = (
    "start_at",
    "open_e4",
    "high_e4",
    "low_e4",
    "close_e4",
    "volume_e8",
    "trades",
    "symbol",
)
_CANDLE = Struct(">h" + "iq" * 7)

WALLET_COLUMNS: Final = ("account_id", "balance_e4", "held_e4", "unsettled_e4", "seq", "currency")
_WALLET = Struct(">h" + "iq" * 5)

HOLDING_COLUMNS: Final = ("account_id", "units_e8", "held_e8", "cost_e4", "realized_e4", "seq", "symbol")
_HOLDING = Struct(">h" + "iq" * 6)

LOT_COLUMNS: Final = ("lot_id", "account_id", "units_e8", "cost_e4", "acquired_at", "seq", "symbol")
_LOT = Struct(">h" + "iq" * 6)
LOT_KEY_COLUMNS: Final = ("lot_id",)
_LOT_KEY = Struct(">hiq")

INSTRUMENT_COLUMNS: Final = (
    "tick_e4",
    "lot_e8",
    "price_min_e4",
    "price_max_e4",
    "reference_e4",
    "last_e4",
    "previous_close_e4",
    "band_bps",
    "seq",
    "price_source",
    "phase",
    "halted",
    "symbol",
    "name",
    "currency",
    "calendar",
    "fee_schedule",
)
_INSTRUMENT = Struct(">h" + "iq" * 9 + "ih" * 2 + "i?")

NOTIFICATION_COLUMNS: Final = (
    "account_id",
    "notification_id",
    "created_at",
    "order_id",
    "reference_id",
    "quantity_e8",
    "filled_e8",
    "amount_e4",
    "kind",
    "side",
    "reason",
    "read_at",
    "symbol",
)
_pack_notification = Struct(">h" + "iq" * 8 + "ih" * 3 + "i").pack

STATE_COLUMNS: Final = ("kind", "key", "body")
STATE_KEY_COLUMNS: Final = ("kind", "key")


def bytes_field(data: bytes) -> bytes:
    """A variable-width column."""
    return _LENGTH.pack(len(data)) + data


@lru_cache(maxsize=8192)
def text_field(text: str) -> bytes:
    """A text column that repeats much: a symbol, a currency, a kind."""
    return bytes_field(text.encode())


def client_text_field(text: str) -> bytes:
    """A text column that hardly repeats."""
    return bytes_field(text.encode()) if text else b"\x00\x00\x00\x00"


def saturated(figure: int) -> int:
    """A running total that nothing bounds, stopped at the ends of BIGINT: a report may stop, a batch may not fail."""
    return max(-BIGINT_MAX, min(BIGINT_MAX, figure))


def order_row(order: OrderUpdated, seq: int) -> bytes:
    """`orders`, as of the command with sequence `seq`."""
    return (
        _ORDER.pack(
            *(23, 8, order.order_id, 8, order.account_id, 8, order.quantity_e8, 8, order.price_e4),
            *(8, order.limit_e4, 8, order.filled_e8, 8, order.notional_e4, 8, order.fee_e4, 8, order.hold_e4),
            *(8, order.replaces_id, 8, order.replaced_by_id, 8, seq),
            *(8, order.created_us - PG_EPOCH_US, 8, order.updated_us - PG_EPOCH_US, 2, order.side),
            *(
                2,
                order.order_type,
                2,
                order.time_in_force,
                2,
                order.status,
                2,
                order.reason,
                1,
                order.is_quote,
            ),
        )
        + text_field(order.symbol)
        + (
            _NEITHER
            if order.special is None and not order.client_order_id
            else client_text_field(order.client_order_id) + _special_field(order.special)
        )
    )


def _special_field(special: Special | None) -> bytes:
    return _NULL if special is None else bytes_field(special_json(special))


def execution_row(
    order_id: int,
    execution_id: int,
    executed_us: int,
    account_id: int,
    price_e4: int,
    quantity_e8: int,
    notional_e4: int,
    fee_e4: int,
    side: int,
    liquidity: int,
    symbol: str,
    sold_lots: tuple[SoldLot, ...] = (),
    regulatory_e4: int = 0,
) -> bytes:
    """`executions`: one side of a fill. `sold_lots` and `regulatory_e4` are a seller's."""
    figures = _EXECUTION.pack(
        *(13, 8, order_id, 8, execution_id, 8, executed_us - PG_EPOCH_US, 8, account_id, 8, price_e4),
        *(8, quantity_e8, 8, notional_e4, 8, fee_e4, 8, regulatory_e4, 2, side, 2, liquidity),
    )
    return figures + text_field(symbol) + (lots_field(sold_lots) if sold_lots else _NULL)


def lots_field(sold_lots: tuple[SoldLot, ...]) -> bytes:
    """What was taken of each lot as one BIGINT[]: four figures a lot."""
    count = 4 * len(sold_lots)
    if count == 4:  # as nearly always
        lot_id, units_e8, cost_e4, acquired_us = sold_lots[0]
        return _ONE_LOT.pack(
            *(20 + 12 * 4, 1, 0, _BIGINT_OID, 4, 1),
            *(8, lot_id, 8, units_e8, 8, cost_e4, 8, acquired_us),
        )
    figures = [part for lot in sold_lots for figure in lot for part in (8, figure)]
    return pack(">" + "i" * 6 + "iq" * count, 20 + 12 * count, 1, 0, _BIGINT_OID, count, 1, *figures)


def posting_head(txn_id: int, created_us: int) -> bytes:
    """What all lines of a transaction in `postings` begin with."""
    return _POSTING_HEAD.pack(12, 8, txn_id, 8, created_us - PG_EPOCH_US)


@lru_cache(maxsize=8192)
def posting_tail(line: int, kind: int, txn_kind: int, asset: str) -> bytes:
    """What a line ends with, but for its reference: it repeats from transaction to transaction."""
    return _POSTING_TAIL.pack(2, line, 2, kind, 2, txn_kind) + text_field(asset)


def posting_row(
    head: bytes,
    account_id: int,
    entry_id: int,
    order_id: int,
    amount: int,
    balance_after: int | None,
    tail: bytes,
    reference: bytes = b"\x00\x00\x00\x00",
) -> bytes:
    """`postings`: one line; `balance_after` is None for the outside, `reference` a text field."""
    if balance_after is None:
        figures = _POSTING_NO_BALANCE.pack(8, account_id, 8, entry_id, 8, order_id, 8, amount, -1)
    else:
        figures = _POSTING.pack(8, account_id, 8, entry_id, 8, order_id, 8, amount, 8, balance_after)
    return head + figures + tail + reference


def candle_row(
    symbol: str,
    start_us: int,
    open_e4: int,
    high_e4: int,
    low_e4: int,
    close_e4: int,
    volume_e8: int,
    trades: int,
) -> bytes:
    """`candles`, or what a batch adds to one."""
    return _CANDLE.pack(
        *(8, 8, start_us - PG_EPOCH_US, 8, open_e4, 8, high_e4, 8, low_e4, 8, close_e4),
        *(8, saturated(volume_e8), 8, trades),
    ) + text_field(symbol)


def wallet_row(
    account_id: int, currency: str, balance_e4: int, held_e4: int, seq: int, unsettled_e4: int = 0
) -> bytes:
    """`wallets`."""
    return _WALLET.pack(6, 8, account_id, 8, balance_e4, 8, held_e4, 8, unsettled_e4, 8, seq) + text_field(
        currency
    )


def holding_row(
    account_id: int, symbol: str, units_e8: int, held_e8: int, cost_e4: int, realized_e4: int, seq: int
) -> bytes:
    """`holdings`."""
    return _HOLDING.pack(
        *(7, 8, account_id, 8, units_e8, 8, held_e8, 8, cost_e4, 8, saturated(realized_e4), 8, seq),
    ) + text_field(symbol)


def lot_row(
    lot_id: int, account_id: int, symbol: str, units_e8: int, cost_e4: int, acquired_us: int, seq: int
) -> bytes:
    """`lots`."""
    return _LOT.pack(
        *(7, 8, lot_id, 8, account_id, 8, units_e8, 8, cost_e4, 8, acquired_us - PG_EPOCH_US, 8, seq),
    ) + text_field(symbol)


def lot_key_row(lot_id: int) -> bytes:
    """The key of a lot that was sold out."""
    return _LOT_KEY.pack(1, 8, lot_id)


def instrument_row(values: Sequence[Any]) -> bytes:
    """`instruments`, from the values of INSTRUMENT_COLUMNS in their order."""
    lengths = (8,) * 9 + (2,) * 2 + (1,)
    pairs = [part for pair in zip(lengths, values[:12], strict=True) for part in pair]
    return _INSTRUMENT.pack(17, *pairs) + b"".join(map(text_field, values[12:]))


def notification_row(told: Notification) -> bytes:
    """`notifications`; it has not been read."""
    # fmt: off
    return _pack_notification(
        13, 8, told.account_id, 8, told.notification_id, 8, told.created_us - PG_EPOCH_US, 8, told.order_id,
        8, told.reference_id, 8, told.quantity_e8, 8, told.filled_e8, 8, told.amount_e4, 2, told.kind,
        2, told.side or 0, 2, told.reason, -1,
    ) + text_field(told.symbol)
    # fmt: on


def state_row(kind: str, key: bytes, body: bytes) -> bytes:
    """`engine_state`."""
    return b"".join(
        (b"\x00\x03", text_field(kind), _LENGTH.pack(len(key)), key, _LENGTH.pack(len(body)), body),
    )


def state_key_row(kind: str, key: bytes) -> bytes:
    """The key of an aggregate that no longer exists."""
    return b"".join((b"\x00\x02", text_field(kind), _LENGTH.pack(len(key)), key))
