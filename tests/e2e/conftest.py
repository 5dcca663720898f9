"""Fixtures of the end-to-end tests: a whole server in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.kerb_process import KerbProcess, running_kerb


@pytest.fixture
async def kerb(database_dsn: str, tmp_path: Path) -> AsyncIterator[KerbProcess]:
    """A running server on a database of its own, with the demo's users and no market feed."""
    async with running_kerb(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn) as process:
        yield process


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client without a limit of connections."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session
