"""CSV as RFC 4180 has it, with nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv

import pytest
from msgspec import Raw

from handlers.csv_text import cell, safe

FORMULAS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1", "'=1", '"=1'),
    *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", "=cmd|' /C calc'!A0", '=HYPERLINK("x")'),
]
PLAIN = ["", "Old Harbour", "a=b", "1-2", "2024-10-27T02:00:00+02:00", "Parkhaus Süd", "lot_P1"]
TO_QUOTE = ["a,b", 'say "hi"', "two\r\nlines", "two\nlines"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_a_text(text: str) -> None:
    assert next(csv.reader([safe(text)], strict=True), []) == [f"'{text}"] or "\n" in text or "\r" in text
    assert safe(text).startswith("\"'")


@pytest.mark.parametrize("text", PLAIN)
def test_what_needs_no_quotes_has_none(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize("text", TO_QUOTE)
def test_what_needs_quotes_comes_back(text: str) -> None:
    (row,) = csv.reader(safe(text).splitlines(keepends=True), strict=True)
    assert row == [text]


def test_numbers_are_as_they_are() -> None:
    assert [cell(each) for each in (Raw(b"-1.50"), -7, 0, None)] == ["-1.50", "-7", "0", ""]
