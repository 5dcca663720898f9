"""What allocation is asked for."""

from __future__ import annotations

from msgspec import Struct

from engine.parking.kinds import SpaceType, UserType, VehicleKind


class Wish(Struct, frozen=True, gc=False, array_like=True):
    """What somebody needs and wants. `required`, `preferred` are sums of `Feature`, `rights` of `VehicleRight`."""

    space_type: SpaceType
    vehicle: VehicleKind
    height_cm: int = 0
    rights: int = 0
    required: int = 0
    preferred: int = 0
    user_type: UserType = UserType.STANDARD
    gate_id: str = ""
