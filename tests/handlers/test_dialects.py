"""The dialects of reference documents 002 and 003: their names and shapes, over the same orders and money."""

from __future__ import annotations

from engine.kinds import OrderStatus
from handlers.dialect_trades import FINAL, STATUSES
from tests.handlers.small_kerb import SmallKerb


def test_every_order_status_has_a_trade_status() -> None:
    assert set(STATUSES) == set(OrderStatus)
    assert {STATUSES[status] for status in FINAL} == {"executed", "canceled"}


async def test_document_002_places_reads_and_cancels_the_same_orders(small: SmallKerb) -> None:
    user = await small.trader("dialect", cash="5000")
    body = {"symbol": "AAPL", "side": "BUY", "quantity": 10, "type": "LIMIT", "price": 100.5}
    key = {"X-Idempotency-Key": "6f1c1c9e-0000-4000-8000-000000000000"}
    placed = await user("POST", "/v1/orders", body, headers=key, root=True)
    assert (placed.status, placed.data["stock_symbol"], placed.data["status"]) == (201, "AAPL", "PENDING")
    again = await user("POST", "/v1/orders", body, headers=key, root=True)
    assert (again.data, again.headers["Idempotency-Hit"]) == (placed.data, "true")
    order_id = placed.data["order_id"]
    assert (await user("GET", f"/v1/orders/{order_id}", root=True)).data == placed.data
    assert (await user("GET", f"/orders/{order_id}")).data == placed.data
    cancelled = await user("DELETE", f"/v1/orders/{order_id}", root=True)
    assert cancelled.data["status"] == "CANCELLED"


async def test_document_002_says_what_is_wrong_as_every_route_does(small: SmallKerb) -> None:
    user = await small.trader("dialect", cash="50")
    body = {"symbol": "AAPL", "side": "BUY", "quantity": 10, "type": "LIMIT", "price": 100.5}
    poor = await user("POST", "/v1/orders", body, root=True)
    assert (poor.status, poor.code) == (422, "INSUFFICIENT_FUNDS")
    wrong = await user("POST", "/v1/orders", body | {"stock_symbol": "AAPL"}, root=True)
    assert (wrong.status, wrong.code) == (400, "BAD_REQUEST")
    assert (await small.anonymous()("POST", "/v1/orders", body, root=True)).status == 401


async def test_terms_that_say_nothing_are_taken_in_every_dialect(small: SmallKerb) -> None:
    user = await small.trader("dialect", cash="5000")
    order = {"symbol": "AAPL", "side": "BUY", "quantity": 1, "type": "LIMIT", "price": 90}
    trade = {"stockSymbol": "AAPL", "quantity": 1, "pricePerShare": 90, "tradeType": "buy"}
    defaults = {"post_only": False, "order_class": "SIMPLE", "self_trade_prevention": "CANCEL_OLDEST"}
    assert (await user("POST", "/v1/orders", order | defaults | {"lots": None}, root=True)).status == 201
    placed = await user("POST", "/trade/place", trade | {"postOnly": False, "stopLoss": None}, root=True)
    assert placed.status == 201
    path = f"/orders/{placed.json['tradeId']}"
    assert (await user("PATCH", path, {"price": 89, "post_only": False, "stop_price": None})).status == 200
    for wrong in ({"post_only": False}, {"postOnly": 1}):
        assert (await user("POST", "/trade/place", trade | wrong, root=True)).code == "BAD_REQUEST"


async def test_document_003_trades_in_its_own_words(small: SmallKerb) -> None:
    user = await small.trader("dialect", cash="5000")
    seller = await small.trader("seller", units=10)
    body = {"stockSymbol": "AAPL", "quantity": 4, "pricePerShare": "100.25", "tradeType": "buy"}
    placed = await user("POST", "/trade/place", body, root=True)
    assert placed.status == 201
    trade = placed.json
    assert trade | {"createdAt": "", "updatedAt": ""} == {
        "tradeId": trade["tradeId"], "userId": user.user_id, "stockSymbol": "AAPL", "quantity": 4,
        "filledQuantity": 0, "pricePerShare": 100.25, "totalPrice": 401, "tradeType": "buy",
        "status": "pending", "createdAt": "", "updatedAt": "",
    }  # fmt: skip
    balance = (await user("GET", "/balance", root=True)).json
    assert balance == {
        "userId": user.user_id, "availableBalance": 4597.9975, "heldForTrades": 402.0025, "totalBalance": 5000,
    }  # fmt: skip

    await seller.place("SELL", "1", "100.25")
    path = f"/trade/{trade['tradeId']}"
    assert (await user("GET", path, root=True)).json["status"] == "partiallyExecuted"
    canceled = await user("POST", f"{path}/cancel", root=True)
    assert (canceled.json["status"], canceled.json["totalPrice"]) == ("canceled", 100.25)
    assert (await user("POST", f"{path}/cancel", root=True)).code == "ORDER_NOT_OPEN"
    sold = await user(
        "POST", "/trade/place", {"stockSymbol": "AAPL", "quantity": 1, "tradeType": "sell"}, root=True
    )
    assert sold.json["status"] == "canceled", "a market order without anybody on the other side"

    portfolio = (await user("GET", "/portfolio", root=True)).json
    assert portfolio == {
        "userId": user.user_id,
        "holdings": [{"stockSymbol": "AAPL", "quantity": 1, "averagePurchasePrice": 100.25}],
        "totalValue": 100.25,
    }
    history = (await user("GET", "/transaction-history", root=True)).json
    assert [each["tradeId"] for each in history] == [sold.json["tradeId"], trade["tradeId"]]
    first = await user("GET", "/transaction-history?limit=1", root=True)
    rest = await user("GET", f"/transaction-history?cursor={first.headers['Next-Cursor']}", root=True)
    assert first.json + rest.json == history


async def test_document_003_hides_the_trades_of_others(small: SmallKerb) -> None:
    user, other = await small.trader("mine", cash="500"), await small.trader("other", cash="500")
    body = {"stockSymbol": "AAPL", "quantity": 1, "pricePerShare": 90, "tradeType": "buy"}
    trade_id = (await user("POST", "/trade/place", body, root=True)).json["tradeId"]
    assert (await other("GET", f"/trade/{trade_id}", root=True)).status == 404
    assert (await other("POST", f"/trade/{trade_id}/cancel", root=True)).status == 404
    assert (await user("GET", f"/trade/{trade_id}", root=True)).json["status"] == "pending"
