"""What the lines between gates and Kerb say: a type for each, read strictly, and what somebody wants to pass with.

The members are those of docs/gates.md; keys and codes are in server/gate_protocol.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from engine.parking.gate_kinds import CredentialKind
from engine.parking.vehicles import is_epc, is_plate
from server.gate_protocol import Fault, LineCoder, ProtocolError, line_code, split_mac

PROTOCOL: Final = 1
N_MAX: Final = 2**53 - 1
"""The highest counter: what JSON numbers carry exactly everywhere."""

LANE_MAX: Final = 64
EVENTS_MAX: Final = 32
"""Offline events in one line."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Nonce = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
GateName = Annotated[str, Meta(pattern="^gat_[A-Za-z0-9._-]{1,32}$")]
Counter = Annotated[int, Meta(ge=1, le=N_MAX)]
Lane = Annotated[int, Meta(ge=1, le=LANE_MAX)]
Time = Annotated[datetime, Meta(tz=True)]


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """A gate says who it wants to be. Nothing in it is believed before the proof."""

    gate_id: GateName
    nonce: Nonce
    firmware: Annotated[str, Meta(max_length=64)]
    protocol: int


class Challenge(Struct, frozen=True, tag_field="type", tag="challenge"):
    """The server's half of the nonces."""

    nonce: Nonce


class Proof(Struct, frozen=True, tag_field="type", tag="proof"):
    """The gate knows its secret: `mac` is its proof."""


class Welcome(Struct, frozen=True, tag_field="type", tag="welcome", omit_defaults=True):
    """The server knows the secret too: `mac` is its proof. `line_mac` covers what stands before it, with the session key.

    `n` is the gate's highest counter that the server has kept; `locked` whether the gate is to stay shut.
    """

    lot_id: str
    direction: str
    time: str
    heartbeat_s: int
    n: int
    locked: bool
    line_mac: str = ""


def signed(coder: LineCoder, welcome: Welcome) -> Welcome:
    """The welcome with its `line_mac`, which must not be there yet."""
    return msgspec.structs.replace(welcome, line_mac=line_code(coder, welcome))


class Scan(Struct, frozen=True, gc=False, tag_field="type", tag="scan"):
    """Something wants to pass: a tag, a plate, or a code that was printed or shown. What it is, is hostile input: `Raw`."""

    n: Counter
    lane: Lane
    at: Time
    tag: Raw = Raw()
    plate: Raw = Raw()
    code: Raw = Raw()


class Passed(Struct, frozen=True, gc=False, tag_field="type", tag="passed"):
    """A vehicle went through."""

    n: Counter
    lane: Lane
    at: Time


class NotPassed(Struct, frozen=True, gc=False, tag_field="type", tag="not_passed"):
    """The gate was opened, and nobody went through."""

    n: Counter
    lane: Lane
    at: Time


class Heartbeat(Struct, frozen=True, gc=False, tag_field="type", tag="heartbeat"):
    """The gate is alive. The server answers with the same counter."""

    n: Counter


class OfflineEvent(Struct, frozen=True, gc=False):
    """What a gate did by its allow-list while it was cut off: it opened a lane at a time, and a vehicle passed.

    `way` ENTRY or EXIT: what the gate took it for.
    """

    lane: Lane
    at: Time
    way: Annotated[str, Meta(pattern="^(ENTRY|EXIT)$")]
    tag: Raw = Raw()
    plate: Raw = Raw()
    code: Raw = Raw()


class OfflineEvents(Struct, frozen=True, gc=False, tag_field="type", tag="offline_events"):
    """What happened while the gate was cut off, oldest first. Acknowledged when it is durable."""

    n: Counter
    events: Annotated[tuple[OfflineEvent, ...], Meta(max_length=EVENTS_MAX)]


FromGate = Scan | Passed | NotPassed | Heartbeat | OfflineEvents


class Decision(Struct, frozen=True, gc=False, tag_field="type", tag="decision"):
    """The answer to the scan `n`. `space` is where to go, '' where there is nothing to say."""

    n: int
    open: bool
    reason: str
    space: str
    message: str


class Ack(Struct, frozen=True, gc=False, tag_field="type", tag="ack"):
    """A report is durable: the gate may forget it. `findings` is how many of its events an operator has to look at."""

    n: int
    findings: int = 0


class Alive(Struct, frozen=True, gc=False, tag_field="type", tag="heartbeat"):
    """The server's answer to a heartbeat."""

    n: int
    time: str


class GateCommand(Struct, frozen=True, gc=False, tag_field="type", tag="command"):
    """An operator's word. `n` is the server's own counter for this gate, strictly increasing; `lane` 0 is every lane.

    OPEN opens once; LOCK keeps shut; SYNC: send what happened while cut off, and be locked or not as `locked` says.
    """

    n: int
    do: str
    by: str
    lane: int
    locked: bool


class AllowList(Struct, frozen=True, gc=False, tag_field="type", tag="allow_list"):
    """One part of the tags that the gate may open for while it is cut off. A version is whole when all `parts` have come."""

    version: int
    expires: str
    part: int
    parts: int
    entries: tuple[str, ...]


FromServer = Challenge | Decision | Ack | Alive | GateCommand | AllowList

_hello: Final = msgspec.json.Decoder(Hello)
_proof: Final = msgspec.json.Decoder(Proof)
_from_gate: Final[msgspec.json.Decoder[FromGate]] = msgspec.json.Decoder(FromGate)


_from_server: Final[msgspec.json.Decoder[FromServer]] = msgspec.json.Decoder(FromServer)


def _decoded(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(Fault.BAD_LINE) from error


def decode_hello(line: bytes) -> Hello:
    """A gate's first line. Raises ProtocolError, also for another version of the protocol."""
    hello: Hello = _decoded(_hello, line)
    if hello.protocol != PROTOCOL:
        raise ProtocolError(Fault.WRONG_PROTOCOL)
    return hello


def decode_proof(line: bytes) -> bytes:
    """The code of a gate's second line. Raises ProtocolError."""
    code = split_mac(line)[1]
    _decoded(_proof, line)
    return code


def decode_from_gate(body: bytes) -> FromGate:
    """A line whose code was right: what `unseal` has returned. Raises ProtocolError."""
    message: FromGate = _decoded(_from_gate, body + b"}")
    return message


def decode_from_server(body: bytes) -> FromServer:
    """The gate's side of `decode_from_gate`. Raises ProtocolError."""
    message: FromServer = _decoded(_from_server, body + b"}")
    return message


_TEXT: Final = msgspec.json.Decoder(str)
_CODE: Final = re.compile(r"[A-Za-z0-9._=-]{4,128}")
_FORMS: Final[dict[CredentialKind, Callable[[str], object]]] = {
    CredentialKind.TAG: is_epc,
    CredentialKind.PLATE: is_plate,
    CredentialKind.CODE: _CODE.fullmatch,
}
"""Whether a text has the form of such a credential; everything else is hostile or broken."""


def credential_of(given: Scan | OfflineEvent) -> tuple[CredentialKind, str]:
    """Which credential a line gives, and its text: '' where it does not have the form of one."""
    if given.tag:
        raw, kind = given.tag, CredentialKind.TAG
    elif given.plate:
        raw, kind = given.plate, CredentialKind.PLATE
    else:
        raw, kind = given.code, CredentialKind.CODE
    try:
        text = _TEXT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return kind, ""
    return kind, text if _FORMS[kind](text) else ""


def epoch_us(time: datetime) -> int:
    """A gate's time as microseconds since 1970, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def time_text(time_us: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC, with six decimals."""
    return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
