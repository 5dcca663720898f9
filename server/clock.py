"""The project's only source of wall time: everything else is handed a clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Gives the time that stamps commands, candles or tokens."""

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...


class Stopwatch(Protocol):
    """Measures how much wall time has passed; its zero means nothing."""

    def elapsed_us(self) -> int:
        """Microseconds since an arbitrary moment; never goes back."""
        ...


class WallClock:
    """The machine's clock. `now_us` follows its adjustments and may go back; `elapsed_us` never does."""

    __slots__ = ()

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        return time.time_ns() // 1_000

    def elapsed_us(self) -> int:
        """Microseconds since an arbitrary moment; never goes back."""
        return time.monotonic_ns() // 1_000
