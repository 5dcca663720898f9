"""Passwords: what is taken, how guessing slows down, and how a forgotten one is set anew, without telling who exists."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median

import msgspec
import pytest

from config.settings import Settings
from server.mail import Letter, Mailer, message_of, send_by_smtp
from server.password_rules import COMMON, LENGTH_MIN
from tests.handlers.small_kerb import PASSWORD, Client, Reply, SmallKerb, open_small_kerb, sign_in
from tests.handlers.smtp_sink import SmtpSink, smtp_sink
from tests.handlers.websocket_user import connected

NEW_PASSWORD = "a much better password"
EMAIL = "trader@example.com"


@pytest.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as server:
        yield server


@pytest.fixture
async def mailing(
    database_dsn: str, tmp_path: Path, settings: Settings, sink: SmtpSink
) -> AsyncIterator[SmallKerb]:
    """A Kerb that sends its letters to the sink."""
    mail = msgspec.structs.replace(
        settings.mail, smtp_url=sink.url, reset_url="https://app.example/reset?token={token}"
    )
    settings = msgspec.structs.replace(settings, mail=mail)
    async with open_small_kerb(database_dsn, tmp_path, settings) as kerb:
        yield kerb


def token_in(text: str) -> str:
    found = re.search(r"https://app\.example/reset\?token=(\S+)", text)
    assert found is not None, text
    return found[1]


async def login(client: Client, email: str = EMAIL, password: str = "wrong wrong") -> Reply:
    return await client("POST", "/auth/login", {"email": email, "password": password})


async def reset(client: Client, token: str, password: str = NEW_PASSWORD) -> Reply:
    return await client("POST", "/auth/reset-password", {"token": token, "new_password": password})


@pytest.mark.parametrize(
    ("password", "status", "code"),
    [
        ("x" * 7, 400, "BAD_REQUEST"),
        ("correct horse " * 10, 400, "BAD_REQUEST"),
        ("Password123", 422, "WEAK_PASSWORD"),
        ("qwertyuiop", 422, "WEAK_PASSWORD"),
        ("aaaaaaaabbbb", 422, "WEAK_PASSWORD"),
        ("new@example.com", 422, "WEAK_PASSWORD"),
        ("tr0ub4dor", 201, ""),
        ("пароль с пробелом", 201, ""),
    ],
)
async def test_what_is_taken_as_a_password(small: SmallKerb, password: str, status: int, code: str) -> None:
    body = {"email": "new@example.com", "password": password, "full_name": "New"}
    reply = await small.anonymous()("POST", "/auth/register", body)
    assert reply.status == status, reply
    if code:
        assert reply.code == code
        assert password not in reply.body.decode()


def test_the_list_of_common_passwords_holds_only_what_the_length_lets_through() -> None:
    assert [each for each in COMMON if len(each) < LENGTH_MIN or each != each.casefold()] == []


async def test_guessing_is_throttled_by_account_whether_it_exists_or_not(small: SmallKerb) -> None:
    client = await small.trader()
    answers = []
    for email in (EMAIL, "nobody@example.com"):
        replies = await asyncio.gather(*(login(client, email.upper() if n % 2 else email) for n in range(20)))
        answers.append(sorted((reply.status, reply.code) for reply in replies))
        refused = next(reply for reply in replies if reply.status == 429)
        assert int(refused.headers["Retry-After"]) >= 1
    assert answers[0] == answers[1]
    assert answers[0] == [(401, "INVALID_CREDENTIALS")] * 5 + [(429, "RATE_LIMITED")] * 15
    assert (await login(client, EMAIL, PASSWORD)).status == 429
    assert (await client("GET", "/users/profile")).status == 200


async def test_guessing_on_many_accounts_is_throttled_by_address(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    auth = msgspec.structs.replace(settings.auth, login_failures_address=10)
    async with open_small_kerb(database_dsn, tmp_path, msgspec.structs.replace(settings, auth=auth)) as small:
        statuses = [(await login(small.anonymous(), f"user{n}@example.com")).status for n in range(12)]
        assert statuses == [401] * 10 + [429] * 2


async def test_a_login_takes_as_long_for_an_unknown_address(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    """Processor time of this process, so that a busy machine does not matter."""
    auth = msgspec.structs.replace(settings.auth, bcrypt_rounds=10, login_failures_account=10_000)
    async with open_small_kerb(database_dsn, tmp_path, msgspec.structs.replace(settings, auth=auth)) as small:
        client = await small.trader()
        known: list[float] = []
        unknown: list[float] = []
        for _ in range(9):
            for email, times in ((EMAIL, known), ("nobody@example.com", unknown)):
                started_s = time.process_time()
                assert (await login(client, email)).status == 401
                times.append(time.process_time() - started_s)
        assert 0.75 < median(known) / median(unknown) < 1.33


async def test_a_changed_password_ends_the_other_sessions(small: SmallKerb) -> None:
    client = await small.trader()
    thief = Client(client.http, client.base)
    await sign_in(thief, EMAIL)
    body = {"current_password": "wrong wrong", "new_password": NEW_PASSWORD}
    wrong = await client("POST", "/auth/change-password", body)
    assert (wrong.status, wrong.code) == (422, "WRONG_PASSWORD")
    body["current_password"] = PASSWORD
    weak = await client("POST", "/auth/change-password", body | {"new_password": "password123"})
    assert (weak.status, weak.code) == (422, "WEAK_PASSWORD")
    async with connected(small, thief) as user:
        assert (await client("POST", "/auth/change-password", body)).status == 200
        assert await user.close_code() == 4401
    assert (await thief("GET", "/users/profile")).status == 401
    assert (await client("GET", "/users/profile")).status == 200
    assert (await login(client, EMAIL, PASSWORD)).status == 401
    assert (await login(client, EMAIL, NEW_PASSWORD)).status == 200


async def test_the_present_password_cannot_be_guessed_through_its_change(small: SmallKerb) -> None:
    client = await small.trader()
    body = {"current_password": "wrong wrong", "new_password": NEW_PASSWORD}
    statuses = [(await client("POST", "/auth/change-password", body)).status for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2


async def test_a_forgotten_password_is_set_anew_by_letter(mailing: SmallKerb, sink: SmtpSink) -> None:
    client = await mailing.trader()
    made = await client("POST", "/auth/api-keys", {"name": "robot", "scopes": ["read"]})
    robot = Client(mailing.http, mailing.url, made.data["api_key"])
    anybody = mailing.anonymous()
    asked = await anybody("POST", "/auth/forgot-password", {"email": EMAIL.upper()})
    assert (asked.status, asked.data) == (202, {"accepted": True})
    recipient, text = await sink.letter()
    assert recipient == EMAIL
    token = token_in(text)

    weak = await reset(anybody, token, "password123")
    assert (weak.status, weak.code) == (422, "WEAK_PASSWORD")
    async with connected(mailing, client) as user, connected(mailing, robot) as machine:
        assert (await reset(anybody, token)).status == 200
        assert await user.close_code() == await machine.close_code() == 4401
    for caller in (client, robot):
        assert (await caller("GET", "/users/profile")).status == 401
    assert (await login(anybody, EMAIL, PASSWORD)).status == 401
    assert (await login(anybody, EMAIL, NEW_PASSWORD)).status == 200
    again = await reset(anybody, token, "yet another password")
    assert (again.status, again.code) == (422, "RESET_TOKEN_INVALID")


async def test_nobody_learns_who_is_registered(mailing: SmallKerb, sink: SmtpSink) -> None:
    await mailing.trader()
    anybody = mailing.anonymous()
    replies = [
        await anybody("POST", "/auth/forgot-password", {"email": email})
        for email in ("nobody@example.com", "not an address", "", "x" * 254, EMAIL)
    ]
    assert {(reply.status, reply.body) for reply in replies} == {
        (202, b'{"success":true,"data":{"accepted":true}}')
    }
    assert (await sink.letter())[0] == EMAIL
    assert sink.letters.empty()


async def test_a_new_letter_takes_the_place_of_the_last_and_they_are_few(
    mailing: SmallKerb, sink: SmtpSink
) -> None:
    await mailing.trader()
    anybody = mailing.anonymous()
    tokens = []
    for _ in range(5):
        await anybody("POST", "/auth/forgot-password", {"email": EMAIL})
        tokens.append(token_in((await sink.letter())[1]))
    for _ in range(5):
        assert (await anybody("POST", "/auth/forgot-password", {"email": EMAIL})).status == 202
    assert (await reset(anybody, tokens[3])).status == 422
    rows = await mailing.services.database.fetch("SELECT token_hash FROM password_resets")
    assert len(rows) == 5
    assert [row for row in rows if row["token_hash"] in {token.encode() for token in tokens}] == []
    await mailing.services.database.execute("UPDATE password_resets SET expires_at = now()")
    assert (await reset(anybody, tokens[4])).status == 422
    assert sink.letters.empty()


async def test_of_many_uses_of_a_reset_at_once_one_counts(mailing: SmallKerb, sink: SmtpSink) -> None:
    await mailing.trader()
    anybody = mailing.anonymous()
    await anybody("POST", "/auth/forgot-password", {"email": EMAIL})
    token = token_in((await sink.letter())[1])
    replies = await asyncio.gather(*(reset(anybody, token, f"new password {n}") for n in range(10)))
    assert sorted(reply.status for reply in replies) == [200] + [422] * 9


async def test_a_letter_is_sent_again_when_the_server_was_busy_and_never_logged(
    caplog: pytest.LogCaptureFixture, sink: SmtpSink
) -> None:
    sink.refuse = [b"451 greylisted kerbp_secret", b"451 greylisted kerbp_secret"]
    mailer = Mailer(lambda letter: send_by_smtp(letter, "kerb@example.com", sink.url), retry_s=0.01)
    mailer.send(Letter("you@example.com", "Hello", "the code kerbp_secret"))
    assert await sink.letter() == ("you@example.com", "the code kerbp_secret\r\n")
    assert "kerbp_secret" not in caplog.text
    assert "attempt 2 of 3" in caplog.text
    assert "secret" not in repr(Letter("you@example.com", "Hello", "the code kerbp_secret"))
    mailer.close()


def test_a_letter_s_headers_cannot_be_forged() -> None:
    for letter in (Letter("you@example.com\r\nBcc: all@example.com", "x", "y"), Letter("a@b.c", "x\ny", "z")):
        with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
            message_of(letter, "kerb@example.com")


async def test_without_a_mail_server_letters_are_private_files(small: SmallKerb, settings: Settings) -> None:
    await small.trader()
    await small.anonymous()("POST", "/auth/forgot-password", {"email": EMAIL})
    folder = settings.data_dir / "mail"
    async with asyncio.timeout(10):
        while not (letters := list(folder.glob("*.eml"))):
            await asyncio.sleep(0.01)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert letters[0].stat().st_mode & 0o777 == 0o600
    found = re.search(r"kerbp_[\w-]+", letters[0].read_text())
    assert found is not None
    assert (await reset(small.anonymous(), found[0])).status == 200
