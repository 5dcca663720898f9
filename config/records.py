"""The records of the data files: instruments, fee schedules, limits, calendars, indices, settlement and tariffs, with exact decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from config.forms import Bps, Currency, Moment, Name, Orders, Ppm, Symbol, WallTime
from config.tariff_records import TariffConfig


class PriceSource(StrEnum):
    OWN = "OWN"
    TAPE = "TAPE"


class Weekday(StrEnum):
    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class InstrumentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Prices in units of `currency`, `lot` in units of the security; both exact."""

    symbol: Symbol
    name: Name
    currency: Currency
    tick: Decimal
    lot: Decimal
    price_min: Decimal
    price_max: Decimal
    reference: Decimal
    calendar: Name
    price_source: PriceSource
    band_bps: Bps
    fees: Name  # the fee schedule
    halt_bps: Annotated[int, Meta(ge=0, le=9_999)] = 0
    halt_window_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 300
    halt_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 300
    resume_auction: bool = False


class FeeTierConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `volume` on, what an account traded in 30 days, these rates."""

    volume: Decimal
    maker_ppm: Ppm
    taker_ppm: Ppm


class FeeScheduleConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Rates, and what more there is to pay; config/fees.toml explains each. 0 says nothing."""

    name: Name
    maker_ppm: Ppm
    taker_ppm: Ppm
    tiers: tuple[FeeTierConfig, ...] = ()
    order_min: Decimal = Decimal(0)
    order_max: Decimal = Decimal(0)
    sec31_per_million: Decimal = Decimal(0)
    taf_per_unit: Decimal = Decimal(0)
    taf_max: Decimal = Decimal(0)


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    order_quantity_max: Decimal
    order_value_max: Decimal
    open_orders_max: Annotated[int, Meta(ge=1)]
    market_collar_bps: Bps
    gtc_max_age_days: Annotated[int, Meta(ge=1, le=3_650)] = 90


class RiskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of the risk rules (docs/risk.md). Which of them are on, the settings say."""

    fat_finger_quantity_max: Decimal = Decimal(100_000)
    fat_finger_value_max: Decimal = Decimal(5_000_000)
    orders_per_second_max: Orders = 10
    orders_per_minute_max: Orders = 120
    rapid_orders_max: Orders = 50
    rapid_window_s: Annotated[int, Meta(ge=1, le=86_400)] = 300
    unusual_times: Annotated[int, Meta(ge=2, le=1_000)] = 10
    unusual_orders_min: Annotated[int, Meta(ge=1, le=32)] = 5
    penny_price_below: Decimal = Decimal(5)
    penny_quantity_max: Decimal = Decimal(10_000)
    position_quantity_max: Decimal = Decimal(1_000_000)
    position_value_max: Decimal = Decimal(10_000_000)
    kyc_tier_0_max: Decimal = Decimal(0)
    kyc_tier_1_max: Decimal = Decimal(1_000)
    kyc_tier_2_max: Decimal = Decimal(50_000)
    daily_loss_max: Decimal = Decimal(100_000)
    day_trades_max: Annotated[int, Meta(ge=1, le=100)] = 3
    day_trade_days: Annotated[int, Meta(ge=1, le=5)] = 5
    day_trade_equity_min: Decimal = Decimal(25_000)


class ScheduledPhase(StrEnum):
    """What a calendar's books may do; docs/orders.md, "Sessions", says what each is."""

    CLOSED = "CLOSED"
    PRE_OPEN = "PRE_OPEN"
    OPENING_AUCTION = "OPENING_AUCTION"
    CONTINUOUS = "CONTINUOUS"
    CLOSING_AUCTION = "CLOSING_AUCTION"
    POST_TRADE = "POST_TRADE"
    EXTENDED = "EXTENDED"


class PhaseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A phase of each day that has a session, from `at` to the next one's."""

    phase: ScheduledPhase
    at: Moment


class SpecialSession(msgspec.Struct, frozen=True, kw_only=True):
    """A day with times of its own, whatever day it is: a Diwali evening, a Saturday's drill."""

    day: date
    opens: WallTime
    closes: WallTime


class CalendarConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Session times as wall time of `time_zone`; config/sessions.py turns them into instants.

    `market` names the days of config/market_days.toml; `holidays` and `early_closes` are closed and short beside them,
    `open_days` are ordinary days whatever stands there. The day ends at `day_ends`, or where there is none at the close.
    """

    name: Name
    time_zone: Name
    days: tuple[Weekday, ...]
    opens: WallTime
    closes: WallTime
    market: Name | None = None
    holidays: tuple[date, ...] = ()
    open_days: tuple[date, ...] = ()
    early_close: WallTime | None = None
    early_closes: tuple[date, ...] = ()
    special: tuple[SpecialSession, ...] = ()
    phases: tuple[PhaseConfig, ...] = ()
    day_ends: Moment | None = None


class MarketDays(msgspec.Struct, frozen=True, kw_only=True):
    """The days on which a market is closed or closes early, in the years from `first` to `last`."""

    name: Name
    first: int
    last: int
    closed: tuple[date, ...]
    short: tuple[date, ...] = ()


class SettlementConfig(msgspec.Struct, frozen=True, kw_only=True):
    """When a calendar's trades settle; config/settlement.toml explains each."""

    calendar: Name
    days: Annotated[int, Meta(ge=0, le=10)]
    closed: tuple[date, ...] = ()
    instant: tuple[Decimal, ...] = ()


class Weighting(StrEnum):
    """What a constituent's price counts for: as it is, or times the units of it that there are."""

    PRICE = "PRICE"
    CAPITALISATION = "CAPITALISATION"


class ConstituentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`units` are whole (millions of shares, say): only their proportions count."""

    symbol: Symbol
    units: Annotated[int, Meta(ge=1, le=10**9)] = 1


class IndexConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An index stands at `base_level` when its constituents are worth `base_value`, the sum of price times units."""

    symbol: Symbol
    name: Name
    weighting: Weighting
    base_level: Decimal
    base_value: Decimal
    constituents: tuple[ConstituentConfig, ...]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    instruments: tuple[InstrumentConfig, ...]
    fee_schedules: tuple[FeeScheduleConfig, ...]
    limits: LimitsConfig
    calendars: tuple[CalendarConfig, ...]
    risk: RiskConfig = RiskConfig()
    indices: tuple[IndexConfig, ...] = ()
    settlement: tuple[SettlementConfig, ...] = ()
    tariffs: tuple[TariffConfig, ...] = ()
