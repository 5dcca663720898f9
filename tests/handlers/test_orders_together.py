"""Brackets, pairs and orders that arm another, over real sockets: answered with their legs, streamed, and verified."""

from __future__ import annotations

from typing import Any

from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.websocket_user import connected

ENTRY: dict[str, Any] = {
    "stock_symbol": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "quantity": 4,
    "price": 100,
}
EXITS: dict[str, Any] = {
    "order_class": "BRACKET",
    "take_profit": {"price": "110", "client_order_id": "profit"},
    "stop_loss": {"stop_price": 95, "price": "94.5", "client_order_id": "loss"},
}


async def by_own_id(client: Client) -> dict[str, Any]:
    """The newest order of each of the owner's ids."""
    orders = (await client("GET", "/orders")).data
    return {each["client_order_id"]: each for each in reversed(orders)}


async def test_a_bracket_is_answered_with_its_legs_and_arms_them(small: SmallKerb, database_dsn: str) -> None:
    buyer = await small.trader("buyer", cash="2000")
    seller = await small.trader("seller", units=20)
    reply = await buyer("POST", "/orders", ENTRY | EXITS | {"client_order_id": "entry"})
    assert reply.status == 201, reply
    entry = reply.data
    assert (entry["status"], entry["order_class"], len(entry["legs"])) == ("PENDING", "BRACKET", 2)
    orders = await by_own_id(buyer)
    assert [orders[name]["order_id"] for name in ("profit", "loss")] == entry["legs"]
    for leg in (orders["profit"], orders["loss"]):
        assert (leg["status"], leg["side"], leg["quantity"], leg["hold"]) == ("HELD", "SELL", 4, 0)
        assert (leg["parent_order_id"], leg["armed"]) == (entry["order_id"], False)
    assert (orders["loss"]["order_type"], orders["loss"]["stop_price"]) == ("STOP_LIMIT", 95)
    await seller.place("SELL", "3", "100")
    orders = await by_own_id(buyer)
    assert (orders["profit"]["status"], orders["profit"]["quantity"]) == ("PENDING", 3)
    assert (orders["loss"]["status"], orders["loss"]["armed"], orders["loss"]["trigger_price"]) == (
        "HELD",
        True,
        95,
    )
    taker = await small.trader("taker", cash="2000")
    await taker.place("BUY", "1", "110")
    orders = await by_own_id(buyer)
    assert (orders["profit"]["status"], orders["loss"]["remaining_quantity"]) == ("PARTIAL", 2)
    await taker.place("BUY", "2", "110")
    assert (await buyer("DELETE", f"/orders/{entry['order_id']}")).data["status"] == "CANCELLED"
    loss = (await by_own_id(buyer))["loss"]
    assert (loss["status"], loss["reason"]) == ("CANCELLED", "PAIR")
    told = (await buyer("GET", "/notifications")).data
    assert any("its pair has traded" in each["body"] for each in told)
    await small.world.written()
    assert await verify(database_dsn) == []


async def test_one_of_a_pair_ends_the_other(small: SmallKerb, database_dsn: str) -> None:
    seller = await small.trader("seller", units=4)
    pair = ENTRY | {"side": "SELL", "price": 110, "order_class": "OCO", "stop_loss": {"trail_percent": 5}}
    placed = await seller("POST", "/orders", pair)
    assert (placed.status, placed.data["status"], placed.data["order_class"]) == (201, "PENDING", "OCO")
    profit, loss = sorted((await seller("GET", "/orders")).data, key=lambda each: str(each["order_type"]))
    assert (loss["order_type"], loss["status"], loss["trigger_price"]) == ("TRAILING_STOP", "HELD", 95)
    assert profit == placed.data
    (holding,) = (await seller("GET", "/portfolio")).data["holdings"]
    assert (holding["quantity"], holding["available_quantity"]) == (4, 0)
    await small.world.written()
    assert await verify(database_dsn) == []
    cancelled = await seller("DELETE", f"/orders/{loss['order_id']}")
    assert (cancelled.data["status"], cancelled.data["reason"]) == ("CANCELLED", "USER")
    other = (await seller("GET", f"/orders/{profit['order_id']}")).data
    assert (other["status"], other["reason"]) == ("CANCELLED", "PAIR")
    await small.world.written()
    assert await verify(database_dsn) == []


async def test_an_order_that_arms_another_over_a_websocket(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    seller = await small.trader("seller", units=20)
    async with connected(small, buyer) as user, connected(small, buyer, protocols=["kerb.v1.proto"]) as other:
        for each in (user, other):
            await each.ask("subscribe", channels=["orders"])
        order = ENTRY | {"order_class": "OTO", "stop_loss": {"stop_price": 90}}
        entry = (await user.ask("order.place", order=order))["data"]
        told = [[(await each.on("orders"))["data"] for _ in range(2)] for each in (user, other)]
        assert told[0] == told[1]
        assert told[0][0] == entry
        assert (told[0][1]["order_id"], told[0][1]["status"]) == (entry["legs"][0], "HELD")
        await seller.place("SELL", "4", "100")
        told = [[(await each.on("orders"))["data"] for _ in range(2)] for each in (user, other)]
        assert told[0] == told[1]
        assert {each["order_id"]: each["status"] for each in told[0]} == {
            entry["order_id"]: "FILLED",
            entry["legs"][0]: "HELD",
        }
        wrong = await user.ask("order.place", order=ENTRY | EXITS | {"order_class": "OCO"})
        assert (wrong["code"], wrong["details"]) == ("BAD_REQUEST", {"field": "take_profit"})


async def test_legs_go_with_the_connection_that_placed_them(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    seller = await small.trader("seller", units=20)
    await seller.place("SELL", "4", "100")
    async with connected(small) as user:
        await user.ask("auth", token=buyer.token, cancel_on_disconnect=True)
        entry = (await user.ask("order.place", order=ENTRY | EXITS))["data"]
        assert (entry["status"], len(entry["legs"])) == ("FILLED", 2)
    while (await buyer("GET", "/orders?status=HELD,PENDING")).data:
        pass
    assert {each["status"] for each in (await buyer("GET", "/orders")).data} == {"FILLED", "CANCELLED"}


async def test_a_leg_keeps_its_quantity_and_may_move_its_stop(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    entry = (await buyer("POST", "/orders", ENTRY | EXITS)).data
    loss = f"/orders/{entry['legs'][1]}"
    refused = await buyer("PATCH", loss, {"quantity": 2})
    assert (refused.status, refused.code) == (422, "INVALID_REPLACE")
    moved = (await buyer("PATCH", loss, {"stop_price": 96})).data
    assert (moved["stop_price"], moved["parent_order_id"]) == (96, entry["order_id"])
    parent = (await buyer("GET", f"/orders/{entry['order_id']}")).data
    assert parent["legs"] == [entry["legs"][0], moved["order_id"]]


async def test_a_preview_of_a_bracket_is_that_of_its_entry(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    body = ENTRY | EXITS
    preview = (await buyer("POST", "/orders/preview", body)).data
    placed = (await buyer("POST", "/orders", body)).data
    assert (preview["accepted"], preview["status"], preview["hold_after"]) == (
        True,
        "PENDING",
        placed["hold"],
    )
    balance = (await buyer("GET", "/wallet/balance")).data
    assert preview["buying_power_after"] == balance["buying_power"]


async def test_a_preview_of_a_pair_says_what_both_hold_together(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    seller = await small.trader("seller", units=20)
    await seller.place("SELL", "1", "100")
    pair = ENTRY | {"order_class": "OCO", "stop_loss": {"stop_price": 104, "price": "106"}}
    preview = (await buyer("POST", "/orders/preview", pair)).data
    placed = (await buyer("POST", "/orders", pair)).data
    assert (
        (placed["status"], placed["hold"])
        == (preview["status"], preview["hold_after"])
        == ("PARTIAL", placed["hold"])
    )
    assert placed["hold"] > 3 * 106
    balance = (await buyer("GET", "/wallet/balance")).data
    assert preview["buying_power_after"] == balance["buying_power"]
