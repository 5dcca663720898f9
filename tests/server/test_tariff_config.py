"""Config's tariffs become commands, exactly and once; time zones come from the tzdata package and not from the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.catalogue import load_catalogue
from config.loading import PROFILE_FOLDER, ConfigError
from config.records import Catalogue
from config.zones import offsets_between
from engine.apply import apply
from engine.commands import Envelope
from engine.kinds import Source
from engine.parking.commands import SetLot
from engine.parking.kinds import SpaceType
from engine.parking.tariff_checks import mistakes
from engine.parking.tariff_commands import SetTariff, SetZone
from engine.parking.tariff_records import CapMode, LostTicketRule
from engine.state import State
from server.tariff_config import tariff_differences, tariff_mistakes, tariff_of
from server.zone_rules import zone_differences, zone_now
from tests.engine.parking.tariff_world import BERLIN, NEW_YORK, day_of, e4, utc_us

NOW_US = utc_us("2026-11-21 12:00")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def do(state: State, command: SetTariff | SetZone | SetLot) -> None:
    assert apply(state, Envelope(Source.CONFIG), command, NOW_US).refused is None


def test_the_tariffs_that_kerb_comes_with_are_sound(catalogue: Catalogue) -> None:
    assert len(catalogue.tariffs) >= 3
    assert tariff_mistakes(catalogue.tariffs) == []


def test_a_file_s_figures_come_over_exactly(catalogue: Catalogue) -> None:
    city = tariff_of(catalogue.tariffs[0], "CITY")
    assert (city.name, city.currency, city.unit_minutes, city.version) == ("CITY", "USD", 30, 0)
    assert city.rates[:2] == ((SpaceType.STANDARD, e4("1")), (SpaceType.LARGE, e4("1.5")))
    weekday, saturday, holiday = city.bands
    assert (weekday.days, weekday.from_minute, weekday.to_minute) == ((0, 1, 2, 3, 4), 420, 1_140)
    assert (saturday.days, holiday.days, holiday.to_minute) == ((5,), (7,), 1_440)
    assert city.holidays[0] == day_of("2026-11-26")
    assert (city.cap_e4, city.cap_mode) == (e4("28"), CapMode.CALENDAR_DAY)
    assert (city.lost_ticket_e4, city.lost_ticket_rule) == (e4("45"), LostTicketRule.HIGHER)
    (new_year,) = tariff_of(catalogue.tariffs[2], "ARENA").events
    assert (new_year.begin_us, new_year.flat_e4) == (utc_us("2026-12-31 23:00"), e4("15"))


def test_only_what_has_changed_is_submitted(catalogue: Catalogue) -> None:
    state = State()
    for command in list(tariff_differences(state, catalogue.tariffs)):
        do(state, command)
    assert list(tariff_differences(state, catalogue.tariffs)) == []
    first, *rest = catalogue.tariffs
    (changed,) = tariff_differences(state, (replace(first, tax_bps=900), *rest))
    do(state, changed)
    assert state.parking.tariff_versions["CITY"] == 2


def test_a_file_with_mistakes_is_told_all_of_them(tmp_path: Path) -> None:
    for name in ("instruments", "fees", "limits", "calendars"):
        (tmp_path / f"{name}.toml").write_text((PROFILE_FOLDER / f"{name}.toml").read_text())
    (tmp_path / "tariffs.toml").write_text(
        """
        [[tariff]]
        name = "a b"
        currency = "USD"
        unit_minutes = 30
        rates = { STANDARD = "1.00001", BUS = "2" }
        [[tariff]]
        name = "B"
        currency = "USD"
        unit_minutes = 30
        rates = { STANDARD = "1.00001" }
        events = [{ label = "x", begins = 2026-12-31T23:00:00, ends = 2027-01-01T07:00:00Z }]
        coin = "0.00001"
        """
    )
    with pytest.raises(ConfigError) as raised:
        load_catalogue(tmp_path)
    fields = [
        problem.split(" = ")[0].removesuffix(": must be an amount with at most 4 decimals")
        for problem in raised.value.problems
    ]
    assert sorted(fields) == [
        *("tariffs.toml: B.coin", "tariffs.toml: B.events", "tariffs.toml: B.rates.STANDARD"),
        *("tariffs.toml: a b.name", "tariffs.toml: a b.rates"),
    ]


def test_what_the_engine_would_refuse_is_said_by_field(catalogue: Catalogue) -> None:
    wrong = replace(catalogue.tariffs[0], unit_minutes=7, steps=catalogue.tariffs[0].steps[::-1])
    assert tariff_mistakes([wrong]) == [
        f"tariffs.toml: CITY.{each}" for each in mistakes(tariff_of(wrong, wrong.name))
    ]
    assert len(tariff_mistakes([wrong])) == 3


def test_offsets_are_those_that_the_rules_say() -> None:
    assert offsets_between("UTC", date(2026, 1, 1), date(2026, 12, 31)) == ((utc_us("2026-01-01"), 0),)
    for zone in (BERLIN, NEW_YORK):
        found = offsets_between(zone.name, date(2025, 12, 31), date(2027, 4, 1))
        assert found[1:] == zone.transitions[1:]
        assert found[0] == (utc_us("2025-12-31"), zone.transitions[0][1])
    samoa = offsets_between("Pacific/Apia", date(2011, 12, 29), date(2011, 12, 31))
    assert samoa[1:] == ((utc_us("2011-12-30 10:00"), 50_400),)


def test_zones_of_lots_are_submitted_once_a_year() -> None:
    state = State()
    do(state, SetLot("P1", "One", "", "Europe/Berlin", "EUR", "CITY"))
    do(state, SetLot("P2", "Two", "", "Mars/Base", "EUR", "CITY"))
    (told,) = zone_differences(state, NOW_US)
    assert (told.zone.name, told.zone.transitions[0][0]) == ("Europe/Berlin", utc_us("2024-01-01"))
    assert set(BERLIN.transitions) < set(told.zone.transitions)
    do(state, told)
    assert list(zone_differences(state, NOW_US)) == []
    (again,) = zone_differences(state, utc_us("2027-01-01 00:00"))
    assert again.zone.transitions[0][0] == utc_us("2025-01-01")
    assert zone_now("../etc/passwd", NOW_US) is None


def test_the_machine_s_own_rules_change_nothing(tmp_path: Path) -> None:
    """A machine whose zone files are all Tokyo's, and one with none: the same offsets, so the same journal."""
    tokyo = (Path(sys.prefix) / "lib").glob("python*/site-packages/tzdata/zoneinfo/Asia/Tokyo")
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes(next(tokyo).read_bytes())
    asked = "from server.zone_rules import zone_now; print(zone_now('Europe/Berlin', 1_794_000_000_000_000))"
    said = {
        subprocess.run(
            [sys.executable, "-c", asked],
            cwd=ROOT,
            env={**os.environ, "PYTHONTZPATH": path, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for path, zone in ((str(tmp_path), "Asia/Tokyo"), ("", "UTC"))
    }
    assert said == {f"{zone_now('Europe/Berlin', 1_794_000_000_000_000)}\n"}
