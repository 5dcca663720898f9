"""The table at the end of a torture: what was asked, reached and seen, on the terminal and as a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.torture.job import FOLDER, SOURCES, Job, tree

COLUMNS: Final = ("attack", "reached", "asked", "of", "failures", "minutes", "seen", "verdict")


@dataclass(frozen=True)
class Result:
    """An attack's job, what its rounds are, and what is shown of what it saw (all of it when empty)."""

    job: Job
    unit: str
    shown: tuple[str, ...] = ()


def cells(result: Result) -> tuple[str, ...]:
    """A row of the table."""
    job, counts = result.job, result.job.seen
    seen = ", ".join(f"{counts[what]:,} {what}" for what in result.shown or counts)
    return (
        *(job.name, f"{job.reached:,}", f"{job.asked:,}", result.unit, str(len(job.failures))),
        *(f"{job.seconds / 60:.1f}", seen, "survived" if passed(job) else "FAILED"),
    )


def passed(job: Job) -> bool:
    """All that was asked was reached, and nothing failed on the way."""
    return job.reached >= job.asked and not job.failures


def show(results: Sequence[Result], seconds: float, folder: Path = FOLDER) -> Path:
    """Print the table, and write it with the failures to a file, whose path is returned. `seconds`: how long this run took."""
    now, seed = datetime.now(UTC), results[0].job.seed
    title = f"torture, {now:%Y-%m-%d %H:%M} UTC, {seconds / 60:.1f} min, seed {seed}, sources {tree(SOURCES)}"
    table = Table(*COLUMNS, title=title)
    lines = [title, "", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for result in results:
        row = cells(result)
        table.add_row(*row)
        lines.append(f"| {' | '.join(row)} |")
    for result in results:
        for line in result.job.failures:
            lines += ["", f"{result.job.name}, round {line.first}:", "", "```", line.failure.rstrip(), "```"]
    path = folder / "summary.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    Console(width=None if sys.stdout.isatty() else 180).print(table)
    return path
