"""The write-behind: carries what is durable in the journal into Postgres, batch after batch, and knows how far it is.

1. cut: at sequence S = `state.seq`, in one turn of the loop, the rows of all that changed     (sql/state_rows.py)
2. wait until S is durable
3. one transaction: records up to S → rows, changed aggregates → rows, watermark → S          (server/batch_writer.py)
4. connection lost anywhere in 3: claim again, read the watermark; at S it was committed, else cut again
5. Postgres refuses the data: read-only, an alarm that names the sequence; nothing is ever skipped
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from config.settings import WriteBehindSettings
from engine.kinds import PriceSource
from engine.state import State
from server.backlog import Backlog
from server.batch_writer import Batch, write_batch
from server.codec import Record
from server.errors import DatabaseUnavailable
from server.exit_codes import ExitCode
from server.journal_errors import JournalFailed
from server.partitions import Partitions
from server.postgres_errors import is_away
from server.record_tail import RecordTail
from server.refused_batch import find_refused
from server.runtime import Gate, Runtime
from server.watermark import AnotherWriter, ForeignJournal, Watermark, WentBack, claim
from sql.state_rows import StateCut, cut_state, forget_unseen, merge_back

if TYPE_CHECKING:
    import asyncpg

logger = logging.getLogger("kerb.write_behind")

CONSUMER: Final = "postgres"
BARRIER_S: Final = 2.0
BACKOFF_MIN_S: Final = 0.05
BACKOFF_MAX_S: Final = 1.0
GATE_CHECK_S: Final = 0.25
TAIL_BATCHES: Final = 2

FORGOTTEN_MAX: Final = 128
"""Written records that are let go in one turn of the loop: to free one with its events takes some microseconds."""


class WriteBehind:
    """Postgres as a consumer of the journal. `connection` and `applied_seq` come from the claim at start.

    `on_fatal` is called when this process may acknowledge nothing more: another writer has taken over (LOCKED), or the
    database has lost what it had committed and only a restart can write it again (DATABASE).
    """

    def __init__(
        self,
        runtime: Runtime,
        watermark: Watermark,
        connection: asyncpg.Connection,
        applied_seq: int,
        settings: WriteBehindSettings,
        on_fatal: Callable[[ExitCode, str], None],
    ) -> None:
        self.applied_seq = applied_seq
        self.batches = 0
        self.refused: str | None = None
        self._runtime = runtime
        self._watermark = watermark
        self._connection = connection
        self._settings = settings
        self._on_fatal = on_fatal
        self._tail = RecordTail(runtime.journal, settings.batch_records_max * TAIL_BATCHES)
        self._backlog = Backlog(settings.backlog_soft_bytes, settings.backlog_hard_bytes)
        self._partitions = Partitions()
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._pending_since_s: float | None = None
        self._connected = True
        self._work = asyncio.Event()
        self._now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._gate_timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        condition = "refused" if self.refused else "connected" if self._connected else "away"
        return f"<WriteBehind at {self.applied_seq} of {self._runtime.state.seq}, {condition}>"

    # ---- life cycle

    def start(self) -> None:
        """Begin to write, on the running loop; what was replayed from the journal at start is written first."""
        self._loop = asyncio.get_running_loop()
        self._runtime.journal.register_consumer(CONSUMER, self.applied_seq)
        self._runtime.add_listener(self._durable)
        if self._runtime.state.seq > self.applied_seq:
            self._pending_since_s = self._loop.time()
            self._work.set()
            self._now.set()
        self._check_gate()
        self._task = self._loop.create_task(self._run(), name="write-behind")

    async def drain(self, timeout_s: float) -> bool:
        """Write all that has been applied; False when that did not succeed in time. The journal keeps the rest."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.reached(self._runtime.state.seq)
        except (TimeoutError, DatabaseUnavailable):
            return False
        return True

    async def close(self) -> None:
        """Stop at once; a batch under way is rolled back."""
        if self._gate_timer is not None:
            self._gate_timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail_waiters()
        self._connection.terminate()

    # ---- how far it is

    @property
    def lag_records(self) -> int:
        """Records that Postgres has not got yet."""
        return self._runtime.state.seq - self.applied_seq

    @property
    def lag_s(self) -> float:
        """For how long the oldest of them may have been waiting; 0 when there is none."""
        if self._pending_since_s is None:
            return 0.0
        return self._loop.time() - self._pending_since_s

    @property
    def backlog_bytes(self) -> int:
        """About how much of the journal on disk Postgres has not got yet."""
        return self._runtime.journal.backlog_bytes(self.applied_seq) if self.lag_records else 0

    @property
    def available(self) -> bool:
        """Whether Postgres takes batches now."""
        return self._connected and self.refused is None

    async def barrier(self, timeout_s: float = BARRIER_S) -> None:
        """Come back when Postgres has everything that is durable now. Raises `DatabaseUnavailable` if it takes longer."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.reached(self._runtime.durable_seq)
        except TimeoutError as error:
            raise DatabaseUnavailable from error

    async def reached(self, seq: int) -> None:
        """Come back when Postgres has everything up to `seq`, however long that takes. Raises `DatabaseUnavailable`."""
        if seq <= self.applied_seq:
            return
        if self._task is None or self._task.done():
            raise DatabaseUnavailable(message="nothing is written to the database any more")
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append((seq, waiter))
        self._work.set()
        self._now.set()
        await waiter

    # ---- the loop

    def _durable(self, records: Sequence[Record]) -> None:
        """The runtime's newly durable records."""
        self._tail.extend(records)
        if self._pending_since_s is None:
            self._pending_since_s = self._loop.time()
        self._work.set()
        if self.lag_records >= self._settings.batch_records_max:
            self._now.set()

    async def _run(self) -> None:
        try:
            while True:
                await self._work.wait()
                await self._partitions.keep_ahead(self._connection, self._runtime.now_us())
                timer = self._loop.call_later(self._settings.interval_ms / 1_000, self._now.set)
                await self._now.wait()
                timer.cancel()
                self._now.clear()
                await self._write_next()
        except JournalFailed:
            logger.warning("stopped at %d: the journal has failed", self.applied_seq)
        except (AnotherWriter, ForeignJournal) as error:
            self._refuse(f"another writer has taken over after {self.applied_seq}: {error}")
            self._on_fatal(ExitCode.LOCKED, str(error))
        except WentBack as error:
            self._refuse(str(error))
            self._on_fatal(ExitCode.DATABASE, str(error))
        except BatchRefused as error:
            self._refuse(f"PostgreSQL refuses a batch after sequence {self.applied_seq}: {error}")
        except Exception as error:
            logger.critical("the write-behind failed after %d", self.applied_seq, exc_info=error)
            self._refuse(f"the write-behind failed after sequence {self.applied_seq}: {error!r}")
        finally:
            self._fail_waiters()

    async def _write_next(self) -> None:
        """Cut, write, and find out what became of it."""
        state = self._runtime.state
        if state.seq == self.applied_seq:
            self._work.clear()
            return
        cut_at_s = self._loop.time()
        cut = cut_state(state, self.applied_seq)
        await self._runtime.wait_durable(cut.seq)
        batch = Batch(self.applied_seq, cut.seq, cut.changes, _tapes(state), state.accounts)
        try:
            await write_batch(
                self._connection, self._watermark, batch, self._tail.read, self._settings.batch_records_max
            )
        except (AnotherWriter, asyncio.CancelledError):
            raise
        except Exception as error:
            if not is_away(error):
                found = await find_refused(self._connection, batch, self._tail.read)
                raise BatchRefused(f"{found}: {error!r}") from error
            logger.warning("the database is away at %d: %r", self.applied_seq, error)
            cut.changes.clear()
            if not await self._was_committed(cut):
                merge_back(state, cut)
                self._work.set()
                self._now.set()
                return
        self._committed(cut.seq, cut_at_s)
        more = True
        while more:
            more = self._tail.forget(cut.seq, FORGOTTEN_MAX)
            await asyncio.sleep(0)

    def _committed(self, seq: int, cut_at_s: float) -> None:
        self.applied_seq = seq
        self.batches += 1
        self._runtime.journal.commit(CONSUMER, seq)
        if self._runtime.state.seq == seq:
            self._pending_since_s = None
            self._work.clear()
        else:
            self._pending_since_s = cut_at_s
        waiting = []
        for wanted, waiter in self._waiters:
            if wanted > seq:
                waiting.append((wanted, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiters = waiting
        if waiting:
            self._now.set()

    # ---- when Postgres is away

    async def _was_committed(self, cut: StateCut) -> bool:
        """Connect again, however long it takes, and see whether the batch that was cut off had been committed."""
        self._connected = False
        self._connection.terminate()
        backoff_s = BACKOFF_MIN_S
        while True:
            try:
                self._connection, applied_seq = await claim(self._watermark, first=False)
            except Exception as error:
                if isinstance(error, AnotherWriter | ForeignJournal) or not is_away(error):
                    raise
                logger.info("the database is still away: %r", error)
            else:
                break
            forget_unseen(self._runtime.state, cut.seq)
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
        if applied_seq < self.applied_seq:
            raise WentBack(
                f"the watermark went back from {self.applied_seq} to {applied_seq}: restart to recover"
            )
        if applied_seq not in (self.applied_seq, cut.seq):
            raise AnotherWriter(
                f"the watermark is at {applied_seq}, we wrote {self.applied_seq} or {cut.seq}"
            )
        self._connected = True
        logger.info("the database is back at %d, %d records behind", applied_seq, self.lag_records)
        return applied_seq == cut.seq

    # ---- what the runtime may take

    def _check_gate(self) -> None:
        """Close the runtime's gate as the backlog grows, and open it again."""
        if self.refused is None:
            gate = self._backlog.gate(self.backlog_bytes)
            if gate is not self._runtime.gate:
                logger.warning("gate is %s: backlog of %d bytes", gate.name, self.backlog_bytes)
                self._runtime.gate = gate
            self._gate_timer = self._loop.call_later(GATE_CHECK_S, self._check_gate)

    def _refuse(self, reason: str) -> None:
        """Read-only until an operator has looked: raise the alarm."""
        self.refused = reason
        self._runtime.gate = Gate.READ_ONLY
        logger.critical("READ-ONLY: %s", reason)

    def _fail_waiters(self) -> None:
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(
                    DatabaseUnavailable(message="nothing is written to the database any more")
                )
        self._waiters = []


def _tapes(state: State) -> frozenset[str]:
    return frozenset(
        each.symbol for each in state.instruments.values() if each.price_source is PriceSource.TAPE
    )


class BatchRefused(Exception):
    """Postgres takes connections, and refuses this batch for its data."""
