"""API keys: shown once, stored as a hash, limited by themselves, and good for nothing the moment they are revoked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.settings import Settings
from server.api_keys import PER_USER_MAX
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected


async def make(client: Client, *scopes: str, **more: Any) -> Mapping[str, Any]:
    reply = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": scopes or ["read"], **more})
    assert reply.status == 201, reply
    data: Mapping[str, Any] = reply.data
    return data


def with_key(small: SmallKerb, key: Mapping[str, Any]) -> Client:
    return Client(small.http, small.url, key["api_key"])


async def test_a_key_is_shown_once_and_stored_as_a_hash(small: SmallKerb) -> None:
    client = await small.trader()
    made = await make(client, "trade", "read", expires_in_days=30)
    assert made["api_key"].startswith("kerb_")
    assert made["scopes"] == ["read", "trade"]
    assert made["hint"] == made["api_key"][-4:]
    (listed,) = (await client("GET", "/auth/api-keys")).data
    assert listed == {name: value for name, value in made.items() if name != "api_key"}
    (row,) = await small.services.database.fetch("SELECT api_keys::text AS text FROM api_keys")
    assert made["api_key"] not in row["text"]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_a_key_is_sent_in_either_header(small: SmallKerb, header: str) -> None:
    client = await small.trader(cash="1000")
    made = await make(client, "read", "trade")
    sent = {header: f"Bearer {made['api_key']}" if header == "Authorization" else made["api_key"]}
    anybody = small.anonymous()
    assert (await anybody("GET", "/wallet/balance", headers=sent)).data["balance"] == 1000
    placed = await anybody.place("BUY", "1", "90", headers=sent)
    assert placed.status == 201
    (listed,) = (await client("GET", "/auth/api-keys")).data
    assert listed["last_used_at"] is not None


@pytest.mark.parametrize(
    "text", ["kerb_", "kerb_x", "kerb_" + "A" * 43, "kerb_" + "A" * 5_000, "kerb_\u00e9", "A" * 43]
)
async def test_what_is_no_key_is_refused(small: SmallKerb, text: str) -> None:
    for headers in ({"X-API-Key": text}, {"Authorization": f"Bearer {text}"}):
        reply = await small.anonymous()("GET", "/wallet/balance", headers=headers)
        assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "robot"},
        {"name": "robot", "scopes": []},
        {"name": "robot", "scopes": ["everything"]},
        {"name": "robot", "scopes": ["read", "read"]},
        {"name": "", "scopes": ["read"]},
        {"name": " ", "scopes": ["read"]},
        {"name": "a\0b", "scopes": ["read"]},
        {"name": "x" * 65, "scopes": ["read"]},
        {"name": "robot", "scopes": ["read"], "expires_in_days": 0},
        {"name": "robot", "scopes": ["read"], "roles": ["admin"]},
    ],
)
async def test_what_a_key_must_be_given(small: SmallKerb, body: dict[str, Any]) -> None:
    client = await small.trader()
    reply = await client("POST", "/auth/api-keys", body)
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")


async def test_a_revoked_key_is_refused_at_once_and_its_sockets_are_closed(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    made, kept = await make(client, "read"), await make(client, "read")
    robot = with_key(small, made)
    async with connected(small, robot) as user, connected(small, with_key(small, kept)) as other:
        await user.ask("subscribe", channels=["orders"])
        assert (await client("DELETE", f"/auth/api-keys/{made['key_id']}")).data["revoked"] is True
        assert await user.close_code() == 4401
        assert (await other.ask("ping"))["type"] == "pong"
    assert (await robot("GET", "/wallet/balance")).status == 401
    assert (await with_key(small, kept)("GET", "/wallet/balance")).status == 200
    assert (await client("DELETE", f"/auth/api-keys/{made['key_id']}")).status == 404


async def test_keys_survive_a_restart_and_so_does_their_end(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    live, dead = await make(client, "read"), await make(client, "read")
    await client("DELETE", f"/auth/api-keys/{dead['key_id']}")
    keys = small.services.auth.api_keys
    await with_key(small, live)("GET", "/wallet/balance")
    await keys.write_uses()
    before = (await client("GET", "/auth/api-keys")).data
    keys._by_hash.clear()
    keys._hashes.clear()
    assert (await with_key(small, live)("GET", "/wallet/balance")).status == 401
    await keys.load()
    assert (await with_key(small, live)("GET", "/wallet/balance")).status == 200
    assert (await with_key(small, dead)("GET", "/wallet/balance")).status == 401
    (after,) = (await client("GET", "/auth/api-keys")).data
    assert after["last_used_at"] >= before[0]["last_used_at"]


async def test_a_key_works_and_ends_without_postgres(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    made = await make(client, "read", "trade")
    robot = with_key(small, made)
    await small.services.database.close()
    assert (await robot.place("BUY", "1", "90")).status == 201
    assert (await client("DELETE", f"/auth/api-keys/{made['key_id']}")).status == 200
    assert (await robot("GET", "/wallet/balance")).status == 401


async def test_a_key_ends_in_time(small: SmallKerb) -> None:
    client = await small.trader()
    made = await make(client, "read", expires_in_days=1)
    robot = with_key(small, made)
    keys = small.services.auth.api_keys
    keys._clock_s = lambda: 4_000_000_000.0
    reply = await robot("GET", "/users/profile")
    assert (reply.status, reply.code) == (401, "TOKEN_EXPIRED")
    assert (await client("GET", "/auth/api-keys")).data == []


async def test_keys_are_few(small: SmallKerb) -> None:
    client = await small.trader()
    made = [await make(client) for _ in range(PER_USER_MAX)]
    refused = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read"]})
    assert (refused.status, refused.code) == (409, "TOO_MANY_API_KEYS")
    await client("DELETE", f"/auth/api-keys/{made[0]['key_id']}")
    await make(client)


async def test_a_key_never_operates(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    user_id = int(client.user_id.removeprefix("usr_"))
    await small.services.database.execute(
        "UPDATE users SET roles = '{trader,admin}' WHERE user_id = $1", user_id
    )
    robot = with_key(small, await make(client, "read", "trade", "withdraw"))
    for method, path in (
        ("POST", "/admin/kill-switch"),
        ("POST", "/admin/instruments/AAPL/halt"),
        ("GET", "/auth/api-keys"),
        ("POST", "/auth/api-keys"),
        ("GET", "/auth/sessions"),
        ("POST", "/auth/logout"),
        ("POST", "/auth/change-password"),
        ("POST", "/wallet/deposit"),
    ):
        assert (await robot(method, path)).status == 403, path
    assert (await robot("POST", "/wallet/withdraw", {"amount": "1"})).status == 201


async def test_a_key_has_its_own_limit(database_dsn: str, tmp_path: Path, settings: Settings) -> None:
    limits = msgspec.structs.replace(settings.limits, orders_api_key_per_minute=3, orders_per_minute=2)
    async with open_small_kerb(
        database_dsn, tmp_path, msgspec.structs.replace(settings, limits=limits)
    ) as small:
        client = await small.trader(cash="1000")
        robots = [with_key(small, await make(client, "trade")) for _ in range(2)]
        for robot in robots:
            replies = [await robot.place("BUY", "1", "90") for _ in range(4)]
            assert [reply.status for reply in replies] == [201, 201, 201, 429]
            assert replies[0].headers["RateLimit-Limit"] == "3"
        assert [(await client.place("BUY", "1", "90")).status for _ in range(3)] == [201, 201, 429]
