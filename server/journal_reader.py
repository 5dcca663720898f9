"""Reads the journal's segments in sequence order: frames out of a file window, records from any sequence on."""

from array import array
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

from server.disk import Disk
from server.journal_errors import JournalCorrupt, JournalPruned
from server.journal_frame import (
    FRAME_HEADER_BYTES,
    SEGMENT_START,
    FrameHeader,
    SegmentHeader,
    decode_frame_header,
    frame_body_fault,
    split_payload,
)

_WINDOW_BYTES: Final = 1 << 20
_INDEX_STEP_BYTES: Final = 256 * 1024


class Segment:
    """One segment file and what is known of it; the writer thread moves `end_offset`, readers only look.

    `end_offset` is the byte after the last whole frame, `last_seq` the sequence that ends there (`first_seq - 1` while
    the segment has no frame).
    """

    __slots__ = ("_index_offsets", "_index_seqs", "end_offset", "header", "last_seq", "path")

    def __init__(self, path: Path, header: SegmentHeader) -> None:
        self.path = path
        self.header = header
        self.end_offset = SEGMENT_START
        self.last_seq = header.first_seq - 1
        self._index_offsets = array("Q")
        self._index_seqs = array("Q")

    def __repr__(self) -> str:
        return (
            f"<Segment {self.path.name} {self.header.first_seq}..{self.last_seq} to byte {self.end_offset}>"
        )

    @property
    def first_seq(self) -> int:
        return self.header.first_seq

    def note_frame(self, first_seq: int, last_seq: int, size_bytes: int) -> None:
        """A whole frame of `size_bytes` now lies at `end_offset`. Keeps a sparse index for readers."""
        if not self._index_offsets or self.end_offset - self._index_offsets[-1] >= _INDEX_STEP_BYTES:
            self._index_offsets.append(self.end_offset)
            self._index_seqs.append(first_seq)
        self.end_offset += size_bytes
        self.last_seq = last_seq

    def offset_at_or_before(self, seq: int) -> int:
        """Where a frame starts from which reading forward reaches `seq`; at most one index step too early."""
        place = bisect_right(self._index_seqs, seq) - 1
        return self._index_offsets[place] if place >= 0 else SEGMENT_START


class SegmentWindow:
    """A file read through a buffer of bounded size. What lies beyond the end of the file reads as zeros."""

    def __init__(self, disk: Disk, fd: int) -> None:
        self._disk = disk
        self._fd = fd
        self._start = 0
        self._data = b""

    def get(self, offset: int, size_bytes: int) -> tuple[bytes, int]:
        """A buffer that holds `size_bytes` from `offset` of the file, and the place in it where they start."""
        place = offset - self._start
        if place < 0 or place + size_bytes > len(self._data):
            wanted = max(size_bytes, _WINDOW_BYTES)
            self._data = self._disk.pread(self._fd, wanted, offset).ljust(size_bytes, b"\0")
            self._start = offset
            place = 0
        return self._data, place

    def frame_header(self, offset: int) -> FrameHeader | None:
        """The frame header at `offset`, or None when there is no good one."""
        data, place = self.get(offset, FRAME_HEADER_BYTES)
        return decode_frame_header(data, place)


def read_records(
    disk: Disk, segments: Sequence[Segment], from_seq: int, up_to_seq: int
) -> Generator[tuple[int, bytes], None, None]:
    """(sequence, record) from `from_seq` to `up_to_seq`, both included, lazily and with one window in memory.

    Checksums are checked again. Raises `JournalPruned` when `from_seq` is no longer kept and `JournalCorrupt` when a
    frame that was whole when the journal was opened or written no longer is.
    """
    if from_seq > up_to_seq:
        return
    if not segments or from_seq < segments[0].first_seq:
        raise JournalPruned(from_seq, segments[0].first_seq if segments else 0)
    place = bisect_right([segment.first_seq for segment in segments], from_seq) - 1
    for segment in segments[place:]:
        if segment.first_seq > up_to_seq:
            return
        for header, records in _frames_from(disk, segment, from_seq, up_to_seq):
            first_seq = header.first_seq
            start = max(from_seq - first_seq, 0)
            end = up_to_seq - first_seq + 1
            yield from enumerate(records[start:end], first_seq + start)


def read_frames(
    disk: Disk, segments: Sequence[Segment], up_to_seq: int
) -> Iterator[tuple[FrameHeader, list[bytes]]]:
    """Every frame that begins at or before `up_to_seq`, whole, with its records. Raises as `read_records`."""
    for segment in segments:
        yield from _frames_from(disk, segment, segment.first_seq, up_to_seq)


def _frames_from(
    disk: Disk, segment: Segment, from_seq: int, up_to_seq: int
) -> Iterator[tuple[FrameHeader, list[bytes]]]:
    """Header and records of the segment's frames that hold any of `from_seq` to `up_to_seq`."""
    fd = disk.open(segment.path)
    try:
        window = SegmentWindow(disk, fd)
        offset = segment.offset_at_or_before(from_seq)
        last_seq = segment.first_seq - 1
        while last_seq < up_to_seq and offset < segment.end_offset:
            header = window.frame_header(offset)
            if header is None:
                raise JournalCorrupt(segment.path, offset, last_seq + 1, "no frame where one was written")
            if header.last_seq >= from_seq:
                yield header, _records_at(window, segment, offset, header)
            last_seq = header.last_seq
            offset += header.size_bytes
    finally:
        disk.close(fd)


def _records_at(window: SegmentWindow, segment: Segment, offset: int, header: FrameHeader) -> list[bytes]:
    data, place = window.get(offset, header.size_bytes)
    fault = frame_body_fault(data, place, header)
    records = None if fault else split_payload(data, place, header)
    if records is None:
        reason = fault or "record lengths do not add up"
        raise JournalCorrupt(segment.path, offset, header.first_seq, reason)
    return records


def bytes_after(segments: Sequence[Segment], from_seq: int) -> int:
    """About how many bytes on disk hold what comes after `from_seq`; exact to one index step."""
    total = 0
    for segment in segments:
        if segment.last_seq <= from_seq:
            continue
        start = SEGMENT_START if from_seq < segment.first_seq else segment.offset_at_or_before(from_seq + 1)
        total += segment.end_offset - start
    return total
