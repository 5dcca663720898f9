"""The process as Prometheus' conventions show it (`process_…`): memory, processor time, start, open files and their limit.

The library's own collector lists /proc/self/fd for the number of open files, which with 10 000 connections holds the loop up
for 14 to 40 ms at each scrape. Linux says the number by itself since 6.2, as the size of that folder; before that, the
folder is listed in a thread.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_PAGE_BYTES: Final = resource.getpagesize()
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class ProcessFigures(Collector):
    """`count_files` counts the open files; `collect` shows what it found last. On a system without /proc there is nothing to show."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._booted_s = _boot_time_s(proc)
        self._open_files: int | None = None

    async def count_files(self) -> None:
        """Count the open files of this process, without keeping the loop."""
        folder = self._proc / "self" / "fd"
        try:
            self._open_files = folder.stat().st_size or await asyncio.to_thread(_entries, folder)
        except OSError:
            self._open_files = None

    def collect(self) -> Iterator[Metric]:
        """The figures as metrics, with the names and units of the library's own collector."""
        try:
            # What follows the program's name, which may hold anything; the first of it is field 3 of proc(5).
            fields = (self._proc / "self" / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return
        user, system, started, virtual_bytes, pages = (int(fields[n - 3]) for n in (14, 15, 22, 23, 24))
        yield GaugeMetricFamily(
            "process_virtual_memory_bytes", "Virtual memory size in bytes.", value=virtual_bytes
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Resident memory size in bytes.", value=pages * _PAGE_BYTES
        )
        yield GaugeMetricFamily(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            value=self._booted_s + started / _TICKS_PER_S,
        )
        yield CounterMetricFamily(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            value=(user + system) / _TICKS_PER_S,
        )
        if self._open_files is not None:
            yield GaugeMetricFamily(
                "process_open_fds", "Number of open file descriptors.", value=self._open_files
            )
        yield GaugeMetricFamily(
            "process_max_fds",
            "Maximum number of open file descriptors.",
            value=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )


def _boot_time_s(proc: Path) -> float:
    """When the system was started, in seconds since the epoch; 0 where nobody says so."""
    try:
        lines = (proc / "stat").read_bytes().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith(b"btime ")), 0.0)


def _entries(folder: Path) -> int:
    """How many entries a folder has."""
    with os.scandir(folder) as entries:
        return sum(1 for _ in entries)
