"""A tariff in an answer, and each line of a price in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.parking.kinds import PassKind
from engine.parking.tariff_records import (
    CapMode,
    FreeMode,
    LineCode,
    LostTicketRule,
    Price,
    Rates,
    Tariff,
)
from handlers.field_types import Currency, Time, names
from handlers.numbers import Number, cash
from handlers.order_json import time_text
from handlers.parking_words import Code, SpaceTypeName
from server.price_text import line_in_words

LineCodeName = Annotated[str, Meta(extra_json_schema=names(LineCode))]
FreeModeName = Annotated[str, Meta(extra_json_schema=names(FreeMode))]
CapModeName = Annotated[str, Meta(extra_json_schema=names(CapMode))]
LostTicketRuleName = Annotated[str, Meta(extra_json_schema=names(LostTicketRule))]
TariffDayName = Annotated[
    str, Meta(extra_json_schema={"enum": ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "HOLIDAY"]})
]
PassKindName = Annotated[str, Meta(extra_json_schema=names(PassKind))]
WeekdayName = Annotated[
    str, Meta(extra_json_schema={"enum": ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]})
]
DateText = Annotated[str, Meta(extra_json_schema={"format": "date"})]
_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "HOLIDAY")
_EPOCH: Final = date(1970, 1, 1)


class RateJson(Struct, frozen=True):
    """What a unit costs on a space of a type."""

    type: SpaceTypeName
    rate: Number


class BandJson(Struct, frozen=True):
    """Rates of some hours of some days."""

    label: str
    days: tuple[TariffDayName, ...]
    begins: str
    ends: str
    rates: tuple[RateJson, ...]


class StepJson(Struct, frozen=True):
    """From this minute of a stay on, this factor of the rate (10 000 is the whole)."""

    from_minute: int
    factor_bps: int


class OccupancyRuleJson(Struct, frozen=True):
    """By how much a unit costs more for each full percent of occupancy above `from_bps`."""

    from_bps: int
    per_percent_bps: int
    max_bps: int


class EventJson(Struct, frozen=True):
    """A surcharge of an interval."""

    label: str
    begins: Time
    ends: Time
    surcharge_bps: int
    flat: Number


class PassProductJson(Struct, frozen=True):
    """A pass that is sold. `price` is before rounding and tax on top; a `reserved` one has a space of its own."""

    code: Code
    label: str
    kind: PassKindName
    days: int
    price: Number
    weekdays: tuple[WeekdayName, ...]
    begins: str
    ends: str
    reserved: bool


class TariffJson(Struct, frozen=True, kw_only=True):
    """A version of a tariff. docs/tariffs.md has the rules."""

    tariff: Code
    version: int
    currency: Currency
    unit_minutes: int
    rates: tuple[RateJson, ...]
    bands: tuple[BandJson, ...]
    holidays: tuple[DateText, ...]
    steps: tuple[StepJson, ...]
    free_minutes: int
    free_mode: FreeModeName
    occupancy: OccupancyRuleJson | None
    events: tuple[EventJson, ...]
    cap: Number
    cap_mode: CapModeName
    subscriber_bps: int
    overstay_bps: int
    overstay_fee: Number
    lost_ticket: Number
    lost_ticket_rule: LostTicketRuleName
    coin: Number
    tax_bps: int
    tax_inclusive: bool
    passes: tuple[PassProductJson, ...]


class PriceLineJson(Struct, frozen=True, rename={"begins": "from"}):
    """`units` at `rate` make `amount`; `text` says it in words."""

    code: LineCodeName
    label: str
    units: int
    rate: Number
    amount: Number
    begins: Time
    to: Time
    text: str


class PriceJson(Struct, frozen=True):
    """A price. Its lines sum to `total`; `tax` is the part of it that is tax."""

    currency: Currency
    total: Number
    tax: Number
    lines: tuple[PriceLineJson, ...]


def price_json(price: Price, currency: str) -> PriceJson:
    """A price with its lines in words."""
    lines = [
        PriceLineJson(
            code=line.code.name,
            label=line.label,
            units=line.units,
            rate=cash(line.rate_e4),
            amount=cash(line.amount_e4),
            begins=time_text(line.from_us),
            to=time_text(line.to_us),
            text=line_in_words(line),
        )
        for line in price.lines
    ]
    return PriceJson(currency, cash(price.total_e4), cash(price.tax_e4), tuple(lines))


def tariff_json(tariff: Tariff) -> TariffJson:
    """A tariff as it is in force."""
    rule = tariff.occupancy
    bands = [
        BandJson(
            each.label,
            tuple([_DAYS[day] for day in each.days]),
            wall_text(each.from_minute),
            wall_text(each.to_minute),
            _rates(each.rates),
        )
        for each in tariff.bands
    ]
    events = [
        EventJson(
            each.label,
            time_text(each.begin_us),
            time_text(each.end_us),
            each.surcharge_bps,
            cash(each.flat_e4),
        )
        for each in tariff.events
    ]
    return TariffJson(
        tariff=tariff.name,
        version=tariff.version,
        currency=tariff.currency,
        unit_minutes=tariff.unit_minutes,
        rates=_rates(tariff.rates),
        bands=tuple(bands),
        holidays=tuple([(_EPOCH + timedelta(days=day)).isoformat() for day in tariff.holidays]),
        steps=tuple([StepJson(*each) for each in tariff.steps]),
        free_minutes=tariff.free_minutes,
        free_mode=tariff.free_mode.name,
        occupancy=None
        if rule is None
        else OccupancyRuleJson(rule.from_bps, rule.per_percent_bps, rule.max_bps),
        events=tuple(events),
        cap=cash(tariff.cap_e4),
        cap_mode=tariff.cap_mode.name,
        subscriber_bps=tariff.subscriber_bps,
        overstay_bps=tariff.overstay_bps,
        overstay_fee=cash(tariff.overstay_fee_e4),
        lost_ticket=cash(tariff.lost_ticket_e4),
        lost_ticket_rule=tariff.lost_ticket_rule.name,
        coin=cash(tariff.coin_e4),
        tax_bps=tariff.tax_bps,
        tax_inclusive=tariff.tax_inclusive,
        passes=passes_json(tariff),
    )


def passes_json(tariff: Tariff) -> tuple[PassProductJson, ...]:
    """The passes that are sold."""
    return tuple(
        [
            PassProductJson(
                each.code,
                each.label,
                each.kind.name,
                each.days,
                cash(each.price_e4),
                weekdays_of(each.weekdays),
                wall_text(each.from_minute),
                wall_text(each.to_minute),
                each.reserved,
            )
            for each in tariff.passes
        ]
    )


def weekdays_of(total: int) -> tuple[str, ...]:
    """The names of a sum of weekdays."""
    return tuple([name for number, name in enumerate(_DAYS[:7]) if total >> number & 1])


def _rates(rates: Rates) -> tuple[RateJson, ...]:
    return tuple([RateJson(space_type.name, cash(rate_e4)) for space_type, rate_e4 in rates])


def wall_text(minute: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minute // 60:02}:{minute % 60:02}"
