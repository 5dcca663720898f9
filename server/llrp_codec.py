"""LLRP, the binary protocol of RFID readers: messages and parameters as bytes. Pure; nothing here knows of gates.

The part of EPCglobal's Low Level Reader Protocol 1.1 (sections 16 and 17) that finds tags and switches outputs. Its bytes
are the same in 1.0.1, which a reader speaks with who negotiates nothing. All numbers are big-endian. What comes from a
reader is hostile input: every length is checked, what is unknown is skipped where its length is known.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import Final

from msgspec import Struct

HEADER_BYTES: Final = 10
MESSAGE_MAX: Final = 65_536
"""Bytes of one message: a report of some hundred tags is a tenth of it."""

STATUS_TEXT_MAX: Final = 200
ROSPEC_ID: Final = 1
ALL_ROSPECS: Final = 0
VERSION: Final = 1
VERSIONS: Final = (1, 2)
"""1 is LLRP 1.0.1 and what every connection begins with, 2 is 1.1."""

_HEADER: Final = struct.Struct(">HII")
_TLV: Final = struct.Struct(">HH")
_U16: Final = struct.Struct(">H")
_U64: Final = struct.Struct(">Q")


class LlrpFault(StrEnum):
    """Why a reader's connection was ended: names in the log and in the metrics."""

    UNREACHABLE = "UNREACHABLE"
    NOT_ADMITTED = "NOT_ADMITTED"  # the reader has another client, or says no
    REFUSED = "REFUSED"  # it answered a request with an error
    BAD_LENGTH = "BAD_LENGTH"
    BAD_VERSION = "BAD_VERSION"
    BAD_PARAMETER = "BAD_PARAMETER"
    UNEXPECTED = "UNEXPECTED"  # an answer that nobody has asked for
    SILENT = "SILENT"
    NOT_READING = "NOT_READING"
    CLOSED = "CLOSED"  # by the reader


class LlrpError(Exception):
    """What a reader sent cannot be used."""

    def __init__(self, fault: LlrpFault, detail: str = "") -> None:
        super().__init__(f"{fault.value} {detail}".strip())
        self.fault = fault
        self.detail = detail


class Kind(IntEnum):
    """Messages, by their type."""

    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    ENABLE_ROSPEC = 24
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    ENABLE_ROSPEC_RESPONSE = 34
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100


class Parameter(IntEnum):
    """Parameters, by their type: below 128 TV (a fixed length), above TLV."""

    ANTENNA_ID = 1
    FIRST_SEEN_UTC = 2
    PEAK_RSSI = 6
    EPC_96 = 13
    RO_SPEC = 177
    RO_BOUNDARY_SPEC = 178
    RO_SPEC_START_TRIGGER = 179
    RO_SPEC_STOP_TRIGGER = 182
    AI_SPEC = 183
    AI_SPEC_STOP_TRIGGER = 184
    INVENTORY_PARAMETER_SPEC = 186
    GPO_WRITE_DATA = 219
    KEEPALIVE_SPEC = 220
    RO_REPORT_SPEC = 237
    TAG_REPORT_CONTENT_SELECTOR = 238
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    READER_EVENT_NOTIFICATION_DATA = 246
    CONNECTION_ATTEMPT_EVENT = 256
    CONNECTION_CLOSE_EVENT = 257
    LLRP_STATUS = 287


_TV_SIZES: Final = (2, 8, 8, 8, 8, 1, 2, 2, 4, 2, 2, 2, 12, 2, 2, 4, 2, 4, 2, 2)
TV_BYTES: Final = dict(enumerate(_TV_SIZES, start=1))
"""TV parameters have no length of their own: type → bytes after the type."""

CONTENT: Final = 0x1600
"""What reports are to say of a tag: EnableAntennaID, EnablePeakRSSI, EnableFirstSeenTimestamp (17.2.7.1.1)."""


class Message(Struct, frozen=True, gc=False):
    """One message: `kind` is any type of 0 to 1023, also one that Kerb does not know; `body` what follows the header."""

    kind: int
    number: int
    body: bytes = b""
    version: int = VERSION


class TagReport(Struct, frozen=True, gc=False):
    """A tag that a reader has seen. `epc` is upper-case hexadecimal, '' for none; `antenna` counts from 1, 0: not said;
    `seen_us` microseconds since 1970 by the reader's clock, 0: not said; `rssi_dbm` the strongest, None: not said.
    """

    epc: str
    antenna: int = 0
    seen_us: int = 0
    rssi_dbm: int | None = None


class Status(Struct, frozen=True, gc=False):
    """LLRPStatus: 0 is success. `text` is what the reader says, cut and without control characters."""

    code: int
    text: str = ""


# -- to bytes


def encode(message: Message) -> bytes:
    """A message as it is sent."""
    length = HEADER_BYTES + len(message.body)
    return _HEADER.pack(message.version << 10 | message.kind, length, message.number) + message.body


def tlv(kind: int, body: bytes) -> bytes:
    """A parameter that has its length."""
    return _TLV.pack(kind, _TLV.size + len(body)) + body


def tv(kind: int, body: bytes) -> bytes:
    """A parameter of a fixed length."""
    return bytes((0x80 | kind,)) + body


def keepalive_config(period_ms: int) -> bytes:
    """Body of SET_READER_CONFIG: nothing is reset, and the reader says each `period_ms` that it is alive."""
    return b"\0" + tlv(Parameter.KEEPALIVE_SPEC, struct.pack(">BI", 1, period_ms))


def output_config(port: int, on: bool) -> bytes:
    """Body of SET_READER_CONFIG: a general purpose output is switched on or off."""
    return b"\0" + tlv(Parameter.GPO_WRITE_DATA, struct.pack(">HB", port, 0x80 if on else 0))


def rospec_id(number: int) -> bytes:
    """Body of DELETE_ROSPEC, ENABLE_ROSPEC and START_ROSPEC."""
    return number.to_bytes(4, "big")


def rospec() -> bytes:
    """Body of ADD_ROSPEC: all antennas, EPC Class 1 Gen 2, from START_ROSPEC on without an end, each tag reported at once."""
    start = tlv(Parameter.RO_SPEC_START_TRIGGER, b"\0")
    stop = tlv(Parameter.RO_SPEC_STOP_TRIGGER, bytes(5))
    inventory = tlv(Parameter.AI_SPEC_STOP_TRIGGER, bytes(5))
    inventory += tlv(Parameter.INVENTORY_PARAMETER_SPEC, struct.pack(">HB", 1, 1))
    content = tlv(Parameter.TAG_REPORT_CONTENT_SELECTOR, _U16.pack(CONTENT))
    return tlv(
        Parameter.RO_SPEC,
        struct.pack(">IBB", ROSPEC_ID, 0, 0)
        + tlv(Parameter.RO_BOUNDARY_SPEC, start + stop)
        + tlv(Parameter.AI_SPEC, struct.pack(">HH", 1, 0) + inventory)
        + tlv(Parameter.RO_REPORT_SPEC, struct.pack(">BH", 1, 1) + content),
    )


def tag_report(report: TagReport) -> bytes:
    """One TagReportData, as a reader sends it: 96 bits are EPC-96, any other number EPCData."""
    epc = bytes.fromhex(report.epc)
    if len(epc) == TV_BYTES[Parameter.EPC_96]:
        body = tv(Parameter.EPC_96, epc)
    else:
        body = tlv(Parameter.EPC_DATA, _U16.pack(8 * len(epc)) + epc)
    if report.antenna:
        body += tv(Parameter.ANTENNA_ID, _U16.pack(report.antenna))
    if report.rssi_dbm is not None:
        body += tv(Parameter.PEAK_RSSI, struct.pack(">b", report.rssi_dbm))
    if report.seen_us:
        body += tv(Parameter.FIRST_SEEN_UTC, _U64.pack(report.seen_us))
    return tlv(Parameter.TAG_REPORT_DATA, body)


def status(said: Status) -> bytes:
    """LLRPStatus, the body of every response."""
    text = said.text.encode()
    return tlv(Parameter.LLRP_STATUS, struct.pack(">HH", said.code, len(text)) + text)


# -- from bytes


class MessageReader:
    """Cuts a stream into messages. Keeps at most one that is not whole."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def __repr__(self) -> str:
        return f"<MessageReader {len(self._kept)} bytes>"

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now. Raises LlrpError for a header that no reader sends, before its body is awaited."""
        kept = self._kept
        kept += data
        while len(kept) >= HEADER_BYTES:
            first, length, number = _HEADER.unpack_from(kept)
            if not HEADER_BYTES <= length <= MESSAGE_MAX:
                raise LlrpError(LlrpFault.BAD_LENGTH, str(length))
            version = first >> 10 & 7
            if version not in VERSIONS:
                raise LlrpError(LlrpFault.BAD_VERSION, str(version))
            if len(kept) < length:
                return
            body = bytes(kept[HEADER_BYTES:length])
            del kept[:length]
            yield Message(first & 0x3FF, number, body, version)


def parameters(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each parameter. Raises LlrpError where one is cut off, or a TV is unknown: its length is too."""
    at, end = 0, len(body)
    while at < end:
        if body[at] & 0x80:
            kind = body[at] & 0x7F
            size = TV_BYTES.get(kind)
            if size is None:
                raise LlrpError(LlrpFault.BAD_PARAMETER, f"TV {kind}")
            begin, at = at + 1, at + 1 + size
        else:
            if at + _TLV.size > end:
                raise LlrpError(LlrpFault.BAD_PARAMETER, "cut off")
            first, length = _TLV.unpack_from(body, at)
            kind = first & 0x3FF
            if length < _TLV.size:
                raise LlrpError(LlrpFault.BAD_PARAMETER, f"length {length}")
            begin, at = at + _TLV.size, at + length
        if at > end:
            raise LlrpError(LlrpFault.BAD_PARAMETER, "cut off")
        yield kind, body[begin:at]


def tag_reports(body: bytes) -> list[TagReport]:
    """The tags of an RO_ACCESS_REPORT, in its order. Raises LlrpError."""
    return [_tag_report(content) for kind, content in parameters(body) if kind == Parameter.TAG_REPORT_DATA]


def _tag_report(body: bytes) -> TagReport:
    epc, antenna, seen_us, rssi_dbm = b"", 0, 0, None
    for kind, content in parameters(body):
        if kind == Parameter.EPC_96:
            epc = content
        elif kind == Parameter.EPC_DATA:
            epc = _epc_data(content)
        elif kind == Parameter.ANTENNA_ID:
            (antenna,) = _U16.unpack(content)
        elif kind == Parameter.FIRST_SEEN_UTC:
            (seen_us,) = _U64.unpack(content)
        elif kind == Parameter.PEAK_RSSI:
            rssi_dbm = int.from_bytes(content, "big", signed=True)
    return TagReport(epc.hex().upper(), antenna, seen_us, rssi_dbm)


def _epc_data(content: bytes) -> bytes:
    """An EPC with its number of bits; a last byte that is not full has zeros."""
    bits = _number(content)
    epc = content[_U16.size :]
    if len(epc) != (bits + 7) // 8:
        raise LlrpError(LlrpFault.BAD_PARAMETER, f"EPC of {bits} bits")
    return epc


def status_of(body: bytes) -> Status:
    """The LLRPStatus of a response or ERROR_MESSAGE. Raises LlrpError, also where there is none."""
    for kind, content in parameters(body):
        if kind == Parameter.LLRP_STATUS:
            code = _number(content)
            size = _number(content[2:])
            if len(content) < 4 + size:
                raise LlrpError(LlrpFault.BAD_PARAMETER, "status cut off")
            text = content[4 : 4 + size].decode("utf-8", "replace")[:STATUS_TEXT_MAX]
            return Status(code, "".join([each if each.isprintable() else "?" for each in text]))
    raise LlrpError(LlrpFault.BAD_PARAMETER, "no status")


def attempt_of(body: bytes) -> int | None:
    """What a READER_EVENT_NOTIFICATION says of the connection: 0 admitted, others not; None where it says nothing of it.

    Raises LlrpError, with CLOSED where the reader says that it closes.
    """
    for kind, content in parameters(body):
        if kind == Parameter.READER_EVENT_NOTIFICATION_DATA:
            for event, inner in parameters(content):
                if event == Parameter.CONNECTION_ATTEMPT_EVENT:
                    return _number(inner)
                if event == Parameter.CONNECTION_CLOSE_EVENT:
                    raise LlrpError(LlrpFault.CLOSED)
    return None


def _number(content: bytes) -> int:
    if len(content) < _U16.size:
        raise LlrpError(LlrpFault.BAD_PARAMETER, "cut off")
    return int.from_bytes(content[:2], "big")
