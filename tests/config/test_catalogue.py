"""The data files: exact numbers, sound instruments, and every problem at once."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from config.catalogue import load_catalogue
from config.loading import PROFILE_FOLDER, ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("instruments", "fees", "limits", "calendars"):
        shutil.copy(PROFILE_FOLDER / f"{name}.toml", tmp_path)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_catalogue(folder)
    return raised.value.problems


def test_kerb_comes_with_at_least_twenty_instruments() -> None:
    symbols = [instrument.symbol for instrument in load_catalogue().instruments]
    assert len(symbols) >= 20
    assert {"AAPL", "TSLA", "GOOGL", "MSFT", "AMZN", "NVDA", "META", "AIG", "JPM"} <= set(symbols)


def test_numbers_are_exact_with_and_without_quotes(folder: Path) -> None:
    edit(folder / "limits.toml", '"50000000.00"', "49999999.9999")
    edit(folder / "instruments.toml", 'lot = "0.0001"', "lot = 0.00010001")
    catalogue = load_catalogue(folder)
    assert catalogue.limits.order_value_max == Decimal("49999999.9999")
    assert catalogue.instruments[0].lot == Decimal("0.00010001")


def test_defaults_hold_unless_an_instrument_says_otherwise(folder: Path) -> None:
    edit(folder / "instruments.toml", 'symbol = "AAPL"', 'symbol = "AAPL"\ntick = "0.05"')
    apple, other, *_ = load_catalogue(folder).instruments
    assert (apple.tick, other.tick) == (Decimal("0.05"), Decimal("0.01"))


def test_every_problem_is_reported_at_once(folder: Path) -> None:
    edit(folder / "instruments.toml", 'symbol = "AAPL"', 'symbol = "apple"\ncolour = "red"\nticc = 1')
    edit(folder / "instruments.toml", 'name = "AbbVie Inc."\n', "")
    edit(folder / "fees.toml", "maker_ppm = 500", "maker_ppm = 100_001")
    edit(folder / "limits.toml", "open_orders_max = 10_000", "")
    edit(folder / "calendars.toml", 'opens = "09:30"', 'opens = "9:30"')
    assert sorted(problems_of(folder)) == [
        "calendars.toml: XNYS.opens = '9:30': must be a time from 00:00 to 24:00",
        "fees.toml: standard.maker_ppm = '100001': must be a whole number from 0 to 100000",
        "instruments.toml: ABBV.name: is missing, it must be a text of 1 to 100 characters",
        "instruments.toml: apple.colour: is not known",
        "instruments.toml: apple.symbol = 'apple': must be 1 to 16 capital letters, digits, dots and dashes",
        "instruments.toml: apple.ticc: is not known; did you mean tick?",
        "limits.toml: limits.open_orders_max: is missing, it must be a whole number of at least 1",
    ]


def test_what_cannot_be_read_hides_nothing_of_the_rest(folder: Path) -> None:
    with (folder / "instruments.toml").open("a") as file:
        file.write(
            """
            [[instrument]]
            symbol = "AAPL"
            name = "Apple again"
            reference = 1.005
            [[instrument]]
            symbol = "TINY"
            name = "Four mistakes"
            reference = 0
            price_max = -1
            lot = 0
            fees = "none"
            [[instrument]]
            symbol = "BAD"
            name = "Fields and values"
            reference = 5.555
            tick = true
            price_min = 6.00001
            calendar = "XLON"
            zzz = 1
            """
        )
    edit(folder / "fees.toml", "taker_ppm = ", "taken_ppm = ")
    assert sorted(problems_of(folder)) == [
        "fees.toml: standard.taken_ppm: is not known; did you mean taker_ppm?",
        "fees.toml: standard.taker_ppm: is missing, it must be a whole number from 0 to 100000",
        "instruments.toml: AAPL stands there 2 times",
        "instruments.toml: AAPL.reference = 1.005: must be a multiple of the tick, 0.01",
        "instruments.toml: BAD.calendar = 'XLON': is not in calendars.toml",
        "instruments.toml: BAD.price_min = 6.00001: must be above 0 with at most 4 decimals",
        "instruments.toml: BAD.tick = 'True': must be a decimal number, best in quotes (\"0.01\")",
        "instruments.toml: BAD.zzz: is not known",
        "instruments.toml: TINY.fees = 'none': is not in fees.toml",
        "instruments.toml: TINY.lot = 0: must be above 0 with at most 8 decimals",
        "instruments.toml: TINY.price_max = -1: must be above 0 with at most 4 decimals",
        "instruments.toml: TINY.reference = 0: must be above 0 with at most 4 decimals",
    ]


def test_a_file_that_cannot_be_read_makes_no_mistakes_of_those_who_name_its_entries(folder: Path) -> None:
    (folder / "calendars.toml").write_text("[[calendar]\n")
    edit(folder / "instruments.toml", '"227.50"', '"227.505"')
    unreadable, wrong = problems_of(folder)
    assert unreadable.startswith(f"{folder}/calendars.toml: is not TOML")
    assert wrong == "instruments.toml: AAPL.reference = 227.505: must be a multiple of the tick, 0.01"


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "instruments",
            '"227.50"',
            '"227.505"',
            "AAPL.reference = 227.505: must be a multiple of the tick, 0.01",
        ),
        (
            "instruments",
            '"227.50"',
            '"0.50"',
            "AAPL.reference = 0.50: must lie between price_min and price_max",
        ),
        ("instruments", '"227.50"', '"-1"', "AAPL.reference = -1: must be above 0 with at most 4 decimals"),
        (
            "instruments",
            '"AAPL"\n',
            '"AAPL"\nlot = "0.00001"\n',
            "at price_min = 1.00 it must be worth at least 0.0001",
        ),
        (
            "instruments",
            '"AAPL"\n',
            '"AAPL"\nlot = "0.000000001"\n',
            "must be above 0 with at most 8 decimals",
        ),
        (
            "instruments",
            '"AAPL"\n',
            '"AAPL"\ncalendar = "XLON"\n',
            "AAPL.calendar = 'XLON': is not in calendars.toml",
        ),
        ("instruments", '"AAPL"\n', '"AAPL"\nfees = "none"\n', "AAPL.fees = 'none': is not in fees.toml"),
        ("instruments", '"AAPL"\n', '"ABBV"\n', "ABBV stands there 2 times"),
        ("instruments", '"227.50"', "nan", "AAPL.reference = 'NaN': must be a decimal number"),
        ("instruments", '"227.50"', "true", "AAPL.reference = 'True': must be a decimal number"),
        ("limits", '"1000000"', '"0"', "limits.order_quantity_max = 0: must be above 0"),
        ("limits", '"50000000.00"', '"0.00001"', "limits.order_value_max = 0.00001: must be above 0"),
        (
            "calendars",
            '"America/New_York"',
            '"Mars/Olympus"',
            "XNYS.time_zone = 'Mars/Olympus': is not a time zone",
        ),
        (
            "calendars",
            '"America/New_York"',
            '"../../UTC"',
            "XNYS.time_zone = '../../UTC': is not a time zone",
        ),
        ("calendars", '"16:00"', '"09:00"', "XNYS.closes = '09:00': must be after opens = '09:30'"),
        ("calendars", 'early_close = "13:00"', "", "XNYS.early_close: is missing"),
        (
            "calendars",
            'market = "XNYS"',
            'market = "XXXX"',
            "XNYS.market = 'XXXX': is not in market_days.toml",
        ),
        (
            "calendars",
            '"closes+240" },',
            '"closes+4" },',
            "XNYS.phases: on an ordinary day they do not follow",
        ),
        (
            "calendars",
            '"CLOSED", at = "closes+240"',
            '"EXTENDED", at = "closes+240"',
            "phases: the last must be",
        ),
        ("calendars", '"CONTINUOUS"', '"POST_TRADE"', "XNYS.phases: none is CONTINUOUS"),
        ("calendars", 'at = "04:00"', 'at = "10:00"', "XNYS.phases: on an ordinary day they do not follow"),
        ("calendars", 'at = "04:00"', 'at = "4 am"', "XNYS.phases"),
        ("calendars", 'day_ends = "closes+240"', 'day_ends = "15:00"', "XNYS.day_ends = '15:00'"),
        ("calendars", '["MON", "TUE", "WED", "THU", "FRI"]', "[]", "XNYS.days: must name at least one"),
    ],
)
def test_what_the_engine_could_not_live_with_is_refused(
    folder: Path, file: str, old: str, new: str, problem: str
) -> None:
    edit(folder / f"{file}.toml", old, new)
    found = problems_of(folder)
    assert any(problem in one for one in found), found


def test_a_missing_file_is_a_problem(folder: Path) -> None:
    (folder / "fees.toml").unlink()
    assert problems_of(folder) == [f"{folder}/fees.toml: cannot be read (No such file or directory)"]


def test_the_indices_that_come_with_kerb_stand_at_their_base_at_the_reference_prices() -> None:
    catalogue = load_catalogue()
    references = {each.symbol: each.reference for each in catalogue.instruments}
    assert {index.weighting.value for index in catalogue.indices} == {"PRICE", "CAPITALISATION"}
    for index in catalogue.indices:
        assert index.base_value == sum(references[each.symbol] * each.units for each in index.constituents)


def test_an_index_must_be_made_of_what_is_listed(folder: Path) -> None:
    assert load_catalogue(folder).indices == ()
    shutil.copy(PROFILE_FOLDER / "indices.toml", folder)
    edit(folder / "indices.toml", '{ symbol = "AAPL" }', '{ symbol = "NOPE", units = 2 }, { symbol = "V" }')
    edit(folder / "indices.toml", 'base_level = "1000.00"', "base_level = 0")
    assert problems_of(folder) == [
        "indices.toml: KERB15.base_level = 0: must be above 0 with at most 4 decimals",
        "indices.toml: KERB15.constituents: NOPE is not in instruments.toml",
        "indices.toml: KERB15.constituents: NOPE has units, but in a PRICE index each counts once",
        "indices.toml: KERB15.constituents: V stands there 2 times",
    ]


def test_a_schedules_rules_are_read_exactly(folder: Path) -> None:
    with (folder / "fees.toml").open("a") as file:
        file.write(
            """
            tiers = [{ volume = "1000.5", maker_ppm = 400, taker_ppm = 900 }]
            order_min = 0.35
            order_max = "7.5"
            sec31_per_million = "27.801"
            taf_per_unit = "0.000166"
            taf_max = "8.30"
            """
        )
    (schedule,) = load_catalogue(folder).fee_schedules
    (tier,) = schedule.tiers
    assert (tier.volume, tier.maker_ppm, tier.taker_ppm) == (Decimal("1000.5"), 400, 900)
    assert (schedule.order_min, schedule.order_max) == (Decimal("0.35"), Decimal("7.5"))
    assert (schedule.sec31_per_million, schedule.taf_per_unit) == (Decimal("27.801"), Decimal("0.000166"))


FEE_PROBLEMS = [
    ('order_min = "-1"', "order_min = -1: must be from 0 to 100000000000000, with at most 4 decimals"),
    ('order_min = "0.00001"', "order_min = 0.00001: must be from 0 to 100000000000000, with at most 4 decimals"),
    ('order_min = 2\norder_max = "1.5"', "order_max = 1.5: must not be below order_min = 2"),
    ('sec31_per_million = "1000000"', "sec31_per_million = 1000000: must be from 0 to 999999, with at most 3 decimals"),
    ('taf_per_unit = "0.0000000000001"', "taf_per_unit = 1E-13: must be from 0 to 1, with at most 12 decimals"),
    ('tax = "1"', "tax: is not known; did you mean taf_max?"),
    ('tiers = [{ volume = "1", maker_ppm = 1 }]',
     "tiers = \"[{'volume': '1', 'maker_ppm': 1}]\": must be a list, each item a table with volume, maker_ppm, taker_ppm"),
    ('tiers = [{ volume = 2, maker_ppm = 1, taker_ppm = 1 }, { volume = 2, maker_ppm = 1, taker_ppm = 1 }]',
     "tiers: volume = 2 must be above 2, with at most 4 decimals"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "problem"), FEE_PROBLEMS, ids=[line for line, _ in FEE_PROBLEMS])
def test_a_schedule_that_makes_no_sense_is_reported(folder: Path, line: str, problem: str) -> None:
    with (folder / "fees.toml").open("a") as file:
        file.write(line)
    assert problems_of(folder) == [f"fees.toml: standard.{problem}"]


SETTLEMENT_PROBLEMS = [
    ('calendar = "XLON"\ndays = 1', "XLON.calendar = 'XLON': is not in calendars.toml"),
    ('calendar = "24x7"\ndays = 11', "24x7.days = '11': must be a whole number from 0 to 10"),
    ('calendar = "24x7"\ndays = 1\nclosed = [2026-10-12, 2026-10-12]', "24x7.closed: 2026-10-12 stands there 2 times"),
    ('calendar = "24x7"\ndays = 1\ninstant = ["-1"]',
     "24x7.instant: -1 must be from 0 to 100000000000000, with at most 4 decimals"),
    ('calendar = "24x7"\ndays = 1\ninstant = [1, 1, 1, 1, 1]', "24x7.instant: must be at most 4, one for each KYC tier"),
    ('calendar = "24x7"\ndays = 1\ncycle = 2', "24x7.cycle: is not known"),
    ('calendar = "XNYS"\ndays = 1', "XNYS stands there 2 times"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "problem"), SETTLEMENT_PROBLEMS, ids=[line for line, _ in SETTLEMENT_PROBLEMS]
)
def test_settlement_that_makes_no_sense_is_reported(folder: Path, lines: str, problem: str) -> None:
    shutil.copy(PROFILE_FOLDER / "settlement.toml", folder)
    with (folder / "settlement.toml").open("a") as file:
        file.write(f"[[settlement]]\n{lines}\n")
    assert problems_of(folder) == [f"settlement.toml: {problem}"]


def test_without_its_file_all_trades_settle_at_once(folder: Path) -> None:
    assert load_catalogue(folder).settlement == ()
    (american, *_) = load_catalogue().settlement
    assert (american.calendar, american.days) == ("XNYS", 1)
    assert "24x7" not in {each.calendar for each in load_catalogue().settlement}
