"""Money in a tariff fits the engine's unit; all other rules of tariffs are the engine's own (server/tariff_config.py)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from config.entries import Entry
from config.tariff_records import RatesConfig, TariffConfig

CASH_UNIT: Final = Decimal("0.0001")


def problems_of_tariff(entry: Entry[TariffConfig]) -> Iterator[str]:
    """One sentence for each amount that has more than four decimals."""
    tariff = entry.record
    amounts: list[tuple[str, Decimal | None]] = [
        (name, getattr(tariff, name))
        for name in ("cap", "overstay_fee", "lost_ticket", "coin")
        if entry.has(name)
    ]
    if entry.has("rates"):
        amounts += amounts_of("rates", tariff.rates)
    if entry.has("bands"):
        for number, band in enumerate(tariff.bands, start=1):
            amounts += amounts_of(f"bands {number}.rates", band.rates)
    if entry.has("events"):
        amounts += [
            (f"events {number}.flat", each.flat) for number, each in enumerate(tariff.events, start=1)
        ]
    for field, amount in amounts:
        if amount is not None and amount % CASH_UNIT:
            yield f"{field} = {amount}: must have at most 4 decimals"


def amounts_of(field: str, rates: RatesConfig) -> list[tuple[str, Decimal | None]]:
    """The amounts of a table of rates, by their names in the file."""
    names = zip(rates.__struct_fields__, rates.__struct_encode_fields__, strict=True)
    values = msgspec.structs.asdict(rates)
    return [(f"{field}.{shown}", values[name]) for name, shown in names]
