"""A user's whole way through the real server: every surface tells the same story, to the last unit."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from server.demo import PASSWORD, TRADERS
from tests.kerb_process import KerbProcess

# 12.25 × 227.01 = 2780.8725 with a maker's fee of 0.05 % = 1.39043625, rounded up; 2.25 × 230 with a taker's of 0.1 %.
PAID, BUY_FEE, GOT, SELL_FEE = map(Decimal, ("2780.8725", "1.3905", "517.50", "0.5175"))
CASH = Decimal("10000.0001") - PAID - BUY_FEE + GOT - SELL_FEE

EXACT = msgspec.json.Decoder(float_hook=Decimal)


class PrivateStream:
    """A signed-in WebSocket that follows `orders` and `balance`, and keeps all it was sent."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: dict[str, list[dict[str, Any]]] = {"orders": [], "balance": []}
        self.seqs: dict[str, int] = {}

    async def until(self, channel: str, wanted: Any) -> dict[str, Any]:
        """Read until an event satisfies `wanted`; every event must follow the one before without a hole."""
        while True:
            message = EXACT.decode((await self.socket.receive_str()).encode())
            name = message.get("channel")
            if name is None:
                assert message["type"] in ("ok", "subscribed"), message
                continue
            last = self.seqs.get(name)
            assert last is None or message["prev_seq"] == last or message["seq"] == last, message
            self.seqs[name] = message["seq"]
            self.events[name].append(message["data"])
            if name == channel and wanted(message["data"]):
                return message["data"]  # type: ignore[no-any-return]


async def follow(kerb: KerbProcess, http: aiohttp.ClientSession, token: str) -> PrivateStream:
    socket = await http.ws_connect(kerb.url.replace("http", "ws") + "/api/v1/ws")
    await socket.send_json({"action": "auth", "token": token, "id": 1})
    await socket.send_json({"action": "subscribe", "channels": ["orders", "balance"], "id": 2})
    stream = PrivateStream(socket)
    for _ in range(2):
        reply = await socket.receive_json()
        assert reply["type"] in ("ok", "subscribed"), reply
    return stream


async def test_register_deposit_buy_in_part_cancel_sell_and_all_figures_agree(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    seller = await kerb.sign_in(http, TRADERS[0].email, PASSWORD)
    user = await kerb.register(http, "flow@example.com")
    async with asyncio.timeout(30):
        stream = await follow(kerb, http, user.token)
        await user.deposit("10000.0001")
        await stream.until("balance", lambda data: data["balance"] == Decimal("10000.0001"))

        placed = await user.place("BUY", "30.5", "227.01", client_order_id="mine")
        order_id = placed.data["order_id"]
        await stream.until("orders", lambda data: data["status"] == "PENDING")
        sold = await seller.place("SELL", "12.25", "227.01", time_in_force="IOC")
        assert sold.data["status"] == "FILLED"
        await stream.until("orders", lambda data: data["status"] == "PARTIAL")
        cancelled = await user("DELETE", f"/orders/{order_id}")
        assert cancelled.data["status"] == "CANCELLED"
        await stream.until("orders", lambda data: data["status"] == "CANCELLED")

        # The other trader buys back part of it, above what was paid.
        bought = await seller.place("BUY", "2.25", "230.00")
        assert bought.data["status"] == "PENDING"
        resold = await user.place("SELL", "2.25", "230.00")
        assert resold.data["status"] == "FILLED"
        filled = await stream.until("orders", lambda data: data["status"] == "FILLED")
        assert filled["order_id"] == resold.data["order_id"]
        await stream.until("balance", lambda data: data["balance"] == CASH)

    wallet = EXACT.decode((await user("GET", "/wallet/balance")).body)["data"]
    assert (wallet["balance"], wallet["held"], wallet["available"]) == (CASH, 0, CASH)
    assert stream.events["balance"][-1]["balance"] == CASH

    lines = EXACT.decode((await user("GET", "/wallet/transactions")).body)["data"]
    assert [(line["type"], line["amount"]) for line in lines] == [
        ("FEE", -SELL_FEE),
        ("SELL", GOT),
        ("FEE", -BUY_FEE),
        ("BUY", -PAID),
        ("DEPOSIT", Decimal("10000.0001")),
    ]
    assert lines[0]["balance_after"] == CASH
    assert sum(line["amount"] for line in lines) == CASH

    portfolio = EXACT.decode((await user("GET", "/portfolio")).body)["data"]
    (holding,) = portfolio["holdings"]
    assert (holding["quantity"], holding["current_price"]) == (10, 230)
    assert portfolio["cash_balance"] == CASH
    assert portfolio["total_value"] == CASH + 10 * 230
    assert portfolio["total_pnl"] == CASH + 2300 - Decimal("10000.0001")

    fills = EXACT.decode((await user("GET", f"/orders/{order_id}/executions")).body)["data"]
    assert [(fill["quantity"], fill["price"], fill["fee"]) for fill in fills] == [
        (Decimal("12.25"), Decimal("227.01"), BUY_FEE)
    ]
    history = (await user("GET", "/orders/history")).data
    assert [order["status"] for order in history] == ["FILLED", "CANCELLED"]
    await stream.socket.close()
    await kerb.verify()


async def test_a_stream_is_resumed_without_a_hole_after_kill_and_restart(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    user = await kerb.register(http, "resume@example.com", "1000")
    async with asyncio.timeout(30):
        stream = await follow(kerb, http, user.token)
        first = await user.place("BUY", "1", "220.00")
        await stream.until("orders", lambda data: data["order_id"] == first.data["order_id"])
        seen = stream.seqs["orders"]
        await stream.socket.close()
        second = await user.place("BUY", "1", "219.00")
        await user("DELETE", f"/orders/{first.data['order_id']}")
        await kerb.kill()
        await kerb.start()
        socket = await http.ws_connect(kerb.url.replace("http", "ws") + "/api/v1/ws")
        await socket.send_json({"action": "auth", "token": user.token})
        await socket.send_json({"action": "subscribe", "channels": ["orders"], "resume_from": seen})
        stream = PrivateStream(socket)
        stream.seqs["orders"] = seen
        await stream.until("orders", lambda data: data["status"] == "CANCELLED")
        await socket.close()
    assert [(event["order_id"], event["status"]) for event in stream.events["orders"]] == [
        (second.data["order_id"], "PENDING"),
        (first.data["order_id"], "CANCELLED"),
    ]
