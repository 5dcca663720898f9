"""Car parks as drivers see them: where they are, what they have, and what is free in an interval. Public, and from memory."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from engine.parking.kinds import Feature, SpaceType
from engine.parking.layout import Layout, layout_of
from engine.parking.records import Parking, ParkingLot
from engine.refusals import Refusal
from engine.units import DAY_US, MINUTE_US
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, encoded, success_as_of, success_encoded
from handlers.field_types import Currency, Time
from handlers.order_json import time_text
from handlers.parking_words import (
    FEATURES,
    SPACE_TYPES,
    Code,
    FeatureName,
    LotStatusName,
    ParkingLotId,
    SpaceTypeName,
    read_lot,
    shown_lot,
)
from handlers.request_input import OUT_OF_RANGE, read_choice, read_limit, read_page, read_time_us
from server.errors import BadRequest, NotFound, RefusedAtBorder

INTERVAL_MAX_US: Final = 31 * DAY_US


class ParkingLotJson(Struct, frozen=True):
    """A car park. `tariff` is the name of its tariff, null while it sells nothing; `spaces` are those in service."""

    lot_id: ParkingLotId
    name: str
    address: str
    time_zone: str
    currency: Currency
    status: LotStatusName
    tariff: Code | None
    spaces: int


class FloorJson(Struct, frozen=True):
    """A floor; `level` counts from the street. `height_cm` is its height limit, null for none."""

    floor: Code
    name: str
    level: int
    height_cm: int | None


class SpacesJson(Struct, frozen=True):
    """How many spaces of a type are in service, and how many of them have each feature."""

    type: SpaceTypeName
    spaces: int
    features: dict[FeatureName, int]


class RefundJson(Struct, frozen=True):
    """A cancellation so long before the begin, or longer, gives back so much of the price."""

    before_minutes: int
    share_bps: int


class LotRulesJson(Struct, frozen=True):
    """Times in minutes; `refunds` with the longest time first."""

    early_grace: int
    late_grace: int
    no_show_after: int
    exit_minutes: int
    refunds: tuple[RefundJson, ...]


class ParkingLotDetailJson(ParkingLotJson, frozen=True):
    """A car park with its floors, its spaces by type, and its rules."""

    floors: tuple[FloorJson, ...]
    types: tuple[SpacesJson, ...]
    rules: LotRulesJson


class FreeJson(Struct, frozen=True):
    """How many spaces of a type there are with the feature that was asked for, and how many are free all the time."""

    type: SpaceTypeName
    total: int
    available: int


class AvailabilityJson(Struct, frozen=True, rename={"begins": "from"}):
    """What is free in the whole minutes of an interval. A lot that is closed sells nothing."""

    lot_id: ParkingLotId
    begins: Time
    to: Time
    status: LotStatusName
    total: int
    available: int
    types: tuple[FreeJson, ...]


class FloorPartJson(Struct, frozen=True):
    """The spaces of a type on a floor, and how many of them have a vehicle on them."""

    floor: Code
    type: SpaceTypeName
    vehicles: int
    spaces: int


class OccupancyJson(Struct, frozen=True):
    """Who is inside now: all vehicles, also those that no space is known of, the spaces in service, and each floor's by type."""

    lot_id: ParkingLotId
    inside: int
    capacity: int
    parts: tuple[FloorPartJson, ...]


async def lots(call: Call) -> Answer:
    """`GET /parking/lots?page=&limit=`, by their ids."""
    runtime = call.services.runtime
    page, limit = read_page(call.query), read_limit(call.query)
    parking, seq = runtime.state.parking, runtime.state.seq
    codes = sorted(parking.lots)
    shown = [_lot_json(parking, parking.lots[code]) for code in codes[(page - 1) * limit : page * limit]]
    data = encoded(shown)
    await runtime.wait_durable(seq)
    return success_encoded(data, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=len(codes)))


async def lot(call: Call) -> Answer:
    """`GET /parking/lots/{lot_id}`."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    found = _lot_of(parking, call)
    layout = layout_of(parking, found.lot)
    floors = sorted(
        (each for each in parking.floors.values() if each.lot == found.lot),
        key=lambda each: (each.level, each.floor),
    )
    rules = found.rules
    data = encoded(
        ParkingLotDetailJson(
            *_fields(parking, found),
            floors=tuple(
                [FloorJson(each.floor, each.name, each.level, each.height_cm or None) for each in floors]
            ),
            types=tuple(
                [_spaces_json(layout, kind) for kind in SpaceType if layout.types[kind] & layout.active]
            ),
            rules=LotRulesJson(
                *(rules.early_grace, rules.late_grace, rules.no_show_after, rules.exit_minutes),
                tuple([RefundJson(before, share_bps) for before, share_bps in rules.refunds]),
            ),
        )
    )
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def availability(call: Call) -> Answer:
    """`GET /parking/lots/{lot_id}/availability?from=&to=&type=&feature=`."""
    runtime = call.services.runtime
    begin, end = read_minutes(call)
    wanted = read_choice(call.query, "type", SPACE_TYPES, None)
    feature = read_choice(call.query, "feature", FEATURES, None)
    parking, seq = runtime.state.parking, runtime.state.seq
    found = _lot_of(parking, call)
    layout = layout_of(parking, found.lot)
    having = layout.active if feature is None else layout.active & layout.features[feature]
    taken = parking.occupancy[found.lot].taken(begin, end)
    types = tuple(
        [
            _free_json(kind, layout.types[kind] & having, taken)
            for kind in (SpaceType if wanted is None else (wanted,))
            if wanted is not None or layout.types[kind] & having
        ]
    )
    data = encoded(
        AvailabilityJson(
            lot_id=shown_lot(found.lot),
            begins=time_text(begin * MINUTE_US),
            to=time_text(end * MINUTE_US),
            status=found.status.name,
            total=sum(each.total for each in types),
            available=sum(each.available for each in types),
            types=types,
        )
    )
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def occupancy(call: Call) -> Answer:
    """`GET /parking/lots/{lot_id}/occupancy`: now, by floor and type."""
    runtime = call.services.runtime
    parking, seq = runtime.state.parking, runtime.state.seq
    found = _lot_of(parking, call)
    layout, inside = layout_of(parking, found.lot), parking.occupancy[found.lot].inside
    parts = [
        FloorPartJson(floor, kind.name, (inside & spaces).bit_count(), spaces.bit_count())
        for (floor, kind), spaces in sorted(layout.parts.items())
    ]
    data = encoded(
        OccupancyJson(
            lot_id=shown_lot(found.lot),
            inside=parking.inside.get(found.lot, 0),
            capacity=layout.active.bit_count(),
            parts=tuple(parts),
        )
    )
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


def read_minutes(call: Call) -> tuple[int, int]:
    """`from` and `to` as the whole minutes that they touch. Refused INVALID_INTERVAL when they make none, or one of more than 31 days."""
    times = [read_moment_us(call, name) for name in ("from", "to")]
    for name, time_us in zip(("from", "to"), times, strict=True):
        if time_us is None:
            raise BadRequest(name, "is required")
    from_us, to_us = times[0] or 0, times[1] or 0
    if not from_us < to_us <= from_us + INTERVAL_MAX_US:
        raise RefusedAtBorder(Refusal.INVALID_INTERVAL, "to", "must be after from, by 31 days at most")
    return from_us // MINUTE_US, -(-to_us // MINUTE_US)


def read_moment_us(call: Call, name: str, *, end_of_day: bool = False) -> int | None:
    """A date or time; one of another age than ours is a time all the same, and refused by the rules."""
    try:
        return read_time_us(call.query, name, end_of_day=end_of_day)
    except BadRequest as error:
        if error.problem == OUT_OF_RANGE:
            raise RefusedAtBorder(Refusal.INVALID_INTERVAL, name, OUT_OF_RANGE) from None
        raise


def _lot_of(parking: Parking, call: Call) -> ParkingLot:
    found = parking.lots.get(read_lot(call.path("lot_id")))
    if found is None:
        raise NotFound("There is no such car park.")
    return found


def _fields(parking: Parking, each: ParkingLot) -> tuple[str, str, str, str, str, str, str | None, int]:
    spaces = layout_of(parking, each.lot).active.bit_count()
    return (
        *(shown_lot(each.lot), each.name, each.address, each.time_zone, each.currency, each.status.name),
        *(each.tariff or None, spaces),
    )


def _lot_json(parking: Parking, each: ParkingLot) -> ParkingLotJson:
    return ParkingLotJson(*_fields(parking, each))


def _spaces_json(layout: Layout, kind: SpaceType) -> SpacesJson:
    spaces = layout.types[kind] & layout.active
    features = {each.name: (spaces & layout.features[each]).bit_count() for each in Feature}
    return SpacesJson(kind.name, spaces.bit_count(), features)


def _free_json(kind: SpaceType, spaces: int, taken: int) -> FreeJson:
    return FreeJson(kind.name, spaces.bit_count(), (spaces & ~taken).bit_count())
