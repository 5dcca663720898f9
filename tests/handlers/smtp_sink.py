"""An SMTP server that keeps what it is sent (RFC 5321, as much of it as smtplib speaks)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes
from email.message import Message


class SmtpSink:
    """`letters` are the messages that came, with the envelope's recipient as `X-To`. `refuse` answers the next ones so."""

    def __init__(self) -> None:
        self.letters: asyncio.Queue[Message] = asyncio.Queue()
        self.refuse: list[bytes] = []
        self.url = ""
        self.talks: dict[asyncio.Task[None], None] = {}

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to talk with a client."""
        self.talks[asyncio.create_task(self.talk(reader, writer))] = None

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it is gone."""
        try:
            await self.serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            if verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"MAIL" and self.refuse:
                writer.write(self.refuse.pop(0) + b"\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                letter = message_from_bytes((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                letter["X-To"] = recipient
                self.letters.put_nowait(letter)
                writer.write(b"250 kept\r\n")
            else:
                writer.write(b"250 ok\r\n")

    async def letter(self) -> tuple[str, str]:
        """Recipient and text of the next letter."""
        letter = await asyncio.wait_for(self.letters.get(), 10)
        payload = letter.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return str(letter["X-To"]), payload.decode()


@asynccontextmanager
async def smtp_sink() -> AsyncIterator[SmtpSink]:
    """A sink on a port of its own, until the block ends."""
    sink = SmtpSink()
    server = await asyncio.start_server(sink.accept, "127.0.0.1", 0)
    sink.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield sink
    finally:
        server.close()
        for talk in sink.talks:
            talk.cancel()
        await asyncio.gather(*sink.talks, return_exceptions=True)
