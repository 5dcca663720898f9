"""The place of one thread among those that share a core with it."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

NICE: Final = -10


def prefer_this_thread() -> bool:
    """Let this thread run as soon as it can, where the system allows it: to root, or with `LimitNICE` of systemd.

    For one that works for microseconds and sleeps for milliseconds, beside one that would work all the time: without it the
    kernel lets the other one go on for milliseconds. False when it is not allowed; then everything works, only later.
    """
    if sys.platform != "linux":  # elsewhere a thread has no priority of its own, or another way to it
        return False
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    except PermissionError:
        return False
    return True
