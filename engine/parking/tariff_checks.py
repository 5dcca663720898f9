"""What is wrong with a tariff: every mistake at once, each as the field and what is wrong with it.

Source: docs/tariffs.md, "Bounds". A tariff without mistakes has a price for every interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from engine.parking.codes import CODE_MAX, is_code
from engine.parking.kinds import PassKind, SpaceType
from engine.parking.tariff_records import (
    DAY_MINUTES,
    EVERY_DAY,
    Band,
    CapMode,
    EventSurcharge,
    FreeMode,
    LostTicketRule,
    PassProduct,
    Rates,
    Tariff,
)
from engine.units import BPS, CASH_SCALE, DAY_US, TIME_MAX_US

AMOUNT_MAX_E4: Final = 10_000 * CASH_SCALE
"""The highest rate and the highest fixed price: a year of such minutes, ten times over, is within a ledger's bounds."""

FACTOR_MAX_BPS: Final = 10 * BPS
COIN_MAX_E4: Final = 100 * CASH_SCALE
LABEL_MAX: Final = 40
BANDS_MAX: Final = 50
STEPS_MAX: Final = 20
EVENTS_MAX: Final = 100
HOLIDAYS_MAX: Final = 400
STEP_MINUTE_MAX: Final = 31 * DAY_MINUTES
PASSES_MAX: Final = 50
PASS_DAYS_MAX: Final = 366
ALL_WEEKDAYS: Final = 127
DAYS_MAX: Final = TIME_MAX_US // DAY_US


def mistakes(tariff: Tariff) -> list[str]:
    """One sentence for each mistake, each beginning with the field; none for a sound tariff."""
    return [
        *mistakes_of_name(tariff),
        *mistakes_of_rates("rates", tariff.rates),
        *mistakes_of_bands(tariff),
        *mistakes_of_days(tariff),
        *mistakes_of_steps(tariff),
        *mistakes_of_events(tariff),
        *mistakes_of_passes(tariff),
        *mistakes_of_figures(tariff),
    ]


def mistakes_of_name(tariff: Tariff) -> Iterator[str]:
    """Name, currency and unit."""
    if not is_code(tariff.name):
        yield f"name: must be 1 to {CODE_MAX} letters, digits, dashes, dots and underscores"
    if not (len(tariff.currency) == 3 and tariff.currency.isascii() and tariff.currency.isupper()):
        yield "currency: must be three capital letters"
    if not 1 <= tariff.unit_minutes <= DAY_MINUTES or DAY_MINUTES % tariff.unit_minutes:
        yield f"unit_minutes: must divide a day of {DAY_MINUTES} minutes"


def mistakes_of_rates(field: str, rates: Rates) -> Iterator[str]:
    """STANDARD is there, no type twice, each within bounds."""
    found: dict[SpaceType, int] = {}
    for space_type, rate_e4 in rates:
        if space_type in found:
            yield f"{field}: {space_type.name} is there twice"
        found[space_type] = rate_e4
        if not 0 <= rate_e4 <= AMOUNT_MAX_E4:
            yield f"{field}: {space_type.name} must be from 0 to {AMOUNT_MAX_E4 // CASH_SCALE}"
    if SpaceType.STANDARD not in found:
        yield f"{field}: STANDARD is missing, it is the price of all types that have none"


def mistakes_of_bands(tariff: Tariff) -> Iterator[str]:
    """Each band has days and a time within one day."""
    if len(tariff.bands) > BANDS_MAX:
        yield f"bands: at most {BANDS_MAX}"
    for number, band in enumerate(tariff.bands, start=1):
        for mistake in mistakes_of_band(band):
            yield f"bands {number}.{mistake}"


def mistakes_of_band(band: Band) -> Iterator[str]:
    """One band's, without its number."""
    if not 1 <= len(band.label) <= LABEL_MAX:
        yield f"label: must have 1 to {LABEL_MAX} characters"
    if not band.days:
        yield "days: must name at least one"
    for day in band.days:
        if day not in EVERY_DAY:
            yield f"days: {day} is none, they are 0 (Monday) to 7 (holiday)"
    if any(later <= earlier for earlier, later in pairwise(band.days)):
        yield "days: must ascend"
    if not 0 <= band.from_minute < DAY_MINUTES:
        yield f"from_minute: must be from 0 to {DAY_MINUTES - 1}"
    if not 1 <= band.to_minute <= DAY_MINUTES:
        yield f"to_minute: must be from 1 to {DAY_MINUTES}"
    if band.from_minute >= band.to_minute:
        yield "to_minute: must be after from_minute; a band over midnight is written as two"
    yield from mistakes_of_rates("rates", band.rates)


def mistakes_of_days(tariff: Tariff) -> Iterator[str]:
    """Holidays are days, ascending."""
    if len(tariff.holidays) > HOLIDAYS_MAX:
        yield f"holidays: at most {HOLIDAYS_MAX}"
    if any(not 0 <= day <= DAYS_MAX for day in tariff.holidays):
        yield "holidays: each must be a day since 1970-01-01"
    if any(later <= earlier for earlier, later in pairwise(tariff.holidays)):
        yield "holidays: must ascend, each once"


def mistakes_of_steps(tariff: Tariff) -> Iterator[str]:
    """Steps ascend from minute 0 on."""
    if len(tariff.steps) > STEPS_MAX:
        yield f"steps: at most {STEPS_MAX}"
    if tariff.steps and tariff.steps[0][0] != 0:
        yield "steps: the first must begin at minute 0"
    if any(later[0] <= earlier[0] for earlier, later in pairwise(tariff.steps)):
        yield "steps: must ascend"
    for minute, factor_bps in tariff.steps:
        if not 0 <= minute <= STEP_MINUTE_MAX:
            yield f"steps: minute {minute} must be from 0 to {STEP_MINUTE_MAX}"
        if not 0 <= factor_bps <= FACTOR_MAX_BPS:
            yield f"steps: factor {factor_bps} must be from 0 to {FACTOR_MAX_BPS}"


def mistakes_of_events(tariff: Tariff) -> Iterator[str]:
    """Each event has an interval and a price."""
    if len(tariff.events) > EVENTS_MAX:
        yield f"events: at most {EVENTS_MAX}"
    for number, event in enumerate(tariff.events, start=1):
        for mistake in mistakes_of_event(event):
            yield f"events {number}.{mistake}"


def mistakes_of_event(event: EventSurcharge) -> Iterator[str]:
    """One event's, without its number."""
    if not 1 <= len(event.label) <= LABEL_MAX:
        yield f"label: must have 1 to {LABEL_MAX} characters"
    if not 0 <= event.begin_us < event.end_us <= TIME_MAX_US:
        yield "end: must be after begin"
    if not 0 <= event.surcharge_bps <= FACTOR_MAX_BPS:
        yield f"surcharge_bps: must be from 0 to {FACTOR_MAX_BPS}"
    if not 0 <= event.flat_e4 <= AMOUNT_MAX_E4:
        yield f"flat: must be from 0 to {AMOUNT_MAX_E4 // CASH_SCALE}"
    if not event.surcharge_bps and not event.flat_e4:
        yield "surcharge_bps: an event has a surcharge or a flat price"


def mistakes_of_passes(tariff: Tariff) -> Iterator[str]:
    """Each pass has a code of its own, a length, a price and times."""
    if len(tariff.passes) > PASSES_MAX:
        yield f"passes: at most {PASSES_MAX}"
    codes: dict[str, None] = {}
    for number, product in enumerate(tariff.passes, start=1):
        for mistake in mistakes_of_pass(product):
            yield f"passes {number}.{mistake}"
        if product.code in codes:
            yield f"passes {number}.code: {product.code} is there twice"
        codes[product.code] = None


def mistakes_of_pass(product: PassProduct) -> Iterator[str]:
    """One pass's, without its number."""
    if not is_code(product.code):
        yield f"code: must be 1 to {CODE_MAX} letters, digits, dashes, dots and underscores"
    if not 1 <= len(product.label) <= LABEL_MAX:
        yield f"label: must have 1 to {LABEL_MAX} characters"
    if not 1 <= product.days <= PASS_DAYS_MAX:
        yield f"days: must be from 1 to {PASS_DAYS_MAX}"
    if not 0 <= product.price_e4 <= AMOUNT_MAX_E4:
        yield f"price: must be from 0 to {AMOUNT_MAX_E4 // CASH_SCALE}"
    always = (product.weekdays, product.from_minute, product.to_minute) == (ALL_WEEKDAYS, 0, DAY_MINUTES)
    if product.kind not in tuple(PassKind):
        yield "kind: is none"
    elif product.kind is PassKind.SEASON and not always:
        yield "days_of_week: a SEASON pass is for every day and hour"
    if not 0 < product.weekdays <= ALL_WEEKDAYS:
        yield "days_of_week: must name at least one"
    if not 0 <= product.from_minute < product.to_minute <= DAY_MINUTES:
        yield "ends: must be after begins"


def mistakes_of_figures(tariff: Tariff) -> Iterator[str]:
    """All that stands alone."""
    if tariff.occupancy is not None:
        rule = tariff.occupancy
        if not 0 <= rule.from_bps < BPS:
            yield f"occupancy.from_bps: must be from 0 to {BPS - 1}"
        if not 0 < rule.per_percent_bps <= FACTOR_MAX_BPS:
            yield f"occupancy.per_percent_bps: must be from 1 to {FACTOR_MAX_BPS}"
        if not 0 < rule.max_bps <= FACTOR_MAX_BPS:
            yield f"occupancy.max_bps: must be from 1 to {FACTOR_MAX_BPS}"
    if not 0 <= tariff.free_minutes <= DAY_MINUTES:
        yield f"free_minutes: must be from 0 to {DAY_MINUTES}"
    if not 0 <= tariff.overstay_bps <= FACTOR_MAX_BPS:
        yield f"overstay_bps: must be from 0 to {FACTOR_MAX_BPS}"
    for name in ("subscriber_bps", "tax_bps"):
        if not 0 <= getattr(tariff, name) <= BPS:
            yield f"{name}: must be from 0 to {BPS}"
    for name in ("cap_e4", "overstay_fee_e4", "lost_ticket_e4"):
        if not 0 <= getattr(tariff, name) <= AMOUNT_MAX_E4:
            yield f"{name}: must be from 0 to {AMOUNT_MAX_E4}"
    if not 1 <= tariff.coin_e4 <= COIN_MAX_E4:
        yield f"coin_e4: must be from 1 to {COIN_MAX_E4}"
    for name, kinds in (
        ("free_mode", FreeMode),
        ("cap_mode", CapMode),
        ("lost_ticket_rule", LostTicketRule),
    ):
        if getattr(tariff, name) not in tuple(kinds):
            yield f"{name}: is none"
