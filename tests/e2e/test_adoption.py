"""A journal that is adopted by a new, empty database: the books come back, and nobody inherits an account."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from tests.kerb_process import KerbProcess, running_kerb


async def test_the_books_come_from_the_journal_and_accounts_are_not_inherited(
    database_dsn: str, empty_database_dsn: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    folder = tmp_path / "kerb"
    async with running_kerb(folder, KERB_DATABASE_URL=database_dsn) as kerb:
        await kerb.register(http, "rich@example.com", "1000000")
    adopted = KerbProcess(folder, KERB_DATABASE_URL=empty_database_dsn)
    await adopted.start(mode="test")
    newcomer = await adopted.register(http, "newcomer@example.com")
    assert (await newcomer("GET", "/wallet/balance")).data["balance"] == 0
    assert await adopted.stop() == 0
    await adopted.verify()
