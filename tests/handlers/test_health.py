"""What monitoring is told: alive, ready, and how everything that Kerb depends on is doing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from config.settings import Settings
from tests.handlers.small_kerb import Reply, SmallKerb, open_small_kerb
from tests.handlers.websocket_user import connected
from tests.server.postgres_proxy import PostgresProxy


def states(reply: Reply) -> dict[str, str]:
    return {each["name"]: each["state"] for each in reply.json["dependencies"]}


async def ready(small: SmallKerb) -> Reply:
    return await small.anonymous()("GET", "/readyz", root=True)


async def test_everything_is_well(small: SmallKerb) -> None:
    async with connected(small):
        reply = await ready(small)
    assert (reply.status, reply.json["ready"]) == (200, True)
    assert states(reply) == dict.fromkeys(("journal", "database", "write_behind", "streams", "mail"), "ok")
    details = {each["name"]: each["detail"] for each in reply.json["dependencies"]}
    assert details["streams"].startswith("1 of ")
    assert (await small.anonymous()("GET", "/healthz", root=True)).json == {"status": "ok"}


async def test_without_postgres_kerb_is_ready_and_says_what_is_away(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    async with (
        PostgresProxy(database_dsn, tmp_path) as proxy,
        open_small_kerb(proxy.dsn, tmp_path, settings) as small,
    ):
        client = await small.trader(cash="1000")
        proxy.away = True
        proxy.cut()
        assert (await client.place("BUY", "1", "90")).status == 201
        async with asyncio.timeout(20):
            while states(reply := await ready(small))["write_behind"] != "away":
                await asyncio.sleep(0.05)
        assert (reply.status, reply.json["ready"], reply.json["database"]) == (200, True, "away")
        assert states(reply)["database"] == "away"
        assert states(reply)["journal"] == "ok"
        proxy.away = False


async def test_a_shutdown_is_not_ready(small: SmallKerb) -> None:
    small.services.runtime.stop()
    small.services.hub.is_shutting_down = True
    reply = await ready(small)
    assert (reply.status, reply.json["ready"], states(reply)["streams"]) == (503, False, "stopped")
