"""iCalendar as RFC 5545 has it: line ends, folding, escaping, times; read back by a reader that knows only the RFC."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from server.calendar_text import CalendarEntry, calendar_text, escaped, folded, utc

ENTRY = CalendarEntry(
    uid="bkg_7@kerb",
    begin_us=1_700_467_200_000_000,
    end_us=1_700_474_400_000_000,
    created_us=1_700_000_000_123_456,
    status="CONFIRMED",
    summary="Parking: Old Harbour, G-1",
    location="Old Harbour, Quay 1; behind \\ the crane",
    description="Space G-1\nVehicle KERB1",
)


def read_back(text: str) -> str:
    """What an escaped TEXT stands for."""
    meant = {"\\n": "\n", "\\N": "\n", "\\\\": "\\", "\\;": ";", "\\,": ","}
    return re.sub(r"\\.", lambda found: meant[found.group()], text)


def test_an_entry_as_a_whole() -> None:
    lines = calendar_text("Kerb parking", [ENTRY], 1_700_100_000_000_000).decode().split("\r\n")
    assert lines == [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kerb//Parking//EN", "CALSCALE:GREGORIAN"),
        *("METHOD:PUBLISH", "X-WR-CALNAME:Kerb parking", "BEGIN:VEVENT", "UID:bkg_7@kerb"),
        *("DTSTAMP:20231116T020000Z", "DTSTART:20231120T080000Z", "DTEND:20231120T100000Z"),
        *("CREATED:20231114T221320Z", "STATUS:CONFIRMED", "SUMMARY:Parking: Old Harbour\\, G-1"),
        *("LOCATION:Old Harbour\\, Quay 1\\; behind \\\\ the crane", "DESCRIPTION:Space G-1\\nVehicle KERB1"),
        *("TRANSP:TRANSPARENT", "END:VEVENT", "END:VCALENDAR", ""),
    ]


@given(st.text(max_size=400))
def test_no_line_is_longer_than_75_octets_and_unfolded_it_is_the_same(text: str) -> None:
    text = "".join(each for each in text if each not in "\r\n" and not 0xD800 <= ord(each) <= 0xDFFF)
    data = folded(text)
    assert data.endswith(b"\r\n")
    for line in data[:-2].split(b"\r\n"):
        assert len(line) <= 75
        line.decode("utf-8")
    assert data[:-2].replace(b"\r\n ", b"").decode() == text


def test_a_line_of_75_octets_is_left_whole() -> None:
    assert folded("x" * 75) == b"x" * 75 + b"\r\n"
    assert folded("x" * 76) == b"x" * 75 + b"\r\n x\r\n"
    long = folded("x" * 75 + "y" * 74 + "z" * 75)
    assert long == b"x" * 75 + b"\r\n " + b"y" * 74 + b"\r\n " + b"z" * 74 + b"\r\n z\r\n"
    assert folded("x" * 74 + "ü") == b"x" * 74 + b"\r\n \xc3\xbc\r\n"


@given(st.text(alphabet=st.sampled_from('ab\\;,:"\n\r\t\x00\x1bü'), max_size=60))
def test_an_escaped_text_is_one_line_and_is_read_back(text: str) -> None:
    value = escaped(text)
    assert not set(value) & set("\r\n\x00\x1b")
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", value)
    breaks = text.replace("\r\n", "\n").replace("\r", "\n")
    assert read_back(value) == breaks.replace("\x00", "").replace("\x1b", "")


def test_a_second_is_rounded_down() -> None:
    assert utc(1_999_999) == "19700101T000001Z"
