"""Money in a tariff fits the engine's unit; all other rules of tariffs are the engine's own (server/tariff_config.py)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from config.entries import Entry
from config.tariff_records import RatesConfig, TariffConfig, TariffTerms

DECIMALS: Final = 4
DIGITS_MAX: Final = 9
"""Before the point: more than any bound of the engine."""


def problems_of_tariff(entry: Entry[TariffConfig]) -> Iterator[str]:
    """One sentence for each amount that does not fit; what could not be read has none."""
    return unfit_amounts(entry.record, entry.unread)


def unfit_amounts(terms: TariffTerms, unread: frozenset[str] = frozenset()) -> Iterator[str]:
    """The amounts that are no number, have more than four decimals, or are beyond all bounds."""
    for field, amount in amounts_in(terms, unread):
        is_fit = amount.is_finite() and amount.adjusted() <= DIGITS_MAX
        if not is_fit or int(amount.normalize().as_tuple().exponent) < -DECIMALS:
            yield f"{field}: must be an amount with at most {DECIMALS} decimals"


def amounts_in(terms: TariffTerms, unread: frozenset[str]) -> Iterator[tuple[str, Decimal]]:
    """Every amount with its field."""
    for name in ("cap", "overstay_fee", "lost_ticket", "coin"):
        if name not in unread:
            yield name, getattr(terms, name)
    if "rates" not in unread:
        yield from _of_rates("rates", terms.rates)
    if "bands" not in unread:
        for number, band in enumerate(terms.bands, start=1):
            yield from _of_rates(f"bands {number}.rates", band.rates)
    if "events" not in unread:
        for number, event in enumerate(terms.events, start=1):
            yield f"events {number}.flat", event.flat
    if "passes" not in unread:
        for number, product in enumerate(terms.passes, start=1):
            yield f"passes {number}.price", product.price


def _of_rates(field: str, rates: RatesConfig) -> Iterator[tuple[str, Decimal]]:
    names = zip(rates.__struct_fields__, rates.__struct_encode_fields__, strict=True)
    values = msgspec.structs.asdict(rates)
    for name, shown in names:
        if values[name] is not None:
            yield f"{field}.{shown}", values[name]
