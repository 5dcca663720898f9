"""Writes iCalendar (RFC 5545): lines end with CRLF, are folded at 75 octets, and texts are escaped. Times are in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

MEDIA_TYPE: Final = "text/calendar"
LINE_OCTETS: Final = 75
"""Without the CRLF (RFC 5545, 3.1)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPES: Final = {ord("\\"): "\\\\", ord(";"): "\\;", ord(","): "\\,", ord("\n"): "\\n"}
_DROPPED: Final = {code: None for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n"}


class CalendarEntry(Struct, frozen=True):
    """Something from a begin to an end. `uid` stays the same whatever becomes of it; `status` is TENTATIVE, CONFIRMED or CANCELLED."""

    uid: str
    begin_us: int
    end_us: int
    created_us: int
    status: str
    summary: str
    location: str
    description: str


def calendar_text(name: str, entries: Iterable[CalendarEntry], now_us: int) -> bytes:
    """A calendar, as it is now."""
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kerb//Parking//EN", "CALSCALE:GREGORIAN"),
        *("METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(name)}"),
    ]
    for each in entries:
        lines += [
            *("BEGIN:VEVENT", f"UID:{escaped(each.uid)}", f"DTSTAMP:{utc(now_us)}"),
            *(
                f"DTSTART:{utc(each.begin_us)}",
                f"DTEND:{utc(each.end_us)}",
                f"CREATED:{utc(each.created_us)}",
            ),
            *(f"STATUS:{each.status}", f"SUMMARY:{escaped(each.summary)}"),
            *(f"LOCATION:{escaped(each.location)}", f"DESCRIPTION:{escaped(each.description)}"),
            *("TRANSP:TRANSPARENT", "END:VEVENT"),
        ]
    lines.append("END:VCALENDAR")
    return b"".join(map(folded, lines))


def escaped(text: str) -> str:
    """A value of type TEXT (3.3.11). Control characters, which it may not have, are left out; a line break of any kind is one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_DROPPED).translate(_ESCAPES)


def utc(time_us: int) -> str:
    """A value of type DATE-TIME in UTC (3.3.5), its second rounded down."""
    return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y%m%dT%H%M%SZ")


def folded(line: str) -> bytes:
    """A line with its CRLF; where it is longer than 75 octets it goes on after a blank, and no character is torn."""
    parts: list[bytes] = []
    octets, room = bytearray(), LINE_OCTETS
    for character in line:
        code = character.encode("utf-8")
        if len(octets) + len(code) > room:
            parts.append(bytes(octets))
            octets.clear()
            room = LINE_OCTETS - 1
        octets += code
    parts.append(bytes(octets))
    return b"\r\n ".join(parts) + b"\r\n"
