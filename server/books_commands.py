"""The commands of run.py that look after what is kept: `verify`, `backup`, `restore`."""

from __future__ import annotations

import os
import sys
from datetime import datetime
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


@click.command()
@mode_option
@config_option
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Empty, or a backup.",
)
@click.option(
    "--keep", type=click.IntRange(min=0), default=0, help="Keep so many dumps of PostgreSQL; 0: all."
)
@click.option(
    "--nice", type=click.IntRange(0, 19), default=0, help="Give way to others: 19 is the least urgent."
)
def backup(mode: str | None, file: Path | None, folder: Path, keep: int, nice: int) -> None:
    """Back up PostgreSQL and the journal into a folder, also while Kerb is running; again into the same: what is new.

    The folder has everything that Kerb knows, secrets too: keep it as safe as the data folder, and on another disk.
    """
    from server.backup import backup

    settings = load(mode, file).settings
    os.nice(nice)
    click.echo(run(settings, lambda: backup(settings, folder, keep)))


def _until(context: click.Context, option: click.Parameter, text: str | None) -> int | datetime | None:
    """A sequence, or a time that says of which zone it is."""
    if text is None or (text.isascii() and text.isdigit()):
        return None if text is None else int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        problem = f"{text!r} is neither a sequence nor a time like 2026-11-21T14:30:00Z"
        raise click.BadParameter(problem, context, option) from error
    if moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} does not say its zone: write {text}Z for UTC", context, option)
    return moment


@click.command()
@mode_option
@config_option
@click.option(
    "--from", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="The backup."
)
@click.option("--to", "data_dir", required=True, type=click.Path(path_type=Path), help="The new data folder.")
@click.option(
    "--until",
    metavar="TIME|SEQ",
    callback=_until,
    help="The last record that counts, by its number or its time.",
)
def restore(
    mode: str | None, file: Path | None, folder: Path, data_dir: Path, until: int | datetime | None
) -> None:
    """Make a new Kerb of a backup, as of its end or of a moment, and verify it. Exits 1 when that finds something wrong.

    Times are the market's clock. The data folder must be empty, as must be the database where database_url is set.
    """
    from server import operations
    from server.restore import restore

    settings = load(mode, file, {"data_dir": data_dir}).settings
    click.echo(run(settings, lambda: restore(settings, folder, until)))
    verdict = run(settings, lambda: operations.verify(settings))
    for line in (*verdict.findings, verdict.compared):
        click.echo(line)
    if verdict.findings:
        click.echo("\n".join(verdict.summary()), err=True)
        sys.exit(1)
    click.echo("the books are right")


BOOKS_COMMANDS: Final = (verify, backup, restore)
