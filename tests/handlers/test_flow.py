"""A user's whole way over a real socket: register, deposit, trade, look, withdraw; all figures agree."""

from __future__ import annotations

import asyncio

from tests.handlers.small_kerb import Reply, SmallKerb, sign_in


async def test_register_deposit_buy_partly_cancel_sell_and_everything_agrees(small: SmallKerb) -> None:
    buyer = await small.trader("buyer", cash="2000")
    seller = await small.trader("seller", units=10)

    placed = await buyer.place("BUY", "10", "100.00", client_order_id="first")
    assert placed.status == 201
    order_id = placed.data["order_id"]
    assert b'"price":100.00,' in placed.body
    assert (placed.data["status"], placed.data["hold"]) == ("PENDING", 1002.5)
    assert placed.data["estimated_total"] == 1000

    sold = await seller.place("SELL", "4", "100.00", time_in_force="IOC")
    assert (sold.data["status"], sold.data["average_price"], sold.data["fee"]) == ("FILLED", 100, 1)

    partly = await buyer("GET", f"/orders/{order_id}")
    assert (partly.data["status"], partly.data["filled_quantity"]) == ("PARTIAL", 4)
    assert partly.meta["as_of_seq"] == small.world.state.seq

    cancelled = await buyer("DELETE", f"/orders/{order_id}")
    assert cancelled.status == 200
    assert (cancelled.data["status"], cancelled.data["reason"], cancelled.data["fee"]) == (
        "CANCELLED",
        "USER",
        0.4,
    )
    again = await buyer("DELETE", f"/orders/{order_id}")
    assert (again.status, again.code) == (409, "ORDER_NOT_OPEN")
    assert (await buyer("GET", f"/orders/{order_id}")).data["status"] == "CANCELLED"

    resold = await buyer.place("SELL", "1", "120.00")
    assert resold.data["status"] == "PENDING"

    wallet = (await buyer("GET", "/wallet/balance")).data
    assert wallet == {
        "currency": "USD", "balance": 1599.6, "available": 1599.6, "held": 0, "unsettled": 0,
        "withdrawable": 1599.6, "buying_power": 1599.6,
    }  # fmt: skip

    lines = (await buyer("GET", "/wallet/transactions")).data
    assert [(line["type"], line["amount"], line["balance_after"]) for line in lines] == [
        ("FEE", -0.4, 1599.6),
        ("BUY", -400, 1600),
        ("DEPOSIT", 2000, 2000),
    ]
    assert lines[1]["reference_id"] == order_id
    one = await buyer("GET", f"/wallet/transactions/{lines[2]['transaction_id']}")
    assert one.data == lines[2]

    fills = (await buyer("GET", f"/orders/{order_id}/executions")).data
    assert [(fill["quantity"], fill["price"], fill["fee"], fill["liquidity"]) for fill in fills] == [
        (4, 100, 0.4, "MAKER")
    ]

    portfolio = (await buyer("GET", "/portfolio")).data
    assert portfolio["cash_balance"] == 1599.6
    assert portfolio["total_value"] == 1999.6
    assert portfolio["total_invested"] == 400
    assert portfolio["total_pnl"] == -0.4
    (holding,) = portfolio["holdings"]
    assert (holding["symbol"], holding["quantity"], holding["available_quantity"]) == ("AAPL", 4, 3)
    assert (holding["average_cost"], holding["current_price"], holding["unrealized_pnl"]) == (100, 100, 0)
    assert (await buyer("GET", "/portfolio/holdings")).data == [holding]


async def test_a_withdrawal_is_held_then_paid_under_one_id(small: SmallKerb) -> None:
    client = await small.trader(cash="100.50")
    requested = await client("POST", "/wallet/withdraw", {"amount": "0.50"})
    assert requested.status == 201
    assert (requested.data["status"], requested.data["amount"]) == ("PENDING", -0.5)
    withdrawal_id = requested.data["transaction_id"]
    statuses = set()
    while "COMPLETED" not in statuses:
        found = await client("GET", f"/wallet/transactions/{withdrawal_id}")
        assert found.data["transaction_id"] == withdrawal_id
        statuses.add(found.data["status"])
    assert statuses <= {"PENDING", "COMPLETED"}
    lines = (await client("GET", "/wallet/transactions")).data
    assert [(line["transaction_id"], line["status"]) for line in lines] == [
        (withdrawal_id, "COMPLETED"),
        (lines[1]["transaction_id"], "COMPLETED"),
    ]
    shown = (await client("GET", f"/wallet/transactions/{withdrawal_id}")).data
    assert {**shown, "created_at": ""} == {**lines[0], "created_at": ""}
    assert (await client("GET", "/wallet/balance")).data["balance"] == 100


async def test_one_key_a_hundred_times_at_once_is_one_order(small: SmallKerb) -> None:
    client = await small.trader(cash="1000000")
    replies = await asyncio.gather(
        *(client.place("BUY", "1", "90", headers={"X-Idempotency-Key": "same"}) for _ in range(100))
    )
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert sum("Idempotency-Hit" in reply.headers for reply in replies) == 99
    assert len((await client("GET", "/orders?status=PENDING")).data) == 1

    other = await client.place("BUY", "2", "90", headers={"Idempotency-Key": "same"})
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_refusal_is_remembered_by_its_key(small: SmallKerb) -> None:
    client = await small.trader(cash="10")
    key = {"X-Idempotency-Key": "poor"}
    first = await client.place("BUY", "1", "90", headers=key)
    assert (first.status, first.code) == (422, "INSUFFICIENT_FUNDS")
    assert first.error["details"] == {"required": 90.225, "available": 10}
    await client.deposit("1000")
    second = await client.place("BUY", "1", "90", headers=key)
    assert second.code == "INSUFFICIENT_FUNDS"
    assert second.headers["Idempotency-Hit"] == "true"


async def test_a_replacement_links_both_orders(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    old = (await client.place("BUY", "2", "90")).data["order_id"]
    new = await client("PATCH", f"/orders/{old}", {"price": 91, "quantity": "3"})
    assert new.status == 200
    assert (new.data["replaces"], new.data["price"], new.data["quantity"]) == (old, 91, 3)
    before = (await client("GET", f"/orders/{old}")).data
    assert (before["status"], before["replaced_by"]) == ("REPLACED", new.data["order_id"])
    same = await client("PATCH", f"/orders/{new.data['order_id']}", {"price": 91})
    assert (same.status, same.code) == (422, "INVALID_REPLACE")
    final = await client("PATCH", f"/orders/{old}", {"price": 92})
    assert (final.status, final.code) == (409, "ORDER_NOT_OPEN")


def ids_of(reply: Reply) -> list[str]:
    return [order["order_id"] for order in reply.data]


async def test_lists_of_orders_by_page_cursor_and_filter(small: SmallKerb) -> None:
    client = await small.trader(cash="100000")
    ids = [(await client.place("BUY", "1", "90")).data["order_id"] for _ in range(5)]
    await client("DELETE", f"/orders/{ids[0]}")
    newest_first = ids[::-1]

    assert ids_of(await client("GET", "/orders")) == newest_first
    assert ids_of(await client("GET", "/orders?page=2&limit=2")) == newest_first[2:4]
    assert ids_of(await client("GET", "/orders?page=9&limit=2")) == []
    open_ones = await client("GET", "/orders?status=PENDING,PARTIAL&page=2&limit=3")
    assert (ids_of(open_ones), open_ones.meta["total"]) == (newest_first[3:4], 4)
    assert ids_of(await client("GET", "/orders?status=CANCELLED")) == ids[:1]
    assert ids_of(await client("GET", "/orders?symbol=TSLA")) == []

    first = await client("GET", "/orders/history?limit=3")
    rest = await client("GET", f"/orders/history?limit=3&cursor={first.meta['next_cursor']}")
    assert ids_of(first) + ids_of(rest) == newest_first
    assert "next_cursor" not in rest.meta
    assert ids_of(await client("GET", "/orders/history?to_date=2001-01-01")) == []

    gone = await client("DELETE", "/orders?symbol=TSLA")
    assert gone.data == []
    assert {order["status"] for order in (await client("DELETE", "/orders")).data} == {"CANCELLED"}
    assert ids_of(await client("GET", "/orders?status=PENDING")) == []


async def test_two_buys_at_once_for_money_that_covers_one(small: SmallKerb) -> None:
    client = await small.trader()
    for _ in range(20):
        await client.deposit("100.25")
        replies = await asyncio.gather(client.place("BUY", "1", "100"), client.place("BUY", "1", "100"))
        assert sorted(reply.status for reply in replies) == [201, 422]
        assert (await client("DELETE", "/orders")).status == 200
        assert (await client("POST", "/wallet/withdraw", {"amount": "100.25"})).status == 201
        assert (await client("GET", "/wallet/balance")).data["available"] == 0


async def test_market_data_is_public(small: SmallKerb) -> None:
    seller = await small.trader("seller", units=10)
    buyer = await small.trader("buyer", cash="1000")
    await seller.place("SELL", "5", "101.5")
    await buyer.place("BUY", "2", "101.5")
    await buyer.place("BUY", "1", "99")
    anybody = small.anonymous()
    quote = (await anybody("GET", "/stocks/AAPL/quote")).data
    assert (quote["price"], quote["bid"], quote["ask"], quote["ask_size"]) == (101.5, 99, 101.5, 3)
    depth = (await anybody("GET", "/stocks/AAPL/depth")).data
    assert (depth["bids"], depth["asks"]) == ([[99, 1, 1]], [[101.5, 3, 1]])
    (trade,) = (await anybody("GET", "/stocks/AAPL/trades")).data
    assert (trade["price"], trade["quantity"], trade["taker_side"]) == (101.5, 2, "BUY")
    assert (await anybody("GET", "/stocks/AAPL")).data["phase"] == "CONTINUOUS"
    assert [hit["symbol"] for hit in (await anybody("GET", "/stocks/search?q=tsl")).data] == ["TSLA"]
    (candle,) = (await anybody("GET", "/stocks/AAPL/chart?interval=1d&range=1y")).data["candles"]
    assert (candle["close"], candle["volume"], candle["trades"]) == (101.5, 2, 1)
    assert (await anybody("GET", "/market/status")).data["status"] == "OPEN"


async def test_an_operator_halts_disables_and_kills(small: SmallKerb) -> None:
    trader = await small.trader(cash="1000")
    admin = await small.admin()
    resting = (await trader.place("BUY", "1", "90")).data["order_id"]

    assert (await trader("POST", "/admin/kill-switch", {"scope": "MARKET", "on": True})).status == 403
    halted = await admin("POST", "/admin/instruments/AAPL/halt", {"reason": "news"})
    assert (halted.status, halted.data) == (200, {"symbol": "AAPL", "halted": True})
    assert (await trader.place("BUY", "1", "90")).code == "SYMBOL_HALTED"
    assert (await admin("POST", "/admin/instruments/AAPL/resume")).status == 200
    not_halted = await admin("POST", "/admin/instruments/AAPL/resume")
    assert (not_halted.status, not_halted.code) == (409, "SYMBOL_NOT_HALTED")
    assert (await admin("POST", "/admin/instruments/NOPE/halt")).status == 404

    assert (await admin("POST", f"/admin/users/{trader.user_id}/disable")).data["status"] == "DISABLED"
    refused = await trader.place("BUY", "1", "90")
    assert (refused.status, refused.code) == (403, "ACCOUNT_DISABLED")
    assert (await admin("POST", f"/admin/users/{trader.user_id}/enable")).status == 200
    await sign_in(trader, "trader@example.com")
    assert (await trader("GET", f"/orders/{resting}")).data["reason"] == "ACCOUNT_DISABLED"

    switch = {"scope": "ACCOUNT", "target": f"acc_{trader.account_id}", "on": True}
    assert (await admin("POST", "/admin/kill-switch", switch)).status == 200
    assert (await trader.place("BUY", "1", "90")).code == "KILL_SWITCH_ON"
    assert (await admin("POST", "/admin/kill-switch", switch | {"on": False})).status == 200
    assert (await trader.place("BUY", "1", "90")).status == 201


async def test_health_readiness_and_metrics(small: SmallKerb) -> None:
    trader = await small.trader(cash="1000")
    await trader.place("BUY", "1", "90")
    await trader.place("BUY", "1000", "90")
    anybody = small.anonymous()
    assert (await anybody("GET", "/healthz", root=True)).json == {"status": "ok"}
    ready = await anybody("GET", "/readyz", root=True)
    assert (ready.status, ready.json["database"], ready.json["commands"]) == (200, "ok", "OPEN")
    async with small.http.get(f"{small.url}/metrics") as response:
        text = await response.text()
        assert response.headers["Content-Type"].startswith("text/plain")
    assert 'kerb_orders_total{source="http"} 1.0' in text
    assert 'kerb_refusals_total{code="INSUFFICIENT_FUNDS"} 1.0' in text
    assert 'kerb_http_requests_total{route="POST /api/v1/orders",status="201"} 1.0' in text
    assert "kerb_http_request_seconds_bucket" in text
    assert "kerb_write_behind_lag_records" in text


async def test_the_profile_says_who_i_am(small: SmallKerb) -> None:
    client = await small.trader("somebody")
    profile = (await client("GET", "/users/profile")).data
    assert profile["email"] == "somebody@example.com"
    assert profile["user_id"] == client.user_id
    assert profile["account_id"] == f"acc_{client.account_id}"
    assert profile["roles"] == ["trader"]
    assert "password" not in str(profile)
