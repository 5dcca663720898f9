"""Disks for the journal's tests: the real one that records, blocks, fails at will, or loses what was not synced."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from server.disk import Disk
from server.journal import Journal

JOURNAL_ID = bytes(range(16))


def open_journal(
    folder: Path,
    known_durable_seq: int = 0,
    *,
    disk: Disk | None = None,
    segment_bytes: int = 1 << 20,
    retention_s: float = 0.0,
    tail_records: int = 1000,
    tail_bytes: int = 1 << 20,
) -> Journal:
    """A journal with the tests' identity and small segments."""
    return Journal.open(
        folder,
        known_durable_seq,
        journal_id=JOURNAL_ID,
        engine_version=7,
        segment_bytes=segment_bytes,
        retention_s=retention_s,
        tail_records=tail_records,
        tail_bytes=tail_bytes,
        disk=disk,
    )


def never(error: Exception) -> None:
    """The `on_failure` of journals that must not fail."""
    raise AssertionError(f"the journal failed: {error}")


def record(seq: int, size_bytes: int = 40) -> bytes:
    """A record that names its sequence."""
    return f"record {seq} ".encode().ljust(size_bytes, b".")


async def write_groups(journal: Journal, *groups: int, size_bytes: int = 40) -> None:
    """Append groups of so many records each, waiting for each to be durable: one frame a group."""
    for count in groups:
        # In one turn of the loop, so that they are handed over as one frame.
        for seq in range(journal.appended_seq + 1, journal.appended_seq + 1 + count):
            journal.append(seq, record(seq, size_bytes))
        await journal.wait_durable(journal.appended_seq)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the folder, to show that nothing was changed."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class FailingDisk(Disk):
    """Calls that `fails(name of the call)` says so raise `OSError(number)`; `short` makes every write a byte short."""

    def __init__(self) -> None:
        self.fails: Callable[[str], bool] = lambda call: False
        self.number = errno.EIO
        self.short = False
        self.calls: list[str] = []

    def fail_from(self, call: str, nth: int) -> None:
        """The `nth` call of that name from now on fails, and every one after it."""
        self.fails = lambda name: name == call and self.calls.count(call) >= nth

    def _call(self, call: str) -> None:
        self.calls.append(call)
        if self.fails(call):
            raise OSError(self.number, os.strerror(self.number))

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self._call("pwrite")
        return super().pwrite(fd, data[:-1] if self.short else data, offset)

    def fdatasync(self, fd: int) -> None:
        self._call("fdatasync")
        super().fdatasync(fd)

    def fsync_dir(self, folder: Path) -> None:
        self._call("fsync_dir")
        super().fsync_dir(folder)

    def fallocate(self, fd: int, size_bytes: int) -> None:
        self._call("fallocate")
        super().fallocate(fd, size_bytes)

    def rename(self, source: Path, target: Path) -> None:
        self._call("rename")
        super().rename(source, target)


class GatedDisk(FailingDisk):
    """fdatasync says that it has `arrived` and waits until `gate` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()

    def fdatasync(self, fd: int) -> None:
        self.arrived.set()
        assert self.gate.wait(30)
        super().fdatasync(fd)


class PowerLossDisk(Disk):
    """Remembers what has been synced: contents by fdatasync, names by the sync of their folder. The rest can be lost."""

    def __init__(self) -> None:
        self._synced: dict[int, bytes] = {}
        self._names: dict[str, int] = {}
        self.before_sync: Callable[[], None] = lambda: None

    def copy(self) -> "PowerLossDisk":
        """What is durable now, kept while the original goes on."""
        kept = PowerLossDisk()
        kept._synced, kept._names = dict(self._synced), dict(self._names)
        return kept

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self._synced.pop(os.fstat(fd).st_ino, None)
        return fd

    def fdatasync(self, fd: int) -> None:
        self.before_sync()
        self._synced[os.fstat(fd).st_ino] = os.pread(fd, os.fstat(fd).st_size, 0)

    def fsync_dir(self, folder: Path) -> None:
        self.before_sync()
        self._names = {path.name: path.stat().st_ino for path in folder.iterdir()}

    def after_power_loss(self, folder: Path) -> Path:
        """A new folder that holds what a machine without power finds again, when everything not synced is lost."""
        folder.mkdir()
        for name, inode in self._names.items():
            (folder / name).write_bytes(self._synced.get(inode, b""))
        return folder
