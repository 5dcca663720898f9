"""Writes a backup's journal anew, up to any of its records, as a journal with an id of its own.

The restored Kerb goes its own way from there. Had it the old id, its database and its backups could be mistaken for those of
the Kerb that was backed up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from server.backup_manifest import BackupError, SegmentCopy
from server.codec import decode_record
from server.disk import Disk
from server.journal_errors import JournalError
from server.journal_frame import SEGMENT_START, ZERO_HASH, decode_segment_header, encode_frame
from server.journal_reader import Segment, read_frames
from server.journal_scan import scan_journal, segment_name
from server.journal_segments import SegmentStore
from server.progress import Progress

FRAME_RECORDS_MAX: Final = 4_096
FRAME_BYTES_MAX: Final = 1 << 20
"""Groups are put together up to so much, which costs less syncs; a larger one stays as it is."""


class _BackupDisk(Disk):
    """A chain of copies under the names that a journal's folder has."""

    def __init__(self, folder: Path, chain: list[SegmentCopy]) -> None:
        self._paths = {segment_name(each.first_seq): folder / each.file.path for each in chain}

    def listdir(self, folder: Path) -> list[str]:
        return sorted(self._paths)

    def open(self, path: Path, *, writable: bool = False) -> int:
        return super().open(self._paths[path.name])

    def size_bytes(self, path: Path) -> int:
        """Of the segment: what was only reserved in it was not copied."""
        with self._paths[path.name].open("rb") as file:
            header = decode_segment_header(file.read(SEGMENT_START))
        return super().size_bytes(self._paths[path.name]) if header is None else header.capacity_bytes

    def exists(self, path: Path) -> bool:
        return path.name in self._paths


class End(NamedTuple):
    """The last record of a restored journal: its sequence, and its time in microseconds of the market's clock."""

    seq: int
    us: int


class Chain(Struct, frozen=True):
    """A run of copied segments without a gap, every frame of which has been checked."""

    disk: Disk
    segments: tuple[Segment, ...]
    first_seq: int
    last_seq: int

    def end_at(self, seq: int) -> End:
        """The record with a sequence of this chain."""
        for header, records in read_frames(self.disk, _from(self.segments, seq), seq):
            if header.first_seq <= seq <= header.last_seq:
                return End(seq, decode_record(records[seq - header.first_seq]).now_us)
        raise BackupError(f"record {seq} is not in the backup")

    def end_before(self, us: int) -> End | None:
        """The last record whose time is not after this one; None when all are."""
        found: End | None = None
        for segment in self.segments:
            for header, records in read_frames(self.disk, (segment,), segment.last_seq):
                first = decode_record(records[0])
                if first.now_us > us:
                    return found if found is None else self._last_before(found.seq, header.first_seq, us)
                found = End(header.first_seq, first.now_us)
        return found if found is None else self._last_before(found.seq, self.last_seq + 1, us)

    def _last_before(self, from_seq: int, before_seq: int, us: int) -> End:
        """Within one frame: its first record's time is not after `us`."""
        found = End(from_seq, 0)
        for header, records in read_frames(self.disk, _from(self.segments, from_seq), from_seq):
            if header.last_seq < from_seq:
                continue
            for seq, data in enumerate(records, header.first_seq):
                record = decode_record(data)
                if record.now_us > us or seq >= before_seq:
                    return found
                found = End(seq, record.now_us)
        return found


def _from(segments: tuple[Segment, ...], seq: int) -> tuple[Segment, ...]:
    return tuple(segment for segment in segments if segment.last_seq >= seq)


def open_chain(folder: Path, copies: list[SegmentCopy], journal_id: bytes) -> Chain:
    """Check every frame of a run of segments. Raises BackupError where they are not what a journal was."""
    disk = _BackupDisk(folder, copies)
    try:
        scan = scan_journal(disk, folder / "journal", journal_id, copies[-1].last_seq)
    except JournalError as error:
        raise BackupError(f"the journal in the backup is damaged: {error}") from error
    return Chain(disk, scan.segments, copies[0].first_seq, scan.last_seq)


def write_journal(chain: Chain, end_seq: int, folder: Path, journal_id: bytes, segment_bytes: int) -> None:
    """The chain's records up to `end_seq`, durably, as the journal `journal_id` in an empty folder; it is marked clean."""
    disk = Disk()
    disk.make_folder(folder)
    store = SegmentStore(disk, folder, journal_id, segment_bytes, ())
    progress = Progress("writing the journal")
    store.begin_at(chain.first_seq)
    chain_hash, seq = ZERO_HASH, chain.first_seq
    try:
        for engine_version, records in _groups(chain, end_seq):
            previous = chain_hash
            frame, chain_hash = encode_frame(
                records,
                journal_id=journal_id,
                engine_version=engine_version,
                first_seq=seq,
                durable_seq=seq - 1,
                previous_hash=previous,
            )
            store.write_frame(frame, seq, seq + len(records) - 1, previous)
            seq += len(records)
            progress(seq - chain.first_seq, end_seq - chain.first_seq + 1)
        store.write_clean_mark(end_seq, chain_hash)
    finally:
        store.close()
    progress.finish()


def _groups(chain: Chain, end_seq: int) -> Iterator[tuple[int, list[bytes]]]:
    """(engine version, records): what one frame is to hold, in order, up to `end_seq`."""
    version, group, size = 0, list[bytes](), 0
    for header, records in read_frames(chain.disk, chain.segments, end_seq):
        wanted = records[: end_seq - header.first_seq + 1]
        is_full = (
            len(group) + len(wanted) > FRAME_RECORDS_MAX or size + header.payload_bytes > FRAME_BYTES_MAX
        )
        if group and (is_full or header.engine_version != version):
            yield version, group
            group, size = [], 0
        version = header.engine_version
        group += wanted
        size += header.payload_bytes
    if group:
        yield version, group
