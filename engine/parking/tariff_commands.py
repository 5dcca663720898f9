"""What config and operators say of tariffs and zones."""

from __future__ import annotations

from engine.command_base import Command
from engine.parking.tariff_records import Tariff
from engine.parking.zones import Zone


class SetTariff(Command, frozen=True, gc=False, array_like=True, tag=True):
    """Make a new version of a tariff; the version that it carries is not looked at. The last version again changes nothing."""

    tariff: Tariff


class SetZone(Command, frozen=True, gc=False, array_like=True, tag=True):
    """What a time zone's clocks show: the rules of the day are an input like any other, so that a replay has the same."""

    zone: Zone
