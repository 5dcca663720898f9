"""Gives the DSN of the system of record: the external server's, or that of the embedded one for as long as it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.settings import Settings
from server.data_folder import DataFolder
from server.embedded_postgres import EmbeddedPostgres


@asynccontextmanager
async def open_database_server(settings: Settings) -> AsyncIterator[str]:
    """`database_url` where it is set; else the embedded server of `data_dir`, started here and stopped on the way out.

    For commands that need the database alone: the embedded server's data folder is locked meanwhile. Raises
    DataFolderBusy where a Kerb is running on it, and EmbeddedPostgresError.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with DataFolder.own(settings.data_dir):
        postgres = EmbeddedPostgres(settings.data_dir, settings.postgres)
        dsn = await postgres.start()
        try:
            yield dsn
        finally:
            await postgres.stop()
