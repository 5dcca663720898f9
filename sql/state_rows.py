"""Aggregates of the engine to rows and back: `engine_state`, and the readable tables of latest state.

A cut takes the rows of all changed aggregates at one sequence. They are tuples of immutable values, so whatever is
made of them later is still of that sequence, however far the engine has gone on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, get_args, overload

from msgspec import ValidationError, msgpack

from engine.aggregates import DERIVED_FIELDS, INSTRUMENT_FIELDS, KINDS
from engine.rows import Row, row_of
from engine.state import CUSTODY_ACCOUNT_ID, Account, State, new_dirty
from engine.units import IDS_PER_SEQ
from sql.copy_rows import (
    INSTRUMENT_COLUMNS,
    holding_row,
    instrument_row,
    lot_key_row,
    lot_row,
    state_key_row,
    state_row,
    wallet_row,
)

Change = tuple[str, Any, Any]
"""An aggregate's kind, its key, and its row, or itself where it never changes and encodes as that; None when it is gone."""

_encode: Final = msgpack.Encoder().encode
_decode_key: Final = {name: msgpack.Decoder(kind.key_type).decode for name, kind in KINDS.items()}
_decode_body: Final = {name: msgpack.Decoder(kind.row_type).decode for name, kind in KINDS.items()}

_NUMBERED_BY_SEQ: Final = {
    "order": "orders",
    "lot": "lots",
    "withdrawal": "withdrawals",
    "funded_lot": "funded_lots",
    "timer": "timers",
    "booking": "parking.bookings",
    "stay": "parking.stays",
    "ticket": "parking.tickets",
}
"""Kinds whose keys tell the sequence that made them, and that come and go: kind → field of the state."""


class Changes(Sequence[Change]):
    """Changes in three columns. A tuple for each would be thousands in one turn of the loop, and young objects are collected
    while they are made; so a change is a tuple only while somebody looks at it.
    """

    __slots__ = ("_keys", "_kinds", "_rows")

    def __init__(self, kinds: list[str], keys: list[Any], rows: list[Any]) -> None:
        self._kinds, self._keys, self._rows = kinds, keys, rows

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Change]:
        return zip(self._kinds, self._keys, self._rows, strict=True)

    @overload
    def __getitem__(self, at: int) -> Change: ...
    @overload
    def __getitem__(self, at: slice) -> Changes: ...
    def __getitem__(self, at: int | slice) -> Change | Changes:
        if isinstance(at, slice):
            return Changes(self._kinds[at], self._keys[at], self._rows[at])
        return self._kinds[at], self._keys[at], self._rows[at]

    def add(self, kind: str, keys: list[Any], rows: list[Any]) -> None:
        """More changes, all of one kind."""
        self._kinds += [kind] * len(keys)
        self._keys += keys
        self._rows += rows

    def clear(self) -> None:
        """They will not be written."""
        for column in (self._kinds, self._keys, self._rows):
            column.clear()


class StateCut:
    """What had changed at sequence `seq`, and its rows then. `dirty` can be merged back when they were not written."""

    __slots__ = ("changes", "dirty", "seq")

    def __init__(self, seq: int, dirty: dict[str, dict[object, None]], changes: Changes) -> None:
        self.seq = seq
        self.dirty = dirty
        self.changes = changes

    def __repr__(self) -> str:
        return f"<StateCut at {self.seq}: {len(self.changes)} aggregates>"


def cut_state(state: State, applied_seq: int) -> StateCut:
    """Take the rows of everything that changed since the last cut; the state starts a new record of changes."""
    forget_unseen(state, applied_seq)
    dirty = state.dirty
    state.dirty = new_dirty()
    changes = Changes([], [], [])
    for kind, marked in dirty.items():
        if not marked:
            continue
        keys, of_kind = list(marked), KINDS[kind]
        if of_kind.find is not None:
            changes.add(kind, keys, list(map(of_kind.find(state), keys)))
        else:
            dump = of_kind.dump
            changes.add(kind, keys, [dump(state, key) for key in keys])
    return StateCut(state.seq, dirty, changes)


def merge_back(state: State, cut: StateCut) -> None:
    """The cut was not written: what it named counts as changed again."""
    for kind, keys in cut.dirty.items():
        keys.update(state.dirty[kind])
        state.dirty[kind] = keys


def forget_unseen(state: State, applied_seq: int) -> None:
    """Drop from the changes what came and went since `applied_seq`: the database has never seen it.

    While the database is away this keeps the record of changes as small as the state itself.
    """
    first_id = (applied_seq + 1) * IDS_PER_SEQ
    for kind, field in _NUMBERED_BY_SEQ.items():
        alive = attrgetter(field)(state)
        keys: dict[Any, None] = state.dirty[kind]
        gone = [key for key in keys if key not in alive and key >= first_id]
        for key in gone:
            del keys[key]


class LatestRows:
    """Rows in COPY format of some changes: of `engine_state`, and of the readable tables that mirror them."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.state: list[bytes] = []
        self.state_gone: list[bytes] = []
        self.wallets: list[bytes] = []
        self.holdings: list[bytes] = []
        self.lots: list[bytes] = []
        self.lots_gone: list[bytes] = []
        self.instruments: list[bytes] = []

    def __repr__(self) -> str:
        return f"<LatestRows at {self.seq}: {len(self.state)} aggregates, {len(self.state_gone)} gone>"

    def add(self, changes: Iterable[Change]) -> None:
        """Encode changes of the cut at this sequence."""
        for kind, key, row in changes:
            if row is None:
                self.state_gone.append(state_key_row(kind, _encode(key)))
                if kind == "lot":
                    self.lots_gone.append(lot_key_row(key))
                continue
            self.state.append(state_row(kind, _encode(key), _encode(row)))
            mirror = _MIRRORS.get(kind)
            if mirror is not None:
                mirror(self, key, row)


_UNSETTLED_AT: Final = row_of(Account, DERIVED_FIELDS[Account]).fields.index("unsettled_e4")
"""Where an account's row says what has not settled."""


def _account_mirror(rows: LatestRows, key: int, row: Row) -> None:
    account_id, _, _, currency, _, cash_e4, held_e4, *_ = row
    rows.wallets.append(wallet_row(account_id, currency, cash_e4, held_e4, rows.seq, row[_UNSETTLED_AT]))


def _position_mirror(rows: LatestRows, key: tuple[int, str], row: Row) -> None:
    account_id, symbol, units_e8, held_e8, cost_e4, realized_e4, *_ = row
    rows.holdings.append(holding_row(account_id, symbol, units_e8, held_e8, cost_e4, realized_e4, rows.seq))


def _lot_mirror(rows: LatestRows, key: int, row: Row) -> None:
    lot_id, account_id, symbol, units_e8, cost_e4, acquired_us = row
    rows.lots.append(lot_row(lot_id, account_id, symbol, units_e8, cost_e4, acquired_us, rows.seq))


def _outside_mirror(rows: LatestRows, key: tuple[int, str], row: Row) -> None:
    account_id, asset = key
    if account_id == CUSTODY_ACCOUNT_ID:
        rows.holdings.append(holding_row(account_id, asset, row[0], 0, 0, 0, rows.seq))
    else:
        rows.wallets.append(wallet_row(account_id, asset, row[0], 0, rows.seq))


def _instrument_mirror(rows: LatestRows, key: str, row: Row) -> None:
    each = dict(zip(INSTRUMENT_FIELDS, row, strict=True)) | {"seq": rows.seq}
    rows.instruments.append(instrument_row([each[column] for column in INSTRUMENT_COLUMNS]))


_MIRRORS: Final[dict[str, Callable[[LatestRows, Any, Row], None]]] = {
    "account": _account_mirror,
    "position": _position_mirror,
    "lot": _lot_mirror,
    "outside": _outside_mirror,
    "instrument": _instrument_mirror,
}
"""Kinds that a readable table mirrors."""


def load_aggregate(state: State, kind: str, key: bytes, body: bytes) -> None:
    """Put one row of `engine_state` into the state; kinds must come in the order of KINDS, then `rebuild`.

    Raises `msgspec.DecodeError` or `msgspec.ValidationError` when the row is not what this version writes.
    """
    KINDS[kind].load(state, *decode_row(kind, key, body))


def decode_row(kind: str, key: bytes, body: bytes) -> tuple[Any, Row]:
    """Key and row of one row of `engine_state`. A row from before its last fields existed has their defaults."""
    try:
        row = _decode_body[kind](body)
    except ValidationError:
        row = _older_row(kind, body)
    return _decode_key[kind](key), row


def _older_row(kind: str, body: bytes) -> Row:
    """A row that lacks some of the last fields, filled up. Raises `msgspec.ValidationError` when it is no such row."""
    row_type, defaults = KINDS[kind].row_type, KINDS[kind].defaults
    types = get_args(row_type)
    length = len(msgpack.decode(body, type=tuple[Any, ...]))
    if not len(types) - len(defaults) <= length < len(types):
        raise ValidationError(f"Expected `array` of length {len(types)}, got {length}: a row of {kind}")
    row: Row = msgpack.decode(body, type=tuple.__class_getitem__(types[:length]))
    return row + defaults[length - len(types) :]
