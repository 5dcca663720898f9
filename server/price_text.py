"""Each line of a price in words, for quotes and receipts: one sentence for each code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.parking.tariff_records import LineCode, PriceLine
from server.decimal_text import cash_text


def line_in_words(line: PriceLine) -> str:
    """For example "4 units at 2.00, weekday"."""
    return WORDS[line.code](line)


def _units(line: PriceLine) -> str:
    label = f", {line.label}" if line.label else ""
    return f"{_count(line)} at {cash_text(line.rate_e4)}{label}"


def _count(line: PriceLine) -> str:
    return "1 unit" if line.units == 1 else f"{line.units} units"


def _event(line: PriceLine) -> str:
    return f"event {line.label}: {_count(line)} at {cash_text(line.rate_e4)}"


WORDS: Final[dict[LineCode, Callable[[PriceLine], str]]] = {
    LineCode.FREE: lambda line: f"the first {(line.to_us - line.from_us) // 60_000_000} minutes are free",
    LineCode.BASE: _units,
    LineCode.OCCUPANCY: lambda line: f"busy: {_count(line)} at {cash_text(line.rate_e4)} more",
    LineCode.EVENT: _event,
    LineCode.CAP: lambda line: "the most that is charged for this day is reached",
    LineCode.SUBSCRIBER: lambda line: "subscriber's discount",
    LineCode.OVERSTAY: lambda line: f"after the booking: {_units(line)}",
    LineCode.OVERSTAY_FEE: lambda line: "left after the booking's end",
    LineCode.LOST_TICKET: lambda line: "lost ticket",
    LineCode.ROUNDING: lambda line: "rounded up to the smallest coin",
    LineCode.TAX: lambda line: "tax",
    LineCode.PASS: lambda line: f"pass: {line.label}",
}
"""Code → how it is said; a test shows that none is missing."""
