"""The access log in Postgres: a row for each decision, passage, finding and order at a gate. Rows are only ever added."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

from engine.event_base import Event
from engine.parking.gate_events import GateDecided, GateFound, GateKeyRenewed, GateOperated, GatePassed
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
_pack: Final = Struct(">h" + "iq" * 7 + "ih" * 4).pack

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


LOGGED: Final = frozenset({GateDecided, GatePassed, GateFound, GateOperated, GateKeyRenewed})
"""Events that leave a row."""


class AccessLog:
    """The rows of consecutive records. An entry's id is its record's first, counted up within the record."""

    __slots__ = ("_entry_id", "rows")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self._entry_id = 0

    def add(self, event: Event, seq: int, now_us: int) -> None:
        """Keep an event of `LOGGED`."""
        self._entry_id = max(self._entry_id + 1, seq * IDS_PER_SEQ)
        said_us, n, vehicle_id, right_id, operator_id, lane = now_us, 0, 0, 0, 0, 0
        credential, what, space, reason = 0, "", "", 0
        if isinstance(event, GateDecided):
            kind, said_us, n, lane, reason = Entry.DECISION, event.at_us, event.n, event.lane, event.reason
            vehicle_id, right_id, space = event.vehicle_id, event.right_id, event.space
            credential, what = event.credential, shown(event.credential, event.text)
        elif isinstance(event, GatePassed):
            kind = Entry.PASSED_OFFLINE if event.offline else Entry.PASSED
            said_us, n, lane, vehicle_id = event.passed_us, event.n, event.lane, event.vehicle_id
            credential, what, reason = event.credential, shown(event.credential, event.text), event.way
        elif isinstance(event, GateFound):
            kind, said_us, lane, reason = Entry.FINDING, event.at_us, event.lane, event.kind
            credential, what = event.credential, shown(event.credential, event.text)
            vehicle_id = event.vehicle_id
        elif isinstance(event, GateOperated):
            kind, n, lane, reason = Entry.ORDER, event.n, event.lane, event.order
            operator_id, what = event.operator_id, event.reason
        elif isinstance(event, GateKeyRenewed):
            kind, n, operator_id = Entry.SECRET, event.version, event.operator_id
        else:
            raise TypeError(f"{type(event).__name__} leaves no row")
        self.rows.append(
            _pack(
                *(len(ACCESS_COLUMNS), 8, self._entry_id, 8, now_us - PG_EPOCH_US, 8, said_us - PG_EPOCH_US),
                *(8, n, 8, vehicle_id, 8, right_id, 8, operator_id),
                *(2, lane, 2, kind, 2, reason, 2, credential),
            )
            + text_field(event.gate_id)
            + client_text_field(what)
            + client_text_field(space)
        )


def shown(credential: CredentialKind, text: str) -> str:
    """What is kept of a credential."""
    if credential is CredentialKind.CODE and text:
        return f"…{text[-CODE_SHOWN:]}"
    return text


# before entry_id, vehicles (NULL: all), gate ('' for all), kind (0: all), limit; newest first
ENTRIES: Final = """
SELECT entry_id, logged_at, said_at, n, vehicle_id, operator_id, lane, kind, reason, credential, gate_id, what, space
FROM access_log
WHERE entry_id < $1 AND ($2::BIGINT[] IS NULL OR vehicle_id = ANY($2)) AND ($3 = '' OR gate_id = $3) AND ($4 = 0 OR kind = $4)
ORDER BY entry_id DESC LIMIT $5
"""
