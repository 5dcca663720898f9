"""Turns blocks of CSV text into integer columns with numpy, counting what it had to leave out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.uint8]

DIGITS_MAX: Final = 15  # 10**15 in any column is far past a day's milliseconds, a price or a size
BAD_LINES_KEPT: Final = 20
DAY_MS: Final = 86_400_000
E8_PER_SHARE: Final = 100_000_000
SHARES_MAX: Final = 10**10 - 1  # times 1e8 it still fits 63 bits, with room to add up

_COMMA: Final = ord(",")
_NEWLINE: Final = ord("\n")
_RETURN: Final = ord("\r")
_ZERO: Final = ord("0")


class Field(Enum):
    """How a CSV column is read."""

    INTEGER = "digits only, no sign"
    LETTER = "exactly one byte, kept as its code"
    SKIPPED = "not read"


class ReadReport(msgspec.Struct):
    """What a reader met on its way: all counts are rows; `bad_lines` are the first bad ones' line numbers, from 1."""

    rows: int = 0
    bad: int = 0
    suspicious: int = 0
    bad_lines: list[int] = msgspec.field(default_factory=list)

    def add_bad(self, lines: Ints) -> None:
        """Counts bad rows and keeps the first line numbers for the log."""
        self.bad += len(lines)
        room = BAD_LINES_KEPT - len(self.bad_lines)
        if room > 0:
            self.bad_lines.extend(lines[:room].tolist())

    def summary(self) -> str:
        """One line for the log."""
        text = f"{self.rows} rows, {self.bad} bad, {self.suspicious} suspicious"
        if self.bad_lines:
            text += f"; first bad lines {', '.join(map(str, self.bad_lines))}"
        return text


class ParsedBlock(msgspec.Struct):
    """The well-formed rows of one block. `columns` has one array per field that is read; `lines` their line numbers."""

    columns: list[Ints]
    lines: Ints
    bad_lines: Ints
    line_count: int


def parse_block(block: bytes, fields: Sequence[Field], first_line: int) -> ParsedBlock:
    """Parses a block of whole lines. A row with another number of fields, or a field that is not what its column
    wants, is bad and left out; it is never an exception.
    """
    text = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    line_count = len(ends)
    numbers = np.arange(first_line, first_line + line_count, dtype=np.int64)
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    commas = np.flatnonzero(text == _COMMA)
    first_comma = np.searchsorted(commas, starts)
    inside = np.diff(np.append(first_comma, len(commas)))
    shaped = inside == len(fields) - 1
    bad_shape = numbers[~shaped]
    starts, ends, numbers = starts[shaped], ends[shaped], numbers[shaped]
    ends = ends - ((ends > starts) & (text[ends - 1] == _RETURN))
    splits = commas[first_comma[shaped][:, None] + np.arange(len(fields) - 1)]

    good = np.ones(len(starts), dtype=bool)
    columns: list[Ints] = []
    for index, field in enumerate(fields):
        start = starts if index == 0 else splits[:, index - 1] + 1
        end = ends if index == len(fields) - 1 else splits[:, index]
        if field is Field.INTEGER:
            columns.append(_integers(text, start, end, good))
        elif field is Field.LETTER:
            good &= end - start == 1
            columns.append(text[start].astype(np.int64))
    bad_lines = np.sort(np.concatenate((bad_shape, numbers[~good])))
    if not good.all():
        columns = [column[good] for column in columns]
        numbers = numbers[good]
    return ParsedBlock(columns, numbers, bad_lines, line_count)


def _integers(text: Codes, start: Ints, end: Ints, good: NDArray[np.bool_]) -> Ints:
    """Reads digits from start to end of every row, from the right; clears `good` where that is no such number."""
    width = end - start
    good &= (width >= 1) & (width <= DIGITS_MAX)
    value = np.zeros(len(start), dtype=np.int64)
    positions = min(int(width.max(initial=0)), DIGITS_MAX)
    scale = 1
    for back in range(positions):
        digit = text[end - (1 + back)] - np.uint8(_ZERO)  # wraps above 9 for anything that is no digit
        inside = width > back
        good &= ~inside | (digit <= 9)
        value += np.where(inside, digit, 0) * np.int64(scale)
        scale *= 10
    return value
