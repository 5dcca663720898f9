"""A hub with connected clients, for the tests of streaming."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from config.settings import Settings
from tests.server.stream_client import hub_server
from tests.server.stream_market import Connect, Market, changed


@pytest.fixture
def market(settings: Settings) -> Market:
    return Market(changed(settings, sndbuf_bytes=4_096, notsent_lowat_bytes=4_096, slow_consumer_s=1))


@pytest.fixture
async def connect(market: Market) -> AsyncIterator[Connect]:
    async with hub_server(market.hub) as connect_client:
        yield connect_client
