"""An operator's round trip: back up beside a running server, trade on, restore the middle elsewhere, and serve from there."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from server.exit_codes import ExitCode
from tests.handlers.small_kerb import PASSWORD
from tests.kerb_process import KerbProcess, running_kerb


async def test_the_middle_of_a_day_is_restored_and_serves(
    kerb: KerbProcess, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    backup, folder = tmp_path / "backup", tmp_path / "restored"
    early = await kerb.register(http, "early@example.com", "100")
    code, output = await kerb.run("backup", "--to", str(backup))
    assert (code, "1 dumps" in output) == (ExitCode.OK, True), output
    until = (await early.deposit("11")).meta["as_of_seq"]
    await kerb.register(http, "late@example.com", "70")
    await early.deposit("500")
    code, output = await kerb.run("backup", "--to", str(backup))
    assert (code, "2 dumps" in output) == (ExitCode.OK, True), output

    restored = KerbProcess(folder)
    code, output = await restored.run(
        "restore", "--from", str(backup), "--to", str(folder), "--until", str(until)
    )
    assert code == ExitCode.OK, output
    assert f"restored up to record {until} of " in output
    assert output.splitlines()[-1] == "the books are right"
    async with running_kerb(folder) as again:
        balances = [
            (await (await again.sign_in(http, email, PASSWORD))("GET", "/wallet/balance")).data["balance"]
            for email in ("early@example.com", "late@example.com")
        ]
        assert balances == [111, 0]  # who registered later can sign in, and has an account again
