"""Runs every benchmark, one after the other, each in a process of its own, and ends with a table of what is asked for.

    python -m bench.all [NAME …]        `make bench`; names are those of the modules, without `bench.`

Their lines go through as they come (bench/figures.py says what stands in them). The table has a row for every figure that
DESIGN.md §10 asks for. Exits 1 only when a benchmark crashed: a figure that is not reached is a finding, not a fault.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

ROOT: Final = Path(__file__).resolve().parents[1]
TIMEOUT_S: Final = 240

BENCHES: Final = (
    "engine",
    "risk",
    "allocation",
    "memory",
    "journal",
    "ticks",
    "http_orders",
    "order_in_flight",
    "ws_orders",
    "write_behind",
    "fan_out",
    "gates",
    "occupancy",
    "start",
)


def fields(line: str) -> dict[str, str]:
    """The parts of a benchmark's line by name."""
    return dict(part.split("=", 1) for part in line.split()[1:] if "=" in part)


def run(name: str, figures: list[dict[str, str]]) -> bool:
    """Run one benchmark and collect its figures; False when it crashed."""
    print(f"== bench.{name}", flush=True)
    begun_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", f"bench.{name}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("bench "):
                figures.append(fields(line))
        code = process.wait(TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    print(f"== bench.{name}: exit code {code}, {time.monotonic() - begun_s:.0f} s", flush=True)
    return code == 0


def table(figures: list[dict[str, str]]) -> Table:
    """What is asked for, what was reached."""
    shown = Table("figure", "must", "aim", "reached", "unit", "must met", "aim met", "ratio", box=None)
    for figure in figures:
        if "must" not in figure and "aim" not in figure:
            continue
        met = figure.get("met", "")
        shown.add_row(
            figure["name"],
            figure.get("must", ""),
            figure.get("aim", ""),
            figure["value"],
            figure["unit"],
            "" if "must" not in figure else "no" if met == "no" else "yes",
            "" if "aim" not in figure else "yes" if met == "aim" else "no",
            figure.get("ratio", ""),
        )
    return shown


def main() -> int:
    """Run them; the exit code."""
    figures: list[dict[str, str]] = []
    crashed = [name for name in sys.argv[1:] or BENCHES if not run(name, figures)]
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table(figures))
    for name in crashed:
        print(f"bench.{name} crashed", file=sys.stderr)
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
