"""Idempotency keys on what operators propose and decide: one effect and one answer, also across a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from config.settings import Settings
from engine.commands import Envelope, SetLimits
from engine.kinds import Source
from tests.handlers.small_kerb import Client, Reply, SmallKerb, open_small_kerb
from tests.handlers.test_admin_busts import REASON, trade
from tests.server.postgres_proxy import PostgresProxy

PROPOSALS = "/admin/adjustments"


def keyed(key: str) -> dict[str, str]:
    return {"X-Idempotency-Key": key}


def body_of(owner: Client, amount: str = "12.50") -> dict[str, str]:
    return {"user_id": owner.user_id, "amount": amount, "reason": "a fee that was charged twice"}


def is_hit(reply: Reply) -> bool:
    return reply.headers.get("Idempotency-Hit") == "true"


async def listed(operator: Client, path: str = PROPOSALS) -> list[Any]:
    found: list[Any] = (await operator("GET", path)).data
    return found


async def test_a_proposal_with_a_key_is_made_once_and_answered_again(small: SmallKerb) -> None:
    one, two, owner = await small.admin("one"), await small.admin("two"), await small.trader(cash="100")
    made = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
    assert (await two("POST", f"{PROPOSALS}/{made.data['adjustment_id']}/approve")).data["outcome"]
    spelled = (
        b'{ "reason": "a fee that was charged twice", "amount": 12.5, "user_id": "%b" }'
        % owner.user_id.encode()
    )
    again = await one("POST", PROPOSALS, raw=spelled, headers={"Idempotency-Key": "k-1"})
    assert (made.status, is_hit(made)) == (201, False)
    assert (again.status, again.data, is_hit(again)) == (201, made.data, True)
    assert again.headers["X-Request-ID"] != made.headers["X-Request-ID"]

    other = await one("POST", PROPOSALS, body_of(owner, "12.51"), headers=keyed("k-1"))
    assert (other.status, other.code, is_hit(other)) == (422, "IDEMPOTENCY_KEY_REUSED", False)
    assert len(await listed(one)) == 1
    of_another = await two("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
    assert (of_another.status, is_hit(of_another)) == (201, False)
    without = [await one("POST", PROPOSALS, body_of(owner)) for _ in range(2)]
    assert len({reply.data["adjustment_id"] for reply in (made, of_another, *without)}) == 4


async def test_a_key_survives_a_restart(database_dsn: str, tmp_path: Path, settings: Settings) -> None:
    async with open_small_kerb(database_dsn, tmp_path, settings) as before:
        one, owner = await before.admin("one"), await before.trader(cash="100")
        made = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
        await before.world.written()
    async with open_small_kerb(database_dsn, tmp_path, settings) as after:
        one = Client(after.http, after.url, one.token)
        again = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
        other = await one("POST", PROPOSALS, body_of(owner, "1"), headers=keyed("k-1"))
        assert (again.status, again.data, is_hit(again)) == (201, made.data, True)
        assert other.code == "IDEMPOTENCY_KEY_REUSED"
        assert await listed(one) == [made.data]


async def test_duplicates_that_come_at_once_make_one_proposal(small: SmallKerb) -> None:
    one, owner = await small.admin("one"), await small.trader(cash="100")
    replies = await asyncio.gather(
        *(one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1")) for _ in range(30))
    )
    assert {reply.status for reply in replies} == {201}
    assert [is_hit(reply) for reply in replies].count(False) == 1
    assert await listed(one) == [replies[0].data]
    assert all(reply.data == replies[0].data for reply in replies)


async def test_a_decision_with_a_key_is_answered_again_and_moves_money_once(small: SmallKerb) -> None:
    one, two, owner = await small.admin("one"), await small.admin("two"), await small.trader(cash="100")
    first, second = [(await one("POST", PROPOSALS, body_of(owner))).data["adjustment_id"] for _ in range(2)]
    replies = await asyncio.gather(
        *(two("POST", f"{PROPOSALS}/{first}/approve", headers=keyed("k-2")) for _ in range(10))
    )
    again = await two("POST", f"{PROPOSALS}/{first}/approve", headers=keyed("k-2"))
    assert {(reply.status, reply.data["status"], reply.data["outcome"]) for reply in (*replies, again)} == {
        (200, "POSTED", again.data["outcome"])
    }
    assert is_hit(again)
    for path in (f"{PROPOSALS}/{second}/approve", f"{PROPOSALS}/{first}/reject"):
        assert (await two("POST", path, headers=keyed("k-2"))).code == "IDEMPOTENCY_KEY_REUSED"
    rejected = [await two("POST", f"{PROPOSALS}/{second}/reject", headers=keyed("k-3")) for _ in range(2)]
    assert rejected[0].data == rejected[1].data
    assert [is_hit(reply) for reply in rejected] == [False, True]
    assert (await owner("GET", "/wallet/balance")).data["balance"] == 112.5


async def test_the_same_operator_may_decide_the_same_again_without_a_key(small: SmallKerb) -> None:
    """What a key needs that was not written down before a crash."""
    one, two, owner = await small.admin("one"), await small.admin("two"), await small.trader(cash="100")
    three = await small.admin("three")
    path = f"{PROPOSALS}/{(await one('POST', PROPOSALS, body_of(owner))).data['adjustment_id']}"
    approved = [await two("POST", f"{path}/approve") for _ in range(2)]
    assert approved[0].data == approved[1].data
    for operator, decision in ((two, "reject"), (three, "approve"), (three, "reject")):
        assert (await operator("POST", f"{path}/{decision}")).code == "CONFLICT"
    assert (await owner("GET", "/wallet/balance")).data["balance"] == 112.5


async def test_a_bust_is_proposed_and_decided_once(small: SmallKerb) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    buyer, seller = await small.trader("buyer", cash="1000"), await small.trader("seller", units=5)
    _, execution_id = await trade(buyer, seller)
    path = f"/admin/trades/{execution_id}/bust"
    made = [await one("POST", path, REASON, headers=keyed("k-1")) for _ in range(2)]
    assert [(reply.status, is_hit(reply)) for reply in made] == [(201, False), (201, True)]
    assert await listed(one, "/admin/busts") == [made[0].data] == [made[1].data]
    decision = f"/admin/busts/{made[0].data['bust_id']}/approve"
    busted = [await two("POST", decision, headers=keyed("k-2")) for _ in range(2)]
    assert busted[0].data == busted[1].data
    assert (busted[0].data["status"], is_hit(busted[1])) == ("BUSTED", True)

    conflicts = [await one("POST", path, REASON, headers=keyed("k-3")) for _ in range(2)]
    assert [(reply.code, is_hit(reply)) for reply in conflicts] == [("CONFLICT", False), ("CONFLICT", True)]
    assert all(reply.error["request_id"] == reply.headers["X-Request-ID"] for reply in conflicts)


async def test_a_key_of_a_command_is_no_key_of_a_proposal(small: SmallKerb) -> None:
    one, owner = await small.admin("one"), await small.trader(cash="100")
    assert (await one("POST", "/admin/instruments/AAPL/halt", headers=keyed("k-1"))).status == 200
    reply = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
    assert (reply.status, reply.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await listed(one) == []


async def test_a_key_lives_as_long_as_those_of_the_engine_and_there_are_no_more_of_them(
    small: SmallKerb,
) -> None:
    one, owner, limits = await small.admin("one"), await small.trader(cash="100"), small.world.state.limits
    await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
    command = SetLimits(
        limits.order_quantity_max_e8,
        limits.order_value_max_e4,
        limits.open_orders_max,
        limits.market_collar_bps,
        1,
        limits.keys_max,
        limits.key_ttl_us,
    )
    await small.services.runtime.execute(command, Envelope(Source.CONFIG))
    full = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-2"))
    assert (full.status, full.code, "Retry-After" in full.headers) == (503, "IDEMPOTENCY_CAPACITY", True)
    assert is_hit(await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1")))
    await small.services.database.execute("UPDATE desk_keys SET at = at - interval '25 hours'")
    later = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
    assert (later.status, is_hit(later)) == (201, False)
    assert len(await listed(one)) == 2


async def test_a_call_that_may_work_later_uses_no_key_up(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    async with (
        PostgresProxy(database_dsn, tmp_path) as proxy,
        open_small_kerb(proxy.dsn, tmp_path, settings) as small,
    ):
        one, owner = await small.admin("one"), await small.trader(cash="100")
        proxy.away = True
        proxy.cut()
        away = await one("POST", PROPOSALS, body_of(owner), headers=keyed("k-1"))
        assert (away.status, away.code) == (503, "DATABASE_UNAVAILABLE")
        proxy.away = False
        async with asyncio.timeout(20):
            while (
                made := await one("POST", PROPOSALS, body_of(owner, "1"), headers=keyed("k-1"))
            ).status == 503:
                await asyncio.sleep(0.05)
        assert (made.status, made.data["amount"]) == (201, 1)
