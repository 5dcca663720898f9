"""What can be wrong with a journal: each exception is one decision that the operator or the process has to take."""

from pathlib import Path


class JournalError(Exception):
    """Base of everything that the journal raises about itself."""


class JournalCorrupt(JournalError):
    """Durable content is damaged or missing. Raised before anything on disk was changed; Kerb must not start on it.

    `offset` is the byte in `file` where it shows, `seq` the first sequence that cannot be read.
    """

    def __init__(self, file: Path, offset: int, seq: int, reason: str) -> None:
        super().__init__(f"journal corrupt in {file} at byte {offset}, sequence {seq}: {reason}")
        self.file = file
        self.offset = offset
        self.seq = seq
        self.reason = reason


class JournalShort(JournalError):
    """The journal ends before a sequence that is known to have been durable: part of it was lost or it is another one."""

    def __init__(self, folder: Path, last_seq: int, known_durable_seq: int) -> None:
        super().__init__(
            f"the journal in {folder} ends at sequence {last_seq}, but sequence {known_durable_seq} is known durable: its end "
            "was lost, or it is an old copy. Nothing was changed. Bring back the whole journal folder that the database was "
            f"written from. To adopt this journal instead, without what came after sequence {last_seq}, point Kerb at a new, "
            "empty database (database_url; for the embedded one move the folder postgres beside the journal away): it is "
            "filled from the journal, if the journal is kept from its start; users register again"
        )
        self.last_seq = last_seq
        self.known_durable_seq = known_durable_seq


class JournalFailed(JournalError):
    """Writing stopped for good after an I/O error; nothing that was waiting has been acknowledged."""


class JournalPruned(JournalError):
    """The sequence asked for lies before the first segment that retention has kept."""

    def __init__(self, seq: int, first_seq: int) -> None:
        super().__init__(f"sequence {seq} is no longer in the journal, which starts at {first_seq}")
        self.seq = seq
        self.first_seq = first_seq
