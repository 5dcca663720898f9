"""The operators' desk over real sockets: looking up, limits and fees, four eyes, and the audit of all of it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from engine.commands import AdjustCash, Envelope
from engine.invariants import check_invariants
from engine.kinds import Source
from handlers.admin_audit import Audited
from handlers.routes import ROUTES
from handlers.routing import ADMIN, RISK_DESK
from server.verify import verify
from tests.handlers.small_kerb import Client, SmallKerb


def test_every_change_by_an_operator_is_audited() -> None:
    changes = [route for route in ROUTES if route.policy in (ADMIN, RISK_DESK) and route.method != "GET"]
    assert len(changes) >= 10
    for route in changes:
        assert isinstance(route.handler, Audited), route.name


async def test_operators_see_everybodys_orders_with_their_owners(small: SmallKerb) -> None:
    operator = await small.admin()
    one, two = await small.trader("one", cash="1000"), await small.trader("two", cash="1000")
    first = (await one.place("BUY", "1", "90")).data
    second = (await two.place("BUY", "1", "91")).data
    await two("DELETE", f"/orders/{second['order_id']}")
    found = await operator("GET", "/admin/orders")
    assert [each["order_id"] for each in found.data] == [second["order_id"], first["order_id"]]
    assert found.data[1] == first | {"account_id": f"acc_{one.account_id}", "user_id": one.user_id}
    assert found.meta["as_of_seq"] == small.world.state.seq
    for query, expected in (
        (f"user_id={one.user_id}", [first["order_id"]]),
        (f"account_id=acc_{two.account_id}", [second["order_id"]]),
        (f"account_id=acc_{two.account_id}&user_id={one.user_id}", []),
        ("status=PENDING", [first["order_id"]]),
        ("symbol=TSLA", []),
        ("user_id=usr_999999", []),
        (f"account_id=acc_{2**40}", []),  # ids leave 32 bits after two thousand commands
    ):
        reply = await operator("GET", f"/admin/orders?{query}")
        assert [each["order_id"] for each in reply.data] == expected, query
    page = await operator("GET", "/admin/orders?limit=1")
    rest = await operator("GET", f"/admin/orders?limit=1&cursor={page.meta['next_cursor']}")
    assert [each["order_id"] for each in (*page.data, *rest.data)] == [second["order_id"], first["order_id"]]
    assert "next_cursor" not in rest.meta
    assert (await operator("GET", "/admin/orders?cursor=x")).code == "BAD_REQUEST"
    assert (await one("GET", "/admin/orders")).status == 403


async def test_operators_find_users_by_parts_of_address_and_name(small: SmallKerb) -> None:
    operator = await small.admin()
    await small.trader("anna", cash="70")
    ben = await small.trader("ben")
    found = await operator("GET", "/admin/users?q=ANNA")
    assert found.meta["total"] == 1
    (anna,) = found.data
    assert (anna["email"], anna["balance"], anna["status"], anna["open_orders"]) == (
        "anna@example.com", 70, "ACTIVE", 0,
    )  # fmt: skip
    everybody = await operator("GET", "/admin/users?limit=2&page=2")
    assert [user["user_id"] for user in everybody.data] == [ben.user_id]
    assert everybody.meta["total"] == 3
    assert (await operator("GET", "/admin/users?q=%25")).data == []
    assert "password" not in str(everybody.data)


async def test_limits_and_fees_hold_at_once(small: SmallKerb) -> None:
    operator, trader = await small.admin(), await small.trader(cash="10000")
    before = (await operator("GET", "/admin/limits")).data
    keys_before = small.world.state.limits.keys_max
    wanted = before | {"order_value_max": 500, "open_orders_max": 1}
    changed = await operator("PUT", "/admin/limits", wanted)
    assert (changed.status, changed.data) == (200, wanted)
    assert (await operator("GET", "/admin/limits")).data == wanted
    assert small.world.state.limits.keys_max == keys_before
    assert (await trader.place("BUY", "10", "90")).code == "ORDER_VALUE_TOO_LARGE"
    assert (await trader.place("BUY", "1", "90")).status == 201
    assert (await trader.place("BUY", "1", "90")).code == "TOO_MANY_OPEN_ORDERS"
    assert (await operator("PUT", "/admin/limits", wanted | {"order_value_max": 0})).code == "INVALID_LIMITS"
    assert (await trader("PUT", "/admin/limits", before)).status == 403

    (schedule,) = (await operator("GET", "/admin/fees")).data
    name = schedule["schedule"]
    cheaper = await operator("PUT", f"/admin/fees/{name}", {"maker_ppm": 0, "taker_ppm": 7})
    assert cheaper.data == {"schedule": name, "maker_ppm": 0, "taker_ppm": 7}
    assert (await operator("GET", "/admin/fees")).data == [cheaper.data]
    assert (await operator("PUT", "/admin/fees/NOPE", {"maker_ppm": 0, "taker_ppm": 7})).status == 404
    too_dear = await operator("PUT", f"/admin/fees/{name}", {"maker_ppm": 0, "taker_ppm": 100_001})
    assert (too_dear.status, too_dear.code) == (400, "BAD_REQUEST")


async def proposed(operator: Client, owner: Client, amount: str) -> str:
    body = {"user_id": owner.user_id, "amount": amount, "reason": "a fee that was charged twice"}
    reply = await operator("POST", "/admin/adjustments", body)
    assert (reply.status, reply.data["status"], reply.data["outcome"]) == (201, "PROPOSED", None), reply
    return str(reply.data["adjustment_id"])


async def test_an_adjustment_needs_two_and_is_posted_once(small: SmallKerb, database_dsn: str) -> None:
    one, two, trader = await small.admin("one"), await small.admin("two"), await small.trader(cash="100")
    adjustment = await proposed(one, trader, "12.50")
    path = f"/admin/adjustments/{adjustment}"
    assert (await trader("GET", "/wallet/balance")).data["balance"] == 100
    own = await one("POST", f"{path}/approve")
    assert (own.status, own.code) == (403, "FORBIDDEN")
    assert (await trader("POST", f"{path}/approve")).status == 403

    replies = await asyncio.gather(*(two("POST", f"{path}/approve") for _ in range(10)))
    assert {reply.status for reply in replies} <= {200, 409}
    approved = next(reply.data for reply in replies if reply.status == 200)
    assert (approved["status"], approved["proposed_by"], approved["decided_by"]) == (
        "POSTED", one.user_id, two.user_id,
    )  # fmt: skip
    assert (await trader("GET", "/wallet/balance")).data["balance"] == 112.5
    (line, _) = (await trader("GET", "/wallet/transactions")).data
    assert (line["type"], line["amount"], line["balance_after"]) == ("ADJUSTMENT", 12.5, 112.5)
    assert (line["transaction_id"], line["reference_id"]) == (approved["outcome"], adjustment)
    assert (await trader("GET", f"/wallet/transactions/{line['transaction_id']}")).data == line
    assert (await trader("GET", "/portfolio")).data["total_pnl"] == 0
    assert (await two("POST", f"{path}/reject")).code == "CONFLICT"
    assert (await one("GET", "/admin/adjustments?status=POSTED")).data == [approved]
    await small.world.written()
    assert check_invariants(small.world.state) == []
    assert await verify(database_dsn) == []


async def test_what_cannot_be_taken_is_refused_by_the_engine_and_says_so(small: SmallKerb) -> None:
    one, two, trader = await small.admin("one"), await small.admin("two"), await small.trader(cash="100")
    adjustment = await proposed(one, trader, "-100.01")
    refused = await two("POST", f"/admin/adjustments/{adjustment}/approve")
    assert (refused.data["status"], refused.data["outcome"]) == ("REFUSED", "INSUFFICIENT_FUNDS")
    taken = await proposed(one, trader, "-100")
    assert (await two("POST", f"/admin/adjustments/{taken}/approve")).data["status"] == "POSTED"
    assert (await trader("GET", "/wallet/balance")).data["balance"] == 0
    other = await proposed(one, trader, "5")
    rejected = await two("POST", f"/admin/adjustments/{other}/reject")
    assert (rejected.data["status"], rejected.data["decided_by"]) == ("REJECTED", two.user_id)
    assert (await two("POST", f"/admin/adjustments/{other}/approve")).code == "CONFLICT"
    assert (await trader("GET", "/wallet/balance")).data["balance"] == 0


@pytest.mark.parametrize("engine_had_it", [False, True])
async def test_an_approval_that_was_cut_off_goes_on_and_posts_once(
    small: SmallKerb, engine_had_it: bool
) -> None:
    one, two, trader = await small.admin("one"), await small.admin("two"), await small.trader(cash="100")
    adjustment = await proposed(one, trader, "3")
    number = int(adjustment.removeprefix("adj_"))
    await small.services.database.execute(
        "UPDATE cash_adjustments SET status = 'APPROVED', decided_by = $2 WHERE adjustment_id = $1",
        number,
        int(two.user_id.removeprefix("usr_")),
    )
    if engine_had_it:  # and its idempotency key was forgotten since
        await small.services.runtime.execute(
            AdjustCash(trader.account_id, 30_000, adjustment), Envelope(Source.OPERATOR)
        )
    for reply in (await two("POST", f"/admin/adjustments/{adjustment}/approve"),):
        assert (reply.status, reply.data["status"]) == (200, "POSTED")
    assert (await trader("GET", "/wallet/balance")).data["balance"] == 103
    (line, _) = (await trader("GET", "/wallet/transactions")).data
    assert line["transaction_id"] == reply.data["outcome"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": "1", "reason": "x"}, 400, "BAD_REQUEST"),
        ({"amount": "0", "reason": "x", "user_id": "usr_1000"}, 422, "INVALID_AMOUNT"),
        ({"amount": "0.00001", "reason": "x", "user_id": "usr_1000"}, 422, "INVALID_AMOUNT"),
        ({"amount": "1", "reason": " ", "user_id": "usr_1000"}, 400, "BAD_REQUEST"),
        ({"amount": "1", "reason": "", "user_id": "usr_1000"}, 400, "BAD_REQUEST"),
        ({"amount": "1", "reason": "x", "user_id": "usr_77"}, 404, "NOT_FOUND"),
        ({"amount": "1e30", "reason": "x", "user_id": "usr_1000"}, 422, "INVALID_AMOUNT"),
    ],
    ids=str,
)
async def test_a_proposal_that_cannot_be(
    small: SmallKerb, body: dict[str, str], status: int, code: str
) -> None:
    operator = await small.admin()
    reply = await operator("POST", "/admin/adjustments", body)
    assert (reply.status, reply.code) == (status, code)
    assert (await operator("GET", "/admin/adjustments")).data == []


async def test_ids_of_any_size_are_asked_for_and_a_reason_is_read_wherever_it_may_stand(
    small: SmallKerb,
) -> None:
    operator = await small.admin()
    assert (await operator("GET", f"/admin/audit?user_id=usr_{2**40}")).data == []
    for action in ("halt", "resume"):
        reply = await operator("POST", f"/admin/instruments/AAPL/{action}", {"reason": "line\x1dfeed"})
        assert (reply.status, reply.code) == (400, "BAD_REQUEST"), action
        assert (
            await operator("POST", f"/admin/instruments/AAPL/{action}", {"reason": "a test"})
        ).status == 200


async def test_the_audit_says_who_did_what_with_which_outcome_and_cannot_be_changed(small: SmallKerb) -> None:
    operator, other = await small.admin("one"), await small.admin("two")
    sent = {"X-Request-ID": "find-me-again"}
    await operator("POST", "/admin/instruments/AAPL/halt", {"reason": "news"}, headers=sent)
    await other("POST", "/admin/instruments/NOPE/halt")
    await other("POST", "/admin/kill-switch", raw=b'{"scope":"\xff\x00')
    rows = (await operator("GET", "/admin/audit")).data
    assert [(row["user_id"], row["action"], row["target"], row["status"]) for row in rows] == [
        (other.user_id, "POST /api/v1/admin/kill-switch", "", 400),
        (other.user_id, "POST /api/v1/admin/instruments/{symbol}/halt", "NOPE", 404),
        (operator.user_id, "POST /api/v1/admin/instruments/{symbol}/halt", "AAPL", 200),
    ]
    assert (rows[2]["body"], rows[2]["request_id"]) == ('{"reason":"news"}', "find-me-again")
    mine = await operator("GET", f"/admin/audit?user_id={operator.user_id}")
    assert mine.data == [rows[2]]
    page = await operator("GET", "/admin/audit?limit=2")
    assert (await operator("GET", f"/admin/audit?cursor={page.meta['next_cursor']}")).data == [rows[2]]
    for statement in ("UPDATE audit_log SET status = 0", "DELETE FROM audit_log"):
        with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
            await small.services.database.execute(statement)
