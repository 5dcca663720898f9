"""Kerb's command line."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from config.loading import ConfigError, LoadedSettings, describe, load_settings
from config.settings import Mode
from server.exit_codes import ExitCode

config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="A TOML file laid over the defaults and the mode's profile.",
)
mode_option = click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="The profile; without it KERB_MODE, the file's mode, or production.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A stock brokerage, an exchange and a parking operator in one process."""


@main.command("check-config")
@mode_option
@config_option
def check_config(mode: str | None, file: Path | None) -> None:
    """Print every setting in force and where it came from, or everything that is wrong."""
    from rich.console import Console
    from rich.table import Table

    loaded = _settings(mode, file)
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for key, value, origin in describe(loaded):
        table.add_row(key, value, origin)
    Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False).print(table)


@main.command("migrate")
@mode_option
@config_option
def migrate(mode: str | None, file: Path | None) -> None:
    """Bring the database's schema up to date; starts the embedded server for it where no database_url is set."""
    loaded = _settings(mode, file)
    applied = asyncio.run(_migrate(loaded))
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do, the schema is up to date")


async def _migrate(loaded: LoadedSettings) -> list[str]:
    import asyncpg

    from server.data_folder import DataFolderBusy
    from server.database_server import open_database_server
    from server.migrations import MigrationError
    from server.migrations import migrate as apply_missing
    from server.postgres_install import EmbeddedPostgresError

    try:
        async with open_database_server(loaded.settings) as dsn:
            return await apply_missing(dsn)
    except DataFolderBusy as error:
        _fail(ExitCode.LOCKED, [str(error)])
    except (EmbeddedPostgresError, MigrationError, asyncpg.PostgresError, OSError) as error:
        _fail(ExitCode.DATABASE, [str(error)])


def _settings(mode: str | None, file: Path | None) -> LoadedSettings:
    try:
        return load_settings(mode, file, os.environ)
    except ConfigError as error:
        _fail(ExitCode.CONFIG, error.problems)


def _fail(code: ExitCode, problems: list[str]) -> NoReturn:
    for problem in problems:
        print(f"kerb: {problem}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
