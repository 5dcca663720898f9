"""How long something was held: short term, or long term, which is more than a year, by calendar dates in UTC.

Source: IRS Publication 550, "Holding Period": counting begins on the day after the property was acquired, the day on which
it was disposed of is part of the period, and more than one year is long term. Bought on 5 February 2024, sold on 5
February 2025: short; sold on the 6th: long. Of what was bought on 28 February 2024 the year begins on the 29th, and ends
on 28 February 2025.
"""

from __future__ import annotations

from enum import IntEnum

from engine.units import DAY_US

ERA_DAYS = 146_097
"""Days in 400 years."""


class Term(IntEnum):
    """How gains are told apart by the time that the units were held."""

    SHORT = 1
    LONG = 2


def term_of(acquired_us: int, sold_us: int) -> Term:
    """The term of units that were acquired and sold at these times."""
    return term_of_days(acquired_us // DAY_US, sold_us // DAY_US)


def term_of_days(acquired_day: int, sold_day: int) -> Term:
    """The term by days since the epoch. Most are decided without a calendar."""
    held_days = sold_day - acquired_day
    if held_days <= 365:
        return Term.SHORT
    if held_days > 367:
        return Term.LONG
    return Term.LONG if sold_day >= _year_after(acquired_day + 1) else Term.SHORT


def _year_after(day: int) -> int:
    """The same date a year later; of 29 February 1 March."""
    year, month, of_month = _date_of(day)
    if (month, of_month) == (2, 29):
        month, of_month = 3, 1
    return _day_of(year + 1, month, of_month)


def _date_of(day: int) -> tuple[int, int, int]:
    """(year, month, day) of a day since the epoch, in the proleptic Gregorian calendar.

    Years begin in March, so that a leap day ends one; 719 468 days lie between 0000-03-01 and the epoch.
    """
    era, day_of_era = divmod(day + 719_468, ERA_DAYS)
    year = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // (ERA_DAYS - 1)) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + 400 * era + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def _day_of(year: int, month: int, of_month: int) -> int:
    """The day since the epoch of a date."""
    era, year_of_era = divmod(year - (month <= 2), 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + of_month - 1
    return era * ERA_DAYS + 365 * year_of_era + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
