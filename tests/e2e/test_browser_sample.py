"""docs/samples/browser.html in a real browser: signed in, quotes, an order, and nothing missed while the line is cut."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from playwright.async_api import expect

from server.demo import PASSWORD, TRADERS
from tests.e2e.chromium import needs_chromium, open_page
from tests.kerb_process import ROOT, running_kerb

HOST = "127.0.0.1"


class Line:
    """A relay to the server, which can be cut and closed. `url` leads through it."""

    def __init__(self, target: str) -> None:
        self._port = int(target.rpartition(":")[2])
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.url = ""
        self.refused = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with await asyncio.start_server(self._serve, HOST, 0) as server:
            self.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
            yield
            self.cut()

    def cut(self) -> None:
        """Break what is connected, and refuse what comes."""
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            self.refused.set()
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection(HOST, self._port)
        self._writers |= {writer, to_server}
        ways = (_relay(reader, to_server), _relay(from_server, writer))
        await asyncio.gather(*ways, return_exceptions=True)
        self._writers -= {writer, to_server}


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()


@asynccontextmanager
async def site_of(folder: Path) -> AsyncIterator[str]:
    """The origin of a site that serves a folder's files."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


@needs_chromium
async def test_the_sample_trades_and_misses_nothing_while_its_line_is_cut(
    database_dsn: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with (
        site_of(ROOT / "docs/samples") as origin,
        running_kerb(
            tmp_path / "kerb", KERB_DATABASE_URL=database_dsn, KERB_HTTP__CORS_ORIGINS=origin
        ) as kerb,
        open_page(tmp_path / "profile") as page,
    ):
        line = Line(kerb.url)
        async with line.open():
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            user = await kerb.sign_in(http, TRADERS[0].email, PASSWORD)
            await page.goto(f"{origin}/browser.html?url={line.url}")
            await expect(page.locator("#AAPL")).to_contain_text("AAPL ")
            told = page.locator("#orders")
            await page.click("#buy")
            await expect(told).to_have_text(re.compile(r"^ord_\d+ PENDING\n$"), use_inner_text=True)
            first = (await told.inner_text()).split()[0]
            assert (await user("GET", f"/orders/{first}")).data["price"] == 200

            line.cut()
            await line.refused.wait()
            missed = (await user.place("BUY", "1", "199.00")).data["order_id"]
            assert (await user("DELETE", f"/orders/{first}")).status == 200
            line.is_cut = False
            story = f"{first} PENDING\n{missed} PENDING\n{first} CANCELLED\n"
            await expect(told).to_have_text(story, use_inner_text=True)
            await page.click("#buy")
            after = re.compile(f"^{story}" + r"ord_\d+ PENDING\n$")
            await expect(told).to_have_text(after, use_inner_text=True)
        assert faults == []
