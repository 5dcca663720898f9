"""The runtime: every command passes here, gets its sequence and time, is applied at once and journalled.

1. is Kerb taking commands, and this kind of command?     2. timers that are due go first, as commands of their own
3. `engine.apply`, in the same turn of the loop            4. the record joins the journal's open group
5. when the group is durable, listeners get its records in order, then whoever waits is woken
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

from engine.apply import Applied, apply
from engine.commands import AnyCommand, CancelAll, CancelOrder, Envelope, FireTimer, SettleWithdrawal
from engine.events import AnyEvent, Refused
from engine.kinds import Source
from engine.parking.gate_commands import ReportPassage, ScanTag, SyncOffline
from engine.refusals import Refusal
from engine.state import State
from engine.timers import next_timer
from server.clock import Clock
from server.codec import Record, decode_record, encode_record, mark_of
from server.errors import Overloaded, ReadOnly, ShuttingDown
from server.exit_codes import ExitCode
from server.journal import Journal
from server.journal_group import WhenDurable
from server.poison import PoisonBox

logger = logging.getLogger("kerb.runtime")

Listener = Callable[[Sequence[Record]], None]

ALWAYS_TAKEN = (CancelOrder, CancelAll, SettleWithdrawal, FireTimer, ScanTag, ReportPassage, SyncOffline)
"""Commands that pass while new orders are refused for overload: they take load off, or a car stands at a gate."""


class Gate(IntEnum):
    """What the runtime takes. The write-behind closes it when its backlog grows."""

    OPEN = 0
    NO_NEW_ORDERS = 1
    READ_ONLY = 2


class Runtime:
    """The one way into the engine. `state` is read-only for everybody else."""

    def __init__(
        self,
        state: State,
        journal: Journal,
        clock: Clock,
        *,
        pending_max_bytes: int,
        poison: PoisonBox,
        on_fatal: Callable[[ExitCode, str], None],
    ) -> None:
        self.state = state
        self.journal = journal
        self.clock = clock
        self.gate = Gate.OPEN
        self.applied_count = 0
        self.refused_count = 0
        self._pending_max_bytes = pending_max_bytes
        self._poison = poison
        self._on_fatal = on_fatal
        self._listeners: list[Listener] = []
        self._undelivered: list[Record] = []
        self._stopped: Exception | None = None
        journal.on_durable(self._deliver)

    def __repr__(self) -> str:
        return f"<Runtime seq={self.state.seq} durable={self.journal.durable_seq} gate={self.gate.name}>"

    @property
    def durable_seq(self) -> int:
        """The last sequence that may be shown to anybody."""
        return self.journal.durable_seq

    @property
    def takes_commands(self) -> bool:
        """Whether new orders are taken now."""
        return self._stopped is None and self.gate is Gate.OPEN

    def now_us(self) -> int:
        """The market clock, never before the last command."""
        return max(self.state.last_us, self.clock.now_us())

    def add_listener(self, listener: Listener) -> None:
        """`listener` gets the newly durable records, in order, each exactly once."""
        self._listeners.append(listener)

    def stop(self) -> None:
        """Take no more commands: every `submit` from now on raises `ShuttingDown`."""
        self._stopped = ShuttingDown()

    def submit(self, command: AnyCommand, envelope: Envelope) -> Applied:
        """Apply a command now. The answer may be shown once `seq` is durable (`wait_durable`).

        Raises `Overloaded`, `ReadOnly` or `ShuttingDown` before anything was touched; then no idempotency key
        is consumed.
        """
        if self._stopped is not None or self.gate or self.journal.pending_bytes > self._pending_max_bytes:
            self._admit(command)
        now_us = self.clock.now_us()
        state = self.state
        now_us = max(now_us, state.last_us)
        heap = state.timer_heap
        if heap and heap[0][0] <= now_us:
            self.fire_due_timers(now_us)
            now_us = max(now_us, state.last_us)
        return self._apply(command, envelope, now_us)

    async def execute(self, command: AnyCommand, envelope: Envelope) -> Applied:
        """Apply a command and come back when it is durable."""
        applied = self.submit(command, envelope)
        await self.journal.wait_durable(applied.seq)
        return applied

    def wait_durable(self, seq: int) -> asyncio.Future[None]:
        """Done when everything up to `seq` is durable; fails with `JournalFailed` when it never will be."""
        return self.journal.wait_durable(seq)

    def call_when_durable(self, seq: int, waiter: WhenDurable) -> None:
        """As `wait_durable`, for who has no task: `waiter` is called without another turn of the loop."""
        self.journal.call_when_durable(seq, waiter)

    def durable_records(self, *, after: int) -> list[Record]:
        """The durable records after a sequence that the journal still has, in order. Blocks for the files."""
        after = max(after, self.journal.first_seq - 1, 0)
        return [decode_record(data) for _, data in self.journal.read(after + 1)]

    def durable_records_with(self, *events: type[AnyEvent], after: int) -> Iterator[Record]:
        """As `durable_records`, but one at a time, and without most of those that have no event of these types.

        What is left out is not even decoded, so a long journal is passed over quickly and without memory.
        """
        marks = [mark_of(event) for event in events]
        after = max(after, self.journal.first_seq - 1, 0)
        stored = self.journal.read(after + 1)
        return (decode_record(data) for _, data in stored if any(mark in data for mark in marks))

    def fire_due_timers(self, now_us: int) -> None:
        """Fire what is due, in (due, id) order, each stamped with the time it was due."""
        while (timer := next_timer(self.state)) is not None and timer.due_us <= now_us:
            stamp_us = max(self.state.last_us, timer.due_us)
            self._apply(FireTimer(timer.timer_id), Envelope(Source.TIMER), stamp_us)

    def tick(self) -> None:
        """Called a few times a second, so that timers fire when nothing else happens."""
        if self._stopped is None and self.gate is not Gate.READ_ONLY:
            self.fire_due_timers(self.now_us())

    def _admit(self, command: AnyCommand) -> None:
        """Raise unless this command may pass although Kerb is stopping, behind or read-only."""
        if self._stopped is not None:
            raise self._stopped
        if self.gate is Gate.READ_ONLY:
            raise ReadOnly
        if not isinstance(command, ALWAYS_TAKEN):
            raise Overloaded

    def _apply(self, command: AnyCommand, envelope: Envelope, now_us: int) -> Applied:
        if self._poison.digests and self._poison.holds(command, envelope):
            refused = Refused(Refusal.ENGINE_FAULT)
            return Applied(self.state.seq, now_us, (), (refused,), recorded=False)
        try:
            applied = apply(self.state, envelope, command, now_us)
            if applied.recorded:
                record = Record(applied.seq, now_us, envelope, command, applied.events)
                self.journal.append(applied.seq, encode_record(record))
                self._undelivered.append(record)
                self.applied_count += 1
        except BaseException as fault:
            self._fail(fault, command, envelope)
            raise
        return applied

    def _fail(self, fault: BaseException, command: AnyCommand, envelope: Envelope) -> None:
        """A bug, or a journal that failed: the state may be half changed. Nothing more is acknowledged."""
        self._stopped = ShuttingDown("The server has stopped after an internal fault.")
        if self.journal.failure is not None:
            self._on_fatal(ExitCode.JOURNAL_IO, str(self.journal.failure))
            return
        where = self._poison.save(command, envelope)
        self.journal.halt(f"fault in {type(command).__name__}")
        logger.critical("fault in %s, saved in %s", type(command).__name__, where, exc_info=fault)
        self._on_fatal(ExitCode.ENGINE_FAULT, f"fault in {type(command).__name__}; command saved in {where}")

    def _deliver(self, durable_seq: int) -> None:
        """Hand the newly durable records to the listeners."""
        undelivered = self._undelivered
        count = max(durable_seq - undelivered[0].seq + 1, 0) if undelivered else 0  # they are contiguous
        records = undelivered[:count]
        del undelivered[:count]
        for listener in self._listeners:
            listener(records)
