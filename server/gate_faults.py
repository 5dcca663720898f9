"""Connections of gates that were ended: each counted once and logged once, however many an attack makes.

The first ones of a period have a line each; what comes then is counted, and the period's end says how many of which kind.
So every try is in the log exactly once, by itself or in a sum, and an attack writes a few lines a second at most.
"""

from __future__ import annotations

import logging
from typing import Final

from server.clock import Stopwatch
from server.gate_protocol import Fault

logger = logging.getLogger("kerb.gates")

PERIOD_US: Final = 10_000_000
LINES_MAX: Final = 20
"""Lines of their own in one period."""

QUIET: Final = frozenset({Fault.REPLACED})
"""What happens without anybody doing wrong: INFO, the others WARNING."""


class GateFaults:
    """Counts and logs. `counts` is what /metrics reads."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        self._ends_us = 0
        self._lines = 0
        self._summed: dict[Fault, int] = {}
        self.counts: dict[Fault, int] = dict.fromkeys(Fault, 0)

    def __repr__(self) -> str:
        return f"<GateFaults { ({fault.value: count for fault, count in self.counts.items() if count}) }>"

    def by_name(self) -> dict[str, float]:
        """How many there were of each kind, for /metrics."""
        return {fault.value: count for fault, count in self.counts.items()}

    def note(self, fault: Fault, address: str, gate: str) -> None:
        """A connection was ended. `gate` is who it said or proved to be, '' where it had said nothing that can be an id."""
        self.counts[fault] += 1
        now_us = self._watch.elapsed_us()
        if now_us >= self._ends_us:
            self.flush()
            self._ends_us = now_us + PERIOD_US
            self._lines = 0
        if self._lines < LINES_MAX:
            self._lines += 1
            level = logging.INFO if fault in QUIET else logging.WARNING
            logger.log(level, "refused %s from %s%s", fault.value, address, f" as {gate}" if gate else "")
        else:
            self._summed[fault] = self._summed.get(fault, 0) + 1

    def tick(self) -> None:
        """Say what was summed up, once its period is over."""
        if self._summed and self._watch.elapsed_us() >= self._ends_us:
            self.flush()

    def flush(self) -> None:
        """Say what was summed up and not said."""
        if not self._summed:
            return
        kinds = ", ".join(f"{fault.value} {self._summed[fault]}" for fault in sorted(self._summed))
        logger.warning("refused %d more: %s", sum(self._summed.values()), kinds)
        self._summed.clear()
