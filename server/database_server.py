"""Gives the DSN of the system of record: the external server's, or that of the embedded one for as long as it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config.settings import Settings
from server.data_folder import DataFolder, DataFolderBusy
from server.embedded_postgres import EmbeddedPostgres


@asynccontextmanager
async def open_database_server(
    settings: Settings, *, beside_a_running_kerb: bool = False
) -> AsyncIterator[str]:
    """`database_url` where it is set; else the embedded server of `data_dir`, started here and stopped on the way out.

    For commands that need the database alone: the embedded server's data folder is locked meanwhile. Raises
    DataFolderBusy where a Kerb is running on it, and EmbeddedPostgresError. `beside_a_running_kerb`: a command that
    leaves alone what recovery reads may use the server of a Kerb that is running.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    if beside_a_running_kerb and is_owned(settings.data_dir):
        yield await EmbeddedPostgres(settings.data_dir, settings.postgres).running_dsn()
        return
    with DataFolder.own(settings.data_dir):
        postgres = EmbeddedPostgres(settings.data_dir, settings.postgres)
        dsn = await postgres.start()
        try:
            yield dsn
        finally:
            await postgres.stop()


def is_owned(data_dir: Path) -> bool:
    """Whether a Kerb is running on the folder."""
    if not data_dir.is_dir():
        return False
    try:
        DataFolder.own(data_dir).close()
    except DataFolderBusy:
        return True
    return False
