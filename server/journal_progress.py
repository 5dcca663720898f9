"""Shows on a terminal how far the check of a long journal has come."""

import sys
import time
from typing import Final

_QUIET_S: Final = 1.0


class ScanProgress:
    """Call it with bytes done and bytes in all. It keeps still for the first second and where stderr is no terminal."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._shown = False

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        if not sys.stderr.isatty() or time.monotonic() - self._started_s < _QUIET_S:
            return
        self._shown = self._shown or done_bytes < total_bytes
        if self._shown:
            end = "\n" if done_bytes >= total_bytes else ""
            share = 100 * done_bytes // max(total_bytes, 1)
            sys.stderr.write(f"\rchecking the journal: {share} % of {total_bytes >> 20} MiB{end}")
            sys.stderr.flush()
