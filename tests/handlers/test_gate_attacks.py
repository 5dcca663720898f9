"""Each kind of attack on the gates' wire, a few tries of it; tests/torture has ten thousand of each."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.torture.gate_attacks import KINDS, TLS, attack, attacked_yard
from tests.torture.gate_crowd import crowd_of


@pytest.mark.parametrize("kind", KINDS)
async def test_no_gate_opens_the_server_is_unharmed_and_each_try_is_logged_once(
    kind: str, tmp_path: Path
) -> None:
    async with attacked_yard(tmp_path, tls=kind == TLS) as yard:
        await attack(yard, kind, 20, Random(kind))


async def test_gates_are_served_while_a_crowd_says_nothing_and_each_of_it_is_logged_once(
    tmp_path: Path,
) -> None:
    seen = await crowd_of(60, tmp_path, at_once=40, handshake_s=1)
    assert seen["connections at once"] == 40
