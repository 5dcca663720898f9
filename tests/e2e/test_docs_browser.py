"""The try-it page in a real browser: it signs in by itself, lists the operations, and places an order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from playwright.async_api import expect

from server.demo import PASSWORD, TRADERS
from tests.e2e.chromium import needs_chromium, open_page
from tests.kerb_process import ROOT, KerbProcess

SCREENSHOTS: Final = ROOT / "var" / "screenshots"


@needs_chromium
async def test_the_page_places_an_order(
    kerb: KerbProcess, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    order = {"stock_symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "quantity": 3, "price": "200.00"}
    async with open_page(tmp_path / "profile") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{kerb.url}/docs")
        await expect(page.locator("#who")).to_have_text(f"signed in as {TRADERS[0].email}")
        await page.click("#op-place_order")
        await page.select_option("#example", "limit")
        await page.fill("#body", msgspec.json.encode(order).decode())
        await page.click("#send")
        await expect(page.locator("#status")).to_have_text(re.compile(r"^201 in \d+ ms$"))
        shown = msgspec.json.decode(await page.locator("#data").inner_text())
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / "docs.png", full_page=True)
        await page.click("#op-get_quote")
        await page.click("#send")
        await expect(page.locator("#data")).to_contain_text('"symbol": "AAPL"')
    trader = await kerb.sign_in(http, TRADERS[0].email, PASSWORD)
    (placed,) = (await trader("GET", "/orders?status=PENDING")).data
    assert (placed["order_id"], placed["price"]) == (shown["data"]["order_id"], 200)
    assert complaints == []
    assert {url for url in asked if not url.startswith((kerb.url, "data:"))} == set()
    assert (SCREENSHOTS / "docs.png").stat().st_size > 20_000
