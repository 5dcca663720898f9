"""What monitoring is told of the process: the library's figures, without its pause."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from server.process_figures import ProcessFigures


def shown(collector: Collector) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(collector)
    text = generate_latest(registry).decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_figures_are_those_of_the_library() -> None:
    figures = ProcessFigures()
    await figures.count_files()
    ours, theirs = shown(figures), shown(ProcessCollector(registry=None))

    assert set(ours) == set(theirs)
    for name in ("process_start_time_seconds", "process_max_fds"):
        assert ours[name] == theirs[name]
    for name in (
        "process_virtual_memory_bytes",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ):
        assert 0.9 * ours[name] <= theirs[name] <= 1.1 * ours[name] + 1
    assert (
        0 <= theirs["process_open_fds"] - ours["process_open_fds"] <= 1
    )  # theirs has the folder open that it lists


async def test_files_that_are_opened_are_counted_and_those_that_are_closed_are_not() -> None:
    figures = ProcessFigures()
    await figures.count_files()
    before = shown(figures)["process_open_fds"]
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]
    await figures.count_files()
    most = shown(figures)["process_open_fds"]
    for file in opened:
        os.close(file)
    await figures.count_files()

    assert (most - before, shown(figures)["process_open_fds"]) == (100, before)


async def test_where_the_system_does_not_say_how_many_a_thread_counts(tmp_path: Path) -> None:
    """The size of this folder is 0, as that of open files is on Linux before 6.2."""
    folder = Path("/proc/sys")
    assert folder.stat().st_size == 0
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "stat").symlink_to("/proc/self/stat")
    (tmp_path / "self" / "fd").symlink_to(folder)
    figures = ProcessFigures(tmp_path)
    await figures.count_files()

    assert shown(figures)["process_open_fds"] == len(os.listdir(folder)) > 0


async def test_without_proc_there_is_nothing_to_show(tmp_path: Path) -> None:
    figures = ProcessFigures(tmp_path)
    await figures.count_files()

    assert shown(figures) == {}
