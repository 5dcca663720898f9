"""Scaled integers to exact decimal text, as it stands in JSON: never through a float."""

from __future__ import annotations


def cash_text(value_e4: int) -> str:
    """Cash or a price: at least two decimals, no more than it needs (`175.50`, `0.0001`)."""
    sign = ""
    if value_e4 < 0:
        sign, value_e4 = "-", -value_e4
    cents, beyond = divmod(value_e4, 100)
    if beyond == 0:
        return f"{sign}{cents // 100}.{cents % 100:02d}"
    return f"{sign}{value_e4 // 10_000}.{value_e4 % 10_000:04d}".rstrip("0")


def quantity_text(value_e8: int) -> str:
    """A quantity without trailing zeros (`10`, `0.5`)."""
    sign = ""
    if value_e8 < 0:
        sign, value_e8 = "-", -value_e8
    whole, rest = divmod(value_e8, 100_000_000)
    if rest == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}." + f"{rest:08d}".rstrip("0")


def percent_text(bps: int) -> str:
    """Basis points as a percentage with two decimals (`-1.31`)."""
    sign = ""
    if bps < 0:
        sign, bps = "-", -bps
    return f"{sign}{bps // 100}.{bps % 100:02d}"
