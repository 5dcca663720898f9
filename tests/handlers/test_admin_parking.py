"""The car parks in an operator's hands, over a real socket: the estate, a CSV file, tariffs and their versions."""

from __future__ import annotations

from typing import Any

from engine.parking.kinds import SpaceState
from engine.parking.tariff_records import LineCode
from handlers.openapi_admin_parking import TARIFFS
from server.estate_csv import CsvProblem
from server.price_text import WORDS
from server.principal import Role
from tests.handlers.parking_people import booking, car_park
from tests.handlers.small_kerb import Client, SmallKerb, sign_in
from tests.server.test_estate_csv import GOOD

LOT: dict[str, Any] = {"name": "Station", "time_zone": "Europe/Berlin", "currency": "USD", "tariff": "CITY"}
TARIFF: dict[str, Any] = TARIFFS["PUT /api/v1/admin/parking/tariffs/{tariff}"].examples[0].body


async def operator(small: SmallKerb) -> Client:
    """Somebody with the role parking_operator, and no other."""
    client = await small.trader("parker")
    user_id = int(client.user_id.removeprefix("usr_"))
    await small.services.database.execute(
        "UPDATE users SET roles = ARRAY[$2] WHERE user_id = $1", user_id, Role.PARKING_OPERATOR.value
    )
    await sign_in(client, "parker@example.com")
    return client


async def with_a_tariff(small: SmallKerb) -> Client:
    """An operator who has made the tariff CITY."""
    desk = await operator(small)
    assert (await desk("PUT", "/admin/parking/tariffs/CITY", TARIFF)).status == 200
    return desk


async def test_a_car_park_is_built_piece_by_piece(small: SmallKerb) -> None:
    desk = await with_a_tariff(small)
    made = await desk("PUT", "/admin/parking/lots/lot_S1", LOT)
    assert (made.status, made.data) == (200, {"lot_id": "lot_S1", "kind": "LOT", "id": "lot_S1"})
    parking = small.world.state.parking
    assert parking.zones["Europe/Berlin"].transitions[-1][1] in (3_600, 7_200)
    floor = {"name": "Ground", "level": 0, "height_cm": 210}
    assert (await desk("PUT", "/admin/parking/lots/lot_S1/floors/G", floor)).status == 200
    space = {"floor": "G", "type": "EV", "features": ["CHARGER"], "charger_kw": 11}
    assert (await desk("PUT", "/admin/parking/lots/lot_S1/spaces/G-1", space)).status == 200
    (shown,) = (await desk("GET", "/admin/parking/lots/lot_S1/spaces")).data
    assert (shown["number"], shown["features"], shown["charger_kw"]) == ("G-1", ["CHARGER"], 11)
    await desk("PUT", "/admin/parking/lots/lot_S1/spaces/G-1", space | {"state": "MAINTENANCE"})
    assert parking.spaces["S1", "G-1"].state is SpaceState.MAINTENANCE
    assert (await desk("GET", "/admin/parking/lots/lot_S1/spaces?state=ACTIVE")).data == []


async def test_what_cannot_be_is_refused_and_names_its_problem(small: SmallKerb) -> None:
    desk = await with_a_tariff(small)
    await desk("PUT", "/admin/parking/lots/lot_S1", LOT)
    for path, body, status, problem in (
        ("lots/lot_S1", LOT | {"currency": "EUR"}, 422, "CURRENCY"),
        ("lots/lot_S1/floors/G G", {"name": "x", "level": 0}, 422, "CODE"),
        ("lots/lot_S1/spaces/G-1", {"floor": "X", "type": "EV"}, 422, "FLOOR_UNKNOWN"),
        ("lots/lot_S1/spaces/G-1", {"floor": "X", "type": "TANK"}, 400, None),
        ("lots/lot_S1", LOT | {"time_zone": "Mars/Base"}, 422, None),
        ("lots/lot_S1", LOT | {"time_zone": "../UTC"}, 422, None),
        ("lots/lot_S1", LOT | {"time_zone": "Factory"}, 422, None),
        ("lots/lot_S1", LOT | {"time_zone": "zone.tab"}, 422, None),
        ("lots/lot_S1", LOT | {"tariff": "NONE"}, 422, None),
        ("lots/lot_S2", LOT | {"currency": "EUR"}, 422, None),
        ("lots/lot_S1", LOT | {"name": "a\nb"}, 400, None),
        ("lots/lot_S1", LOT | {"name": "   "}, 400, None),
        ("lots/lot_S1/floors/G", {"name": " ", "level": 0}, 400, None),
        ("lots/S1", LOT, 404, None),
        ("lots/lot_NONE/floors/G", {"name": "x", "level": 0}, 404, None),
    ):
        reply = await desk("PUT", f"/admin/parking/{path.replace(' ', '%20')}", body)
        assert reply.status == status, (path, body, reply)
        assert reply.error["details"].get("problem") == problem, (path, body, reply)
        assert not reply.error["message"].startswith(":"), reply


async def test_the_time_zone_stays_while_bookings_are_priced_by_it(small: SmallKerb) -> None:
    desk, driver = await operator(small), await small.trader("driver", cash="100")
    booked = await booking(small, driver)
    body = {"name": "Old Harbour", "currency": "USD", "tariff": "std"}
    path = "/admin/parking/lots/lot_P1"
    refused = await desk("PUT", path, body | {"time_zone": "America/New_York"})
    assert (refused.status, refused.error["details"]) == (422, {"problem": "ZONE"})
    assert refused.error["message"] == "the car park cannot be like this"
    await driver("DELETE", f"/parking/bookings/{booked['booking_id']}")
    assert (await desk("PUT", path, body | {"time_zone": "America/New_York"})).status == 200


async def test_a_file_is_imported_in_one_piece_or_not_at_all(small: SmallKerb) -> None:
    desk = await with_a_tariff(small)
    await car_park(small)
    await desk("PUT", "/admin/parking/lots/lot_S1", LOT)
    path = "/admin/parking/lots/lot_S1/import"
    wrong = await desk(
        "POST", path, {"csv": GOOD + "SPACE,X,X-1,,,,TANK,,,,,,,,,\nGATE,G,,P1-in,No,,,,,,,,,,UP,0\n"}
    )
    assert (wrong.status, wrong.code, wrong.error["details"]["count"]) == (422, "INVALID_ESTATE", 8)
    found = {(each["row"], each["column"], each["problem"]) for each in wrong.error["details"]["problems"]}
    assert found == {
        *((6, "gate", "GATE_ELSEWHERE"), (7, "gate", "GATE_ELSEWHERE")),
        *((8, "floor", "FLOOR_UNKNOWN"), (8, "type", "TYPE")),
        *((9, "direction", "DIRECTION"), (9, "lanes", "LANES")),
        *((9, "gate", "GATE_DOUBLE"), (9, "gate", "GATE_ELSEWHERE")),
    }
    parking = small.world.state.parking
    assert not [each for each in parking.floors if each[0] == "S1"]
    mine = GOOD.replace("P1-", "S1-")
    key = {"X-Idempotency-Key": "import-1"}
    done = await desk("POST", path, {"csv": mine}, headers=key)
    assert done.data == {"lot_id": "lot_S1", "floors": 2, "spaces": 2, "gates": 2}
    again = await desk("POST", path, {"csv": mine}, headers=key)
    assert (again.data, again.headers["Idempotency-Hit"]) == (done.data, "true")
    assert len([each for each in parking.spaces if each[0] == "S1"]) == 2
    assert {each.name for each in CsvProblem} >= {"GATE_ELSEWHERE", "TYPE"}


async def test_a_tariff_has_versions_and_its_mistakes_are_told_at_once(small: SmallKerb) -> None:
    desk = await operator(small)
    path = "/admin/parking/tariffs/NIGHT"
    first = await desk("PUT", path, TARIFF)
    assert (first.status, first.data["version"], first.data["cap"]) == (200, 1, 24.0)
    assert first.data["bands"][0]["begins"] == "08:00"
    assert (await desk("PUT", path, TARIFF)).data == first.data
    second = await desk("PUT", path, TARIFF | {"cap": 30, "holidays": ["2026-12-25"], "lost_ticket": "40.5"})
    assert (second.data["version"], second.data["holidays"], second.data["lost_ticket"]) == (
        *(2, ["2026-12-25"]),
        40.5,
    )
    assert (await desk("GET", path)).data == second.data
    assert (await desk("GET", f"{path}?version=1")).data == first.data
    assert (await desk("GET", f"{path}?version=3")).status == 404
    assert [each["tariff"] for each in (await desk("GET", "/admin/parking/tariffs")).data] == ["NIGHT"]
    wrong = await desk(
        "PUT", path, TARIFF | {"unit_minutes": 7, "steps": [{"from_minute": 5, "factor_bps": 1}]}
    )
    assert (wrong.status, wrong.code, wrong.error["details"]["count"]) == (422, "INVALID_TARIFF", 2)
    for cap in ("1E+999999", "0.00001", "NaN", "Infinity", "-1", "1e9", 10_001):
        reply = await desk("PUT", path, TARIFF | {"cap": cap})
        assert (reply.status, reply.code) in ((422, "INVALID_TARIFF"), (400, "BAD_REQUEST")), (cap, reply)
    for body in (
        TARIFF | {"colour": 1},
        TARIFF | {"rates": {"BUS": 1}},
        TARIFF | {"holidays": ["2026-13-01"]},
        {key: value for key, value in TARIFF.items() if key != "currency"},
        TARIFF
        | {"events": [{"label": "x", "begins": "2026-12-31T23:00:00", "ends": "2027-01-01T07:00:00Z"}]},
    ):
        assert (await desk("PUT", path, body)).status == 400, body


def test_every_line_can_be_said_in_words() -> None:
    assert set(WORDS) == set(LineCode)
