"""Writes config/market_days.toml anew: when markets are closed or close early, by the `holidays` package (`make calendars`).

A table and not the package itself, so that a server neither waits for it nor changes its calendars with it: what is known of
the coming years changes with a new table, which is reviewed like any other change. Needs the development tools.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from holidays import financial_holidays
from holidays.constants import HALF_DAY, PUBLIC

MARKETS: Final = {"XNYS": 2000, "XNAS": 2000, "XNSE": 2001, "XBOM": 2001, "XLON": 2000, "XETR": 2000}
"""Market → the first year of its table. Another market is another line here."""

LAST: Final = 2035
PATH: Final = Path(__file__).with_name("market_days.toml")
HEAD: Final = """\
# The days on which markets are closed, weekends aside, and those on which they close early. `make calendars` writes this file
# from the `holidays` package; what an exchange announces beside it stands in calendars.toml, which goes before it.
# Dates that follow the moon are estimates until the exchange has announced the year.
"""


def table() -> str:
    """The whole file."""
    return HEAD + "".join(market_table(market, first) for market, first in MARKETS.items())


def market_table(market: str, first: int) -> str:
    """One market's entry, a line a year."""
    years = range(first, LAST + 1)
    closed = sorted(financial_holidays(market, years=years, categories=PUBLIC))
    short = []
    if HALF_DAY in financial_holidays(market).supported_categories:
        short = sorted(financial_holidays(market, years=years, categories=HALF_DAY))
    return (
        f'\n[[market]]\nname = "{market}"\nfirst = {first}\nlast = {LAST}\n'
        f"closed = [\n{lines(closed, first)}]\nshort = [\n{lines(short, first)}]\n"
    )


def lines(days: list[date], first: int) -> str:
    """Dates on weekdays, a line a year."""
    found = []
    for year in range(first, LAST + 1):
        row = ", ".join(f"{day}" for day in days if day.year == year and day.weekday() < 5)
        if row:
            found.append(f"    {row},\n")
    return "".join(found)


if __name__ == "__main__":
    PATH.write_text(re.sub(r"\[\n\]", "[]", table()), encoding="utf-8")
