"""What operators see and do of drivers' affairs, over a real socket: with who and why, and nobody else may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.handlers.parking_people import (
    MORNING,
    at_a_car_park,
    booking,
    debt,
    go_in,
    inside,
    season_pass,
    waiting,
    walk_in,
)
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.test_admin_parking import operator

DESK = "/admin/parking"
WHY = {"reason": "the driver called"}


async def listed(desk: Client, path: str) -> Any:
    reply = await desk("GET", f"{DESK}/{path}")
    assert reply.status == 200, reply
    return reply.data


async def test_a_booking_is_given_back_whole_with_who_and_why(small: SmallKerb) -> None:
    desk, driver = await operator(small), await small.trader("driver", cash="100")
    ids = await at_a_car_park(small, driver)
    begin = (
        small.services.runtime.now_us() // 3_600_000_000 * 3_600 + 3_600
    )  # an hour ahead: refunds end at two
    times = {"from": _text(begin), "to": _text(begin + 3_600)}
    made = (await driver("POST", "/parking/bookings", ids | times)).data
    (shown,) = await listed(desk, f"bookings?user_id={driver.user_id}&lot_id=lot_P1&plate={made['plate']}")
    assert (shown["booking_id"], shown["user_id"]) == (made["booking_id"], driver.user_id)
    assert await listed(desk, f"bookings?user_id={desk.user_id}") == []
    assert await listed(desk, "bookings?plate=OTHER") == []
    path = f"{DESK}/bookings/{made['booking_id']}/cancel"
    assert (await desk("POST", path, {"reason": " "})).status == 400
    assert (await driver("POST", path, WHY)).status == 403
    key = {"X-Idempotency-Key": "back"}
    gone = await desk("POST", path, WHY, headers=key)
    assert (gone.status, gone.data["status"], gone.data["held"]) == (200, "CANCELLED", 0)
    again = await desk("POST", path, WHY, headers=key)
    assert (again.data, again.headers["Idempotency-Hit"]) == (gone.data, "true")
    assert (await driver("GET", "/wallet/balance")).data["available"] == 100
    admin = await small.admin()
    rows = (await admin("GET", f"/admin/audit?user_id={desk.user_id}")).data
    assert [(row["status"], row["body"]) for row in rows] == [
        *((200, '{"reason":"the driver called"}'),) * 2,
        (400, '{"reason":" "}'),
    ]
    assert (await desk("POST", path, WHY)).code == "BOOKING_NOT_FOUND"


def _text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_stay_is_ended_by_hand_to_when_the_car_left(small: SmallKerb) -> None:
    desk, driver = await operator(small), await small.trader("driver", cash="100")
    await inside(small, driver)
    (shown,) = await listed(desk, f"stays?lot_id=lot_P1&user_id={driver.user_id}")
    assert (shown["by"], shown["user_id"]) == ("WALLET", driver.user_id)
    left = small.services.runtime.now_us() // 1_000_000 + 1_800
    small.world.clock_leap(7_200)
    path = f"{DESK}/stays/{shown['stay_id']}/end"
    early = await desk("POST", path, WHY | {"left_at": "2023-11-01T00:00:00Z"})
    assert (early.status, early.code) == (422, "INVALID_INTERVAL")
    late = await desk("POST", path, WHY | {"left_at": "2024-11-01T00:00:00Z"})
    assert (late.status, late.code, late.error["details"]["field"]) == (422, "INVALID_INTERVAL", "left_at")
    ended = await desk("POST", path, WHY | {"left_at": _text(left)}, headers={"X-Idempotency-Key": "end"})
    assert (ended.status, ended.data["paid"], ended.data["owed"]) == (200, ended.data["price"]["total"], 0)
    again = await desk("POST", path, WHY | {"left_at": _text(left)}, headers={"X-Idempotency-Key": "end"})
    assert again.data == ended.data
    assert 0 < ended.data["price"]["total"] <= 2.0  # half an hour at night, not two
    assert await listed(desk, "stays") == []
    assert (await desk("POST", path, WHY)).code == "STAY_NOT_FOUND"


async def test_passes_places_and_debts_are_seen_and_ended(small: SmallKerb) -> None:
    desk, driver = await operator(small), await small.trader("driver", cash="1000")
    pass_id = (await season_pass(small, driver))["pass_id"]
    (shown,) = await listed(desk, f"passes?user_id={driver.user_id}")
    assert (shown["pass_id"], shown["user_id"]) == (pass_id, driver.user_id)
    assert (await desk("DELETE", f"{DESK}/passes/{pass_id}")).data["status"] == "CANCELLED"
    sold = await desk(
        "POST",
        f"{DESK}/passes",
        {
            "lot_id": "lot_P1",
            "vehicle_id": shown["vehicle_id"],
            "from": MORNING["from"],
            "to": "2023-12-20T08:00:00Z",
            "price": "12.34",
            "tax": "2",
            "kind": "RECURRING",
            "weekdays": ["MON", "TUE"],
            "begins": "08:00",
            "ends": "18:00",
        },
    )
    assert (sold.status, sold.data["paid"], sold.data["price"]["tax"]) == (201, 12.34, 2.0)
    assert (sold.data["weekdays"], sold.data["code"]) == (["MON", "TUE"], None)
    assert (await listed(desk, "passes?lot_id=lot_P1"))[0]["pass_id"] == sold.data["pass_id"]

    waiting_id = (await waiting(small, driver))["waiting_id"]
    (waits,) = await listed(desk, "waiting-list?lot_id=lot_P1")
    assert (waits["waiting_id"], waits["place"], waits["user_id"]) == (waiting_id, 1, driver.user_id)
    gone = await desk("DELETE", f"{DESK}/waiting-list/{waiting_id}")
    assert gone.data == {"waiting_id": waiting_id, "status": "LEFT"}

    debt_id = (await debt(small, driver))["debt_id"]
    (owed,) = await listed(desk, "debts")
    assert (owed["debt_id"], owed["user_id"]) == (debt_id, None)
    assert await listed(desk, f"debts?plate={owed['plate']}") == [owed]
    assert await listed(desk, f"debts?user_id={driver.user_id}") == []
    assert (await desk("GET", f"{DESK}/bookings?lot_id=lot_NONE")).status == 404
    assert (await desk("GET", f"{DESK}/bookings?user_id=x")).status == 404


async def test_an_operator_prints_tickets_takes_cash_and_knows_rights(small: SmallKerb) -> None:
    desk, driver = await operator(small), await small.trader("driver", cash="100")
    ticket_id = (await walk_in(small, driver))["ticket_id"]
    small.world.clock_leap(3_600)
    paid = await desk("POST", f"{DESK}/tickets/{ticket_id}/pay")
    assert (paid.status, paid.data["kind"], paid.data["paid"] > 0) == (200, "TICKET", True)
    assert (await driver("GET", "/wallet/balance")).data["available"] == 100
    printed = await desk("POST", f"{DESK}/tickets", {"lot_id": "lot_P1", "code": "T-7"})
    assert (printed.status, printed.data["plate"]) == (201, "code:T-7")
    assert (
        await desk("POST", f"{DESK}/tickets", {"lot_id": "lot_P1", "code": "T-7"})
    ).code == "TICKET_EXISTS"
    vehicle_id = (await at_a_car_park(small, driver))["vehicle_id"]
    rights = await desk("PUT", f"{DESK}/vehicles/{vehicle_id}/rights", {"rights": ["VIP", "ACCESSIBLE"]})
    assert rights.data == {"vehicle_id": vehicle_id, "rights": ["ACCESSIBLE", "VIP"]}
    assert (await driver("GET", f"/parking/vehicles/{vehicle_id}")).data["rights"] == ["ACCESSIBLE", "VIP"]


async def test_what_is_blocked_comes_in_nowhere_until_it_is_not(small: SmallKerb) -> None:
    desk, driver = await operator(small), await small.trader("driver", cash="100")
    await booking(small, driver)
    (vehicle,) = (await driver("GET", "/parking/vehicles")).data
    path = f"{DESK}/blocklist/plates/{vehicle['plate']}"
    assert (await desk("PUT", path, {"reason": "stolen"})).data == {
        "value": vehicle["plate"],
        "blocked": True,
    }
    (block,) = await listed(desk, "blocklist")
    assert (block["kind"], block["reason"], block["user_id"]) == ("PLATE", "stolen", desk.user_id)
    refused = await driver("POST", "/parking/tickets", {"lot_id": "lot_P1", "plate": vehicle["plate"]})
    assert refused.code == "INVALID_TICKET"
    assert (await desk("DELETE", path)).data == {"value": vehicle["plate"], "blocked": False}
    assert (await desk("DELETE", path)).status == 200
    tag = f"{DESK}/blocklist/tags/E2801160000000000000BAD1"
    assert (await desk("PUT", tag, {"reason": "found"})).data["blocked"] is True
    assert (await desk("DELETE", tag)).data["blocked"] is False
    assert await listed(desk, "blocklist") == []
    assert (await desk("PUT", f"{DESK}/blocklist/plates/x%20y", {"reason": "x"})).status == 400
    await go_in(small, vehicle["plate"])
