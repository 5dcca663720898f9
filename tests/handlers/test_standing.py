"""A user who is disabled is away at once, with every token, key and socket; enabled again, with none of the old sessions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.settings import Settings
from engine.kinds import AccountStatus
from server.operations import set_roles
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb, sign_in
from tests.handlers.websocket_user import connected
from tests.server.postgres_proxy import PostgresProxy

EMAIL = "trader@example.com"


async def key_of(client: Client) -> Client:
    made = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read", "trade"]})
    return Client(client.http, client.base, made.data["api_key"])


async def login(client: Client, password: str) -> tuple[int, str]:
    reply = await client("POST", "/auth/login", {"email": EMAIL, "password": password})
    return reply.status, reply.code


async def test_whoever_is_disabled_is_refused_at_once_and_every_socket_is_closed(small: SmallKerb) -> None:
    trader, admin = await small.trader(cash="1000"), await small.admin()
    bystander = await small.trader("bystander", cash="1000")
    robot = await key_of(trader)
    header = {"Authorization": f"Bearer {trader.token}"}
    async with (
        connected(small, trader) as phone,
        connected(small, headers=header) as browser,
        connected(small, robot) as program,
        connected(small, bystander) as other,
        connected(small) as anybody,
    ):
        disabled = await admin("POST", f"/admin/users/{trader.user_id}/disable", {"reason": "stolen phone"})
        assert disabled.status == 200
        assert [await each.close_code() for each in (phone, browser, program)] == [4403] * 3
        assert (await other.ask("ping"))["type"] == "pong"
        refused = await anybody.ask("auth", token=trader.token)
        assert (refused["type"], refused["code"]) == ("error", "ACCOUNT_DISABLED")
        assert (await anybody.ask("auth", token=robot.token))["code"] == "ACCOUNT_DISABLED"
    for client in (trader, robot):
        reply = await client("GET", "/wallet/balance")
        assert (reply.status, reply.code) == (403, "ACCOUNT_DISABLED")
        assert (await client.place("BUY", "1", "90")).code == "ACCOUNT_DISABLED"
        assert (await client("GET", "/stocks/AAPL/quote")).status == 200
    refresh = await trader("POST", "/auth/refresh-token", {"refresh_token": trader.refresh_token})
    assert refresh.status == 401
    assert await login(trader, trader.password) == (403, "ACCOUNT_DISABLED")
    assert await login(trader, "something else") == (401, "INVALID_CREDENTIALS")
    async with connected(small, headers=header) as late:
        assert (await late.ask("subscribe", channels=["orders"]))["code"] == "UNAUTHENTICATED"
    assert (await bystander.place("BUY", "1", "90")).status == 201


async def test_whoever_is_enabled_signs_in_anew_and_the_keys_are_good_again(small: SmallKerb) -> None:
    trader, admin = await small.trader(cash="1000"), await small.admin()
    robot = await key_of(trader)
    once = {"Idempotency-Key": "once"}
    path = f"/admin/users/{trader.user_id}"
    assert (await admin("POST", f"{path}/disable", headers=once)).status == 200
    assert (await admin("POST", f"{path}/enable")).status == 200
    assert (await trader("GET", "/wallet/balance")).status == 401
    await sign_in(trader, EMAIL)
    for client in (trader, robot):
        assert (await client.place("BUY", "1", "90")).status == 201
    repeated = await admin("POST", f"{path}/disable", headers=once)
    assert repeated.headers["Idempotency-Hit"] == "true"
    assert (await admin("POST", f"{path}/enable")).status == 200
    assert (await trader("GET", "/wallet/balance")).status == 200


async def test_the_last_operator_stays(small: SmallKerb) -> None:
    one, two, trader = await small.admin("one"), await small.admin("two"), await small.trader()
    mine, of_another = (f"/admin/users/{each.user_id}/disable" for each in (one, two))
    assert (await one("POST", f"/admin/users/{trader.user_id}/disable")).status == 200
    assert (await one("POST", of_another)).status == 200
    refused = await one("POST", mine)
    assert (refused.status, refused.code, refused.error["retryable"]) == (409, "LAST_OPERATOR", False)
    assert (await one("GET", "/admin/audit")).data[0]["status"] == 409

    assert (await one("POST", of_another.replace("disable", "enable"))).status == 200
    assert (await one("POST", mine)).status == 200
    assert (await one("GET", "/admin/users")).code == "ACCOUNT_DISABLED"
    await sign_in(two, "two@example.com")
    assert (await two("POST", of_another)).code == "LAST_OPERATOR"


@pytest.mark.parametrize("each_other", [False, True], ids=["themselves", "each other"])
async def test_operators_who_disable_at_once_leave_one(small: SmallKerb, each_other: bool) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    first, second = (two, one) if each_other else (one, two)
    replies = await asyncio.gather(
        one("POST", f"/admin/users/{first.user_id}/disable"),
        two("POST", f"/admin/users/{second.user_id}/disable"),
    )
    done, refused = sorted(replies, key=lambda reply: reply.status)
    assert done.status == 200
    assert refused.code == ("ACCOUNT_DISABLED" if each_other else "LAST_OPERATOR")
    active = [each for each in small.world.state.accounts.values() if each.status is AccountStatus.ACTIVE]
    assert {int(one.account_id), int(two.account_id)} & {each.account_id for each in active}


async def test_an_operator_is_sent_away_also_while_postgres_is_away(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    async with (
        PostgresProxy(database_dsn, tmp_path) as proxy,
        open_small_kerb(proxy.dsn, tmp_path, settings) as small,
    ):
        one, two = await small.admin("one"), await small.admin("two")
        proxy.away = True
        proxy.cut()
        own = await one("POST", f"/admin/users/{one.user_id}/disable")
        assert (own.status, own.code) == (503, "DATABASE_UNAVAILABLE")
        assert (await one("POST", f"/admin/users/{two.user_id}/disable")).status == 200
        assert (await two("GET", "/admin/users")).code == "ACCOUNT_DISABLED"
        proxy.away = False


async def test_the_last_operator_keeps_the_role_on_the_command_line(
    small: SmallKerb, database_dsn: str, settings: Settings
) -> None:
    one, two = await small.admin("one"), await small.admin("two")
    there = replace(settings, database_url=database_dsn)
    assert (
        await set_roles(there, "nobody@example.com", ("trader",)) == "nobody is registered with this address"
    )
    assert (await one("POST", f"/admin/users/{two.user_id}/disable")).status == 200
    await small.world.written()
    assert (await set_roles(there, "ONE@example.com", ("trader",))).startswith("LAST_OPERATOR: ")
    assert await set_roles(there, "one@example.com", ("admin", "trader")) == ""
    assert await set_roles(there, "two@example.com", ("trader",)) == ""
    assert await set_roles(there, "two@example.com", ("admin",)) == ""
    assert (await set_roles(there, "one@example.com", ("trader",))).startswith("LAST_OPERATOR: ")
    await sign_in(one, "one@example.com")
    assert (await one("POST", f"/admin/users/{two.user_id}/enable")).status == 200
    await small.world.written()
    both = await asyncio.gather(
        *(set_roles(there, f"{name}@example.com", ("trader",)) for name in ("one", "two"))
    )
    assert sorted(problem[:13] for problem in both) == ["", "LAST_OPERATOR"]
