"""Hundreds of ways to be wrong, against one running server: each is answered as documented, and none does any harm."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp
import msgspec

from server.demo import OPERATOR, PASSWORD
from tests.e2e.bad_input import MESSAGES, REQUESTS, WIRE, Message, Request
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess

RSS_GROWTH_MAX: Final = 16 << 20
"""What the server may have grown by at the end. Caches fill and buffers stay with the allocator; a bomb is 64 MiB."""

PATIENCE_S: Final = 10


async def callers(kerb: KerbProcess, http: aiohttp.ClientSession) -> dict[str, Client]:
    """Who sends the rows."""
    trader = await kerb.register(http, "wrong@example.com", cash="1000")
    made = await trader("POST", "/auth/api-keys", {"name": "reader", "scopes": ["read"]})
    return {
        "trader": trader,
        "operator": await kerb.sign_in(http, OPERATOR.email, PASSWORD),
        "reader": Client(http, kerb.url, made.data["api_key"]),
        "nobody": kerb.anonymous(http),
    }


async def wrong_with(client: Client, row: Request) -> str:
    """What is wrong with the answer to a request; '' for nothing."""
    reply = await client(row.method, row.path, raw=row.body, headers=row.headers, root=row.root)
    if reply.status != row.status or reply.code != row.code:
        return f"{row.name}: {reply}"
    if row.field is not None and reply.error["details"].get("field") != row.field:
        return f"{row.name}: names {reply.error['details']}"
    if not reply.error["message"] or reply.headers["X-Request-ID"] != reply.error["request_id"]:
        return f"{row.name}: {reply.error}"
    return ""


async def wrong_with_message(socket: aiohttp.ClientWebSocketResponse, row: Message) -> str:
    """The same of a message; a ping behind it, which waits for no disk, shows that the session goes on."""
    await socket.send_frame(row.message, aiohttp.WSMsgType.TEXT)
    await socket.send_str('{"action":"ping","id":"after"}')
    answers = [await socket.receive_json(timeout=PATIENCE_S) for _ in range(2)]
    answer, pong = sorted(answers, key=lambda each: str(each["type"]))
    seen = (answer["type"], answer.get("code"), answer.get("id"), answer.get("temporary"))
    right = seen == ("error", row.code, row.message_id, False) and answer["message"]
    return "" if right and pong == {"type": "pong", "id": "after"} else f"{row.name}: {answer} {pong}"


async def answer_on_the_wire(kerb: KerbProcess, sent: bytes) -> bytes:
    """All that comes back for bytes until the server closes the connection."""
    host, port = kerb.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    finally:
        writer.close()


async def test_every_row_is_answered_as_documented_and_does_no_harm(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    names = [row.name for row in REQUESTS]
    assert len(set(names)) == len(names)
    assert len(REQUESTS) + len(MESSAGES) + len(WIRE) >= 300
    who = await callers(kerb, http)
    trader = who["trader"]
    warm = await trader.place("BUY", "1", "90")
    before = (await trader("GET", "/wallet/balance")).data
    rss_bytes = kerb.rss_bytes

    wrong = [complaint for row in REQUESTS if (complaint := await wrong_with(who[row.who], row))]
    assert not wrong, "\n".join(wrong)
    async with http.ws_connect(
        f"{kerb.url}/api/v1/ws", headers={"Authorization": f"Bearer {trader.token}"}
    ) as ws:
        wrong = [complaint for row in MESSAGES if (complaint := await wrong_with_message(ws, row))]
    assert not wrong, "\n".join(wrong)
    for name, sent in WIRE.items():
        head, _, body = (await answer_on_the_wire(kerb, sent)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 "), (name, head, body)
        assert b"connection: close" in head.lower(), (name, head)
        error = msgspec.json.decode(body)["error"]
        assert (error["code"], error["message"]) == ("BAD_REQUEST", "this is not valid HTTP"), (name, body)
        assert f"X-Request-ID: {error['request_id']}".encode() in head, (name, head)

    assert (await trader("GET", "/wallet/balance")).data == before
    assert [order["order_id"] for order in (await trader("GET", "/orders")).data] == [warm.data["order_id"]]
    assert (await trader("DELETE", f"/orders/{warm.data['order_id']}")).data["status"] == "CANCELLED"
    assert (await trader.place("BUY", "1", "90")).status == 201
    assert (await who["nobody"]("GET", "/readyz", root=True)).status == 200
    assert kerb.rss_bytes - rss_bytes < RSS_GROWTH_MAX
    log = kerb.log.read_text()
    assert "Traceback" not in log
    assert " ERROR " not in log
