"""`python -m tests.torture [kill|outage|mutations|faults]`, all of them without a name. ROUNDS=100, SECONDS=60, RATE=1500."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from random import Random
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.torture.kill import Crash, Report, plan, torture
from tests.torture.progress import Line, Progress

ROUNDS_PER_FOLDER: Final = 25
"""After so many rounds the next one starts with an empty folder."""


async def kill(rounds: int) -> None:
    """Rounds of kill -9; one that fails is repeated by running this again with the same sources."""
    progress = Progress("kill")
    if progress.lines:
        print(f"{len(progress.lines)} rounds of these sources were survived before")
    while len(progress.lines) < rounds:
        seed = len(progress.lines)
        random = Random(seed)
        async with torture(seed) as rounds_here:
            for _ in range(min(ROUNDS_PER_FOLDER, rounds - len(progress.lines))):
                begun_s = time.monotonic()
                report = await rounds_here.round(plan(random, len(progress.lines)))
                progress.add(_line(progress.sources, report))
                seconds = time.monotonic() - begun_s
                print(f"round {len(progress.lines)}/{rounds}, {seconds:.1f} s: {report}", flush=True)
    _print_summary(progress)
    progress.finished()


def _line(sources: str, report: Report) -> Line:
    tally = report.tally
    return Line(
        sources,
        report.crash,
        tally.acknowledged,
        tally.refused,
        report.in_doubt,
        tally.whole,
        tally.absent,
        tally.repeated,
        report.probed,
        report.replayed,
        report.torn,
        report.start_s,
    )


def _print_summary(progress: Progress) -> None:
    names = (
        "acknowledged",
        "refused",
        "in doubt",
        "whole",
        "absent",
        "repeated",
        "in queues",
        "replayed",
        "torn",
    )
    table = Table("crash", "rounds", *names, "slowest start", title="kill -9 under load: all rounds survived")
    kinds = [*(crash.value for crash in Crash), "all"]
    for kind in kinds:
        lines = [line for line in progress.lines if kind in (line.crash, "all")]
        if not lines:
            continue
        sums = [
            sum(figures)
            for figures in zip(
                *(
                    (
                        *(each.acknowledged, each.refused, each.in_doubt, each.whole, each.absent),
                        *(each.repeated, each.probed, each.replayed, int(each.torn)),
                    )
                    for each in lines
                ),
                strict=True,
            )
        ]
        slowest_s = max(line.start_s for line in lines)
        table.add_row(kind, str(len(lines)), *map(str, sums), f"{slowest_s:.2f} s")
    Console(width=None if sys.stdout.isatty() else 160).print(table)


async def main(names: list[str]) -> None:
    """Run what is named."""
    environ = os.environ
    for name in names or ["kill"]:
        print(f"== {name}", flush=True)
        match name:
            case "kill":
                await kill(int(environ.get("ROUNDS", "100")))
            case _:
                sys.exit(f"there is no torture called {name}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
