"""The running server keeps what its OpenAPI document says, whatever is sent: a short attack, once for each role."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from handlers.routes import ROUTES
from server.demo import PASSWORD, TRADERS
from tests.contract.attack import ROLES, SYSTEMATIC, attack
from tests.kerb_process import KerbProcess


@pytest.mark.timeout(450)
@pytest.mark.parametrize("role", ROLES)
async def test_no_answer_is_undocumented_none_a_fault_and_no_credential_ignored(
    kerb: KerbProcess, http: aiohttp.ClientSession, tmp_path: Path, role: str
) -> None:
    folder = tmp_path / "attack"
    found = await attack(kerb, role, phases=SYSTEMATIC, seed=1, folder=folder)
    assert found.code == 0, found.output
    reached = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", found.output)
    assert reached is not None, found.output
    assert [int(count) for count in reached.groups()] == [len(ROUTES)] * 3
    found = await attack(kerb, role, phases="fuzzing", repeatable=True, seed=1, folder=folder)
    assert found.code == 0, found.output
    trader = await kerb.sign_in(http, TRADERS[1].email, PASSWORD)
    assert (await trader("GET", "/portfolio")).status == 200
    assert await kerb.stop() == 0
    await kerb.verify()
