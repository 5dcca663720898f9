"""A place in a tape: hands out the rows that are due, a block at a time, and never holds more than one block."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np

from feeds.quote_file import QuoteRows
from feeds.trade_file import TradeRows

Rows = TypeVar("Rows", TradeRows, QuoteRows)


class TapeCursor(Generic[Rows]):
    """Reads forward only. A row that is older than one before it in the file is due with that one."""

    def __init__(self, chunks: Iterator[Rows]) -> None:
        self._chunks: Iterator[Rows] = chunks
        self._rows: Rows | None = None
        self._due_us = np.zeros(0, dtype=np.int64)
        self._at = 0
        self.is_finished = False

    async def take(self, until_us: int, rows_max: int) -> Rows | None:
        """The next rows due before `until_us`, at most `rows_max`; None when there are none now.

        Fewer than all may come: call until None. Parsing the next block happens in a thread. Raises TapeError.
        """
        while self._rows is None or self._at == len(self._rows):
            if self.is_finished:
                return None
            await self._next_block()
        end = self._at + int(np.searchsorted(self._due_us[self._at : self._at + rows_max], until_us))
        if end == self._at:
            return None
        start, self._at = self._at, end
        return self._rows.part(start, end)

    async def _next_block(self) -> None:
        self._rows = await asyncio.to_thread(next, self._chunks, None)
        self._at = 0
        if self._rows is None:
            self.is_finished = True
            return
        self._due_us = np.maximum.accumulate(self._rows.time_us)
