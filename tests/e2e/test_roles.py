"""Roles given on the command line are in force in the running server: tokens, keys and sockets of before are not."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess

EMAIL = "someone@example.com"
HALT = ("POST", "/admin/instruments/AAPL/halt", {"reason": "news"})


async def closed_with(socket: aiohttp.ClientWebSocketResponse[bool]) -> int | None:
    async for _ in socket:
        continue
    return socket.close_code


async def test_roles_change_at_once_and_last_like_a_ban_beyond_a_restart(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    user = await kerb.register(http, EMAIL, "1000")
    other = await kerb.register(http, "other@example.com", "1000")
    made = await user("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read", "trade"]})
    robot = Client(http, kerb.url, made.data["api_key"])

    url = f"{kerb.url}/api/v1/ws"
    async with (
        http.ws_connect(url, headers={"Authorization": f"Bearer {user.token}"}) as phone,
        http.ws_connect(url, headers={"Authorization": f"Bearer {robot.token}"}) as program,
        http.ws_connect(url, headers={"Authorization": f"Bearer {other.token}"}) as bystander,
    ):
        assert (await robot("GET", "/wallet/balance")).status == 200
        assert (await kerb.run("roles", EMAIL, "admin"))[0] == 0
        async with asyncio.timeout(30):
            assert [await closed_with(phone), await closed_with(program)] == [4401, 4401]
        stale = await user("GET", "/users/profile")
        assert (stale.status, stale.code) == (401, "TOKEN_EXPIRED")
        for reply in (await robot("GET", "/wallet/balance"), await robot.place("BUY", "1", "200")):
            assert (reply.status, reply.code) == (403, "FORBIDDEN")
        await bystander.send_str('{"action":"ping"}')
        assert await bystander.receive_json(timeout=10) == {"type": "pong"}

    fresh = await user("POST", "/auth/refresh-token", {"refresh_token": user.refresh_token})
    assert fresh.data["roles"] == ["admin"]
    user.token = fresh.data["access_token"]
    assert (await user(*HALT)).status == 200
    assert (await user("POST", f"/admin/users/{other.user_id}/disable")).status == 200
    await kerb.stop()
    await kerb.start()
    assert (await Client(http, kerb.url, user.token)(*HALT)).status == 200
    disabled = await Client(http, kerb.url, other.token)("GET", "/wallet/balance")
    assert (disabled.status, disabled.code) == (403, "ACCOUNT_DISABLED")
    old = await Client(http, kerb.url, robot.token)("GET", "/wallet/balance")
    assert (old.status, old.code) == (403, "FORBIDDEN")

    for operator in ("operator@kerb.example", "operator2@kerb.example"):
        assert (await kerb.run("roles", operator, "trader"))[0] == 0
    code, printed = await kerb.run("roles", EMAIL, "trader")
    assert (code, "LAST_OPERATOR" in printed) == (78, True), printed
