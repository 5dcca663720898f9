"""The gates' port with TLS: a gate shows a certificate in its own name, and proves itself all the same."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.loading import ConfigError
from config.settings import Settings
from handlers.gate_listener import tls_context
from handlers.tls_door import TlsDoor
from server.gate_client import GateClient, GateRefused
from server.gate_protocol import Fault
from tests.handlers.authority import Authority
from tests.handlers.gate_yard import AT, TAG, hasty, open_yard


async def test_a_gate_shows_a_certificate_in_its_own_name(tmp_path: Path, settings: Settings) -> None:
    authority = Authority(tmp_path)
    server, gate, other = (authority.make(name) for name in ("server", "gat_in", "gat_out"))
    secured = replace(settings.gate, tls_certificate=server, tls_key=server, tls_client_ca=authority.path)

    def with_certificate(path: Path | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=authority.path)
        if path is not None:
            context.load_cert_chain(path)
        return context

    async with open_yard(tmp_path, secured) as yard:
        secret = yard.secret("in")
        connected = await GateClient.connect(yard.address, "gat_in", secret, tls=with_certificate(gate))
        assert (await connected.scan(TAG, AT)).open
        with pytest.raises(GateRefused):
            await GateClient.connect(yard.address, "gat_in", secret, tls=with_certificate(other))
        assert yard.hub.faults.counts[Fault.WRONG_CERTIFICATE] == 1
        with pytest.raises((GateRefused, OSError)):
            await GateClient.connect(yard.address, "gat_in", secret, tls=with_certificate(None))
        with pytest.raises((GateRefused, OSError)):
            async with asyncio.timeout(10):
                await GateClient.connect(yard.address, "gat_in", secret)
        assert list(yard.hub.links) == ["in"]


async def test_handshakes_of_tls_are_bounded_in_number_and_in_time_and_a_gate_is_served_all_the_same(
    tmp_path: Path, settings: Settings
) -> None:
    authority = Authority(tmp_path)
    server = authority.make("server")
    few = replace(hasty(settings.gate), connections_max=20, connections_per_address_max=16)
    secured = replace(few, tls_certificate=server, tls_key=server)
    async with open_yard(tmp_path, secured) as yard:
        door = yard.listener.server
        assert isinstance(door, TlsDoor)
        silent = [await asyncio.open_connection(*yard.address) for _ in range(40)]
        faults = yard.hub.faults.counts
        await yard.until_refused(Fault.TOO_MANY_CONNECTIONS, 24)
        assert door.under_way == 16
        for reader, _ in silent[:24]:
            assert await reader.read() == b""
        silent[-1][1].write(b"GET / HTTP/1.1\r\n\r\n")
        await yard.until_refused(Fault.TLS_FAILED)
        tls = ssl.create_default_context(cafile=authority.path)
        gate = await GateClient.connect(yard.address, "gat_in", yard.secret("in"), tls=tls)
        assert (await gate.scan(TAG, AT)).open
        await yard.until_refused(Fault.HANDSHAKE_TIMEOUT, 15)
        assert door.under_way == 0
        assert sum(faults.values()) == 40
        for _, writer in silent:
            writer.close()


def test_a_certificate_that_cannot_be_read_is_a_mistake_of_config(tmp_path: Path, settings: Settings) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(ConfigError):
        tls_context(replace(settings.gate, tls_certificate=missing, tls_key=missing))
    assert tls_context(settings.gate) is None
