"""The commands of run.py that look after what is kept: `verify`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click

from server.command_line import config_option, load, mode_option, run


@click.command()
@mode_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="One line of JSON instead.")
@click.option(
    "--nice", type=click.IntRange(0, 19), default=0, help="Give way to others: 19 is the least urgent."
)
def verify(mode: str | None, file: Path | None, as_json: bool, nice: int) -> None:
    """Check the books in PostgreSQL, the journal, and each against the other; also while Kerb is running.

    Changes nothing. Exits 1 with what is wrong.
    """
    from server import operations

    settings = load(mode, file).settings
    os.nice(nice)
    verdict = run(settings, lambda: operations.verify(settings))
    if as_json:
        click.echo(verdict.as_json())
        sys.exit(1 if verdict.findings else 0)
    for finding in verdict.findings:
        click.echo(finding)
    click.echo(verdict.compared)
    if verdict.findings:
        click.echo("\n".join(verdict.summary()), err=True)
        sys.exit(1)
    click.echo("the books are right")


BOOKS_COMMANDS: Final = (verify,)
