"""How gate controllers and Kerb speak over TCP: lines, keys, message authentication codes. Pure, no I/O.

Source: API.md, "Gate controllers"; docs/gates.md states every byte string, with test vectors. A line is one JSON object,
ends with a line feed and has at most 4 096 bytes with it. From the proof on `mac` is its last member. What the lines say
is in server/gate_messages.py.
"""

from __future__ import annotations

import hmac
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

LINE_MAX: Final = 4_096
"""Bytes of a line with its line feed, in both directions."""

NONCE_BYTES: Final = 16
MAC_DIGITS: Final = 64
TO_SERVER: Final = b"g2s"
TO_GATE: Final = b"s2g"
_SESSION: Final = b"kerb-gate-1 session"
_GATE: Final = b"kerb-gate-1 gate"
_SERVER: Final = b"kerb-gate-1 server"
_MAC_MEMBER: Final = b',"mac":"'
_END: Final = b'"}'
_MAC_AT: Final = len(_MAC_MEMBER) + MAC_DIGITS + len(_END)

_BLOCK_BYTES: Final = 64
_INNER: Final = bytes(each ^ 0x36 for each in range(256))
_OUTER: Final = bytes(each ^ 0x5C for each in range(256))
"""RFC 2104, 2: the block of SHA-256, and what the key is padded with."""

_encode: Final = msgspec.json.Encoder().encode


class Fault(StrEnum):
    """Why a connection of a gate is ended. None of them is told to the other side."""

    LINE_TOO_LONG = "LINE_TOO_LONG"
    BAD_LINE = "BAD_LINE"  # not JSON, not a message, or not the one that is due
    WRONG_PROTOCOL = "WRONG_PROTOCOL"
    UNKNOWN_GATE = "UNKNOWN_GATE"
    WRONG_PROOF = "WRONG_PROOF"
    WRONG_MAC = "WRONG_MAC"
    WRONG_COUNTER = "WRONG_COUNTER"  # at or below the highest, and not the same line again
    WRONG_CERTIFICATE = "WRONG_CERTIFICATE"
    TLS_FAILED = "TLS_FAILED"
    HANDSHAKE_TIMEOUT = "HANDSHAKE_TIMEOUT"
    SILENT = "SILENT"
    NOT_READING = "NOT_READING"
    REPLACED = "REPLACED"  # a newer connection of the same gate
    KEY_RENEWED = "KEY_RENEWED"  # the gate has been given another secret
    TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
    UNAVAILABLE = "UNAVAILABLE"  # Kerb takes no commands now: the gate works by its allow-list


class ProtocolError(Exception):
    """The other side does not keep to the protocol: the connection ends."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


# -- lines


class LineReader:
    """Bytes as they arrive → whole lines, without their line feed. It holds less than one line."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def __repr__(self) -> str:
        return f"<LineReader {len(self._rest)} bytes of a line>"

    @property
    def is_inside_a_line(self) -> bool:
        """Whether the beginning of a line has come and not its end."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now. Raises ProtocolError for one that is too long, also while its end is missing."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) >= LINE_MAX or (
            len(data) >= LINE_MAX and max(map(len, lines), default=0) >= LINE_MAX
        ):
            self._rest = b""
            raise ProtocolError(Fault.LINE_TOO_LONG)
        return lines


# -- keys and codes


def mac_hex(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 as 64 lower-case hexadecimal digits."""
    return hmac.digest(key, message, sha256).hex().encode("ascii")


def handshake_text(gate_id: str, gate_nonce: bytes, server_nonce: bytes) -> bytes:
    """What session key and proofs are made over, after their label: the id as it is sent, and 16 + 16 raw bytes."""
    return gate_id.encode("ascii") + gate_nonce + server_nonce


def session_key(secret: bytes, handshake: bytes) -> bytes:
    """The 32 raw bytes that all lines after the handshake are authenticated with."""
    return hmac.digest(secret, _SESSION + handshake, sha256)


def gate_proof(secret: bytes, handshake: bytes) -> bytes:
    """What a gate proves itself with."""
    return mac_hex(secret, _GATE + handshake)


def server_proof(secret: bytes, handshake: bytes) -> bytes:
    """What Kerb proves itself with."""
    return mac_hex(secret, _SERVER + handshake)


def same(one: bytes, other: bytes) -> bool:
    """Whether two codes are equal, in a time that does not say where they differ."""
    return hmac.compare_digest(one, other)


class LineCoder:
    """Makes the codes of one side's lines in one session: HMAC of (session key, label | line).

    Key and label are hashed once: a code of a short line costs a third then.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, label: bytes) -> None:
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        if len(padded) != _BLOCK_BYTES:
            raise ValueError(f"a key of {len(key)} bytes")
        self._inner = sha256(padded.translate(_INNER) + label)
        self._outer = sha256(padded.translate(_OUTER))

    def __repr__(self) -> str:
        return "<LineCoder>"

    def code(self, body: bytes) -> bytes:
        """The code of what a line says before `,"mac"`, as 64 lower-case hexadecimal digits."""
        inner = self._inner.copy()
        inner.update(body)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest().encode("ascii")


def seal(coder: LineCoder, message: Struct) -> bytes:
    """A message as a line with its code and line feed. Raises ValueError when it is too long."""
    body = _encode(message)[:-1]
    return _with_mac(body, coder.code(body))


def with_proof(message: Struct, proof: bytes) -> bytes:
    """A proof or welcome as a line: its code is over the handshake, not over the line."""
    return _with_mac(_encode(message)[:-1], proof)


def plain(message: Struct) -> bytes:
    """A hello or challenge as a line: they come before there is a key."""
    return _encode(message) + b"\n"


def line_code(coder: LineCoder, message: Struct) -> str:
    """The code over a message that is to stand inside of it, as its next member."""
    return coder.code(_encode(message)[:-1]).decode("ascii")


def split_mac(line: bytes) -> tuple[bytes, bytes]:
    """The bytes of a line that its code covers, and the code. Raises ProtocolError where `mac` is not its last member."""
    at = len(line) - _MAC_AT
    if at < 1 or line[at : at + len(_MAC_MEMBER)] != _MAC_MEMBER or line[-len(_END) :] != _END:
        raise ProtocolError(Fault.WRONG_MAC)
    return line[:at], line[at + len(_MAC_MEMBER) : -len(_END)]


def unseal(coder: LineCoder, line: bytes) -> bytes:
    """The bytes of a line that its code covers. Raises ProtocolError for a code that is not right."""
    body, code = split_mac(line)
    if not hmac.compare_digest(coder.code(body), code):
        raise ProtocolError(Fault.WRONG_MAC)
    return body


def line_digest(body: bytes) -> bytes:
    """What the same line is known again by, in another session too: of the bytes that its code covers."""
    return sha256(body).digest()[:16]


def _with_mac(body: bytes, code: bytes) -> bytes:
    line = b'%b,"mac":"%b"}\n' % (body, code)
    if len(line) > LINE_MAX:
        raise ValueError(f"a line of {len(line)} bytes")
    return line
