"""Lots and performance over a real socket, with days that are written as the shell writes them."""

from __future__ import annotations

from datetime import date

import pytest

from engine.units import DAY_US
from handlers.performance import time_weighted
from server.history import moment
from server.snapshots import Snapshots, Worth
from tests.handlers.small_kerb import SmallKerb


async def test_lots_are_shown_oldest_first_with_what_they_have_brought(small: SmallKerb) -> None:
    seller = await small.trader("seller", units=10)
    buyer = await small.trader("buyer", cash="2000")
    for quantity, price in (("2", "100"), ("3", "110")):
        await seller.place("SELL", quantity, price)
        await buyer.place("BUY", quantity, price)
    reply = await buyer("GET", "/portfolio/lots")
    assert reply.meta == {"as_of_seq": small.world.state.seq, "page": 1, "limit": 50, "total": 2}
    first, second = reply.data
    assert (first["symbol"], first["quantity"], first["cost"], first["cost_per_unit"]) == (
        "AAPL",
        2,
        200,
        100,
    )
    assert (first["current_price"], first["current_value"], first["unrealized_pnl"]) == (110, 220, 20)
    assert (first["unrealized_pnl_percentage"], first["days_held"]) == (10, 0)
    assert (second["quantity"], second["unrealized_pnl"]) == (3, 0)
    assert (await buyer("GET", "/portfolio/lots?symbol=AAPL&limit=1&page=2")).data == [second]
    assert (await buyer("GET", "/portfolio/lots?symbol=TSLA")).data == []
    (holding,) = (await buyer("GET", "/portfolio/holdings")).data
    assert holding["total_cost"] == first["cost"] + second["cost"]


async def test_performance_counts_gains_and_not_what_was_paid_in(small: SmallKerb) -> None:
    seller = await small.trader("seller", units=10)
    buyer = await small.trader("buyer", cash="1000")
    runtime = small.services.runtime
    snapshots = Snapshots(small.services.database, runtime, small.services.market.last_e4)
    fresh = (await buyer("GET", "/portfolio/performance")).data
    assert (fresh["start_value"], fresh["end_value"], fresh["gain"]) == (0, 1000, 0)
    assert (fresh["period"], fresh["return_percentage"], len(fresh["points"])) == ("1m", 0, 2)

    now_us = runtime.now_us()
    yesterday = moment(now_us - DAY_US).date()
    rows = await snapshots.write(yesterday, now_us)
    assert rows >= 2
    await buyer.deposit("500")
    assert await snapshots.write(yesterday, now_us) == rows, "the day is there already and stays as it was"
    await seller.place("SELL", "5", "100")
    await buyer.place("BUY", "5", "100")
    await seller.place("SELL", "1", "110")
    await (await small.trader("other", cash="200")).place("BUY", "1", "110")

    found = (await buyer("GET", "/portfolio/performance?period=1W")).data
    assert [point["total_value"] for point in found["points"]] == [1000, 1548.75]
    assert (found["start_value"], found["net_contributions"], found["gain"]) == (1000, 500, 48.75)
    assert found["return_percentage"] == 3.25
    assert (await buyer("GET", "/portfolio")).data["total_value"] == found["end_value"]
    assert (await buyer("GET", "/portfolio/performance?period=2w")).code == "BAD_REQUEST"


async def test_a_day_that_has_ended_is_written_once_by_itself(small: SmallKerb) -> None:
    trader = await small.trader(cash="70")
    database = small.services.database
    for _ in range(2):  # as after a restart
        snapshots = Snapshots(database, small.services.runtime, small.services.market.last_e4)
        snapshots.tick()
        await snapshots.stop()
        snapshots.tick()
        await snapshots.stop()
    (row,) = await database.fetch(
        "SELECT * FROM portfolio_snapshots WHERE account_id = $1", trader.account_id
    )
    assert (row["cash_e4"], row["contributed_e4"]) == (700_000, 700_000)
    assert row["day"] == moment(small.services.runtime.now_us() - DAY_US).date()
    assert isinstance(row["day"], date)


@pytest.mark.parametrize(
    ("values", "percent"),
    [
        ([(0, 0), (1_000, 1_000), (1_100, 1_000)], 10),
        ([(1_000, 1_000), (1_100, 1_000), (2_100, 2_000), (4_200, 2_000)], 120),
        ([(1_000, 1_000), (500, 500), (250, 500)], -50),
        ([(0, 0), (0, 0)], 0),
    ],
)
def test_the_return_is_weighted_by_time(values: list[tuple[int, int]], percent: int) -> None:
    grown, base = time_weighted([Worth(0, value, 0, contributed) for value, contributed in values])
    assert 100 * (grown - base) == percent * base
