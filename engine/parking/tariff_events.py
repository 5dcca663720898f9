"""What happened to tariffs and zones."""

from __future__ import annotations

from engine.event_base import Event
from engine.parking.tariff_records import Tariff
from engine.parking.zones import Zone


class TariffSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A tariff has a new version, which it carries."""

    tariff: Tariff


class ZoneSet(Event, frozen=True, gc=False, array_like=True, tag=True):
    """A time zone's offsets are these from now on."""

    zone: Zone
