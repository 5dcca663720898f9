"""One connection of a gate: what it says is read here, step by step, and nothing is believed before its code is right.

1. hello      who it wants to be          → challenge, whoever that is
2. proof      it knows the gate's secret  → welcome, with our proof
3. lines      each with the session's code and a counter  → server/gate_desk.py

Synchronous; the transport is all it needs of the network. What is wrong ends the connection and is told to nobody but the log.
"""

from __future__ import annotations

import secrets
from asyncio import Transport
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from server.gate_messages import (
    Alive,
    Challenge,
    Heartbeat,
    Welcome,
    decode_from_gate,
    decode_hello,
    decode_proof,
    signed,
    time_text,
)
from server.gate_protocol import (
    NONCE_BYTES,
    TO_GATE,
    TO_SERVER,
    Fault,
    LineCoder,
    LineReader,
    ProtocolError,
    gate_proof,
    handshake_text,
    plain,
    same,
    seal,
    server_proof,
    session_key,
    unseal,
    with_proof,
)

if TYPE_CHECKING:
    from server.gate_hub import GateHub

UNANSWERED_MAX: Final = 64
"""Lines whose answer is not durable yet; with so many nothing more is read until half of them are answered."""


_NO_SESSION: Final = LineCoder(b"", b"")
"""Before there is a session no line is looked at, and none is sent that needs a code."""


class Step(IntEnum):
    """What is expected next."""

    HELLO = 1
    PROOF = 2
    WELCOME = 3  # nothing, until what the welcome says is durable
    LINES = 4
    CLOSING = 5  # what was taken is answered, nothing more is taken
    ENDED = 6


class GateLink:
    """A connection as the hub sees it. `gate` is the gate that it has proved to be, '' before; `claimed` the id that it said.
    `ended_for` is why it has ended, in a word.

    `heard_s` is the loop time of its last good line; `n` the highest counter that this session has seen;
    `unread_since_s` the loop time since when it does not take what it is sent, 0 while it does.
    """

    __slots__ = (
        "_handshake",
        "_heard",
        "_hub",
        "_is_paused",
        "_reader",
        "_said",
        "address",
        "begun_s",
        "certified",
        "claimed",
        "ended_for",
        "gate",
        "heard_s",
        "list_due_s",
        "n",
        "step",
        "transport",
        "unanswered",
        "unread_since_s",
    )

    def __init__(self, hub: GateHub, transport: Transport, address: str, certified: str | None) -> None:
        self._hub = hub
        self.transport = transport
        self.address = address
        self.certified = certified
        self.step = Step.HELLO
        self.gate = ""
        self.begun_s = self.heard_s = hub.now_s()
        self.n = 0
        self.unanswered = 0
        self.unread_since_s = 0.0
        self.list_due_s = 0.0
        self.claimed = ""
        self.ended_for = "CLOSED"
        self._handshake = b""
        self._heard = self._said = _NO_SESSION
        self._reader = LineReader()
        self._is_paused = False

    def __repr__(self) -> str:
        return f"<GateLink {self.step.name} {self.gate or '?'} n={self.n} unanswered={self.unanswered}>"

    def receive(self, data: bytes) -> None:
        """Bytes have come."""
        if self.step is Step.ENDED:
            return
        try:
            for line in self._reader.feed(data):
                if self.step is Step.LINES:
                    self._take(line)
                elif self.step is Step.HELLO:
                    self._hello(line)
                elif self.step is Step.PROOF:
                    self._proof(line)
                elif self.step is Step.WELCOME:
                    raise ProtocolError(Fault.BAD_LINE)
                else:
                    return
        except ProtocolError as error:
            self.end(error.fault)

    def send(self, message: Struct) -> None:
        """Send a line under the session's key; nothing once the connection has ended."""
        if self.step in (Step.LINES, Step.CLOSING) and not self.transport.is_closing():
            self.transport.write(seal(self._said, message))

    def answered(self, message: Struct | None) -> None:
        """The answer to a line that was taken: it is durable now. None when it never will be."""
        self.unanswered -= 1
        if message is not None:
            self.send(message)
        if self.step is Step.CLOSING:
            self.close_when_answered()
        elif self._is_paused and self.unanswered <= UNANSWERED_MAX // 2 and self.step is Step.LINES:
            self._is_paused = False
            self.transport.resume_reading()

    def wait_for_answer(self) -> None:
        """A line was taken whose answer comes when it is durable."""
        self.unanswered += 1
        if self.unanswered >= UNANSWERED_MAX and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def end(self, fault: Fault) -> None:
        """End the connection, at once; counted and logged, once."""
        if self.step is not Step.ENDED:
            self.step = Step.ENDED
            self.ended_for = fault.value
            self._hub.faults.note(fault, self.address, self.claimed)
            self.transport.abort()

    def lost(self) -> None:
        """The connection is gone."""
        self.step = Step.ENDED
        self._hub.forget(self)

    def close_when_answered(self) -> None:
        """Take nothing more, and end the connection when all that was taken is answered: nobody is at fault."""
        if self.step is Step.ENDED:
            return
        self.step = Step.CLOSING
        if not self.unanswered:
            self.step = Step.ENDED
            self.transport.close()

    def writing_paused(self, paused: bool) -> None:
        """The other side does not take what it is sent (any more, or again): nothing is read from it meanwhile."""
        self.unread_since_s = self._hub.now_s() if paused else 0.0
        if paused:
            self.transport.pause_reading()
        elif not self._is_paused and self.step is not Step.ENDED:
            self.transport.resume_reading()

    def _hello(self, line: bytes) -> None:
        hello = decode_hello(line)
        self.claimed = hello.gate_id
        if self.certified is not None and self.certified != hello.gate_id:
            raise ProtocolError(Fault.WRONG_CERTIFICATE)
        nonce = secrets.token_bytes(NONCE_BYTES)
        self._handshake = handshake_text(hello.gate_id, bytes.fromhex(hello.nonce), nonce)
        self.step = Step.PROOF
        self.transport.write(plain(Challenge(nonce.hex())))

    def _proof(self, line: bytes) -> None:
        proof = decode_proof(line)
        secret = self._hub.secret_of(self.claimed)
        if not same(gate_proof(secret, self._handshake), proof):
            raise ProtocolError(Fault.WRONG_PROOF if self._hub.knows(self.claimed) else Fault.UNKNOWN_GATE)
        key = session_key(secret, self._handshake)
        self._heard, self._said = LineCoder(key, TO_SERVER), LineCoder(key, TO_GATE)
        self.step = Step.WELCOME
        standing = self._hub.standing_of(self.claimed)
        self.n = standing.n
        welcome = Welcome(
            standing.lot_id,
            standing.direction,
            time_text(self._hub.now_us()),
            self._hub.settings.heartbeat_s,
            standing.n,
            standing.locked,
        )
        line = with_proof(signed(self._said, welcome), server_proof(secret, self._handshake))
        self._hub.when_durable(partial(self._welcome, standing.gate, line))

    def _welcome(self, gate: str, line: bytes) -> None:
        if self.step is Step.WELCOME and not self.transport.is_closing():
            self.gate = gate
            self.step = Step.LINES
            self.heard_s = self._hub.now_s()
            self.transport.write(line)
            self._hub.proved(self)

    def _take(self, line: bytes) -> None:
        body = unseal(self._heard, line)
        message = decode_from_gate(body)
        self.heard_s = self._hub.now_s()
        if isinstance(message, Heartbeat):
            if message.n <= self.n:
                raise ProtocolError(Fault.WRONG_COUNTER)
            self.n = message.n
            self.send(Alive(message.n, time_text(self._hub.now_us())))
        else:
            self._hub.desk.take(self, message, body)
