"""The command `torture`: one simulated life of Kerb on a disk that lies. It needs the tests, which are not part of what is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from server.command_line import fail
from server.exit_codes import ExitCode

CHECKOUT: Final = Path(__file__).resolve().parents[1]
SIMULATION: Final = "tests.simulation"


@click.command()
@click.option("--seed", default="0", show_default=True, help="A failed attack names its own.")
@click.option(
    "--crashes",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="How often it dies, at the least.",
)
@click.option("--readers", is_flag=True, help="With clients that look on.")
def torture(seed: str, crashes: int, readers: bool) -> None:
    """Let Kerb die and recover in a simulated world, twice, and compare the traces. All attacks: make torture."""
    if not (CHECKOUT / SIMULATION.replace(".", "/") / "__main__.py").exists():
        fail(
            ExitCode.CONFIG,
            [f"torture: there are no tests in {CHECKOUT}; it runs in a checkout of the sources"],
        )
    arguments = [sys.executable, "-m", SIMULATION, seed, str(crashes), *["readers"] * readers]
    sys.exit(subprocess.run(arguments, cwd=CHECKOUT, check=False).returncode)
