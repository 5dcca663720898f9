"""The quote tape: one side per row, what is left out, and the recorded day's figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from feeds.quote_file import QuoteFile
from feeds.tape_file import TapeError
from tests.feeds.conftest import MakeTape


def test_a_row_is_one_side_of_one_exchange(make_tape: MakeTape) -> None:
    tape = QuoteFile(
        make_tape("aig_20131009_quote.zip", "1000,475000,200,0,0,P,1,0\n1001,0,0,484800,0,Q,1,0\n")
    )
    (rows,) = tape.chunks()
    assert rows.is_bid.tolist() == [True, False]
    assert rows.price_e4.tolist() == [475_000, 484_800]
    assert rows.size_e8.tolist() == [200 * 10**8, 0]
    assert rows.exchange.tolist() == [ord("P"), ord("Q")]


def test_rows_with_both_sides_or_none_are_bad(make_tape: MakeTape) -> None:
    lines = [
        "1,1,1,2,1,N,1,0",
        "2,0,0,0,0,N,1,0",
        "3,0,0,5,99999999999,N,1,0",
        "4,1,1,0,0,N,1,2",
        "5,1,1,0,0,N,1,0",
    ]
    tape = QuoteFile(make_tape("aig_20131009_quote.zip", "\n".join(lines)))
    assert sum(len(rows) for rows in tape.chunks()) == 1
    assert (tape.report.bad_lines, tape.report.suspicious) == ([1, 2, 3], 1)


def test_a_trade_file_is_no_quote_file(make_tape: MakeTape) -> None:
    with pytest.raises(TapeError, match="not a quote file"):
        QuoteFile(make_tape("aig_20131009_trade.zip", ""))


def test_the_recorded_day_has_1_424_012_rows_and_904_in_its_busiest_second(aig_quotes: Path) -> None:
    tape = QuoteFile(aig_quotes)
    per_second = np.zeros(86_400, dtype=np.int64)
    for rows in tape.chunks():
        per_second += np.bincount((rows.time_us - tape.name.midnight_us) // 1_000_000, minlength=86_400)
    assert per_second.sum() == 1_424_012
    assert per_second.max() == 904
    assert tape.report.summary() == "1424012 rows, 0 bad, 0 suspicious"
