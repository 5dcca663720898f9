"""Conflated market data over real sockets: shared frames, cadence, clients that do not read."""

from __future__ import annotations

import pytest

from engine.kinds import Side
from server.cohorts import CLIENTS_MAX, SLOT_MS, Cohort, CohortWheel
from server.outlet import Outlet
from tests.server.market_records import book, trade
from tests.server.stream_client import TEXT
from tests.server.stream_market import Connect, Market, fill, until

BUY, SELL = Side.BUY, Side.SELL


async def test_a_snapshot_comes_first_then_what_changed(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    market.follow(outlet, "AAPL", "TSLA")
    snapshot = await client.json()
    market.happens(trade("TSLA", 20_000, 3))
    change = await client.json()

    assert [quote["symbol"] for quote in snapshot["data"]] == ["AAPL", "TSLA"]
    assert snapshot["data"][0]["price"] is None
    assert [quote["symbol"] for quote in change["data"]] == ["TSLA"]
    assert (change["data"][0]["price"], change["data"][0]["volume"]) == (200, 3)
    assert change["data"][0]["v"] > snapshot["data"][1]["v"]


async def test_changes_within_an_interval_are_conflated_to_the_newest(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    market.follow(outlet, "AAPL")
    await client.json()
    for cents in range(100, 200):
        market.happens(trade("AAPL", cents, 1))
    change = await client.json()

    assert [quote["price"] for quote in change["data"]] == [1.99]
    assert change["data"][0]["volume"] == 100


async def test_clients_of_one_cohort_get_the_same_bytes_built_once(
    market: Market, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[bytes] = []
    build = Cohort.frame

    def counted(self: Cohort, since: int) -> bytes:
        frame = build(self, since)
        built.append(frame)
        return frame

    pairs = [await connect() for _ in range(40)]
    for outlet, client in pairs:
        market.follow(outlet, "AAPL", interval_ms=100)
        await client.json()
    monkeypatch.setattr(Cohort, "frame", counted)
    market.happens(trade("AAPL", 100, 1))
    payloads = {(await client.frame()).payload for _, client in pairs}

    assert len(payloads) == 1
    assert len(built) == len(market.hub.wheel.cohorts) == 100 // SLOT_MS
    assert sum(len(cohort.outlets) for cohort in market.hub.wheel.cohorts.values()) == 40


async def test_a_slot_of_many_is_served_a_few_at_a_time(market: Market, connect: Connect) -> None:
    wheel = CohortWheel(market.view, 1_000)
    pairs = [await connect() for _ in range(CLIENTS_MAX + 8)]
    for outlet, client in pairs:
        market.follow(outlet, "AAPL", interval_ms=1_000)
        await client.json()
    for outlet, _ in pairs:
        market.hub.wheel.remove(outlet)
        outlet.interval_ms = SLOT_MS
        wheel.place(outlet)
    market.happens(trade("AAPL", 100, 1))
    wheel.advance()
    stuck: dict[Outlet, None] = {}
    written = [wheel.serve_some(0.0, stuck)]
    wheel.remove(pairs[-1][0])
    while wheel.is_serving:
        written.append(wheel.serve_some(0.0, stuck))

    assert written == [CLIENTS_MAX, 7]
    assert (await pairs[0][1].json())["data"] == (await pairs[-2][1].json())["data"]
    assert not stuck
    for outlet, _ in pairs[:-1]:
        wheel.remove(outlet)


async def test_a_quote_is_encoded_once_per_change(market: Market, connect: Connect) -> None:
    (first, one), (second, two) = await connect(), await connect()
    market.follow(first, "AAPL")
    market.follow(second, "AAPL", "TSLA")
    market.happens(book("AAPL", (BUY, 100, 1, 1)))
    await one.quote("AAPL")
    await until(lambda: market.view.symbols["AAPL"].fragment is not None)
    fragment = market.view.symbols["AAPL"].fragment
    await two.quote("AAPL")

    assert market.view.symbols["AAPL"].fragment is fragment


async def test_a_later_subscription_repeats_nothing_and_loses_nothing(
    market: Market, connect: Connect
) -> None:
    outlet, client = await connect()
    market.follow(outlet, "AAPL", interval_ms=1_000)
    await client.json()
    market.happens(trade("AAPL", 101, 1), trade("TSLA", 201, 1))
    market.follow(outlet, "TSLA", interval_ms=100)
    owed, snapshot = await client.json(), await client.json()
    market.happens(trade("AAPL", 102, 1))
    change = await client.json()

    assert [(quote["symbol"], quote["price"]) for quote in owed["data"]] == [("AAPL", 1.01)]
    assert [(quote["symbol"], quote["price"]) for quote in snapshot["data"]] == [("TSLA", 2.01)]
    assert [(quote["symbol"], quote["price"]) for quote in change["data"]] == [("AAPL", 1.02)]


async def test_trades_are_sent_one_by_one_in_order(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    views = market.view.symbols
    market.hub.follow_market(outlet, {"trades": {"AAPL": views["AAPL"], "TSLA": views["TSLA"]}}, 100)
    market.happens(trade("TSLA", 200, 1, taker=SELL))
    market.happens(trade("AAPL", 100, 2))
    market.happens(trade("TSLA", 201, 3))
    message = await client.json()

    assert message["channel"] == "trades"
    assert [(found["symbol"], found["n"], found["price"]) for found in message["data"]] == [
        ("TSLA", 1, 2.00),
        ("AAPL", 1, 1.00),
        ("TSLA", 2, 2.01),
    ]
    assert [found["taker_side"] for found in message["data"]] == ["SELL", "BUY", "BUY"]


async def test_what_is_unfollowed_is_not_sent(market: Market, connect: Connect) -> None:
    outlet, client = await connect()
    market.follow(outlet, "AAPL", "TSLA")
    await client.json()
    market.hub.unfollow_market(outlet, {"quotes": ["AAPL"]})
    market.happens(trade("AAPL", 100, 1), trade("TSLA", 200, 1))
    change = await client.json()

    assert [quote["symbol"] for quote in change["data"]] == ["TSLA"]


async def test_clients_are_spread_over_their_interval(market: Market, connect: Connect) -> None:
    for _ in range(50):
        outlet, _ = await connect()
        market.follow(outlet, "AAPL", interval_ms=250)

    assert len({cohort.phase for cohort in market.hub.wheel.cohorts.values()}) == 250 // SLOT_MS


async def test_a_client_that_does_not_read_is_skipped_and_then_gets_the_newest_state(
    market: Market, connect: Connect
) -> None:
    slow, slow_client = await connect()
    await fill(market, slow, 100)
    unsent = slow.unsent_bytes()
    healthy, healthy_client = await connect()
    market.follow(healthy, "AAPL")
    await healthy_client.json()
    for cents in (101, 102, 103):
        market.happens(trade("AAPL", cents, 1))
        await healthy_client.quote("AAPL")

    assert slow.unsent_bytes() <= unsent
    prices: list[float | None] = []
    while not prices or prices[-1] != 1.03:
        frame = await slow_client.frame()
        if frame.opcode == TEXT:
            prices += [quote["price"] for quote in frame.json["data"]]
    assert prices == [None, 1.03]  # the snapshot of its subscription, and nothing between
