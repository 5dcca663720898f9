"""What a tape's name says, and that an unusable file is one clear error."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from feeds.tape_file import LINE_BYTES_MAX, TapeError, blocks, parse_name
from tests.feeds.conftest import MakeTape


def test_the_name_gives_symbol_day_kind_and_new_york_midnight_in_summer_time() -> None:
    name = parse_name(Path("/x/aig_20131009_trade.zip"))
    assert (name.symbol, name.day, name.kind) == ("AIG", date(2013, 10, 9), "trade")
    assert name.midnight_us == int(datetime(2013, 10, 9, 4, tzinfo=UTC).timestamp()) * 1_000_000


def test_midnight_in_winter_is_five_hours_behind_utc() -> None:
    name = parse_name(Path("brk.b_20131209_quote.zip"))
    assert name.symbol == "BRK.B"
    assert name.midnight_us == int(datetime(2013, 12, 9, 5, tzinfo=UTC).timestamp()) * 1_000_000


def test_the_sibling_stands_beside_it() -> None:
    name = parse_name(Path("/x/trade_20131009_trade.zip"))
    assert name.sibling("quote") == Path("/x/trade_20131009_quote.zip")


@pytest.mark.parametrize(
    "bad", ["aig.zip", "aig_2013109_trade.zip", "aig_20131309_trade.zip", "aig_20131009_bars.zip"]
)
def test_another_name_is_refused(bad: str) -> None:
    with pytest.raises(TapeError, match=bad.partition("_")[0]):
        parse_name(Path(bad))


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 5, 1 << 20])
def test_blocks_are_whole_lines_whatever_the_block_size(make_tape: MakeTape, block_bytes: int) -> None:
    path = make_tape("aig_20131009_trade.zip", "1,2\n33,44\n\n5,6")
    found = list(blocks(path, block_bytes))
    assert b"".join(found) == b"1,2\n33,44\n\n5,6\n"
    assert all(block.endswith(b"\n") for block in found)


def test_a_missing_file_is_a_tape_error(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="No such file"):
        list(blocks(tmp_path / "aig_20131009_trade.zip"))


def test_a_file_that_is_no_zip_is_a_tape_error(tmp_path: Path) -> None:
    path = tmp_path / "aig_20131009_trade.zip"
    path.write_bytes(b"hello")
    with pytest.raises(TapeError, match="not a zip"):
        list(blocks(path))


def test_damaged_content_is_a_tape_error(make_tape: MakeTape) -> None:
    path = make_tape("aig_20131009_trade.zip", "1,2,3\n" * 5_000)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(TapeError):
        list(blocks(path))


def test_two_files_inside_are_a_tape_error(tmp_path: Path) -> None:
    path = tmp_path / "aig_20131009_trade.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(TapeError, match="found 2 files"):
        list(blocks(path))


def test_an_endless_line_is_a_tape_error(make_tape: MakeTape) -> None:
    path = make_tape("aig_20131009_trade.zip", "9" * (LINE_BYTES_MAX + 1))
    with pytest.raises(TapeError, match="longer than"):
        list(blocks(path, 1_000))
