"""Rules inside and between the data files: sound prices, names that exist, sessions that end after they begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from decimal import Decimal
from importlib.resources import files

from config.records import (
    CalendarConfig,
    Catalogue,
    IndexConfig,
    InstrumentConfig,
    LimitsConfig,
    Weighting,
)

CASH_UNIT = Decimal("0.0001")  # engine/units.py counts cash and prices in it
QUANTITY_UNIT = Decimal("0.00000001")  # and quantities in this one
PRICE_MAX = 10**9  # bounds of the same module, beyond which the engine refuses
QUANTITY_MAX = 10**9
ORDER_VALUE_MAX = 10**11


def problems_in(catalogue: Catalogue) -> list[str]:
    """One sentence for each broken rule."""
    calendars = {calendar.name for calendar in catalogue.calendars}
    schedules = {schedule.name for schedule in catalogue.fee_schedules}
    problems = [
        *_doubles("instruments.toml", (instrument.symbol for instrument in catalogue.instruments)),
        *_doubles("fees.toml", (schedule.name for schedule in catalogue.fee_schedules)),
        *_doubles("calendars.toml", (calendar.name for calendar in catalogue.calendars)),
        *_doubles("indices.toml", (index.symbol for index in catalogue.indices)),
        *_limits(catalogue.limits),
    ]
    for instrument in catalogue.instruments:
        label = f"instruments.toml: {instrument.symbol}"
        problems.extend(f"{label}.{problem}" for problem in _instrument(instrument))
        if instrument.calendar not in calendars:
            problems.append(f"{label}.calendar = {instrument.calendar!r}: is not in calendars.toml")
        if instrument.fees not in schedules:
            problems.append(f"{label}.fees = {instrument.fees!r}: is not in fees.toml")
    for calendar in catalogue.calendars:
        problems.extend(f"calendars.toml: {calendar.name}.{problem}" for problem in _calendar(calendar))
    listed = {instrument.symbol for instrument in catalogue.instruments}
    for index in catalogue.indices:
        problems.extend(f"indices.toml: {index.symbol}.{problem}" for problem in _index(index, listed))
    return problems


def _doubles(file: str, names: Iterable[str]) -> list[str]:
    return [
        f"{file}: {name} stands there {count} times" for name, count in Counter(names).items() if count > 1
    ]


def _instrument(instrument: InstrumentConfig) -> Iterator[str]:
    """What DESIGN.md §3 and the engine's SetInstrument demand."""
    for name in ("tick", "price_min", "price_max", "reference"):
        value: Decimal = getattr(instrument, name)
        if value <= 0 or value % CASH_UNIT:
            yield f"{name} = {value}: must be above 0 with at most 4 decimals"
            return
    if instrument.price_max > PRICE_MAX:
        yield f"price_max = {instrument.price_max}: must be at most {PRICE_MAX}"
    if not 0 < instrument.lot <= QUANTITY_MAX or instrument.lot % QUANTITY_UNIT:
        yield f"lot = {instrument.lot}: must be above 0 with at most 8 decimals"
    for name in ("price_min", "price_max", "reference"):
        value = getattr(instrument, name)
        if value % instrument.tick:
            yield f"{name} = {value}: must be a multiple of the tick, {instrument.tick}"
    if instrument.lot * instrument.price_min < CASH_UNIT:
        yield f"lot = {instrument.lot}: at price_min = {instrument.price_min} it must be worth at least {CASH_UNIT}"
    if not instrument.price_min <= instrument.reference <= instrument.price_max:
        yield f"reference = {instrument.reference}: must lie between price_min and price_max"


def _index(index: IndexConfig, listed: Set[str]) -> Iterator[str]:
    for name in ("base_level", "base_value"):
        value: Decimal = getattr(index, name)
        if value <= 0 or value % CASH_UNIT:
            yield f"{name} = {value}: must be above 0 with at most 4 decimals"
    if not index.constituents:
        yield "constituents: must name at least one"
    for constituent in index.constituents:
        if constituent.symbol not in listed:
            yield f"constituents: {constituent.symbol} is not in instruments.toml"
        if index.weighting is Weighting.PRICE and constituent.units != 1:
            yield f"constituents: {constituent.symbol} has units, but in a PRICE index each counts once"
    yield from _doubles("constituents", (constituent.symbol for constituent in index.constituents))


def _limits(limits: LimitsConfig) -> Iterator[str]:
    bounds = (
        ("order_quantity_max", QUANTITY_MAX, QUANTITY_UNIT, 8),
        ("order_value_max", ORDER_VALUE_MAX, CASH_UNIT, 4),
    )
    for name, greatest, unit, decimals in bounds:
        value: Decimal = getattr(limits, name)
        if not 0 < value <= greatest or value % unit:
            yield f"limits.toml: limits.{name} = {value}: must be above 0, at most {greatest}, with at most {decimals} decimals"


def _calendar(calendar: CalendarConfig) -> Iterator[str]:
    zone = files("tzdata").joinpath("zoneinfo").joinpath(*calendar.time_zone.split("/"))
    if ".." in calendar.time_zone or not zone.is_file():
        yield f"time_zone = {calendar.time_zone!r}: is not a time zone such as America/New_York"
    if not calendar.days:
        yield "days: must name at least one"
    if calendar.opens >= calendar.closes:
        yield f"closes = {calendar.closes!r}: must be after opens = {calendar.opens!r}"
    if calendar.early_closes and calendar.early_close is None:
        yield "early_close: is missing, early_closes need it"
    if calendar.early_close is not None and not calendar.opens < calendar.early_close < calendar.closes:
        yield f"early_close = {calendar.early_close!r}: must lie between opens and closes"
