"""Makes a backup beside a running Kerb, or of one that is stopped: a dump of PostgreSQL, then the journal that goes on from it.

1. the watermark and a dump, of one snapshot            3. check the chain of what is new, copy it
2. pin the journal's segments: they reach beyond it     4. the manifest takes the place of the one before

The dump is older than the end of the journal, so nothing lies between them. Segments that an earlier run has copied whole
are not copied again. A run that is cut off leaves the backup as it was.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from config.settings import Settings
from engine.apply import ENGINE_VERSION
from server.backup_manifest import (
    FOLDERS,
    NAME,
    BackupError,
    Dump,
    File,
    Manifest,
    SegmentCopy,
    describe,
    read_manifest,
    write_manifest,
)
from server.clock import WallClock
from server.data_folder import DataFolder
from server.database_server import is_owned, open_database_server
from server.disk import Disk
from server.journal_outside import PinnedDisk, durable_end
from server.journal_progress import ScanProgress
from server.journal_reader import Segment
from server.journal_scan import scan_journal
from server.postgres_tools import dump
from sql.backups import SCHEMA, SNAPSHOT
from sql.statements import READ_POSITION

FILES: Final = ("market-clock", "jwt_secret", "gate_secret", "poison/*.command")
"""What a start needs of a data folder besides the journal and its name."""

_COPY_BYTES: Final = 1 << 20


class BackedUp(Struct, frozen=True):
    """What a run has added, and what the backup holds now. `gap`: records that the journal no longer had."""

    manifest: Manifest
    new_segments: int
    new_bytes: int
    gap: str = ""

    def __str__(self) -> str:
        chain = self.manifest.chains()[-1]
        return (
            f"journal {self.manifest.journal_id}: records {chain[0].first_seq} to {chain[-1].last_seq}, "
            f"{len(self.manifest.dumps)} dumps, the last at {self.manifest.dumps[-1].applied_seq}; "
            f"{self.new_segments} segments and {self.new_bytes} bytes are new{self.gap}"
        )


async def backup(settings: Settings, folder: Path, keep: int = 0) -> BackedUp:
    """Back up into `folder`, which is empty or holds an earlier backup of the same journal; `keep` the newest dumps, 0: all.

    Raises BackupError, and what server/start_faults.py lists.
    """
    journal_id = DataFolder.journal_id_in(settings.data_dir)
    if journal_id is None:
        raise BackupError(f"{settings.data_dir} holds no journal: there is nothing to back up")
    is_running = is_owned(settings.data_dir)
    with _own(folder):
        before = _before(folder, journal_id)
        async with open_database_server(settings, beside_a_running_kerb=True) as dsn:
            dumped = await _dump(dsn, folder, journal_id)
        segments, gap = await asyncio.to_thread(
            _copy_journal, settings.data_dir, folder, journal_id, dumped.applied_seq, before, is_running
        )
        dumps = (*(before.dumps if before else ()), dumped)[-keep:]
        files = tuple(_copy_files(settings.data_dir, folder))
        manifest = Manifest(journal_id.hex(), ENGINE_VERSION, segments, dumps, files)
        write_manifest(folder, manifest)
    known = set(before.all_files()) if before else set()
    size = sum(file.size_bytes for file in manifest.all_files() if file not in known)
    return BackedUp(manifest, sum(segment.file not in known for segment in segments), size, gap)


@contextmanager
def _own(folder: Path) -> Iterator[None]:
    """The folder for this process alone; made when it is missing, readable by its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if strange := {path.name for path in folder.iterdir()} - {NAME, f"{NAME}.tmp", *FOLDERS}:
            raise BackupError(
                f"{folder} holds {min(strange)}, which is no part of a backup; choose another folder"
            )
        for name in FOLDERS:
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        yield
    except BlockingIOError as error:
        raise BackupError(f"another backup into {folder} is under way") from error
    finally:
        os.close(fd)


def _before(folder: Path, journal_id: bytes) -> Manifest | None:
    if not (folder / NAME).exists():
        return None
    manifest = read_manifest(folder)
    if manifest.journal_id != journal_id.hex():
        raise BackupError(
            f"{folder} holds a backup of journal {manifest.journal_id}, this one is {journal_id.hex()}; choose another folder"
        )
    return manifest


async def _dump(dsn: str, folder: Path, journal_id: bytes) -> Dump:
    """PostgreSQL as of one snapshot, and the watermark in it."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "kerb-backup"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            position = await connection.fetchrow(READ_POSITION)
            if position is None or position["journal_id"] != journal_id:
                raise BackupError(
                    "the database was written from another journal than the one in the data folder"
                )
            snapshot = await connection.fetchval(SNAPSHOT)
            schema = await connection.fetchval(SCHEMA)
            taken_us, applied_seq = WallClock().now_us(), position["applied_seq"]
            path = folder / "database" / f"at-{applied_seq}-{taken_us}.dump"
            await dump(dsn, snapshot, path)
    finally:
        await connection.close()
    return Dump(applied_seq, taken_us, schema, await asyncio.to_thread(describe, folder, path))


class _NewSegments(PinnedDisk):
    """The journal as if those segments alone were there that are to be copied."""

    def __init__(self, folder: Path, whole: frozenset[int]) -> None:
        super().__init__(folder)
        self._whole = whole

    def listdir(self, folder: Path) -> list[str]:
        return [name for name in super().listdir(folder) if _first_seq(name) not in self._whole]


def _first_seq(name: str) -> int:
    return int(name.removeprefix("segment-").removesuffix(".kj"))


def _copy_journal(
    data_dir: Path,
    folder: Path,
    journal_id: bytes,
    applied_seq: int,
    before: Manifest | None,
    is_running: bool,
) -> tuple[tuple[SegmentCopy, ...], str]:
    """All segments of the backup, and what is missing between those of before and those that are new."""
    older = before.segments if before else ()
    kept = tuple(segment for segment in older if segment.is_whole)
    for segment in older:
        path = folder / segment.file.path
        if not path.is_file() or path.stat().st_size != segment.file.size_bytes:
            raise BackupError(f"{path} is missing or damaged: begin a new backup in another folder")
    whole = frozenset(segment.first_seq for segment in kept)
    journal = data_dir / DataFolder.JOURNAL_NAME
    with _NewSegments(journal, whole) as disk:
        names = disk.listdir(journal)
        if not names:
            raise BackupError(f"{journal} is empty: there is nothing to back up")
        known_seq = max(applied_seq, _first_seq(names[0]) - 1)
        up_to_seq = durable_end(disk, journal, journal_id, known_seq) if is_running else None
        scan = scan_journal(disk, journal, journal_id, known_seq, ScanProgress(), up_to_seq=up_to_seq)
        new = [
            _copy(disk, folder, older, segment, is_whole=number < len(scan.segments) - 1, last_hash=last_hash)
            for number, (segment, last_hash) in enumerate(_with_last_hash(scan.segments, scan.last_hash))
            if segment.last_seq >= segment.first_seq
        ]
    gap = ""
    if kept and new and new[0].first_seq != kept[-1].last_seq + 1:
        gap = (
            f"; records {kept[-1].last_seq + 1} to {new[0].first_seq - 1} were pruned before they were copied: back up "
            "more often than journal.retention_hours"
        )
    elif kept and new and new[0].previous_hash != kept[-1].last_hash:
        raise BackupError(
            "the journal does not go on where its backup ends: one of the two is a copy that went its own way"
        )
    return (*kept, *new), gap


def _with_last_hash(segments: tuple[Segment, ...], last_hash: bytes) -> Iterator[tuple[Segment, bytes]]:
    """Each segment, and the hash of its last frame: the next one's header carries it."""
    for place, segment in enumerate(segments):
        is_last = place == len(segments) - 1
        yield segment, last_hash if is_last else segments[place + 1].header.previous_hash


def _copy(
    disk: Disk,
    folder: Path,
    older: tuple[SegmentCopy, ...],
    segment: Segment,
    *,
    is_whole: bool,
    last_hash: bytes,
) -> SegmentCopy:
    """A segment up to its last frame that counts; what was only reserved is not copied, nor what has been copied so before."""
    for copied in older[-1:]:
        if (copied.first_seq, copied.last_hash) == (segment.first_seq, last_hash.hex()):
            return replace(copied, is_whole=is_whole)
    path = folder / "journal" / f"segment-{segment.first_seq:020d}-{segment.last_seq:020d}.kj"
    fd = disk.open(segment.path)
    try:
        with path.open("wb") as copy:
            offset = 0
            while offset < segment.end_offset:
                block = disk.pread(fd, min(_COPY_BYTES, segment.end_offset - offset), offset)
                copy.write(block)
                offset += len(block)
    finally:
        disk.close(fd)
    hashes = segment.header.previous_hash.hex(), last_hash.hex()
    return SegmentCopy(segment.first_seq, segment.last_seq, *hashes, is_whole, describe(folder, path))


def _copy_files(data_dir: Path, folder: Path) -> Iterator[File]:
    for pattern in FILES:
        for path in sorted(data_dir.glob(pattern)):
            data = path.read_bytes()
            copy = folder / "files" / f"{path.name}.{sha256(data).hexdigest()[:16]}"
            if not copy.exists():
                Disk().replace_file(copy, data)
            yield describe(folder, copy)
