"""What a backup's folder holds: the manifest names every file with its size and SHA-256, and is itself checked.

manifest.json             written last, whole or not at all: what it does not name is no part of the backup
journal/                  copies of segments, each named by the first and the last sequence that it holds
database/                 a dump of PostgreSQL for each run, named by the sequence that was applied
files/                    the rest of the data folder that a start needs, each named with a digest of its content
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from server.disk import Disk
from server.progress import Progress

NAME: Final = "manifest.json"
FOLDERS: Final = ("journal", "database", "files")
FORMAT: Final = 1
_BLOCK_BYTES: Final = 1 << 20


class BackupError(Exception):
    """The backup cannot be made, is damaged, or does not hold what was asked for; the text says what to do."""


class File(Struct, frozen=True):
    """One file: its path below the backup's folder, its size and its SHA-256 in hex."""

    path: str
    size_bytes: int
    sha256: str


class SegmentCopy(Struct, frozen=True):
    """A segment of the journal, whole or (the last one) as far as it was durable. Hashes are those of the frames' chain."""

    first_seq: int
    last_seq: int
    previous_hash: str
    last_hash: str
    is_whole: bool
    file: File


class Dump(Struct, frozen=True):
    """PostgreSQL at one moment: `applied_seq` is its watermark, `taken_us` wall time, `schema` the last migration's number."""

    applied_seq: int
    taken_us: int
    schema: int
    file: File


class Manifest(Struct, frozen=True):
    """A whole backup of one journal; segments and dumps in order."""

    journal_id: str
    engine_version: int
    segments: tuple[SegmentCopy, ...]
    dumps: tuple[Dump, ...]
    files: tuple[File, ...]
    format: int = FORMAT

    def all_files(self) -> Iterator[File]:
        """Every file of the backup, the manifest aside."""
        yield from (segment.file for segment in self.segments)
        yield from (dump.file for dump in self.dumps)
        yield from self.files

    def chains(self) -> list[list[SegmentCopy]]:
        """The segments in runs without a gap: where the journal was pruned before it was copied, another run begins."""
        chains: list[list[SegmentCopy]] = []
        for segment in self.segments:
            if not chains or segment.first_seq != chains[-1][-1].last_seq + 1:
                chains.append([])
            chains[-1].append(segment)
        return chains


class _Sealed(Struct, frozen=True):
    sha256: str
    manifest: msgspec.Raw


def read_manifest(folder: Path) -> Manifest:
    """The backup in a folder. Raises BackupError where there is none, or one that is damaged or of another version."""
    path = folder / NAME
    try:
        sealed = msgspec.json.decode(path.read_bytes(), type=_Sealed)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            raise BackupError(f"{path} is damaged: its checksum does not agree")
        manifest = msgspec.json.decode(sealed.manifest, type=Manifest)
    except FileNotFoundError as error:
        raise BackupError(f"{folder} holds no backup: {NAME} is missing") from error
    except msgspec.MsgspecError as error:
        raise BackupError(f"{path} is damaged: {error}") from error
    if manifest.format != FORMAT:
        raise BackupError(f"{path} has format {manifest.format}, this Kerb reads {FORMAT}")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place, durably, then remove what it does not name."""
    for name in FOLDERS:
        Disk().fsync_dir(folder / name)
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    sealed = _Sealed(hashlib.sha256(content).hexdigest(), msgspec.Raw(content))
    Disk().replace_file(folder / NAME, msgspec.json.encode(sealed))
    named = {folder / file.path for file in manifest.all_files()}
    for name in FOLDERS:
        for path in (folder / name).iterdir():
            if path not in named:
                path.unlink()


def describe(folder: Path, path: Path) -> File:
    """A file that is to be named in the manifest; it is made durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return File(str(path.relative_to(folder)), path.stat().st_size, _sha256(path))


def check_files(folder: Path, manifest: Manifest) -> None:
    """Read every file again. Raises BackupError naming the first that is missing or not what was written."""
    progress = Progress("checking the backup, MiB")
    total = sum(file.size_bytes for file in manifest.all_files())
    done = 0
    for file in manifest.all_files():
        path = folder / file.path
        if not path.is_file():
            raise BackupError(f"{path} is missing")
        if path.stat().st_size != file.size_bytes or _sha256(path) != file.sha256:
            raise BackupError(f"{path} is damaged: it is not what the backup wrote")
        done += file.size_bytes
        progress(done >> 20, total >> 20)
    progress.finish()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
