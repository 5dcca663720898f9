"""Reads a day's quote tape: `ms, bid x 10 000, bid shares, ask x 10 000, ask shares, exchange, conditions, suspicious`.

A row carries one side of one exchange; the other side's price is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from feeds.tape_csv import DAY_MS, E8_PER_SHARE, SHARES_MAX, Field, Ints, ReadReport, parse_block
from feeds.tape_file import BLOCK_BYTES, TapeError, TapeName, blocks, parse_name

_FIELDS: Final = (
    Field.INTEGER,  # ms since midnight
    Field.INTEGER,  # bid_e4, or 0
    Field.INTEGER,  # bid shares
    Field.INTEGER,  # ask_e4, or 0
    Field.INTEGER,  # ask shares
    Field.LETTER,  # exchange
    Field.SKIPPED,  # conditions
    Field.INTEGER,  # suspicious
)


class QuoteRows(msgspec.Struct):
    """One side of one exchange per row, in file order, as columns of one length.

    A size of zero means that the exchange has withdrawn that side. `exchange` holds the code's byte (`ord("N")`).
    """

    time_us: Ints
    is_bid: NDArray[np.bool_]
    price_e4: Ints
    size_e8: Ints
    exchange: Ints

    def __len__(self) -> int:
        return len(self.time_us)

    def part(self, start: int, end: int) -> QuoteRows:
        """The rows from start up to, not including, end; they share memory with these."""
        rows = slice(start, end)
        return QuoteRows(
            self.time_us[rows],
            self.is_bid[rows],
            self.price_e4[rows],
            self.size_e8[rows],
            self.exchange[rows],
        )

    def each(self) -> Iterator[tuple[int, bool, int, int, int]]:
        """Row by row, in the order of `ConsolidatedBook.update`'s arguments."""
        return zip(
            self.time_us.tolist(),
            self.is_bid.tolist(),
            self.price_e4.tolist(),
            self.size_e8.tolist(),
            self.exchange.tolist(),
            strict=True,
        )


class QuoteFile:
    """One symbol's quotes of one day. Iterate `chunks()`; `report` tells what was left out so far."""

    def __init__(self, path: Path, *, block_bytes: int = BLOCK_BYTES) -> None:
        """Looks at the name only; raises TapeError when it is no quote file's."""
        self.name: TapeName = parse_name(path)
        if self.name.kind != "quote":
            raise TapeError(f"{path.name}: not a quote file")
        self.report = ReadReport()
        self._block_bytes = block_bytes

    def chunks(self) -> Iterator[QuoteRows]:
        """Yields the rows block by block and starts `report` anew. Raises TapeError when the file is unusable.

        Left out and counted: malformed rows, rows with both prices or with none, absurd sizes, a time past midnight,
        suspicious rows.
        """
        report = self.report = ReadReport()
        first_line = 1
        for block in blocks(self.name.path, self._block_bytes):
            parsed = parse_block(block, _FIELDS, first_line)
            first_line += parsed.line_count
            time_ms, bid_e4, bid_shares, ask_e4, ask_shares, exchange, suspicious = parsed.columns
            is_bid = bid_e4 > 0
            shares = np.where(is_bid, bid_shares, ask_shares)
            sane = (time_ms < DAY_MS) & (is_bid != (ask_e4 > 0)) & (shares <= SHARES_MAX)
            trusted = suspicious == 0
            keep = sane & trusted
            report.rows += parsed.line_count
            report.add_bad(parsed.bad_lines)
            report.add_bad(parsed.lines[~sane])
            report.suspicious += int((sane & ~trusted).sum())
            yield QuoteRows(
                self.name.midnight_us + time_ms[keep] * 1_000,
                is_bid[keep],
                np.where(is_bid, bid_e4, ask_e4)[keep],
                shares[keep] * E8_PER_SHARE,
                exchange[keep],
            )
