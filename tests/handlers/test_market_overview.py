"""Movers, indices and the calendar, over a real socket."""

from __future__ import annotations

import asyncio

from config.records import Weighting
from engine.commands import SetCalendar
from engine.kinds import Phase
from server.history import moment
from server.indices import Index
from tests.handlers.small_kerb import SmallKerb
from tests.handlers.websocket_user import connected


async def trade(small: SmallKerb, quantity: str, price: str, number: int) -> None:
    """Make a price of AAPL: two new traders deal with each other."""
    seller = await small.trader(f"seller{number}", units=10)
    buyer = await small.trader(f"buyer{number}", cash="100000")
    await seller.place("SELL", quantity, price)
    assert (await buyer.place("BUY", quantity, price)).data["status"] == "FILLED"


async def test_movers_are_ranked_by_what_they_are_named_for(small: SmallKerb) -> None:
    anybody = small.anonymous()
    for path in ("top-gainers", "top-losers", "most-active"):
        assert (await anybody("GET", f"/market/{path}")).data == [], path
    state = small.services.market.symbols
    close = state["AAPL"].previous_close_e4
    await trade(small, "4", str(close * 105 // 100 / 10_000), 1)
    (risen,) = (await anybody("GET", "/market/top-gainers")).data
    assert (risen["symbol"], risen["change_percentage"], risen["volume"]) == ("AAPL", 5, 4)
    assert risen["price"] - risen["change"] == close / 10_000
    assert (await anybody("GET", "/market/top-losers")).data == []
    assert (await anybody("GET", "/market/most-active")).data == [risen]

    await trade(small, "1", str(close * 95 // 100 / 10_000), 2)
    (fallen,) = (await anybody("GET", "/market/top-losers")).data
    assert (fallen["symbol"], fallen["change_percentage"], fallen["volume"]) == ("AAPL", -5, 5)
    assert (await anybody("GET", "/market/top-gainers")).data == []
    assert (await anybody("GET", "/market/most-active?limit=0")).code == "BAD_REQUEST"


async def test_an_index_moves_with_its_constituents_exactly(small: SmallKerb) -> None:
    views = small.services.market.symbols
    closes = {symbol: view.previous_close_e4 for symbol, view in views.items()}
    first, other = sorted(closes)
    units = ((first, 3), (other, 7))
    base_e4 = sum(closes[symbol] * count for symbol, count in units)
    small.services.indices = (
        Index("ALL", "All of it", Weighting.CAPITALISATION, 10_000_000, base_e4, units),
        Index("ODD", "Not listed", Weighting.PRICE, 10_000_000, 10_000, (("NOPE", 1),)),
    )
    anybody = small.anonymous()
    (index, odd) = (await anybody("GET", "/market/indices")).data
    assert (index["level"], index["previous_close"], index["change"]) == (1_000, 1_000, 0)
    assert (odd["level"], odd["previous_close"], odd["change_percentage"]) == (None, None, 0)

    price_e4 = closes["AAPL"] * 105 // 100
    await trade(small, "1", str(price_e4 / 10_000), 1)
    (moved, _) = (await anybody("GET", "/market/indices")).data
    value_e4 = base_e4 + dict(units)["AAPL"] * (price_e4 - closes["AAPL"])
    assert moved["level"] == round(10_000_000 * value_e4 / base_e4) / 10_000
    assert moved["level"] > moved["previous_close"] == 1_000
    assert moved["constituents"] == [first, other]


async def test_the_calendar_shows_the_sessions_of_a_span(small: SmallKerb) -> None:
    anybody = small.anonymous()
    state = small.world.state
    (name,) = state.calendars
    opens_us, closes_us = state.calendars[name].sessions[0]
    day = f"{moment(max(opens_us, 0)):%Y-%m-%d}"
    (found,) = (await anybody("GET", f"/market/calendar?from={day}&to={day}&calendar={name}")).data
    assert found["calendar"] == name
    assert found["symbols"] == list(state.instruments)
    assert found["sessions"][0]["opens_at"] == f"{moment(opens_us):%Y-%m-%dT%H:%M:%S.%f}Z"
    (nothing,) = (await anybody("GET", "/market/calendar?from=1970-01-01&to=1970-01-01")).data
    assert len(nothing["sessions"]) == (opens_us < 86_400 * 10**6 and closes_us > 0)
    assert (await anybody("GET", "/market/calendar")).status == 200
    for query, status in (
        ("from=2025-01-02&to=2025-01-01", 400),
        ("from=2025-01-01&to=2026-01-03", 400),
        ("from=yesterday", 400),
        ("calendar=NOPE", 404),
    ):
        assert (await anybody("GET", f"/market/calendar?{query}")).status == status, query


async def test_a_call_is_seen_everywhere(small: SmallKerb) -> None:
    """The book goes to its opening call; an indication comes each second, until the call ends by an auction."""
    anybody = small.anonymous()
    buyer, seller = await small.trader("buyer", cash="100000"), await small.trader("seller", units=10)
    (name,) = small.world.state.calendars
    closing_us = 10**17 - 1
    async with connected(small) as user:
        await user.ask("subscribe", channels=["auctions"], symbols=["AAPL"], interval_ms=100)
        assert (await user.on("auctions"))["data"][0]["phase"] == "CONTINUOUS"
        phases = ((1, Phase.OPENING_AUCTION), (closing_us, Phase.CLOSED))
        small.world.submit(SetCalendar(name, ((1, 10**17),), phases))
        assert (await buyer.place("BUY", "5", "101")).data["status"] == "PENDING"
        assert (await seller.place("SELL", "3", "99")).data["status"] == "PENDING"
        while not (await anybody("GET", "/stocks/AAPL")).data["auction"]["paired_volume"]:
            for _ in range(100):  # its clock moves by a millisecond at each look
                small.services.runtime.tick()  # what the server's clock does
            await asyncio.sleep(0.01)
        expected = {"paired_volume": 3, "imbalance": 2, "imbalance_side": "BUY"}
        found = (await anybody("GET", "/stocks/AAPL")).data
        assert found["phase"] == "OPENING_AUCTION"
        assert found["auction"].items() >= expected.items()
        (status,) = [
            each
            for each in (await anybody("GET", "/market/status")).data["symbols"]
            if each["symbol"] == "AAPL"
        ]
        assert status["auction"] == found["auction"]
        told = (await user.on("auctions"))["data"][0]
        while told["paired_volume"] == 0:
            told = (await user.on("auctions"))["data"][0]
        assert told.items() >= {**found["auction"], "symbol": "AAPL", "phase": "OPENING_AUCTION"}.items()

        small.world.submit(SetCalendar(name, ((1, 10**17),)))
        while told["phase"] != "CONTINUOUS":
            told = (await user.on("auctions"))["data"][0]
        assert (told["indicative_price"], told["imbalance_side"]) == (None, None)
    assert (await anybody("GET", "/stocks/AAPL")).data["auction"] is None
    assert (await anybody("GET", "/stocks/AAPL/trades")).data[0]["quantity"] == 3


async def test_calendars_say_their_hours_and_phases(small: SmallKerb) -> None:
    """A day that opens by an auction at 10 and closes by one at 16, with hours after it."""
    hour = 3_600 * 10**6
    phases = (
        (9 * hour, Phase.OPENING_AUCTION),
        (10 * hour, Phase.CONTINUOUS),
        (15 * hour, Phase.CLOSING_AUCTION),
        (16 * hour, Phase.EXTENDED),
        (20 * hour, Phase.CLOSED),
    )
    small.world.submit(SetCalendar("XNYS", ((10 * hour, 20 * hour),), phases))
    path = "/market/calendar?calendar=XNYS&from=1970-01-01&to=1970-01-01"
    (found,) = (await small.anonymous()("GET", path)).data
    assert found["sessions"] == [
        {"opens_at": "1970-01-01T10:00:00.000000Z", "closes_at": "1970-01-01T16:00:00.000000Z"}
    ]
    assert [each["phase"] for each in found["phases"]] == [phase.name for _, phase in phases]
    assert found["phases"][2]["starts_at"] == "1970-01-01T15:00:00.000000Z"
