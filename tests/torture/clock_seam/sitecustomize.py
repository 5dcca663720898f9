"""A wall clock that can be moved from outside, for a server that is started with this folder on its PYTHONPATH.

TORTURE_CLOCK names a file of eight bytes, a little-endian signed number of nanoseconds: what `time.time` and
`time.time_ns` of the process are ahead of the machine's. With TORTURE_CLOCK_STANDS set the number is the time itself, which
goes on when somebody writes another one. What never goes back, as `time.monotonic`, is left alone, as the kernel does when
somebody sets its clock. No line of Kerb knows of it.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable

_NUMBER_NS = struct.Struct("<q")


def _move(path: str, true_ns: Callable[[], int]) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        shared = mmap.mmap(fd, _NUMBER_NS.size, prot=mmap.PROT_READ)
    finally:
        os.close(fd)

    def time_ns() -> int:
        return true_ns() + int(_NUMBER_NS.unpack_from(shared)[0])

    def now_s() -> float:
        return time_ns() / 1e9

    vars(time).update(time=now_s, time_ns=time_ns)


def _stands() -> int:
    return 0


if "TORTURE_CLOCK" in os.environ:
    _move(os.environ["TORTURE_CLOCK"], _stands if "TORTURE_CLOCK_STANDS" in os.environ else time.time_ns)
