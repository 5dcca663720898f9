"""The live journal: an open group that the loop fills, a writer thread that makes it durable, and those who wait for it.

Two threads share it. The loop thread appends, waits, reads the memory tail and hears of durability. The writer thread
is handed one group at a time, makes it one frame, writes and syncs it while the next group fills, and posts one callback.

A group is handed over as soon as the writer is free and a turn of the loop has added nothing to it, or it has been open
for LINGER_S: while orders keep coming they share a sync, and one that comes alone does not wait for others. There is no
timer. (Handed over at the first record instead, a busy server syncs once an order and spends a third of its time on it.)
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final, Self

from server.disk import Disk
from server.journal_errors import JournalError, JournalFailed
from server.journal_frame import checksum_is_compiled, encode_frame
from server.journal_group import Group, WhenDurable, settle_future
from server.journal_progress import ScanProgress
from server.journal_reader import Segment, bytes_after, read_records
from server.journal_scan import JournalScan, scan_journal
from server.journal_segments import SegmentStore, settle_last_segment
from server.journal_tail import MemoryTail
from server.writer_thread import GroupWriter, WriterThread

logger = logging.getLogger("kerb.journal")

SEGMENT_BYTES: Final = 64 << 20
LINGER_S: Final = 0.001
TAIL_RECORDS: Final = 100_000
TAIL_BYTES: Final = 64 << 20


class Journal:
    """One append-only log of opaque records with contiguous sequences from 1. Open it, read it, `start` it, `close` it.

    `durable_seq` only moves on the loop thread, after the fdatasync of the group that holds it; `appended_seq` is the
    last sequence given to `append`. After a failure neither moves again.
    """

    def __init__(
        self,
        store: SegmentStore,
        scan: JournalScan,
        disk: Disk,
        *,
        journal_id: bytes,
        engine_version: int,
        retention_s: float,
        tail: MemoryTail,
    ) -> None:
        self.durable_seq = scan.last_seq
        self.appended_seq = scan.last_seq
        self.failure: JournalFailed | None = None
        self._store = store
        self._disk = disk
        self._journal_id = journal_id
        self._engine_version = engine_version
        self._retention_s = retention_s
        self._tail = tail
        self._chain = scan.last_hash
        self._consumers: dict[str, int] = {}
        self._listeners: list[Callable[[int], None]] = []
        self._accepting = False
        self._stopping = False
        self._mark_clean = True
        self._open = Group(scan.last_seq + 1, None)
        self._writer_free = False
        self._watching = False
        self._seen = 0
        self._writer: GroupWriter | None = None
        self._appended_bytes = 0
        self._durable_bytes = 0

    def __repr__(self) -> str:
        state = "failed" if self.failure else "open" if self._accepting else "closed"
        return f"<Journal {state} durable {self.durable_seq} of {self.appended_seq}>"

    @classmethod
    def open(
        cls,
        folder: Path,
        known_durable_seq: int,
        *,
        journal_id: bytes,
        engine_version: int,
        segment_bytes: int = SEGMENT_BYTES,
        retention_s: float = 0.0,
        tail_records: int = TAIL_RECORDS,
        tail_bytes: int = TAIL_BYTES,
        disk: Disk | None = None,
    ) -> Self:
        """Check the whole journal in `folder` (created when missing), cut a torn tail, and be ready to read.

        The caller holds the lock of the data folder. Raises `JournalCorrupt` or `JournalShort` with nothing changed on
        disk, `OSError` when the disk cannot be read or repaired. Blocks; appending starts with `start`.
        """
        if not checksum_is_compiled():
            raise JournalError("google_crc32c runs without its compiled implementation")
        disk = disk or Disk()
        disk.make_folder(folder)
        disk.fsync_dir(folder.parent)  # or a power loss could take the journal with its folder
        settle_last_segment(disk, folder)
        scan = scan_journal(disk, folder, journal_id, known_durable_seq, ScanProgress())
        if scan.torn is not None:
            logger.warning(
                "cut a torn tail of %d bytes at sequence %d", scan.torn.end - scan.torn.offset, scan.torn.seq
            )
        store = SegmentStore(disk, folder, journal_id, segment_bytes, scan.segments)
        store.repair_and_open(scan)
        tail = MemoryTail(scan.last_seq + 1, tail_records, tail_bytes)
        return cls(
            store,
            scan,
            disk,
            journal_id=journal_id,
            engine_version=engine_version,
            retention_s=retention_s,
            tail=tail,
        )

    # ---- the loop thread: life cycle

    def start(self, on_failure: Callable[[Exception], None], writer: GroupWriter | None = None) -> None:
        """Begin to accept records, on the running loop. `on_failure` is called at most once, on the loop."""
        self._store.remove_clean_mark()
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._done.set_result(None)
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._on_failure = on_failure
        self._accepting = self._writer_free = True
        self._writer = writer or WriterThread()
        self._hand = self._writer.put
        self._writer.start(partial(self._write_groups, self._writer))

    async def close(self, *, mark_clean: bool = True) -> None:
        """Make everything appended durable, then stop; a clean mark is left unless told otherwise.

        Raises `JournalFailed` when the journal had failed or fails now.
        """
        if self._writer is not None:
            self._accepting = False
            self._mark_clean = mark_clean and self.failure is None
            self._stopping = True
            if self._writer_free:
                self._hand_over()
            try:
                await asyncio.shield(self._stopped)
            finally:
                if self._stopped.done():
                    self._writer.join()
                    self._store.close()
        else:
            self._store.close()

    def on_durable(self, listener: Callable[[int], None]) -> None:
        """`listener(durable_seq)` runs on the loop once a group, in the order of registration, before waiters wake."""
        self._listeners.append(listener)

    # ---- the loop thread: writing and waiting

    def append(self, seq: int, record: bytes) -> None:
        """Join the open group. `seq` must be the one after `appended_seq`; raises `JournalFailed` after a failure."""
        if seq != self.appended_seq + 1 or not self._accepting:
            raise self._refusal(seq)
        self._open.records.append(record)
        self.appended_seq = seq
        self._tail.append(record)
        self._appended_bytes += len(record)
        if len(self._open.records) == 1:
            self._open.opened_s = monotonic()
            if self._writer_free:
                self._watch()

    def _watch(self) -> None:
        """Look after this turn of the loop whether the open group is complete."""
        if not self._watching:
            self._watching = True
            self._seen = len(self._open.records)
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._watching = False
        if not self._writer_free:
            return
        group = self._open
        if len(group.records) == self._seen or monotonic() - group.opened_s >= LINGER_S:
            self._hand_over()
        else:
            self._watch()

    def _hand_over(self) -> None:
        """Give the writer the open group, or the word to stop when all is written; it must be free."""
        group = self._open
        if group.records:
            self._writer_free = False
            self._open = Group(group.first_seq + len(group.records), group)
            self._hand(group)
        elif self._stopping:
            self._writer_free = False
            self._hand(None)

    def _refusal(self, seq: int) -> Exception:
        if self.failure is not None:
            return self.failure
        if not self._accepting:
            return JournalError("the journal does not accept records: it is not started or is closing")
        return ValueError(f"sequence {seq} does not follow {self.appended_seq}")

    def wait_durable(self, seq: int) -> asyncio.Future[None]:
        """Done once `seq` is durable; at once when it is. Raises or fails with `JournalFailed` when it never will be."""
        if seq <= self.durable_seq:
            return self._done
        future = self._loop.create_future()
        self.call_when_durable(seq, partial(settle_future, future))
        return future

    def call_when_durable(self, seq: int, waiter: WhenDurable) -> None:
        """Call `waiter` in the very turn of the loop in which the listeners have heard that `seq` is durable.

        In the next turn when it is already, never before this returns. Raises `JournalFailed` when it never will be.
        """
        if seq <= self.durable_seq:
            self._loop.call_soon(waiter, None)
            return
        if self.failure is not None:
            raise self.failure
        if seq > self.appended_seq:
            raise ValueError(f"sequence {seq} was not appended; the last is {self.appended_seq}")
        group: Group | None = self._open
        while group is not None and seq < group.first_seq:
            group = group.previous
        assert group is not None, "a sequence above durable_seq is in a group"
        group.call(waiter)

    @property
    def pending_bytes(self) -> int:
        """Bytes of records appended and not yet durable."""
        return self._appended_bytes - self._durable_bytes

    def waiting_since_s(self) -> float | None:
        """Since when (`monotonic`) the oldest record has waited for the disk; None while none does."""
        if self.durable_seq == self.appended_seq:
            return None
        return (self._open.previous or self._open).opened_s

    def _group_durable(self, group: Group, record_bytes: int) -> None:
        """Posted by the writer, once a group, after its sync."""
        self._writer_free = True
        if self._open.records and not self._stopping:
            self._watch()
        else:
            self._hand_over()
        if self.failure is not None:
            return
        self.durable_seq = group.first_seq + len(group.records) - 1
        self._durable_bytes += record_bytes
        group.previous = None
        try:
            for listener in self._listeners:
                listener(self.durable_seq)
        finally:
            group.settle(None)
            self._tail.trim(self.durable_seq, record_bytes)

    def halt(self, reason: str) -> None:
        """Accept and acknowledge nothing more: whoever waits fails, no listener is called again.

        What was appended is still written; without an acknowledgement it may or may not have happened.
        """
        if self.failure is None:
            self._refuse_all(
                JournalFailed(f"the journal was halted after sequence {self.durable_seq}: {reason}")
            )

    def _fail(self, error: Exception) -> None:
        """Posted by the writer when it has stopped for good; what is already durable stays acknowledged."""
        failure = JournalFailed(f"the journal stopped after sequence {self.durable_seq}: {error}")
        failure.__cause__ = error
        if self.failure is None:
            self._refuse_all(failure)
        self._stopped.set_exception(failure)
        self._stopped.exception()
        self._on_failure(error)

    def _refuse_all(self, failure: JournalFailed) -> None:
        self._accepting = False
        self.failure = failure
        group: Group | None = self._open
        while group is not None:
            group.settle(failure)
            group = group.previous

    def _writer_stopped(self) -> None:
        self._stopped.set_result(None)

    # ---- the writer thread

    def _write_groups(self, writer: GroupWriter) -> None:
        """Body of the writer thread. Any error ends it: an fsync that failed once must never be trusted again."""
        last_seq = self.durable_seq
        try:
            while (group := writer.get()) is not None:
                self._write_group(group)
                last_seq = group.first_seq + len(group.records) - 1
                self._store.prepare_ahead()
            if self._mark_clean:
                self._store.write_clean_mark(last_seq, self._chain)
        except Exception as error:
            logger.exception("writing the journal stopped for good")
            self._loop.call_soon_threadsafe(self._fail, error)
        else:
            self._loop.call_soon_threadsafe(self._writer_stopped)

    def _write_group(self, group: Group) -> None:
        first_seq = group.first_seq
        last_seq = first_seq + len(group.records) - 1
        previous = self._chain
        frame, self._chain = encode_frame(
            group.records,
            journal_id=self._journal_id,
            engine_version=self._engine_version,
            first_seq=first_seq,
            durable_seq=first_seq - 1,
            previous_hash=previous,
        )
        record_bytes = sum(map(len, group.records))
        self._store.write_frame(frame, first_seq, last_seq, previous)
        self._loop.call_soon_threadsafe(self._group_durable, group, record_bytes)

    # ---- reading and retention

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segment files, oldest first; a snapshot."""
        return self._store.segments

    @property
    def first_seq(self) -> int:
        """The oldest sequence still kept."""
        return self._store.segments[0].first_seq

    def read(self, from_seq: int) -> Generator[tuple[int, bytes], None, None]:
        """(sequence, record) from the files, lazily, up to what is durable now. May run in any thread.

        Raises `JournalPruned` below `first_seq`, `JournalCorrupt` when a file has been damaged since it was checked.
        """
        return read_records(self._disk, self._store.segments, from_seq, self.durable_seq)

    def records_after(self, seq: int, up_to_seq: int, limit: int) -> list[bytes]:
        """At most `limit` records of `seq + 1` to `up_to_seq`, in order; durable or not when memory still has them.

        Older ones come from the files, which blocks; then the list may stop short of what memory holds: ask again
        from where it ends.
        """
        up_to_seq = min(up_to_seq, self.appended_seq, seq + limit)
        if self._tail.holds(seq + 1):
            return self._tail.records(seq + 1, up_to_seq)
        up_to_seq = min(up_to_seq, self.durable_seq)
        return [record for _, record in read_records(self._disk, self._store.segments, seq + 1, up_to_seq)]

    def in_memory(self, seq: int) -> bool:
        """Whether `records_after(seq, …)` is served without touching a file."""
        return self._tail.holds(seq + 1)

    def backlog_bytes(self, from_seq: int) -> int:
        """About how many bytes on disk a consumer that has `from_seq` is behind."""
        return bytes_after(self._store.segments, from_seq)

    def register_consumer(self, name: str, seq: int = 0) -> None:
        """From now on keep everything after `seq` for `name`. Raises `ValueError` when the name is taken."""
        if name in self._consumers:
            raise ValueError(f"consumer {name} is registered already")
        self._consumers[name] = seq

    def commit(self, name: str, seq: int) -> None:
        """`name` needs nothing up to `seq` any more. Raises `ValueError` when that goes back or is not durable."""
        if not self._consumers[name] <= seq <= self.durable_seq:
            raise ValueError(f"consumer {name} cannot go from {self._consumers[name]} to {seq}")
        self._consumers[name] = seq

    def prune(self, now_s: float) -> list[Path]:
        """Remove segments below every consumer's position and past the retention; returns what went.

        `now_s` is wall time in seconds since the epoch. Nothing goes while no consumer is registered.
        """
        if not self._consumers:
            return []
        return self._store.prune(min(self._consumers.values()), now_s - self._retention_s)
