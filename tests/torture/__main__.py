"""`python -m tests.torture [NAME …] [--full] [--count N] [--seed S] [--fresh] [--list]`: all attacks without a name.

One that is named alone runs in this process. Several run one after the other in processes of their own, so that none
suffers from what another has left. Ends with 1 when a round failed or was not reached.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from tests.torture.job import Job, TooManyFailures
from tests.torture.summary import Result, passed, show
from tests.torture.table import ATTACKS, Attack


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """What was asked for. Ends the process with usage for what is not known."""
    parser = argparse.ArgumentParser("python -m tests.torture", description="Attacks on Kerb.")
    names = [attack.name for attack in ATTACKS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument(
        "--full", action="store_true", help="the counts of a night instead of the default ones"
    )
    parser.add_argument("--count", type=int, help="so many rounds of each")
    parser.add_argument("--seed", type=int, default=0, help="another world (0)")
    parser.add_argument(
        "--fresh", action="store_true", help="forget what the named attacks have survived and failed"
    )
    parser.add_argument("--list", action="store_true", help="show the table and end")
    asked = parser.parse_args(argv)
    unknown = [name for name in asked.names if name not in names]
    if unknown:
        parser.error(f"there is no attack called {', '.join(unknown)}")
    return asked


def count(attack: Attack, asked: argparse.Namespace) -> int:
    """How many rounds there are to be."""
    if asked.count is not None:
        return int(asked.count)
    return attack.full if asked.full else attack.default


def job_of(attack: Attack, asked: argparse.Namespace, *, fresh: bool = False) -> Job:
    """The attack's job, with what earlier runs have survived."""
    return Job(attack.name, count(attack, asked), seed=asked.seed, fresh=fresh, sources=attack.sources)


async def run_here(attack: Attack, asked: argparse.Namespace) -> None:
    """Run one attack in this process."""
    job = job_of(attack, asked, fresh=asked.fresh)
    try:
        with job.watched(), job.outside_of_rounds():
            await attack.run(job)
    except TooManyFailures as error:
        print(error, file=sys.stderr)


async def run_apart(attack: Attack, asked: argparse.Namespace) -> None:
    """Run one attack in a process of its own."""
    print(f"== {attack.name}: {count(attack, asked):,} {attack.unit}", file=sys.stderr, flush=True)
    options = ["--count", str(count(attack, asked)), "--seed", str(asked.seed), *["--fresh"] * asked.fresh]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.torture", attack.name, *options, stdout=sys.stderr
    )
    await process.wait()


async def main(argv: Sequence[str]) -> int:
    """Run what is named; the exit code."""
    asked = arguments(argv)
    attacks = [attack for attack in ATTACKS if attack.name in asked.names or not asked.names]
    if asked.list:
        for attack in ATTACKS:
            print(f"{attack.name:12} {attack.default:>11,} / {attack.full:>11,} {attack.unit}")
        return 0
    begun_s = time.monotonic()
    for attack in attacks:
        await (run_here if len(attacks) == 1 else run_apart)(attack, asked)
    jobs = [job_of(attack, asked) for attack in attacks]
    path = show(
        [Result(job, attack.unit, attack.shown) for job, attack in zip(jobs, attacks, strict=True)],
        time.monotonic() - begun_s,
    )
    print(f"written to {path}")
    return 0 if all(map(passed, jobs)) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
