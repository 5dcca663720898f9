"""The `candles` channel over a real socket: what it says is what GET /stocks/{symbol}/chart says."""

from __future__ import annotations

from tests.handlers.small_kerb import SmallKerb
from tests.handlers.websocket_user import connected


async def test_the_running_candle_is_that_of_the_chart(small: SmallKerb) -> None:
    buyer, seller = await small.trader("buyer", cash="100000"), await small.trader("seller", units=100)
    async with connected(small) as user:
        answer = await user.ask(
            "subscribe",
            channels=["candles"],
            symbols=["AAPL", "NOPE"],
            intervals=["1h", "1d", "1h"],
            interval_ms=100,
        )
        assert answer["channels"] == {
            "candles": {"symbols": ["AAPL"], "intervals": ["1h", "1d", "1h"], "interval_ms": 100}
        }
        for price in ("100.00", "103.50", "99.00"):
            await seller.place("SELL", "2", price)
            assert (await buyer.place("BUY", "2", price)).data["status"] == "FILLED"
        newest: dict[str, int] = {}
        while newest != {"1h": 3, "1d": 3}:
            for candle in (await user.on("candles"))["data"]:
                newest[candle["interval"]] = candle["trades"]
                last = candle
        chart = await buyer(
            "GET", f"/stocks/AAPL/chart?interval={last['interval']}&range=1d&extended_hours=true"
        )
        for name in ("open", "high", "low", "close", "volume", "trades"):
            assert chart.data["candles"][-1][name] == last[name]

        (outlet,) = small.services.hub.outlets
        assert outlet.follow_count() == 2
        await user.ask("unsubscribe", channels=["candles"], symbols=["AAPL"])
        assert (outlet.follow_count(), len(small.services.hub.candles)) == (0, 0)


async def test_an_unknown_interval_is_a_malformed_message(small: SmallKerb) -> None:
    async with connected(small) as user:
        for intervals in (["2m"], [], "1m", ["1m"] * 6):
            answer = await user.ask("subscribe", channels=["candles"], symbols=["AAPL"], intervals=intervals)
            assert answer["code"] == "BAD_REQUEST", intervals
