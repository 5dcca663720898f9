"""Attacks on the gates' wire: whatever is sent, no gate opens, the server is unharmed, and each try is in the log once.

A try is a connection (or, for hostile tags, a scan of one that is honest otherwise). Kinds take turns, a chunk of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from msgspec.structs import replace

from config.loading import load_settings
from engine.parking.kinds import Direction
from server.gate_client import GateClient, GateRefused, body_of
from server.gate_messages import Decision
from server.gate_protocol import LINE_MAX, Fault, mac_hex
from tests.handlers.authority import Authority
from tests.handlers.gate_yard import AT, TAG, GateYard, hasty, open_yard
from tests.torture.job import Job

TRIES_PER_CHUNK: Final = 500
WORKERS: Final = 10
TLS: Final = "TLS handshakes"
STRANGER: Final = "E2000000000000000000DEAD"
NONCE: Final = b"0123456789abcdef" * 2
HELLO: Final = b'{"type":"hello","gate_id":"gat_w0","nonce":"%b","firmware":"","protocol":1}\n' % NONCE
HOSTILE: Final = (
    "'; DROP TABLE tags; --",
    "' OR '1'='1",
    "E2801160'||(SELECT 1)||'",
    "\x00" * 12,
    "E28011600000\x00000000000001",
    "\u202eE28011600000000000000001",
    "\ud7ffE280",
    "E28011600000000000000001\n",
    "e28011600000000000000001",
    "../../etc/passwd",
    "{{7*7}}",
    "%s%s%s%n",
    "A" * 3_000,
    "",
)
_SUMMED: Final = re.compile(r"refused (\d+) more")


class Tries(logging.Handler):
    """How many tries the log tells of."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def emit(self, record: logging.LogRecord) -> None:
        summed = _SUMMED.match(record.getMessage())
        self.told += int(summed[1]) if summed else 1


class Attacker:
    """A yard under attack. Worker `w` is the gate `w…`; `honest` is another one, which must go on working."""

    def __init__(self, yard: GateYard, random: Random) -> None:
        self.yard = yard
        self.random = random

    async def said(self, data: bytes, *, end: bool = True) -> bytes:
        """All that is answered to somebody who sends this and waits for the end."""
        reader, writer = await asyncio.open_connection(*self.yard.address)
        writer.write(data)
        answered = b""
        try:
            while end and (piece := await reader.read(65_536)):
                answered += piece
        except ConnectionResetError:
            pass
        writer.close()
        return answered

    async def gate(self, worker: int) -> GateClient:
        """An honest session of a worker's gate, of which the attacker has the wire."""
        return await self.yard.connect(f"w{worker}")

    def line(self, gate: GateClient, *, tag: str = STRANGER, kind: str = "scan") -> bytes:
        """A right line of the session, as it would be sent."""
        members = {"tag": tag, "lane": 1, "at": AT} if kind == "scan" else {"lane": 1, "at": AT}
        body = body_of(kind, gate.next_n(), **members)
        return body + b',"mac":"' + mac_hex(gate.key, b"g2s" + body) + b'"}'

    async def refused(self, gate: GateClient, data: bytes) -> None:
        """Send this in the session; the connection must end."""
        assert gate.transport is not None
        gate.transport.write(data)
        await gate.closed

    # -- the kinds

    async def replay(self, worker: int) -> None:
        """A line of an earlier session, with its right code, in another one."""
        gate = await self.gate(worker)
        line = self.line(gate, tag=TAG)
        gate.close()
        await gate.closed
        await self.refused(await self.gate(worker), line + b"\n")

    async def reorder(self, worker: int) -> None:
        """A later line first: the earlier one is not taken any more."""
        gate = await self.gate(worker)
        earlier, later = self.line(gate, tag=TAG), self.line(gate)
        await self.refused(gate, later + b"\n" + earlier + b"\n")

    async def bit_flip(self, worker: int) -> None:
        """One bit of a line."""
        gate = await self.gate(worker)
        line = bytearray(self.line(gate, tag=TAG))
        line[self.random.randrange(len(line))] ^= 1 << self.random.randrange(8)
        await self.refused(gate, bytes(line) + b"\n")

    async def truncation(self, worker: int) -> None:
        """A line that ends too early."""
        gate = await self.gate(worker)
        line = self.line(gate, tag=TAG)
        await self.refused(gate, line[: self.random.randrange(len(line))] + b"\n")

    async def wrong_key(self, worker: int) -> None:
        """The secret of another gate, for a gate there is and for one there is not; or another session's key."""
        dice = self.random.randrange(3)
        if dice == 2:
            gate, other = await self.gate(worker), b"another session's key, 32 bytes."
            gate.key = other
            await self.refused(gate, self.line(gate, tag=TAG) + b"\n")
            return
        gate_id = f"gat_w{worker}" if dice else f"gat_{self.random.randrange(10**6)}"
        try:
            await GateClient.connect(self.yard.address, gate_id, self.yard.secret("honest"))
        except GateRefused:
            return
        raise AssertionError(f"{gate_id} is connected with another gate's secret")

    async def downgrade(self, worker: int) -> None:
        """Another version of the protocol, no proof, no code."""
        gate_id = b"gat_w%d" % worker
        hello = HELLO.replace(b"gat_w0", gate_id)
        scan = body_of("scan", 1, tag=TAG, lane=1, at=AT)
        tries = (
            *(
                hello.replace(b'"protocol":1', b'"protocol":%b' % each)
                for each in (b"0", b"2", b'"1"', b"-1")
            ),
            hello.replace(b',"protocol":1', b""),
            hello + b'{"type":"proof"}\n',
            hello + b'{"type":"proof","mac":""}\n',
            hello + scan + b"}\n",
            hello + scan + b',"mac":"' + b"0" * 64 + b'"}\n',
            scan + b"}\n",
        )
        answered = await self.said(self.random.choice(tries))
        assert b"welcome" not in answered, answered

    async def over_long(self, worker: int) -> None:
        """More than a line may have, before and after the handshake, with or without an end."""
        data = b"x" * self.random.randrange(LINE_MAX, 8 * LINE_MAX) + self.random.choice((b"", b"\n"))
        if self.random.random() < 0.5:
            assert await self.said(data) == b""
        else:
            await self.refused(await self.gate(worker), data)

    async def binary(self, worker: int) -> None:
        """Random bytes, before and after the handshake."""
        data = self.random.randbytes(self.random.randrange(1, 2_000)) + b"\n"
        if self.random.random() < 0.5:
            assert await self.said(data) == b""
        else:
            await self.refused(await self.gate(worker), data)

    async def hostile_tags(self, worker: int) -> None:
        """Tags that want to be something else, from a gate that passes them on: answered, and nothing opens."""
        gate = await self.gate(worker)
        for name in ("tag", "plate", "code"):
            n = gate.next_n()
            body = body_of("scan", n, lane=1, at=AT, **{name: self.random.choice(HOSTILE)})
            answer = await gate.ask(body, n)
            assert isinstance(answer, Decision)
            assert (answer.open, answer.reason) in ((False, "MALFORMED_TAG"), (False, "UNKNOWN_TAG"))
        await self.refused(gate, b"that is enough\n")

    async def slow_loris(self, worker: int) -> None:
        """A connection that never says enough."""
        data = HELLO[: self.random.randrange(len(HELLO) - 1)]
        assert await self.said(data) == b""

    async def flood(self, worker: int) -> None:
        """One connection of very many at once; it says nothing."""
        assert await self.said(b"") == b""

    async def tls_handshake(self, worker: int) -> None:
        """A handshake of TLS that is never done: nothing, noise, or a part of a right beginning."""
        hello = client_hello()
        noise = self.random.randbytes(self.random.randrange(1, 600))
        await self.said(self.random.choice((b"", noise, hello, hello[: self.random.randrange(len(hello))])))

    async def honest_works(self) -> None:
        """The honest gate connects, opens for a tag that may pass, and for no other."""
        gate = await self.yard.connect("honest")
        assert not (await gate.scan(STRANGER, AT)).open
        assert (await gate.scan(TAG, AT)).open
        await gate.report("not_passed", lane=1, at=AT)
        gate.close()
        await gate.closed


@cache
def client_hello() -> bytes:
    """What a client of TLS says first."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="gates.example").do_handshake()
    return outgoing.read()


KINDS: Final[dict[str, Callable[[Attacker, int], Awaitable[None]]]] = {
    "replay": Attacker.replay,
    "reorder": Attacker.reorder,
    "bit flip": Attacker.bit_flip,
    "truncation": Attacker.truncation,
    "wrong gate's key": Attacker.wrong_key,
    "downgraded protocol": Attacker.downgrade,
    "over-long lines": Attacker.over_long,
    "binary lines": Attacker.binary,
    "hostile tags": Attacker.hostile_tags,
    "slow-loris": Attacker.slow_loris,
    "connections": Attacker.flood,
    TLS: Attacker.tls_handshake,
}
AT_ONCE: Final = frozenset({"slow-loris", "connections", TLS})
"""Kinds whose tries of a chunk are all under way at the same time: they are about what they hold."""


async def attack(yard: GateYard, kind: str, tries: int, random: Random) -> None:
    """So many tries of a kind. Raises AssertionError when one had an effect, or is not in the log once."""
    attacker, handler, logger = Attacker(yard, random), Tries(), logging.getLogger("kerb.gates")
    hub = yard.hub
    hub.faults.flush()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    refused, opened = sum(hub.faults.counts.values()), hub.desk.opened
    run = KINDS[kind]
    try:
        if kind in AT_ONCE:
            await asyncio.gather(*(run(attacker, 0) for _ in range(tries)), attacker.honest_works())
        else:

            async def some(worker: int) -> None:
                for _ in range(worker, tries, WORKERS):
                    await run(attacker, worker)

            await asyncio.gather(*(some(worker) for worker in range(min(WORKERS, tries))))
            await attacker.honest_works()
        hub.faults.flush()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    refused = sum(hub.faults.counts.values()) - refused - hub.faults.counts[Fault.REPLACED]
    hub.faults.counts[Fault.REPLACED] = 0
    assert refused == tries, f"{kind}: {tries} tries, {refused} refused"
    assert handler.told == refused, f"{kind}: {refused} refused, {handler.told} in the log"
    assert hub.desk.opened - opened == 1, f"{kind}: {hub.desk.opened - opened - 1} scans were opened for"
    assert not yard.state.parking.lanes, f"{kind}: a lane waits for a vehicle"


@asynccontextmanager
async def attacked_yard(folder: Path, *, tls: bool = False) -> AsyncIterator[GateYard]:
    """A yard with a gate for each worker, an honest one, and room for few who say nothing; with TLS if asked for."""
    settings = load_settings("test", None, {}).settings.gate
    few = replace(hasty(settings), connections_max=64, connections_per_address_max=64)
    trusting = None
    if tls:
        authority = Authority(folder)
        server = authority.make("server")
        few = replace(few, tls_certificate=server, tls_key=server)
        trusting = ssl.create_default_context(cafile=authority.path)
    async with open_yard(folder, few) as yard:
        yard.tls = trusting
        for code in ("honest", *(f"w{worker}" for worker in range(WORKERS))):
            yard.add_gate(code, Direction.ENTRY)
        yield yard


async def gates(job: Job) -> None:
    """All kinds, in turns."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        async with attacked_yard(Path(folder)) as plain, attacked_yard(Path(other), tls=True) as secured:
            for numbers in job.chunks(TRIES_PER_CHUNK):
                kind = list(KINDS)[numbers.start // TRIES_PER_CHUNK % len(KINDS)]
                with job.round(numbers) as one:
                    await attack(secured if kind == TLS else plain, kind, len(numbers), one.random)
                    one.text = kind
                    one.seen[kind] += len(numbers)
