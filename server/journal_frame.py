"""The journal's bytes on disk: segment header, frame and clean-shutdown mark, packed and checked.

Everything is little-endian. A frame is a header, a payload (u32 length of each record, then the records), the payload's
CRC32C, and zeros up to the next block. Frames start on block boundaries so that a write torn or garbled by the device
can never touch a block that holds an older, acknowledged frame.
"""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import google_crc32c
import msgspec

BLOCK_BYTES: Final = 4096
"""Unit in which frames are aligned: the largest sector that devices write as a whole, and the page of the kernel."""

HASH_BYTES: Final = 16
ZERO_HASH: Final = bytes(HASH_BYTES)
JOURNAL_ID_BYTES: Final = 16

_FORMAT: Final = 1
_FRAME = struct.Struct("<4sI16sIIQQQ16s")
_FRAME_MAGIC: Final = b"KJFR"
_SEGMENT = struct.Struct("<8sI16sQQQ16s")
_SEGMENT_MAGIC: Final = b"KERBSEGM"
_MARK = struct.Struct("<8sI16sQ16s")
_MARK_MAGIC: Final = b"KERBMARK"
_CRC = struct.Struct("<I")

FRAME_HEADER_BYTES: Final = _FRAME.size + _CRC.size
FRAME_OVERHEAD_BYTES: Final = FRAME_HEADER_BYTES + _CRC.size
SEGMENT_START: Final = BLOCK_BYTES
"""Offset of the first frame of a segment: the segment's header has a block of its own."""


class FrameHeader(msgspec.Struct, frozen=True, gc=False):
    """The fixed part of a frame. `durable_seq` is what was known durable when the frame was written."""

    format: int
    journal_id: bytes
    engine_version: int
    payload_bytes: int
    first_seq: int
    last_seq: int
    durable_seq: int
    previous_hash: bytes

    @property
    def body_bytes(self) -> int:
        """Header, payload and checksums, without the padding."""
        return FRAME_OVERHEAD_BYTES + self.payload_bytes

    @property
    def size_bytes(self) -> int:
        """The frame as it lies on disk, with its padding."""
        return round_up(self.body_bytes)


class SegmentHeader(msgspec.Struct, frozen=True, gc=False):
    """Start of a segment file. `capacity_bytes` is the size of the file, `previous_hash` continues the chain."""

    journal_id: bytes
    index: int
    first_seq: int
    capacity_bytes: int
    previous_hash: bytes


class CleanMark(msgspec.Struct, frozen=True, gc=False):
    """Written by a clean shutdown: the journal ends with `last_seq`, whose frame hashes to `last_hash`."""

    journal_id: bytes
    last_seq: int
    last_hash: bytes


def round_up(size_bytes: int) -> int:
    """The next multiple of `BLOCK_BYTES`."""
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES


def crc32c(data: bytes) -> int:
    """CRC32C (Castagnoli) of `data`."""
    return int(google_crc32c.value(data))


def frame_hash(frame: bytes) -> bytes:
    """Hash of a frame without its padding; the next frame carries it."""
    return blake2b(frame, digest_size=HASH_BYTES).digest()


def _sealed(packed: bytes) -> bytes:
    return packed + _CRC.pack(crc32c(packed))


def _unsealed(data: bytes, offset: int, size_bytes: int) -> bytes | None:
    """The `size_bytes` at `offset` when the checksum after them agrees, else None."""
    packed = data[offset : offset + size_bytes]
    seal = data[offset + size_bytes : offset + size_bytes + _CRC.size]
    if len(packed) != size_bytes or seal != _CRC.pack(crc32c(packed)):
        return None
    return packed


def encode_frame(
    records: Sequence[bytes],
    *,
    journal_id: bytes,
    engine_version: int,
    first_seq: int,
    durable_seq: int,
    previous_hash: bytes,
) -> tuple[bytes, bytes]:
    """One frame of `records`, the first of which has `first_seq`, padded to the block; and its hash."""
    count = len(records)
    payload = b"".join((struct.pack(f"<{count}I", *map(len, records)), *records))
    header = _FRAME.pack(
        _FRAME_MAGIC,
        _FORMAT,
        journal_id,
        engine_version,
        len(payload),
        first_seq,
        first_seq + count - 1,
        durable_seq,
        previous_hash,
    )
    frame = b"".join((_sealed(header), payload, _CRC.pack(crc32c(payload))))
    return frame + bytes(round_up(len(frame)) - len(frame)), frame_hash(frame)


def decode_frame_header(data: bytes, offset: int) -> FrameHeader | None:
    """The header at `offset`, or None where magic or checksum say that none is there."""
    if data[offset : offset + len(_FRAME_MAGIC)] != _FRAME_MAGIC:
        return None
    packed = _unsealed(data, offset, _FRAME.size)
    if packed is None:
        return None
    _, version, journal_id, engine_version, payload_bytes, first, last, durable, previous = _FRAME.unpack(
        packed
    )
    return FrameHeader(version, journal_id, engine_version, payload_bytes, first, last, durable, previous)


def frame_body_fault(data: bytes, offset: int, header: FrameHeader) -> str | None:
    """Why the frame at `offset`, whose header is good, is not whole; None when it is. `data` holds all of it."""
    if _unsealed(data, offset + FRAME_HEADER_BYTES, header.payload_bytes) is None:
        return "payload checksum does not agree"
    if data[offset + header.body_bytes : offset + header.size_bytes].strip(b"\0"):
        return "padding is not zero"
    return None


def split_payload(data: bytes, offset: int, header: FrameHeader) -> list[bytes] | None:
    """The records of the frame at `offset` in sequence; None when the lengths do not add up to the payload."""
    count = header.last_seq - header.first_seq + 1
    start = offset + FRAME_HEADER_BYTES
    if count < 1 or 4 * count > header.payload_bytes:
        return None
    lengths = struct.unpack_from(f"<{count}I", data, start)
    position = start + 4 * count
    if position + sum(lengths) != start + header.payload_bytes:
        return None
    records = []
    for length in lengths:
        end = position + length
        records.append(data[position:end])
        position = end
    return records


def encode_segment_header(header: SegmentHeader) -> bytes:
    """The first block of a segment file."""
    packed = _SEGMENT.pack(
        _SEGMENT_MAGIC,
        _FORMAT,
        header.journal_id,
        header.index,
        header.first_seq,
        header.capacity_bytes,
        header.previous_hash,
    )
    return _sealed(packed).ljust(SEGMENT_START, b"\0")


def decode_segment_header(block: bytes) -> SegmentHeader | None:
    """The header in the first block of a segment file, or None when it is damaged or of another format."""
    packed = _unsealed(block, 0, _SEGMENT.size)
    if packed is None or len(block) != SEGMENT_START or any(block[_SEGMENT.size + _CRC.size :]):
        return None
    magic, version, journal_id, index, first_seq, capacity_bytes, previous_hash = _SEGMENT.unpack(packed)
    if magic != _SEGMENT_MAGIC or version != _FORMAT:
        return None
    return SegmentHeader(journal_id, index, first_seq, capacity_bytes, previous_hash)


def encode_clean_mark(mark: CleanMark) -> bytes:
    """The content of the clean-shutdown file."""
    return _sealed(_MARK.pack(_MARK_MAGIC, _FORMAT, mark.journal_id, mark.last_seq, mark.last_hash))


def decode_clean_mark(data: bytes) -> CleanMark | None:
    """The mark in the clean-shutdown file, or None when it is damaged."""
    packed = _unsealed(data, 0, _MARK.size)
    if packed is None or len(data) != _MARK.size + _CRC.size:
        return None
    magic, version, journal_id, last_seq, last_hash = _MARK.unpack(packed)
    if magic != _MARK_MAGIC or version != _FORMAT:
        return None
    return CleanMark(journal_id, last_seq, last_hash)


def is_supported_format(header: FrameHeader) -> bool:
    """Whether this version of Kerb reads frames of that format."""
    return header.format == _FORMAT


def checksum_is_compiled() -> bool:
    """Whether CRC32C runs as machine code; the pure-Python version is a hundred times too slow to trade on."""
    return bool(google_crc32c.implementation == "c")
