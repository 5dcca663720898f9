"""`python -m tests.contract --minutes 60 [--seed 1]`: the long attack on the contract, half of the time for each role."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.contract.attack import ROLES, SETTINGS, attack
from tests.kerb_process import ROOT, running_kerb

OUTPUT = ROOT / "var" / "contract"


@click.command()
@click.option(
    "--minutes", type=float, default=60.0, show_default=True, help="How long, for all roles together."
)
@click.option("--seed", type=int, default=None, help="Repeats an attack.")
def main(minutes: float, seed: int | None) -> None:
    """Attack a server of its own; exit code 1 when something was found."""
    sys.exit(asyncio.run(run(minutes, int(time.time()) if seed is None else seed)))


async def run(minutes: float, seed: int) -> int:
    """The worst exit code. What was found stands in var/contract/."""
    worst = 0
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for role in ROLES:
        with TemporaryDirectory() as folder:
            async with running_kerb(Path(folder) / "kerb", **SETTINGS) as kerb:
                print(f"{role}: {minutes / len(ROLES):g} minutes, seed {seed}", flush=True)
                seconds = max(1, round(minutes * 60 / len(ROLES)))
                found = await attack(kerb, role, seconds=seconds, seed=seed, folder=Path(folder) / "attack")
                (OUTPUT / f"{role}.log").write_text(found.output, encoding="utf-8")
                print(found.output if found.code else found.output[-400:], flush=True)
                await kerb.stop()
                await kerb.verify()
            worst = max(worst, found.code)
    return worst


if __name__ == "__main__":
    main()
