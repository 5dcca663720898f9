"""A disk in memory that promises nothing but what was synced: at a crash each un-synced sector is kept, dropped, torn or garbled.

Contents become durable by fdatasync, names by the sync of their folder, each alone. Whoever runs beside the loop gives way to
it before every call, so that a crash can come between any two.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from random import Random
from typing import Final

from server.disk import Disk

GARBLED_SHARE: Final = 0.15
TORN_SHARE: Final = 0.15
SHARES: Final = (0.0, 0.2, 0.5, 0.8, 1.0)
"""How likely a sector that was not synced is on the device all the same; one for each file and crash."""

BeforeCall = Callable[[str, str], None]
"""Hears of each call that changes something, by its name and its file's, before it does."""


class Crash(IntEnum):
    """What ends a life: the process alone, whose cache the kernel keeps, or the machine."""

    KILL = 1
    POWER = 2


class File:
    """An inode. `cache` is what reads see, `device` what a crash leaves for sure; both have a size of their own.

    `dirty` has the versions that each sector had since it was last synced, oldest first.
    """

    __slots__ = ("cache", "device", "dirty", "is_folder", "modified_s", "number")

    def __init__(self, number: int, *, is_folder: bool = False) -> None:
        self.number = number
        self.is_folder = is_folder
        self.cache = bytearray()
        self.device = bytearray()
        self.dirty: dict[int, list[bytes]] = {}
        self.modified_s = 0.0

    def __repr__(self) -> str:
        return f"<File {self.number}: {len(self.cache)} bytes, {len(self.dirty)} sectors not synced>"

    def copy(self) -> File:
        """The same inode, apart from this one from now on."""
        twin = File(self.number, is_folder=self.is_folder)
        twin.cache, twin.device = self.cache[:], self.device[:]
        twin.dirty = {sector: versions[:] for sector, versions in self.dirty.items()}
        twin.modified_s = self.modified_s
        return twin


Entry = tuple[str, File | None]
"""A name, and the file that it stands for from then on; None when it stands for none."""


class LyingDisk(Disk):
    """`sector_bytes` is what the device writes as a whole, unless it tears it; `root` is the one folder that is there.

    `fails` is asked before each call whether it fails, and with which errno; 0 when not. `takes` says how much of a write is taken. An fdatasync that fails has written
    some of the sectors, and counts the others as clean: they are in the cache until that is dropped.
    """

    def __init__(self, sector_bytes: int, random: Random, root: str = "/kerb") -> None:
        self.sector_bytes = sector_bytes
        self.root = root
        self.syncs = 0
        self.calls = 0
        self.pause: Callable[[], None] = lambda: None
        self.before: BeforeCall = lambda call, name: None
        self.fails: Callable[[str], int] = lambda call: 0
        self.takes: Callable[[int], int] = lambda size_bytes: size_bytes
        self.now_s: Callable[[], float] = lambda: 0.0
        self._random = random
        self._names: dict[str, File] = {}
        self._device_names: dict[str, File] = {}
        self._unsynced: list[tuple[str, tuple[Entry, ...]]] = []
        self._open: dict[int, File] = {}
        self._next = 3

    def __repr__(self) -> str:
        return f"<LyingDisk {len(self._names)} names, {self.syncs} syncs, {len(self._unsynced)} changes of names not synced>"

    # ---- what a crash leaves

    def after(self, crash: Crash, random: Random) -> LyingDisk:
        """The disk that the next process finds. This one stays as it is, so many crashes can be tried at one moment."""
        found = LyingDisk(self.sector_bytes, random, self.root)
        copies: dict[int, File] = {}

        def twin(file: File) -> File:
            if file.number not in copies:
                copy = file.copy()
                if crash is Crash.POWER:
                    _lose(copy, self.sector_bytes, random)
                copies[file.number] = copy
            return copies[file.number]

        if crash is Crash.KILL:
            found._names = {name: twin(file) for name, file in self._names.items()}
            found._device_names = {name: twin(file) for name, file in self._device_names.items()}
            found._unsynced = [
                (folder, tuple((name, file and twin(file)) for name, file in change))
                for folder, change in self._unsynced
            ]
        else:
            found._names = {name: twin(file) for name, file in self._names_after(random).items()}
            found._device_names = dict(found._names)
        found._next = max((file.number for file in copies.values()), default=0) + 3
        return found

    def _names_after(self, random: Random) -> dict[str, File]:
        """The names on the device: of the changes that were not synced the first few, or any of them."""
        names = dict(self._device_names)
        changes = [change for _, change in self._unsynced]
        if random.random() < 0.5:
            kept = changes[: random.randint(0, len(changes))]
        else:
            share = random.choice(SHARES)
            kept = [change for change in changes if random.random() < share]
        for change in kept:
            _rename(names, change)
        return {name: file for name, file in names.items() if str(Path(name).parent) in (self.root, *names)}

    def files(self) -> dict[str, bytes]:
        """What every name reads as."""
        return {name: bytes(file.cache) for name, file in self._names.items() if not file.is_folder}

    def overwrite(self, path: Path, offset: int, data: bytes) -> None:
        """Damage the device, and the cache with it."""
        file = self._names[str(path)]
        file.cache[offset : offset + len(data)] = data
        file.device[offset : offset + len(data)] = data

    def truncate(self, path: Path, size_bytes: int) -> None:
        """Damage: the file ends there."""
        file = self._names[str(path)]
        del file.cache[size_bytes:], file.device[size_bytes:]

    def copy(self) -> LyingDisk:
        """The same content, all of it synced."""
        return self.after(Crash.KILL, Random(0)).settled()

    def settled(self) -> LyingDisk:
        """Sync everything."""
        for file in self._names.values():
            _sync(file, self.sector_bytes)
        self._device_names = dict(self._names)
        self._unsynced.clear()
        return self

    # ---- single system calls

    def _call(self, call: str, name: str) -> None:
        self.pause()
        self.before(call, name)
        self.calls += 1
        number = self.fails(call)
        if number:
            raise OSError(number, os.strerror(number))

    def _change(self, folder: str, *entries: Entry) -> None:
        self._unsynced.append((folder, entries))
        _rename(self._names, entries)

    def _file(self, path: Path) -> File:
        try:
            return self._names[str(path)]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None

    def create(self, path: Path) -> int:
        self._call("create", path.name)
        file = self._names.get(str(path))
        if file is None:
            self._next += 1
            file = File(self._next)
            self._change(str(path.parent), (str(path), file))
        else:
            file.cache.clear()
            file.dirty.clear()
        return self._descriptor(file)

    def open(self, path: Path, *, writable: bool = False) -> int:
        return self._descriptor(self._file(path))

    def _descriptor(self, file: File) -> int:
        self._next += 1
        self._open[self._next] = file
        return self._next

    def close(self, fd: int) -> None:
        del self._open[fd]

    def pread(self, fd: int, size_bytes: int, offset: int) -> bytes:
        return bytes(self._open[fd].cache[offset : offset + size_bytes])

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        file = self._open[fd]
        self._call("pwrite", str(file.number))
        taken = data[: self.takes(len(data))]
        self._write(file, taken, offset)
        return len(taken)

    def _write(self, file: File, data: bytes, offset: int) -> None:
        """Into the cache; each sector that it touches remembers what it holds now."""
        end = offset + len(data)
        if end > len(file.cache):
            file.cache += bytes(end - len(file.cache))
        file.cache[offset:end] = data
        file.modified_s = self.now_s()
        size = self.sector_bytes
        for sector in range(offset // size, -(-end // size)):
            version = bytes(file.cache[sector * size : (sector + 1) * size])
            file.dirty.setdefault(sector, []).append(version)

    def fdatasync(self, fd: int) -> None:
        file = self._open[fd]
        self.syncs += 1
        try:
            self._call("fdatasync", str(file.number))
        except OSError:
            for sector in [sector for sector in file.dirty if self._random.random() < 0.5]:
                _sync_sector(file, sector, self.sector_bytes)
            file.dirty.clear()
            raise
        _sync(file, self.sector_bytes)

    def fsync_dir(self, folder: Path) -> None:
        self.syncs += 1
        self._call("fsync_dir", folder.name)
        mine = str(folder)
        for where, change in self._unsynced:
            if where == mine:
                _rename(self._device_names, change)
        self._unsynced = [(where, change) for where, change in self._unsynced if where != mine]

    def fallocate(self, fd: int, size_bytes: int) -> None:
        file = self._open[fd]
        self._call("fallocate", str(file.number))
        file.cache += bytes(max(0, size_bytes - len(file.cache)))

    def drop_cache(self, fd: int) -> None:
        file = self._open[fd]
        cache = file.device[: len(file.cache)] + bytes(max(0, len(file.cache) - len(file.device)))
        size = self.sector_bytes
        for sector, versions in file.dirty.items():
            cache[sector * size : sector * size + len(versions[-1])] = versions[-1]
        file.cache = cache

    def rename(self, source: Path, target: Path) -> None:
        file = self._file(source)
        self._call("rename", target.name)
        self._change(str(target.parent), (str(source), None), (str(target), file))

    def unlink(self, path: Path) -> None:
        self._file(path)
        self._call("unlink", path.name)
        self._change(str(path.parent), (str(path), None))

    def make_folder(self, path: Path) -> None:
        if not self.exists(path):
            self._call("mkdir", path.name)
            self._next += 1
            self._change(str(path.parent), (str(path), File(self._next, is_folder=True)))

    def listdir(self, folder: Path) -> list[str]:
        start = f"{folder}/"
        names = [name[len(start) :] for name in self._names if name.startswith(start)]
        return sorted(name for name in names if "/" not in name)

    def exists(self, path: Path) -> bool:
        return str(path) in self._names or str(path) == self.root

    def size_bytes(self, path: Path) -> int:
        return len(self._file(path).cache)

    def modified_s(self, path: Path) -> float:
        return self._file(path).modified_s


def _rename(names: dict[str, File], change: tuple[Entry, ...]) -> None:
    """Carry out one change of names, all of it."""
    for name, file in change:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _sync(file: File, sector_bytes: int) -> None:
    """Everything that was written is on the device."""
    if len(file.device) != len(file.cache):
        del file.device[len(file.cache) :]
        file.device += bytes(len(file.cache) - len(file.device))
    for sector in file.dirty:
        _sync_sector(file, sector, sector_bytes)
    file.dirty.clear()


def _sync_sector(file: File, sector: int, sector_bytes: int) -> None:
    start = sector * sector_bytes
    version = file.dirty[sector][-1]
    if len(file.device) < start + len(version):
        file.device += bytes(start + len(version) - len(file.device))
    file.device[start : start + len(version)] = version


def _lose(file: File, sector_bytes: int, random: Random) -> None:
    """What is on the device after the power was lost; the cache is gone, so it is what reads see too."""
    found = file.device
    if len(file.cache) != len(found) and random.random() < 0.5:
        size = len(file.cache)
        found = found[:size] + bytes(max(0, size - len(found)))
    share = random.choice(SHARES)
    for sector, versions in file.dirty.items():
        start = sector * sector_bytes
        old = bytes(found[start : start + sector_bytes])
        if not old:
            continue  # beyond the end that the file has now
        new = _fate(old, random.choice(versions), share, random)
        found[start : start + len(old)] = new[: len(old)].ljust(len(old), b"\0")
    file.device = found
    file.cache = found[:]
    file.dirty = {}


def _fate(old: bytes, new: bytes, share: float, random: Random) -> bytes:
    """What one sector holds that was being written."""
    if random.random() >= share:
        return old
    dice = random.random()
    if dice < GARBLED_SHARE:
        return random.randbytes(len(old))
    if dice < GARBLED_SHARE + TORN_SHARE:
        cut = random.randrange(len(old))
        return new[:cut] + old[cut:]
    return new
