"""Short and long term by the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from engine.holding_period import Term, _date_of, _day_of, term_of

EPOCH = date(1970, 1, 1)

# acquired, the last day that is short, the first that is long
YEARS = [
    ("2024-02-05", "2025-02-05", "2025-02-06"),  # Publication 550's own example, in other years
    ("2023-02-05", "2024-02-05", "2024-02-06"),
    ("2023-12-31", "2024-12-31", "2025-01-01"),
    ("2024-02-27", "2025-02-27", "2025-02-28"),
    ("2024-02-28", "2025-02-28", "2025-03-01"),
    ("2024-02-29", "2025-02-28", "2025-03-01"),
    ("2023-02-28", "2024-02-29", "2024-03-01"),
    ("2023-03-01", "2024-03-01", "2024-03-02"),
    ("1999-12-31", "2000-12-31", "2001-01-01"),
    ("2099-02-28", "2100-02-28", "2100-03-01"),
]


@pytest.mark.parametrize(("acquired", "short", "long"), YEARS)
def test_the_term_turns_on_a_day(acquired: str, short: str, long: str) -> None:
    """From the first moment of the one day, and to the last of the other."""
    late, early = us(f"{acquired}T23:59:59"), us(f"{acquired}T00:00:00")
    assert term_of(early, us(f"{short}T23:59:59")) is Term.SHORT
    assert term_of(late, us(f"{long}T00:00:00")) is Term.LONG
    assert date.fromisoformat(long) - date.fromisoformat(short) == timedelta(days=1)


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**6


def test_dates_are_those_of_the_calendar() -> None:
    for day in range(0, 2_900_000, 97):
        found = EPOCH + timedelta(days=day)
        assert _date_of(day) == (found.year, found.month, found.day)
        assert _day_of(found.year, found.month, found.day) == day


def test_a_sale_on_the_day_of_the_purchase_is_short() -> None:
    assert term_of(us("2024-02-05T10:00:00"), us("2024-02-05T11:00:00")) is Term.SHORT
