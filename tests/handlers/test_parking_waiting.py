"""The waiting list over a real socket: places, an offer that is taken or declined, money held, and nothing of others told."""

from __future__ import annotations

from engine.parking.kinds import BookingStatus
from tests.handlers.parking_people import CHARGER, MORNING, at_a_car_park, offer, waiting
from tests.handlers.small_kerb import Client, SmallKerb

LIST = "/parking/waiting-list"


async def electric(user: Client, plate: str) -> dict[str, str]:
    made = await user("POST", "/parking/vehicles", {"plate": plate, "electric": True})
    return {"lot_id": "lot_P1", "vehicle_id": made.data["vehicle_id"]}


async def test_who_waits_sees_the_place_and_takes_what_is_offered(small: SmallKerb) -> None:
    first, second = await small.trader("first", cash="100"), await small.trader("second", cash="100")
    ids = await waiting(small, first)
    key = {"X-Idempotency-Key": "wait"}
    body = await electric(second, "SECOND1") | CHARGER
    joined = await second("POST", LIST, body, headers=key)
    assert (joined.status, joined.data["status"], joined.data["booking_id"]) == (201, "WAITING", None)
    again = await second("POST", LIST, body, headers=key)
    assert (again.status, again.data, again.headers["Idempotency-Hit"]) == (201, joined.data, "true")
    (mine,) = (await second("GET", LIST)).data
    assert (mine["place"], mine["offer"], mine["waiting_id"]) == (2, None, joined.data["waiting_id"])
    (other,) = (await first("GET", LIST)).data
    assert (other["place"], other["waiting_id"]) == (1, ids["waiting_id"])
    assert (await second("GET", f"{LIST}/{ids['waiting_id']}")).code == "WAITING_NOT_FOUND"
    assert (await second("DELETE", f"{LIST}/{ids['waiting_id']}")).code == "WAITING_NOT_FOUND"
    assert (await second("POST", LIST, body)).code == "WAITING_LIST_FULL"
    assert (await second("POST", LIST, body | {"from": "2023-11-01T08:00:00Z"})).code == "INVALID_INTERVAL"
    assert (await second("POST", LIST, body | {"type": "VIP"})).code == "WAITING_LIST_FULL"

    # The first leaves: the second is the next, and is offered what the neighbour gives back.
    left = await first("DELETE", f"{LIST}/{ids['waiting_id']}")
    assert left.data == {"waiting_id": ids["waiting_id"], "status": "LEFT"}
    (mine,) = (await second("GET", LIST)).data
    assert mine["place"] == 1


async def test_an_offer_is_taken_once_at_its_price(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    ids = await offer(small, user)
    (mine,) = (await user("GET", LIST)).data
    assert (mine["status"], mine["place"]) == ("OFFERED", None)
    assert (mine["offer"]["space"], mine["offer"]["booking_id"]) == ("U-1", ids["booking_id"])
    total = mine["offer"]["price"]["total"]
    shown = (await user("GET", f"/parking/bookings/{ids['booking_id']}")).data
    assert (shown["status"], shown["held"], shown["price"]) == ("HELD_OFFER", 0, mine["offer"]["price"])
    assert (await user("GET", "/parking/bookings?status=HELD_OFFER")).data == [shown]

    path, key = f"/parking/bookings/{ids['booking_id']}/accept", {"X-Idempotency-Key": "take"}
    dear = await user("POST", path, {"max_price": "0.01"})
    assert (dear.status, dear.code, dear.error["details"]["price"]) == (422, "PRICE_CHANGED", total)
    other = await small.trader("other", cash="100")
    assert (await other("POST", path)).code == "BOOKING_NOT_FOUND"
    taken = await user("POST", path, {"max_price": str(total)}, headers=key)
    assert (taken.status, taken.data["status"], taken.data["held"]) == (200, "CONFIRMED", total)
    again = await user("POST", path, {"max_price": str(total)}, headers=key)
    assert (again.data, again.headers["Idempotency-Hit"]) == (taken.data, "true")
    assert (await user("POST", path)).code == "BOOKING_NOT_OPEN"
    assert (await user("GET", "/wallet/balance")).data["available"] == 100 - total
    assert (await user("GET", LIST)).data == []


async def test_an_offer_that_is_declined_goes_to_the_next_and_is_shown_as_over(small: SmallKerb) -> None:
    user, following = await small.trader("driver", cash="100"), await small.trader("next", cash="100")
    ids = await offer(small, user)
    joined = await following("POST", LIST, await electric(following, "NEXT1") | CHARGER)
    assert joined.data["status"] == "WAITING"
    assert (await user("DELETE", f"{LIST}/{ids['waiting_id']}")).status == 200
    (offered,) = (await following("GET", LIST)).data
    assert (offered["status"], offered["offer"]["space"]) == ("OFFERED", "U-1")
    (over,) = (await user("GET", "/parking/bookings?status=EXPIRED")).data
    assert (over["booking_id"], over["tariff"], over["price"]["total"]) == (ids["booking_id"], None, 0)
    assert over["status"] == BookingStatus.EXPIRED.name


async def test_a_free_space_is_offered_at_once_and_what_is_wrong_is_named(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    body = await at_a_car_park(small, user) | MORNING
    joined = await user("POST", LIST, body)
    assert (joined.data["status"], joined.data["booking_id"][:4]) == ("OFFERED", "bkg_")
    for changes, status, field in (
        ({"from": "soon"}, 400, "from"),
        ({"type": "TANK"}, 400, "type"),
        ({"colour": "red"}, 400, "colour"),
        ({"lot_id": "P1"}, 400, "lot_id"),
    ):
        reply = await user("POST", LIST, body | changes)
        assert (reply.status, reply.error["details"]["field"]) == (status, field), reply
