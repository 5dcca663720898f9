"""Orders with terms over real sockets: placed, changed, fired, streamed, and read from the history as they were live."""

from __future__ import annotations

from typing import Any

from engine.commands import Envelope, SetCalendar
from engine.kinds import Phase, Source
from engine.units import HOUR_US
from tests.handlers.small_kerb import Client, Reply, SmallKerb
from tests.handlers.websocket_user import connected

STOP: dict[str, Any] = {"stock_symbol": "AAPL", "side": "SELL", "order_type": "STOP_LOSS", "quantity": 4}


async def placed(client: Client, **order: Any) -> Any:
    reply = await client("POST", "/orders", STOP | order)
    assert reply.status == 201, reply
    return reply.data


async def traded_at(small: SmallKerb, price: str, units: str = "1") -> None:
    """Two others trade, so that this is the price."""
    name = price.replace(".", "-")
    buyer = await small.trader(f"buyer-{name}", cash="100000")
    seller = await small.trader(f"seller-{name}", units=100)
    await buyer.place("BUY", units, price)
    assert (await seller.place("SELL", units, price)).data["status"] == "FILLED"


async def test_a_stop_waits_fires_and_stays_readable_as_it_was(small: SmallKerb) -> None:
    seller = await small.trader("stopper", units=10)
    await traded_at(small, "100")
    stop = await placed(seller, order_type="STOP_LIMIT", stop_price="95.5", price="94.5", time_in_force="GTC")
    assert (stop["status"], stop["stop_price"], stop["trigger_price"], stop["price"]) == (
        "HELD",
        95.5,
        95.5,
        94.5,
    )
    assert "triggered_at" not in stop
    path = f"/orders/{stop['order_id']}"
    assert (await seller("GET", "/orders?status=HELD")).data == [stop]
    await traded_at(small, "95")
    live = (await seller("GET", path)).data
    assert live["status"] == "PENDING"
    assert live["triggered_at"] == live["updated_at"] > live["created_at"]
    assert (await seller("GET", "/notifications")).data[0]["kind"] == "ORDER_TRIGGERED"
    buyer = await small.trader("buyer", cash="1000")
    await buyer.place("BUY", "4", "94.5")
    closed = (await seller("GET", path)).data
    assert closed["status"] == "FILLED"
    changing = {
        "status",
        "filled_quantity",
        "remaining_quantity",
        "average_price",
        "fee",
        "updated_at",
        "filled_at",
    }
    unchanged = {name: value for name, value in live.items() if name not in changing}
    assert {name: closed[name] for name in unchanged} == unchanged
    assert (await seller("GET", "/orders/history")).data == [closed]
    operator = await small.admin()
    (seen,) = (await operator("GET", f"/admin/orders?user_id={seller.user_id}")).data
    assert {name: value for name, value in seen.items() if name not in ("account_id", "user_id")} == closed


async def test_a_replacement_moves_a_stop_and_a_trail(small: SmallKerb) -> None:
    seller = await small.trader("stopper", units=20)
    await traded_at(small, "100")
    stop = await placed(seller, stop_price=90)
    moved = await seller("PATCH", f"/orders/{stop['order_id']}", {"stop_price": "92.25"})
    assert (moved.status, moved.data["stop_price"], moved.data["replaces"]) == (200, 92.25, stop["order_id"])
    old = (await seller("GET", f"/orders/{stop['order_id']}")).data
    assert (old["status"], old["stop_price"], old["replaced_by"]) == ("REPLACED", 90, moved.data["order_id"])
    trailing = await placed(seller, order_type="TRAILING_STOP", trail_amount=5)
    assert (trailing["trail_amount"], trailing["trigger_price"], trailing["price"]) == (5, 95, None)
    narrower = (await seller("PATCH", f"/orders/{trailing['order_id']}", {"trail_percent": "2.5"})).data
    assert (narrower["trail_percent"], narrower["trigger_price"]) == (2.5, 97.5)
    assert "trail_amount" not in narrower
    both = await seller("PATCH", f"/orders/{narrower['order_id']}", {"trail_percent": 1, "trail_amount": 1})
    assert (both.status, both.error["details"]) == (400, {"field": "trail_percent"})
    resting = (await seller.place("SELL", "1", "120")).data["order_id"]
    refused = await seller("PATCH", f"/orders/{resting}", {"stop_price": 90})
    assert (refused.status, refused.code) == (422, "INVALID_TERMS")
    assert refused.error["details"] == {"field": "stop_price"}


async def test_what_makes_no_sense_is_named(small: SmallKerb) -> None:
    seller = await small.trader("stopper", units=10)
    await traded_at(small, "100")

    async def refused(**order: Any) -> tuple[int, str, str | None]:
        reply = await seller("POST", "/orders", STOP | order)
        return reply.status, reply.code, reply.error["details"].get("field")

    later = {"time_in_force": "GTD", "expires_at": "2024-01-01T00:00:00Z"}
    limit = {"order_type": "LIMIT", "price": 101}
    assert await refused(stop_price=100) == (422, "STOP_PRICE_REACHED", None)
    assert await refused(stop_price=90, time_in_force="IOC") == (422, "INVALID_TERMS", "time_in_force")
    assert await refused(stop_price="90.001") == (422, "INVALID_TICK_SIZE", None)
    assert await refused(stop_price="90.00001") == (422, "INVALID_TICK_SIZE", "stop_price")
    assert await refused(**limit, extended_hours=True, time_in_force="IOC") == (
        422,
        "INVALID_TERMS",
        "extended_hours",
    )
    assert await refused(**limit, **later | {"expires_at": "2023-11-01T00:00:00Z"}) == (
        422,
        "INVALID_TERMS",
        "expires_at",
    )
    for named in ({"lot_method": "SPECIFIC"}, {"lots": [{"lot_id": "lot_7", "quantity": 4}]}):
        assert await refused(stop_price=90, **named) == (422, "INVALID_TERMS", "lots")
    assert await refused(stop_price=90, lot_method="SPECIFIC", lots=[{"lot_id": "lot_7", "quantity": 1}]) == (
        422, "INVALID_TERMS", "lots",
    )  # fmt: skip
    assert await refused(stop_price=90, lot_method="SPECIFIC", lots=[{"lot_id": "lot_7", "quantity": 4}]) == (
        422, "LOT_NOT_FOUND", None,
    )  # fmt: skip
    assert await refused(stop_price=90, trail_amount=1) == (400, "BAD_REQUEST", "trail_amount")
    assert (await seller("GET", "/orders")).data == []


async def test_a_time_is_kept_to_the_microsecond(small: SmallKerb) -> None:
    seller = await small.trader("dated", units=10)
    dated = {"order_type": "LIMIT", "price": 101, "time_in_force": "GTD"}
    order = await placed(seller, **dated, expires_at="2023-12-01T01:30:00.000001+01:30")
    assert (order["time_in_force"], order["expires_at"]) == ("GTD", "2023-12-01T00:00:00.000001Z")
    cancelled = (await seller("DELETE", f"/orders/{order['order_id']}")).data
    assert (cancelled["status"], cancelled["expires_at"]) == ("CANCELLED", order["expires_at"])


async def test_a_key_covers_the_terms(small: SmallKerb) -> None:
    seller = await small.trader("keyed", units=10)
    await traded_at(small, "100")
    key = {"Idempotency-Key": "one"}

    async def again(**order: Any) -> Reply:
        return await seller("POST", "/orders", STOP | order, headers=key)

    first = await again(stop_price=90)
    same = await again(stop_price="90.00", post_only=False, take_profit=None)
    assert (same.status, same.data, same.headers["Idempotency-Hit"]) == (201, first.data, "true")
    assert (await again(stop_price=91)).code == "IDEMPOTENCY_KEY_REUSED"
    assert (await again(stop_price=90, lot_method="LIFO")).code == "IDEMPOTENCY_KEY_REUSED"


async def test_the_same_over_a_websocket_in_both_forms(small: SmallKerb) -> None:
    seller = await small.trader("streamer", units=10)
    await traded_at(small, "100")
    async with (
        connected(small, seller) as user,
        connected(small, seller, protocols=["kerb.v1.proto"]) as other,
    ):
        for each in (user, other):
            await each.ask("subscribe", channels=["orders"])
        stop = (await user.ask("order.place", order=STOP | {"stop_price": 95}))["data"]
        assert (stop["status"], stop["stop_price"]) == ("HELD", 95)
        assert (await user.on("orders"))["data"] == (await other.on("orders"))["data"] == stop
        trailing = STOP | {"order_type": "TRAILING_STOP", "trail_percent": 10, "quantity": 1}
        batch = await user.ask(
            "orders.batch",
            orders=[
                {"place": trailing},
                {"place": STOP | {"stop_price": 95, "price": 94}},
                {"cancel": stop["order_id"]},
                {"place": STOP | {"order_type": "LIMIT", "price": 102, "quantity": 1}},
            ],
        )
        assert [each.get("code", each["type"]) for each in batch["data"]] == ["ok", "BAD_REQUEST", "ok", "ok"]
        assert batch["data"][0]["data"]["trigger_price"] == 90
        wrong = await user.ask("order.place", order=STOP)
        assert (wrong["code"], wrong["details"]) == ("BAD_REQUEST", {"field": "stop_price"})
        reached = await user.ask("order.place", order=STOP | {"stop_price": 100})
        assert reached["code"] == "STOP_PRICE_REACHED"
        for _ in range(3):
            assert (await user.on("orders"))["data"] == (await other.on("orders"))["data"]
        await traded_at(small, "89")
        told = [(await each.on("orders"))["data"] for each in (user, other)]
        assert told[0] == told[1]
        assert told[0]["trail_percent"] == 10
        assert told[0]["triggered_at"] == told[0]["updated_at"]


async def test_a_preview_of_a_stop_trades_nothing(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    await traded_at(small, "100")
    seller = await small.trader("seller", units=10)
    await seller.place("SELL", "5", "100")
    order = STOP | {"side": "BUY", "stop_price": 104}
    preview = (await buyer("POST", "/orders/preview", order)).data
    assert (preview["accepted"], preview["status"], preview["filled_quantity"]) == (True, "HELD", 0)
    stop = await placed(buyer, side="BUY", stop_price=104)
    assert stop["hold"] == preview["hold_after"] == preview["hold"]
    balance = (await buyer("GET", "/wallet/balance")).data
    assert balance["buying_power"] == preview["buying_power_after"]
    reached = (await buyer("POST", "/orders/preview", order | {"stop_price": 100})).data
    assert [each["code"] for each in reached["refusals"]] == ["STOP_PRICE_REACHED"]


async def test_a_sale_names_its_lots(small: SmallKerb) -> None:
    seller = await small.trader("holder", units=3)
    await traded_at(small, "100")
    (lot,) = (await seller("GET", "/portfolio/lots")).data
    named = {"lot_method": "SPECIFIC", "lots": [{"lot_id": lot["lot_id"], "quantity": 2}]}
    order = await placed(seller, order_type="LIMIT", price=101, quantity=2, **named)
    assert {name: order[name] for name in named} == named
    taken = await seller(
        "POST", "/orders", STOP | {"order_type": "LIMIT", "price": 101, "quantity": 2} | named
    )
    assert (taken.status, taken.code) == (422, "LOT_TAKEN")


async def test_the_dialects_have_them_too(small: SmallKerb) -> None:
    seller = await small.trader("dialect", units=10)
    await traded_at(small, "100")
    body = {
        "symbol": "AAPL",
        "side": "SELL",
        "quantity": 2,
        "type": "STOP_LIMIT",
        "price": 94,
        "stop_price": 95,
    }
    stop = await seller("POST", "/v1/orders", body, root=True)
    assert (stop.status, stop.data["status"], stop.data["stop_price"]) == (201, "HELD", 95)
    wrong = await seller("POST", "/v1/orders", body | {"type": "LIMIT"}, root=True)
    assert (wrong.status, wrong.error["details"]) == (400, {"field": "stop_price"})
    trade = {"stockSymbol": "AAPL", "quantity": 1, "tradeType": "sell"}
    for more, order_type in (
        ({"stopPrice": 95}, "STOP_LOSS"),
        ({"stopPrice": 95, "pricePerShare": "94.5"}, "STOP_LIMIT"),
        ({"trailPercent": 5}, "TRAILING_STOP"),
        ({"pricePerShare": 110, "expiresAt": "2023-12-01T00:00:00Z"}, "LIMIT"),
    ):
        placed = await seller("POST", "/trade/place", trade | more, root=True)
        assert (placed.status, placed.json["status"]) == (201, "pending"), placed
        order = (await seller("GET", f"/orders/{placed.json['tradeId']}")).data
        assert order["order_type"] == order_type
    for wrong_terms, field in (
        ({"stopPrice": 0}, "stopPrice"),
        ({"trailAmount": 1, "pricePerShare": 90}, "pricePerShare"),
        ({"pricePerShare": "dear"}, "pricePerShare"),
        ({"pricePerShare": 90, "expiresAt": "soon"}, "expiresAt"),
        ({"pricePerShare": 90, "stopLoss": {"stopPrice": 1}}, "stopLoss"),
    ):
        refused = await seller("POST", "/trade/place", trade | wrong_terms, root=True)
        assert (refused.status in (400, 422), refused.error["details"]) == (True, {"field": field}), refused


async def test_a_market_order_waits_for_the_session_unless_it_says_otherwise(small: SmallKerb) -> None:
    buyer = await small.trader("early", cash="1000")
    now_us = small.world.runtime.now_us()
    opening = ((now_us, Phase.PRE_OPEN), (now_us + HOUR_US, Phase.CONTINUOUS))
    calendar = SetCalendar("ALWAYS", ((now_us, 10**17),), opening)
    await small.services.runtime.execute(calendar, Envelope(Source.CONFIG))
    body = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "MARKET", "quantity": 1}
    key = {"Idempotency-Key": "early"}
    waiting = await buyer("POST", "/orders", body, headers=key)
    assert (waiting.status, waiting.data["status"], waiting.data["time_in_force"]) == (201, "PENDING", "DAY")
    assert (await buyer("POST", "/orders/preview", body)).data["status"] == "PENDING"
    taking = await buyer("POST", "/orders", body | {"time_in_force": "IOC"})
    assert (taking.status, taking.code) == (422, "SESSION_CLOSED")
    async with connected(small, buyer) as user:
        assert (await user.ask("order.place", order=body))["data"]["time_in_force"] == "DAY"
    always = SetCalendar("ALWAYS", ((1, 10**17),))
    await small.services.runtime.execute(always, Envelope(Source.CONFIG))
    again = await buyer("POST", "/orders", body, headers=key)
    assert (again.data, again.headers["Idempotency-Hit"]) == (waiting.data, "true")
    fresh = await buyer("POST", "/orders", body)
    assert (fresh.data["time_in_force"], fresh.data["status"]) == ("IOC", "CANCELLED")
