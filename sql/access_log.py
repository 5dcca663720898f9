"""The access log in Postgres: a row for each decision, passage, finding, order and connection of a gate. Rows are only ever added.

What a row says is made once (`entry_of`): for the table here, and for operators who listen (server/gate_stream.py).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from struct import Struct as Packer
from typing import Any, Final

from msgspec import Struct

from engine.event_base import Event
from engine.parking.gate_events import (
    GateDecided,
    GateFound,
    GateKeyRenewed,
    GateLinkChanged,
    GateOperated,
    GatePassed,
)
from engine.parking.gate_kinds import CredentialKind
from engine.units import IDS_PER_SEQ
from sql.copy_rows import PG_EPOCH_US, client_text_field, text_field

ACCESS_COLUMNS: Final = (
    "entry_id",
    "logged_at",
    "said_at",
    "n",
    "vehicle_id",
    "right_id",
    "operator_id",
    "lane",
    "kind",
    "reason",
    "credential",
    "gate_id",
    "what",
    "space",
)
_pack: Final = Packer(">h" + "iq" * 7 + "ih" * 4).pack

CODE_SHOWN: Final = 4
"""Characters of a code that are kept: with the whole of it somebody else could drive out."""


class Entry(IntEnum):
    """What a row tells of. The numbers are in the table."""

    DECISION = 1
    PASSED = 2
    PASSED_OFFLINE = 3
    FINDING = 4
    ORDER = 5
    SECRET = 6
    CONNECTED = 7
    LOST = 8


class LogEntry(Struct, frozen=True, gc=False, kw_only=True):
    """What a row says of an event, but for its id and when it was logged. 0 and '' are none; `said_us` -1: as logged."""

    kind: Entry
    gate: str
    said_us: int = -1
    n: int = 0
    vehicle_id: int = 0
    right_id: int = 0
    operator_id: int = 0
    lane: int = 0
    reason: int = 0
    credential: int = 0
    what: str = ""
    space: str = ""


def _decided(event: GateDecided) -> LogEntry:
    return LogEntry(
        kind=Entry.DECISION,
        gate=event.gate_id,
        said_us=event.at_us,
        n=event.n,
        vehicle_id=event.vehicle_id,
        right_id=event.right_id,
        lane=event.lane,
        reason=event.reason,
        credential=event.credential,
        what=shown(event.credential, event.text),
        space=event.space,
    )


def _passed(event: GatePassed) -> LogEntry:
    return LogEntry(
        kind=Entry.PASSED_OFFLINE if event.offline else Entry.PASSED,
        gate=event.gate_id,
        said_us=event.passed_us,
        n=event.n,
        vehicle_id=event.vehicle_id,
        lane=event.lane,
        reason=event.way,
        credential=event.credential,
        what=shown(event.credential, event.text),
    )


def _found(event: GateFound) -> LogEntry:
    return LogEntry(
        kind=Entry.FINDING,
        gate=event.gate_id,
        said_us=event.at_us,
        vehicle_id=event.vehicle_id,
        lane=event.lane,
        reason=event.kind,
        credential=event.credential,
        what=shown(event.credential, event.text),
    )


def _operated(event: GateOperated) -> LogEntry:
    return LogEntry(
        kind=Entry.ORDER,
        gate=event.gate_id,
        n=event.n,
        operator_id=event.operator_id,
        lane=event.lane,
        reason=event.order,
        what=event.reason,
    )


def _key_renewed(event: GateKeyRenewed) -> LogEntry:
    return LogEntry(kind=Entry.SECRET, gate=event.gate_id, n=event.version, operator_id=event.operator_id)


def _link_changed(event: GateLinkChanged) -> LogEntry:
    kind = Entry.CONNECTED if event.connected else Entry.LOST
    return LogEntry(kind=kind, gate=event.gate_id, what=event.why)


_ENTRIES: Final[dict[type, Callable[[Any], LogEntry]]] = {
    GateDecided: _decided,
    GatePassed: _passed,
    GateFound: _found,
    GateOperated: _operated,
    GateKeyRenewed: _key_renewed,
    GateLinkChanged: _link_changed,
}
"""Event → what its row says."""

LOGGED: Final = frozenset(_ENTRIES)
"""Events that leave a row."""


def entry_of(event: Event) -> LogEntry:
    """What the row of an event of `LOGGED` says."""
    return _ENTRIES[type(event)](event)


class AccessLog:
    """The rows of consecutive records. An entry's id is its record's first, counted up within the record."""

    __slots__ = ("_entry_id", "rows")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self._entry_id = 0

    def add(self, event: Event, seq: int, now_us: int) -> None:
        """Keep an event of `LOGGED`."""
        self._entry_id = max(self._entry_id + 1, seq * IDS_PER_SEQ)
        each = entry_of(event)
        said_us = now_us if each.said_us < 0 else each.said_us
        self.rows.append(
            _pack(
                *(len(ACCESS_COLUMNS), 8, self._entry_id, 8, now_us - PG_EPOCH_US, 8, said_us - PG_EPOCH_US),
                *(8, each.n, 8, each.vehicle_id, 8, each.right_id, 8, each.operator_id),
                *(2, each.lane, 2, each.kind, 2, each.reason, 2, each.credential),
            )
            + text_field(each.gate)
            + client_text_field(each.what)
            + client_text_field(each.space)
        )


def shown(credential: CredentialKind, text: str) -> str:
    """What is kept of a credential."""
    if credential is CredentialKind.CODE and text:
        return f"…{text[-CODE_SHOWN:]}"
    return text


# before entry_id, vehicles (NULL: all), gate ('' for all), kind (0: all), limit, gates (NULL: all); newest first
ENTRIES: Final = """
SELECT entry_id, logged_at, said_at, n, vehicle_id, operator_id, lane, kind, reason, credential, gate_id, what, space
FROM access_log
WHERE entry_id < $1 AND ($2::BIGINT[] IS NULL OR vehicle_id = ANY($2)) AND ($3 = '' OR gate_id = $3) AND ($4 = 0 OR kind = $4)
    AND ($6::TEXT[] IS NULL OR gate_id = ANY($6))
ORDER BY entry_id DESC LIMIT $5
"""
