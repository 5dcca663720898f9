"""Tariffs have versions, zones are data, and both come back as they were: a price asked again is the same price."""

from __future__ import annotations

from msgspec.structs import replace

from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_events import TariffSet, ZoneSet
from engine.parking.tariff_records import StayContext
from engine.parking.tariff_setting import TARIFFS_MAX, tariff_now
from engine.parking.tariffs import price_stay
from engine.parking.zones import Zone
from tests.engine.mirror import all_rows, restored
from tests.engine.parking.parking_world import ParkingWorld
from tests.engine.parking.tariff_world import BERLIN, BUSY, CITY, FAIR, PLAIN, STANDARD, STEPS, at, e4
from tests.engine.world import of_kind, refusal

FULL = replace(CITY, occupancy=BUSY, steps=STEPS, events=(FAIR,), cap_e4=e4("20"), tax_bps=1_900)


def test_each_change_is_a_new_version_and_the_old_ones_stay() -> None:
    world = ParkingWorld()
    dearer = replace(CITY, rates=((STANDARD, e4("3")),))
    (first,) = of_kind(world.operator(SetTariff(CITY)), TariffSet)
    (second,) = of_kind(world.operator(SetTariff(dearer)), TariffSet)
    assert (first.tariff, second.tariff) == (
        replace(CITY, version=1, since_us=first.tariff.since_us),
        replace(dearer, version=2, since_us=second.tariff.since_us),
    )
    assert 0 < first.tariff.since_us < second.tariff.since_us
    assert world.parking.tariffs == {("PLAIN", 1): first.tariff, ("PLAIN", 2): second.tariff}
    assert tariff_now(world.parking, "PLAIN") == second.tariff
    assert tariff_now(world.parking, "NONE") is None


def test_the_last_version_again_changes_nothing_whatever_version_it_names() -> None:
    world = ParkingWorld()
    world.operator(SetTariff(CITY))
    assert world.operator(SetTariff(replace(CITY, version=9))).events == ()
    world.operator(SetTariff(PLAIN))
    (back,) = of_kind(world.operator(SetTariff(CITY)), TariffSet)
    assert back.tariff.version == 3


def test_a_tariff_with_mistakes_is_refused_and_says_how_many() -> None:
    world = ParkingWorld()
    applied = world.operator(SetTariff(replace(CITY, unit_minutes=7, tax_bps=-1)))
    assert refusal(applied) == "INVALID_TARIFF"
    assert applied.refused is not None
    assert applied.refused.detail == (("mistakes", 2),)
    assert world.parking.tariffs == {}


def test_there_are_at_most_so_many_tariffs() -> None:
    world = ParkingWorld()
    for number in range(TARIFFS_MAX):
        name = f"T{number}"
        world.parking.tariffs[name, 1] = replace(PLAIN, name=name, version=1)
        world.parking.tariff_versions[name] = 1
    assert refusal(world.operator(SetTariff(CITY))) == "INVALID_TARIFF"
    assert world.operator(SetTariff(replace(CITY, name="T1"))).refused is None


def test_a_zone_is_replaced_and_a_bad_one_refused() -> None:
    world = ParkingWorld()
    (told,) = of_kind(world.operator(SetZone(BERLIN)), ZoneSet)
    assert told.zone == world.parking.zones["Europe/Berlin"] == BERLIN
    assert world.operator(SetZone(BERLIN)).events == ()
    longer = Zone(BERLIN.name, (*BERLIN.transitions, (BERLIN.transitions[-1][0] + 1, 3_600)))
    world.operator(SetZone(longer))
    assert world.parking.zones[BERLIN.name] == longer
    assert refusal(world.operator(SetZone(Zone("x", ())))) == "INVALID_ZONE"


def test_prices_are_the_same_after_a_recovery() -> None:
    world = ParkingWorld()
    world.operator(SetTariff(FULL))
    world.operator(SetZone(BERLIN))
    parking = restored(all_rows(world.state)).parking
    begin_us, end_us = at(BERLIN, "2026-03-02 16:40"), at(BERLIN, "2026-03-04 09:10")
    prices = [
        price_stay(
            each.tariffs["PLAIN", 1],
            each.zones["Europe/Berlin"],
            begin_us,
            end_us,
            StayContext(STANDARD, occupancy_bps=9_100),
        )
        for each in (world.parking, parking)
    ]
    assert prices[0] == prices[1]
    assert len(prices[0].lines) > 5
