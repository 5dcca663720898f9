"""The tariffs that config asks for, as commands: those that are not in force as it says, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from config.tariff_records import (
    BandConfig,
    EventConfig,
    PassConfig,
    RatesConfig,
    TariffConfig,
    TariffDay,
    TariffTerms,
    WeekdayName,
)
from engine.parking.kinds import PassKind, SpaceType
from engine.parking.tariff_checks import mistakes
from engine.parking.tariff_commands import SetTariff
from engine.parking.tariff_records import (
    Band,
    CapMode,
    EventSurcharge,
    FreeMode,
    LostTicketRule,
    OccupancyRule,
    PassProduct,
    Rates,
    Tariff,
)
from engine.parking.tariff_setting import tariff_now
from engine.state import State
from engine.units import CASH_SCALE

_DAYS: Final = tuple(TariffDay)
_WEEKDAYS: Final = tuple(WeekdayName)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def tariff_differences(state: State, tariffs: Sequence[TariffConfig]) -> Iterator[SetTariff]:
    """What has to be submitted: tariffs that have no version yet, or whose last one is another."""
    for config in tariffs:
        wanted = tariff_of(config, config.name)
        known = tariff_now(state.parking, wanted.name)
        if known is None or msgspec.structs.replace(known, version=0, since_us=0) != wanted:
            yield SetTariff(wanted)


def tariff_mistakes(tariffs: Sequence[TariffConfig]) -> list[str]:
    """Everything that is wrong with the file's tariffs, as a start and check-config say it."""
    return [
        f"tariffs.toml: {config.name}.{mistake}"
        for config in tariffs
        for mistake in mistakes(tariff_of(config, config.name))
    ]


def tariff_of(config: TariffTerms, name: str) -> Tariff:
    """A tariff in the engine's units; config/tariff_checks.py has seen that its amounts fit."""
    occupancy = config.occupancy
    return Tariff(
        name,
        config.currency,
        config.unit_minutes,
        rates_of(config.rates),
        0,
        tuple([_band(each) for each in config.bands]),
        tuple(sorted([_day(each) for each in config.holidays])),
        tuple([(each.from_minute, each.factor_bps) for each in config.steps]),
        config.free_minutes,
        FreeMode[config.free_mode.name],
        None
        if occupancy is None
        else OccupancyRule(occupancy.from_bps, occupancy.per_percent_bps, occupancy.max_bps),
        tuple([_event(each) for each in config.events]),
        _e4(config.cap),
        CapMode[config.cap_mode.name],
        config.subscriber_bps,
        config.overstay_bps,
        _e4(config.overstay_fee),
        _e4(config.lost_ticket),
        LostTicketRule[config.lost_ticket_rule.name],
        _e4(config.coin),
        config.tax_bps,
        config.tax_inclusive,
        passes=tuple([_pass(each) for each in config.passes]),
    )


def rates_of(config: RatesConfig) -> Rates:
    """The rates that are named, in the order of the types."""
    found = zip(
        config.__struct_encode_fields__,
        [getattr(config, name) for name in config.__struct_fields__],
        strict=True,
    )
    named = {SpaceType[name]: _e4(rate) for name, rate in found if rate is not None}
    return tuple([(each, named[each]) for each in SpaceType if each in named])


def _band(config: BandConfig) -> Band:
    days = tuple(sorted([_DAYS.index(day) for day in config.days]))
    return Band(config.label, days, _minute(config.begins), _minute(config.ends), rates_of(config.rates))


def _event(config: EventConfig) -> EventSurcharge:
    return EventSurcharge(
        config.label, _us(config.begins), _us(config.ends), config.surcharge_bps, _e4(config.flat)
    )


def _pass(config: PassConfig) -> PassProduct:
    return PassProduct(
        config.code,
        config.label,
        PassKind[config.kind.name],
        config.days,
        _e4(config.price),
        sum({1 << _WEEKDAYS.index(day) for day in config.weekdays}),
        _minute(config.begins),
        _minute(config.ends),
        config.reserved,
    )


def _minute(wall: str) -> int:
    hour, minute = wall.split(":")
    return int(hour) * 60 + int(minute)


def _day(day: date) -> int:
    return (day - _EPOCH.date()).days


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _e4(amount: Decimal) -> int:
    return int(amount * CASH_SCALE)
