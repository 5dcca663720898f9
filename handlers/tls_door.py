"""The gates' port with TLS: the handshakes that are under way are bounded in number, as they are in time.

asyncio tells nobody of a connection before its handshake is done. So connections are accepted here, and each handshake is a
task that can be counted and ended: with one too many, of its address or in all, the oldest goes, as it does of connections that
have not proved themselves (server/gate_hub.py).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from server.gate_protocol import Fault
from server.listening_socket import BACKLOG

if TYPE_CHECKING:
    from server.gate_hub import GateHub

logger = logging.getLogger("kerb.gates")

PAUSE_S: Final = 0.5
"""After a connection that cannot be accepted (no file descriptors left) nothing is accepted for so long."""


class Handshake:
    """One that is under way. `evicted`: it was ended for another one, and that has been said."""

    __slots__ = ("address", "evicted", "socket")

    def __init__(self, accepted: socket.socket, address: str) -> None:
        self.socket = accepted
        self.address = address
        self.evicted = False

    def __repr__(self) -> str:
        return f"<Handshake {self.address} evicted={self.evicted}>"

    def evict(self) -> None:
        """End it: both sides see the end of the connection."""
        self.evicted = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # it is closed already
            return


class TlsDoor:
    """Accepts connections at a bound socket. `make` is what a connection gets whose handshake is done."""

    def __init__(
        self,
        bound: socket.socket,
        context: ssl.SSLContext,
        hub: GateHub,
        make: Callable[[], asyncio.Protocol],
    ) -> None:
        self._bound = bound
        self._context = context
        self._hub = hub
        self._make = make
        self._under_way: dict[Handshake, asyncio.Task[None]] = {}
        self._by_address: dict[str, dict[Handshake, None]] = {}  # the oldest first
        self._loop = asyncio.get_running_loop()
        self._waking: asyncio.TimerHandle | None = None
        self._loop.add_reader(bound, self._accept)

    def __repr__(self) -> str:
        return f"<TlsDoor under_way={len(self._under_way)}>"

    @property
    def under_way(self) -> int:
        """How many handshakes are not done."""
        return len(self._under_way)

    def close(self) -> None:
        """Accept nothing more, and end the handshakes that are under way."""
        self._loop.remove_reader(self._bound)
        if self._waking is not None:
            self._waking.cancel()
        for handshake in list(self._under_way):
            handshake.evict()
        self._bound.close()

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                accepted, peer = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.error("cannot accept a connection of a gate: %s", error)
                self._loop.remove_reader(self._bound)
                self._waking = self._loop.call_later(
                    PAUSE_S, self._loop.add_reader, self._bound, self._accept
                )
                return
            accepted.setblocking(False)
            self._begin(Handshake(accepted, str(peer[0])))

    def _begin(self, handshake: Handshake) -> None:
        settings = self._hub.settings
        held = self._by_address.setdefault(handshake.address, {})
        held[handshake] = None
        self._under_way[handshake] = self._loop.create_task(self._shake(handshake))
        if len(held) > settings.connections_per_address_max:
            self._evict(next(iter(held)))
        elif len(self._under_way) > settings.connections_max:
            self._evict(next(iter(self._under_way)))

    def _evict(self, handshake: Handshake) -> None:
        self._hub.faults.note(Fault.TOO_MANY_CONNECTIONS, handshake.address, "")
        self._forget(handshake)
        handshake.evict()

    def _forget(self, handshake: Handshake) -> None:
        if self._under_way.pop(handshake, None) is None:
            return
        held = self._by_address[handshake.address]
        del held[handshake]
        if not held:
            del self._by_address[handshake.address]

    async def _shake(self, handshake: Handshake) -> None:
        timeout_s = self._hub.settings.handshake_s
        try:
            await self._loop.connect_accepted_socket(
                self._make, handshake.socket, ssl=self._context, ssl_handshake_timeout=timeout_s
            )
        except OSError as error:  # of TLS, of the network, or its time is over
            if not handshake.evicted:
                late = isinstance(error, ConnectionAbortedError | TimeoutError)
                fault = Fault.HANDSHAKE_TIMEOUT if late else Fault.TLS_FAILED
                self._hub.faults.note(fault, handshake.address, "")
        finally:
            self._forget(handshake)
