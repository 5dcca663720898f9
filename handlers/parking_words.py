"""How parking's things are called at the border: ids with a prefix, names of enums, features as lists."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from msgspec import Meta

from engine.parking.kinds import (
    Feature,
    LotStatus,
    SpaceState,
    SpaceType,
    TagStatus,
    VehicleKind,
    VehicleRight,
)
from handlers.field_types import names
from handlers.request_input import ID_MAX, read_id
from server.errors import NotFound

CODE: Final = "[A-Za-z0-9._-]{1,32}"
_CODE: Final = re.compile(CODE)

Code = Annotated[str, Meta(pattern=f"^{CODE}$")]
ParkingLotId = Annotated[str, Meta(pattern=f"^lot_{CODE}$", description="a car park; not a tax lot")]
VehicleId = Annotated[str, Meta(pattern="^veh_[1-9][0-9]{0,18}$")]
Epc = Annotated[
    str,
    Meta(
        pattern="^([0-9A-F]{2}){4,31}$",
        description="an RFID tag's EPC: 8 to 62 hexadecimal digits, upper case, an even number",
    ),
]
Plate = Annotated[
    str, Meta(pattern="^[A-Z0-9ÄÖÜ]{1,12}$", description="letters and digits, upper case, without blanks")
]

SpaceTypeName = Annotated[str, Meta(extra_json_schema=names(SpaceType))]
FeatureName = Annotated[str, Meta(extra_json_schema=names(Feature))]
VehicleKindName = Annotated[str, Meta(extra_json_schema=names(VehicleKind))]
VehicleRightName = Annotated[str, Meta(extra_json_schema=names(VehicleRight))]
TagStatusName = Annotated[str, Meta(extra_json_schema=names(TagStatus))]
LotStatusName = Annotated[str, Meta(extra_json_schema=names(LotStatus))]
SpaceStateName = Annotated[str, Meta(extra_json_schema=names(SpaceState))]

SPACE_TYPES: Final[dict[str, SpaceType]] = {each.name: each for each in SpaceType}
FEATURES: Final[dict[str, Feature]] = {each.name: each for each in Feature}


def shown_lot(code: str) -> str:
    """A car park's id."""
    return f"lot_{code}"


def read_lot(text: str) -> str:
    """The code in a car park's id. What is no such id does not exist: NotFound."""
    code = text.removeprefix("lot_")
    if len(code) == len(text) or _CODE.fullmatch(code) is None:
        raise NotFound("There is no such car park.")
    return code


def read_vehicle(text: str) -> int:
    """The number of a vehicle's id; that of one that does not exist for what is none."""
    try:
        return read_id(text, "veh_")
    except NotFound:
        return ID_MAX


def members_of(total: int, kinds: type[Any]) -> tuple[str, ...]:
    """The names of a sum of enum members, in their order."""
    return tuple([each.name for each in kinds if total & each])
