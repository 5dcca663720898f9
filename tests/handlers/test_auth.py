"""Coming in, staying in, going out: tokens, rotation, revocation, and what is not given away."""

from __future__ import annotations

import asyncio
import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from server.auth_passwords import Passwords
from server.auth_tokens import AccessTokens
from server.errors import DatabaseUnavailable, Overloaded, TokenExpired, Unauthenticated
from server.principal import Role
from tests.handlers.small_kerb import PASSWORD, SECRET, Client, SmallKerb, sign_in


def tokens(ttl_s: int = 60, clock_s: float = 1_000.0, cache_max: int = 100) -> AccessTokens:
    return AccessTokens(SECRET, ttl_s=ttl_s, cache_max=cache_max, clock_s=lambda: clock_s)


def issue(access: AccessTokens, session_id: int = 7) -> str:
    return access.issue(
        user_id=1_000, account_id=5, roles=frozenset({Role.TRADER}), session_id=session_id, premium=False
    )


def test_a_token_says_who_in_which_session() -> None:
    access = tokens()
    principal = access.verify(issue(access))
    assert (principal.user_id, principal.account_id, principal.session_id) == (1_000, 5, 7)
    assert principal.roles == {Role.TRADER}
    assert principal.expires_s == 1_060


def test_a_verified_token_is_found_again_in_about_a_microsecond() -> None:
    access = AccessTokens(SECRET, ttl_s=60, cache_max=100)
    token = issue(access)
    assert access.verify(token) is access.verify(token)
    best_s = min(timed(lambda: access.verify(token)) for _ in range(5))
    assert best_s < 5e-6


def timed(work: object) -> float:
    started = time.perf_counter()
    for _ in range(1_000):
        work()  # type: ignore[operator]
    return (time.perf_counter() - started) / 1_000


def test_a_token_ends_even_when_it_is_remembered() -> None:
    now = [1_000.0]
    access = AccessTokens(SECRET, ttl_s=60, cache_max=100, clock_s=lambda: now[0])
    token = issue(access)
    access.verify(token)
    now[0] = 1_060.0
    with pytest.raises(TokenExpired):
        access.verify(token)
    assert repr(access) == "<AccessTokens cached=0 revoked=0>"


def test_a_revoked_session_takes_its_remembered_tokens_with_it() -> None:
    access = tokens()
    mine, other = issue(access, 7), issue(access, 8)
    access.verify(mine)
    access.revoke(7)
    with pytest.raises(Unauthenticated):
        access.verify(mine)
    assert access.verify(other).session_id == 8


def test_the_memory_of_tokens_is_bounded() -> None:
    access = tokens(cache_max=3)
    for session_id in range(1, 10):
        access.verify(issue(access, session_id))
    assert repr(access) == "<AccessTokens cached=3 revoked=0>"


def forged(claims: dict[str, object], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(secret), algorithms=[algorithm])


GOOD = {"iss": "kerb", "sub": "1000", "sid": 7, "acc": 5, "roles": ["trader"], "exp": 2_000}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "\0",
        "é.é.é",
        "x" * 5_000,
        forged(GOOD, secret="another-secret-of-the-same-length-0123456789"),
        forged(GOOD, algorithm="HS512"),
        forged(GOOD)[:-2] + "xx",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJrZXJiIiwic3ViIjoiMTAwMCIsInNpZCI6NywiYWNjIjo1LCJyb2xlcyI6WyJhZG1pbiJdLCJleHAiOjIwMDB9.",
        forged(GOOD | {"iss": "somebody"}),
        forged(GOOD | {"roles": ["emperor"]}),
        forged(GOOD | {"roles": 5}),
        forged(GOOD | {"sub": "me"}),
        forged({name: claim for name, claim in GOOD.items() if name != "exp"}),
        forged({name: claim for name, claim in GOOD.items() if name != "sid"}),
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens().verify(token)


async def test_passwords_beyond_72_bytes_count_in_full() -> None:
    passwords = Passwords(rounds=4, threads=1, queue_max=4)
    stored = await passwords.hash("x" * 100 + "a")
    assert await passwords.check("x" * 100 + "a", stored)
    assert not await passwords.check("x" * 100 + "b", stored)
    assert not await passwords.check("anything", None)
    passwords.close()


async def test_too_many_waiting_sign_ins_are_turned_away() -> None:
    passwords = Passwords(rounds=4, threads=1, queue_max=2)
    results = await asyncio.gather(*(passwords.hash("x") for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, Overloaded) for result in results) == 7
    passwords.close()


async def test_the_answer_to_a_login(small: SmallKerb) -> None:
    client = await small.trader()
    granted = (await sign_in(client, "TRADER@example.com")).data
    assert set(granted) == {"access_token", "refresh_token", "token_type", "expires_in", "user_id", "roles"}
    assert (granted["token_type"], granted["expires_in"], granted["roles"]) == ("Bearer", 3600, ["trader"])


async def test_an_unknown_address_is_answered_like_a_wrong_password(small: SmallKerb) -> None:
    await small.trader()
    anybody = small.anonymous()
    wrong = await anybody("POST", "/auth/login", {"email": "trader@example.com", "password": "wrong wrong"})
    unknown = await anybody("POST", "/auth/login", {"email": "nobody@example.com", "password": "wrong wrong"})
    assert wrong.status == unknown.status == 401
    for reply in (wrong, unknown):
        reply.error.pop("request_id")
    assert wrong.error == unknown.error
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


async def test_an_address_registers_once_whatever_its_case(small: SmallKerb) -> None:
    await small.trader()
    again = await small.anonymous()(
        "POST", "/auth/register", {"email": "Trader@Example.com", "password": PASSWORD, "full_name": "Again"}
    )
    assert (again.status, again.code) == (409, "EMAIL_TAKEN")


async def test_a_registration_takes_no_idempotency_key(small: SmallKerb) -> None:
    body = {"email": "new@example.com", "password": PASSWORD, "full_name": "New User"}
    headers = {"X-Idempotency-Key": "k-1"}
    first = await small.anonymous()("POST", "/auth/register", body, headers=headers)
    again = await small.anonymous()("POST", "/auth/register", body, headers=headers)
    assert (first.status, again.status, again.code) == (201, 409, "EMAIL_TAKEN")


async def test_the_answer_to_a_registration(small: SmallKerb) -> None:
    body = {"email": "new@example.com", "password": PASSWORD, "full_name": "Zoë N.", "phone": "+49 30 123456"}
    registered = await small.anonymous()("POST", "/auth/register", body)
    assert registered.status == 201
    assert registered.data["kyc_status"] == "VERIFIED"
    assert registered.data["email_verified"] is True
    assert int(registered.data["user_id"].removeprefix("usr_")) >= 1_000
    assert int(registered.data["account_id"].removeprefix("acc_")) in small.world.state.accounts


async def refresh(client: Client, token: str) -> tuple[int, str]:
    reply = await client("POST", "/auth/refresh-token", {"refresh_token": token})
    return reply.status, reply.data["refresh_token"] if reply.status == 200 else reply.code


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(small: SmallKerb) -> None:
    client = await small.trader()
    first = client.refresh_token
    status, second = await refresh(client, first)
    assert status == 200
    assert (await client("GET", "/users/profile")).status == 200

    assert await refresh(client, first) == (401, "UNAUTHENTICATED")
    assert await refresh(client, second) == (401, "UNAUTHENTICATED")
    assert (await client("GET", "/users/profile")).status == 401


async def test_of_many_uses_at_once_one_is_accepted(small: SmallKerb) -> None:
    client = await small.trader()
    answers = await asyncio.gather(*(refresh(client, client.refresh_token) for _ in range(20)))
    assert sorted(status for status, _ in answers) == [200] + [401] * 19
    (accepted,) = [token for status, token in answers if status == 200]
    assert (await refresh(client, accepted))[0] == 401


async def test_logout_ends_the_session_at_once_and_tells_listeners(small: SmallKerb) -> None:
    client = await small.trader()
    ended: list[int] = []
    small.services.auth.sessions.add_listener(ended.append)
    assert (await client("POST", "/auth/logout")).status == 200
    refused = await client("GET", "/wallet/balance")
    assert (refused.status, refused.code) == (401, "UNAUTHENTICATED")
    assert (await refresh(client, client.refresh_token))[0] == 401
    assert len(ended) == 1


async def test_revoked_sessions_are_remembered_across_a_start(small: SmallKerb) -> None:
    client = await small.trader()
    await client("POST", "/auth/logout")
    auth = small.services.auth
    auth.tokens = AccessTokens(SECRET, ttl_s=3_600, cache_max=10)
    assert (await client("GET", "/wallet/balance")).status == 200
    auth.tokens = AccessTokens(SECRET, ttl_s=3_600, cache_max=10)
    await auth.start()
    assert (await client("GET", "/wallet/balance")).status == 401


async def test_with_postgres_away_tokens_work_and_logins_wait(small: SmallKerb) -> None:
    client = await small.trader(cash="1000")
    await small.services.database.close()
    with pytest.raises(DatabaseUnavailable):
        await small.services.database.execute("SELECT 1")
    assert (await client.place("BUY", "1", "90")).status == 201
    refused = await client("POST", "/auth/login", {"email": "trader@example.com", "password": PASSWORD})
    assert (refused.status, refused.code) == (503, "DATABASE_UNAVAILABLE")
    assert refused.error["retryable"] is True
    assert int(refused.headers["Retry-After"]) >= 1


async def test_only_hashes_are_stored(small: SmallKerb) -> None:
    client = await small.trader()
    rows = await small.services.database.fetch("SELECT users::text AS text FROM users")
    rows = [
        *rows,
        *await small.services.database.fetch("SELECT refresh_tokens::text AS text FROM refresh_tokens"),
    ]
    stored = " ".join(row["text"] for row in rows)
    assert PASSWORD not in stored
    assert client.refresh_token not in stored
    assert client.token not in stored


async def test_an_account_left_in_the_outbox_is_opened_later(small: SmallKerb) -> None:
    database = small.services.database
    row = await database.fetchrow(
        "INSERT INTO users (email, password_hash, full_name) VALUES ('late@example.com', 'x', 'Late') RETURNING user_id"
    )
    assert row is not None
    user_id = row["user_id"]
    await database.execute(
        'INSERT INTO outbox (kind, user_id, body) VALUES (\'OPEN_ACCOUNT\', $1, \'{"kind":1,"currency":"USD"}\')',
        user_id,
    )
    assert await small.services.outbox.drain() == 1
    account_id = small.world.state.account_by_user[user_id]
    assert await small.services.outbox.drain() == 0
    await database.execute("UPDATE outbox SET done_at = NULL")
    await small.services.outbox.drain()
    done = await database.fetchrow("SELECT outcome FROM outbox")
    assert done is not None
    assert done["outcome"] == f"acc_{account_id}"
    assert small.world.state.account_by_user[user_id] == account_id
