"""`python -m tests.torture [mutations] [disk] [outage] [stalled] [returning] [orders] [machine] [kill]`, all without a name.

The environment says how much: ROUNDS of kill (100), SECONDS_AWAY of an outage (60) at a RATE of requests a second (1700),
random COMMANDS of orders (10 000 000), EXAMPLES of the machine (2 000).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from random import Random
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.torture.disk import failing_sync, file_size_limit, full_disk
from tests.torture.kill import Crash, Report, plan, torture
from tests.torture.mutations import show_mutations
from tests.torture.orders import machine, orders
from tests.torture.outage import How, trial
from tests.torture.progress import Line, Progress
from tests.torture.stream_attacks import returning, stalled

ROUNDS_PER_FOLDER: Final = 25
"""After so many rounds the next one starts with an empty folder."""

WARM_UP: Final = 125_000
"""Orders before an outage: the memories of records and of private events are full then."""

GROWTH_MAX_MB: Final = 50.0


async def kill(rounds: int) -> None:
    """Rounds of kill -9; one that fails is repeated by running this again with the same sources."""
    progress = Progress("kill", Line)
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


def _print_summary(progress: Progress[Line]) -> None:
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


async def outage(seconds: float, rate: int) -> None:
    """PostgreSQL away for so long, in each of the ways it can be; and as long there, to compare."""
    worst = 0.0
    for how in How:
        async with trial() as one:
            result = await one.run(how, seconds, warm_up=WARM_UP, rate=rate, keyed_percent=10)
        print(result, flush=True)
        worst = max(worst, result.grown)
    assert worst <= GROWTH_MAX_MB, f"the server grew by {worst:.1f} MB, {GROWTH_MAX_MB} are allowed"


async def disk() -> None:
    """Disks that fail, as far as this machine lets us make them."""
    print(await file_size_limit(1), flush=True)
    for name, tool, fault in (
        ("full disk", "mount", full_disk),
        ("failing fdatasync", "strace", failing_sync),
    ):
        if os.geteuid() == 0 and shutil.which(tool):
            print(await fault(1), flush=True)
        else:
            print(f"{name}: not tried, it needs root and {tool}")


async def main(names: list[str]) -> None:
    """Run what is named."""
    environ = os.environ
    for name in names or ["mutations", "disk", "outage", "stalled", "returning", "orders", "machine", "kill"]:
        print(f"== {name}", flush=True)
        match name:
            case "kill":
                await kill(int(environ.get("ROUNDS", "100")))
            case "outage":
                await outage(float(environ.get("SECONDS_AWAY", "60")), int(environ.get("RATE", "1700")))
            case "disk":
                await disk()
            case "stalled":
                await stalled()
            case "returning":
                await returning()
            case "orders":
                orders(int(environ.get("COMMANDS", "10000000")))
            case "machine":
                machine(int(environ.get("EXAMPLES", "2000")), steps=200)
            case "mutations":
                if not await show_mutations():
                    sys.exit("a mutation was not noticed")
            case _:
                sys.exit(f"there is no torture called {name}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
