"""A user who is disabled is away at once, with every token, key and socket; enabled again, with none of the old sessions."""

from __future__ import annotations

from tests.handlers.small_kerb import Client, SmallKerb, sign_in
from tests.handlers.websocket_user import connected

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
