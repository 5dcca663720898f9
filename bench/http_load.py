"""A process that sends prepared HTTP requests over many connections and tells what came back. Run by bench/order_load.py.

    python -m bench.http_load

Each line on stdin is a job (`Job` as JSON), each line on stdout what came of it (`Outcome` as JSON). Requests are
prepared bytes, so that this process costs a fraction of the server's time: it is a load, not a client.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from asyncio import Transport
from collections import deque
from itertools import chain, count
from pathlib import Path
from time import monotonic
from typing import Final, cast

import msgspec
import uvloop
from msgspec import Struct

from bench.figures import percentile

KEY_MARK: Final = b"{key}"
"""Replaced by a new number each time the request is sent: an idempotency key is used once."""

_TURN_S: Final = 0.001


class Job(Struct):
    """Send the requests in `file` (a JSON list of texts) round and round to a port on this machine.

    `rate` requests a second: each millisecond those that are due then, and latency counts from there, also for one
    that has to wait for a connection; 0: each connection sends its next request as soon as the last one is answered. Nothing is counted in the first `warm_s`. `count` > 0 ends the job
    after so many answers instead.
    """

    port: int
    file: str
    connections: int
    seconds: float
    warm_s: float = 0.5
    rate: float = 0.0
    count: int = 0
    core: int = -1


class Outcome(Struct):
    """What came back: how many by status (as text), over how long, and the latency of all in milliseconds."""

    statuses: dict[str, int]
    seconds: float
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    answered: int = 0
    """All answers, also those of the warm-up."""
    unlike: str = ""
    """The first answer that was not a success."""
    late_ms: float = 0.0
    """How long this process once had no turn: then it sends what was due all at once, and the latencies are its own."""
    by_status: dict[str, tuple[float, float, float]] = {}
    """Latency of each status in milliseconds: p50, p99 and the longest."""


class Load:
    """One job under way."""

    def __init__(self, job: Job, requests: list[bytes], keys: count[int]) -> None:
        self.job = job
        self.loop = asyncio.get_running_loop()
        self.done = self.loop.create_future()
        self.statuses: dict[bytes, int] = {}
        self.latencies_s: dict[bytes, list[float]] = {}
        self.unlike = b""
        self.idle: deque[Sender] = (
            deque()
        )  # used in turn, so that none is idle for so long that the server closes it
        self.waiting: deque[float] = deque()
        self.sending = True
        self.counting = job.warm_s == 0
        self.answers = 0
        self.late_s = 0.0
        self._seen_s = 0.0
        self._requests = requests
        self._keys = keys
        self._next = 0

    def request(self) -> bytes:
        """The next request's bytes."""
        request = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        if KEY_MARK in request:
            request = request.replace(KEY_MARK, b"%d" % next(self._keys))
        return request

    def answered(self, sender: Sender, status: bytes, latency_s: float, data: bytes) -> None:
        """An answer is complete; send what is next on its connection."""
        if self.counting:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.latencies_s.setdefault(status, []).append(latency_s)
        if status[:1] != b"2" and not self.unlike:
            self.unlike = data[:600]
        self.answers += 1
        if self.job.count and self.answers >= self.job.count:
            self.sending = False
            if not self.done.done():
                self.done.set_result(None)
        if not self.sending:
            return
        if not self.job.rate:
            sender.send(monotonic())
        elif self.waiting:
            sender.send(self.waiting.popleft())
        else:
            self.idle.append(sender)

    def begin(self, senders: list[Sender]) -> None:
        """Let every connection send, or send by the clock."""
        self.started_s = monotonic()
        if self.job.rate:
            self.idle = deque(senders)
            self._tick(0)
        else:
            for sender in senders[: self.job.count or None]:
                sender.send(monotonic())

    def _tick(self, due: int) -> None:
        if not self.sending:
            return
        now_s = monotonic()
        if self.counting and self._seen_s:
            self.late_s = max(self.late_s, now_s - self._seen_s)
        self._seen_s = now_s
        target = int((now_s - self.started_s) * self.job.rate)
        for _ in range(due, target):
            if self.idle:
                self.idle.popleft().send(now_s)
            else:
                self.waiting.append(now_s)
        self.loop.call_later(_TURN_S, self._tick, max(due, target))


class Sender(asyncio.Protocol):
    """One connection: one request in flight."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._length = 0
        self._started_s = 0.0
        self._transport: Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(Transport, transport)  # uvloop's own is not registered as one

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._load.done.done() and self._load.sending:
            self._load.done.set_exception(ConnectionError(f"the server has closed a connection: {exc}"))

    def close(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()

    def send(self, at_s: float) -> None:
        """Send the next request; it was due at `at_s`."""
        assert self._transport is not None
        self._started_s = at_s
        self._transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        if not self._length:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._received = data
                return
            at = data.index(b"Content-Length: ") + 16
            self._length = end + 4 + int(data[at : data.index(b"\r", at)])
        if len(data) < self._length:
            self._received = data
            return
        self._received = b""
        self._length = 0
        load = self._load
        load.answered(self, data[9:12], monotonic() - self._started_s, data)


async def run(job: Job, requests: list[bytes], keys: count[int]) -> Outcome:
    """Carry a job out."""
    load = Load(job, requests, keys)
    senders = [
        (await load.loop.create_connection(lambda: Sender(load), "127.0.0.1", job.port))[1]
        for _ in range(job.connections)
    ]
    load.begin(senders)
    if job.warm_s:
        await asyncio.wait({load.done}, timeout=job.warm_s)
        load.counting = True
    begun_s = monotonic()
    await asyncio.wait({load.done}, timeout=job.seconds)
    seconds = monotonic() - begun_s
    load.sending = load.counting = False
    if load.done.done():
        load.done.result()
    await asyncio.sleep(0.3)  # what is in flight comes back before its connection closes
    for sender in senders:
        sender.close()
    ordered = sorted(chain.from_iterable(load.latencies_s.values())) or [0.0]
    return Outcome(
        {status.decode(): number for status, number in load.statuses.items()},
        seconds,
        sum(load.statuses.values()) / seconds,
        *_latency_ms(ordered),
        load.answers,
        load.unlike.decode(errors="replace"),
        load.late_s * 1e3,
        {status.decode(): _latency_ms(sorted(each)) for status, each in load.latencies_s.items()},
    )


def _latency_ms(ordered: list[float]) -> tuple[float, float, float]:
    """p50, p99 and the longest of latencies in seconds."""
    return percentile(ordered, 0.5) * 1e3, percentile(ordered, 0.99) * 1e3, ordered[-1] * 1e3


def main() -> None:
    """Jobs from stdin until its end."""
    decode, encode = msgspec.json.Decoder(Job).decode, msgspec.json.encode
    files: dict[str, list[bytes]] = {}
    keys = count(1)
    gc.freeze()
    gc.disable()  # a collection would be somebody's latency
    for line in sys.stdin.buffer:
        job = decode(line)
        if job.core >= 0:
            os.sched_setaffinity(0, {job.core})
        if job.file not in files:
            texts = msgspec.json.decode(Path(job.file).read_bytes(), type=list[str])
            files[job.file] = [text.encode() for text in texts]
        outcome = uvloop.run(run(job, files[job.file], keys))
        sys.stdout.buffer.write(encode(outcome) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
