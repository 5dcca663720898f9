"""A journal that is adopted by a new, empty database: the books come back, and nobody inherits an account."""

from __future__ import annotations

import shutil
from pathlib import Path

import aiohttp

from server.exit_codes import ExitCode
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


async def test_an_old_copy_of_the_journal_is_refused_and_can_be_adopted_as_the_message_says(
    database_dsn: str, empty_database_dsn: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    folder, copy = tmp_path / "kerb", tmp_path / "copy"
    async with running_kerb(folder, KERB_DATABASE_URL=database_dsn) as kerb:
        await kerb.register(http, "early@example.com", "100")
        await kerb.stop()
        shutil.copytree(folder / "journal", copy)
        await kerb.start()
        await kerb.register(http, "late@example.com", "200")
        await kerb.stop()
        shutil.rmtree(folder / "journal")
        shutil.copytree(copy, folder / "journal")
        code, output = await kerb.run("serve")
        assert code == ExitCode.FOREIGN_JOURNAL
        assert "an old copy. Nothing was changed. Bring back" in output
        assert "To adopt this journal instead, without what came after sequence" in output
        assert "Traceback" not in output
        assert sorted(path.read_bytes() for path in (folder / "journal").iterdir()) == sorted(
            path.read_bytes() for path in copy.iterdir()
        )
    async with running_kerb(folder, KERB_DATABASE_URL=empty_database_dsn) as adopted:
        await adopted.verify()
