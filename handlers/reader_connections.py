"""Connections to RFID readers: Kerb is the client, connects, and connects again after a pause that grows (server/llrp_link.py)."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final, cast

from server.llrp_codec import LlrpFault
from server.llrp_gate import ReaderGate
from server.llrp_link import LlrpLink

if TYPE_CHECKING:
    from config.reader_settings import ReaderSettings
    from server.gate_hub import GateHub
    from server.runtime import Runtime
    from server.services import Services

logger = logging.getLogger("kerb.gates")

CONNECT_S: Final = 5.0
PAUSE_MIN_S: Final = 1.0
PAUSE_MAX_S: Final = 30.0


class ReaderConnection(asyncio.Protocol):
    """What asyncio calls; all that matters is in the link. `ended` is done when the connection is."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.link: LlrpLink | None = None
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The reader's port is open."""
        reader = self._reader
        self.link = LlrpLink(cast(asyncio.Transport, transport), reader.gate, reader.hub.now_s, reader.note)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        assert self.link is not None
        self.link.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        assert self.link is not None
        self.link.end(LlrpFault.CLOSED)
        if not self.ended.done():
            self.ended.set_result(None)


class Reader:
    """One reader, connected or not. Each fault is counted, and logged when it is another than the one before."""

    def __init__(
        self, gate: ReaderGate, hub: GateHub, faults: dict[LlrpFault, int], pause_s: float = PAUSE_MIN_S
    ) -> None:
        self.gate = gate
        self.hub = hub
        self._faults = faults
        self._pause_s = pause_s
        self._said: LlrpFault | None = None
        self._connection: ReaderConnection | None = None

    def __repr__(self) -> str:
        return f"<Reader {self.gate.settings.host}:{self.gate.settings.port} ready={self.is_ready}>"

    @property
    def is_ready(self) -> bool:
        """Whether it looks for tags."""
        return self._link is not None and self._link.is_ready

    @property
    def _link(self) -> LlrpLink | None:
        return self._connection.link if self._connection is not None else None

    def note(self, fault: LlrpFault, detail: str) -> None:
        """A connection ended, or there was none."""
        self._faults[fault] += 1
        if fault is not self._said:
            self._said = fault
            settings = self.gate.settings
            where = (settings.host, settings.port, settings.gate)
            logger.warning("reader %s:%d of %s: %s %s", *where, fault.value, detail)

    def tick(self) -> None:
        """Ten times a second."""
        self.gate.tick()
        if self._link is not None:
            self._link.tick()

    def close(self) -> None:
        """Say goodbye to the reader."""
        if self._link is not None:
            self._link.close()

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        pause_s = self._pause_s
        while True:
            if await self._connect_once():
                pause_s, self._said = self._pause_s, None
            await asyncio.sleep(pause_s * random.uniform(0.75, 1.25))
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def _connect_once(self) -> bool:
        """One connection from its begin to its end; whether the reader did what it was told meanwhile."""
        settings = self.gate.settings
        try:
            async with asyncio.timeout(CONNECT_S):
                _, self._connection = await asyncio.get_running_loop().create_connection(
                    lambda: ReaderConnection(self), settings.host, settings.port
                )
        except OSError as error:  # TimeoutError is one
            self.note(LlrpFault.UNREACHABLE, error.strerror or "")
            return False
        connection = self._connection
        try:
            await connection.ended
        finally:
            self._connection = None
        assert connection.link is not None
        return connection.link.is_ready


class Readers:
    """All readers of the settings. `faults` counts why connections ended."""

    def __init__(
        self,
        runtime: Runtime,
        hub: GateHub,
        settings: tuple[ReaderSettings, ...],
        pause_s: float = PAUSE_MIN_S,
    ) -> None:
        self.faults = dict.fromkeys(LlrpFault, 0)
        self.readers = [
            Reader(ReaderGate(runtime, hub, each), hub, self.faults, pause_s) for each in settings
        ]
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(reader.run()) for reader in self.readers]

    def __repr__(self) -> str:
        return f"<Readers {self.readers}>"

    @property
    def ready(self) -> int:
        """How many look for tags."""
        return sum(reader.is_ready for reader in self.readers)

    def tick(self) -> None:
        """Ten times a second."""
        for reader in self.readers:
            reader.tick()

    async def stop(self) -> None:
        """Close every connection, and connect no more."""
        for reader in self.readers:
            reader.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def open_readers(services: Services) -> Readers:
    """Begin to connect to the readers of `gate.readers`. The gates' port has to be open."""
    hub = services.gates
    assert hub is not None, "the port of gates is not open"
    readers = Readers(services.runtime, hub, services.settings.gate.readers)
    if readers.readers:
        services.metrics.gauge(
            "kerb_readers_ready", "RFID readers that look for tags.", lambda: readers.ready
        )
        services.metrics.gauge_by(
            "kerb_reader_faults",
            "Connections to readers that ended.",
            "fault",
            lambda: {fault.value: count for fault, count in readers.faults.items()},
        )
    return readers
