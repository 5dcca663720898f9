"""The subprotocol `kerb.v1.proto` over real sockets: agreed on by name, and in everything equal to JSON."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import WSMsgType

from server.wire import Wire
from tests.handlers.small_kerb import SmallKerb
from tests.handlers.test_websocket_private import follow_each_other
from tests.handlers.websocket_user import Message, WebSocketUser, connected
from tests.server.proto_reader import messages_of

JSON, PROTO = Wire.JSON.value, Wire.PROTO.value
MARKET = {"symbols": ["AAPL"], "interval_ms": 100}


@pytest.mark.parametrize(
    ("offered", "agreed", "form"),
    [
        ((), None, WSMsgType.TEXT),
        ((JSON,), JSON, WSMsgType.TEXT),
        ((PROTO,), PROTO, WSMsgType.BINARY),
        ((PROTO, JSON), PROTO, WSMsgType.BINARY),
        ((JSON, PROTO), JSON, WSMsgType.TEXT),
        (("graphql-ws", PROTO), PROTO, WSMsgType.BINARY),
        (("kerb.v2.proto", "KERB.V1.PROTO"), None, WSMsgType.TEXT),
    ],
)
async def test_the_first_that_is_spoken_here_of_what_a_client_offers(
    small: SmallKerb, offered: tuple[str, ...], agreed: str | None, form: WSMsgType
) -> None:
    async with connected(small, protocols=offered) as user:
        assert user.socket.protocol == agreed
        await user.ask("subscribe", channels=["quotes"], **MARKET)
        assert (await user.socket.receive()).type is form


async def test_both_forms_tell_the_same_of_the_market(small: SmallKerb) -> None:
    buyer, seller = await small.trader("buyer", cash="100000"), await small.trader("seller", units=100)
    told: dict[str, dict[Any, Any]] = {JSON: {}, PROTO: {}}
    async with connected(small, protocols=(JSON,)) as text, connected(small, protocols=(PROTO,)) as binary:
        for user in (text, binary):
            await user.ask("subscribe", channels=["quotes", "trades", "depth", "candles"], **MARKET)
        for price in ("99.50", "101.25", "100.75", "100.00"):
            await seller.place("SELL", "2", price)
            assert (await buyer.place("BUY", "2", price)).data["status"] == "FILLED"
        await buyer.place("BUY", "0.5", "98.10")
        await until_same(small, text, told[JSON])
        await until_same(small, binary, told[PROTO])
    common = told[JSON].keys() & told[PROTO].keys()
    assert {channel for channel, *_ in common} == {"quotes", "trades", "depth", "candles"}
    assert {number for channel, number in common if channel == "trades"} == {1, 2, 3, 4}
    for key in common:
        assert told[JSON][key] == told[PROTO][key], key


async def until_same(small: SmallKerb, user: WebSocketUser, told: dict[Any, Any]) -> None:
    """Note what is told, by what it is of, until the newest of the market has come."""
    view = small.services.market.symbols["AAPL"]
    newest = {("quotes", view.version), ("trades", view.trade_count), ("depth", view.depth_seq)}
    while not newest | {("candles", 4)} <= told.keys():
        message = await user.receive()
        if "type" in message:
            continue
        for one in message["data"]:
            key = {"quotes": "v", "trades": "n", "depth": "seq", "candles": "trades"}[message["channel"]]
            is_step = one.get("type") == "delta"  # where it begins is the client's own
            told[message["channel"], one[key]] = (one["seq"], one["checksum"]) if is_step else one


async def followed(user: WebSocketUser, **resume: int) -> None:
    channels = ["orders", "balance", "notifications"]
    answer = await user.ask("subscribe", channels=channels, **resume)
    assert list(answer["channels"]) == channels


async def test_both_forms_tell_the_same_of_an_account_and_resume_alike(small: SmallKerb) -> None:
    maker, client = await small.trader("maker", units=10), await small.trader("user", cash="1000")
    known = (await client("GET", "/orders")).meta["as_of_seq"]
    told: dict[str, list[Message]] = {}
    async with connected(small, client) as text, connected(small, client, protocols=(PROTO,)) as binary:
        for user in (text, binary):
            await followed(user)
        placed = (await binary.place("BUY", "2", "90.25", idempotency_key="one"))["data"]
        resting = (await client.place("BUY", "2", "90.00", client_order_id="mine")).data
        await maker.place("SELL", "2", "90.25")
        await client("DELETE", f"/orders/{resting['order_id']}")
        for form, user in (("text", text), ("binary", binary)):
            told[form] = [await user.on(channel) for channel in ["orders"] * 4 + ["balance"] * 4]
            told[form].append(await user.on("notifications"))
    assert told["binary"] == told["text"]
    orders = told["binary"][:4]
    assert orders[0]["data"] == placed
    assert [message["data"]["status"] for message in orders] == ["PENDING", "PENDING", "FILLED", "CANCELLED"]
    assert follow_each_other(orders)

    async with connected(small, client, protocols=(PROTO,)) as again:
        await followed(again, resume_from=known)
        resumed = [await again.on(channel) for channel in ["orders"] * 4 + ["balance"] * 4]
        assert resumed == told["text"][:8]
        await again.send({"action": "subscribe", "channels": ["orders"], "resume_from": 2**60})
        refused = await again.find(lambda message: message.get("type") == "resync_required")
        assert refused["channel"] == "orders"


async def test_an_accounts_worth_is_the_same(small: SmallKerb) -> None:
    holder = await small.trader("holder", cash="1000", units=10)
    async with connected(small, holder, protocols=(PROTO,)) as user:
        await user.ask("subscribe", channels=["portfolio"], interval_ms=100)
        assert (await user.on("portfolio"))["data"] == (await holder("GET", "/portfolio")).data
        await holder.place("BUY", "1", "90.00")
        while (told := await user.on("portfolio"))["data"]["buying_power"] >= 1_000:
            pass
        reply = await holder("GET", "/portfolio")
        assert (told["data"], told["seq"]) == (reply.data, reply.meta["as_of_seq"])


async def test_control_stays_text_both_ways(small: SmallKerb) -> None:
    async with connected(small, protocols=(PROTO,)) as user:
        await user.socket.send_bytes(b"\x0a\x00")
        await user.socket.send_str('{"action":"ping","id":1}')
        await user.socket.send_str('{"action":"subscribe","channels":["quotes"],"symbols":["AAPL","NOPE"]}')
        received = [await user.socket.receive() for _ in range(4)]
        refused, pong, subscribed, snapshot = received
        assert [message.type for message in received] == [WSMsgType.TEXT] * 3 + [WSMsgType.BINARY]
        assert (refused.json()["code"], pong.json()["type"]) == ("BAD_REQUEST", "pong")
        assert subscribed.json()["errors"] == [{"symbol": "NOPE", "code": "UNKNOWN_SYMBOL"}]
        (told,) = messages_of(snapshot.data)
        assert [quote["symbol"] for quote in told["data"]] == ["AAPL"]
