"""Fixtures of the border's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.settings import Settings
from tests.handlers.small_kerb import SmallKerb, open_small_kerb


@pytest.fixture
async def small(database_dsn: str, tmp_path: Path, settings: Settings) -> AsyncIterator[SmallKerb]:
    """A whole Kerb in this process, on a real socket."""
    async with open_small_kerb(database_dsn, tmp_path, settings) as kerb:
        yield kerb
