"""The TCP port of gate controllers: accepts connections, with TLS where configured, and hands their bytes to server/gate_link.py."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Final, cast

from config.loading import ConfigError
from config.settings import Mode
from handlers.tls_door import TlsDoor
from server.clock import WallClock
from server.gate_hub import GateHub
from server.gate_link import GateLink
from server.gate_secrets import GateSecrets
from server.listening_socket import BACKLOG
from server.secrets_file import load_or_create_secret
from server.start_faults import AddressInUse

if TYPE_CHECKING:
    from config.settings import GateSettings
    from server.metrics import Metrics
    from server.services import Services

WRITE_MAX_BYTES: Final = 65_536
"""Unsent bytes of a gate above which nothing more is read from it. An allow-list fits."""


DRAIN_S: Final = 2.0


class GateConnection(asyncio.Protocol):
    """What asyncio calls; all that matters is in the link."""

    __slots__ = ("_hub", "_link")

    def __init__(self, hub: GateHub) -> None:
        self._hub = hub
        self._link: GateLink | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection was accepted; with TLS, its handshake is done."""
        way = cast(asyncio.Transport, transport)
        way.set_write_buffer_limits(high=WRITE_MAX_BYTES)
        peer = way.get_extra_info("peername")
        certified = None
        if self._hub.settings.tls_client_ca is not None:
            certified = common_name(way.get_extra_info("peercert") or {})
        self._link = GateLink(self._hub, way, peer[0] if peer else "", certified)
        self._hub.admit(self._link)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        assert self._link is not None
        self._link.receive(data)

    def pause_writing(self) -> None:
        """The other side does not read."""
        assert self._link is not None
        self._link.writing_paused(True)

    def resume_writing(self) -> None:
        """It reads again."""
        assert self._link is not None
        self._link.writing_paused(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        assert self._link is not None
        self._link.lost()


def common_name(certificate: dict[str, object]) -> str:
    """The common name of a peer's certificate, as `SSLSocket.getpeercert` gives it; '' when there is none."""
    names = cast(tuple[tuple[tuple[str, str], ...], ...], certificate.get("subject", ()))
    return next((value for name in names for key, value in name if key == "commonName"), "")


def tls_context(settings: GateSettings) -> ssl.SSLContext | None:
    """TLS 1.3 with the configured certificate; None where none is configured. Raises ConfigError."""
    if settings.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_client_ca is not None:
            context.load_verify_locations(settings.tls_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise ConfigError([f"gate.tls_certificate, gate.tls_key, gate.tls_client_ca: {error}"]) from error
    return context


class GateListener:
    """The open port. `port` is the one that was bound, `server` what accepts there."""

    def __init__(self, server: asyncio.Server | TlsDoor, port: int, hub: GateHub) -> None:
        self.server = server
        self._hub = hub
        self.port = port

    def __repr__(self) -> str:
        return f"<GateListener port={self.port} {self._hub!r}>"

    def tick(self) -> None:
        """Ten times a second."""
        self._hub.tick()

    async def stop(self) -> None:
        """Accept nothing more, answer what was taken, close."""
        self.server.close()
        await self._hub.shutdown(DRAIN_S)


async def open_gates(services: Services) -> GateListener:
    """Make the hub and open the port, of `services.settings.gate`; a demo takes another port where it is taken.

    Raises what `listen` does, and SecretUnusable.
    """
    settings = services.settings
    master = settings.gate.master_secret or load_or_create_secret(
        settings.data_dir / "gate_secret", without_it="every gate needs a new secret"
    )
    hub = services.gates = GateHub(services.runtime, GateSecrets(master), settings.gate, WallClock())
    hub.note_restart()
    listener = await listen(hub, settings.gate, or_any_port=settings.mode is Mode.DEMO)
    services.gate_port = listener.port
    watch(services.metrics, hub)
    return listener


def watch(metrics: Metrics, hub: GateHub) -> None:
    """Make the figures of gates. Call once."""
    faults, desk = hub.faults, hub.desk
    metrics.gauge("kerb_gates_connected", "Gates that have proved themselves.", lambda: len(hub.links))
    metrics.gauge("kerb_gates_unproven", "Connections that have not.", lambda: hub.unproven)
    metrics.gauge_by("kerb_gate_faults", "Gates' connections ended.", "fault", faults.by_name)
    metrics.counter("kerb_gate_opened", "Scans that a gate opens for.", lambda: desk.opened)
    metrics.counter("kerb_gate_refused", "Scans that no gate opens for.", lambda: desk.refused)
    plates = hub.plates
    metrics.counter("kerb_camera_readings", "Readings of plates that were proved.", lambda: plates.readings)
    metrics.counter("kerb_camera_forged", "Readings that were not.", lambda: plates.forged)
    metrics.durations("kerb_gate_decision_seconds", "From a scan to its answer.", desk.decisions)


async def listen(hub: GateHub, settings: GateSettings, *, or_any_port: bool = False) -> GateListener:
    """Open the port; where it is taken, any free one if `or_any_port`. Raises AddressInUse, OSError or ConfigError."""
    context = tls_context(settings)
    try:
        bound = _bind(settings.host, settings.port)
    except OSError as error:
        if not or_any_port:
            raise AddressInUse(
                f"gate.host and gate.port: cannot listen on {settings.host}:{settings.port}: {error}"
            ) from error
        bound = _bind(settings.host, 0)
    port = bound.getsockname()[1]
    if context is not None:
        return GateListener(TlsDoor(bound, context, hub, lambda: GateConnection(hub)), port, hub)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: GateConnection(hub), sock=bound, backlog=BACKLOG)
    return GateListener(server, port, hub)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
