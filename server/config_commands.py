"""Compares the configured venue with the engine's state, and gives the difference as commands.

Instruments, fees, limits and session times are inputs of the engine like any other: what a start changes is in the
journal, and a replay sees it at the same place. What config no longer names stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from config.records import Catalogue, FeeScheduleConfig, InstrumentConfig, LimitsConfig, SettlementConfig
from config.sessions import phases_between, sessions_between
from config.settings import IdempotencySettings, RiskSettings
from engine.commands import (
    AnyCommand,
    Envelope,
    SetCalendar,
    SetFees,
    SetInstrument,
    SetLimits,
    SetSettlement,
)
from engine.fees import FeeRules
from engine.kinds import Phase, PriceSource, Source
from engine.state import FeeSchedule, State
from engine.units import DAY_US, HOUR_US, PPB, SECOND_US
from server.risk_config import risk_differences
from server.runtime import Runtime
from server.tariff_config import tariff_differences, tariff_mistakes
from server.zone_rules import zone_differences

CASH_SCALE: Final = 10_000
QUANTITY_SCALE: Final = 100_000_000
UNIT_RATE_SCALE: Final = 10**12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

ENVELOPE: Final = Envelope(Source.CONFIG)

logger = logging.getLogger("kerb.venue")


class VenueRefused(Exception):
    """The engine refuses what config asks for; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Venue:
    """Keeps the engine's venue as config says: at the start, and when a new year's sessions are due.

    `sources` overrides where an instrument's price comes from, by symbol.
    """

    def __init__(
        self,
        runtime: Runtime,
        catalogue: Catalogue,
        keys: IdempotencySettings,
        sources: Mapping[str, PriceSource],
        risk: RiskSettings | None = None,
    ) -> None:
        self._runtime = runtime
        self._catalogue = catalogue
        self._keys = keys
        self._sources = sources
        self._risk = risk
        self._window: tuple[date, date] | None = None

    async def configure(self) -> int:
        """Submit the difference; how many commands that took, all durable on return. Raises `VenueRefused`."""
        count, problems = self._submit()
        await self._runtime.wait_durable(self._runtime.state.seq)
        if problems:
            raise VenueRefused(problems)
        return count

    def tick(self) -> None:
        """Submit the sessions of another year once it has begun."""
        if self._runtime.takes_commands and session_window(self._runtime.now_us()) != self._window:
            _, problems = self._submit()
            for problem in problems:
                logger.error("refused: %s", problem)

    def _submit(self) -> tuple[int, list[str]]:
        now_us = self._runtime.now_us()
        self._window = session_window(now_us)
        problems, count = tariff_mistakes(self._catalogue.tariffs), 0
        for command in differences(
            self._runtime.state, self._catalogue, self._keys, self._sources, now_us, self._risk
        ):
            applied = self._runtime.submit(command, ENVELOPE)
            count += 1
            if applied.refused is not None:
                name = getattr(command, "symbol", "") or getattr(command, "calendar", "")
                problems.append(f"{type(command).__name__} {name}: {applied.refused.refusal.name}")
        return count, problems


def differences(
    state: State,
    catalogue: Catalogue,
    keys: IdempotencySettings,
    sources: Mapping[str, PriceSource],
    now_us: int,
    risk: RiskSettings | None = None,
) -> Iterator[AnyCommand]:
    """What has to be submitted, in order: limits, fees and calendars before the instruments that name them, then tariffs and zones, risk rules last."""
    limits = _limits(catalogue.limits, keys)
    if limits != _limits_of(state):
        yield limits
    for schedule in catalogue.fee_schedules:
        wanted_fees = _fees(schedule)
        known = state.fees.get(schedule.name)
        if known is None or wanted_fees != _fees_of(known):
            yield wanted_fees
    first, last = session_window(now_us)
    for calendar in catalogue.calendars:
        sessions = sessions_between(calendar, first, last)
        phases = tuple([(start_us, Phase[name]) for start_us, name in phases_between(calendar, first, last)])
        known_calendar = state.calendars.get(calendar.name)
        if known_calendar is None or (known_calendar.sessions, known_calendar.phases) != (sessions, phases):
            yield SetCalendar(calendar.name, sessions, phases)
    for settlement in catalogue.settlement:
        rules = _settlement(settlement)
        if rules != _settlement_of(state, settlement.calendar):
            yield rules
    for config in catalogue.instruments:
        wanted = _instrument(config, sources)
        if _terms(wanted) != _terms_of(state, config.symbol):
            yield wanted
    yield from tariff_differences(state, catalogue.tariffs)
    yield from zone_differences(state, now_us)
    if risk is not None:
        yield from risk_differences(state, catalogue.risk, risk)


def session_window(now_us: int) -> tuple[date, date]:
    """The days whose sessions the engine is told: last year's last day to the end of next year.

    The day before the year belongs to it because a session of another time zone may still be on.
    """
    year = (_EPOCH + timedelta(microseconds=now_us)).year
    return date(year - 1, 12, 31), date(year + 1, 12, 31)


def _scaled(value: Decimal, scale: int) -> int:
    """An exact decimal in the engine's units; config/catalogue_checks.py has seen that it fits."""
    scaled = value * scale
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more decimals than the engine's unit")
    return int(scaled)


def _limits(limits: LimitsConfig, keys: IdempotencySettings) -> SetLimits:
    return SetLimits(
        _scaled(limits.order_quantity_max, QUANTITY_SCALE),
        _scaled(limits.order_value_max, CASH_SCALE),
        limits.open_orders_max,
        limits.market_collar_bps,
        keys.keys_per_user_max,
        keys.keys_max,
        keys.ttl_hours * HOUR_US,
        limits.gtc_max_age_days * DAY_US,
    )


def _limits_of(state: State) -> SetLimits:
    limits = state.limits
    return SetLimits(
        limits.order_quantity_max_e8,
        limits.order_value_max_e4,
        limits.open_orders_max,
        limits.market_collar_bps,
        limits.keys_per_user_max,
        limits.keys_max,
        limits.key_ttl_us,
        limits.gtc_max_age_us,
    )


def _fees(schedule: FeeScheduleConfig) -> SetFees:
    return SetFees(
        schedule.name,
        schedule.maker_ppm,
        schedule.taker_ppm,
        tuple(
            [(_scaled(each.volume, CASH_SCALE), each.maker_ppm, each.taker_ppm) for each in schedule.tiers]
        ),
        _scaled(schedule.order_min, CASH_SCALE),
        _scaled(schedule.order_max, CASH_SCALE),
        _scaled(schedule.sec31_per_million, PPB // 10**6),
        _scaled(schedule.taf_per_unit, UNIT_RATE_SCALE),
        _scaled(schedule.taf_max, CASH_SCALE),
    )


def _fees_of(known: FeeSchedule) -> SetFees:
    rules = known.rules or FeeRules()
    return SetFees(known.schedule, known.maker_ppm, known.taker_ppm, *msgspec.structs.astuple(rules))


def _settlement(config: SettlementConfig) -> SetSettlement:
    closed = sorted((day - _EPOCH.date()).days for day in config.closed)
    return SetSettlement(
        config.calendar,
        config.days,
        tuple(closed),
        tuple([_scaled(limit, CASH_SCALE) for limit in config.instant]),
    )


def _settlement_of(state: State, calendar: str) -> SetSettlement:
    known = state.settlement.get(calendar)
    if known is None:
        return SetSettlement(calendar, 0)
    return SetSettlement(known.market, known.days, known.closed, known.instant_max_e4)


def _instrument(config: InstrumentConfig, sources: Mapping[str, PriceSource]) -> SetInstrument:
    return SetInstrument(
        config.symbol,
        config.name,
        config.currency,
        _scaled(config.tick, CASH_SCALE),
        _scaled(config.lot, QUANTITY_SCALE),
        _scaled(config.price_min, CASH_SCALE),
        _scaled(config.price_max, CASH_SCALE),
        _scaled(config.reference, CASH_SCALE),
        config.calendar,
        sources.get(config.symbol, PriceSource[config.price_source.name]),
        config.band_bps,
        config.fees,
        config.halt_bps,
        config.halt_window_seconds * SECOND_US,
        config.halt_seconds * SECOND_US,
        config.resume_auction,
    )


def _terms(command: SetInstrument) -> tuple[object, ...]:
    """What of an instrument config decides at every start; the reference price counts at the listing alone."""
    return (
        *(command.name, command.currency, command.tick_e4, command.lot_e8, command.price_min_e4),
        *(command.price_max_e4, command.calendar, command.price_source, command.band_bps),
        *(command.fee_schedule, command.halt_bps, command.halt_window_us, command.halt_us),
        command.resume_auction,
    )


def _terms_of(state: State, symbol: str) -> tuple[object, ...] | None:
    known = state.instruments.get(symbol)
    if known is None:
        return None
    return (
        *(known.name, known.currency, known.tick_e4, known.lot_e8, known.price_min_e4),
        *(known.price_max_e4, known.calendar, known.price_source, known.band_bps),
        *(known.fee_schedule, known.halt_bps, known.halt_window_us, known.halt_us),
        known.resume_auction,
    )
