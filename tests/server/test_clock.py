"""The wall clock counts microseconds."""

from __future__ import annotations

import time

from server.clock import Clock, Stopwatch, WallClock


def test_now_is_in_microseconds_since_the_epoch() -> None:
    clock: Clock = WallClock()
    before_us = time.time_ns() // 1_000
    assert before_us <= clock.now_us() <= time.time_ns() // 1_000


def test_elapsed_time_never_goes_back() -> None:
    watch: Stopwatch = WallClock()
    readings = [watch.elapsed_us() for _ in range(1_000)]
    assert readings == sorted(readings)
