"""Puts frames into segment files: creates, zeroes ahead, rotates and prunes them, and repairs a torn tail.

Blocks that were written once are overwritten a third faster than blocks that are merely reserved (the file system has
no extents to convert at the sync), so a segment is filled with zeros before it is used, a step at a time.
"""

import threading
from pathlib import Path
from typing import Final

from server.disk import Disk
from server.journal_frame import (
    SEGMENT_START,
    ZERO_HASH,
    CleanMark,
    SegmentHeader,
    encode_clean_mark,
    encode_segment_header,
    round_up,
)
from server.journal_reader import Segment
from server.journal_scan import CLEAN_MARK_NAME, JournalScan, TornTail, segment_name, segment_paths

_NEXT_NAME: Final = "segment-next.tmp"
_LARGE_NAME: Final = "segment-large.tmp"
_ZERO_STEP_BYTES: Final = 1 << 20
SEGMENT_MIN_BYTES: Final = 2 * SEGMENT_START


def settle_last_segment(disk: Disk, folder: Path) -> None:
    """Before the scan: make what a killed process left in the cache durable, then read it back from the device.

    A frame that was never synced must not be believed because the page cache still shows it.
    """
    paths = segment_paths(disk, folder)
    disk.fsync_dir(folder)
    if not paths:
        return
    fd = disk.open(paths[-1], writable=True)
    try:
        disk.fdatasync(fd)
        disk.drop_cache(fd)
    finally:
        disk.close(fd)


class SegmentStore:
    """The segment files of one journal. One thread writes; `segments` may be read by any."""

    def __init__(
        self, disk: Disk, folder: Path, journal_id: bytes, segment_bytes: int, segments: tuple[Segment, ...]
    ) -> None:
        self._disk = disk
        self._folder = folder
        self._journal_id = journal_id
        self._segment_bytes = max(round_up(segment_bytes), SEGMENT_MIN_BYTES)
        self._guard = threading.Lock()
        self._next_fd = -1
        self._next_zeroed = 0
        self._fd = -1
        self.segments = segments

    def repair_and_open(self, scan: JournalScan) -> None:
        """Make the folder ready for writing after a sound scan: cut a torn tail, drop leftovers, open the last segment."""
        for name in self._disk.listdir(self._folder):
            if name.endswith(".tmp"):
                self._disk.remove_file(self._folder / name)
        if not self.segments:
            self.begin_at(1)
            return
        if scan.torn is not None:
            self._keep_torn_copy(scan.torn)
        active = self.segments[-1]
        self._fd = self._disk.open(active.path, writable=True)
        size_bytes = self._disk.size_bytes(active.path)
        if size_bytes < active.header.capacity_bytes:
            self._disk.fallocate(self._fd, active.header.capacity_bytes)
            self._disk.write_zeros(self._fd, size_bytes, active.header.capacity_bytes)
            self._disk.fdatasync(self._fd)
        if scan.torn is not None:
            self._disk.write_zeros(self._fd, scan.torn.offset, round_up(scan.torn.end))
            self._disk.fdatasync(self._fd)

    def begin_at(self, first_seq: int) -> None:
        """Make an empty folder ready for a journal whose earlier records are elsewhere."""
        self._create_segment(first_seq, ZERO_HASH, SEGMENT_MIN_BYTES - SEGMENT_START)

    def _keep_torn_copy(self, torn: TornTail) -> None:
        fd = self._disk.open(torn.path)
        try:
            data = self._disk.pread(fd, torn.end - torn.offset, torn.offset)
        finally:
            self._disk.close(fd)
        number = 1
        while self._disk.exists(path := self._folder / f"torn-{torn.seq}-{number}.bin"):
            number += 1
        self._disk.replace_file(path, data)

    def write_frame(self, frame: bytes, first_seq: int, last_seq: int, previous_hash: bytes) -> None:
        """Append one frame and make it durable. Raises `OSError`, after which nothing may be written any more."""
        active = self.segments[-1]
        if active.end_offset + len(frame) > active.header.capacity_bytes:
            self._create_segment(first_seq, previous_hash, len(frame))
            active = self.segments[-1]
        self._disk.write_all(self._fd, frame, active.end_offset)
        self._disk.fdatasync(self._fd)
        active.note_frame(first_seq, last_seq, len(frame))

    def prepare_ahead(self) -> None:
        """Keep the next segment zeroed in step with the use of this one, at most one step a call."""
        used = self.segments[-1].end_offset
        if self._next_zeroed < min(used, self._segment_bytes):
            self._zero_step()

    def _zero_step(self) -> None:
        if self._next_fd < 0:
            self._next_fd = self._disk.create(self._folder / _NEXT_NAME)
            self._disk.fallocate(self._next_fd, self._segment_bytes)
        end = min(self._next_zeroed + _ZERO_STEP_BYTES, self._segment_bytes)
        self._disk.write_zeros(self._next_fd, self._next_zeroed, end)
        self._disk.fdatasync(self._next_fd)
        self._next_zeroed = end

    def _create_segment(self, first_seq: int, previous_hash: bytes, frame_bytes: int) -> None:
        """Go over to a new segment that has room for a frame of `frame_bytes`, durable before it is used.

        A crash in a rotation leaves a last segment without any frame. When this frame does not fit it either, the new one
        takes its name, so it takes its place in the sequence of segments too.
        """
        capacity = self._segment_bytes
        if SEGMENT_START + frame_bytes > capacity:
            capacity = SEGMENT_START + frame_bytes
            temporary = self._folder / _LARGE_NAME
            fd = self._disk.create(temporary)
            self._disk.fallocate(fd, capacity)
        else:
            while self._next_zeroed < capacity:
                self._zero_step()
            temporary = self._folder / _NEXT_NAME
            fd, self._next_fd, self._next_zeroed = self._next_fd, -1, 0
        last = self.segments[-1] if self.segments else None
        replaces = last is not None and last.first_seq == first_seq
        index = 1 if last is None else last.header.index + (0 if replaces else 1)
        header = SegmentHeader(self._journal_id, index, first_seq, capacity, previous_hash)
        self._disk.write_all(fd, encode_segment_header(header), 0)
        self._disk.fdatasync(fd)
        path = self._folder / segment_name(first_seq)
        self._disk.rename(temporary, path)
        self._disk.fsync_dir(self._folder)
        if self._fd >= 0:
            self._disk.close(self._fd)
        self._fd = fd
        with self._guard:
            kept = self.segments[:-1] if replaces else self.segments  # without what was pruned meanwhile
            self.segments = (*kept, Segment(path, header))

    def prune(self, below_seq: int, older_than_s: float) -> list[Path]:
        """Remove, oldest first, the segments that end at or below `below_seq` and last changed before `older_than_s`.

        The segment being written always stays. Each removal is durable before the next, so that a crash leaves no hole.
        """
        removed: list[Path] = []
        while len(self.segments) > 1:
            oldest = self.segments[0]
            if oldest.last_seq > below_seq or self._disk.modified_s(oldest.path) >= older_than_s:
                break
            with self._guard:
                self.segments = self.segments[1:]
            self._disk.remove_file(oldest.path)
            removed.append(oldest.path)
        return removed

    def write_clean_mark(self, last_seq: int, last_hash: bytes) -> None:
        """Say durably that the journal ends here on purpose."""
        mark = CleanMark(self._journal_id, last_seq, last_hash)
        self._disk.replace_file(self._folder / CLEAN_MARK_NAME, encode_clean_mark(mark))

    def remove_clean_mark(self) -> None:
        """Take the mark back durably; to be done before the first write."""
        path = self._folder / CLEAN_MARK_NAME
        if self._disk.exists(path):
            self._disk.remove_file(path)

    def close(self) -> None:
        """Give the descriptors back; writes nothing."""
        for fd in (self._fd, self._next_fd):
            if fd >= 0:
                self._disk.close(fd)
        self._fd = self._next_fd = -1
