"""The running server keeps what its OpenAPI document says, whatever is sent: a short attack, once for each role."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from server.demo import PASSWORD, TRADERS
from tests.contract.attack import ROLES, attack
from tests.kerb_process import KerbProcess

SECONDS: Final = 25
CASES_LEAST: Final = 500
"""Fewer would mean that the attack did not take place."""


@pytest.mark.parametrize("role", ROLES)
async def test_no_answer_is_undocumented_none_a_fault_and_no_credential_ignored(
    kerb: KerbProcess, http: aiohttp.ClientSession, tmp_path: Path, role: str
) -> None:
    found = await attack(kerb, role, seconds=SECONDS, seed=1, folder=tmp_path / "attack")
    assert found.code == 0, found.output
    cases = re.search(r"(\d+) generated", found.output)
    assert cases is not None, found.output
    assert int(cases[1]) >= CASES_LEAST
    trader = await kerb.sign_in(http, TRADERS[1].email, PASSWORD)
    assert (await trader("GET", "/portfolio")).status == 200
    assert await kerb.stop() == 0
    await kerb.verify()
