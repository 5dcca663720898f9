"""Progress of long work on stderr, when that is a terminal."""

from __future__ import annotations

import sys
import time
from typing import Final

QUIET_S: Final = 1.0
EVERY_S: Final = 0.2


class Progress:
    """Call it with what is done and what there is in all; it stays quiet for the first second."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started_s = time.monotonic()
        self._shown_s = 0.0
        self._enabled = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        now_s = time.monotonic()
        if not self._enabled or now_s - self._started_s < QUIET_S or now_s - self._shown_s < EVERY_S:
            return
        self._shown_s = now_s
        share = f"{100 * done // total} %" if total else ""
        sys.stderr.write(f"\r{self._label}: {done} of {total or '?'} {share} ")
        sys.stderr.flush()

    def finish(self) -> None:
        """End the line, if one was begun."""
        if self._shown_s:
            sys.stderr.write("\n")
            sys.stderr.flush()
