"""Passes and debts over a real socket: what is sold, quoted, paid once, given back; what is owed, and by whom it is seen."""

from __future__ import annotations

from tests.handlers.parking_people import MORNING, at_a_car_park, debt, go_in, go_out
from tests.handlers.small_kerb import SmallKerb

PASSES = "/parking/passes"
MONTH = {"code": "MONTH", "from": MORNING["from"]}


async def test_a_pass_is_quoted_bought_once_and_given_back(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    body = await at_a_car_park(small, user) | MONTH
    sold = (await small.anonymous()("GET", "/parking/lots/lot_P1/passes")).data
    assert [(each["code"], each["kind"], each["reserved"]) for each in sold] == [
        *(("MONTH", "SEASON", False), ("OWN", "SEASON", True), ("NIGHTS", "RECURRING", False)),
    ]
    assert (sold[2]["weekdays"], sold[2]["begins"], sold[2]["ends"]) == (
        *(["MON", "TUE", "WED", "THU", "FRI"], "18:00"),
        "24:00",
    )
    quote = (await user("POST", f"{PASSES}/quotes", body)).data
    # thirty days of Berlin's clock
    assert (quote["to"], quote["price"]["total"]) == ("2023-12-20T08:00:00.000000Z", 80.0)
    assert quote["price"]["lines"][0]["text"] == "pass: 30 days"
    key = {"X-Idempotency-Key": "pass"}
    wanted = body | {"tariff_version": quote["tariff_version"], "max_price": "80"}
    bought = await user("POST", PASSES, wanted, headers=key)
    assert (bought.status, bought.data["price"], bought.data["paid"]) == (201, quote["price"], 80.0)
    again = await user("POST", PASSES, wanted, headers=key)
    assert (again.status, again.data, again.headers["Idempotency-Hit"]) == (201, bought.data, "true")
    assert (await user("GET", "/wallet/balance")).data["available"] == 20.0
    assert (await user("POST", PASSES, body)).code == "INSUFFICIENT_FUNDS"
    mine = {name: value for name, value in bought.data.items() if name != "price"}
    assert (await user("GET", PASSES)).data == [mine]
    path = f"{PASSES}/{mine['pass_id']}"
    assert (await user("GET", path)).data == mine
    for method in ("GET", "DELETE"):
        hidden = await other(method, path)
        assert (hidden.status, hidden.code) == (404, "PASS_NOT_FOUND")
    gone = await user("DELETE", path, headers={"X-Idempotency-Key": "back"})
    assert gone.data == mine | {"status": "CANCELLED"}
    assert (await user("DELETE", path, headers={"X-Idempotency-Key": "back"})).data == gone.data
    assert ((await user("GET", PASSES)).data, (await user("DELETE", path)).status) == ([], 404)


async def test_what_is_wrong_with_a_pass_is_told(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="1000")
    body = await at_a_car_park(small, user) | MONTH
    for path in (f"{PASSES}/quotes", PASSES):
        for changes, status, code in (
            ({"code": "YEAR"}, 422, "PASS_NOT_FOUND"),
            ({"code": "a b"}, 400, "BAD_REQUEST"),
            ({"from": "2023-11-20T08:00:01Z"}, 422, "INVALID_INTERVAL"),
            ({"from": "2023-11-01T08:00:00Z"}, 422, "INVALID_INTERVAL"),
            ({"from": "0001-01-01T00:00:00+23:59"}, 422, "INVALID_INTERVAL"),
            ({"from": "2023-11-20"}, 400, "BAD_REQUEST"),
            ({"lot_id": "lot_NONE"}, 422, "PARKING_LOT_NOT_FOUND"),
            ({"vehicle_id": "veh_9"}, 422, "VEHICLE_NOT_FOUND"),
            ({"colour": "red"}, 400, "BAD_REQUEST"),
        ):
            reply = await user("POST", path, body | changes)
            assert (reply.status, reply.code) == (status, code), (path, changes, reply)
    assert (await user("POST", PASSES, body | {"tariff_version": 2})).code == "QUOTE_EXPIRED"
    own = await user("POST", PASSES, body | {"code": "OWN"})
    assert (own.status, own.data["space"] is not None) == (201, True)
    assert (await small.anonymous()("GET", "/parking/lots/lot_NONE/passes")).status == 404


async def test_a_plates_debt_is_its_owners_to_see_and_to_pay(small: SmallKerb) -> None:
    user, other = await small.trader("driver", cash="100"), await small.trader("other", cash="100")
    debt_id = (await debt(small, user))["debt_id"]
    (owed,) = (await user("GET", "/parking/debts")).data
    assert (owed["amount"], owed["currency"], owed["plate"][:1]) == (3.0, "USD", "D") or owed["amount"] > 0
    assert (await other("GET", "/parking/debts")).data == []
    path, key = f"/parking/debts/{debt_id}/pay", {"X-Idempotency-Key": "pay"}
    assert ((await other("POST", path)).status, (await other("POST", path)).code) == (404, "DEBT_NOT_FOUND")
    told = await other("POST", "/parking/tickets", {"lot_id": "lot_P1", "plate": owed["plate"]})
    assert (told.status, told.code) == (409, "PLATE_TAKEN")
    paid = await user("POST", path, headers=key)
    assert (paid.status, paid.data["paid"], paid.data["debt_id"]) == (200, owed["amount"], debt_id)
    again = await user("POST", path, headers=key)
    assert (again.data, again.headers["Idempotency-Hit"]) == (paid.data, "true")
    assert (await user("GET", "/wallet/balance")).data["available"] == 100 - owed["amount"]
    rows = (await user("GET", "/wallet/transactions")).data
    assert rows[0]["transaction_id"] == paid.data["transaction_id"]
    assert ((await user("GET", "/parking/debts")).data, (await user("POST", path)).status) == ([], 404)


async def test_what_the_account_owes_is_paid_by_hand_or_by_the_next_deposit(small: SmallKerb) -> None:
    user = await small.trader("driver", cash="1")
    ids = await at_a_car_park(small, user)
    plate = small.world.state.parking.vehicles[int(ids["vehicle_id"].removeprefix("veh_"))].plate
    await go_in(small, plate)
    small.world.clock_leap(3_600)
    await go_out(small, plate)
    (owed,) = (await user("GET", "/parking/debts")).data
    assert (owed["plate"], owed["amount"] > 0) == (None, True)
    refused = await user("POST", f"/parking/debts/{owed['debt_id']}/pay")
    assert (refused.status, refused.code) == (422, "INSUFFICIENT_FUNDS")
    asked = {**ids, **MORNING}
    assert (await user("POST", "/parking/bookings", asked)).code == "PARKING_DEBT"
    await user.deposit("50")
    assert (await user("GET", "/parking/debts")).data == []
