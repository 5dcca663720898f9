"""schemathesis against a running server, with all of its checks, from the OpenAPI document that the server serves."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

import aiohttp
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

SYSTEMATIC: Final = "examples,coverage"
"""The same cases every time: each operation, each bound of each field."""

RANDOM: Final = "fuzzing,stateful"
ALL_PHASES: Final = f"{SYSTEMATIC},{RANDOM}"

ROLES: Final = {"trader": TRADERS[0].email, "operator": OPERATOR.email}


class Outcome(Struct, frozen=True):
    """What was found: `code` 0 for nothing. `output` says what, and how to repeat it."""

    code: int
    output: str


REPEATABLE: Final = ("--max-examples", "3", "--generation-deterministic")
"""The same cases at every run, whatever the machine's speed: what only chance finds belongs to the long attack."""


async def attack(
    kerb: KerbProcess,
    role: str,
    *,
    seed: int,
    folder: Path,
    phases: str = ALL_PHASES,
    seconds: int | None = None,
    repeatable: bool = False,
) -> Outcome:
    """Attack in the name of a user of the demo: for so long, or until the phases have come to their own end."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.contract.hooks",
        "CONTRACT_URL": kerb.url,
        "CONTRACT_EMAIL": ROLES[role],
        "CONTRACT_PASSWORD": PASSWORD,
    }
    folder.mkdir(parents=True, exist_ok=True)
    # as a file: schemathesis leaves out the operation that it has a document from
    async with aiohttp.ClientSession() as http, http.get(f"{kerb.url}/openapi.json") as served:
        (folder / "openapi.json").write_bytes(await served.read())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", "openapi.json", "--url", kerb.url, "--phases", phases, "--seed", str(seed)),
        *(() if seconds is None else ("--max-time", str(seconds))),
        *(REPEATABLE if repeatable else ()),
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
