"""Another symbol, a merger and a delisting over HTTP: under four eyes, shown, refused afterwards, and in the books."""

from __future__ import annotations

from server.verify import verify
from tests.handlers.small_kerb import SmallKerb
from tests.handlers.test_realized_gains import gains, people, trade
from tests.handlers.test_splits import split


async def test_a_symbol_is_changed_and_then_delisted(small: SmallKerb, database_dsn: str) -> None:
    user, other = await people(small)
    await trade(small, user, other, "10", "90", "2024-01-01")
    order_id = (await user.place("SELL", "4", "95", time_in_force="GTC")).data["order_id"]
    assert (await other.place("BUY", "1", "95")).data["status"] == "FILLED"
    neither = {"new_shares": None, "old_shares": None}
    done = await split(small, type="SYMBOL_CHANGE", new_symbol="APPL", **neither)
    assert (done["status"], done["new_symbol"]) == ("EFFECTED", "APPL")
    found = (await user("GET", f"/orders/{order_id}")).data
    assert (found["stock_symbol"], found["status"], found["filled_quantity"]) == ("APPL", "PARTIAL", 1)
    (holding,) = (await user("GET", "/portfolio")).data["holdings"]
    assert (holding["symbol"], holding["quantity"], holding["current_price"]) == ("APPL", 9, 95)
    quote = (await user("GET", "/stocks/APPL/quote")).data
    assert (quote["price"], quote["ask"], quote["volume"]) == (95, 95, 11)
    assert (await user("GET", "/stocks/AAPL/quote")).data["ask"] is None
    refused = await user.place("SELL", "1", "95")
    assert (refused.status, refused.code) == (422, "INSTRUMENT_DELISTED")
    bought = await other("POST", "/orders", order("APPL", "BUY", "3", "95"))
    assert bought.data["status"] == "FILLED", bought
    assert await verify(database_dsn) == []

    one, two = await small.admin("five"), await small.admin("six")
    proposed = await one(
        "POST",
        "/admin/corporate-actions",
        {
            "type": "DELISTING",
            "stock_symbol": "APPL",
            "effective_at": "2024-01-01T15:00:00Z",
            "reason": "over",
        },
    )
    approved = await two("POST", f"/admin/corporate-actions/{proposed.data['action_id']}/approve")
    assert approved.data["status"] == "DECLARED", approved
    small.world.clock_leap(4 * 3600)
    small.world.runtime.tick()
    refused = await other("POST", "/orders", order("APPL", "BUY", "3", "95"))
    assert (refused.status, refused.code) == (422, "INSTRUMENT_DELISTED")
    await small.world.written()
    assert await verify(database_dsn) == []


async def test_a_merger_pays_cash_and_shares(small: SmallKerb, database_dsn: str) -> None:
    """10 AAPL that cost 900 become 5 TSLA at 100 and 450 in cash: a gain of 50, all of which there is cash for."""
    user, other = await people(small)
    await trade(small, user, other, "10", "90", "2024-01-01")
    terms = {"new_shares": 1, "old_shares": 2, "new_symbol": "TSLA", "cash_per_share": "45"}
    done = await split(small, type="MERGER", **terms)
    assert (done["status"], done["cash_per_share"], done["new_symbol"]) == ("EFFECTED", 45, "TSLA")
    (holding,) = (await user("GET", "/portfolio")).data["holdings"]
    assert (holding["symbol"], holding["quantity"], holding["total_cost"]) == ("TSLA", 5, 500)
    (gain,) = (await gains(user))["gains"]
    assert (gain["type"], gain["proceeds"], gain["gain"]) == ("MERGER", 450, 50)
    line = (await user("GET", "/wallet/transactions?limit=1")).data[0]
    assert (line["type"], line["amount"], line["reference_id"]) == ("MERGER", 450, done["action_id"])
    kinds = [each["kind"] for each in (await user("GET", "/notifications?limit=2")).data]
    assert sorted(kinds) == ["CASH_IN_LIEU", "SHARES_CHANGED"]
    assert await verify(database_dsn) == []


def order(symbol: str, side: str, quantity: str, price: str) -> dict[str, str]:
    return {
        "stock_symbol": symbol,
        "side": side,
        "order_type": "LIMIT",
        "quantity": quantity,
        "price": price,
    }
