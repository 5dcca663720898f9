"""Commits that must not pass: each breaks one rule that keeps money safe, and the tests named here must fail for it."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.torture.job import ROOT, Job

FAILED: Final = re.compile(r"^FAILED (\S+)", re.MULTILINE)
SUMMARY: Final = re.compile(r"^\d+ (passed|failed)", re.MULTILINE)


@dataclass(frozen=True)
class Mutation:
    """`old` becomes `new` in a file; `old` must stand there exactly once. `tests` are what has to notice."""

    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


ANSWERS: Final = (
    "tests/handlers/test_durability.py::test_every_way_to_send_a_command_answers_when_it_is_durable"
)
READS: Final = "tests/handlers/test_durability.py::test_no_answer_and_no_read_shows_what_is_not_durable"

MUTATIONS: Final = (
    Mutation(
        "the fsync of a group",
        "server/journal_segments.py",
        "        self._disk.write_all(self._fd, frame, active.end_offset)\n        self._disk.fdatasync(self._fd)\n",
        "        self._disk.write_all(self._fd, frame, active.end_offset)\n",
        (
            "tests/server/test_journal_durability.py::test_no_acknowledgement_comes_before_fdatasync_returns",
            "tests/server/test_journal_durability.py::test_power_loss_after_any_acknowledgement_takes_nothing_back",
        ),
    ),
    Mutation(
        "the fsync itself",
        "server/disk.py",
        "        os.fdatasync(fd)\n",
        "        return\n",
        ("tests/server/test_disk.py::test_a_sync_of_what_cannot_be_synced_is_the_kernels_error",),
    ),
    Mutation(
        "the hold of a buy",
        "engine/trading.py",
        "        account.held_e4 += order.hold_e4\n",
        "        account.held_e4 += 0\n",
        (
            "tests/engine/test_trading.py::test_an_accepted_order_answers_with_itself_and_reports_book_and_balance",
            "tests/engine/test_trading.py::test_cancel_releases_the_hold",
        ),
    ),
    Mutation(
        "the rounding of a fill",
        "engine/units.py",
        "    return price_e4 * quantity_e8 // QUANTITY_SCALE\n",
        "    return -(-price_e4 * quantity_e8 // QUANTITY_SCALE)\n",
        ("tests/engine/test_units.py::test_each_rounding_goes_its_way",),
    ),
    Mutation(
        "the rounding of a hold",
        "engine/units.py",
        "    rest_e4 = (price_e4 * rest_e8 + QUANTITY_ROUND_UP) // QUANTITY_SCALE\n",
        "    rest_e4 = price_e4 * rest_e8 // QUANTITY_SCALE\n",
        ("tests/engine/test_units.py::test_each_rounding_goes_its_way",),
    ),
    Mutation(
        "the durability gate of orders over HTTP",
        "handlers/direct.py",
        "                applied.seq, lambda lost: self._end(lost, call, applied, started_s, write)\n",
        "                0, lambda lost: self._end(lost, call, applied, started_s, write)\n",
        (ANSWERS, READS),
    ),
    Mutation(
        "the durability gate of other commands over HTTP",
        "handlers/call.py",
        "        await self.services.runtime.wait_durable(applied.seq)\n",
        "",
        (ANSWERS,),
    ),
    Mutation(
        "the durability gate of a WebSocket",
        "server/fan_out.py",
        "        if seq <= self.private.seq:\n",
        "        if seq > 0:\n",
        (ANSWERS,),
    ),
    Mutation(
        "the durability gate of streams",
        "server/runtime.py",
        "                self._undelivered.append(record)\n",
        "                self._undelivered.append(record)\n                self._deliver(applied.seq)\n",
        (ANSWERS,),
    ),
    Mutation(
        "the durability gate of the journal",
        "server/journal.py",
        "        if seq <= self.durable_seq:\n            return self._done\n",
        "        if seq <= self.appended_seq:\n            return self._done\n",
        (
            "tests/server/test_journal_durability.py::test_no_acknowledgement_comes_before_fdatasync_returns",
            ANSWERS,
        ),
    ),
)


def mutated(mutation: Mutation, text: str) -> str:
    """The file's text with the mutation. Raises LookupError when what it changes is no longer there once."""
    if text.count(mutation.old) != 1:
        raise LookupError(f"{mutation.file}: {mutation.breaks}: not there exactly once:\n{mutation.old}")
    return text.replace(mutation.old, mutation.new)


async def mutations(job: Job) -> None:
    """Try each on a copy of the sources: every test that it names has to notice it."""
    with tempfile.TemporaryDirectory(prefix="kerb-mutations-") as folder:
        copy = Path(folder) / "kerb"
        _copy_sources(copy)
        todo = [number for number in job.todo() if number < len(MUTATIONS)]
        failed = await _failing(copy, sorted({test for number in todo for test in MUTATIONS[number].tests}))
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


async def _failing(copy: Path, tests: tuple[str, ...] | list[str]) -> set[str]:
    """Which of the tests fail, without the parameters of those that have some."""
    report = copy.parent / "report.txt"
    with report.open("wb") as output:  # over a pipe the end of it was missing now and then
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=60", "-rf", *tests),
            cwd=copy,
            stdout=output,
            stderr=asyncio.subprocess.DEVNULL,
        )
        code = await process.wait()
    text = report.read_text(encoding="utf-8", errors="replace")
    if code not in (0, 1) or not SUMMARY.search(text):
        raise RuntimeError(f"the tests could not run:\n{text}")
    return {name.partition("[")[0] for name in FAILED.findall(text)}
