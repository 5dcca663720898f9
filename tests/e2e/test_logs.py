"""A user's whole life with every secret it has, against a real server that logs all it can: none of them is in the log."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess, running_kerb

EMAIL = "zoe@example.com"
SECRETS = {
    "first": "Gr4ndmother-likes-tea",
    "second": "Gr4ndfather-likes-coffee",
    "third": "Gr4ndaunt-likes-neither",
    "typo": "Gr4ndmother-lykes-tea",
    "cookie": "c00kie-monster-9f8e7d",
    "query": "qu3ry-s3cret-1a2b3c",
    "name": "cl13nt-n4me-5d6e7f",
}
DEMO_SECRET = "jwt_secret"


async def sign_in(client: Client, password: str) -> None:
    reply = await client("POST", "/auth/login", {"email": EMAIL, "password": password})
    assert reply.status == 200, reply
    client.token, client.refresh_token = reply.data["access_token"], reply.data["refresh_token"]
    SECRETS[f"access {len(SECRETS)}"] = client.token
    SECRETS[f"refresh {len(SECRETS)}"] = client.refresh_token


async def live(kerb: KerbProcess, http: aiohttp.ClientSession) -> str:
    """All that somebody does from first to last; the id of an order placed on the way."""
    client = Client(http, kerb.url)
    body = {"email": EMAIL, "password": SECRETS["first"], "full_name": "Zoë"}
    assert (await client("POST", "/auth/register", body)).status == 201
    assert (await client("POST", "/auth/register", body)).status == 409
    wrong = await client("POST", "/auth/login", {"email": EMAIL, "password": SECRETS["typo"]})
    assert wrong.status == 401
    await sign_in(client, SECRETS["first"])
    await client.deposit("1000")
    placed = await client.place("BUY", "1", "1", headers={"X-Request-ID": "the-order"})
    assert placed.status in (201, 422), placed
    await client("GET", "/wallet/balance", headers={"Cookie": f"id={SECRETS['cookie']}"})
    await client("GET", f"/orders?token={SECRETS['query']}&password={SECRETS['query']}")
    await client("GET", f"/{SECRETS['query']}")
    made = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read", "trade"]})
    SECRETS["api key"] = made.data["api_key"]
    robot = Client(http, kerb.url, SECRETS["api key"])
    await robot("GET", "/orders")
    await Client(http, kerb.url)("GET", "/orders", headers={"X-API-Key": SECRETS["api key"]})
    await talk(http, kerb, client.token)
    await talk(http, kerb, SECRETS["api key"])
    await rotate(client)
    await sign_in(client, SECRETS["first"])
    change = {"current_password": SECRETS["first"], "new_password": SECRETS["second"]}
    assert (await client("POST", "/auth/change-password", change)).status == 200
    assert (await client("POST", "/auth/change-password", change)).status == 422
    await forget(kerb, client)
    await sign_in(client, SECRETS["third"])
    await misbehave(kerb, client)
    assert (await client("POST", "/auth/logout")).status == 200
    assert (await client("GET", "/users/profile")).status == 401
    return str(placed.data["order_id"]) if placed.status == 201 else ""


async def rotate(client: Client) -> None:
    """Refresh, and use the old token again."""
    old = {"refresh_token": client.refresh_token}
    reply = await client("POST", "/auth/refresh-token", old)
    SECRETS["rotated access"], SECRETS["rotated refresh"] = (
        reply.data["access_token"],
        reply.data["refresh_token"],
    )
    assert (await client("POST", "/auth/refresh-token", old)).status == 401


async def forget(kerb: KerbProcess, client: Client) -> None:
    """Set the password anew, by the letter that the demo puts into a folder."""
    assert (await client("POST", "/auth/forgot-password", {"email": EMAIL})).status == 202
    async with asyncio.timeout(20):
        while not (letters := list((kerb.data_dir / "mail").glob("*.eml"))):
            await asyncio.sleep(0.02)
    found = re.search(r"kerbp_[\w-]+", letters[0].read_text())
    assert found is not None
    SECRETS["reset"] = found[0]
    body = {"token": SECRETS["reset"], "new_password": SECRETS["third"]}
    assert (await client("POST", "/auth/reset-password", body)).status == 200
    assert (await client("POST", "/auth/reset-password", body)).status == 422


async def talk(http: aiohttp.ClientSession, kerb: KerbProcess, token: str) -> None:
    """A WebSocket with the token as message, as header, and in messages that are wrong."""
    order: dict[str, Any] = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": "1"}
    order |= {"price": "1", "client_order_id": SECRETS["name"]}
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        async with http.ws_connect(f"{kerb.url}/api/v1/ws", headers=headers) as socket:
            messages: list[Any] = [
                {"action": "auth", "token": token, "id": 1},
                {"action": "auth", "token": token + "x", "id": 2},
                {"action": "auth", "password": SECRETS["first"], "id": 3},
                {"action": "subscribe", "channels": ["orders", token], "id": 4},
                {"action": "order.place", "id": SECRETS["name"], "order": order},
                {"action": "order.place", "id": 6, "order": order | {"side": SECRETS["name"]}},
                {"action": "order.cancel", "id": SECRETS["name"], "order_id": SECRETS["name"]},
                {
                    "action": "orders.batch",
                    "id": 8,
                    "orders": [{"place": order}, {"cancel": SECRETS["name"]}],
                },
            ]
            for message in messages:
                await socket.send_str(msgspec.json.encode(message).decode())
                await socket.receive(10)
            await socket.send_bytes(token.encode())
            await socket.receive(10)


async def misbehave(kerb: KerbProcess, client: Client) -> None:
    """Secrets in places where they do not belong, and bytes that are no HTTP."""
    for raw in (SECRETS["third"].encode(), b'{"password":"' + SECRETS["third"].encode(), b"\xff"):
        await client("POST", "/auth/login", raw=raw)
        await client("POST", "/orders", raw=raw)
    host, port = kerb.url.removeprefix("http://").split(":")
    for head in (
        f"GET /api/v1/orders HTTP/1.1\r\nAuthorization: Bearer {client.token}\r\nbad header\r\n\r\n",
        f"GET /api/v1/orders?{client.token} HTTP/9.9\r\n\r\n",
        f"\x01{SECRETS['third']}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {SECRETS['cookie']}\x00\r\n\r\n",
        f"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: {SECRETS['third']}\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode())
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 10)
        writer.close()


async def test_no_secret_is_ever_logged(tmp_path: Path) -> None:
    folder = tmp_path / "kerb"
    options = {"KERB_LOG__FORMAT": "json", "KERB_LOG__LEVEL": "DEBUG", "KERB_LOG__REQUESTS": "true"}
    async with running_kerb(folder, **options) as kerb, aiohttp.ClientSession() as http:
        order_id = await live(kerb, http)
        SECRETS[DEMO_SECRET] = (folder / "jwt_secret").read_text().strip()
    text = kerb.log.read_text()
    assert [name for name, secret in SECRETS.items() if secret in text] == []
    assert "Traceback" not in text
    lines = [msgspec.json.decode(line) for line in text.splitlines()]
    calls = [line for line in lines if line["logger"] == "kerb.request"]
    (order,) = [line for line in calls if line["request_id"] == "the-order"]
    assert (order["route"], order.get("order_id", "")) == ("POST /api/v1/orders", order_id)
    assert order["user_id"].startswith("usr_")
    assert order["duration_ms"] > 0
    assert {line["status"] for line in calls if "status" in line} >= {
        101,
        200,
        201,
        202,
        400,
        401,
        404,
        409,
        422,
    }
    messages = [line for line in calls if line["route"].startswith("WS ")]
    assert {(line["route"], line["code"]) for line in messages} >= {
        ("WS order.place", "OK"),
        ("WS order.place", "BAD_REQUEST"),
        ("WS order.cancel", "ORDER_NOT_FOUND"),
        ("WS orders.batch", "OK"),
    }
