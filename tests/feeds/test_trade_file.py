"""The trade tape: units, what is left out, and the recorded day's row count."""

from __future__ import annotations

from pathlib import Path

import pytest

from feeds.tape_file import TapeError
from feeds.trade_file import TradeFile
from tests.feeds.conftest import MakeTape

MIDNIGHT_US = 1_381_291_200_000_000  # 2013-10-09 00:00 in New York


def test_rows_come_in_microseconds_e4_and_e8(make_tape: MakeTape) -> None:
    tape = TradeFile(make_tape("aig_20131009_trade.zip", "34200001,476800,150,N,20000020,0\n"))
    (rows,) = tape.chunks()
    assert rows.time_us.tolist() == [MIDNIGHT_US + 34_200_001_000]
    assert rows.price_e4.tolist() == [476_800]
    assert rows.quantity_e8.tolist() == [150 * 10**8]
    assert rows.exchange.tolist() == [ord("N")]


def test_bad_and_suspicious_rows_are_counted_with_their_lines_across_blocks(make_tape: MakeTape) -> None:
    lines = [
        "1000,476800,100,N,2000,0",
        "garbage",
        "1001,476900,100,N,2000,1",  # suspicious
        "1002,0,100,N,2000,0",  # no price
        "1003,476900,0,N,2000,0",  # no size
        "86400000,476900,1,N,2000,0",  # after midnight
        "1004,476900,99999999999,N,2000,0",  # more shares than fit
        "1005,477000,200,P,2000,0",
    ]
    tape = TradeFile(make_tape("aig_20131009_trade.zip", "\n".join(lines)), block_bytes=30)
    prices = [price for rows in tape.chunks() for price in rows.price_e4.tolist()]
    assert prices == [476_800, 477_000]
    assert (tape.report.rows, tape.report.bad, tape.report.suspicious) == (8, 5, 1)
    assert tape.report.bad_lines == [2, 4, 5, 6, 7]


def test_the_quote_file_is_found_by_name(make_tape: MakeTape) -> None:
    tape = TradeFile(make_tape("aig_20131009_trade.zip", ""))
    assert tape.quote_path() is None
    quotes = make_tape("aig_20131009_quote.zip", "")
    assert tape.quote_path() == quotes


def test_a_quote_file_is_no_trade_file(make_tape: MakeTape) -> None:
    with pytest.raises(TapeError, match="not a trade file"):
        TradeFile(make_tape("aig_20131009_quote.zip", ""))


def test_the_recorded_day_has_52_008_trades_none_suspicious(aig_trades: Path) -> None:
    tape = TradeFile(aig_trades)
    assert sum(len(rows) for rows in tape.chunks()) == 52_008
    assert tape.report.summary() == "52008 rows, 0 bad, 0 suspicious"
