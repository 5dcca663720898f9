"""Reads a day's trade tape: `ms since midnight New York, price x 10 000, shares, exchange, conditions, suspicious`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from feeds.tape_csv import DAY_MS, E8_PER_SHARE, SHARES_MAX, Field, Ints, ReadReport, parse_block
from feeds.tape_file import BLOCK_BYTES, TapeError, TapeName, blocks, parse_name

_FIELDS: Final = (
    Field.INTEGER,  # ms since midnight
    Field.INTEGER,  # price_e4
    Field.INTEGER,  # shares
    Field.LETTER,  # exchange
    Field.SKIPPED,  # conditions: the published figures count every trade whatever its conditions
    Field.INTEGER,  # suspicious
)


class TradeRows(msgspec.Struct):
    """Trades in file order, as columns of one length; `exchange` holds the code's byte (`ord("N")`)."""

    time_us: Ints
    price_e4: Ints
    quantity_e8: Ints
    exchange: Ints

    def __len__(self) -> int:
        return len(self.time_us)

    def part(self, start: int, end: int) -> TradeRows:
        """The rows from start up to, not including, end; they share memory with these."""
        rows = slice(start, end)
        return TradeRows(self.time_us[rows], self.price_e4[rows], self.quantity_e8[rows], self.exchange[rows])


class TradeFile:
    """One symbol's trades of one day. Iterate `chunks()`; `report` tells what was left out so far."""

    def __init__(self, path: Path, *, block_bytes: int = BLOCK_BYTES) -> None:
        """Looks at the name only; raises TapeError when it is no trade file's."""
        self.name: TapeName = parse_name(path)
        if self.name.kind != "trade":
            raise TapeError(f"{path.name}: not a trade file")
        self.report = ReadReport()
        self._block_bytes = block_bytes

    def quote_path(self) -> Path | None:
        """The quote file beside this one, or None when there is none."""
        path = self.name.sibling("quote")
        return path if path.is_file() else None

    def chunks(self) -> Iterator[TradeRows]:
        """Yields the rows block by block and starts `report` anew. Raises TapeError when the file is unusable.

        Left out and counted: malformed rows, a price or size of zero, a time past midnight, suspicious rows.
        """
        report = self.report = ReadReport()
        first_line = 1
        for block in blocks(self.name.path, self._block_bytes):
            parsed = parse_block(block, _FIELDS, first_line)
            first_line += parsed.line_count
            time_ms, price_e4, shares, exchange, suspicious = parsed.columns
            sane = (time_ms < DAY_MS) & (price_e4 > 0) & (shares > 0) & (shares <= SHARES_MAX)
            trusted = suspicious == 0
            keep = sane & trusted
            report.rows += parsed.line_count
            report.add_bad(parsed.bad_lines)
            report.add_bad(parsed.lines[~sane])
            report.suspicious += int((sane & ~trusted).sum())
            yield TradeRows(
                self.name.midnight_us + time_ms[keep] * 1_000,
                price_e4[keep],
                shares[keep] * E8_PER_SHARE,
                exchange[keep],
            )
