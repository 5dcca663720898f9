"""The cursor hands out rows when they are due, in bounded portions, block after block."""

from __future__ import annotations

from feeds.tape_cursor import TapeCursor
from feeds.trade_file import TradeFile, TradeRows
from tests.feeds.conftest import MakeTape

MIDNIGHT_US = 1_381_291_200_000_000


def cursor_of(make_tape: MakeTape, *times_ms: int, block_bytes: int = 40) -> TapeCursor[TradeRows]:
    text = "\n".join(f"{time_ms},{index + 1},1,N,0,0" for index, time_ms in enumerate(times_ms))
    return TapeCursor(TradeFile(make_tape("aig_20131009_trade.zip", text), block_bytes=block_bytes).chunks())


async def prices(cursor: TapeCursor[TradeRows], until_ms: int, rows_max: int = 100) -> list[int]:
    found: list[int] = []
    while (rows := await cursor.take(MIDNIGHT_US + until_ms * 1_000, rows_max)) is not None:
        assert 0 < len(rows) <= rows_max
        found += rows.price_e4.tolist()
    return found


async def test_rows_come_when_their_time_has_passed_across_blocks(make_tape: MakeTape) -> None:
    cursor = cursor_of(make_tape, 10, 20, 20, 30, 1_000)
    assert await prices(cursor, 10) == []
    assert await prices(cursor, 11) == [1]
    assert await prices(cursor, 1_000) == [2, 3, 4]
    assert not cursor.is_finished
    assert await prices(cursor, 1_001) == [5]
    assert cursor.is_finished


async def test_portions_are_bounded(make_tape: MakeTape) -> None:
    assert await prices(cursor_of(make_tape, *range(50), block_bytes=1 << 20), 100, rows_max=7) == list(
        range(1, 51)
    )


async def test_a_row_out_of_order_is_due_with_the_one_before_it(make_tape: MakeTape) -> None:
    for block_bytes in (20, 1 << 20):
        cursor = cursor_of(make_tape, 500, 100, 600, block_bytes=block_bytes)
        assert await prices(cursor, 200) == []
        assert await prices(cursor, 501) == [1, 2]


async def test_an_empty_file_is_finished_at_once(make_tape: MakeTape) -> None:
    cursor = cursor_of(make_tape)
    assert await cursor.take(MIDNIGHT_US * 2, 10) is None
    assert cursor.is_finished
