"""Movers, indices and the calendar, over a real socket."""

from __future__ import annotations

from config.records import Weighting
from server.history import moment
from server.indices import Index
from tests.handlers.small_kerb import SmallKerb


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
