"""What is wrong with a tariff is said at once: a row is a change to a sound one, and the mistake that it makes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.parking.kinds import SpaceType
from engine.parking.tariff_checks import mistakes
from engine.parking.tariff_records import Band, EventSurcharge, OccupancyRule, Tariff
from engine.parking.zones import UTC, Zone, is_sound
from tests.engine.parking.tariff_world import BERLIN, CITY, DAY, FAIR, NEW_YORK, PLAIN, STANDARD, STEPS, e4

RATES = ((STANDARD, e4("1")),)


def with_band(**changes: Any) -> dict[str, Any]:
    return {"bands": (DAY, replace(DAY, **changes))}


def with_event(**changes: Any) -> dict[str, Any]:
    return {"events": (replace(FAIR, **changes),)}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name: must be 1 to 32 letters, digits, dashes, dots and underscores"),
    ({"name": "A B"}, "name: must be 1 to 32 letters, digits, dashes, dots and underscores"),
    ({"currency": "usd"}, "currency: must be three capital letters"),
    ({"unit_minutes": 0}, "unit_minutes: must divide a day of 1440 minutes"),
    ({"unit_minutes": 7}, "unit_minutes: must divide a day of 1440 minutes"),
    (
        {"rates": ((SpaceType.EV, 1),)},
        "rates: STANDARD is missing, it is the price of all types that have none",
    ),
    ({"rates": (*RATES, *RATES)}, "rates: STANDARD is there twice"),
    ({"rates": ((STANDARD, -1),)}, "rates: STANDARD must be from 0 to 10000"),
    ({"rates": ((STANDARD, e4("10000") + 1),)}, "rates: STANDARD must be from 0 to 10000"),
    ({"bands": (DAY,) * 51}, "bands: at most 50"),
    (with_band(label=""), "bands 2.label: must have 1 to 40 characters"),
    (with_band(days=()), "bands 2.days: must name at least one"),
    (with_band(days=(8,)), "bands 2.days: 8 is none, they are 0 (Monday) to 7 (holiday)"),
    (with_band(days=(1, 0)), "bands 2.days: must ascend"),
    (with_band(from_minute=-1), "bands 2.from_minute: must be from 0 to 1439"),
    (with_band(to_minute=1441), "bands 2.to_minute: must be from 1 to 1440"),
    (
        with_band(from_minute=1320, to_minute=360),
        "bands 2.to_minute: must be after from_minute; a band over midnight is written as two",
    ),
    (with_band(rates=()), "bands 2.rates: STANDARD is missing, it is the price of all types that have none"),
    ({"holidays": tuple(range(401))}, "holidays: at most 400"),
    ({"holidays": (-1,)}, "holidays: each must be a day since 1970-01-01"),
    ({"holidays": (2, 1)}, "holidays: must ascend, each once"),
    ({"steps": tuple((each, 1) for each in range(21))}, "steps: at most 20"),
    ({"steps": ((30, 5_000),)}, "steps: the first must begin at minute 0"),
    ({"steps": (*STEPS, STEPS[-1])}, "steps: must ascend"),
    ({"steps": ((0, 1), (44_641, 1))}, "steps: minute 44641 must be from 0 to 44640"),
    ({"steps": ((0, 100_001),)}, "steps: factor 100001 must be from 0 to 100000"),
    ({"events": (FAIR,) * 101}, "events: at most 100"),
    (with_event(label="x" * 41), "events 1.label: must have 1 to 40 characters"),
    (with_event(end_us=FAIR.begin_us), "events 1.end: must be after begin"),
    (with_event(surcharge_bps=100_001), "events 1.surcharge_bps: must be from 0 to 100000"),
    (with_event(flat_e4=-1), "events 1.flat: must be from 0 to 10000"),
    (
        with_event(surcharge_bps=0, flat_e4=0),
        "events 1.surcharge_bps: an event has a surcharge or a flat price",
    ),
    ({"occupancy": OccupancyRule(10_000, 1, 1)}, "occupancy.from_bps: must be from 0 to 9999"),
    ({"occupancy": OccupancyRule(0, 0, 1)}, "occupancy.per_percent_bps: must be from 1 to 100000"),
    ({"occupancy": OccupancyRule(0, 1, 0)}, "occupancy.max_bps: must be from 1 to 100000"),
    ({"free_minutes": 1_441}, "free_minutes: must be from 0 to 1440"),
    ({"overstay_bps": -1}, "overstay_bps: must be from 0 to 100000"),
    ({"subscriber_bps": 10_001}, "subscriber_bps: must be from 0 to 10000"),
    ({"tax_bps": -1}, "tax_bps: must be from 0 to 10000"),
    ({"cap_e4": -1}, "cap_e4: must be from 0 to 100000000"),
    ({"overstay_fee_e4": e4("10001")}, "overstay_fee_e4: must be from 0 to 100000000"),
    ({"lost_ticket_e4": -1}, "lost_ticket_e4: must be from 0 to 100000000"),
    ({"coin_e4": 0}, "coin_e4: must be from 1 to 1000000"),
    ({"free_mode": 9}, "free_mode: is none"),
    ({"cap_mode": 0}, "cap_mode: is none"),
    ({"lost_ticket_rule": 9}, "lost_ticket_rule: is none"),
]


@pytest.mark.parametrize(("changes", "mistake"), MISTAKES, ids=[row[1] for row in MISTAKES])
def test_a_mistake_is_named(changes: dict[str, Any], mistake: str) -> None:
    assert mistakes(replace(PLAIN, **changes)) == [mistake]


@pytest.mark.parametrize("tariff", [PLAIN, CITY], ids=lambda tariff: str(len(tariff.bands)))
def test_a_sound_tariff_has_none(tariff: Tariff) -> None:
    assert mistakes(tariff) == []


def test_all_mistakes_are_named_at_once() -> None:
    wrong = replace(
        PLAIN,
        name="",
        unit_minutes=7,
        bands=(Band("", (), 10, 5, ()),),
        events=(EventSurcharge("", 5, 5),),
        tax_bps=-1,
    )
    assert [each.partition(":")[0] for each in mistakes(wrong)] == [
        *("name", "unit_minutes", "bands 1.label", "bands 1.days", "bands 1.to_minute", "bands 1.rates"),
        *("events 1.label", "events 1.end", "events 1.surcharge_bps", "tax_bps"),
    ]


@pytest.mark.parametrize("zone", [UTC, BERLIN, NEW_YORK], ids=lambda zone: zone.name)
def test_zones_are_sound(zone: Zone) -> None:
    assert is_sound(zone)


@pytest.mark.parametrize(
    "zone",
    [
        Zone("", ((0, 0),)),
        Zone("none", ()),
        Zone("twice", ((5, 0), (5, 3_600))),
        Zone("back", ((5, 0), (4, 3_600))),
        Zone("early", ((-1, 0),)),
        Zone("late", ((2**62, 0),)),
        Zone("wide", ((0, 94_000),)),
        Zone("many", tuple((each, 0) for each in range(201))),
    ],
    ids=lambda zone: zone.name,
)
def test_zones_that_are_not(zone: Zone) -> None:
    assert not is_sound(zone)
