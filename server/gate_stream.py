"""What happens at gates, as operators are told it: an entry for each event of a record that is of a car park.

An entry says what its row of the access log says, under the same id; what is found in a lot and is of no gate has no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from engine.events import AnyEvent
from engine.parking.access import OPENS
from engine.parking.booking_events import FindingReported
from engine.parking.kinds import DecisionReason, FindingKind
from engine.parking.records import Gate
from engine.units import IDS_PER_SEQ
from server.codec import Record
from sql.access_log import LOGGED, Entry, LogEntry, entry_of

GATES: Final = "gates"
NO_GATES: Final[Mapping[str, Gate]] = {}

TOLD: Final = LOGGED | {FindingReported}
"""Events of which operators are told."""

ALARMING: Final = frozenset(
    {
        *(DecisionReason.TAG_REVOKED, DecisionReason.BLOCKED, DecisionReason.CODE_FORGED),
        *(DecisionReason.NO_STAY, DecisionReason.TOO_HIGH),
    }
)
"""Decisions that somebody should look at: the vehicle stays where it is, or should not be there."""


class GateEntry(Struct, frozen=True, gc=False):
    """One thing that operators of a car park are told. `entry_id` 0: it has no row in the access log.

    `booking_id`, `stay_id` and `space` (its index in the car park) are what a finding without a gate is about: 0, 0 and -1 for none.
    """

    entry_id: int
    lot: str
    logged_us: int
    entry: LogEntry
    booking_id: int = 0
    stay_id: int = 0
    space: int = -1

    @property
    def opens(self) -> bool | None:
        """Whether the gate opens; None where that is not what it tells."""
        return self.entry.reason in OPENS if self.entry.kind is Entry.DECISION else None

    @property
    def alarm(self) -> bool:
        """Whether somebody has to look at it."""
        kind, reason = self.entry.kind, self.entry.reason
        if kind is Entry.DECISION:
            return reason in ALARMING
        return kind is Entry.LOST or (kind is Entry.FINDING and reason != FindingKind.NOT_PASSED)


def stream_of_lot(lot: str) -> str:
    """How the stream of a car park's gates is called."""
    return f"{GATES} lot_{lot}"


def gate_entries(record: Record, event: AnyEvent, gates: Mapping[str, Gate]) -> Iterator[GateEntry]:
    """What operators are told of an event of `TOLD`, if anything. A gate stays in its car park for ever, so its lot is the same at
    any time.
    """
    if isinstance(event, FindingReported):
        found = LogEntry(kind=Entry.FINDING, gate="", reason=event.kind)
        yield GateEntry(0, event.lot, record.now_us, found, event.booking_id, event.stay_id, event.space)
        return
    entry = entry_of(event)
    gate = gates.get(entry.gate)
    if gate is not None:
        logged = [each for each in record.events if type(each) in LOGGED]
        place = next(number for number, each in enumerate(logged) if each is event)
        yield GateEntry(record.seq * IDS_PER_SEQ + place, gate.lot, record.now_us, entry)
