"""Settlement over real sockets: what can be taken out when, the records of it, busts, and `verify` over all of its rows."""

from __future__ import annotations

from engine.commands import SetCalendar, SetFees, SetSettlement
from engine.units import DAY_US
from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb
from tests.server.ledger_world import START_US
from tests.server.test_settlement_rows import later


def settle_next_day(small: SmallKerb) -> None:
    """Every day is a business day from now on, and sales have fees by law."""
    today = START_US // DAY_US
    days = tuple((day * DAY_US, (day + 1) * DAY_US) for day in range(today, today + 30))
    small.world.submit(SetCalendar("ALWAYS", days))
    small.world.submit(SetSettlement("ALWAYS", 1))
    small.world.submit(SetFees("standard", 1_000, 2_500, sell_ppb=27_800))


async def balance(client: Client) -> tuple[float, float, float, float]:
    data = (await client("GET", "/wallet/balance")).data
    return data["balance"], data["unsettled"], data["withdrawable"], data["buying_power"]


async def test_proceeds_buy_at_once_and_are_withdrawable_a_day_later(
    small: SmallKerb, database_dsn: str
) -> None:
    buyer, seller = await small.trader("buyer", cash="2000"), await small.trader("seller", units=10)
    settle_next_day(small)
    await buyer.place("BUY", "5", "100")
    sold = await seller.place("SELL", "5", "100")
    assert sold.data["fee"] == 1.2639  # 0.25 % of 500, and 0.0139 by law
    (fill,) = (await seller("GET", f"/orders/{sold.data['order_id']}/executions")).data
    assert (fill["fee"], fill["commission"], fill["regulatory_fee"]) == (1.2639, 1.25, 0.0139)
    assert await balance(seller) == (498.7361, 498.7361, 0, 498.7361)
    assert await balance(buyer) == (1499.5, 0, 1499.5, 1499.5)

    refused = await seller("POST", "/wallet/withdraw", {"amount": "100"})
    assert (refused.status, refused.code) == (422, "UNSETTLED_FUNDS")
    assert refused.error["details"] == {
        "required": 100,
        "withdrawable": 0,
        "settles": "2023-11-15T00:00:00.000000Z",
    }

    (record,) = (await seller("GET", "/portfolio/settlements")).data
    assert record == {
        "settlement_id": f"stl_{fill['execution_id'].removeprefix('exe_')}",
        "execution_id": fill["execution_id"], "order_id": sold.data["order_id"], "stock_symbol": "AAPL", "side": "SELL",
        "quantity": 5, "amount": 498.7361, "currency": "USD", "trade_date": "2023-11-14",
        "settlement_date": "2023-11-15", "status": "PENDING", "settled_at": None,
    }  # fmt: skip
    (paid,) = (await buyer("GET", "/portfolio/settlements?status=PENDING")).data
    assert (paid["side"], paid["amount"]) == ("BUY", -500.5)
    assert await verify(database_dsn) == []

    later(small.world, DAY_US)
    assert await balance(seller) == (498.7361, 0, 498.7361, 498.7361)
    (record,) = (await seller("GET", "/portfolio/settlements")).data
    assert (record["status"], record["settled_at"][:10]) == ("SETTLED", "2023-11-15")
    assert (await seller("GET", "/portfolio/settlements?status=PENDING")).data == []
    assert (await seller("POST", "/wallet/withdraw", {"amount": "100"})).status == 201
    await small.world.written()
    assert await verify(database_dsn) == []


async def test_records_come_by_pages_and_are_the_callers_own(small: SmallKerb) -> None:
    buyer, seller = await small.trader("buyer", cash="2000"), await small.trader("seller", units=10)
    settle_next_day(small)
    for _ in range(3):
        await buyer.place("BUY", "1", "100")
        await seller.place("SELL", "1", "100")
    first = await seller("GET", "/portfolio/settlements?limit=2")
    rest = await seller("GET", f"/portfolio/settlements?limit=2&cursor={first.meta['next_cursor']}")
    assert [len(first.data), len(rest.data), rest.meta.get("next_cursor")] == [2, 1, None]
    ids = [each["settlement_id"] for each in first.data + rest.data]
    assert ids == sorted(ids, reverse=True)
    assert {each["side"] for each in first.data + rest.data} == {"SELL"}
    assert (await seller("GET", "/portfolio/settlements?cursor=x")).status == 400
    assert (await seller("GET", "/portfolio/settlements?status=LATE")).status == 400
    assert (await (await small.trader("other"))("GET", "/portfolio/settlements")).data == []


async def test_a_busted_trade_has_its_record_and_gives_everything_back(
    small: SmallKerb, database_dsn: str
) -> None:
    buyer, seller = await small.trader("buyer", cash="2000"), await small.trader("seller", units=10)
    one, two = await small.admin("one"), await small.admin("two")
    settle_next_day(small)
    await buyer.place("BUY", "5", "100")
    sold = await seller.place("SELL", "5", "100")
    (fill,) = (await seller("GET", f"/orders/{sold.data['order_id']}/executions")).data
    path = f"/admin/trades/{fill['execution_id']}/bust"
    bust = (await one("POST", path, {"reason": "a price that nobody meant"})).data["bust_id"]
    assert (await two("POST", f"/admin/busts/{bust}/approve")).data["status"] == "BUSTED"
    assert await balance(seller) == (0, 0, 0, 0)
    (record,) = (await seller("GET", "/portfolio/settlements")).data
    assert record["status"] == "BUSTED"
    later(small.world, DAY_US)
    await small.world.written()
    assert await verify(database_dsn) == []


async def test_the_portfolio_and_the_preview_say_what_can_be_used(small: SmallKerb) -> None:
    buyer, seller = await small.trader("buyer", cash="2000"), await small.trader("seller", units=10)
    settle_next_day(small)
    await buyer.place("BUY", "5", "100")
    await seller.place("SELL", "5", "100")
    order = {"stock_symbol": "AAPL", "side": "SELL", "order_type": "LIMIT", "quantity": "1", "price": "100"}
    await buyer.place("BUY", "1", "100")
    preview = (await seller("POST", "/orders/preview", order)).data
    assert (preview["fee"], preview["regulatory_fee"], preview["taker_rate"]) == (0.2528, 0.0028, 0.25)
    assert preview["buying_power"] == 498.7361
    assert (await seller("GET", "/portfolio")).data["buying_power"] == 498.7361
