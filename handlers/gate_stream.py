"""What happens at gates in the operators' channel `gates`, in both forms: what the access log says, with the car park and whether
somebody has to look at it.
"""

from __future__ import annotations

from typing import Annotated, cast

from msgspec import Meta, Struct

from engine.parking.gate_kinds import CredentialKind
from engine.state import State
from handlers.access_logs import EntryId, EntryKindName
from handlers.admin_gates import GateId
from handlers.booking_json import BookingId
from handlers.envelope import encoded
from handlers.field_types import Time, UserId, names
from handlers.order_json import time_text
from handlers.parking_stays import StayId
from handlers.parking_words import Code, ParkingLotId, VehicleId, shown_lot
from server import kerb_pb2
from server.access_logs import reason_name
from server.gate_hub import PREFIX
from server.gate_stream import GateEntry
from server.private_streams import Remembered

CredentialName = Annotated[str, Meta(extra_json_schema=names(CredentialKind))]


class StreamGateJson(Struct, frozen=True):
    """An entry of the access log. `open`: whether the gate opens, null for what is no decision. `alarm`: somebody has to look at it.

    `entry_id` and `gate_id` are null for what is found in a car park and is of no gate; it has no row in the access log.
    """

    entry_id: EntryId | None
    at: Time
    said_at: Time
    kind: EntryKindName
    reason: str | None
    lot_id: ParkingLotId
    gate_id: GateId | None
    lane: int
    open: bool | None
    alarm: bool
    vehicle_id: VehicleId | None
    operator_id: UserId | None
    credential: CredentialName | None
    what: str | None
    space: Code | None
    booking_id: BookingId | None
    stay_id: StayId | None


def space_of(state: State, told: GateEntry) -> str:
    """The number of the space that an entry names, '' where it names none."""
    if told.space < 0:
        return told.entry.space
    return state.parking.space_at(told.lot, told.space).number


def said_us(told: GateEntry) -> int:
    """The gate's own time, or when it was logged."""
    return told.logged_us if told.entry.said_us < 0 else told.entry.said_us


class GateEntryEncoder:
    """Makes the JSON of an entry; what a space is called, the state says."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, told: GateEntry) -> bytes:
        each = told.entry
        return encoded(
            StreamGateJson(
                entry_id=f"acl_{told.entry_id}" if told.entry_id else None,
                at=time_text(told.logged_us),
                said_at=time_text(said_us(told)),
                kind=each.kind.name,
                reason=reason_name(each.kind, each.reason) or None,
                lot_id=shown_lot(told.lot),
                gate_id=PREFIX + each.gate if each.gate else None,
                lane=each.lane,
                open=told.opens,
                alarm=told.alarm,
                vehicle_id=f"veh_{each.vehicle_id}" if each.vehicle_id else None,
                operator_id=f"usr_{each.operator_id}" if each.operator_id else None,
                credential=CredentialKind(each.credential).name if each.credential else None,
                what=each.what or None,
                space=space_of(self._state, told) or None,
                booking_id=f"bkg_{told.booking_id}" if told.booking_id else None,
                stay_id=f"sty_{told.stay_id}" if told.stay_id else None,
            )
        )


class GateEntryPacker:
    """Makes a message of the `gates` channel as protobuf."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, entry: Remembered) -> bytes:
        told = cast(GateEntry, entry.event)
        each = told.entry
        message = kerb_pb2.GateEntry(
            entry_id=f"acl_{told.entry_id}" if told.entry_id else None,
            at_us=told.logged_us,
            said_at_us=said_us(told),
            kind=cast(kerb_pb2.GateEntryKind, each.kind),
            reason=reason_name(each.kind, each.reason) or None,
            lot_id=shown_lot(told.lot),
            gate_id=PREFIX + each.gate if each.gate else None,
            lane=each.lane,
            open=told.opens,
            alarm=told.alarm,
            vehicle_id=f"veh_{each.vehicle_id}" if each.vehicle_id else None,
            operator_id=f"usr_{each.operator_id}" if each.operator_id else None,
            credential=cast(kerb_pb2.GateCredential, each.credential),
            what=each.what or None,
            space=space_of(self._state, told) or None,
            booking_id=f"bkg_{told.booking_id}" if told.booking_id else None,
            stay_id=f"sty_{told.stay_id}" if told.stay_id else None,
        )
        event = kerb_pb2.GateEvent(seq=entry.seq, prev_seq=entry.prev_seq, more=entry.more, data=message)
        packed: bytes = kerb_pb2.Data(gates=(event,)).SerializeToString()
        return packed
