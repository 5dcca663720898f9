"""What can go wrong before Kerb serves, and the exit code that tells a supervisor which it was."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

import asyncpg

from config.loading import ConfigError
from server.backup_manifest import BackupError
from server.config_commands import VenueRefused
from server.data_folder import DataFolderBusy, DataFolderDamaged
from server.errors import DatabaseUnavailable
from server.exit_codes import ExitCode
from server.journal_errors import JournalCorrupt, JournalFailed, JournalPruned, JournalShort
from server.migrations import MigrationError
from server.postgres_install import DatabaseBusy, EmbeddedPostgresError
from server.recovery import StateUnreadable
from server.replay import Diverged
from server.secrets_file import SecretUnusable
from server.watermark import AnotherWriter, ForeignJournal, JournalBehind


class AddressInUse(Exception):
    """The address to listen on is taken or may not be used."""


START_FAULTS: Final[dict[type[Exception], ExitCode]] = {
    ConfigError: ExitCode.CONFIG,
    VenueRefused: ExitCode.CONFIG,
    AddressInUse: ExitCode.CONFIG,
    BackupError: ExitCode.BACKUP,
    SecretUnusable: ExitCode.CONFIG,
    DataFolderBusy: ExitCode.LOCKED,
    AnotherWriter: ExitCode.LOCKED,
    DatabaseBusy: ExitCode.LOCKED,
    DataFolderDamaged: ExitCode.JOURNAL_CORRUPT,
    JournalCorrupt: ExitCode.JOURNAL_CORRUPT,
    JournalShort: ExitCode.FOREIGN_JOURNAL,
    JournalPruned: ExitCode.FOREIGN_JOURNAL,
    ForeignJournal: ExitCode.FOREIGN_JOURNAL,
    JournalBehind: ExitCode.FOREIGN_JOURNAL,
    JournalFailed: ExitCode.JOURNAL_IO,
    Diverged: ExitCode.DIVERGED,
    StateUnreadable: ExitCode.DATABASE,
    EmbeddedPostgresError: ExitCode.DATABASE,
    MigrationError: ExitCode.DATABASE,
    DatabaseUnavailable: ExitCode.DATABASE,
    asyncpg.PostgresError: ExitCode.DATABASE,
    asyncpg.InterfaceError: ExitCode.DATABASE,
    OSError: ExitCode.DATABASE,
}
"""The first entry that an exception is an instance of decides; an OSError that is not of the disk is a connection's."""

DISK_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
"""What the kernel says of a disk that is full, read-only or failing, and never of a connection."""


def exit_code_of(error: Exception) -> ExitCode | None:
    """The code of a known fault; None for a bug, which keeps its traceback."""
    if _is_of_the_disk(error):
        return ExitCode.JOURNAL_IO
    for kind, code in START_FAULTS.items():
        if isinstance(error, kind):
            return code
    return None


def problems_of(error: Exception, data_dir: Path) -> list[str]:
    """What to tell the operator, a line each. The kernel does not always say where a disk is full: then it is `data_dir`."""
    if isinstance(error, OSError) and _is_of_the_disk(error):
        return [f"{error.filename or f'the data folder {data_dir}'}: {error.strerror}"]
    problems: list[str] | None = getattr(error, "problems", None)
    return problems or [str(error) or type(error).__name__]


def _is_of_the_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in DISK_ERRNOS
