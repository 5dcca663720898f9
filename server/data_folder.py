"""The folder that holds one Kerb's data: who owns it now (an exclusive lock) and which journal lives in it (its id).

The lock is taken on the folder itself, not on a file in it, so removing or replacing a lock file steals nothing.
"""

import errno
import fcntl
import os
import secrets
from pathlib import Path
from typing import Final, Self

from server.disk import Disk
from server.journal_frame import JOURNAL_ID_BYTES, crc32c

_PID_NAME: Final = "owner.pid"
_IDENTITY_NAME: Final = "journal-id"
_RESTORING_NAME: Final = "restore-unfinished"
_WRITERS_NAME: Final = "writers"

WRITERS_KEPT: Final = 16
"""Starts that are remembered by name: more than one, for a start may die before it has become the writer."""


class DataFolderBusy(Exception):
    """Another process owns the folder; `pid` is its process id, or None when it has not said."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"the data folder {folder} is in use by {holder}; stop it first or choose another data_dir"
        )
        self.folder = folder
        self.pid = pid


class DataFolderDamaged(Exception):
    """The journal's identity cannot be read, or is missing though a journal is there."""


class DataFolder:
    """A data folder owned by this process until `close` or its end. Its `journal` folder is `journal_folder`."""

    JOURNAL_NAME: Final = "journal"

    def __init__(self, path: Path, fd: int, disk: Disk) -> None:
        self.path = path
        self.journal_folder = path / self.JOURNAL_NAME
        self._fd = fd
        self._disk = disk

    def __repr__(self) -> str:
        return f"<DataFolder {self.path} {'owned' if self._fd >= 0 else 'released'}>"

    @classmethod
    def own(cls, path: Path, disk: Disk | None = None) -> Self:
        """Create the folder (mode 0700) when missing and lock it. Raises `DataFolderBusy` naming the holder's pid."""
        disk = disk or Disk()
        missing = [each for each in (path, *path.parents) if not disk.exists(each)]
        disk.make_folder(path)
        for made in reversed(missing):
            disk.fsync_dir(made.parent)  # or a power loss could take the folder with all that is in it
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (path / _PID_NAME).write_text(f"{os.getpid()}\n", encoding="ascii")
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise DataFolderBusy(path, _read_pid(path / _PID_NAME)) from error
            raise
        return cls(path, fd, disk)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def journal_id(self) -> bytes:
        """The 16 random bytes that name this folder's journal; made and kept durably at the first call.

        Raises `DataFolderDamaged` rather than give a second identity to a journal that exists.
        """
        path = self.path / _IDENTITY_NAME
        restorer = self.path / _RESTORING_NAME
        if restorer.exists() and _read_pid(restorer) != os.getpid():
            raise DataFolderDamaged(
                f"a restore into {self.path} was not finished: remove the folder, restore again"
            )
        if self._disk.exists(path):
            return _parse_identity(path, self._disk.read_file(path))
        if self._disk.exists(self.journal_folder) and self._disk.listdir(self.journal_folder):
            raise DataFolderDamaged(f"{path} is missing, but {self.journal_folder} holds a journal")
        journal_id = secrets.token_bytes(JOURNAL_ID_BYTES)
        self.name_journal(journal_id)
        return journal_id

    def name_journal(self, journal_id: bytes) -> None:
        """Give the folder's journal, which has no record yet, this name, durably."""
        self._disk.replace_file(self.path / _IDENTITY_NAME, _identity_text(journal_id))

    def begin_restoring(self) -> None:
        """Nobody but this process takes the folder for a Kerb's until `end_restoring`."""
        self._disk.replace_file(self.path / _RESTORING_NAME, f"{os.getpid()}\n".encode("ascii"))

    @staticmethod
    def end_restoring(path: Path) -> None:
        """The folder is whole."""
        Disk().remove_file(path / _RESTORING_NAME)

    def earlier_writers(self) -> tuple[str, ...]:
        """What this folder's last owners were called as the database's writers, oldest first; () where that is not known.

        They are dead, for the lock is ours. A copy of the folder knows none: the original's owner may live.
        """
        path = self.path / _WRITERS_NAME
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        known = (line.partition(" ") for line in lines)
        return tuple(instance for instance, _, place in known if place == self._place())

    def note_writer(self, instance: str) -> None:
        """Remember what this owner is called, before it becomes the database's writer."""
        instances = (*self.earlier_writers(), instance)[-WRITERS_KEPT:]
        text = "".join(f"{each} {self._place()}\n" for each in instances)
        (self.path / _WRITERS_NAME).write_text(text, encoding="utf-8")

    def _place(self) -> str:
        """What a copy of the folder has not."""
        status = os.fstat(self._fd)
        return f"{status.st_dev}:{status.st_ino}"

    @staticmethod
    def journal_id_in(path: Path) -> bytes | None:
        """The journal id of a folder that somebody else may own; None where there is none yet."""
        identity = path / _IDENTITY_NAME
        return _parse_identity(identity, identity.read_bytes()) if identity.exists() else None

    def close(self) -> None:
        """Release the lock; the folder stays. Closing twice is harmless."""
        if self._fd >= 0:
            (self.path / _PID_NAME).unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1


def _identity_text(journal_id: bytes) -> bytes:
    return f"{journal_id.hex()} {crc32c(journal_id):08x}\n".encode("ascii")


def _parse_identity(path: Path, data: bytes) -> bytes:
    text = data.decode("ascii", errors="replace").split()
    try:
        journal_id, checksum = bytes.fromhex(text[0]), int(text[1], 16)
    except (IndexError, ValueError) as error:
        raise DataFolderDamaged(f"{path} does not hold a journal id") from error
    if (
        len(journal_id) != JOURNAL_ID_BYTES
        or checksum != crc32c(journal_id)
        or data != _identity_text(journal_id)
    ):
        raise DataFolderDamaged(f"{path} is damaged: its checksum does not agree")
    return journal_id


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
