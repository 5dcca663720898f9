"""How fast quotes reach clients, and how many frames a second the hub writes compared with a bare loop of send.

    python -m bench.fan_out [CLIENTS]

`fan_out_latency`: clients × 10 symbols at 250 ms over the real endpoint, readers in another process, each symbol
ticking 50 times a second; the age of the quotes that arrive, from their tick to the reader.
`fan_out_frames`: one shared frame of about 1 KB to each of 4 000 sockets through the hub, against `socket.send`
of the same bytes in a bare loop on the same sockets; interleaved, five rounds, median.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, process_time
from types import SimpleNamespace
from typing import Any, Final, cast

import uvloop
from aiohttp import web

from config.loading import load_settings
from engine.commands import Envelope, FireTimer
from engine.events import InstrumentSet, Traded
from engine.kinds import PriceSource, Side, Source
from feeds.candles import CandleBook
from handlers.call import Call
from handlers.websocket import websocket
from server.candle_streams import CandleStreams
from server.clock import WallClock
from server.codec import Record
from server.fan_out import Hub
from server.listening_socket import BACKLOG, listening_socket
from server.market_view import MarketView
from server.rate_limits import RateLimits
from server.services import Services

SYMBOLS: Final = [f"SYM{number}" for number in range(10)]
TICKS_PER_S: Final = 50
SECONDS: Final = 10
ROUNDS: Final = 5
FRAME_CLIENTS: Final = 4_000
FRAME_SYMBOLS: Final = SYMBOLS


class Exchange:
    """A market that the benchmark ticks, and the hub that shows it."""

    def __init__(self) -> None:
        settings = load_settings("test", None, {}).settings
        self.market = MarketView()
        clock = WallClock()
        candles = CandleStreams(self.market, CandleBook(), clock.now_us)
        self.hub = Hub(self.market, settings.stream, {}, {}, clock, candles, lambda *_: None)
        self.seq = 0
        parts = SimpleNamespace(
            settings=settings,
            hub=self.hub,
            market=self.market,
            rate_limits=RateLimits(settings.limits),
            request_log=None,
        )
        self.services = cast(Services, parts)
        self.happens(
            *(
                InstrumentSet(
                    symbol, symbol, "USD", 1, 1, 1, 10**12, "always", PriceSource.OWN, 1_000, "standard"
                )
                for symbol in SYMBOLS
            )
        )

    def happens(self, *events: Any) -> None:
        """Make these events durable now."""
        self.seq += 1
        self.market.listener(
            [Record(self.seq, int(monotonic() * 1e6), Envelope(Source.FEED), FireTimer(0), events)]
        )

    def tick(self, symbol: str) -> None:
        """A trade at a price that says when: loop time in 1/10 000 s."""
        price_e4 = int(monotonic() * 10_000)
        self.happens(
            Traded(1, symbol, "USD", price_e4, 10**8, price_e4, Side.BUY, 1, 1, 0, 0, 0, 2, 2, 0, 0, 0)
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The real endpoint without what stands before it."""
        return await websocket(Call(self.services, request, "bench"))


@asynccontextmanager
async def readers(exchange: Exchange, clients: int, symbols: list[str]) -> AsyncIterator[Process]:
    """A server, and another process with so many subscribed clients."""
    app = web.Application()
    app.router.add_get("/api/v1/ws", exchange.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = listening_socket("127.0.0.1", 0, exchange.hub.settings)
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    process = await asyncio.create_subprocess_exec(
        *pinned(1),
        sys.executable,
        "-m",
        "bench.stream_readers",
        str(listener.getsockname()[1]),
        str(clients),
        ",".join(symbols),
        stdin=PIPE,
        stdout=PIPE,
        cwd=Path(__file__).parent.parent,
    )
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"ready", "the readers did not come up"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await runner.cleanup()


def pinned(core: int) -> tuple[str, ...]:
    """The command that keeps another on one core, where there are two."""
    return ("taskset", "-c", str(core)) if (os.cpu_count() or 1) > 1 else ()


async def ask(process: Process) -> list[float]:
    """What the readers saw since they were last asked: reads, bytes, p50, p99 and highest age in ms."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"stats\n")
    return [float(figure) for figure in (await process.stdout.readline()).split()]


def resident_mb() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def latency(clients: int) -> None:
    """Tick for some seconds and print the age of what arrived."""
    exchange = Exchange()
    before_mb = resident_mb()
    async with readers(exchange, clients, SYMBOLS) as process:
        gc.collect()
        gc.freeze()
        loop = asyncio.get_running_loop()
        figures: list[float] = []
        cpu = 0.0
        for phase_s in (2, SECONDS):  # the first is the warm-up
            cpu = process_time()
            start, ticks = loop.time(), 0
            await ask(process)
            while loop.time() - start < phase_s:
                exchange.tick(SYMBOLS[ticks % len(SYMBOLS)])
                ticks += 1
                await asyncio.sleep(max(0.0, start + ticks / (TICKS_PER_S * len(SYMBOLS)) - loop.time()))
            cpu = (process_time() - cpu) / (loop.time() - start)
            figures = await ask(process)
        reads, size, p50_ms, p99_ms, most_ms = figures
        print(
            f"bench name=fan_out_latency value={p99_ms:.1f} unit=ms_p99 must=100 aim=100 "
            f"met={'aim' if p99_ms < 100 else 'no'} clients={clients} symbols={len(SYMBOLS)} interval_ms=250 "
            f"p50_ms={p50_ms:.1f} max_ms={most_ms:.1f} frames_s={reads / SECONDS:.0f} mb_s={size / SECONDS / 1e6:.1f} "
            f"server_core={cpu:.2f} kb_per_client={(resident_mb() - before_mb) * 1024 / clients:.1f} "
            f"stuck={len(exchange.hub.care.stuck)}"
        )


async def frames() -> None:
    """Write one frame to every client, by the hub and by a bare loop, and print both rates."""
    exchange = Exchange()
    hub = exchange.hub
    async with readers(exchange, FRAME_CLIENTS, FRAME_SYMBOLS):
        await asyncio.sleep(1)
        assert hub._timer is not None
        hub._timer.cancel()  # the benchmark serves the cohorts itself
        sockets = [
            socket.socket(fileno=os.dup(outlet.transport.get_extra_info("socket").fileno()))
            for outlet in hub.outlets
        ]
        ours: list[float] = []
        bare: list[float] = []
        length = 0
        for _ in range(ROUNDS + 1):
            for symbol in FRAME_SYMBOLS:
                exchange.tick(symbol)
            cohorts = list(hub.wheel.cohorts.values())
            frame = cohorts[0].frame(exchange.market.changes - len(FRAME_SYMBOLS))
            length = len(frame)
            start = perf_counter()
            written = sum(hub.wheel.serve(cohort, cohort.outlets, 0.0, hub.care.stuck) for cohort in cohorts)
            ours.append(written / (perf_counter() - start))
            assert written == FRAME_CLIENTS, "some clients had not read the frame before"
            await asyncio.sleep(1)
            start = perf_counter()
            for client in sockets:
                client.send(frame)
            bare.append(FRAME_CLIENTS / (perf_counter() - start))
            await asyncio.sleep(1)
        for client in sockets:
            client.close()
    value, ceiling = median(ours[1:]), median(bare[1:])
    ratio = median(one / other for one, other in zip(ours[1:], bare[1:], strict=True))
    print(
        f"bench name=fan_out_frames value={value:.0f} unit=frames/s must=40000 aim=76000 "
        f"met={'aim' if value >= 76_000 else 'must' if value >= 40_000 else 'no'} frame_bytes={length} "
        f"clients={FRAME_CLIENTS} peer={ceiling:.0f} ratio={ratio:.3f}"
    )


def main() -> None:
    """Run both; the hub on core 0, the readers on core 1, where there are two."""
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {0})
    uvloop.install()
    asyncio.run(frames())
    asyncio.run(latency(clients))


if __name__ == "__main__":
    main()
