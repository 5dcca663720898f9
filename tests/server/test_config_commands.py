"""Config becomes commands: the difference only, and every number exactly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from config.catalogue import load_catalogue
from config.loading import load_settings
from config.records import Catalogue, FeeTierConfig
from engine.apply import apply
from engine.commands import AnyCommand, SetCalendar, SetFees, SetInstrument, SetLimits, SetSettlement
from engine.kinds import Phase, PriceSource
from engine.parking.tariff_commands import SetTariff
from engine.state import State
from server.config_commands import ENVELOPE, differences, session_window

NOW_US = 1_794_000_000_000_000  # 2026-11
KEYS = load_settings("test", None, {}).settings.idempotency


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def missing(state: State, catalogue: Catalogue, **sources: PriceSource) -> Iterator[AnyCommand]:
    return differences(state, catalogue, KEYS, sources, NOW_US)


@pytest.fixture
def venue(catalogue: Catalogue) -> State:
    state = State()
    for command in list(missing(state, catalogue)):
        assert apply(state, ENVELOPE, command, NOW_US).refused is None, command
    return state


def test_a_new_state_is_told_everything_and_then_nothing(venue: State, catalogue: Catalogue) -> None:
    kinds = [type(command) for command in missing(State(), catalogue)]
    assert kinds == sorted(
        kinds, key=[SetLimits, SetFees, SetCalendar, SetSettlement, SetInstrument, SetTariff].index
    )
    assert len(venue.instruments) == len(catalogue.instruments) >= 20
    assert {each.phase for each in venue.instruments.values()} == {Phase.CONTINUOUS}
    assert list(missing(venue, catalogue)) == []


def test_numbers_come_over_exactly(venue: State, catalogue: Catalogue) -> None:
    config = catalogue.instruments[0]
    listed = venue.instruments[config.symbol]
    assert Decimal(listed.tick_e4) / 10_000 == config.tick
    assert Decimal(listed.lot_e8) / 10**8 == config.lot
    assert Decimal(listed.price_max_e4) / 10_000 == config.price_max
    assert Decimal(listed.reference_e4) / 10_000 == config.reference


def test_only_what_has_changed_is_submitted(venue: State, catalogue: Catalogue) -> None:
    first, *rest = catalogue.instruments
    schedule = catalogue.fee_schedules[0]
    changed = replace(
        catalogue,
        instruments=(replace(first, band_bps=1_234), *rest),
        fee_schedules=(replace(schedule, taker_ppm=77),),
        limits=replace(catalogue.limits, open_orders_max=9),
    )
    limits, fees, instrument = missing(venue, changed)
    assert isinstance(limits, SetLimits)
    assert limits.open_orders_max == 9
    assert fees == SetFees(schedule.name, schedule.maker_ppm, 77)
    assert isinstance(instrument, SetInstrument)
    assert (instrument.symbol, instrument.band_bps) == (first.symbol, 1_234)


def test_a_schedules_rules_come_over_in_the_engines_units(venue: State, catalogue: Catalogue) -> None:
    (schedule,) = catalogue.fee_schedules
    rules = {
        "tiers": (FeeTierConfig(volume=Decimal("1000.5"), maker_ppm=400, taker_ppm=900),),
        "order_min": Decimal("0.35"),
        "order_max": Decimal("7.5"),
        "sec31_per_million": Decimal("27.801"),
        "taf_per_unit": Decimal("0.000166"),
        "taf_max": Decimal("8.30"),
    }
    changed = replace(catalogue, fee_schedules=(replace(schedule, **rules),))
    (fees,) = missing(venue, changed)
    tiers = ((10_005_000, 400, 900),)
    assert fees == SetFees("standard", 500, 1_000, tiers, 3_500, 75_000, 27_801, 166_000_000, 83_000)
    state = State()
    for command in list(missing(state, changed)):
        assert apply(state, ENVELOPE, command, NOW_US).refused is None
    assert list(missing(state, changed)) == []


def test_settlement_comes_over_by_calendar(venue: State, catalogue: Catalogue) -> None:
    rules = venue.settlement["XNYS"]
    assert (rules.days, rules.closed[0], rules.instant_max_e4) == (
        1,
        (date(2026, 10, 12) - date(1970, 1, 1)).days,
        (),
    )
    assert not venue.watches_fills  # nothing that is listed settles later
    first, *rest = catalogue.settlement
    changed = replace(first, days=2, closed=(date(2026, 1, 2), date(2026, 1, 1)), instant=(Decimal("0.5"),))
    assert list(missing(venue, replace(catalogue, settlement=(changed, *rest)))) == [
        SetSettlement("XNYS", 2, (20_454, 20_455), (5_000,))
    ]


def test_a_reference_price_counts_at_the_listing_alone(venue: State, catalogue: Catalogue) -> None:
    first, *rest = catalogue.instruments
    moved = replace(first, reference=first.reference + 1)
    assert list(missing(venue, replace(catalogue, instruments=(moved, *rest)))) == []


def test_a_feed_decides_where_a_price_comes_from(venue: State, catalogue: Catalogue) -> None:
    (command,) = missing(venue, catalogue, AAPL=PriceSource.TAPE)
    assert isinstance(command, SetInstrument)
    assert (command.symbol, command.price_source) == ("AAPL", PriceSource.TAPE)


def test_sessions_reach_from_the_last_day_of_last_year_to_the_end_of_the_next() -> None:
    assert session_window(NOW_US) == (date(2025, 12, 31), date(2027, 12, 31))
    assert session_window(1_381_334_400_000_000) == (date(2012, 12, 31), date(2014, 12, 31))
