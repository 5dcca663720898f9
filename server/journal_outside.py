"""Reads a journal that another process may be writing and pruning meanwhile. It changes nothing on disk.

Each frame says up to which sequence the journal was durable when the frame was written. What lies up to there was synced
before, so it is whole, however much is being written behind it. The last group itself is believed only when a later one,
the clean mark or Postgres says so.
"""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from server.disk import Disk
from server.journal_frame import SEGMENT_START, decode_clean_mark
from server.journal_reader import SegmentWindow
from server.journal_scan import CLEAN_MARK_NAME, segment_name, segment_paths


class PinnedDisk(Disk):
    """A journal's folder as it was at one moment: its segments stay readable although their owner removes them.

    One descriptor a segment; the process's soft limit is raised to the hard one.
    """

    def __init__(self, folder: Path) -> None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._fds: dict[Path, int] = {}
        if folder.is_dir():
            for path in segment_paths(Disk(), folder):
                with suppress(FileNotFoundError):  # pruned since it was listed, and so not needed
                    self._fds[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __repr__(self) -> str:
        return f"<PinnedDisk {len(self._fds)} segments>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()

    def listdir(self, folder: Path) -> list[str]:
        """The segments' names alone, sorted."""
        return sorted(path.name for path in self._fds)

    def open(self, path: Path, *, writable: bool = False) -> int:
        """A descriptor of its own, for reading only."""
        fd = self._fds.get(path)
        return super().open(path) if fd is None else os.dup(fd)

    def size_bytes(self, path: Path) -> int:
        """Of a pinned segment, also of one that is removed."""
        fd = self._fds.get(path)
        return super().size_bytes(path) if fd is None else os.fstat(fd).st_size


def durable_end(disk: Disk, folder: Path, journal_id: bytes, from_seq: int) -> int:
    """The highest sequence that the journal itself says to be durable, and at least `from_seq`, which is known to be."""
    durable = max(from_seq, _clean_end(disk, folder, journal_id))
    paths = {path.name: path for path in segment_paths(disk, folder)}
    started = [name for name in paths if name <= segment_name(from_seq + 1)]
    name = max(started, default="")
    while (path := paths.get(name)) is not None:
        next_seq, claimed = _headers(disk, path, journal_id)
        durable = max(durable, claimed)
        name = segment_name(next_seq)
        if path.name == name:
            break
    return durable


def _clean_end(disk: Disk, folder: Path, journal_id: bytes) -> int:
    path = folder / CLEAN_MARK_NAME
    try:
        mark = decode_clean_mark(disk.read_file(path)) if disk.exists(path) else None
    except FileNotFoundError:  # a server has just started
        return 0
    return mark.last_seq if mark is not None and mark.journal_id == journal_id else 0


def _headers(disk: Disk, path: Path, journal_id: bytes) -> tuple[int, int]:
    """The sequence after a segment's last frame, and the highest that its frames say to be durable."""
    next_seq, durable, offset = int(path.stem.removeprefix("segment-")), 0, SEGMENT_START
    fd = disk.open(path)
    try:
        window = SegmentWindow(disk, fd)
        while (header := window.frame_header(offset)) is not None and header.journal_id == journal_id:
            next_seq, durable = header.last_seq + 1, max(durable, header.durable_seq)
            offset += header.size_bytes
    finally:
        disk.close(fd)
    return next_seq, durable
