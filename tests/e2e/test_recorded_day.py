"""A recorded day drives the real server: the candles that clients get are those of the exchange."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.demo import PASSWORD, TRADERS
from tests.handlers.small_kerb import Client
from tests.kerb_process import KerbProcess, running_kerb

TAPE = Path(__file__).resolve().parents[3] / "shared/data/aig_20131009_trade.zip"

pytestmark = pytest.mark.skipif(not TAPE.exists(), reason=f"{TAPE.name} is not beside the checkout")


async def chart(client: Client, interval: str, extended: str = "false") -> list[dict[str, Any]]:
    path = f"/stocks/AIG/chart?interval={interval}&range=max&extended_hours={extended}"
    return (await client("GET", path)).data["candles"]  # type: ignore[no-any-return]


def bar(candle: dict[str, Any]) -> tuple[float, ...]:
    return tuple(candle[name] for name in ("open", "high", "low", "close", "volume", "trades"))


async def until_the_day_is_over(client: Client) -> None:
    """At 1000 times its speed a day has 24 seconds and some minutes before it."""
    while not (await client("GET", "/stocks/AIG/quote")).data["stale"]:
        await asyncio.sleep(0.25)


async def trade_at_the_tapes_price(kerb: KerbProcess, http: aiohttp.ClientSession) -> None:
    trader = await kerb.sign_in(http, TRADERS[0].email, PASSWORD)
    bought = await trader(
        "POST", "/orders", {"stock_symbol": "AIG", "side": "BUY", "order_type": "MARKET", "quantity": 7}
    )
    assert (bought.status, bought.data["status"]) == (201, "FILLED"), bought
    holdings = (await trader("GET", "/portfolio/holdings")).data
    (holding,) = [each for each in holdings if each["symbol"] == "AIG"]
    assert 46 < holding["current_price"] < 49


@pytest.mark.timeout(180)
async def test_the_aig_day_gives_the_exchanges_candles(
    database_dsn: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    environ = {
        "KERB_DATABASE_URL": database_dsn,
        "KERB_MARKET__FEED": str(TAPE),
        "KERB_MARKET__SPEED": "1000",
    }
    async with running_kerb(tmp_path / "kerb", **environ) as kerb:
        client = kerb.anonymous(http)
        while not (quote := (await client("GET", "/stocks/AIG/quote")).data)["bid"]:
            await asyncio.sleep(0.05)
        assert quote["timestamp"].startswith("2013-10-09T13:")
        await asyncio.sleep(2)
        await trade_at_the_tapes_price(kerb, http)
        await until_the_day_is_over(client)

        minutes = await chart(client, "1m")
        assert len(minutes) == 390
        assert bar(minutes[0]) == (47.68, 47.69, 47.62, 47.66, 141_774, 99)
        assert bar(minutes[-1])[:5] == (47.74, 47.75, 47.69, 47.73, 101_689)
        (day,) = await chart(client, "1d")
        assert bar(day) == (47.68, 48.07, 47.18, 47.73, 9_996_256, 51_887)
        (whole,) = await chart(client, "1d", extended="true")
        assert bar(whole) == (47.99, 48.22, 47.18, 47.70, 10_371_011, 52_008)

        await kerb.stop()
        await kerb.start()
        client.base = kerb.url
        await until_the_day_is_over(client)
        assert await chart(client, "1m") == minutes
        await kerb.verify()
