"""Many WebSocket clients in one process, on bare protocols: they subscribe, read, and sample how old quotes are.

    python -m bench.stream_readers PORT CLIENTS SYMBOL,SYMBOL…

A quote's price is the loop time of its tick in 1/10 000 s, so its age on arrival is a subtraction (both
processes read the same monotonic clock). Prints what is asked for on standard input: `stats` gives
`frames bytes p50_ms p99_ms max_ms` since the last time, `quit` ends.
"""

from __future__ import annotations

import asyncio
import re
import sys
from functools import partial
from time import monotonic
from typing import Final, cast

import msgspec
import uvloop

SAMPLE_EVERY: Final = 16
CONNECTING_MAX: Final = 200
MASK: Final = b"\x00\x00\x00\x00"
_PRICE = re.compile(rb'"price":([0-9.]+)')
_HANDSHAKE: Final = (
    b"GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def masked(payload: bytes) -> bytes:
    """A text frame as a client sends it; a mask of zeros leaves the payload as it is."""
    if len(payload) < 126:
        return bytes((0x81, 0x80 | len(payload))) + MASK + payload
    return bytes((0x81, 0xFE)) + len(payload).to_bytes(2, "big") + MASK + payload


class Tally:
    """What all readers of this process saw since it was last asked for."""

    def __init__(self) -> None:
        self.reads = 0
        self.size = 0
        self.ages_ms: list[float] = []

    def line(self) -> str:
        """The figures, and a new start."""
        ages = sorted(self.ages_ms)
        p50, p99, most = (
            (ages[len(ages) // 2], ages[len(ages) * 99 // 100], ages[-1]) if ages else (0.0, 0.0, 0.0)
        )
        text = f"{self.reads} {self.size} {p50:.3f} {p99:.3f} {most:.3f}"
        self.reads, self.size, self.ages_ms = 0, 0, []
        return text


class Reader(asyncio.Protocol):
    """One client. A read is one frame, or the end of one; the youngest quotes of every 16th are looked at."""

    __slots__ = ("_ready", "_subscribe", "_tally", "_transport")

    def __init__(self, subscribe: bytes, tally: Tally, ready: asyncio.Future[None]) -> None:
        self._subscribe = subscribe
        self._tally = tally
        self._ready = ready

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = cast(
            asyncio.Transport, transport
        )  # uvloop's is no subclass of it
        self._transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if not self._ready.done():
            if data.startswith(b"HTTP/1.1 101"):
                self._transport.write(self._subscribe)
            if b'"subscribed"' in data:
                self._ready.set_result(None)
            return
        tally = self._tally
        tally.reads += 1
        tally.size += len(data)
        if tally.reads % SAMPLE_EVERY == 0:
            now = monotonic()
            for price in _PRICE.findall(data):
                tally.ages_ms.append((now - float(price)) * 1_000)


async def main(port: int, clients: int, symbols: list[str]) -> None:
    """Connect all, say `ready`, and answer questions."""
    loop = asyncio.get_running_loop()
    subscribe = masked(
        msgspec.json.encode(
            {"action": "subscribe", "channels": ["quotes"], "symbols": symbols, "interval_ms": 250}
        )
    )
    tally = Tally()
    for start in range(0, clients, CONNECTING_MAX):
        ready = [loop.create_future() for _ in range(start, min(start + CONNECTING_MAX, clients))]
        connecting = [
            loop.create_connection(partial(Reader, subscribe, tally, future), "127.0.0.1", port)
            for future in ready
        ]
        await asyncio.gather(*connecting, *ready)
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while (await reader.readline()).strip() == b"stats":
        print(tally.line(), flush=True)


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")))
