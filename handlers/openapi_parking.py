"""The documentation of car parks and of vehicles."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from engine.refusals import Refusal
from handlers.openapi_doc import (
    LIMIT,
    PAGE,
    AsOfMeta,
    Doc,
    Example,
    Link,
    PageMeta,
    Query,
    Tag,
    missing,
    time_query,
)
from handlers.openapi_parking_parts import LOT_PATH, NO_LOT, P1
from handlers.parking_lots import AvailabilityJson, OccupancyJson, ParkingLotDetailJson, ParkingLotJson
from handlers.parking_words import Epc, FeatureName, SpaceTypeName, VehicleId
from handlers.vehicles import RemovedVehicleJson, TagBody, TagJson, VehicleBody, VehicleJson
from server.errors import NotFound

_VEHICLE: Final = {"vehicle_id": VehicleId}
_NO_VEHICLE: Final = missing(
    "A vehicle that does not exist, or is somebody else's", {"vehicle_id": "veh_99"}, "VEHICLE_NOT_FOUND"
)

LOTS: Final[dict[str, Any]] = {
    "GET /api/v1/parking/lots": Doc(
        operation="list_parking_lots",
        summary="Car parks",
        tag=Tag.PARKING,
        about="By their ids.",
        answer=list[ParkingLotJson],
        meta=PageMeta,
        query=(PAGE, LIMIT),
        examples=(Example(name="all", summary="The first fifty", given="a car park"),),
    ),
    "GET /api/v1/parking/lots/{lot_id}": Doc(
        operation="get_parking_lot",
        summary="One car park",
        tag=Tag.PARKING,
        about="With its floors, its spaces by type and feature, and the rules of its bookings.",
        answer=ParkingLotDetailJson,
        meta=AsOfMeta,
        path=LOT_PATH,
        errors=(NotFound,),
        examples=(
            Example(name="one", summary="Its floors and spaces", given="a car park", path=P1),
            NO_LOT,
        ),
    ),
    "GET /api/v1/parking/lots/{lot_id}/availability": Doc(
        operation="get_availability",
        summary="What is free",
        tag=Tag.PARKING,
        about="How many spaces nobody has at any minute of the interval, of at most 31 days. What is free now may be taken by the "
        "time that you book: only a booking is a promise.",
        answer=AvailabilityJson,
        meta=AsOfMeta,
        path=LOT_PATH,
        query=(
            replace(time_query("from", "From this time, at the whole minute before it."), required=True),
            replace(time_query("to", "Until this time, at the whole minute after it."), required=True),
            Query("type", SpaceTypeName, "Spaces of this type alone."),
            Query("feature", FeatureName, "Spaces with this feature alone."),
        ),
        refusals=(Refusal.INVALID_INTERVAL,),
        errors=(NotFound,),
        examples=(
            Example(
                name="morning",
                summary="A morning, all types",
                given="a car park",
                path=P1,
                query={"from": "2026-12-01T08:00:00Z", "to": "2026-12-01T12:00:00Z"},
            ),
            Example(
                name="electric",
                summary="Those with a charger",
                given="a car park",
                path=P1,
                query={
                    "from": "2026-12-01T08:00:00Z",
                    "to": "2026-12-01T12:00:00Z",
                    "type": "EV",
                    "feature": "CHARGER",
                },
            ),
            Example(
                name="backwards",
                summary="It ends before it begins",
                given="a car park",
                path=P1,
                query={"from": "2026-12-01T12:00:00Z", "to": "2026-12-01T08:00:00Z"},
                status=422,
                code="INVALID_INTERVAL",
            ),
        ),
    ),
    "GET /api/v1/parking/lots/{lot_id}/occupancy": Doc(
        operation="get_occupancy",
        summary="Who is inside now",
        tag=Tag.PARKING,
        about="Vehicles inside, by floor and type of space.",
        answer=OccupancyJson,
        meta=AsOfMeta,
        path=LOT_PATH,
        errors=(NotFound,),
        examples=(
            Example(name="now", summary="By floor and type", given="a car park", path=P1),
            NO_LOT,
        ),
    ),
}

VEHICLES: Final[dict[str, Any]] = {
    "GET /api/v1/parking/vehicles": Doc(
        operation="list_vehicles",
        summary="Your vehicles",
        tag=Tag.PARKING,
        about="The oldest first; at most 50.",
        answer=list[VehicleJson],
        meta=AsOfMeta,
        examples=(Example(name="mine", summary="All of them", given="a vehicle"),),
    ),
    "POST /api/v1/parking/vehicles": Doc(
        operation="register_vehicle",
        summary="Register a vehicle",
        tag=Tag.PARKING,
        about="A plate is one account's at a time. `electric` gives the right to spaces with a charger.",
        body=VehicleBody,
        answer=VehicleJson,
        status=201,
        meta=AsOfMeta,
        command=True,
        refusals=(
            *(Refusal.ACCOUNT_NOT_FOUND, Refusal.ACCOUNT_DISABLED),
            *(Refusal.PLATE_TAKEN, Refusal.INVALID_VEHICLE),
        ),
        links=(Link("get_vehicle", "vehicle_id", "/data/vehicle_id"),),
        examples=(
            Example(
                name="car",
                summary="An electric car",
                body={"plate": "KERB1", "kind": "STANDARD", "height_cm": 150, "electric": True},
            ),
            Example(
                name="taken",
                summary="A plate that is registered already",
                given="a plate of somebody else",
                body={"plate": "TAKEN1"},
                status=409,
                code="PLATE_TAKEN",
            ),
        ),
    ),
    "GET /api/v1/parking/vehicles/{vehicle_id}": Doc(
        operation="get_vehicle",
        summary="One of your vehicles",
        tag=Tag.PARKING,
        answer=VehicleJson,
        meta=AsOfMeta,
        path=_VEHICLE,
        in_path=True,
        refusals=(Refusal.VEHICLE_NOT_FOUND,),
        examples=(
            Example(name="mine", summary="With its tags", given="a vehicle", path={"vehicle_id": "veh_1"}),
            _NO_VEHICLE,
        ),
    ),
    "DELETE /api/v1/parking/vehicles/{vehicle_id}": Doc(
        operation="remove_vehicle",
        summary="Remove a vehicle",
        tag=Tag.PARKING,
        about="Its tags are revoked at once. Not while it is inside, or something is booked for it.",
        answer=RemovedVehicleJson,
        meta=AsOfMeta,
        path=_VEHICLE,
        in_path=True,
        command=True,
        refusals=(Refusal.VEHICLE_NOT_FOUND, Refusal.VEHICLE_IN_USE),
        examples=(
            Example(name="mine", summary="It was sold", given="a vehicle", path={"vehicle_id": "veh_1"}),
            Example(
                name="inside",
                summary="It is parked",
                given="a vehicle inside",
                path={"vehicle_id": "veh_1"},
                status=409,
                code="VEHICLE_IN_USE",
            ),
            _NO_VEHICLE,
        ),
    ),
    "POST /api/v1/parking/vehicles/{vehicle_id}/tags": Doc(
        operation="attach_tag",
        summary="Attach an RFID tag",
        tag=Tag.PARKING,
        about="From now on gates know the vehicle by it. At most 16 a vehicle. A tag that you have revoked may come back to you.",
        body=TagBody,
        answer=TagJson,
        status=201,
        meta=AsOfMeta,
        path=_VEHICLE,
        in_path=True,
        command=True,
        refusals=(Refusal.VEHICLE_NOT_FOUND, Refusal.TAG_TAKEN, Refusal.INVALID_TAG),
        examples=(
            Example(
                name="tag",
                summary="A windscreen tag",
                given="a vehicle",
                path={"vehicle_id": "veh_1"},
                body={"tag": "E2801160AAAAAAAA00000001"},
            ),
            missing(
                "A vehicle that does not exist",
                {"vehicle_id": "veh_99"},
                "VEHICLE_NOT_FOUND",
                body={"tag": "E2801160AAAAAAAA00000002"},
            ),
        ),
    ),
    "DELETE /api/v1/parking/tags/{tag}": Doc(
        operation="revoke_tag",
        summary="Revoke a tag",
        tag=Tag.PARKING,
        about="Lost, or not to be used any more. It opens nothing from now on at connected gates; at a gate that is cut off "
        "within 15 minutes.",
        answer=TagJson,
        meta=AsOfMeta,
        path={"tag": Epc},
        in_path=True,
        command=True,
        refusals=(Refusal.TAG_NOT_FOUND,),
        examples=(
            Example(
                name="lost", summary="It was lost", given="a tag", path={"tag": "E2801160AAAAAAAA00000003"}
            ),
            missing("A tag that nobody has, or somebody else", {"tag": "FFFFFFFF"}, "TAG_NOT_FOUND"),
        ),
    ),
}
