"""Exit codes of the process: what a supervisor or an operator can tell from them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Numbers follow sysexits.h where it has a fitting one.

    A restart cannot help after CONFIG, JOURNAL_CORRUPT, DIVERGED and FOREIGN_JOURNAL; config/kerb.service says so with
    RestartPreventExitStatus.
    """

    OK = 0
    JOURNAL_CORRUPT = 65
    """A journal record before the durable end cannot be read; nothing was changed."""
    BACKUP = 66
    """A backup cannot be made, or cannot be restored: it is damaged or does not hold what was asked for."""
    DATABASE = 69
    """PostgreSQL cannot be started, reached or used."""
    ENGINE_FAULT = 70
    """A bug inside `apply`; the command that met it has been saved and will be refused."""
    JOURNAL_IO = 74
    """The journal, or at start anything in the data folder, could not be written (disk full, I/O error); nothing more was acknowledged."""
    LOCKED = 75
    """Another process holds the data folder."""
    DIVERGED = 76
    """Replaying the journal gave other events than the recorded ones."""
    FOREIGN_JOURNAL = 77
    """The journal and the database do not belong together."""
    CONFIG = 78
    """The configuration is wrong; every problem was printed."""
    INTERRUPTED = 130
    """A second signal, or a part that did not stop within the deadline: what was left was cut off."""
