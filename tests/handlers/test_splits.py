"""A split over HTTP: proposed, approved by another, carried out at its minute, told, shown everywhere, and in the books."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb
from tests.handlers.test_realized_gains import gains, people, set_date, trade

MINUTE_US = 60 * 10**6


def body(small: SmallKerb, **change: Any) -> dict[str, Any]:
    """Ten shares for three from the minute after next on."""
    effective_us = (small.world.runtime.now_us() // MINUTE_US + 2) * MINUTE_US
    return {
        "type": "SPLIT",
        "stock_symbol": "AAPL",
        "new_shares": 10,
        "old_shares": 3,
        "effective_at": datetime.fromtimestamp(effective_us // 10**6, UTC).isoformat(),
        "reason": "ten for three",
    } | change


async def split(small: SmallKerb, **change: Any) -> Any:
    """Propose, approve, and let its minute come; the action as operators see it."""
    one, two = await small.admin("one"), await small.admin("two")
    proposed = await one("POST", "/admin/corporate-actions", body(small, **change))
    assert (proposed.status, proposed.data["status"]) == (201, "PROPOSED"), proposed
    action = f"/admin/corporate-actions/{proposed.data['action_id']}"
    approved = await two("POST", f"{action}/approve")
    assert (approved.data["status"], approved.data["outcome"]) == ("DECLARED", proposed.data["action_id"])
    assert (await two("POST", f"{action}/approve")).data == approved.data
    clock: Any = small.world.runtime.clock
    clock.us += 3 * MINUTE_US
    small.world.runtime.tick()
    await small.world.written()
    return (await one("GET", "/admin/corporate-actions?limit=1")).data[0]


async def holding(user: Client) -> tuple[Any, ...]:
    portfolio = (await user("GET", "/portfolio")).data
    (found,) = portfolio["holdings"]
    return (found["quantity"], found["current_price"], found["total_cost"], portfolio["total_value"])


async def test_a_split_from_its_proposal_to_the_books(small: SmallKerb, database_dsn: str) -> None:
    """100 shares at 90 are 333.33 at 27; a third of a hundredth is paid out: 0.00333333 at 27 is 0.09 and a bit."""
    user, other = await people(small)
    await trade(small, user, other, "100", "90", "2024-01-01")
    traded = (await other("GET", "/portfolio/realized-gains")).data["gains"][0]["execution_id"]
    order_id = (await user.place("BUY", "3", "80", time_in_force="GTC")).data["order_id"]
    day_order = (await user.place("BUY", "3", "80")).data["order_id"]
    before = (await user("GET", "/portfolio")).data["total_value"]

    done = await split(small)
    assert (done["status"], done["new_shares"], done["old_shares"]) == ("EFFECTED", 10, 3)
    assert await holding(user) == (333.33, 27, 8999.9101, before)
    adjusted = (await user("GET", f"/orders/{order_id}")).data
    assert (adjusted["quantity"], adjusted["price"], adjusted["status"]) == (10, 24, "PENDING")
    cancelled = (await user("GET", f"/orders/{day_order}")).data
    assert (cancelled["status"], cancelled["reason"]) == ("CANCELLED", "CORPORATE_ACTION")

    quote = (await user("GET", "/stocks/AAPL/quote")).data
    assert (quote["price"], quote["bid"], quote["high"], quote["volume"]) == (27, 24, 27, 333.33333333)
    chart = (await user("GET", "/stocks/AAPL/chart?interval=1m&range=max")).data["candles"]
    assert [(each["close"], each["volume"]) for each in chart] == [(27, 333.33333333)]

    told = {each["kind"]: each for each in (await user("GET", "/notifications?limit=10")).data}
    assert told["SHARES_CHANGED"]["body"].endswith("you have 333.33 AAPL now.")
    line = (await user("GET", f"/wallet/transactions/{told['CASH_IN_LIEU']['transaction_id']}")).data
    assert (line["type"], line["amount"], line["reference_id"]) == ("CASH_IN_LIEU", 0.09, done["action_id"])
    (gain,) = (await gains(user))["gains"]
    assert (gain["type"], gain["quantity"], gain["proceeds"], gain["cost"]) == (
        "CASH_IN_LIEU",
        0.00333333,
        0.09,
        0.0899,
    )
    assert (gain["order_id"], gain["execution_id"]) == (None, None)

    three, four = await small.admin("three"), await small.admin("four")
    proposed = await three("POST", f"/admin/trades/{traded}/bust", {"reason": "too late"})
    decided = await four("POST", f"/admin/busts/{proposed.data['bust_id']}/approve")
    assert (decided.data["status"], decided.data["outcome"]) == ("REFUSED", "TRADE_BEFORE_ACTION")
    await trade(small, user, other, "3", "27", "2024-01-02")
    assert await verify(database_dsn) == []


async def test_a_wash_sale_across_a_split_counts_in_new_shares(small: SmallKerb) -> None:
    """10 bought before the split and 20 after it are the same number: the loss on 10 old shares is carried by 20 new ones."""
    user, other = await people(small)
    await trade(small, user, other, "10", "90", "2024-01-01")
    await trade(small, other, user, "10", "80", "2024-01-02")
    await split(small, new_shares=2, old_shares=1)
    await trade(small, user, other, "12", "41", "2024-01-05")
    data = await gains(user)
    (sale,) = data["gains"]
    washed = sale["wash_sale"]
    assert (sale["gain"], washed["disallowed"]) == (-100, 60)
    assert [(each["quantity"], each["disallowed"]) for each in washed["parts"][0]["carried_by"]] == [(6, 60)]


NONE = dict.fromkeys(("new_shares", "old_shares"))
REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"new_shares": None}, 422, "INVALID_ACTION"),
    ({"new_shares": 3}, 422, "INVALID_ACTION"),
    ({"new_shares": 0}, 400, "BAD_REQUEST"),
    ({"effective_at": "2099-01-01T00:00:30Z"}, 422, "INVALID_ACTION"),
    ({"effective_at": None}, 422, "INVALID_ACTION"),
    ({"amount_per_share": "1"}, 422, "INVALID_ACTION"),
    ({"stock_symbol": "NOPE"}, 404, "NOT_FOUND"),
    ({"type": "DELISTING"}, 422, "INVALID_ACTION"),
    ({"type": "SYMBOL_CHANGE", **NONE}, 422, "INVALID_ACTION"),
    ({"type": "SYMBOL_CHANGE", "new_symbol": "AAPL", **NONE}, 422, "INVALID_ACTION"),
    ({"type": "MERGER", **NONE}, 422, "INVALID_ACTION"),
    ({"type": "MERGER"}, 422, "INVALID_ACTION"),
    ({"type": "MERGER", "cash_per_share": "0", **NONE}, 422, "INVALID_AMOUNT"),
    ({"type": "MERGER", "cash_per_share": "0.000000001", **NONE}, 422, "INVALID_AMOUNT"),
    ({"type": "MERGER", "new_symbol": "AAPL"}, 422, "INVALID_ACTION"),
]


async def test_what_cannot_be_proposed(small: SmallKerb) -> None:
    one = await small.admin("one")
    for change, status, code in REFUSED:
        reply = await one("POST", "/admin/corporate-actions", body(small, **change))
        assert (reply.status, reply.code) == (status, code), change


async def test_what_the_engine_refuses_is_the_outcome(small: SmallKerb) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    late = await one("POST", "/admin/corporate-actions", body(small, effective_at="2001-01-01T00:00:00Z"))
    refused = await two("POST", f"/admin/corporate-actions/{late.data['action_id']}/approve")
    assert (refused.data["status"], refused.data["outcome"]) == ("REFUSED", "INVALID_ACTION")
    set_date(small, "2024-01-01")
