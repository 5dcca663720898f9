"""Quotes, bookings, walk-ins and stays over a real socket: prices line by line, money held, and two for one space."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.tariff_commands import SetTariff
from tests.engine.parking.tariff_world import STANDARD, e4
from tests.handlers.parking_people import TARIFF, at_a_car_park, booking, inside, walk_in
from tests.handlers.small_kerb import Client, SmallKerb

MORNING = {"from": "2023-11-20T08:00:00Z", "to": "2023-11-20T10:00:00Z"}


async def asked(small: SmallKerb, user: Client, **more: Any) -> dict[str, Any]:
    return {**await at_a_car_park(small, user), **MORNING, **more}


async def available(user: Client) -> float:
    found: float = (await user("GET", "/wallet/balance")).data["available"]
    return found


async def test_a_quote_explains_itself_and_is_what_the_booking_costs(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    body = await asked(small, user)
    quote = (await user("POST", "/parking/quotes", body)).data
    assert (quote["available"], quote["tariff"], quote["tariff_version"]) == (4, "std", 1) or quote[
        "available"
    ]
    # two hours of a Monday morning in Berlin: four half hours at 2.00
    assert (quote["price"]["total"], quote["price"]["currency"]) == (8.0, "USD")
    (line,) = quote["price"]["lines"]
    assert (line["code"], line["label"], line["units"], line["rate"], line["amount"]) == (
        *("BASE", "day", 4),
        *(2.0, 8.0),
    )
    assert line["text"] == "4 units at 2.00, day"
    assert await available(user) == 100.0
    made = await user("POST", "/parking/bookings", body | {"tariff_version": quote["tariff_version"]})
    assert (made.status, made.data["status"], made.data["held"]) == (201, "CONFIRMED", 8.0)
    assert made.data["price"] == quote["price"]
    assert await available(user) == 92.0
    assert (await user("GET", "/parking/bookings")).data == [made.data]
    assert (await user("GET", f"/parking/bookings/{made.data['booking_id']}")).data == made.data


async def test_a_booking_is_extended_and_cancelled(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    booking_id = (await booking(small, user))["booking_id"]
    longer = await user("POST", f"/parking/bookings/{booking_id}/extend", {"to": "2023-11-20T11:00:00Z"})
    assert (longer.status, longer.data["held"], longer.data["to"]) == (
        200,
        12.0,
        "2023-11-20T11:00:00.000000Z",
    )
    key = {"X-Idempotency-Key": "away"}
    gone = await user("DELETE", f"/parking/bookings/{booking_id}", headers=key)
    assert (gone.data["status"], gone.data["held"], await available(user)) == ("CANCELLED", 0, 100.0)
    again = await user("DELETE", f"/parking/bookings/{booking_id}", headers=key)
    assert (again.data, again.headers["Idempotency-Hit"]) == (gone.data, "true")
    assert (await user("GET", "/parking/bookings")).data == []


async def test_what_is_over_is_still_there(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    other = await small.trader("neighbour", cash="100")
    body = await asked(small, user)
    over: list[dict[str, Any]] = []
    for _ in range(3):
        made = await user("POST", "/parking/bookings", body)
        gone = await user("DELETE", f"/parking/bookings/{made.data['booking_id']}")
        over.insert(0, gone.data)
    path = f"/parking/bookings/{over[0]['booking_id']}"
    assert (await user("GET", path)).data == over[0]
    assert ((await other("GET", path)).status, (await other("GET", path)).code) == (404, "BOOKING_NOT_FOUND")
    assert (await user("GET", "/parking/bookings?status=CANCELLED")).data == over
    assert (await other("GET", "/parking/bookings?status=CANCELLED")).data == []
    assert (await user("GET", "/parking/bookings?status=NO_SHOW")).data == []
    assert (await user("GET", "/parking/bookings")).data == []
    first = await user("GET", "/parking/bookings?status=CANCELLED&limit=2")
    assert (first.data, first.meta["limit"]) == (over[:2], 2)
    rest = await user("GET", f"/parking/bookings?status=CANCELLED&limit=2&cursor={first.meta['next_cursor']}")
    assert (rest.data, "next_cursor" in rest.meta) == (over[2:], False)
    for query in ("cursor=null", "status=CONFIRMED&cursor=null", "status=CANCELLED&cursor=null"):
        assert (await user("GET", f"/parking/bookings?{query}")).status == 400
    assert (await user("GET", "/parking/bookings?status=GONE")).status == 400


async def test_the_same_key_books_once(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    body, key = await asked(small, user), {"X-Idempotency-Key": "once"}
    first = await user("POST", "/parking/bookings", body, headers=key)
    second = await user("POST", "/parking/bookings", body, headers=key)
    assert (second.status, second.data, second.headers["Idempotency-Hit"]) == (201, first.data, "true")
    other = await user("POST", "/parking/bookings", body | {"type": "LARGE"}, headers=key)
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await available(user) == 92.0


async def test_two_for_the_last_space_one_gets_it_and_the_other_keeps_the_money(small: SmallKerb) -> None:
    users = [await small.trader(name, cash="100") for name in ("first", "second")]
    bodies = [await asked(small, user, type="EV", features=["CHARGER"]) for user in users]
    for number, body in enumerate(bodies):
        plate = {"plate": f"EV{number}", "electric": True}
        body["vehicle_id"] = (await users[number]("POST", "/parking/vehicles", plate)).data["vehicle_id"]
    replies = await asyncio.gather(
        *(user("POST", "/parking/bookings", body) for user, body in zip(users, bodies, strict=True))
    )
    assert sorted(reply.status for reply in replies) == [201, 422]
    for user, reply in zip(users, replies, strict=True):
        if reply.status == 422:
            assert (reply.code, await available(user)) == ("PARKING_FULL", 100.0)


async def test_a_quote_of_the_version_before_is_good_for_some_minutes(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    body = await asked(small, user)
    dearer = replace(TARIFF, bands=(), rates=((STANDARD, e4("9")),))
    await small.services.runtime.execute(SetTariff(dearer), Envelope(Source.OPERATOR))
    assert (await user("POST", "/parking/quotes", body)).data["price"]["total"] == 36.0
    refused = await user("POST", "/parking/bookings", body | {"max_price": "8"})
    assert (refused.code, await available(user)) == ("PRICE_CHANGED", 100.0)
    kept = await user("POST", "/parking/bookings", body | {"tariff_version": 1})
    assert (kept.status, kept.data["held"], kept.data["tariff_version"]) == (201, 8.0, 1)
    assert (await user("GET", f"/parking/bookings/{kept.data['booking_id']}")).data["price"]["total"] == 8.0


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"from": None}, 400, "from"),
    ({"from": "2023-11-20"}, 400, "from"),
    ({"from": "2023-11-20T08:00:00"}, 400, "from"),
    ({"to": "soon"}, 400, "to"),
    ({"type": "TANK"}, 400, "type"),
    ({"features": ["POOL"]}, 400, "features[0]"),
    ({"lot_id": "P1"}, 400, "lot_id"),
    ({"vehicle_id": "7"}, 400, "vehicle_id"),
    ({"tariff_version": 0}, 400, "tariff_version"),
    ({"max_price": "much"}, 400, "max_price"),
    ({"max_price": 0}, 422, "max_price"),
    ({"colour": "red"}, 400, "colour"),
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"lot_id": "lot_NONE"}, "PARKING_LOT_NOT_FOUND"),
    ({"vehicle_id": "veh_99"}, "VEHICLE_NOT_FOUND"),
    ({"to": "2023-11-20T08:00:00Z"}, "INVALID_INTERVAL"),
    ({"to": "2023-12-25T08:00:00Z"}, "INVALID_INTERVAL"),
    ({"from": "2023-11-01T08:00:00Z"}, "INVALID_INTERVAL"),
    ({"from": "2023-11-20T08:00:01Z"}, "INVALID_INTERVAL"),
    ({"from": "0001-01-01T00:00:00+23:59"}, "INVALID_INTERVAL"),
    ({"to": "0001-01-01T00:00:00Z"}, "INVALID_INTERVAL"),
    ({"to": "9999-12-31T23:59:00-23:59"}, "INVALID_INTERVAL"),
    ({"type": "VIP"}, "VEHICLE_DOES_NOT_FIT"),
    ({"tariff_version": 7}, "QUOTE_EXPIRED"),
    ({"to": "2023-12-19T08:00:00Z"}, "INSUFFICIENT_FUNDS"),
]


async def test_what_cannot_be_booked_is_told_by_field_or_by_its_refusal(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    body = await asked(small, user)
    for changes, status, field in WRONG:
        reply = await user("POST", "/parking/bookings", body | changes)
        assert (reply.status, reply.error["details"]["field"]) == (status, field), (changes, reply)
    for changes, code in REFUSED:
        reply = await user("POST", "/parking/bookings", body | changes)
        assert (reply.status, reply.code) == (422, code), (changes, reply)
    booked = (await booking(small, user))["booking_id"]
    for age in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:00-23:59"):
        reply = await user("POST", f"/parking/bookings/{booked}/extend", {"to": age})
        assert (reply.status, reply.code) == (422, "INVALID_INTERVAL"), reply
    assert (await user("DELETE", f"/parking/bookings/{booked}")).status == 200
    assert await available(user) == 100.0


async def test_a_walk_in_pays_on_the_phone_and_has_some_minutes_to_leave(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    ticket_id = (await walk_in(small, user))["ticket_id"]
    small.world.clock_leap(3_600 + 59)
    receipt = await user("POST", f"/parking/tickets/{ticket_id}/pay")
    assert receipt.status == 200, receipt
    # 61 minutes of a night: three started half hours at 1.00
    assert (receipt.data["paid"], receipt.data["kind"]) == (receipt.data["price"]["total"], "TICKET")
    lines = receipt.data["price"]["lines"]
    assert sum(line["amount"] for line in lines) == receipt.data["paid"] > 0
    assert await available(user) == 100.0 - receipt.data["paid"]
    paid = await user("POST", f"/parking/tickets/{ticket_id}/pay")
    assert (paid.status, paid.code) == (409, "TICKET_PAID")
    assert (await user("POST", "/parking/tickets/tkt_0/pay")).code == "TICKET_NOT_FOUND"
    statement = (await user("GET", "/wallet/transactions")).data
    assert statement[0]["amount"] == -receipt.data["paid"]


async def test_a_stay_says_what_leaving_now_would_cost(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    vehicle_id = (await inside(small, user))["vehicle_id"]
    small.world.clock_leap(1_800)
    (stay,) = (await user("GET", "/parking/stays")).data
    assert (stay["vehicle_id"], stay["by"], stay["status"]) == (vehicle_id, "WALLET", "INSIDE")
    assert stay["space"]
    assert stay["price"]["total"] > 0
    assert (await other("GET", "/parking/stays")).data == []
    shown = (await small.anonymous()("GET", "/parking/lots/lot_P1/occupancy")).data
    assert (shown["inside"], shown["capacity"]) == (1, 48)
    assert [each["vehicles"] for each in shown["parts"] if each["vehicles"]] == [1]
    assert sum(each["spaces"] for each in shown["parts"]) == 48


async def test_a_stay_is_not_shown_to_who_registers_its_plate_afterwards(small: SmallKerb) -> None:
    user = await small.trader("driver")
    await walk_in(small, user)
    (plate,) = small.world.state.parking.stay_of_who
    vehicle = await user("POST", "/parking/vehicles", {"plate": plate})
    assert vehicle.status == 201, vehicle
    assert (await user("GET", "/parking/stays")).data == []
