"""A dividend over HTTP: proposed, approved by another, recorded, paid, told, and in the books."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb

HOUR_US = 3600 * 10**6


def body(small: SmallKerb, **change: Any) -> dict[str, Any]:
    """Recorded in an hour, paid an hour later."""
    now_us = small.world.runtime.now_us()

    def at(hours: int) -> str:
        return datetime.fromtimestamp((now_us + hours * HOUR_US) // 10**6, UTC).isoformat()

    return {
        "type": "CASH_DIVIDEND",
        "stock_symbol": "AAPL",
        "amount_per_share": "0.123456",
        "record_at": at(1),
        "payment_at": at(2),
        "reason": "first quarter",
    } | change


def an_hour_passes(small: SmallKerb) -> None:
    clock: Any = small.world.runtime.clock
    clock.us += HOUR_US + 10**6
    small.world.runtime.tick()


async def dividends(user: Client, query: str = "") -> Any:
    reply = await user("GET", f"/portfolio/dividends{query}")
    assert reply.status == 200, reply
    return reply.data


async def test_a_dividend_from_its_proposal_to_the_statement(small: SmallKerb, database_dsn: str) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    user = await small.trader("holder", cash="1000", units=10)
    order_id = (await user.place("BUY", "1", "90", time_in_force="GTC")).data["order_id"]
    proposed = await one("POST", "/admin/corporate-actions", body(small))
    assert (proposed.status, proposed.data["status"]) == (201, "PROPOSED")
    action = f"/admin/corporate-actions/{proposed.data['action_id']}"
    assert (await one("POST", f"{action}/approve")).status == 403
    approved = await two("POST", f"{action}/approve")
    assert (approved.data["status"], approved.data["outcome"]) == ("DECLARED", proposed.data["action_id"])
    assert (await two("POST", f"{action}/approve")).data == approved.data
    assert await dividends(user) == []

    an_hour_passes(small)
    (recorded,) = await dividends(user)
    assert (recorded["status"], recorded["quantity"], recorded["total_amount"]) == ("RECORDED", 10, 1.2345)
    assert (await user("GET", f"/orders/{order_id}")).data["price"] == 89.87

    an_hour_passes(small)
    (paid,) = await dividends(user, "?symbol=AAPL&limit=1")
    assert (paid["status"], paid["total_amount"], paid["amount_per_share"]) == ("PAID", 1.2345, 0.123456)
    assert paid["dividend_id"] == proposed.data["action_id"]
    line = (await user("GET", f"/wallet/transactions/{paid['transaction_id']}")).data
    assert (line["type"], line["amount"], line["reference_id"]) == ("DIVIDEND", 1.2345, paid["dividend_id"])
    told = (await user("GET", "/notifications?limit=1")).data[0]
    assert (told["kind"], told["transaction_id"]) == ("DIVIDEND_PAID", paid["transaction_id"])
    assert await dividends(user, "?symbol=TSLA") == []
    assert await verify(database_dsn) == []


async def test_what_the_engine_refuses_is_the_outcome(small: SmallKerb) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    dear = await one("POST", "/admin/corporate-actions", body(small, amount_per_share="500"))
    refused = await two("POST", f"/admin/corporate-actions/{dear.data['action_id']}/approve")
    assert (refused.data["status"], refused.data["outcome"]) == ("REFUSED", "INVALID_ACTION")
    other = await one("POST", "/admin/corporate-actions", body(small))
    rejected = await two("POST", f"/admin/corporate-actions/{other.data['action_id']}/reject")
    assert rejected.data["status"] == "REJECTED"
    assert (await two("POST", f"/admin/corporate-actions/{other.data['action_id']}/approve")).status == 409
    found = (await one("GET", "/admin/corporate-actions?limit=1")).data
    assert [each["action_id"] for each in found] == [other.data["action_id"]]


async def test_an_approval_that_was_cut_off_goes_on_and_declares_once(small: SmallKerb) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    proposed = await one("POST", "/admin/corporate-actions", body(small))
    action = f"/admin/corporate-actions/{proposed.data['action_id']}"
    done = (await two("POST", f"{action}/approve")).data
    await small.services.database.execute(
        "UPDATE corporate_actions SET status = 'APPROVED', outcome = NULL WHERE action_id = $1",
        int(proposed.data["action_id"].removeprefix("div_")),
    )
    seq = small.world.state.seq
    assert (await two("POST", f"{action}/approve")).data == done
    assert small.world.state.seq == seq


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount_per_share": "0"}, 422, "INVALID_AMOUNT"),
        ({"amount_per_share": "0.123456789"}, 422, "INVALID_AMOUNT"),
        ({"stock_symbol": "NOPE"}, 404, "NOT_FOUND"),
        ({"record_at": "tomorrow"}, 400, "BAD_REQUEST"),
        ({"payment_at": "2001-01-01T00:00:00Z"}, 422, "INVALID_ACTION"),
        ({"reason": " "}, 400, "BAD_REQUEST"),
        ({"type": "SPLIT"}, 422, "INVALID_ACTION"),
        ({"type": "BONUS"}, 400, "BAD_REQUEST"),
    ],
)
async def test_what_cannot_be_proposed(
    small: SmallKerb, change: dict[str, str], status: int, code: str
) -> None:
    reply = await (await small.admin("one"))("POST", "/admin/corporate-actions", body(small, **change))
    assert (reply.status, reply.code) == (status, code)
