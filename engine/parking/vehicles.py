"""Vehicles, their tags, and the blocklist. Source: docs/parking.md, "Vehicles and tags".

A driver acts on what is his own; an operator (`Source.OPERATOR`) on everybody's.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.commands import Envelope
from engine.events import Refused
from engine.kinds import Source
from engine.parking.commands import (
    AttachTag,
    BlockPlate,
    BlockTag,
    RegisterVehicle,
    RemoveVehicle,
    RevokeTag,
    SetVehicleRights,
)
from engine.parking.events import Blocked, TagSet, VehicleRemoved, VehicleSet
from engine.parking.kinds import RIGHTS_ALL, TagStatus, VehicleRight
from engine.parking.records import Block, Parking, Tag, Vehicle
from engine.refusals import Refusal
from engine.risk import account_refusal
from engine.turn import Turn

PLATE_MAX: Final = 12
MODEL_MAX: Final = 64
REASON_MAX: Final = 200
VEHICLE_HEIGHT_MAX_CM: Final = 1_000
VEHICLES_MAX: Final = 50
"""Of one account."""
TAGS_MAX: Final = 16
"""Of one vehicle."""
EPC_MIN: Final = 8
EPC_MAX: Final = 62
"""Hexadecimal digits of an EPC: 31 words of 16 bits are the most that a tag's memory declares, half of it data here."""

_PLATE_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ÄÖÜ")
_HEXADECIMAL: Final = frozenset("0123456789ABCDEF")


def is_epc(text: str) -> bool:
    """Whether a text is an EPC: 8 to 62 hexadecimal digits, an even number, upper case."""
    return EPC_MIN <= len(text) <= EPC_MAX and not len(text) % 2 and _HEXADECIMAL.issuperset(text)


def is_plate(text: str) -> bool:
    """Whether a text is a plate as it is kept: letters and digits, upper case, without blanks."""
    return 0 < len(text) <= PLATE_MAX and _PLATE_CHARACTERS.issuperset(text)


def is_operator(envelope: Envelope) -> bool:
    """Whether an operator asks, who may act on what is others'."""
    return envelope.source is Source.OPERATOR


def vehicle_for(parking: Parking, envelope: Envelope, vehicle_id: int) -> Vehicle | None:
    """A vehicle, if the asker may act on it."""
    vehicle = parking.vehicles.get(vehicle_id)
    if vehicle is None or is_operator(envelope) or vehicle.account_id == envelope.account_id:
        return vehicle
    return None


def is_blocked(parking: Parking, *, epc: str = "", plate: str = "") -> bool:
    """Whether a tag or a plate is on the blocklist; '' is not looked for."""
    return (epc != "" and (True, epc) in parking.blocks) or (plate != "" and (False, plate) in parking.blocks)


# -- vehicles


def register_vehicle(turn: Turn, envelope: Envelope, command: RegisterVehicle) -> Refused | None:
    """Register a vehicle of the account."""
    state = turn.state
    parking = state.parking
    refused = account_refusal(state.accounts.get(envelope.account_id))
    if refused is not None:
        return refused
    owned = parking.vehicles_of_account.get(envelope.account_id, {})
    if (
        not is_plate(command.plate)
        or not 0 <= command.height_cm <= VEHICLE_HEIGHT_MAX_CM
        or len(command.make) > MODEL_MAX
        or len(command.model) > MODEL_MAX
        or len(owned) >= VEHICLES_MAX
    ):
        return Refused(Refusal.INVALID_VEHICLE, (("vehicles_max", VEHICLES_MAX),))
    if command.plate in parking.vehicle_of_plate:
        return Refused(Refusal.PLATE_TAKEN)
    vehicle = Vehicle(
        turn.new_id(),
        envelope.account_id,
        command.plate,
        command.kind,
        command.height_cm,
        int(VehicleRight.ELECTRIC) if command.electric else 0,
        command.make,
        command.model,
        turn.now_us,
    )
    parking.vehicle_of_plate[vehicle.plate] = vehicle.vehicle_id
    parking.vehicles_of_account.setdefault(vehicle.account_id, {})[vehicle.vehicle_id] = None
    _put_vehicle(turn, vehicle)
    return None


def set_vehicle_rights(turn: Turn, envelope: Envelope, command: SetVehicleRights) -> Refused | None:
    """Say what a vehicle has the right to."""
    vehicle = turn.state.parking.vehicles.get(command.vehicle_id)
    if vehicle is None:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    if not 0 <= command.rights <= RIGHTS_ALL:
        return Refused(Refusal.INVALID_VEHICLE)
    _put_vehicle(turn, replace(vehicle, rights=int(command.rights)))
    return None


def _put_vehicle(turn: Turn, vehicle: Vehicle) -> None:
    turn.state.parking.vehicles[vehicle.vehicle_id] = vehicle
    turn.state.dirty["vehicle"][vehicle.vehicle_id] = None
    turn.events.append(VehicleSet(vehicle))


def remove_vehicle(turn: Turn, envelope: Envelope, command: RemoveVehicle) -> Refused | None:
    """Take a vehicle from its account; its tags open nothing any more."""
    parking = turn.state.parking
    vehicle = vehicle_for(parking, envelope, command.vehicle_id)
    if vehicle is None:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    if is_in_use(parking, vehicle):
        return Refused(Refusal.VEHICLE_IN_USE)
    for epc in list(parking.tags_of_vehicle.get(vehicle.vehicle_id, {})):
        revoke(turn, parking.tags[epc], "vehicle removed")
    del parking.vehicles[vehicle.vehicle_id], parking.vehicle_of_plate[vehicle.plate]
    owned = parking.vehicles_of_account[vehicle.account_id]
    del owned[vehicle.vehicle_id]
    if not owned:
        del parking.vehicles_of_account[vehicle.account_id]
    turn.state.dirty["vehicle"][vehicle.vehicle_id] = None
    turn.events.append(VehicleRemoved(vehicle.vehicle_id, vehicle.account_id, vehicle.plate))
    return None


def is_in_use(parking: Parking, vehicle: Vehicle) -> bool:
    """Whether a vehicle is inside, or something is booked for it, or it waits for a space."""
    return (
        vehicle.plate in parking.stay_of_who
        or vehicle.vehicle_id in parking.bookings_of_vehicle
        or vehicle.vehicle_id in parking.passes_of_vehicle
        or any(entry.vehicle_id == vehicle.vehicle_id for entry in parking.waiting.values())
    )


# -- tags


def attach_tag(turn: Turn, envelope: Envelope, command: AttachTag) -> Refused | None:
    """Attach a tag to a vehicle; one that its owner has revoked may come back to that owner."""
    parking = turn.state.parking
    vehicle = vehicle_for(parking, envelope, command.vehicle_id)
    if vehicle is None:
        return Refused(Refusal.VEHICLE_NOT_FOUND)
    known = parking.tags.get(command.epc)
    if known is not None and (
        known.status is TagStatus.ACTIVE
        or (known.account_id != vehicle.account_id and not is_operator(envelope))
    ):
        return Refused(Refusal.TAG_TAKEN)
    tags = parking.tags_of_vehicle.get(vehicle.vehicle_id, {})
    if not is_epc(command.epc) or len(tags) >= TAGS_MAX:
        return Refused(Refusal.INVALID_TAG, (("tags_max", TAGS_MAX),))
    tag = Tag(command.epc, vehicle.vehicle_id, vehicle.account_id, TagStatus.ACTIVE, turn.now_us)
    parking.tags_of_vehicle.setdefault(vehicle.vehicle_id, {})[tag.epc] = None
    _put_tag(turn, tag, "")
    return None


def revoke_tag(turn: Turn, envelope: Envelope, command: RevokeTag) -> Refused | None:
    """Revoke a tag of one's own; an operator revokes any."""
    tag = turn.state.parking.tags.get(command.epc)
    if tag is None or (not is_operator(envelope) and tag.account_id != envelope.account_id):
        return Refused(Refusal.TAG_NOT_FOUND)
    if len(command.reason) > REASON_MAX:
        return Refused(Refusal.INVALID_TAG)
    if tag.status is TagStatus.ACTIVE:
        revoke(turn, tag, command.reason)
    return None


def revoke(turn: Turn, tag: Tag, reason: str) -> None:
    """A tag opens nothing from now on."""
    parking = turn.state.parking
    tags = parking.tags_of_vehicle[tag.vehicle_id]
    del tags[tag.epc]
    if not tags:
        del parking.tags_of_vehicle[tag.vehicle_id]
    _put_tag(turn, replace(tag, vehicle_id=0, status=TagStatus.REVOKED, since_us=turn.now_us), reason)


def _put_tag(turn: Turn, tag: Tag, reason: str) -> None:
    turn.state.parking.tags[tag.epc] = tag
    turn.state.dirty["tag"][tag.epc] = None
    turn.events.append(TagSet(tag, reason))


# -- the blocklist


def block_tag(turn: Turn, envelope: Envelope, command: BlockTag) -> Refused | None:
    """Put a tag on the blocklist or take it off; nobody needs to have attached it."""
    if not is_epc(command.epc) or len(command.reason) > REASON_MAX:
        return Refused(Refusal.INVALID_TAG)
    _block(turn, Block(True, command.epc, command.reason, envelope.principal, turn.now_us), on=command.on)
    return None


def block_plate(turn: Turn, envelope: Envelope, command: BlockPlate) -> Refused | None:
    """Put a plate on the blocklist or take it off; nobody needs to have registered it."""
    if not is_plate(command.plate) or len(command.reason) > REASON_MAX:
        return Refused(Refusal.INVALID_VEHICLE)
    _block(turn, Block(False, command.plate, command.reason, envelope.principal, turn.now_us), on=command.on)
    return None


def _block(turn: Turn, block: Block, *, on: bool) -> None:
    blocks, key = turn.state.parking.blocks, (block.is_tag, block.value)
    if on:
        blocks[key] = block
    elif blocks.pop(key, None) is None:
        return
    turn.state.dirty["block"][key] = None
    turn.events.append(Blocked(block, on))
