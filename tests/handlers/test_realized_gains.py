"""Lot methods and realised gains over HTTP: document 001's example to the cent, pages, CSV, busts, wash sales."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb
from tests.server.ledger_world import SteppingClock

JANUARY, FEBRUARY, MARCH = "2024-01-01", "2024-02-01", "2024-03-01"


def set_date(small: SmallKerb, text: str) -> None:
    clock = small.world.runtime.clock
    assert isinstance(clock, SteppingClock)
    clock.us = int(datetime.fromisoformat(f"{text}T12:00:00").replace(tzinfo=UTC).timestamp()) * 10**6


async def trade(
    small: SmallKerb, buyer: Client, seller: Client, quantity: str, price: str, day: str, **more: Any
) -> None:
    """On a day, at a price; `more` is the seller's."""
    set_date(small, day)
    assert (await buyer.place("BUY", quantity, price)).status == 201
    reply = await seller.place("SELL", quantity, price, **more)
    assert (reply.status, reply.data["status"]) == (201, "FILLED"), reply


async def people(small: SmallKerb) -> tuple[Client, Client]:
    """The one whose gains are looked at, and the market."""
    return await small.trader("user", cash="1000000"), await small.trader(
        "market", cash="1000000", units=1000
    )


async def gains(user: Client, query: str = "") -> Any:
    reply = await user("GET", f"/portfolio/realized-gains{query}")
    assert reply.status == 200, reply
    return reply.data


METHODS = [
    # method, cost and gain of 120 sold at 170: document 001 has the first two
    ("FIFO", 18_200, 2_200, ["100", "20"]),
    ("LIFO", 18_500, 1_900, ["50", "70"]),
    ("HIFO", 18_500, 1_900, ["50", "70"]),
    ("AVERAGE", 18_400, 2_000, ["100", "20"]),
    ("SPECIFIC", 18_450, 1_950, ["75", "45"]),
]


@pytest.mark.parametrize("by", ["account", "order"])
@pytest.mark.parametrize(("method", "cost", "gain", "quantities"), METHODS)
async def test_the_example_of_document_001(
    small: SmallKerb, by: str, method: str, cost: float, gain: float, quantities: list[str]
) -> None:
    """100 bought at 150 in January, 50 at 160 in February, 120 sold at 170 in March."""
    user, market = await people(small)
    await trade(small, user, market, "100", "150", JANUARY)
    await trade(small, user, market, "50", "160", FEBRUARY)
    more: dict[str, Any] = {}
    if method == "SPECIFIC":
        first, second = (await user("GET", "/portfolio/lots")).data
        lots = [{"lot_id": first["lot_id"], "quantity": "75"}, {"lot_id": second["lot_id"], "quantity": "45"}]
        more = {"lot_method": "SPECIFIC", "lots": lots}
    elif by == "account":
        assert (await user("PUT", "/portfolio/lots/method", {"lot_method": method})).status == 200
        assert (await user("GET", "/portfolio/lots/method")).data == {"lot_method": method}
    else:
        more = {"lot_method": method}
    await trade(small, market, user, "120", "170", MARCH, **more)
    report = await gains(user)
    assert [str(each["quantity"]) for each in reversed(report["gains"])] == quantities
    total = report["totals"]["total"]
    assert (total["proceeds"], total["cost"], total["gain"]) == (20_400, cost, gain)
    assert report["totals"]["short_term"] == total
    assert report["totals"]["long_term"]["gain"] == 0
    assert report["wash_sales_complete"] is True
    assert all(each["wash_sale"] is None for each in report["gains"])


async def test_long_and_short_term_are_told_apart(small: SmallKerb) -> None:
    user, market = await people(small)
    await trade(small, user, market, "10", "100", "2024-01-01")
    await trade(small, user, market, "10", "110", "2024-06-01")
    await trade(small, market, user, "20", "120", "2025-01-02")
    totals = (await gains(user))["totals"]
    assert (totals["long_term"]["gain"], totals["short_term"]["gain"]) == (200, 100)
    assert [each["term"] for each in (await gains(user))["gains"]] == ["SHORT", "LONG"]


async def test_pages_and_filters(small: SmallKerb) -> None:
    user, market = await people(small)
    for day in ("2024-01-01", "2024-01-02", "2024-01-03"):
        await trade(small, user, market, "2", "100", day)
    for n, day in enumerate(("2024-02-01", "2024-02-02", "2024-02-03")):
        await trade(small, market, user, "2", str(101 + n), day)
    seen = []
    query = "?limit=1"
    while query:
        reply = await user("GET", f"/portfolio/realized-gains{query}")
        (one,) = reply.data["gains"]
        seen.append(one["gain"])
        assert reply.data["totals"]["total"]["gain"] == 12
        cursor = reply.meta.get("next_cursor")
        query = f"?limit=1&cursor={cursor}" if cursor else ""
    assert seen == [6, 4, 2]
    span = await gains(user, "?from_date=2024-02-02&to_date=2024-02-02")
    assert [each["gain"] for each in span["gains"]] == [4]
    assert span["totals"]["total"]["gain"] == 4
    assert (await gains(user, "?symbol=TSLA"))["gains"] == []
    assert (await gains(market, "?to_date=2023-12-31"))["gains"] == []
    assert (await user("GET", "/portfolio/realized-gains?cursor=x")).status == 400


@pytest.mark.parametrize("how", ["?format=csv", "Accept"])
async def test_all_of_it_as_csv(small: SmallKerb, how: str) -> None:
    user, market = await people(small)
    await trade(small, user, market, "3", "100", JANUARY)
    await trade(small, market, user, "2.5", "99.99", FEBRUARY)
    headers = {"Accept": "text/csv, */*"} if how == "Accept" else {}
    query = how if how.startswith("?") else ""
    reply = await user("GET", f"/portfolio/realized-gains{query}", headers=headers)
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(reply.body.decode()))
    assert (row["quantity"], row["proceeds"], row["cost"], row["gain"]) == (
        "2.5",
        "249.975",
        "250.00",
        "-0.025",
    )
    assert (row["stock_symbol"], row["type"], row["term"], row["adjusted_gain"]) == (
        "AAPL",
        "SALE",
        "SHORT",
        "-0.025",
    )
    assert row["sold_at"].startswith("2024-02-01T12:00:00")


async def test_a_bust_takes_back_what_was_realised(small: SmallKerb, database_dsn: str) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    user, market = await people(small)
    await trade(small, user, market, "3", "100", JANUARY)
    await trade(small, market, user, "2", "110", FEBRUARY)
    (sale,) = (await gains(user))["gains"]
    proposed = await one("POST", f"/admin/trades/{sale['execution_id']}/bust", {"reason": "a fat finger"})
    assert (await two("POST", f"/admin/busts/{proposed.data['bust_id']}/approve")).data["status"] == "BUSTED"
    report = await gains(user)
    assert [(each["type"], each["gain"]) for each in report["gains"]] == [("REVERSAL", -20), ("SALE", 20)]
    assert report["totals"]["total"]["gain"] == 0
    assert await verify(database_dsn) == []


async def test_a_wash_sale_is_marked_with_the_lot_that_carries_it(small: SmallKerb) -> None:
    """10 bought at 100, sold at 90, 4 of them bought again: 40 of the loss go over, and come back with their sale."""
    user, market = await people(small)
    await trade(small, user, market, "10", "100", "2024-01-01")
    await trade(small, market, user, "10", "90", "2024-06-01")
    await trade(small, user, market, "4", "92", "2024-06-20")
    (lot,) = (await user("GET", "/portfolio/lots")).data
    report = await gains(user)
    (sale,) = report["gains"]
    assert sale["gain"] == -100
    washed = sale["wash_sale"]
    assert (washed["disallowed"], washed["adjusted_gain"], washed["basis_added"]) == (40, -60, 0)
    (part,) = washed["parts"]
    assert part["carried_by"] == [{"lot_id": lot["lot_id"], "quantity": 4, "disallowed": 40}]
    assert (lot["cost"], lot["quantity"]) == (368, 4)  # the ledger's cost stays
    total = report["totals"]["total"]
    assert (total["gain"], total["disallowed"], total["adjusted_gain"]) == (-100, 40, -60)

    await trade(small, market, user, "4", "120", "2025-02-01")
    report = await gains(user)
    sale = report["gains"][0]
    (part,) = sale["wash_sale"]["parts"]
    assert (sale["term"], sale["gain"], part["basis_added"], part["adjusted_gain"]) == ("SHORT", 112, 40, 72)
    # 152 days of the lot that was sold come on top of the days since 20 June 2024
    assert (part["held_since"], part["term"]) == ("2024-01-20", "LONG")
    totals = report["totals"]
    assert (totals["short_term"]["adjusted_gain"], totals["long_term"]["adjusted_gain"]) == (-60, 72)
    assert totals["total"]["gain"] == totals["total"]["adjusted_gain"] == 12


async def test_a_method_that_is_none_is_refused_by_name(small: SmallKerb) -> None:
    user, _ = await people(small)
    for body in ({"lot_method": "SPECIFIC"}, {"lot_method": "fifo"}, {}):
        reply = await user("PUT", "/portfolio/lots/method", body)
        assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    headers = {"X-Idempotency-Key": "once"}
    for hit in (None, "true"):
        reply = await user("PUT", "/portfolio/lots/method", {"lot_method": "LIFO"}, headers=headers)
        assert (reply.status, reply.headers.get("Idempotency-Hit")) == (200, hit)
