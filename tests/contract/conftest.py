"""Fixtures of the contract's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.contract.attack import SETTINGS
from tests.kerb_process import KerbProcess, running_kerb


@pytest.fixture
async def kerb(database_dsn: str, tmp_path: Path) -> AsyncIterator[KerbProcess]:
    """A running server with the demo's users, limits and market."""
    async with running_kerb(tmp_path / "kerb", KERB_DATABASE_URL=database_dsn, **SETTINGS) as process:
        yield process


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session
