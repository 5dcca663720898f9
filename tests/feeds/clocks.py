"""A wall clock that tests turn by hand."""

from __future__ import annotations


class HandClock:
    """Starts anywhere and moves only when told."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self.time_us = now_us
        self.passed_us = 0

    def pass_us(self, duration_us: int) -> None:
        """Lets time pass on both hands."""
        self.time_us += duration_us
        self.passed_us += duration_us

    def now_us(self) -> int:
        return self.time_us

    def elapsed_us(self) -> int:
        return self.passed_us
