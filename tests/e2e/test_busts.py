"""A bust in the real process, killed afterwards: what its owners were told of it is told again from the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from server.demo import OPERATOR, OTHER_OPERATOR, PASSWORD
from server.wire import Wire
from tests.handlers.small_kerb import Client
from tests.handlers.websocket_user import Message, WebSocketUser
from tests.kerb_process import KerbProcess

TRADER, OTHER_TRADER = "trader1@kerb.example", "trader2@kerb.example"


@asynccontextmanager
async def followed(client: Client, wire: Wire, **resume: int) -> AsyncIterator[WebSocketUser]:
    """A connection that follows an account's orders, and AAPL's trades."""
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.base}/api/v1/ws"
    async with client.http.ws_connect(url, headers=headers, protocols=(wire.value,)) as socket:
        user = WebSocketUser(socket)
        await user.ask("subscribe", channels=["trades"], symbols=["AAPL"], interval_ms=100)
        await user.ask("subscribe", channels=["orders"], **resume)
        yield user


async def people(kerb: KerbProcess, http: aiohttp.ClientSession) -> list[Client]:
    emails = (TRADER, OTHER_TRADER, OPERATOR.email, OTHER_OPERATOR.email)
    return [await kerb.sign_in(http, email, PASSWORD) for email in emails]


async def quote(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client("GET", "/stocks/AAPL/quote")).data
    del found["timestamp"]
    return found


async def test_a_bust_is_told_alike_before_and_after_a_kill(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    buyer, seller, one, two = await people(kerb, http)
    details = (await buyer("GET", "/stocks/AAPL")).data
    price = round(details["price"] or details["previous_close"] or 100)
    known = (await buyer("GET", "/orders")).meta["as_of_seq"]
    told: dict[Wire, list[Message]] = {}
    async with followed(buyer, Wire.JSON) as text, followed(buyer, Wire.PROTO) as binary:
        for quantity, at in (("2", price), ("3", price + 2)):
            assert (await seller.place("SELL", quantity, str(at))).status == 201
            order = (await buyer.place("BUY", quantity, str(at))).data
            assert order["status"] == "FILLED", order
        (fill,) = (await buyer("GET", f"/orders/{order['order_id']}/executions")).data
        reason = {"reason": "a price that nobody could have meant"}
        proposal = (await one("POST", f"/admin/trades/{fill['execution_id']}/bust", reason)).data
        approved = await two("POST", f"/admin/busts/{proposal['bust_id']}/approve")
        assert approved.data["status"] == "BUSTED", approved
        for wire, user in ((Wire.JSON, text), (Wire.PROTO, binary)):
            told[wire] = [await user.on("orders") for _ in range(3)]
            await user.find(
                lambda message: (
                    message.get("channel") == "trades"
                    and any(trade.get("busted") and trade["quantity"] == 3 for trade in message["data"])
                )
            )
    assert told[Wire.JSON] == told[Wire.PROTO]
    busted = told[Wire.JSON][-1]["data"]
    assert busted["bust"]["execution_id"] == fill["execution_id"]
    assert {name: value for name, value in busted.items() if name != "bust"} == order
    async with asyncio.timeout(30):
        while (before := await quote(buyer))["high"] != price:
            assert before["volume"] == 2
            await asyncio.sleep(0.01)
    assert (before["price"], before["open"], before["low"], before["volume"]) == (price, price, price, 2)

    await kerb.kill()
    await kerb.start()
    buyer, seller, *_ = await people(kerb, http)
    for wire in Wire:
        async with followed(buyer, wire, resume_from=known) as user:
            assert [await user.on("orders") for _ in range(3)] == told[wire]
        async with followed(seller, wire, resume_from=told[wire][-2]["seq"]) as user:
            message = await user.on("orders")
            assert (message["seq"], message["data"]["side"]) == (told[wire][-1]["seq"], "SELL")
            assert message["data"]["bust"]["execution_id"] != fill["execution_id"]
    assert await quote(buyer) == before
    shown = (await buyer("GET", "/stocks/AAPL/trades")).data
    assert [trade for trade in shown if trade["quantity"] == 3 and not trade["busted"]] == []
    async with asyncio.timeout(60):
        await kerb.stop()
    await kerb.verify()
