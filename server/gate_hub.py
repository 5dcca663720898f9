"""All connections of gates: who may connect, who is connected, what they are sent unasked, and what time does to them.

No connection has a timer of its own: the lifecycle's tick serves all. A connection that has not proved itself costs a
little memory and a place; when the places run out, the oldest of these goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.camera_commands import ReadPlate
from engine.parking.commands import BlockPlate, BlockTag, RemoveVehicle, RevokeTag
from engine.parking.gate_commands import NoteGateLink, OperateGate, RenewGateKey
from engine.parking.gate_events import GateKeyRenewed, GateOperated
from engine.parking.gate_kinds import GateOrder
from engine.parking.gate_records import GateState
from server.booking_codes import BookingCodes
from server.clock import WallClock
from server.errors import KerbError
from server.gate_desk import GateDesk
from server.gate_faults import GateFaults
from server.gate_link import GateLink
from server.gate_lists import AllowLists
from server.gate_messages import GateCommand
from server.gate_protocol import Fault
from server.plate_desk import PlateDesk

if TYPE_CHECKING:
    from config.settings import GateSettings
    from server.clock import Stopwatch
    from server.codec import Record
    from server.gate_secrets import GateSecrets
    from server.runtime import Runtime

logger = logging.getLogger("kerb.gates")

PREFIX: Final = "gat_"
LOT_PREFIX: Final = "lot_"
SILENT_HEARTBEATS: Final = 3
LISTS_A_TICK: Final = 16
"""Allow-lists that are sent in one turn of the loop at most."""

REVOKES: Final = (RevokeTag, RemoveVehicle, BlockTag, BlockPlate)
"""Commands after which lists are sent anew: somebody may no longer pass."""

NOTABLE: Final = (OperateGate, RenewGateKey, ReadPlate, *REVOKES)
_NOTABLE: Final = frozenset(NOTABLE)

ORDERS: Final = {
    GateOrder.OPEN: "OPEN",
    GateOrder.LOCK: "LOCK",
    GateOrder.UNLOCK: "SYNC",
    GateOrder.SYNC: "SYNC",
}
"""An operator's order → `do` of the command that the gate gets."""


RESTARTED: Final = "RESTART"
"""Why gates that were connected when the server stopped are not any more."""

_ENVELOPE: Final = Envelope(Source.GATE)


class Standing(Struct, frozen=True):
    """What a gate is told when it is welcome; `gate` is its key in the engine."""

    gate: str
    lot_id: str
    direction: str
    n: int
    locked: bool


class GateHub:
    """The gates' connections; one a process. `now_s` is the loop's time, for what lasts."""

    def __init__(
        self, runtime: Runtime, secrets: GateSecrets, settings: GateSettings, watch: Stopwatch
    ) -> None:
        self.settings = settings
        self.faults = GateFaults(watch)
        self.codes = BookingCodes(secrets.booking_key())
        self.desk = GateDesk(runtime, watch, self.codes)
        self.plates = PlateDesk(runtime, self, WallClock())
        self.links: dict[str, GateLink] = {}
        self.lists = AllowLists(runtime.state, settings.allow_list_ttl_s)
        self.secrets = secrets
        self.on_open: dict[str, Callable[[], None]] = {}
        """What opens a gate that has no connection of its own: the output of an RFID reader that is connected."""
        self._runtime = runtime
        self._watch = watch
        self._unproven: dict[GateLink, None] = {}
        self._by_address: dict[str, dict[GateLink, None]] = {}  # of the unproven, the oldest first
        self._lists_due: dict[GateLink, None] = {}
        self._swept_s = 0.0
        self._is_closing = False
        self._all_gone: asyncio.Event | None = None
        runtime.add_listener(self._listener)

    def __repr__(self) -> str:
        return f"<GateHub gates={len(self.links)} unproven={len(self._unproven)}>"

    @property
    def unproven(self) -> int:
        """Connections that have not proved who they are."""
        return len(self._unproven)

    def now_s(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        return self._watch.elapsed_us() / 1_000_000

    def now_us(self) -> int:
        """The market clock: what stamps decisions."""
        return self._runtime.now_us()

    # -- what a link asks

    def secret_of(self, gate: str) -> bytes:
        """A gate's secret; for one that cannot connect something that nobody knows."""
        code = gate.removeprefix(PREFIX)
        state = self._state_of(code)
        return self.secrets.secret(code, 0 if state is None else state.key_version)

    def knows(self, gate: str) -> bool:
        """Whether there is such a gate, for the log: the other side is never told."""
        return self._state_of(gate.removeprefix(PREFIX)) is not None

    def standing_of(self, gate: str) -> Standing:
        """What to tell a gate that has proved itself."""
        code = gate.removeprefix(PREFIX)
        record, state = self._runtime.state.parking.gates[code], self._state_of(code)
        assert state is not None
        return Standing(code, LOT_PREFIX + record.lot, record.direction.name, state.n, state.locked)

    def can_open(self, gate: str) -> bool:
        """Whether a gate would hear an OPEN now."""
        return gate in self.links or gate in self.on_open

    def when_durable(self, then: Callable[[], None]) -> None:
        """Call it when everything that is known now is durable; not at all when it never will be."""

        def settled(failure: Exception | None) -> None:
            if failure is None:
                then()

        self._runtime.call_when_durable(self._runtime.state.seq, settled)

    def admit(self, link: GateLink) -> None:
        """A connection was opened. With one too many that has not proved itself, of its address or in all, the oldest of
        them ends: an honest gate needs its place for some milliseconds, whoever crowds the others.
        """
        held = self._by_address.setdefault(link.address, {})
        self._unproven[link] = held[link] = None
        if self._is_closing:
            link.close_when_answered()
        elif len(held) > self.settings.connections_per_address_max:
            self._evict(next(iter(held)), Fault.TOO_MANY_CONNECTIONS)
        elif len(self._unproven) > self.settings.connections_max:
            self._evict(next(iter(self._unproven)), Fault.TOO_MANY_CONNECTIONS)

    def proved(self, link: GateLink) -> None:
        """A connection has proved which gate it is. An older one of the same gate ends."""
        self._release(link)
        older = self.links.get(link.gate)
        self.links[link.gate] = link
        self.note_link(link.gate, True, "" if older is None else Fault.REPLACED.value)
        if older is not None:
            older.end(Fault.REPLACED)
        self._lists_due[link] = None

    def forget(self, link: GateLink) -> None:
        """A connection is gone."""
        self._release(link)
        self._lists_due.pop(link, None)
        if self.links.get(link.gate) is link:
            del self.links[link.gate]
            self.note_link(link.gate, False, link.ended_for)
        if self._all_gone is not None and not self.links and not self._unproven:
            self._all_gone.set()

    def note_link(self, gate: str, connected: bool, why: str) -> None:
        """Have it in the journal that a gate is connected or cut off, in a turn of the loop of its own: whoever says so may be
        in the middle of what the journal has made durable. A server that stops says it when it starts again.
        """

        def note() -> None:
            try:
                self._runtime.submit(NoteGateLink(gate, connected, why), _ENVELOPE)
            except KerbError as error:
                logger.info("not noted of %s%s, connected=%s: %s", PREFIX, gate, connected, error)

        if not self._is_closing:
            asyncio.get_running_loop().call_soon(note)

    def note_restart(self) -> None:
        """Have it in the journal that the gates which were connected when the server ended are cut off. Call once, at the start."""
        states = self._runtime.state.parking.gate_states
        for code in sorted(states):
            if states[code].connected:
                self.note_link(code, False, RESTARTED)

    def _evict(self, link: GateLink, fault: Fault) -> None:
        link.end(fault)
        self._release(link)

    def _release(self, link: GateLink) -> None:
        if link not in self._unproven:
            return
        del self._unproven[link]
        held = self._by_address[link.address]
        del held[link]
        if not held:
            del self._by_address[link.address]

    # -- what time does

    def tick(self) -> None:
        """Ten times a second: late handshakes, silent gates, gates that do not read, lists that are due."""
        now_s = self.now_s()
        while self._unproven:
            oldest = next(iter(self._unproven))
            if now_s - oldest.begun_s < self.settings.handshake_s:
                break
            self._evict(oldest, Fault.HANDSHAKE_TIMEOUT)
        if now_s - self._swept_s >= 1.0:
            self._swept_s = now_s
            self._sweep(now_s)
        for link in list(self._lists_due)[:LISTS_A_TICK]:
            del self._lists_due[link]
            self._send_list(link, now_s)
        self.faults.tick()

    def _sweep(self, now_s: float) -> None:
        silent_s = SILENT_HEARTBEATS * self.settings.heartbeat_s
        for link in list(self.links.values()):
            if now_s - link.heard_s >= silent_s:
                link.end(Fault.SILENT)
            elif link.unread_since_s and now_s - link.unread_since_s >= silent_s:
                link.end(Fault.NOT_READING)
            elif now_s >= link.list_due_s:
                self._lists_due[link] = None

    def _send_list(self, link: GateLink, now_s: float) -> None:
        link.list_due_s = now_s + self.settings.allow_list_s
        lines = self.lists.lines_for(self._runtime.state.parking.gates[link.gate], self.now_us())

        def send() -> None:
            for line in lines:
                link.send(line)

        self.when_durable(send)

    # -- what the engine says

    def _listener(self, records: Sequence[Record]) -> None:
        """Newly durable records: operators' words go out, ended secrets end connections, lists that changed are due."""
        for record in records:
            if type(record.command) not in _NOTABLE:
                continue
            for event in record.events:
                if type(event) is GateOperated:
                    self._command(event)
                elif type(event) is GateKeyRenewed:
                    link = self.links.get(event.gate_id)
                    if link is not None:
                        link.end(Fault.KEY_RENEWED)
            if type(record.command) in REVOKES:
                self.lists.forget()
                self._lists_due.update(dict.fromkeys(self.links.values()))

    def _command(self, event: GateOperated) -> None:
        link = self.links.get(event.gate_id)
        if event.order is GateOrder.OPEN and event.gate_id in self.on_open:
            self.on_open[event.gate_id]()
        if link is not None:
            by = f"usr_{event.operator_id}" if event.operator_id else event.reason  # a camera's id
            link.send(GateCommand(event.n, ORDERS[event.order], by, event.lane, event.locked))

    # -- the end

    async def shutdown(self, seconds: float) -> None:
        """Take no more connections; let what is being answered be answered, then close."""
        self._is_closing = True
        self._all_gone = asyncio.Event()
        for unproven in list(self._unproven):
            unproven.close_when_answered()
        for link in list(self.links.values()):
            link.close_when_answered()
        if self.links or self._unproven:
            try:
                async with asyncio.timeout(seconds):
                    await self._all_gone.wait()
            except TimeoutError:
                for link in [*self.links.values(), *self._unproven]:
                    link.transport.abort()
        self.faults.flush()

    def _state_of(self, code: str) -> GateState | None:
        """A gate that has a secret; None for all others."""
        parking = self._runtime.state.parking
        state = parking.gate_states.get(code) if code in parking.gates else None
        return state if state is not None and state.key_version else None
