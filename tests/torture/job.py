"""What an attack is given: how much is asked, a seed, and a file of what was survived, so that a rerun goes on there.

A round is one try of an attack. It counts for the sources ("tree") and the seed that it was run with; a round that
failed is tried again by a rerun, and its failure stays on the record until `--fresh`.
"""

from __future__ import annotations

import faulthandler
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from hashlib import blake2b
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "var" / "torture"
SOURCES: Final = ("run.py", "config", "engine", "feeds", "handlers", "server", "sql", "tests")
ENGINE_SOURCES: Final = ("engine", "tests/engine")

T = TypeVar("T")

ROUNDS_PER_WORLD: Final = 25

FAILURES_MAX: Final = 3
"""After so many failures in one run an attack is given up."""

STUCK_S: Final = 1_800.0
"""So long nothing may happen (`Job.watched`)."""


class TooManyFailures(Exception):
    """The attack is given up; what failed has been shown and kept."""


class Line(msgspec.Struct, frozen=True):
    """`rounds` of an attack from `first` on: what was seen how often, or how they failed (then `failure` is not empty)."""

    tree: str
    seed: int
    first: int
    rounds: int
    seconds: float
    failure: str = ""
    seen: dict[str, int] = {}


class Round:
    """One round, or several that are looked at together: survived when its block ends without an exception.

    `text` is shown when it ends, `seen` is counted in the summary. A failure is shown and kept, and the next round may
    go on (`failed` says so); it raises `TooManyFailures` when that is enough.
    """

    def __init__(self, job: Job, numbers: range) -> None:
        self.random = job.random(numbers.start)
        self.text = ""
        self.seen: Counter[str] = Counter()
        self.failed = False
        self._job = job
        self._numbers = numbers
        self._begun_s = time.monotonic()

    def __enter__(self) -> Self:
        self._job.is_alive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        seconds = time.monotonic() - self._begun_s
        if error is None and not self._numbers:
            return True
        if error is None:
            self._job.survived(self._numbers, seconds, self.text, self.seen)
            return True
        if not isinstance(error, Exception) or isinstance(error, TooManyFailures):
            return False
        self.failed = True
        self._job.failed(self._numbers, error, seconds)
        return True


class Job:
    """One attack's work. Rounds are numbered from 0; `asked` is how many there have to be."""

    def __init__(
        self,
        name: str,
        asked: int,
        *,
        seed: int = 0,
        fresh: bool = False,
        sources: Sequence[str] = SOURCES,
        folder: Path = FOLDER,
    ) -> None:
        self.name = name
        self.asked = asked
        self.seed = seed
        self.tree = tree(sources)
        self.stuck_s = STUCK_S
        self._is_watched = False
        self._path = folder / f"{name}.jsonl"
        if fresh:
            self._path.unlink(missing_ok=True)
        self.lines = [line for line in _read(self._path) if (line.tree, line.seed) == (self.tree, seed)]
        self._survived = {line.first: line.rounds for line in self.lines if not line.failure}
        self._begun_s = time.monotonic()
        self._here = 0
        self._failed_here = 0

    @property
    def reached(self) -> int:
        """Rounds survived, of those that are asked."""
        return sum(rounds for first, rounds in self._survived.items() if first < self.asked)

    @property
    def failures(self) -> list[Line]:
        """All that failed with these sources and this seed."""
        return [line for line in self.lines if line.failure]

    @property
    def seconds(self) -> float:
        """How long the rounds took, in all runs together."""
        return sum(line.seconds for line in self.lines)

    @property
    def seen(self) -> Counter[str]:
        """What was seen, in all rounds survived."""
        seen: Counter[str] = Counter()
        for line in self.lines:
            if not line.failure:
                seen.update(line.seen)
        return seen

    def random(self, number: int) -> Random:
        """The randomness of a round: the same whenever it is run with this seed."""
        return Random(f"{self.name} {self.seed} {number}")

    def todo(self) -> Iterator[int]:
        """The numbers of the rounds that are still to be survived."""
        return (numbers.start for numbers in self.chunks(1))

    def chunks(self, size: int) -> Iterator[range]:
        """The same in chunks, for rounds that are too quick to be kept one by one. `size` is the same in every run."""
        if self.lines:
            print(f"{self.name}: {self.reached} of {self.asked} were survived before", file=sys.stderr)
        for first in range(0, self.asked, size):
            numbers = range(first, min(first + size, self.asked))
            if self._survived.get(first, 0) < len(numbers):
                yield numbers

    def round(self, number: int | range) -> Round:
        """A round, or a chunk of them."""
        return Round(self, range(number, number + 1) if isinstance(number, int) else number)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """When nothing is survived, begun or failed for `stuck_s` the process shows where its threads are, and ends."""
        self._is_watched = True
        self.is_alive()
        try:
            yield
        finally:
            self._is_watched = False
            faulthandler.cancel_dump_traceback_later()

    def is_alive(self) -> None:
        """The attack goes on."""
        if self._is_watched:
            faulthandler.dump_traceback_later(self.stuck_s, exit=True)

    def outside_of_rounds(self) -> Round:
        """What happens between the rounds; only its failure is kept."""
        return Round(self, range(self.asked, self.asked))

    def survived(
        self, numbers: range, seconds: float, text: str = "", seen: Counter[str] | None = None
    ) -> None:
        """Keep what was survived, and say so. For what does not fit `round`, as rounds in other processes."""
        self._survived[numbers.start] = len(numbers)
        self._here += len(numbers)
        self._add(
            Line(self.tree, self.seed, numbers.start, len(numbers), round(seconds, 3), "", dict(seen or {}))
        )
        each_s = (time.monotonic() - self._begun_s) / self._here
        left_s = each_s * (self.asked - self.reached)
        where = f"{self.name} {self.reached}/{self.asked}, {seconds:.1f} s, {left_s / 60:.0f} min left"
        print(f"{where}: {text}" if text else where, file=sys.stderr, flush=True)

    def failed(self, numbers: range, error: Exception, seconds: float) -> None:
        """Keep and show a failure. Raises `TooManyFailures` when it is one too many."""
        text = "".join(traceback.format_exception(error))
        self._add(Line(self.tree, self.seed, numbers.start, len(numbers), round(seconds, 3), text[-20_000:]))
        print(
            f"{self.name}: round {numbers.start} with seed {self.seed} FAILED\n{text}",
            file=sys.stderr,
            flush=True,
        )
        self._failed_here += 1
        if self._failed_here >= FAILURES_MAX:
            raise TooManyFailures(f"{self.name}: {self._failed_here} rounds failed") from error

    def _add(self, line: Line) -> None:
        self.is_alive()
        self.lines.append(line)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(line))  # first the end of a line that a kill has cut off


async def play_rounds(
    job: Job,
    world: Callable[[Random], AbstractAsyncContextManager[T]],
    play: Callable[[T, int, Round], Awaitable[None]],
) -> None:
    """The job's rounds, several in a world; after one that failed the next has another world."""
    todo = list(job.todo())
    while todo:
        async with world(job.random(todo[0])) as here:
            for _ in range(ROUNDS_PER_WORLD):
                if not todo:
                    break
                number = todo.pop(0)
                with job.round(number) as one:
                    await play(here, number, one)
                if one.failed:
                    break


def tree(sources: Iterable[str]) -> str:
    """A digest of the sources as they stand in the work tree."""
    digest = blake2b(digest_size=8)
    for source in sources:
        path = ROOT / source
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.suffix in (".py", ".sql", ".toml"):
                digest.update(f"{each.relative_to(ROOT)}\n".encode())
                digest.update(each.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> list[Line]:
    """What was kept; a line that was cut off by a kill is left out."""
    lines = []
    for text in path.read_bytes().splitlines() if path.exists() else []:
        try:
            lines.append(msgspec.json.decode(text, type=Line))
        except msgspec.DecodeError:
            continue
    return lines
