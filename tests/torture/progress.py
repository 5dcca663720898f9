"""Rounds that have been survived, kept in a file, so that a torture that was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "var" / "torture"
SOURCES: Final = ("config", "engine", "feeds", "handlers", "server", "sql", "tests/e2e", "tests/torture")


class Line(msgspec.Struct, frozen=True):
    """One round: of which sources, and what it showed."""

    sources: str
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


class Progress:
    """The rounds of these very sources; those of others do not count."""

    def __init__(self, name: str) -> None:
        self.sources = _digest()
        self._path = FOLDER / f"{name}.jsonl"
        self.lines = [line for line in self._read() if line.sources == self.sources]

    def add(self, line: Line) -> None:
        """Keep a round."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        self.lines.append(line)

    def finished(self) -> None:
        """The next run starts from the beginning."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> Iterator[Line]:
        if self._path.exists():
            for text in self._path.read_bytes().splitlines():
                yield msgspec.json.decode(text, type=Line)


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sql", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
