"""schemathesis against a running server, with all of its checks, from the OpenAPI document that the server serves."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

from msgspec import Struct

from server.demo import OPERATOR, PASSWORD, TRADERS
from tests.kerb_process import ROOT, KerbProcess

CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
SETTINGS: Final = {
    "KERB_MARKET__FEED": "simulator",
    # guesses of passwords are part of the attack: they may not lock the user out
    "KERB_AUTH__LOGIN_FAILURES_ACCOUNT": "1000000",
}
"""The server that is attacked: a demo, but for these."""

ROLES: Final = {"trader": TRADERS[0].email, "operator": OPERATOR.email}


class Outcome(Struct, frozen=True):
    """What was found: `code` 0 for nothing. `output` says what, and how to repeat it."""

    code: int
    output: str


async def attack(kerb: KerbProcess, role: str, *, seconds: int, seed: int, folder: Path) -> Outcome:
    """Attack for so long, in the name of a user of the demo."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.contract.hooks",
        "CONTRACT_URL": kerb.url,
        "CONTRACT_EMAIL": ROLES[role],
        "CONTRACT_PASSWORD": PASSWORD,
    }
    folder.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"{kerb.url}/openapi.json", "--max-time", str(seconds), "--seed", str(seed)),
        *("--continue-on-failure", "--output-truncate", "false"),
        cwd=folder, env=environ, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Outcome(process.returncode, output.decode())
