"""Rules inside and between the data files: sound prices, names that exist, sessions that end after they begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from config.calendar_checks import problems_of_calendar
from config.entries import CatalogueFiles, Entries, Entry, R
from config.records import (
    CalendarConfig,
    FeeScheduleConfig,
    IndexConfig,
    InstrumentConfig,
    LimitsConfig,
    RiskConfig,
    SettlementConfig,
    Weighting,
)
from config.tariff_checks import problems_of_tariff

CASH_UNIT = Decimal("0.0001")  # engine/units.py counts cash and prices in it
QUANTITY_UNIT = Decimal("0.00000001")  # and quantities in this one
PRICE_MAX = 10**9  # bounds of the same module, beyond which the engine refuses
QUANTITY_MAX = 10**9
ORDER_VALUE_MAX = 10**11
AMOUNT_MAX = 10**14
TIERS_MAX = 20  # engine/fee_tiers.py
INSTANT_TIERS_MAX = 4  # engine/settlement.py
SEC31_MAX = 999_999  # below the whole of a sale
SEC31_UNIT = Decimal("0.001")  # a million of it: one part in a thousand million
TAF_UNIT = Decimal("0.000000000001")


def problems_in(found: CatalogueFiles) -> list[str]:
    """One sentence for each broken rule; what could not be read breaks none."""
    problems = [
        *_doubles("instruments.toml", found.instruments.values("symbol")),
        *_doubles("fees.toml", found.fee_schedules.values("name")),
        *_doubles("calendars.toml", found.calendars.values("name")),
        *_doubles("market_days.toml", found.market_days.values("name")),
        *_doubles("indices.toml", found.indices.values("symbol")),
        *_doubles("settlement.toml", found.settlement.values("calendar")),
        *_doubles("tariffs.toml", found.tariffs.values("name")),
    ]
    for limits in found.limits.entries:
        problems.extend(f"{limits.label}.{problem}" for problem in _limits(limits))
    for risk in found.risk.entries:
        problems.extend(f"{risk.label}.{problem}" for problem in _risk(risk))
    for schedule in found.fee_schedules.entries:
        problems.extend(f"{schedule.label}.{problem}" for problem in _fees(schedule))
    for entry in found.instruments.entries:
        label, instrument = entry.label, entry.record
        problems.extend(f"{label}.{problem}" for problem in problems_of_instrument(entry))
        if entry.has("calendar") and not found.calendars.may_name("name", instrument.calendar):
            problems.append(f"{label}.calendar = {instrument.calendar!r}: is not in calendars.toml")
        if entry.has("fees") and not found.fee_schedules.may_name("name", instrument.fees):
            problems.append(f"{label}.fees = {instrument.fees!r}: is not in fees.toml")
    for calendar in found.calendars.entries:
        problems.extend(
            f"{calendar.label}.{problem}" for problem in problems_of_calendar(calendar, found.market_days)
        )
    for settlement in found.settlement.entries:
        problems.extend(
            f"{settlement.label}.{problem}" for problem in _settlement(settlement, found.calendars)
        )
    for tariff in found.tariffs.entries:
        problems.extend(f"{tariff.label}.{problem}" for problem in problems_of_tariff(tariff))
    for index in found.indices.entries:
        problems.extend(f"{index.label}.{problem}" for problem in _index(index, found.instruments))
    return problems


def _doubles(file: str, names: Iterable[str]) -> list[str]:
    return [
        f"{file}: {name} stands there {count} times" for name, count in Counter(names).items() if count > 1
    ]


def _unsound(entry: Entry[R], names: Iterable[str]) -> dict[str, str]:
    """Those prices that cannot be one, each with what is wrong."""
    return {
        name: f"{name} = {value}: must be above 0 with at most 4 decimals"
        for name in names
        if entry.has(name) and ((value := getattr(entry.record, name)) <= 0 or value % CASH_UNIT)
    }


def problems_of_instrument(entry: Entry[InstrumentConfig]) -> Iterator[str]:
    """What DESIGN.md §3 and the engine's SetInstrument demand. A rule on several fields needs them to be sound."""
    instrument = entry.record
    unsound = _unsound(entry, ("tick", "price_min", "price_max", "reference"))
    yield from unsound.values()
    if entry.has("lot") and (not 0 < instrument.lot <= QUANTITY_MAX or instrument.lot % QUANTITY_UNIT):
        yield f"lot = {instrument.lot}: must be above 0 with at most 8 decimals"
        unsound["lot"] = ""

    def sound(*names: str) -> bool:
        return entry.has(*names) and unsound.keys().isdisjoint(names)

    if sound("price_max") and instrument.price_max > PRICE_MAX:
        yield f"price_max = {instrument.price_max}: must be at most {PRICE_MAX}"
    for name in ("price_min", "price_max", "reference"):
        value = getattr(instrument, name)
        if sound("tick", name) and value % instrument.tick:
            yield f"{name} = {value}: must be a multiple of the tick, {instrument.tick}"
    if sound("lot", "price_min") and instrument.lot * instrument.price_min < CASH_UNIT:
        yield f"lot = {instrument.lot}: at price_min = {instrument.price_min} it must be worth at least {CASH_UNIT}"
    if (
        sound("price_min", "price_max", "reference")
        and not instrument.price_min <= instrument.reference <= instrument.price_max
    ):
        yield f"reference = {instrument.reference}: must lie between price_min and price_max"


def _settlement(entry: Entry[SettlementConfig], calendars: Entries[CalendarConfig]) -> Iterator[str]:
    settlement = entry.record
    if entry.has("calendar") and not calendars.may_name("name", settlement.calendar):
        yield f"calendar = {settlement.calendar!r}: is not in calendars.toml"
    if entry.has("closed"):
        yield from _doubles("closed", map(str, settlement.closed))
    if not entry.has("instant"):
        return
    if len(settlement.instant) > INSTANT_TIERS_MAX:
        yield f"instant: must be at most {INSTANT_TIERS_MAX}, one for each KYC tier"
    for limit in settlement.instant:
        if not 0 <= limit <= AMOUNT_MAX or limit % CASH_UNIT:
            yield f"instant: {limit} must be from 0 to {AMOUNT_MAX}, with at most 4 decimals"


def _index(entry: Entry[IndexConfig], listed: Entries[InstrumentConfig]) -> Iterator[str]:
    index = entry.record
    yield from _unsound(entry, ("base_level", "base_value")).values()
    if not entry.has("constituents"):
        return
    if not index.constituents:
        yield "constituents: must name at least one"
    for constituent in index.constituents:
        if not listed.may_name("symbol", constituent.symbol):
            yield f"constituents: {constituent.symbol} is not in instruments.toml"
        if entry.has("weighting") and index.weighting is Weighting.PRICE and constituent.units != 1:
            yield f"constituents: {constituent.symbol} has units, but in a PRICE index each counts once"
    yield from _doubles("constituents", (constituent.symbol for constituent in index.constituents))


def _limits(entry: Entry[LimitsConfig]) -> Iterator[str]:
    bounds = (
        ("order_quantity_max", QUANTITY_MAX, QUANTITY_UNIT, 8),
        ("order_value_max", ORDER_VALUE_MAX, CASH_UNIT, 4),
    )
    for name, greatest, unit, decimals in bounds:
        if not entry.has(name):
            continue
        value: Decimal = getattr(entry.record, name)
        if not 0 < value <= greatest or value % unit:
            yield f"{name} = {value}: must be above 0, at most {greatest}, with at most {decimals} decimals"


def _risk(entry: Entry[RiskConfig]) -> Iterator[str]:
    for name in RiskConfig.__struct_fields__:
        value = getattr(entry.record, name)
        if not entry.has(name) or not isinstance(value, Decimal):
            continue
        least, greatest, unit, decimals = CASH_UNIT, ORDER_VALUE_MAX, CASH_UNIT, 4
        if "quantity" in name:
            least, greatest, unit, decimals = QUANTITY_UNIT, QUANTITY_MAX, QUANTITY_UNIT, 8
        elif name == "penny_price_below":
            greatest = PRICE_MAX
        elif name.startswith("kyc_"):
            least = Decimal(0)
        if not least <= value <= greatest or value % unit:
            yield f"{name} = {value}: must be from {least} to {greatest}, with at most {decimals} decimals"


def _fees(entry: Entry[FeeScheduleConfig]) -> Iterator[str]:
    schedule = entry.record
    bounds = (
        ("order_min", AMOUNT_MAX, CASH_UNIT, 4),
        ("order_max", AMOUNT_MAX, CASH_UNIT, 4),
        ("sec31_per_million", SEC31_MAX, SEC31_UNIT, 3),
        ("taf_per_unit", 1, TAF_UNIT, 12),
        ("taf_max", AMOUNT_MAX, CASH_UNIT, 4),
    )
    sound = set()
    for name, greatest, unit, decimals in bounds:
        if not entry.has(name):
            continue
        value: Decimal = getattr(schedule, name)
        if not 0 <= value <= greatest or value % unit:
            yield f"{name} = {value}: must be from 0 to {greatest}, with at most {decimals} decimals"
        else:
            sound.add(name)
    if sound >= {"order_min", "order_max"} and 0 < schedule.order_max < schedule.order_min:
        yield f"order_max = {schedule.order_max}: must not be below order_min = {schedule.order_min}"
    if not entry.has("tiers"):
        return
    if len(schedule.tiers) > TIERS_MAX:
        yield f"tiers: must be at most {TIERS_MAX}"
    before = Decimal(0)
    for tier in schedule.tiers:
        if not before < tier.volume <= AMOUNT_MAX or tier.volume % CASH_UNIT:
            yield f"tiers: volume = {tier.volume} must be above {before}, with at most 4 decimals"
        before = max(before, tier.volume)
