"""A driver's stays over a real socket: inside and over in one list, receipts line by line, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.gate_commands import OfflinePassage, RenewGateKey, SyncOffline
from engine.parking.gate_kinds import CredentialKind, Way
from tests.handlers.parking_people import at_a_car_park, car_park, go_in, go_out
from tests.handlers.small_kerb import Client, SmallKerb


async def plates(small: SmallKerb, user: Client) -> list[str]:
    """A car park, and two vehicles of the user's."""
    await at_a_car_park(small, user)
    await user("POST", "/parking/vehicles", {"plate": "SECOND1"})
    return [each["plate"] for each in (await user("GET", "/parking/vehicles")).data]


async def stay_an_hour(small: SmallKerb, plate: str) -> None:
    await go_in(small, plate)
    small.world.clock_leap(3_600)
    await go_out(small, plate)


async def stays(user: Client, query: str = "") -> list[dict[str, Any]]:
    reply = await user("GET", f"/parking/stays{query}")
    assert reply.status == 200, reply
    found: list[dict[str, Any]] = reply.data
    return found


async def test_a_stay_that_is_over_has_its_receipt_line_by_line(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    plate, _ = await plates(small, user)
    await stay_an_hour(small, plate)
    (stay,) = await stays(user)
    assert (stay["status"], stay["by"], stay["plate"], stay["price"]) == ("ENDED", "WALLET", plate, None)
    assert stay["begun_at"] < stay["ended_at"]
    (receipt,) = stay["receipts"]
    # an hour of a night: two half hours at 1.00
    assert (receipt["kind"], receipt["paid"], receipt["owed"], receipt["cash"]) == ("STAY", 2.0, 0, False)
    assert stay["charged"] == receipt["price"]["total"] == 2.0
    assert sum(line["amount"] for line in receipt["price"]["lines"]) == 2.0
    statement = (await user("GET", "/wallet/transactions")).data
    assert (statement[0]["transaction_id"], statement[0]["amount"]) == (receipt["transaction_id"], -2.0)
    assert await stays(other) == []


async def test_those_inside_and_those_over_are_one_list_page_by_page(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="100")
    first, second = await plates(small, user)
    await go_in(small, second)  # the oldest, and still inside
    for _ in range(3):
        await stay_an_hour(small, first)
    await go_in(small, first)
    whole = await stays(user)
    assert [each["status"] for each in whole] == ["INSIDE", "ENDED", "ENDED", "ENDED", "INSIDE"]
    assert [each["plate"] for each in whole] == [first] * 4 + [second]
    assert [each["stay_id"] for each in await stays(user, "?status=INSIDE")] == [
        whole[0]["stay_id"],
        whole[4]["stay_id"],
    ]
    assert await stays(user, "?status=ENDED") == whole[1:4]
    paged: list[str] = []
    cursor = ""
    while True:
        reply = await user("GET", f"/parking/stays?limit=2{cursor}")
        paged += [each["stay_id"] for each in reply.data]
        if "next_cursor" not in reply.meta:
            break
        assert len(reply.data) == 2
        cursor = f"&cursor={reply.meta['next_cursor']}"
    assert paged == [each["stay_id"] for each in whole]
    for query in ("cursor=null", "status=GONE", "limit=0"):
        assert (await user("GET", f"/parking/stays?{query}")).status == 400


async def test_whoever_pays_the_ticket_the_receipts_are_the_stays(small: SmallKerb) -> None:
    user, friend = await small.trader("driver", cash="100"), await small.trader("friend", cash="100")
    plate, _ = await plates(small, user)
    ticket = await user("POST", "/parking/tickets", {"lot_id": "lot_P1", "plate": plate})
    await go_in(small, plate)
    small.world.clock_leap(3_600)
    paid = await friend("POST", f"/parking/tickets/{ticket.data['ticket_id']}/pay")
    assert paid.status == 200, paid
    await go_out(small, plate)
    (stay,) = await stays(user)
    assert [each["kind"] for each in stay["receipts"]] == ["TICKET", "STAY"]
    assert [each["price"]["total"] for each in stay["receipts"]] == [2.0, 0]
    assert stay["charged"] == paid.data["paid"] == 2.0
    assert await stays(friend) == []


async def test_who_gets_the_plate_sees_nothing_of_before(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="100")
    seller = await small.trader("seller", cash="100")
    await at_a_car_park(small, buyer)
    sold = (await seller("POST", "/parking/vehicles", {"plate": "SOLD1"})).data["vehicle_id"]
    await stay_an_hour(small, "SOLD1")
    assert (await seller("DELETE", f"/parking/vehicles/{sold}")).status == 200
    ticket = await seller("POST", "/parking/tickets", {"lot_id": "lot_P1", "plate": "SOLD1"})
    assert ticket.status == 201, ticket
    await go_in(small, "SOLD1")  # a walk-in, as nobody's
    assert (await buyer("POST", "/parking/vehicles", {"plate": "SOLD1"})).status == 201
    small.world.clock_leap(3_600)
    await go_out(small, "SOLD1")
    assert await stays(buyer) == []
    (kept,) = await stays(seller)
    assert (kept["vehicle_id"], kept["status"]) == (sold, "ENDED")
    await stay_an_hour(small, "SOLD1")
    assert len(await stays(buyer)) == 1


async def test_what_a_gate_tells_late_of_before_a_plate_was_registered_is_not_shown(small: SmallKerb) -> None:
    """It was cut off when somebody came in, and knows of it only after the plate has become somebody's."""
    user = await small.trader("driver", cash="100")
    await car_park(small)
    came_us = small.world.runtime.now_us()
    small.world.clock_leap(600)
    assert (await user("POST", "/parking/vehicles", {"plate": "LATE1"})).status == 201
    passage = OfflinePassage(1, came_us, Way.ENTRY, CredentialKind.PLATE, "LATE1")
    for command in (RenewGateKey("P1-in"), SyncOffline("P1-in", 1, b"d", (passage,))):
        assert (await small.services.runtime.execute(command, Envelope(Source.GATE))).refused is None
    (stay,) = small.world.state.parking.stays.values()
    assert (stay.begin_us, stay.account_id) == (came_us, user.account_id)
    assert await stays(user) == []
    await go_out(small, "LATE1")
    assert await stays(user) == []
    await stay_an_hour(small, "LATE1")
    assert len(await stays(user)) == 1


@pytest.mark.parametrize("query", ["", "?status=ENDED"])
async def test_a_debt_is_told(small: SmallKerb, query: str) -> None:
    user = await small.trader("poor", cash="1")
    plate, _ = await plates(small, user)
    await stay_an_hour(small, plate)
    (stay,) = await stays(user, query)
    assert (stay["charged"], stay["owed"]) == (2.0, 1.0)
    assert (stay["receipts"][0]["paid"], stay["receipts"][0]["owed"]) == (1.0, 1.0)
