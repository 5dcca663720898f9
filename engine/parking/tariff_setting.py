"""Tariffs and zones in the state: new versions are made and old ones kept, for bookings are priced by theirs to their end.

Source: docs/tariffs.md, "Versions".
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from engine.events import Refused
from engine.parking.records import Parking
from engine.parking.tariff_checks import mistakes
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_events import TariffSet, ZoneSet
from engine.parking.tariff_records import Tariff
from engine.parking.zones import is_sound
from engine.refusals import Refusal
from engine.turn import Turn

TARIFFS_MAX: Final = 1_000
ZONES_MAX: Final = 600
"""The world has not so many."""


def set_tariff(turn: Turn, envelope: object, command: SetTariff) -> Refused | None:
    """Make a new version, unless it is the last one again."""
    parking = turn.state.parking
    wrong = mistakes(command.tariff)
    name = command.tariff.name
    if wrong or (name not in parking.tariff_versions and len(parking.tariff_versions) >= TARIFFS_MAX):
        return Refused(Refusal.INVALID_TARIFF, (("mistakes", len(wrong)),))
    last = tariff_now(parking, name)
    if last is not None and last == replace(command.tariff, version=last.version, since_us=last.since_us):
        return None
    version = parking.tariff_versions.get(name, 0) + 1
    tariff = replace(command.tariff, version=version, since_us=turn.now_us)
    parking.tariffs[name, tariff.version] = tariff
    parking.tariff_versions[name] = tariff.version
    turn.state.dirty["tariff"][name, tariff.version] = None
    turn.events.append(TariffSet(tariff))
    return None


def set_zone(turn: Turn, envelope: object, command: SetZone) -> Refused | None:
    """Set the offsets of a time zone, unless they are what they were."""
    parking = turn.state.parking
    zone = command.zone
    if not is_sound(zone) or (zone.name not in parking.zones and len(parking.zones) >= ZONES_MAX):
        return Refused(Refusal.INVALID_ZONE)
    if parking.zones.get(zone.name) == zone:
        return None
    parking.zones[zone.name] = zone
    turn.state.dirty["zone"][zone.name] = None
    turn.events.append(ZoneSet(zone))
    return None


def tariff_now(parking: Parking, name: str) -> Tariff | None:
    """The last version of a tariff, which new quotes are made at."""
    return parking.tariffs.get((name, parking.tariff_versions.get(name, 0)))
