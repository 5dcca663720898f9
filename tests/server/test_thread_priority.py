"""A thread may be preferred, where the system allows it; nothing depends on it."""

from __future__ import annotations

import os
import threading

from server.thread_priority import NICE, prefer_this_thread


def test_only_this_thread_is_preferred_or_it_is_said_that_it_is_not() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    seen: list[tuple[bool, int]] = []

    def work() -> None:
        allowed = prefer_this_thread()
        seen.append((allowed, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen in ([(True, NICE)], [(False, before)])
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
