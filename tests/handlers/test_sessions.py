"""Sessions: listed, ended at once on HTTP and on open sockets, also while Postgres is away; refresh tokens used once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

from config.settings import Settings
from server.auth_sessions import Sessions
from server.database import Database
from tests.handlers.small_kerb import Client, SmallKerb, open_small_kerb, sign_in
from tests.handlers.websocket_user import connected
from tests.server.postgres_proxy import PostgresProxy

REPLAYS = 100
CLOSED_WITHIN_S = 1.0


async def another_session(client: Client, email: str = "trader@example.com") -> Client:
    other = Client(client.http, client.base)
    await sign_in(other, email)
    return other


async def session_id(client: Client) -> str:
    listed = (await client("GET", "/auth/sessions")).data
    (current,) = [session["session_id"] for session in listed if session["current"]]
    return str(current)


async def test_the_list_shows_where_one_is_signed_in(small: SmallKerb) -> None:
    client = await small.trader()
    reply = await client(
        "POST",
        "/auth/sessions",
        {"email": "trader@example.com", "password": client.password},
        headers={"User-Agent": "Phone 7"},
    )
    assert reply.status == 200
    listed = (await client("GET", "/auth/sessions")).data
    assert [session["current"] for session in listed] == [False, True]
    assert set(listed[0]) == {
        *("session_id", "created_at", "refreshed_at", "address", "user_agent", "current"),
    }
    assert (listed[0]["address"], listed[0]["user_agent"]) == ("127.0.0.1", "Phone 7")


async def test_an_ended_session_is_refused_at_once_on_http_and_its_sockets_are_closed(
    small: SmallKerb,
) -> None:
    client = await small.trader(cash="1000")
    phone = await another_session(client)
    async with connected(small, phone) as user, connected(small, client) as mine:
        await user.ask("subscribe", channels=["orders"])
        started_s = time.monotonic()
        ended = await client("DELETE", f"/auth/sessions/{await session_id(phone)}")
        assert ended.data["revoked"] is True
        assert (await phone("GET", "/wallet/balance")).status == 401
        assert await user.close_code() == 4401
        assert time.monotonic() - started_s < CLOSED_WITHIN_S
        assert (await mine.ask("ping"))["type"] == "pong"
    refused = await phone("POST", "/auth/refresh-token", {"refresh_token": phone.refresh_token})
    assert refused.status == 401
    assert (await client("GET", "/wallet/balance")).status == 200
    again = await client("DELETE", f"/auth/sessions/{ended.data['session_id']}")
    assert (again.status, again.code) == (404, "NOT_FOUND")


async def test_all_other_sessions_end_together(small: SmallKerb) -> None:
    client = await small.trader()
    others = [await another_session(client) for _ in range(5)]
    stranger = await small.trader("stranger")
    async with connected(small, others[3]) as user:
        assert (await client("DELETE", "/auth/sessions")).data == {"revoked": 5}
        assert await user.close_code() == 4401
    for other in others:
        assert (await other("GET", "/users/profile")).status == 401
    assert (await client("GET", "/users/profile")).status == 200
    assert (await stranger("GET", "/users/profile")).status == 200
    assert len((await client("GET", "/auth/sessions")).data) == 1


async def test_of_a_hundred_replays_one_is_accepted_and_the_family_is_dead(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    bystander = await another_session(client)
    async with connected(small, client) as user:
        token = {"refresh_token": client.refresh_token}
        replies = await asyncio.gather(
            *(small.anonymous()("POST", "/auth/refresh-token", token) for _ in range(REPLAYS))
        )
        assert Counter(reply.status for reply in replies) == {200: 1, 401: REPLAYS - 1}
        assert await user.close_code() == 4401
    (accepted,) = [reply.data for reply in replies if reply.status == 200]
    heir = Client(small.http, small.url, accepted["access_token"])
    assert (await heir("GET", "/users/profile")).status == 401
    assert (await client("GET", "/users/profile")).status == 401
    again = await heir("POST", "/auth/refresh-token", {"refresh_token": accepted["refresh_token"]})
    assert again.status == 401
    assert (await bystander("GET", "/users/profile")).status == 200
    row = await small.services.database.fetchrow(
        "SELECT count(*) AS n FROM sessions WHERE revoke_reason = 'REFRESH_TOKEN_REUSED'"
    )
    assert row is not None
    assert row["n"] == 1


async def test_reuse_of_an_ancestor_ends_the_family_whenever_it_comes(small: SmallKerb) -> None:
    client = await small.trader()
    first = newest = client.refresh_token
    for _ in range(5):
        reply = await client("POST", "/auth/refresh-token", {"refresh_token": newest})
        newest, client.token = reply.data["refresh_token"], reply.data["access_token"]
    assert (await client("POST", "/auth/refresh-token", {"refresh_token": first})).status == 401
    assert (await client("GET", "/users/profile")).status == 401
    assert (await client("POST", "/auth/refresh-token", {"refresh_token": newest})).status == 401


async def test_postgres_away_ends_sessions_all_the_same_and_is_told_later(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    async with (
        PostgresProxy(database_dsn, tmp_path) as proxy,
        open_small_kerb(proxy.dsn, tmp_path, settings) as small,
    ):
        client = await small.trader()
        phone, tablet, leaver = [await another_session(client) for _ in range(3)]
        ids = [await session_id(each) for each in (phone, tablet, leaver)]
        proxy.away = True
        proxy.cut()
        async with connected(small, phone) as user:
            assert (await client("DELETE", f"/auth/sessions/{ids[0]}")).status == 200
            assert await user.close_code() == 4401
        assert (await phone("GET", "/auth/sessions")).status == 401
        assert (await leaver("POST", "/auth/logout")).status == 200
        assert (await leaver("GET", "/auth/sessions")).status == 401
        assert (await client("DELETE", "/auth/sessions")).status == 200
        assert (await tablet("GET", "/auth/sessions")).status == 401
        assert (await client("GET", "/auth/sessions")).status == 503
        proxy.away = False
        await told(small.services.auth.sessions)
        assert [session["current"] for session in (await client("GET", "/auth/sessions")).data] == [True]
        refused = await tablet("POST", "/auth/refresh-token", {"refresh_token": tablet.refresh_token})
        assert refused.status == 401


async def told(sessions: Sessions) -> None:
    async with asyncio.timeout(30):
        while repr(sessions) != "<Sessions pending=0>":
            await asyncio.sleep(0.05)


async def test_a_session_nobody_remembers_cannot_be_ended_without_postgres(small: SmallKerb) -> None:
    client = await small.trader()
    silent = Client(client.http, client.base)
    await sign_in(silent, "trader@example.com")
    listed = (await client("GET", "/auth/sessions")).data
    database: Database = small.services.database
    await database.close()
    reply = await client("DELETE", f"/auth/sessions/{listed[0]['session_id']}")
    assert (reply.status, reply.code) == (503, "DATABASE_UNAVAILABLE")
