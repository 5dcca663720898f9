"""A stand-in for the `engine_state` table: rows by kind and key, kept up to date from `state.dirty` alone."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.aggregates import KINDS, rebuild
from engine.state import State, new_dirty

Rows = dict[str, dict[Any, Any]]


def all_rows(state: State) -> Rows:
    """Every row of the state, whether it changed or not."""
    return {name: {key: kind.dump(state, key) for key in kind.keys(state)} for name, kind in KINDS.items()}


class Mirror:
    """Rows as the write-behind would have written them."""

    def __init__(self, state: State) -> None:
        self.rows = all_rows(state)
        state.dirty = new_dirty()

    def cut(self, state: State) -> None:
        """Take over what changed since the last cut, as one batch would."""
        for name, keys in state.dirty.items():
            if keys:
                dump, rows = KINDS[name].dump, self.rows[name]
                for key in keys:
                    row = dump(state, key)
                    if row is None:
                        rows.pop(key, None)
                    else:
                        rows[key] = row
                keys.clear()


def restored(rows: Rows) -> State:
    """A state made from rows alone, each of which has been through msgpack."""
    state = State()
    for name, kind in KINDS.items():
        for key, row in rows[name].items():
            kind.load(state, through_msgpack(key, kind.key_type), through_msgpack(row, kind.row_type))
    rebuild(state)
    return state


def through_msgpack(value: Any, expected: Any) -> Any:
    """Encode and decode to the declared type, as Postgres' BYTEA columns do."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=expected)
