"""What every test may ask for: settings of the test mode, a PostgreSQL server, a fresh migrated database."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from config.loading import load_settings
from config.settings import Settings
from server.embedded_postgres import EmbeddedPostgres
from server.migrations import migrate
from tests.server.reachable_folder import reachable_folder

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own, so that synchronous fixtures can drive (and keep alive) asynchronous parts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fixtures", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def fixture_loop() -> Iterator[LoopThread]:
    loop = LoopThread()
    yield loop
    loop.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of the test mode with a data folder of their own."""
    return load_settings("test", None, {}, {"data_dir": tmp_path / "kerb"}).settings


@pytest.fixture(scope="session")
def postgres_dsn(fixture_loop: LoopThread) -> Iterator[str]:
    """A server's DSN: that of KERB_TEST_DATABASE_URL, or an embedded server of this run (one for each xdist worker)."""
    external = os.environ.get("KERB_TEST_DATABASE_URL")
    if external:
        yield external
        return
    with reachable_folder() as folder:
        server = EmbeddedPostgres(folder, load_settings("test", None, {}).settings.postgres)
        try:
            yield fixture_loop.run(server.start())
        finally:
            fixture_loop.run(server.stop())


@pytest.fixture(scope="session")
def migrated_template(postgres_dsn: str, fixture_loop: LoopThread) -> Iterator[str]:
    """The name of a database with every migration applied, to be copied; nobody may be connected to it."""
    name = f"kerb_template_{uuid4().hex[:12]}"
    fixture_loop.run(_execute(postgres_dsn, f"CREATE DATABASE {name}"))
    fixture_loop.run(migrate(dsn_of(postgres_dsn, name)))
    yield name
    fixture_loop.run(_execute(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def empty_database_dsn(postgres_dsn: str, fixture_loop: LoopThread) -> Iterator[str]:
    """The DSN of a new database without any table; dropped after the test."""
    yield from _database(postgres_dsn, "template1", fixture_loop)


@pytest.fixture
def database_dsn(postgres_dsn: str, migrated_template: str, fixture_loop: LoopThread) -> Iterator[str]:
    """The DSN of a new database with every migration applied; dropped after the test, whoever is still connected."""
    yield from _database(postgres_dsn, migrated_template, fixture_loop)


def _database(server_dsn: str, template: str, loop: LoopThread) -> Iterator[str]:
    name = f"kerb_test_{uuid4().hex[:12]}"
    loop.run(_execute(server_dsn, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield dsn_of(server_dsn, name)
    loop.run(_execute(server_dsn, f"DROP DATABASE {name} WITH (FORCE)"))


def dsn_of(dsn: str, database: str) -> str:
    """The same server, another database."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(path=f"/{database}")) if parts.netloc else dsn


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that needs a server is marked so by needing it: `pytest -m database` finds them all."""
    for item in items:
        if "postgres_dsn" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
