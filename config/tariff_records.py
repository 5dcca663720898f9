"""The records of config/tariffs.toml, which explains each field; docs/tariffs.md has the rules. Money as exact decimals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from config.forms import Currency, WallTime

TariffName = Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,32}$")]
Label = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\u0000-\u001f\u007f-\u009f]*$")]
"""Text that can be shown: no control characters."""

Instant = Annotated[datetime, Meta(tz=True)]
Minutes = Annotated[int, Meta(ge=0, le=44_640)]
Amount = Annotated[
    Decimal,
    Meta(
        description="An amount with at most 4 decimals, as a number or as a string; read exactly.",
        extra_json_schema={
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": 10_000,
            "pattern": r"^[0-9]{1,5}(\.[0-9]{1,4})?$",
        },
    ),
]
Share = Annotated[int, Meta(ge=0, le=10_000)]
Factor = Annotated[int, Meta(ge=0, le=100_000)]


class TariffDay(StrEnum):
    """A day that a band is on; HOLIDAY is any of the tariff's holidays."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"
    HOLIDAY = "HOLIDAY"


class FreeModeName(StrEnum):
    SHORT_STAY = "SHORT_STAY"
    ALWAYS = "ALWAYS"


class CapModeName(StrEnum):
    CALENDAR_DAY = "CALENDAR_DAY"
    FROM_ENTRY = "FROM_ENTRY"


class LostTicketName(StrEnum):
    FLAT = "FLAT"
    STAY = "STAY"
    HIGHER = "HIGHER"


class PassKindName(StrEnum):
    SEASON = "SEASON"
    RECURRING = "RECURRING"


class WeekdayName(StrEnum):
    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class RatesConfig(msgspec.Struct, frozen=True, kw_only=True, rename="upper", forbid_unknown_fields=True):
    """The price of a unit by the type of space; a type that is left out has STANDARD's."""

    standard: Amount
    compact: Amount | None = None
    large: Amount | None = None
    accessible: Amount | None = None
    ev: Amount | None = None
    motorcycle: Amount | None = None
    vip: Amount | None = None


class BandConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    label: Label
    days: tuple[TariffDay, ...]
    begins: WallTime
    ends: WallTime
    rates: RatesConfig


class StepConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_minute: Minutes
    factor_bps: Factor


class OccupancyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_bps: Share
    per_percent_bps: Factor
    max_bps: Factor


class EventConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    label: Label
    begins: Instant
    ends: Instant
    surcharge_bps: Factor = 0
    flat: Amount = Decimal(0)


class PassConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pass that is sold; a SEASON pass is for every day and hour."""

    code: TariffName
    label: Label
    kind: PassKindName = PassKindName.SEASON
    days: Annotated[int, Meta(ge=1, le=366)]
    price: Amount
    weekdays: tuple[WeekdayName, ...] = tuple(WeekdayName)
    begins: WallTime = "00:00"
    ends: WallTime = "24:00"
    reserved: bool = False


class TariffTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a tariff but its name. What is wrong with its figures the engine's own check says (server/tariff_config.py)."""

    currency: Currency
    unit_minutes: Minutes
    rates: RatesConfig
    bands: tuple[BandConfig, ...] = ()
    holidays: tuple[date, ...] = ()
    steps: tuple[StepConfig, ...] = ()
    free_minutes: Minutes = 0
    free_mode: FreeModeName = FreeModeName.SHORT_STAY
    occupancy: OccupancyConfig | None = None
    events: tuple[EventConfig, ...] = ()
    cap: Amount = Decimal(0)
    cap_mode: CapModeName = CapModeName.CALENDAR_DAY
    subscriber_bps: Share = 0
    overstay_bps: Factor = 10_000
    overstay_fee: Amount = Decimal(0)
    lost_ticket: Amount = Decimal(0)
    lost_ticket_rule: LostTicketName = LostTicketName.HIGHER
    coin: Amount = Decimal("0.01")
    tax_bps: Share = 0
    tax_inclusive: bool = True
    passes: tuple[PassConfig, ...] = ()


class TariffConfig(TariffTerms, frozen=True, kw_only=True):
    """One tariff of the file."""

    name: TariffName
