"""Commits that must not pass: each breaks one rule that keeps money safe, and the tests named with it must fail for it.

The tables are in mutations_engine.py, mutations_shell.py and mutations_disk.py. Each bug is seeded into a copy of the sources, never into
the work tree; one whose source text is no longer there fails its round.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.torture.job import ROOT, Job
from tests.torture.mutation import Mutation, mutated
from tests.torture.mutations_disk import LYING_DISK_MUTATIONS
from tests.torture.mutations_engine import ENGINE_MUTATIONS
from tests.torture.mutations_shell import SHELL_MUTATIONS

FAILED: Final = re.compile(r"^FAILED (\S+)", re.MULTILINE)
SUMMARY: Final = re.compile(r"^\d+ (passed|failed)", re.MULTILINE)
TRIES: Final = 2
"""A test of the unchanged copy that fails may have met a busy machine: it is run once more."""

MUTATIONS: Final[tuple[Mutation, ...]] = (
    *ENGINE_MUTATIONS,
    *SHELL_MUTATIONS,
    *LYING_DISK_MUTATIONS,
)


async def mutations(job: Job) -> None:
    """Try each on a copy of the sources: every test that it names has to notice it."""
    with tempfile.TemporaryDirectory(prefix="kerb-mutations-") as folder:
        copy = Path(folder) / "kerb"
        _copy_sources(copy)
        todo = [number for number in job.todo() if number < len(MUTATIONS)]
        failed = {test for number in todo for test in MUTATIONS[number].tests}
        for _ in range(TRIES):
            failed = await _failing(copy, sorted(failed)) if failed else failed
        assert not failed, f"unchanged sources fail {failed}"
        for number in todo:
            mutation = MUTATIONS[number]
            with job.round(number) as one:
                path = copy / mutation.file
                text = path.read_text(encoding="utf-8")
                path.write_text(mutated(mutation, text), encoding="utf-8")
                try:
                    failed = await _failing(copy, mutation.tests)
                finally:
                    path.write_text(text, encoding="utf-8")
                unaware = set(mutation.tests) - failed
                assert not unaware, f"{mutation.breaks} is not noticed by {unaware}"
                one.text = f"{mutation.breaks} is noticed by {', '.join(mutation.tests)}"
                one.seen["tests that noticed"] += len(mutation.tests)


def _copy_sources(copy: Path) -> None:
    """What git knows of, as it stands in the work tree."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for name in listing.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)


async def _failing(copy: Path, tests: Iterable[str]) -> set[str]:
    """Which of the tests fail, without the parameters of those that have some."""
    report = copy.parent / "report.txt"
    with report.open("wb") as output:  # over a pipe the end of it was missing now and then
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"),
            *("--timeout=60", "--timeout-method=signal", "-rf", *tests),
            cwd=copy,
            stdout=output,
            stderr=asyncio.subprocess.DEVNULL,
        )
        code = await process.wait()
    text = report.read_text(encoding="utf-8", errors="replace")
    failed = {name.partition("[")[0] for name in FAILED.findall(text)}
    if not failed and (code not in (0, 1) or not SUMMARY.search(text)):
        raise RuntimeError(f"the tests could not run:\n{text}")
    return failed
