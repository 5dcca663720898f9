"""Reads a whole journal at start and decides: sound, torn at its end, short, or corrupt. It changes nothing on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from server.disk import Disk
from server.journal_errors import JournalCorrupt, JournalShort
from server.journal_frame import (
    BLOCK_BYTES,
    SEGMENT_START,
    ZERO_HASH,
    CleanMark,
    FrameHeader,
    decode_clean_mark,
    decode_segment_header,
    frame_body_fault,
    frame_hash,
    is_supported_format,
    split_payload,
)
from server.journal_reader import Segment, SegmentWindow

CLEAN_MARK_NAME: Final = "clean-shutdown"
_SEARCH_BYTES: Final = 1 << 20

ScanProgress = Callable[[int, int], None]


class TornTail(msgspec.Struct, frozen=True):
    """Bytes after the last whole frame that never became durable: `offset` up to `end` in the file `path`."""

    path: Path
    offset: int
    end: int
    seq: int


class JournalScan(msgspec.Struct, frozen=True):
    """What a sound journal holds. `last_seq` is 0 and `segments` empty in a folder that was never written."""

    segments: tuple[Segment, ...]
    last_seq: int
    last_hash: bytes
    known_durable_seq: int
    torn: TornTail | None
    clean: bool


def segment_name(first_seq: int) -> str:
    """File name of the segment whose first record is `first_seq`; names sort like sequences."""
    return f"segment-{first_seq:020d}.kj"


def segment_paths(disk: Disk, folder: Path) -> list[Path]:
    """The segment files of the folder, oldest first."""
    return [
        folder / name for name in disk.listdir(folder) if name.startswith("segment-") and name.endswith(".kj")
    ]


def scan_journal(
    disk: Disk,
    folder: Path,
    journal_id: bytes,
    known_durable_seq: int,
    progress: ScanProgress = lambda done_bytes, total_bytes: None,
    *,
    up_to_seq: int | None = None,
) -> JournalScan:
    """Check every frame of the journal in `folder`. `known_durable_seq` is what the caller knows to be durable.

    With `up_to_seq` only the frames up to that sequence: what comes after it may be about to be written by another
    process, and half of it be seen here.

    Raises `JournalCorrupt` for anything that a crash cannot explain, `JournalShort` when the journal ends cleanly but
    before `known_durable_seq`. `progress(done_bytes, total_bytes)` is called once a segment.
    """
    return _Scan(disk, folder, journal_id, known_durable_seq, up_to_seq).run(progress)


class _Scan:
    """The walk over all segments; `expected` is the next sequence, `chain` the hash of the frame before it."""

    def __init__(
        self, disk: Disk, folder: Path, journal_id: bytes, known_durable_seq: int, up_to_seq: int | None
    ) -> None:
        self.disk = disk
        self.up_to_seq = up_to_seq
        self.folder = folder
        self.journal_id = journal_id
        self.caller_seq = known_durable_seq
        self.mark = self._read_mark()
        self.durable = max(known_durable_seq, self.mark.last_seq if self.mark else 0)
        self.expected = 1
        self.chain = ZERO_HASH

    def run(self, progress: ScanProgress) -> JournalScan:
        paths = segment_paths(self.disk, self.folder)
        sizes = [self.disk.size_bytes(path) for path in paths]
        segments: list[Segment] = []
        torn = None
        for place, path in enumerate(paths):
            is_last = place == len(paths) - 1
            segment = self._open_segment(path, sizes[place], segments[-1] if segments else None, is_last)
            torn = self._walk(segment, sizes[place], is_last)
            segments.append(segment)
            progress(sum(sizes[: place + 1]), sum(sizes))
            if self._is_enough():
                break
        if not self._is_enough():
            self._check_end(segments)
        last_seq = self.expected - 1
        is_clean = self.mark is not None and self.mark.last_seq == last_seq and torn is None
        return JournalScan(tuple(segments), last_seq, self.chain, self.durable, torn, is_clean)

    def _is_enough(self) -> bool:
        return self.up_to_seq is not None and self.expected > self.up_to_seq

    def _read_mark(self) -> CleanMark | None:
        path = self.folder / CLEAN_MARK_NAME
        if not self.disk.exists(path):
            return None
        mark = decode_clean_mark(self.disk.read_file(path))
        if mark is None:
            raise JournalCorrupt(path, 0, 0, "the clean-shutdown mark is damaged")
        if mark.journal_id != self.journal_id:
            raise JournalCorrupt(path, 0, 0, "the clean-shutdown mark is of another journal")
        return mark

    def _open_segment(self, path: Path, size_bytes: int, previous: Segment | None, is_last: bool) -> Segment:
        fd = self.disk.open(path)
        try:
            header = decode_segment_header(self.disk.pread(fd, SEGMENT_START, 0))
        finally:
            self.disk.close(fd)
        if header is None:
            raise JournalCorrupt(path, 0, self.expected, "the segment header is damaged")
        if header.journal_id != self.journal_id:
            raise JournalCorrupt(path, 0, self.expected, f"it belongs to journal {header.journal_id.hex()}")
        if path.name != segment_name(header.first_seq):
            raise JournalCorrupt(path, 0, self.expected, f"its header says it starts at {header.first_seq}")
        if previous is None:
            self._start_at(path, header.first_seq, header.previous_hash)
        elif header.index != previous.header.index + 1:
            raise JournalCorrupt(
                path, 0, self.expected, f"a segment is missing before it: index {header.index}"
            )
        elif header.first_seq != self.expected:
            raise JournalCorrupt(path, 0, self.expected, f"gap: the segment starts at {header.first_seq}")
        elif header.previous_hash != self.chain:
            raise JournalCorrupt(path, 0, self.expected, "the hash chain is broken between segments")
        if size_bytes > header.capacity_bytes or (size_bytes < header.capacity_bytes and not is_last):
            reason = f"the file has {size_bytes} bytes instead of {header.capacity_bytes}"
            raise JournalCorrupt(path, min(size_bytes, header.capacity_bytes), self.expected, reason)
        return Segment(path, header)

    def _start_at(self, path: Path, first_seq: int, previous_hash: bytes) -> None:
        """The oldest segment: retention may have removed those before it, but never past what the caller has."""
        if first_seq > self.caller_seq + 1:
            raise JournalCorrupt(
                path, 0, self.caller_seq + 1, f"missing segment: the oldest starts at {first_seq}"
            )
        if first_seq == 1 and previous_hash != ZERO_HASH:
            raise JournalCorrupt(path, 0, 1, "the hash chain does not start with zeros")
        self.expected = first_seq
        self.chain = previous_hash

    def _walk(self, segment: Segment, size_bytes: int, is_last: bool) -> TornTail | None:
        fd = self.disk.open(segment.path)
        try:
            window = SegmentWindow(self.disk, fd)
            fault: str | None = None
            while segment.end_offset < segment.header.capacity_bytes and not self._is_enough():
                header = window.frame_header(segment.end_offset)
                if header is None:
                    fault = "no valid frame header"
                    break
                self._check_header(segment, header)
                data, place = window.get(segment.end_offset, header.size_bytes)
                fault = frame_body_fault(data, place, header)
                if fault is not None:
                    break
                if split_payload(data, place, header) is None:
                    raise self._corrupt(segment, segment.end_offset, "record lengths do not add up")
                self.chain = frame_hash(data[place : place + header.body_bytes])
                self.expected = header.last_seq + 1
                segment.note_frame(header.first_seq, header.last_seq, header.size_bytes)
            return self._judge_rest(segment, fd, size_bytes, is_last, fault) if fault else None
        finally:
            self.disk.close(fd)

    def _check_header(self, segment: Segment, header: FrameHeader) -> None:
        """A header whose checksum agrees was written by Kerb: a contradiction in it is never a torn write."""
        offset = segment.end_offset
        if header.journal_id != self.journal_id:
            raise self._corrupt(segment, offset, f"a frame of journal {header.journal_id.hex()}")
        if not is_supported_format(header):
            raise self._corrupt(segment, offset, f"frame format {header.format} is not known to this version")
        if header.first_seq != self.expected or header.last_seq < header.first_seq:
            raise self._corrupt(
                segment, offset, f"gap: the frame holds {header.first_seq} to {header.last_seq}"
            )
        if header.previous_hash != self.chain:
            raise self._corrupt(segment, offset, "the hash chain is broken")
        if header.durable_seq >= header.first_seq:
            raise self._corrupt(
                segment, offset, f"the frame claims {header.durable_seq} durable before itself"
            )
        if offset + header.size_bytes > segment.header.capacity_bytes:
            raise self._corrupt(
                segment, offset, f"a frame of {header.size_bytes} bytes passes the segment's end"
            )
        self.durable = max(self.durable, header.durable_seq)

    def _judge_rest(
        self, segment: Segment, fd: int, size_bytes: int, is_last: bool, fault: str
    ) -> TornTail | None:
        """What follows the last whole frame: nothing (None), a torn tail, or the evidence of corruption (raised)."""
        offset = segment.end_offset
        end = self._end_of_content(fd, offset, size_bytes)
        if end == offset:
            return None
        if self.expected <= self.durable:
            raise self._corrupt(segment, offset, f"{fault}, though sequence {self.durable} is known durable")
        if not is_last:
            raise self._corrupt(segment, offset, f"{fault}, though a later segment follows")
        later = self._later_header(fd, offset + BLOCK_BYTES, end)
        if later is not None:
            raise self._corrupt(segment, offset, f"{fault}, though a later frame follows at byte {later}")
        return TornTail(segment.path, offset, end, self.expected)

    def _end_of_content(self, fd: int, offset: int, size_bytes: int) -> int:
        """The byte after the last one that is not zero, or `offset` when only zeros follow it."""
        end = offset
        while offset < size_bytes and (data := self.disk.pread(fd, _SEARCH_BYTES, offset)):
            if content := data.rstrip(b"\0"):
                end = offset + len(content)
            offset += len(data)
        return end

    def _later_header(self, fd: int, offset: int, end: int) -> int | None:
        """Where a good frame header stands at or after `offset`: nothing that a single torn write leaves behind."""
        window = SegmentWindow(self.disk, fd)
        for place in range(offset, end, BLOCK_BYTES):
            if window.frame_header(place) is not None:
                return place
        return None

    def _check_end(self, segments: list[Segment]) -> None:
        last_seq = self.expected - 1
        if self.mark is not None and (
            last_seq < self.mark.last_seq
            or (last_seq == self.mark.last_seq and self.chain != self.mark.last_hash)
        ):
            path = segments[-1].path if segments else self.folder
            offset = segments[-1].end_offset if segments else 0
            reason = f"it does not end as it was shut down, at sequence {self.mark.last_seq}"
            raise JournalCorrupt(path, offset, self.expected, reason)
        if last_seq < self.durable:
            raise JournalShort(self.folder, last_seq, self.durable)

    def _corrupt(self, segment: Segment, offset: int, reason: str) -> JournalCorrupt:
        return JournalCorrupt(segment.path, offset, self.expected, reason)
