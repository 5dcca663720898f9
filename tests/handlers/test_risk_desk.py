"""The risk desk over real sockets: rules and exceptions, violations told and reviewed, linked accounts, KYC tiers."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from engine.invariants import check_invariants
from engine.kinds import RiskRule
from engine.state_hash import state_hash
from server.kyc_tiers import tell_engine
from server.recovery import load_state
from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb, sign_in
from tests.handlers.websocket_user import connected

RULES = "/admin/risk/rules"
VIOLATIONS = "/admin/risk/violations"


async def risk_officer(small: SmallKerb, name: str = "officer") -> Client:
    """A user with the role `risk` and no other."""
    client = await small.trader(name)
    await small.services.database.execute(
        "UPDATE users SET roles = '{risk}' WHERE user_id = $1", int(client.user_id.removeprefix("usr_"))
    )
    await sign_in(client, f"{name}@example.com")
    return client


async def set_rule(desk: Client, rule: str, mode: str, **figures: Any) -> None:
    reply = await desk("PUT", f"{RULES}/{rule}", {"mode": mode, "figures": figures})
    assert reply.status == 200, reply


async def test_all_rules_are_off_until_somebody_sets_them(small: SmallKerb) -> None:
    desk = await risk_officer(small)
    found = (await desk("GET", RULES)).data
    assert [each["rule"] for each in found] == [rule.name for rule in RiskRule]
    assert {each["mode"] for each in found} == {"OFF"}
    assert found[2]["figures"] == {"orders_max": 50, "window_s": 300}
    assert found[8]["figures"] == {"day_trades_max": 3, "days": 5, "equity_min": 25_000}
    changed = await desk("PUT", f"{RULES}/RAPID_TRADING", {"mode": "FLAG", "figures": {"orders_max": 30}})
    assert changed.data == {
        "rule": "RAPID_TRADING",
        "mode": "FLAG",
        "figures": {"orders_max": 30, "window_s": 300},
    }
    assert (await desk("GET", RULES)).data[2] == changed.data
    audit = (await (await small.admin())("GET", "/admin/audit")).data
    assert audit[0]["action"] == "PUT /api/v1/admin/risk/rules/{rule}"
    assert (audit[0]["target"], audit[0]["user_id"]) == ("RAPID_TRADING", desk.user_id)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/RAPID_TRADING", {"mode": "LOUD"}, 400, "BAD_REQUEST"),
        ("/RAPID_TRADING", {"mode": "INHERIT"}, 400, "BAD_REQUEST"),
        ("/RAPID_TRADING", {"mode": "FLAG", "figures": {"value_max": 1}}, 422, "INVALID_RISK_RULE"),
        ("/RAPID_TRADING", {"mode": "FLAG", "figures": {"orders_max": 1.5}}, 422, "INVALID_RISK_RULE"),
        ("/RAPID_TRADING", {"mode": "FLAG", "figures": {"orders_max": 0}}, 422, "INVALID_RISK_RULE"),
        ("/RAPID_TRADING", {"mode": "FLAG", "figures": {"orders_max": None}}, 400, "BAD_REQUEST"),
        ("/FAT_FINGER", {"mode": "FLAG", "figures": {"value_max": "1.23456"}}, 422, "INVALID_AMOUNT"),
        ("/NOTHING", {"mode": "FLAG"}, 404, "NOT_FOUND"),
    ],
)
async def test_what_is_no_setting_is_refused(
    small: SmallKerb, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    desk = await risk_officer(small)
    reply = await desk("PUT", f"{RULES}{path}", body)
    assert (reply.status, reply.code) == (status, code), reply
    assert small.world.state.risk is None


async def test_a_flagged_order_is_told_listed_and_reviewed_once(small: SmallKerb, database_dsn: str) -> None:
    desk, other = await risk_officer(small), await small.admin()
    trader = await small.trader("trader", cash="1000")
    await set_rule(desk, "FAT_FINGER", "FLAG", quantity_max=1, value_max="1000.00")
    async with connected(small, desk) as channel:
        assert (await channel.ask("subscribe", channels=["risk"]))["type"] == "subscribed"
        placed = await trader.place("BUY", "2", "90")
        assert (placed.status, placed.data["status"]) == (201, "PENDING")
        told = await channel.find(lambda message: message.get("channel") == "risk")
    violation = told["data"]
    assert violation == violation | {
        "rule": "FAT_FINGER",
        "mode": "FLAG",
        "account_id": f"acc_{trader.account_id}",
        "user_id": trader.user_id,
        "stock_symbol": "AAPL",
        "order_id": placed.data["order_id"],
        "side": "BUY",
        "quantity": 2,
        "price": 90,
        "figures": {"quantity": 2, "value": 180},
    }
    unreviewed = {"status": "OPEN", "reviewed_by": None, "reviewed_at": None, "note": None}
    assert (await desk("GET", VIOLATIONS)).data == [violation | unreviewed]

    path = f"{VIOLATIONS}/{violation['violation_id']}/review"
    first = await desk("POST", path, {"decision": "ESCALATED", "note": "whose money is it?"})
    assert (first.status, first.data["status"], first.data["reviewed_by"]) == (200, "ESCALATED", desk.user_id)
    last = await other("POST", path, {"decision": "CONFIRMED", "note": "asked: a slip"})
    assert (last.data["status"], last.data["reviewed_by"], last.data["note"]) == (
        *("CONFIRMED", other.user_id, "asked: a slip"),
    )
    assert (await other("POST", path, {"decision": "CONFIRMED", "note": "asked: a slip"})).data == last.data
    again = await desk("POST", path, {"decision": "DISMISSED", "note": "never mind"})
    assert (again.status, again.code) == (409, "CONFLICT")
    assert (await desk("GET", f"{VIOLATIONS}?status=OPEN")).data == []
    assert (await desk("GET", f"{VIOLATIONS}?status=CONFIRMED")).data == [last.data]

    connection = await asyncpg.connect(database_dsn)
    for change in ("UPDATE risk_violations SET quantity_e8 = 1", "DELETE FROM risk_violations"):
        with pytest.raises(asyncpg.PostgresError, match="cannot be changed"):
            await connection.execute(change)
    await small.world.written()
    stored, _ = await load_state(connection)
    await connection.close()
    assert state_hash(stored) == state_hash(small.world.state)
    assert check_invariants(small.world.state) == []
    assert await verify(database_dsn) == []


async def test_a_blocked_order_is_refused_by_the_name_of_its_rule(small: SmallKerb) -> None:
    desk = await risk_officer(small)
    trader, stranger = await small.trader("trader", cash="1000"), await small.trader("stranger")
    await set_rule(desk, "FAT_FINGER", "BLOCK", quantity_max=1)
    for number in range(3):
        refused = await trader.place("BUY", f"{number + 2}", "90")
        assert (refused.status, refused.code) == (422, "FAT_FINGER")
        assert refused.error["details"] == {"quantity": number + 2, "value": 90 * (number + 2)}
    assert (await trader("GET", "/orders")).data == []
    page = await desk("GET", f"{VIOLATIONS}?limit=2&user_id={trader.user_id}&rule=FAT_FINGER&symbol=AAPL")
    rest = await desk("GET", f"{VIOLATIONS}?limit=2&cursor={page.meta['next_cursor']}")
    assert [each["quantity"] for each in (*page.data, *rest.data)] == [4, 3, 2]
    assert {(each["mode"], each["order_id"]) for each in page.data} == {("BLOCK", None)}
    for query in (f"user_id={stranger.user_id}", "rule=WASH_TRADE", "symbol=TSLA", "account_id=acc_77"):
        assert (await desk("GET", f"{VIOLATIONS}?{query}")).data == [], query
    assert (await desk("GET", f"{VIOLATIONS}?rule=X")).code == "BAD_REQUEST"
    assert (await trader("GET", VIOLATIONS)).status == 403


async def test_an_exception_counts_instead_of_the_rule_until_it_is_taken_away(small: SmallKerb) -> None:
    desk, trader = await risk_officer(small), await small.trader("trader", cash="1000")
    await set_rule(desk, "FAT_FINGER", "BLOCK", quantity_max=1)
    path = "/admin/risk/exceptions/FAT_FINGER"
    made = await desk(
        "PUT", path, {"mode": "BLOCK", "user_id": trader.user_id, "figures": {"quantity_max": 3}}
    )
    assert made.data == {
        "rule": "FAT_FINGER",
        "account_id": f"acc_{trader.account_id}",
        "user_id": trader.user_id,
        "stock_symbol": None,
        "mode": "BLOCK",
        "figures": {"quantity_max": 3, "value_max": 5_000_000},
    }
    assert (await desk("GET", "/admin/risk/exceptions")).data == [made.data]
    assert (await trader.place("BUY", "3", "90")).status == 201
    assert (await trader.place("BUY", "4", "90")).code == "FAT_FINGER"
    off = {"mode": "OFF", "user_id": trader.user_id, "stock_symbol": "AAPL"}
    assert (await desk("PUT", path, off)).status == 200
    assert (await trader.place("BUY", "4", "90")).status == 201
    for each in (off | {"mode": "INHERIT"}, {"mode": "INHERIT", "user_id": trader.user_id}):
        assert (await desk("PUT", path, each)).status == 200
    assert (await desk("GET", "/admin/risk/exceptions")).data == []
    assert (await trader.place("BUY", "2", "90")).code == "FAT_FINGER"
    for body, status in (
        ({"mode": "OFF"}, 422),
        ({"mode": "OFF", "stock_symbol": "NOPE"}, 422),
        ({"mode": "OFF", "user_id": "usr_77"}, 404),
    ):
        assert (await desk("PUT", path, body)).status == status, body


async def test_linked_accounts_do_not_trade_with_each_other(small: SmallKerb) -> None:
    desk = await risk_officer(small)
    one, two = await small.trader("one", cash="1000"), await small.trader("two", units=5)
    await set_rule(desk, "WASH_TRADE", "BLOCK")
    for each in (one, two):
        reply = await desk(
            "PUT", f"/admin/users/{each.user_id}/link", {"group": "case-7", "reason": "family"}
        )
        assert reply.data["group"] == "case-7"
    assert [each["user_id"] for each in (await desk("GET", "/admin/risk/links")).data] == [
        one.user_id,
        two.user_id,
    ]
    bid = (await one.place("BUY", "1", "100")).data["order_id"]
    refused = await two.place("SELL", "1", "100")
    assert (refused.code, refused.error["details"]) == ("WASH_TRADE", {})
    (violation,) = (await desk("GET", VIOLATIONS)).data
    assert violation["figures"] == {"counterparty_id": f"acc_{one.account_id}", "counterparty_order_id": bid}
    await desk("PUT", f"/admin/users/{one.user_id}/link", {"group": ""})
    assert (await two.place("SELL", "1", "100")).data["status"] == "FILLED"


async def test_a_kyc_tier_is_the_engines_too(small: SmallKerb) -> None:
    desk, trader = await risk_officer(small), await small.trader("trader", cash="100000")
    await set_rule(desk, "KYC_LIMIT", "BLOCK")
    path = f"/admin/users/{trader.user_id}/kyc-tier"
    assert (await desk("PUT", path, {"tier": 1})).data["tier"] == 1
    refused = await trader.place("BUY", "11", "100")
    assert (refused.code, refused.error["details"]) == (
        *("KYC_LIMIT", {"bought": 1_100, "maximum": 1_000, "tier": 1}),
    )
    assert (await trader("GET", "/users/profile")).data["kyc_tier"] == 1
    assert (await desk("PUT", path, {"tier": 3})).status == 200
    assert (await trader.place("BUY", "11", "100")).status == 201
    assert (await desk("PUT", path, {"tier": 4})).status == 400
    assert (await desk("PUT", path, {"tier": 0})).status == 200
    assert (await trader("GET", "/users/profile")).data["kyc_status"] == "PENDING"


async def test_a_throttled_order_is_answered_429_and_says_when_to_come_back(small: SmallKerb) -> None:
    desk, trader = await risk_officer(small), await small.trader("trader", cash="1000")
    await set_rule(desk, "ORDER_RATE_LIMIT", "BLOCK", per_second_max=1_000, per_minute_max=1)
    assert (await trader.place("BUY", "1", "90")).status == 201
    refused = await trader.place("BUY", "1", "90", headers={"Idempotency-Key": "again"})
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "ORDER_RATE_LIMIT", "60")
    assert refused.error["retryable"] is True
    await set_rule(desk, "ORDER_RATE_LIMIT", "OFF")
    assert (await trader.place("BUY", "1", "90", headers={"Idempotency-Key": "again"})).status == 201


async def test_the_engine_is_told_the_tiers_that_it_does_not_know(small: SmallKerb) -> None:
    """A start after a crash between the users' table and the command."""
    one, two = await small.trader("one"), await small.trader("two")
    state, services = small.world.state, small.services
    assert {state.accounts[each.account_id].kyc_tier for each in (one, two)} == {2}
    for client, tier in ((one, 3), (two, 0)):
        await services.database.execute(
            "UPDATE users SET kyc_tier = $2 WHERE user_id = $1", int(client.user_id[4:]), tier
        )
    assert await tell_engine(services.database, services.runtime) == 2
    assert [state.accounts[each.account_id].kyc_tier for each in (one, two)] == [3, 0]
    assert await tell_engine(services.database, services.runtime) == 0
