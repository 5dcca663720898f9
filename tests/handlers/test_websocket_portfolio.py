"""The `portfolio` channel over a real socket: what GET /portfolio says, live, and only of one's own account."""

from __future__ import annotations

from tests.handlers.small_kerb import SmallKerb
from tests.handlers.websocket_user import connected


async def test_the_worth_follows_prices_and_positions(small: SmallKerb) -> None:
    holder, other = (
        await small.trader("holder", cash="1000", units=10),
        await small.trader("other", cash="9000"),
    )
    third = await small.trader("third", units=5)
    async with connected(small, holder) as user:
        answer = await user.ask("subscribe", channels=["portfolio"], interval_ms=100)
        assert answer["channels"] == {"portfolio": {"interval_ms": 100}}
        first = (await user.on("portfolio"))["data"]
        assert first == (await holder("GET", "/portfolio")).data

        await third.place("SELL", "1", "104.00")
        await other.place("BUY", "1", "104.00")  # a price of what is held, nothing of the holder's own
        while (latest := (await user.on("portfolio"))["data"])["holdings_value"] != 1_040:
            pass
        assert latest == (await holder("GET", "/portfolio")).data

        await holder.place("BUY", "1", "90.00")  # a hold: less to spend
        while (told := await user.on("portfolio"))["data"]["buying_power"] >= 1_000:
            pass
        reply = await holder("GET", "/portfolio")
        assert (told["data"], told["seq"]) == (reply.data, reply.meta["as_of_seq"])

        await user.ask("unsubscribe", channels=["portfolio"])
        assert len(small.services.hub.values) == 0


async def test_it_counts_as_a_subscription_and_goes_with_its_connection(small: SmallKerb) -> None:
    holder = await small.trader("holder", cash="1000")
    async with connected(small, holder) as user:
        await user.ask("subscribe", channels=["portfolio", "orders"], resume_from=0)
        assert len(small.services.hub.values) == 1
    while small.services.hub.outlets:
        await holder("GET", "/portfolio")
    assert len(small.services.hub.values) == 0
