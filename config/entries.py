"""What was read of a data file: its entries, as far as they could be read, so that all the rest is still checked."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from config.records import (
    CalendarConfig,
    FeeScheduleConfig,
    IndexConfig,
    InstrumentConfig,
    LimitsConfig,
    MarketDays,
    RiskConfig,
    SettlementConfig,
)
from config.tariff_records import TariffConfig

R = TypeVar("R", bound=msgspec.Struct)


class Entry(msgspec.Struct, Generic[R], frozen=True):
    """A record, and what messages call it. The fields in `unread` were missing or wrong: they hold nothing of use."""

    record: R
    label: str
    unread: frozenset[str] = frozenset()

    def has(self, *fields: str) -> bool:
        """Whether all of these were read."""
        return self.unread.isdisjoint(fields)


class Entries(msgspec.Struct, Generic[R], frozen=True):
    """A file's entries in its order; not complete where the file, or one of them, could not be read at all."""

    entries: tuple[Entry[R], ...]
    is_complete: bool = True

    @property
    def records(self) -> tuple[R, ...]:
        """The records alone; sound only when no problem was found."""
        return tuple(entry.record for entry in self.entries)

    def values(self, field: str) -> list[str]:
        """The field's values that could be read, in the order of the file."""
        return [getattr(entry.record, field) for entry in self.entries if entry.has(field)]

    def may_name(self, field: str, value: str) -> bool:
        """Whether an entry has this value; also said where one that was not read might have it."""
        is_known = self.is_complete and all(entry.has(field) for entry in self.entries)
        return not is_known or value in self.values(field)


class CatalogueFiles(msgspec.Struct, frozen=True):
    """The data files as they were read; `limits` and `risk` are single entries."""

    instruments: Entries[InstrumentConfig]
    fee_schedules: Entries[FeeScheduleConfig]
    limits: Entries[LimitsConfig]
    calendars: Entries[CalendarConfig]
    indices: Entries[IndexConfig]
    market_days: Entries[MarketDays]
    risk: Entries[RiskConfig]
    settlement: Entries[SettlementConfig]
    tariffs: Entries[TariffConfig]
