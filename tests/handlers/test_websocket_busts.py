"""A busted trade over real sockets: struck out of the public tape, told to both sides, and found again on coming back."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from server.wire import Wire
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.test_admin_busts import proposed, trade
from tests.handlers.test_asyncapi import validator
from tests.handlers.test_websocket_private import follow_each_other
from tests.handlers.websocket_user import Message, WebSocketUser, connected

FORMS = pytest.mark.parametrize("wire", Wire)
TAPE: dict[str, Any] = {"channels": ["trades"], "symbols": ["AAPL"], "interval_ms": 100}


class Desk:
    """Two operators and two traders, who fill and bust."""

    def __init__(self, *four: Client) -> None:
        self.one, self.two, self.buyer, self.seller = four

    async def fill(self) -> tuple[str, str]:
        """A fill of 2 at 100; the buyer's order and the buyer's execution."""
        return await trade(self.buyer, self.seller)

    async def bust(self, execution_id: str) -> str:
        """Take a fill back; the transaction that did."""
        bust_id = await proposed(self.one, execution_id)
        busted = (await self.two("POST", f"/admin/busts/{bust_id}/approve")).data
        assert busted["status"] == "BUSTED"
        return str(busted["outcome"])


@pytest.fixture
async def desk(small: SmallKerb) -> Desk:
    return Desk(
        await small.admin("one"),
        await small.admin("two"),
        await small.trader("buyer", cash="1000"),
        await small.trader("seller", units=10),
    )


def described(name: str, message: Message) -> Message:
    """The same, after a look into the AsyncAPI document."""
    validator(name).validate(message)
    return message


async def tape(user: WebSocketUser, count: int) -> list[Message]:
    """The next trades that are told."""
    told: list[Message] = []
    while len(told) < count:
        told += described("Trades", await user.on("trades"))["data"]
    return told


@FORMS
async def test_a_busted_trade_is_told_again_to_who_was_told_of_it(
    small: SmallKerb, desk: Desk, wire: Wire
) -> None:
    async with connected(small, protocols=(wire.value,)) as user:
        await user.ask("subscribe", **TAPE)
        await desk.buyer.place("BUY", "1", "99")
        await desk.seller.place("SELL", "1", "99")
        _, execution_id = await desk.fill()
        first, second = await tape(user, 2)
        assert "busted" not in second
        assert (first["n"], second["n"]) == (1, 2)
        await desk.bust(execution_id)
        assert await tape(user, 1) == [second | {"busted": True}]
        await desk.fill()
        (third,) = await tape(user, 1)
        assert (third["n"], "busted" in third) == (3, False)
    assert len({first["trade_id"], second["trade_id"], third["trade_id"]}) == 3


async def test_who_was_not_told_of_a_trade_before_its_bust_is_told_once(small: SmallKerb, desk: Desk) -> None:
    async with connected(small) as user:
        await user.ask("subscribe", **TAPE | {"interval_ms": 1000})
        outlet = next(iter(small.services.hub.outlets))
        small.services.hub.wheel.remove(outlet)  # as if its network took nothing meanwhile
        _, execution_id = await desk.fill()
        await desk.bust(execution_id)
        await desk.fill()
        small.services.hub.wheel.place(outlet)
        told = (await user.on("trades"))["data"]
    assert [(one["n"], one.get("busted", False)) for one in told] == [(1, True), (2, False)]


async def test_the_list_of_trades_says_what_is_busted_and_the_day_has_no_volume_of_it(
    small: SmallKerb, desk: Desk
) -> None:
    _, execution_id = await desk.fill()
    await desk.fill()
    quote = (await desk.buyer("GET", "/stocks/AAPL/quote")).data
    assert quote["volume"] == 4
    async with connected(small) as user:
        await user.ask("subscribe", channels=["quotes"], symbols=["AAPL"], interval_ms=100)
        await user.on("quotes")
        await desk.bust(execution_id)
        (streamed,) = (await user.on("quotes"))["data"]
    quote = (await desk.buyer("GET", "/stocks/AAPL/quote")).data
    assert (quote["volume"], quote["price"], quote["high"]) == (2, 100, 100)
    assert (streamed["volume"], streamed["price"]) == (2, 100)
    newest, busted = (await desk.buyer("GET", "/stocks/AAPL/trades")).data
    assert (newest["busted"], busted["busted"]) == (False, True)
    (candle,) = (await desk.buyer("GET", "/stocks/AAPL/chart?interval=1d")).data["candles"]
    assert candle["volume"] == 2


async def test_the_day_and_its_candles_have_the_prices_of_the_trades_that_stand(
    small: SmallKerb, desk: Desk
) -> None:
    async def fill(price: str) -> str:
        await desk.seller.place("SELL", "1", price)
        order_id = (await desk.buyer.place("BUY", "1", price)).data["order_id"]
        (filled,) = (await desk.buyer("GET", f"/orders/{order_id}/executions")).data
        return str(filled["execution_id"])

    async def shown() -> tuple[list[float | None], list[list[float]]]:
        """The quote's day, and each candle: open, high, low, last or close, volume."""
        quote = (await desk.buyer("GET", "/stocks/AAPL/quote")).data
        chart = (await desk.buyer("GET", "/stocks/AAPL/chart?interval=1d&extended_hours=true")).data
        day = [quote[name] for name in ("open", "high", "low", "price", "volume")]
        names = ("open", "high", "low", "close", "volume")
        return day, [[candle[name] for name in names] for candle in chart["candles"]]

    async def until_shown(day: list[float | None], candles: list[list[float]]) -> None:
        async with asyncio.timeout(10):
            while await shown() != (day, candles):
                await asyncio.sleep(0.01)

    first, high, low, *_ = executions = [await fill(price) for price in ("100", "109", "91", "101", "103")]
    assert await shown() == ([100, 109, 91, 103, 5], [[100, 109, 91, 103, 5]])
    await desk.bust(high)
    await until_shown([100, 103, 91, 103, 4], [[100, 103, 91, 103, 4]])
    await desk.bust(low)
    await until_shown([100, 103, 100, 103, 3], [[100, 103, 100, 103, 3]])
    await desk.bust(first)
    await until_shown([101, 103, 101, 103, 2], [[101, 103, 101, 103, 2]])
    await desk.bust(executions[-1])
    await until_shown([101, 101, 101, 101, 1], [[101, 101, 101, 101, 1]])
    async with connected(small) as user:
        await user.ask("subscribe", channels=["candles"], symbols=["AAPL"], interval_ms=100)
        (candle,) = (await user.on("candles"))["data"]
        assert (candle["high"], candle["trades"]) == (101, 1)
        await desk.bust(executions[3])
        await until_shown([None, None, None, 101, 0], [])
        while candle["trades"] or not candle["closed"]:  # its volume goes first, then the candle
            (candle,) = described("Candles", await user.on("candles"))["data"]
        assert candle["volume"] == 0
        await fill("99")
        await until_shown([99, 99, 99, 99, 1], [[99, 99, 99, 99, 1]])
        (candle,) = (await user.on("candles"))["data"]
        assert (candle["high"], candle["trades"]) == (99, 1)
    await small.world.written()
    rows = await small.services.database.fetch("SELECT open_e4, high_e4, volume_e8, trades FROM candles")
    assert [tuple(row) for row in rows] == [(990_000, 990_000, 10**8, 1)]


@FORMS
async def test_both_sides_are_told_in_their_orders_and_find_it_again(
    small: SmallKerb, desk: Desk, wire: Wire
) -> None:
    sides = (desk.buyer, desk.seller)
    known = [(await side("GET", "/orders")).meta["as_of_seq"] for side in sides]
    order_id, execution_id = await desk.fill()
    live: list[list[Message]] = []
    async with (
        connected(small, sides[0], protocols=(wire.value,)) as bought,
        connected(small, sides[1], protocols=(wire.value,)) as sold,
    ):
        for user, seq in zip((bought, sold), known, strict=True):
            await user.ask("subscribe", channels=["orders"], resume_from=seq)
        transaction_id = await desk.bust(execution_id)
        await desk.buyer.place("BUY", "1", "90")
        await desk.seller.place("SELL", "1", "110")
        for user, count in ((bought, 3), (sold, 4)):
            live.append([described("Orders", await user.on("orders")) for _ in range(count)])
    for side, messages in zip(sides, live, strict=True):
        assert follow_each_other(messages)
        *_, told, after = messages
        assert "bust" not in after["data"]
        (fill,) = (await side("GET", f"/orders/{told['data']['order_id']}/executions")).data
        assert fill.pop("busted") is True
        bust = told["data"].pop("bust")
        assert bust.pop("busted_at") > bust["executed_at"]
        assert bust == {name: fill[name] for name in bust.keys() & fill.keys()} | {
            "transaction_id": transaction_id
        }
        order = (await side("GET", f"/orders/{told['data']['order_id']}")).data
        assert told["data"] == order
        assert (order["status"], order["filled_quantity"], order["average_price"]) == ("FILLED", 2, 100)
        told["data"]["bust"] = bust
    assert live[0][-2]["data"]["order_id"] == order_id
    assert live[0][-2]["seq"] == live[1][-2]["seq"]

    for side, messages in zip(sides, live, strict=True):
        async with connected(small, side, protocols=(wire.value,)) as again:
            await again.ask("subscribe", channels=["orders"], resume_from=messages[-3]["seq"])
            bust_told = await again.on("orders")
            del bust_told["data"]["bust"]["busted_at"]
            assert [bust_told, await again.on("orders")] == messages[-2:]


async def test_an_order_that_is_still_open_is_told_as_it_is_now(small: SmallKerb, desk: Desk) -> None:
    order_id = (await desk.buyer.place("BUY", "5", "100")).data["order_id"]
    await desk.seller.place("SELL", "2", "100")
    (fill,) = (await desk.buyer("GET", f"/orders/{order_id}/executions")).data
    await desk.seller.place("SELL", "1", "100")
    async with connected(small, desk.buyer) as user:
        await user.ask("subscribe", channels=["orders"])
        await desk.bust(fill["execution_id"])
        told = (await user.on("orders"))["data"]
        assert told.pop("bust")["quantity"] == 2
        assert told == (await desk.buyer("GET", f"/orders/{order_id}")).data
        assert (told["status"], told["filled_quantity"], told["remaining_quantity"]) == ("PARTIAL", 3, 2)
        await desk.buyer("DELETE", f"/orders/{order_id}")
        assert (await user.on("orders"))["data"]["status"] == "CANCELLED"


async def test_an_order_that_closes_while_it_is_busted_is_told_as_it_ended(
    small: SmallKerb, desk: Desk, database_dsn: str
) -> None:
    """Cancelled after the approval has asked PostgreSQL for it, and before the engine is asked."""
    order_id = (await desk.buyer.place("BUY", "3", "100")).data["order_id"]
    await desk.seller.place("SELL", "1", "100")
    (fill,) = (await desk.buyer("GET", f"/orders/{order_id}/executions")).data
    bust_id = await proposed(desk.one, fill["execution_id"])
    await small.world.written()
    async with connected(small, desk.buyer) as user, asyncio.timeout(30):
        await user.ask("subscribe", channels=["orders"])
        blocker = await asyncpg.connect(database_dsn)
        try:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
                approval = asyncio.create_task(desk.two("POST", f"/admin/busts/{bust_id}/approve"))
                while not await blocker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    await asyncio.sleep(0.005)
                assert (await desk.buyer("DELETE", f"/orders/{order_id}")).status == 200
        finally:
            await blocker.close()
        assert (await approval).data["status"] == "BUSTED"
        cancelled, busted = [(await user.on("orders"))["data"] for _ in range(2)]
    assert (cancelled["status"], busted["status"]) == ("CANCELLED", "CANCELLED")
    assert busted.pop("bust")["execution_id"] == fill["execution_id"]
    assert busted == cancelled
