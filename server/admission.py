"""Which new orders are taken when more come than can be carried out: those that can still be answered soon.

What comes in is read in turns of the event loop: all that has arrived since the last turn, then the work it wakes. Under an
overload turns grow until everybody waits for everybody. So once turns have been too long for PATIENCE, each takes new orders
for so long as its budget lasts, and what is left of its orders is refused (503, Retry-After) for a small part of what an
order costs. Then the next turn comes soon: no order waits longer than a turn, accepted or refused, and nothing is kept for
later. A turn that refuses nothing ends it.

Turns are measured in processor time of the loop's thread: what another process takes from it is no queue of ours, and refusing
orders would not bring it back. Cancels and reads are never refused here: what orders leave is theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Final

from config.settings import OverloadSettings

PROBE_S: Final = 0.01
"""How often it is looked at how much the loop has worked since."""

QUIET_PROBES: Final = 10
"""When nothing has been read in the time of so many that ends, until something is: a server with nothing to do is not woken for it."""

READS_MIN: Final = 100
"""A turn that has read less is no queue, however long it took: so many callers with one order each under way are no overload."""

READS_QUIET: Final = 50
"""After a turn that has read less the next one is not even measured: whoever is alone pays nothing for those who are many."""

GAP_SHARE: Final = 0.5
BUDGETS_MAX: Final = 4
"""After a longer gap, as when the processor was somebody else's, a turn takes orders for this share of it: they have come meanwhile,
and refusing them would leave time unused. Turns do not grow by it: reading is about two thirds of an order's work.
"""

IDLE_S: Final = 1.0
"""A turn that comes so long after the one before begins anew."""


class Admission:
    """`is_tight`: new orders have to ask `refuses` before they are looked at. `is_over`: in this turn all of them come too late, so
    that nobody has to look at a clock any more, which is a call to the kernel. `refused` counts those turned away, `reads` what
    has come in this turn: whoever reads counts it.

    `waiting_since_s` says since when (`monotonic`) a record has waited for the disk; `worked` gives seconds of processor time.
    """

    __slots__ = (
        *(
            "_budget_s",
            "_clock",
            "_deadline_s",
            "_lag_max_s",
            "_is_measured",
            "_is_watched",
            "_lag_s",
            "_loop",
            "_over_since_s",
        ),
        *(
            "_patience_s",
            "_probe",
            "_quiet_probes",
            "_refused_in_turn",
            "_seen_s",
            "_started_s",
            "_took_s",
            "_wait_max_s",
        ),
        *("_waiting_since_s", "_worked", "in_turn", "is_over", "is_tight", "reads", "refused"),
    )

    def __init__(
        self,
        settings: OverloadSettings,
        waiting_since_s: Callable[[], float | None],
        clock: Callable[[], float] = monotonic,
        worked: Callable[[], float] = thread_time,
    ) -> None:
        self.in_turn = False
        self.is_over = False
        self.is_tight = False
        self.reads = 0
        self.refused = 0
        self._budget_s = settings.turn_ms / 1_000
        self._lag_max_s = settings.lag_ms / 1_000
        self._patience_s = settings.patience_ms / 1_000
        self._wait_max_s = settings.disk_wait_ms / 1_000
        self._waiting_since_s = waiting_since_s
        self._clock = clock
        self._worked = worked
        self._loop = asyncio.get_running_loop()
        self._seen_s = clock()
        self._started_s = self._deadline_s = worked()
        self._took_s = self._lag_s = 0.0
        self._over_since_s: float | None = None
        self._is_measured = self._is_watched = False
        self._refused_in_turn = False
        self._quiet_probes = 0
        self._probe: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Admission {'tight' if self.is_tight else 'open'}, {self.refused} refused>"

    def start(self) -> None:
        """Look at how long the loop's turns are from now on, while anything is read."""
        self._is_watched = True

    def stop(self) -> None:
        """Look at it no more."""
        self._is_watched = False
        if self._probe is not None:
            self._probe.cancel()

    def begin_turn(self) -> None:
        """The first bytes of a turn of the loop have come. To be called when not `in_turn`."""
        self.in_turn = True
        self._loop.call_soon(self._read_all)
        self._quiet_probes = 0
        if self._probe is None and self._is_watched:
            self._probe = self._loop.call_later(PROBE_S, self._look, self._worked())
        now_s = self._clock()
        gap_s = now_s - self._seen_s
        if gap_s > IDLE_S:
            self.is_tight = False
            self._over_since_s = None
        elif self.is_tight:
            self.is_tight = self._refused_in_turn
            self._over_since_s = None
        elif self.reads > READS_MIN and (self._took_s > self._budget_s or self._lag_s > self._lag_max_s):
            if self._over_since_s is None:
                self._over_since_s = self._seen_s
            self.is_tight = now_s - self._over_since_s > self._patience_s
        else:
            self._over_since_s = None
        self._is_measured = self.reads >= READS_QUIET or self.is_tight
        self._refused_in_turn = self.is_over = False
        self.reads = 0
        self._seen_s = now_s
        if self._is_measured:
            self._set_deadline(gap_s)
        waiting_since_s = self._waiting_since_s()
        if waiting_since_s is not None and now_s - waiting_since_s > self._wait_max_s:
            self.is_tight = True
            self._deadline_s = self._worked()

    def _set_deadline(self, gap_s: float) -> None:
        self._started_s = self._worked()
        self._deadline_s = self._started_s + min(
            max(self._budget_s, gap_s * GAP_SHARE), self._budget_s * BUDGETS_MAX
        )

    def is_late(self) -> bool:
        """Whether a new order comes too late in its turn."""
        if not self.is_over:
            self.is_over = self.is_tight and self._worked() > self._deadline_s
        return self.is_over

    def note_refused(self) -> None:
        """One was turned away for that."""
        self._refused_in_turn = True
        self.refused += 1

    def refuses(self) -> bool:
        """Whether a new order comes too late in its turn; it is counted then."""
        if self.is_late():
            self.note_refused()
            return True
        return False

    def _read_all(self) -> None:
        """All that had arrived has been read; what it has woken comes now."""
        self.in_turn = False
        self._took_s = self._worked() - self._started_s if self._is_measured else 0.0

    def _look(self, before_s: float) -> None:
        now_s = self._worked()
        self._lag_s = now_s - before_s
        self._quiet_probes += 1
        if self._quiet_probes > QUIET_PROBES:
            self._lag_s = 0.0
            self._probe = None
            return
        self._probe = self._loop.call_later(PROBE_S, self._look, now_s)
