"""Each kind of attack on the gates' wire, a few tries of it; tests/torture has ten thousand of each."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.torture.gate_attacks import KINDS, attack, attacked_yard


@pytest.mark.parametrize("kind", KINDS)
async def test_no_gate_opens_the_server_is_unharmed_and_each_try_is_logged_once(
    kind: str, tmp_path: Path
) -> None:
    async with attacked_yard(tmp_path) as yard:
        await attack(yard, kind, 20, Random(kind))
