"""The records the write-behind has still to write: the newest as objects in memory, older ones from the journal."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import islice
from typing import Protocol

from server.codec import Record, decode_record


class StoredRecords(Protocol):
    """Where older records are read: the journal."""

    def in_memory(self, seq: int) -> bool:
        """Whether `records_after(seq, …)` is served without touching a file."""
        ...

    def read(self, from_seq: int) -> Generator[tuple[int, bytes], None, None]:
        """(sequence, record) from the files, up to what is durable now."""
        ...

    def records_after(self, seq: int, up_to_seq: int, limit: int) -> list[bytes]:
        """At most `limit` records after `seq` up to `up_to_seq`, in order."""
        ...


class RecordTail:
    """The last `records_max` durable records. A consumer that has fallen behind them reads the journal."""

    def __init__(self, journal: StoredRecords, records_max: int) -> None:
        self._journal = journal
        self._records_max = records_max
        self._records: list[Record] = []
        self._files: Generator[tuple[int, bytes], None, None] | None = None
        self._files_after = 0

    def __repr__(self) -> str:
        first = self._records[0].seq if self._records else None
        return f"<RecordTail of {len(self._records)} from {first}>"

    def extend(self, records: Sequence[Record]) -> None:
        """The newest durable records; the oldest in memory make room."""
        kept = self._records
        kept += records
        if len(kept) > self._records_max:
            del kept[: len(kept) - self._records_max]

    def read(self, after: int, up_to: int, limit: int) -> Sequence[Record]:
        """The next records after `after`, at most `limit` and not beyond `up_to`, which must be durable.

        Blocks for a file read when memory does not hold them. Raises what the journal raises.
        """
        records = self._records
        if records and records[0].seq <= after + 1:
            start = after + 1 - records[0].seq
            found = records[start : start + min(limit, up_to - after)]
        else:
            count = min(limit, up_to - after)
            if self._journal.in_memory(after):
                stored = self._journal.records_after(after, up_to, count)
            else:
                stored = self._from_files(after, count) or self._from_files(after, count)
            found = [decode_record(data) for data in stored]
        if not found:
            raise LookupError(f"no record after {after}, though {up_to} is durable")
        return found

    def _from_files(self, after: int, count: int) -> list[bytes]:
        """The next records: read on where the last call ended, for looking each call up would read every frame many times.

        Empty when that reading has come to what was durable when it began; the next call begins a new one.
        """
        if self._files is None or self._files_after != after:
            self._close_files()
            self._files = self._journal.read(after + 1)
        found = [data for _, data in islice(self._files, count)]
        self._files_after = after + len(found)
        if len(found) < count:
            self._close_files()
        return found

    def _close_files(self) -> None:
        if self._files is not None:
            self._files.close()
            self._files = None

    def forget(self, up_to: int, limit: int) -> bool:
        """Everything up to `up_to` has been written: at most `limit` records of it go. True when there are more."""
        records = self._records
        if not records or records[0].seq > up_to + 1:
            return False
        self._close_files()  # from here on memory has them all
        written = up_to - records[0].seq + 1
        del records[: min(written, limit)]
        return written > limit
