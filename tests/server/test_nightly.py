"""The nightly verification: when it is due, that it finds what is wrong, and that the next start knows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from msgspec import structs

from config.settings import Settings, VerifySettings
from server.nightly import Nightly, Verified, next_us
from tests.server.test_verify_rows import traded


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2026-11-21 02:00", "UTC", "2026-11-21 02:30"),
        ("2026-11-21 02:30", "UTC", "2026-11-22 02:30"),
        ("2026-11-21 23:59", "UTC", "2026-11-22 02:30"),
        ("2026-07-01 00:00", "Europe/Berlin", "2026-07-01 00:30"),
        ("2026-12-01 00:00", "America/New_York", "2026-12-01 07:30"),
        ("2026-03-28 12:00", "Europe/Berlin", "2026-03-29 01:30"),  # 02:30 is left out that night
        ("2026-03-29 01:30", "Europe/Berlin", "2026-03-30 00:30"),
        ("2026-10-25 00:00", "Europe/Berlin", "2026-10-25 00:30"),  # and comes twice that one
        ("2026-10-25 00:30", "Europe/Berlin", "2026-10-26 01:30"),
    ],
)
def test_it_is_due_at_the_local_time(now: str, zone: str, due: str) -> None:
    assert next_us(us(now), "02:30", zone) == us(due)


class Hand:
    """A clock that is set by hand."""

    def __init__(self, now_us: int) -> None:
        self.us = now_us

    def now_us(self) -> int:
        return self.us


async def test_it_finds_what_is_wrong_and_the_next_start_knows(
    database_dsn: str, tmp_path: Path, settings: Settings
) -> None:
    await traded(database_dsn, tmp_path, 60)
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("UPDATE wallets SET balance_e4 = balance_e4 + 1 WHERE account_id > 1000")
    await connection.close()
    of = structs.replace(
        settings, data_dir=tmp_path, database_url=database_dsn, verify=VerifySettings(at="03:30", zone="UTC")
    )
    clock, verified = Hand(us("2026-11-21 03:00")), Verified()
    nightly = Nightly(of, verified, clock)
    nightly.tick()
    assert repr(nightly).endswith("Verified(at_s=0.0, took_s=0.0, findings=0, failed=False, last_seq=0)>")
    clock.us = us("2026-11-21 03:30")
    nightly.tick()
    assert nightly._task is not None
    await asyncio.wait_for(nightly._task, 120)
    assert verified.findings >= 5
    assert (verified.failed, verified.at_s) == (False, clock.us / 1e6)
    again = Verified()
    Nightly(of, again, clock)
    assert again == verified
    nightly.tick()
    assert nightly._task.done()  # not due before tomorrow


async def test_what_cannot_be_verified_is_a_failure(tmp_path: Path, settings: Settings) -> None:
    of = structs.replace(settings, data_dir=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    nightly = Nightly(of, Verified(), Hand(us("2026-11-21 03:00")))
    await nightly.run()
    assert (nightly.verified.failed, nightly.verified.findings) == (True, 0)
