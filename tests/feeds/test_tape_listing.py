"""A demo replays any day: what config does not list is listed on terms that the engine takes."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from config.catalogue import load_catalogue
from config.catalogue_checks import problems_of_instrument
from config.entries import Entry
from config.loading import ConfigError
from config.settings import MarketSettings
from feeds.market_feed import RecordedDay, make_feed


def recorded_day(folder: Path, symbol: str, *rows: str) -> RecordedDay:
    path = folder / f"{symbol}_20140310_trade.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tape.csv", "".join(f"{row}\n" for row in rows))
    return RecordedDay(MarketSettings(feed=str(path), speed=1, seed=1, symbols=()))


@pytest.mark.parametrize(
    ("price_e4", "reference", "price_min", "lot"),
    [
        (1_874_200, "187.42", "1.00", "0.0001"),
        (1_874_250, "187.42", "1.00", "0.0001"),
        (31_500, "3.15", "0.01", "0.01"),
        (1_200, "0.12", "0.01", "0.01"),
        (50, "0.01", "0.01", "0.01"),
    ],
)
def test_an_instrument_that_config_does_not_name_is_listed_at_its_first_trade_s_price(
    tmp_path: Path, price_e4: int, reference: str, price_min: str, lot: str
) -> None:
    day = recorded_day(tmp_path, "xyz", "no row", f"34200000,{price_e4},10,P,0,0", "34200001,990000,1,P,0,0")
    catalogue = day.listed_in(load_catalogue(), may_list=True)
    listed = catalogue.instruments[-1]
    assert list(problems_of_instrument(Entry(listed, "XYZ"))) == []
    assert (listed.symbol, listed.reference) == ("XYZ", Decimal(reference))
    assert (listed.price_min, listed.lot) == (Decimal(price_min), Decimal(lot))
    assert catalogue.instruments[:-1] == load_catalogue().instruments


def test_an_instrument_that_config_names_keeps_its_terms(tmp_path: Path) -> None:
    day = recorded_day(tmp_path, "AIG", "34200000,1000000,10,P,0,0")
    assert day.listed_in(load_catalogue(), may_list=True) == load_catalogue()


@pytest.mark.parametrize(
    ("rows", "may_list", "problem"),
    [
        (("34200000,1000000,10,P,0,0",), False, "XYZ is not in instruments.toml"),
        ((), True, "holds no trade"),
        (("no row", "34200000,0,10,P,0,0"), True, "holds no trade"),
    ],
)
def test_what_cannot_be_listed_is_said_before_anything_starts(
    tmp_path: Path, rows: tuple[str, ...], may_list: bool, problem: str
) -> None:
    day = recorded_day(tmp_path, "xyz", *rows)
    with pytest.raises(ConfigError, match=problem):
        day.listed_in(load_catalogue(), may_list=may_list)


def test_a_market_of_instruments_that_nobody_listed_is_refused_before_anything_starts() -> None:
    simulated = make_feed(MarketSettings(feed="simulator", speed=1, seed=1, symbols=("NOPE", "AAPL", "NADA")))
    with pytest.raises(ConfigError) as raised:
        simulated.listed_in(load_catalogue(), may_list=True)
    assert raised.value.problems == [
        "market.symbols: NOPE is not in instruments.toml",
        "market.symbols: NADA is not in instruments.toml",
    ]
