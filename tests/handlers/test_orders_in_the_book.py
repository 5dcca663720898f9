"""Icebergs, orders that must not take, and orders for an amount of cash, over real sockets."""

from __future__ import annotations

from typing import Any

from tests.handlers.small_kerb import SmallKerb
from tests.handlers.websocket_user import connected, limit_order

CASH: dict[str, Any] = {
    "stock_symbol": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "price": 99,
    "notional": 500,
}


async def test_an_iceberg_shows_its_slice_and_its_owner_all_of_it(small: SmallKerb) -> None:
    seller = await small.trader("seller", units=10)
    placed = (await seller.place("SELL", "10", "101", display_quantity="2.5")).data
    assert (placed["status"], placed["quantity"], placed["display_quantity"]) == ("PENDING", 10, 2.5)
    depth = (await small.anonymous()("GET", "/stocks/AAPL/depth")).data
    assert depth["asks"] == [[101, 2.5, 1]]
    buyer = await small.trader("buyer", cash="2000")
    order = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": 6, "price": 101}
    preview = (await buyer("POST", "/orders/preview", order)).data
    bought = (await buyer("POST", "/orders", order)).data
    assert (bought["status"], bought["average_price"]) == ("FILLED", 101)
    assert (preview["status"], preview["fee"], preview["amount"]) == ("FILLED", bought["fee"], 606)
    assert (await small.anonymous()("GET", "/stocks/AAPL/depth")).data["asks"] == [[101, 1.5, 1]]
    live = (await seller("GET", f"/orders/{placed['order_id']}")).data
    assert (live["status"], live["remaining_quantity"], live["display_quantity"]) == ("PARTIAL", 4, 2.5)
    for wrong in ("10", "0.00001"):
        refused = await seller.place("SELL", "4", "101", display_quantity=wrong)
        assert (refused.status, refused.code) == (422, "INVALID_TERMS"), refused
        assert refused.error["details"] == {"field": "display_quantity"}


async def test_what_must_not_take_rests_or_is_refused(small: SmallKerb) -> None:
    seller = await small.trader("seller", units=10)
    buyer = await small.trader("buyer", cash="2000")
    await seller.place("SELL", "1", "101")
    resting = await buyer.place("BUY", "1", "100", post_only=True)
    assert (resting.data["status"], resting.data["post_only"]) == ("PENDING", True)
    refused = await buyer.place("BUY", "1", "101", post_only=True)
    assert (refused.status, refused.code) == (422, "POST_ONLY_WOULD_TAKE")
    order = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": 1, "price": 101}
    preview = (await buyer("POST", "/orders/preview", order | {"post_only": True})).data
    assert [each["code"] for each in preview["refusals"]] == ["POST_ONLY_WOULD_TAKE"]
    never = await buyer.place("BUY", "1", "100", post_only=True, time_in_force="IOC")
    assert (never.code, never.error["details"]) == ("INVALID_TERMS", {"field": "post_only"})
    async with connected(small, buyer) as user:
        answer = await user.ask(
            "orders.batch",
            orders=[{"place": limit_order("BUY", "1", price, post_only=True)} for price in ("99", "101")],
        )
        assert [each.get("code", each["type"]) for each in answer["data"]] == ["ok", "POST_ONLY_WOULD_TAKE"]
        taken = await user.ask("order.place", order=limit_order("BUY", "1", "101", post_only=True))
        assert taken["code"] == "POST_ONLY_WOULD_TAKE"


async def test_an_order_for_an_amount_has_the_quantity_that_it_pays(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    placed = await buyer("POST", "/orders", CASH)
    assert (placed.status, placed.data["notional"], placed.data["quantity"]) == (201, 500, 5.05)
    seller = await small.trader("seller", units=10)
    await seller.place("SELL", "5", "100")
    market = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "MARKET", "notional": "250"}
    preview = (await buyer("POST", "/orders/preview", market)).data
    bought = (await buyer("POST", "/orders", market)).data
    assert (bought["status"], bought["quantity"], bought["estimated_total"]) == ("FILLED", 2.5, 250)
    assert (preview["filled_quantity"], preview["amount"]) == (2.5, 250)
    small_change = await buyer("POST", "/orders", CASH | {"notional": "0.0001"})
    assert (small_change.status, small_change.code) == (422, "NOTIONAL_TOO_SMALL")
    both = await buyer("POST", "/orders", CASH | {"quantity": 5})
    assert (both.status, both.error["details"]) == (400, {"field": "notional"})
