"""An RFID reader that speaks LLRP over TCP: what Kerb's adaptor is tested against. It does what it is told, and what a test has it do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from server.llrp_codec import (
    HEADER_BYTES,
    Kind,
    Message,
    MessageReader,
    Parameter,
    Status,
    TagReport,
    encode,
    parameters,
    status,
    tag_report,
    tlv,
)


class LlrpReader:
    """`asked` are the requests it got, `outputs` what its outputs were switched to, `connections` how many there were."""

    def __init__(self) -> None:
        self.attempt = 0
        self.refuses: Kind | None = None
        self.asked: list[Kind] = []
        self.acks: list[int] = []
        self.outputs: list[tuple[int, bool]] = []
        self.keepalive_ms = 0
        self.connections = 0
        self.port = 0
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.connections += 1
        self.asked.clear()
        self._writer = writer
        attempt = tlv(Parameter.CONNECTION_ATTEMPT_EVENT, self.attempt.to_bytes(2, "big"))
        stamp = tlv(128, bytes(8))
        event = tlv(Parameter.READER_EVENT_NOTIFICATION_DATA, stamp + attempt)
        self.send(Kind.READER_EVENT_NOTIFICATION, event)
        messages = MessageReader()
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                for message in messages.feed(data):
                    self._take(message)
        writer.close()

    def send(self, kind: int, body: bytes = b"", number: int = 0) -> None:
        """A message to the client."""
        self.send_bytes(encode(Message(kind, number, body)))

    def send_bytes(self, data: bytes) -> None:
        """Anything to the client."""
        assert self._writer is not None
        self._writer.write(data)

    def sees(self, *reports: TagReport) -> None:
        """A report of tags."""
        self.send(Kind.RO_ACCESS_REPORT, b"".join([tag_report(each) for each in reports]))

    def hang_up(self) -> None:
        """End the connection."""
        assert self._writer is not None
        self._writer.transport.abort()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    def _take(self, message: Message) -> None:
        kind = Kind(message.kind)
        self.asked.append(kind)
        if kind is Kind.KEEPALIVE_ACK:
            self.acks.append(message.number)
            return
        if kind is Kind.SET_READER_CONFIG:
            for parameter, content in parameters(message.body[1:]):
                if parameter == Parameter.GPO_WRITE_DATA:
                    self.outputs.append((int.from_bytes(content[:2], "big"), bool(content[2] & 0x80)))
                elif parameter == Parameter.KEEPALIVE_SPEC:
                    self.keepalive_ms = int.from_bytes(content[1:], "big")
        said = Status(100, "not here") if kind is self.refuses else Status(0)
        self.send(Kind[f"{kind.name}_RESPONSE"], status(said), message.number)


@asynccontextmanager
async def open_reader() -> AsyncIterator[LlrpReader]:
    """A reader at a free port of this machine, until the block ends."""
    device = LlrpReader()
    server = await asyncio.start_server(device.serve, "127.0.0.1", 0, limit=HEADER_BYTES << 12)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
