"""One connection to a reader, as its client, step by step; synchronous, as server/gate_link.py is.

1. the reader admits us              READER_EVENT_NOTIFICATION with a connection attempt
2. it is told what to do             keepalives; of all ROSpecs one, ours, which is enabled and started
3. it reports tags and is alive      → server/llrp_gate.py; the output opens and closes again

An answer that is an error, bytes that are none of the protocol and silence end the connection.
"""

from __future__ import annotations

from asyncio import Transport
from typing import TYPE_CHECKING, Final

from server.llrp_codec import (
    ALL_ROSPECS,
    ROSPEC_ID,
    Kind,
    LlrpError,
    LlrpFault,
    Message,
    MessageReader,
    attempt_of,
    encode,
    keepalive_config,
    output_config,
    rospec,
    rospec_id,
    status_of,
    tag_reports,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.llrp_gate import ReaderGate

KEEPALIVE_MS: Final = 5_000
SILENT_S: Final = 15.0
"""Three keepalives."""
SETUP_S: Final = 10.0
UNANSWERED_MAX: Final = 32
UNSENT_MAX: Final = 65_536
"""Bytes that a reader does not take, above which it is given up."""

SETUP: Final[tuple[tuple[Kind, bytes], ...]] = (
    (Kind.SET_READER_CONFIG, keepalive_config(KEEPALIVE_MS)),
    (Kind.DELETE_ROSPEC, rospec_id(ALL_ROSPECS)),
    (Kind.ADD_ROSPEC, rospec()),
    (Kind.ENABLE_ROSPEC, rospec_id(ROSPEC_ID)),
    (Kind.START_ROSPEC, rospec_id(ROSPEC_ID)),
)
"""What a reader is told, each when the one before was answered."""

ANSWERS: Final = {kind: Kind[f"{kind.name}_RESPONSE"] for kind, _ in SETUP}
RESPONSES: Final = frozenset(ANSWERS.values())


class LlrpLink:
    """`is_ready`: the reader does what it was told. `on_end` is called once, with why."""

    def __init__(
        self,
        transport: Transport,
        gate: ReaderGate,
        now_s: Callable[[], float],
        on_end: Callable[[LlrpFault, str], None],
    ) -> None:
        self._transport = transport
        self._gate = gate
        self._now_s = now_s
        self._on_end = on_end
        self._reader = MessageReader()
        self._begun_s = self._heard_s = now_s()
        self._number = 0
        self._step = -1  # which of SETUP was sent last
        self._awaited: dict[int, Kind] = {}  # number of a request → its answer
        self._closes_s: float | None = None  # when the output is switched off
        self._ended = False
        self.is_ready = False

    def __repr__(self) -> str:
        return f"<LlrpLink {self._gate.code} step={self._step} ready={self.is_ready} ended={self._ended}>"

    def receive(self, data: bytes) -> None:
        """Bytes have come."""
        try:
            for message in self._reader.feed(data):
                if self._ended:
                    return
                self._take(message)
        except LlrpError as error:
            self.end(error.fault, error.detail)

    def tick(self) -> None:
        """Ten times a second: silence, and the output that was on for long enough."""
        now_s = self._now_s()
        if now_s - self._heard_s >= SILENT_S or (not self.is_ready and now_s - self._begun_s >= SETUP_S):
            self.end(LlrpFault.SILENT)
        elif self._closes_s is not None and now_s >= self._closes_s:
            self._closes_s = None
            self._switch(False)

    def open_output(self) -> None:
        """Switch the output on, if one is configured; it goes off after `open_ms`."""
        if self.is_ready and self._gate.settings.gpo:
            self._closes_s = self._now_s() + self._gate.settings.open_ms / 1_000
            self._switch(True)

    def close(self) -> None:
        """Say that we go, and go: nobody is at fault."""
        if not self._ended:
            if self._closes_s is not None:
                self._switch(False)
            self._ended = True
            self._gate.lost(LlrpFault.CLOSED.value)
            self._send(Kind.CLOSE_CONNECTION)
            self._transport.close()

    def end(self, fault: LlrpFault, detail: str = "") -> None:
        """End the connection at once."""
        if not self._ended:
            self._ended = True
            self._gate.lost(fault.value)
            self._transport.abort()
            self._on_end(fault, detail)

    def _take(self, message: Message) -> None:
        self._heard_s = self._now_s()
        kind = message.kind
        if kind == Kind.RO_ACCESS_REPORT:
            reports = tag_reports(message.body)
            if self.is_ready:  # what came before is of somebody else's ROSpec
                for report in reports:
                    self._gate.seen(report)
        elif kind == Kind.KEEPALIVE:
            if self._transport.get_write_buffer_size() > UNSENT_MAX:
                raise LlrpError(LlrpFault.NOT_READING)
            self._transport.write(encode(Message(Kind.KEEPALIVE_ACK, message.number)))
        elif kind == Kind.READER_EVENT_NOTIFICATION:
            self._notified(attempt_of(message.body))
        elif kind in RESPONSES:
            self._answered(message)
        elif kind == Kind.ERROR_MESSAGE:
            said = status_of(message.body)
            raise LlrpError(LlrpFault.REFUSED, f"{said.code} {said.text}")

    def _notified(self, attempt: int | None) -> None:
        if attempt is None:
            return
        if attempt:
            raise LlrpError(LlrpFault.NOT_ADMITTED, str(attempt))
        if self._step >= 0:
            raise LlrpError(LlrpFault.UNEXPECTED, "admitted twice")
        self._next()

    def _answered(self, message: Message) -> None:
        if self._awaited.pop(message.number, None) != message.kind:
            raise LlrpError(LlrpFault.UNEXPECTED, Kind(message.kind).name)
        said = status_of(message.body)
        if said.code:
            raise LlrpError(LlrpFault.REFUSED, f"{Kind(message.kind).name} {said.code} {said.text}")
        if not self.is_ready:
            self._next()

    def _next(self) -> None:
        self._step += 1
        if self._step < len(SETUP):
            self._ask(*SETUP[self._step])
            return
        self.is_ready = True
        if self._gate.settings.gpo:
            self._switch(False)
        self._gate.ready(self.open_output)

    def _switch(self, on: bool) -> None:
        self._ask(Kind.SET_READER_CONFIG, output_config(self._gate.settings.gpo, on))

    def _ask(self, kind: Kind, body: bytes) -> None:
        if len(self._awaited) >= UNANSWERED_MAX or self._transport.get_write_buffer_size() > UNSENT_MAX:
            self.end(LlrpFault.NOT_READING)
            return
        self._awaited[self._number + 1] = ANSWERS[kind]
        self._send(kind, body)

    def _send(self, kind: Kind, body: bytes = b"") -> None:
        self._number += 1
        self._transport.write(encode(Message(kind, self._number, body)))
