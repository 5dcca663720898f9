"""Car parks and vehicles over a real socket: what is shown, what is refused, and what a repeated call answers."""

from __future__ import annotations

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.commands import SetSpace
from engine.parking.kinds import SpaceState, SpaceType
from tests.handlers.parking_people import car_park
from tests.handlers.small_kerb import SmallKerb

MORNING = "from=2026-12-01T08:00:00Z&to=2026-12-01T12:00:00Z"
TAG = "E2801160AAAAAAAA00000001"


async def test_a_car_park_is_shown_with_what_it_has(small: SmallKerb) -> None:
    await car_park(small)
    anybody = small.anonymous()
    (listed,) = (await anybody("GET", "/parking/lots")).data
    assert listed == {
        "lot_id": "lot_P1",
        "name": "Old Harbour",
        "address": "Quay 1",
        "time_zone": "Europe/Berlin",
        "currency": "USD",
        "status": "OPEN",
        "tariff": "std",
        "spaces": 8,
    }
    one = (await anybody("GET", "/parking/lots/lot_P1")).data
    assert [(each["floor"], each["level"], each["height_cm"]) for each in one["floors"]] == [
        ("U1", -1, None),
        ("G", 0, 210),
    ]
    assert {each["type"]: each["spaces"] for each in one["types"]} == {
        "STANDARD": 2,
        "COMPACT": 1,
        "LARGE": 1,
        "ACCESSIBLE": 1,
        "EV": 1,
        "MOTORCYCLE": 1,
        "VIP": 1,
    }
    assert one["types"][0]["features"] == {"COVERED": 1, "NEAR_LIFT": 0, "CHARGER": 0}
    assert one["rules"]["refunds"] == [
        {"before_minutes": 1440, "share_bps": 10000},
        {"before_minutes": 120, "share_bps": 5000},
    ]
    page = await anybody("GET", "/parking/lots?page=2&limit=1")
    assert (page.data, page.meta["total"]) == ([], 1)


async def test_what_is_free_is_counted_by_type_and_feature(small: SmallKerb) -> None:
    await car_park(small)
    anybody = small.anonymous()
    free = (await anybody("GET", f"/parking/lots/lot_P1/availability?{MORNING}")).data
    assert (free["from"], free["to"], free["total"], free["available"]) == (
        *("2026-12-01T08:00:00.000000Z", "2026-12-01T12:00:00.000000Z"),
        *(8, 8),
    )
    covered = (await anybody("GET", f"/parking/lots/lot_P1/availability?{MORNING}&feature=COVERED")).data
    assert [(each["type"], each["total"]) for each in covered["types"]] == [("STANDARD", 1), ("VIP", 1)]
    closed = SetSpace("P1", "G-1", "G", SpaceType.STANDARD, lift_m=5, state=SpaceState.MAINTENANCE)
    await small.services.runtime.execute(closed, Envelope(Source.OPERATOR))
    standard = (await anybody("GET", f"/parking/lots/lot_P1/availability?{MORNING}&type=STANDARD")).data
    assert standard["types"] == [{"type": "STANDARD", "total": 1, "available": 1}]


INTERVALS = [
    ("", "from"),
    ("from=2026-12-01T08:00:00Z", "to"),
    ("from=yesterday&to=2026-12-01T08:00:00Z", "from"),
    ("from=2026-12-01T08:00:00&to=2026-12-01T09:00:00Z", "from"),
    ("from=2026-12-01T08:00:00Z&to=2026-12-01T08:00:00Z", "to"),
    ("from=2026-12-01T08:00:00Z&to=2027-01-02T08:00:00Z", "to"),
    ("from=1603-11-19&to=1603-11-20", "from"),
    (f"{MORNING}&type=TANK", "type"),
    (f"{MORNING}&feature=POOL", "feature"),
]


async def test_an_interval_that_nobody_can_ask_for_names_its_field(small: SmallKerb) -> None:
    await car_park(small)
    anybody = small.anonymous()
    for query, field in INTERVALS:
        reply = await anybody("GET", f"/parking/lots/lot_P1/availability?{query}")
        status = 422 if reply.code == "INVALID_INTERVAL" else 400
        assert (reply.status, reply.error["details"]["field"]) == (status, field), query


async def test_a_car_park_that_is_none_does_not_exist(small: SmallKerb) -> None:
    await car_park(small)
    anybody = small.anonymous()
    for lot in ("lot_NONE", "P1", "lot_", "lot_" + "x" * 33, "lot_%00", "lot_a%2Fb"):
        for path in (f"/parking/lots/{lot}", f"/parking/lots/{lot}/availability?{MORNING}"):
            assert (await anybody("GET", path)).status == 404, path


async def test_a_vehicle_comes_gets_a_tag_loses_it_and_goes(small: SmallKerb) -> None:
    user, other = await small.trader("driver"), await small.trader("other")
    body = {"plate": "KERB1", "kind": "LARGE", "height_cm": 190, "electric": True, "make": "Make"}
    key = {"X-Idempotency-Key": "first"}
    made = await user("POST", "/parking/vehicles", body, headers=key)
    assert made.status == 201
    vehicle_id = made.data["vehicle_id"]
    assert (made.data["rights"], made.data["height_cm"], made.data["tags"]) == (["ELECTRIC"], 190, [])
    again = await user("POST", "/parking/vehicles", body, headers=key)
    assert (again.status, again.data, again.headers["Idempotency-Hit"]) == (201, made.data, "true")
    assert (await other("POST", "/parking/vehicles", {"plate": "KERB1"})).code == "PLATE_TAKEN"

    attached = await user("POST", f"/parking/vehicles/{vehicle_id}/tags", {"tag": TAG})
    assert (attached.status, attached.data["status"], attached.data["vehicle_id"]) == (
        *(201, "ACTIVE"),
        vehicle_id,
    )
    (listed,) = (await user("GET", "/parking/vehicles")).data
    assert listed == (await user("GET", f"/parking/vehicles/{vehicle_id}")).data
    assert listed["tags"] == [TAG]
    assert (await other("DELETE", f"/parking/tags/{TAG}")).status == 404
    for _ in range(2):
        revoked = await user("DELETE", f"/parking/tags/{TAG}")
        assert (revoked.status, revoked.data["status"], revoked.data["vehicle_id"]) == (200, "REVOKED", None)
    back = await user("POST", f"/parking/vehicles/{vehicle_id}/tags", {"tag": TAG})
    assert back.data["status"] == "ACTIVE"

    gone = await user("DELETE", f"/parking/vehicles/{vehicle_id}", headers={"X-Idempotency-Key": "last"})
    assert gone.data == {"vehicle_id": vehicle_id, "plate": "KERB1", "status": "REMOVED"}
    again = await user("DELETE", f"/parking/vehicles/{vehicle_id}", headers={"X-Idempotency-Key": "last"})
    assert (again.data, again.headers["Idempotency-Hit"]) == (gone.data, "true")
    assert (await user("GET", "/parking/vehicles")).data == []
    assert (await user("DELETE", f"/parking/vehicles/{vehicle_id}")).code == "VEHICLE_NOT_FOUND"


WRONG_VEHICLES: list[tuple[dict[str, object], str]] = [
    ({}, "plate"),
    ({"plate": ""}, "plate"),
    ({"plate": "kerb1"}, "plate"),
    ({"plate": "KERB 1"}, "plate"),
    ({"plate": "K" * 13}, "plate"),
    ({"plate": "K\x001"}, "plate"),
    ({"plate": 7}, "plate"),
    ({"plate": "K1", "kind": "TANK"}, "kind"),
    ({"plate": "K1", "height_cm": -1}, "height_cm"),
    ({"plate": "K1", "height_cm": 1_001}, "height_cm"),
    ({"plate": "K1", "height_cm": 1.5}, "height_cm"),
    ({"plate": "K1", "electric": "yes"}, "electric"),
    ({"plate": "K1", "make": "x" * 65}, "make"),
    ({"plate": "K1", "model": "a\nb"}, "model"),
    ({"plate": "K1", "wheels": 4}, "wheels"),
]
WRONG_TAGS = ("", "E28", "E280116", "e280116000", "E28011600", "G" * 8, "A" * 64, "'; --", 7)


async def test_vehicles_and_tags_that_cannot_be_are_told_by_field(small: SmallKerb) -> None:
    user = await small.trader("driver")
    for body, field in WRONG_VEHICLES:
        reply = await user("POST", "/parking/vehicles", body)
        assert (reply.status, reply.error["details"]["field"]) == (400, field), body
    for tag in WRONG_TAGS:
        reply = await user("POST", "/parking/vehicles/veh_1/tags", {"tag": tag})
        assert (reply.status, reply.error["details"]["field"]) == (400, "tag"), tag
