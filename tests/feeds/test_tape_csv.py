"""Parsing into columns: exact integers, and a bad row is counted instead of raised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.tape_csv import BAD_LINES_KEPT, Field, ReadReport, parse_block

FIELDS = (Field.INTEGER, Field.LETTER, Field.SKIPPED, Field.INTEGER)


def test_columns_hold_the_integers_the_letters_and_the_line_numbers() -> None:
    parsed = parse_block(b"7,N,2000,100\n123456789012345,P,,0\n", FIELDS, first_line=10)
    assert [column.tolist() for column in parsed.columns] == [
        [7, 123456789012345],
        [ord("N"), ord("P")],
        [100, 0],
    ]
    assert parsed.lines.tolist() == [10, 11]
    assert parsed.bad_lines.tolist() == []


def test_windows_line_ends_are_accepted() -> None:
    parsed = parse_block(b"7,N,,100\r\n8,N,,200\r\n", FIELDS, 1)
    assert parsed.columns[2].tolist() == [100, 200]


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\r",
        b"7",
        b"7,N,0",
        b"7,N,0,1,",
        b",N,0,1",
        b"7,,0,1",
        b"7,NN,0,1",
        b"-7,N,0,1",
        b"7.5,N,0,1",
        b"+7,N,0,1",
        b" 7,N,0,1",
        b"7,N,0,1e3",
        b"1234567890123456,N,0,1",
        b"\x00,N,0,1",
        b"\xff\xfe,N,0,1",
        b"time,N,0,1",
    ],
)
def test_a_malformed_row_is_left_out_with_its_line_number(bad: bytes) -> None:
    parsed = parse_block(b"1,A,x,2\n" + bad + b"\n3,B,y,4\n", FIELDS, first_line=5)
    assert parsed.columns[0].tolist() == [1, 3]
    assert parsed.columns[2].tolist() == [2, 4]
    assert parsed.lines.tolist() == [5, 7]
    assert parsed.bad_lines.tolist() == [6]
    assert parsed.line_count == 3


def test_an_empty_block_has_nothing() -> None:
    parsed = parse_block(b"", FIELDS, 1)
    assert parsed.line_count == 0
    assert len(parsed.columns[0]) == 0


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise_and_every_line_is_good_or_bad(junk: bytes) -> None:
    parsed = parse_block(junk + b"\n", FIELDS, 1)
    assert len(parsed.lines) + len(parsed.bad_lines) == parsed.line_count == junk.count(b"\n") + 1


@given(st.lists(st.tuples(st.integers(0, 10**15 - 1), st.integers(0, 10**15 - 1)), max_size=30))
def test_every_integer_survives(rows: list[tuple[int, int]]) -> None:
    text = "".join(f"{left},Q,zz,{right}\n" for left, right in rows).encode()
    parsed = parse_block(text, FIELDS, 1)
    assert list(zip(parsed.columns[0].tolist(), parsed.columns[2].tolist(), strict=True)) == rows


def test_the_report_keeps_the_first_line_numbers_only() -> None:
    report = ReadReport(rows=100)
    report.add_bad(parse_block(b"x\n" * 100, FIELDS, 1).bad_lines)
    assert report.bad == 100
    assert report.bad_lines == list(range(1, BAD_LINES_KEPT + 1))
    assert report.summary().startswith("100 rows, 100 bad, 0 suspicious; first bad lines 1, 2, 3")
