"""Rounds that have been survived, kept in a file, so that a torture that was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "var" / "torture"
SOURCES: Final = ("config", "engine", "feeds", "handlers", "server", "sql", "tests/e2e", "tests/torture")
ORDERS_SOURCES: Final = ("engine", "tests/engine")


class Round(msgspec.Struct, frozen=True):
    """What has been survived, and of which sources."""

    sources: str


class Line(Round, frozen=True):
    """One round of kill -9, and what it showed."""

    crash: str
    acknowledged: int
    refused: int
    in_doubt: int
    whole: int
    absent: int
    repeated: int
    probed: int
    replayed: int
    torn: bool
    start_s: float


class OrdersLine(Round, frozen=True):
    """One seed of random commands, and how often each thing happened."""

    seed: int
    commands: int
    seen: dict[str, int]


L = TypeVar("L", bound=Round)


class Progress(Generic[L]):
    """The rounds of these very sources; those of others do not count."""

    def __init__(self, name: str, line_type: type[L], sources: tuple[str, ...] = SOURCES) -> None:
        self.sources = _digest(sources)
        self._line_type = line_type
        self._path = FOLDER / f"{name}.jsonl"
        self.lines = [line for line in self._read() if line.sources == self.sources]

    def add(self, line: L) -> None:
        """Keep a round."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        self.lines.append(line)

    def finished(self) -> None:
        """The next run starts from the beginning."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> Iterator[L]:
        if self._path.exists():
            for text in self._path.read_bytes().splitlines():
                yield msgspec.json.decode(text, type=self._line_type)


def _digest(sources: tuple[str, ...]) -> str:
    digest = blake2b(digest_size=8)
    for folder in sources:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sql", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
