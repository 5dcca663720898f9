"""The thin file layer under the journal: every system call that durability depends on goes through one `Disk`.

Tests replace it by a subclass that fails, blocks or lies. Paths are `pathlib.Path`, sizes and offsets are bytes, and
nothing here retries: an error of the kernel is raised as the `OSError` that it is.
"""

import errno
import os
from pathlib import Path

_ZEROS = bytes(1 << 20)


class ShortWrite(OSError):
    """The kernel took fewer bytes than it was given. It is never retried: the disk is full or failing."""

    def __init__(self, written: int, wanted: int) -> None:
        super().__init__(errno.EIO, f"short write: {written} of {wanted} bytes")


class Disk:
    """The real disk. The first group of methods are single system calls; the second is built on the first alone."""

    def create(self, path: Path) -> int:
        """An empty file for reading and writing, mode 0600; a file of that name is emptied. Returns the descriptor."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def open(self, path: Path, *, writable: bool = False) -> int:
        """An existing file. Returns the descriptor."""
        return os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)

    def close(self, fd: int) -> None:
        os.close(fd)

    def pread(self, fd: int, size_bytes: int, offset: int) -> bytes:
        """At most `size_bytes`; less only at the end of the file."""
        return os.pread(fd, size_bytes, offset)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        """Returns the bytes taken, which may be fewer than given."""
        return os.pwrite(fd, data, offset)

    def fdatasync(self, fd: int) -> None:
        os.fdatasync(fd)

    def fsync_dir(self, folder: Path) -> None:
        """Make the creations, renames and removals in `folder` durable."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def fallocate(self, fd: int, size_bytes: int) -> None:
        """Reserve `size_bytes` from the start of the file; they read as zeros."""
        os.posix_fallocate(fd, 0, size_bytes)

    def drop_cache(self, fd: int) -> None:
        """Forget the clean cached pages, so that the next read comes from the device and not from a lost write."""
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def make_folder(self, path: Path) -> None:
        """Create the folder and its parents, mode 0700; an existing one is left as it is."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def listdir(self, folder: Path) -> list[str]:
        """The names in `folder`, sorted."""
        return sorted(os.listdir(folder))

    def exists(self, path: Path) -> bool:
        return path.exists()

    def size_bytes(self, path: Path) -> int:
        return os.stat(path).st_size

    def modified_s(self, path: Path) -> float:
        """When the content last changed, in seconds since the epoch."""
        return os.stat(path).st_mtime

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        """One write of the whole of `data`; raises `ShortWrite` when the kernel takes less."""
        written = self.pwrite(fd, data, offset)
        if written != len(data):
            raise ShortWrite(written, len(data))

    def write_zeros(self, fd: int, offset: int, end: int) -> None:
        """Zeros from `offset` up to `end`, not synced."""
        while offset < end:
            step = min(len(_ZEROS), end - offset)
            self.write_all(fd, _ZEROS[:step], offset)
            offset += step

    def read_file(self, path: Path) -> bytes:
        """The whole of a small file."""
        fd = self.open(path)
        try:
            parts: list[bytes] = []
            offset = 0
            while part := self.pread(fd, 1 << 20, offset):
                parts.append(part)
                offset += len(part)
            return b"".join(parts)
        finally:
            self.close(fd)

    def replace_file(self, path: Path, data: bytes) -> None:
        """Put `data` at `path` durably and whole: temporary file, sync, rename, sync of the folder."""
        temporary = path.with_name(path.name + ".tmp")
        fd = self.create(temporary)
        try:
            self.write_all(fd, data, 0)
            self.fdatasync(fd)
        finally:
            self.close(fd)
        self.rename(temporary, path)
        self.fsync_dir(path.parent)

    def remove_file(self, path: Path) -> None:
        """Remove `path` durably."""
        self.unlink(path)
        self.fsync_dir(path.parent)
