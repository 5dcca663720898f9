"""What every command of run.py begins and ends with: its options, the settings, the loop, and the exit code of a known fault."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from config.loading import ConfigError, LoadedSettings, load_settings
from config.settings import Mode
from server.exit_codes import ExitCode

if TYPE_CHECKING:
    from config.settings import Settings

T = TypeVar("T")

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


def run(settings: Settings, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on an uvloop; a known fault becomes its exit code, a bug keeps its traceback."""
    import uvloop

    from server.start_faults import exit_code_of, problems_of

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work())
    except Exception as error:
        code = exit_code_of(error)
        if code is None:
            raise
        fail(code, problems_of(error, settings.data_dir))
    except KeyboardInterrupt:
        fail(ExitCode.INTERRUPTED, ["interrupted before it was ready"])


def load(mode: str | None, file: Path | None, given: dict[str, object] | None = None) -> LoadedSettings:
    try:
        return load_settings(mode, file, os.environ, given)
    except ConfigError as error:
        fail(ExitCode.CONFIG, error.problems)


def fail(code: ExitCode, problems: list[str]) -> NoReturn:
    for problem in problems:
        click.echo(f"kerb: {problem}", err=True)
    sys.exit(code)
