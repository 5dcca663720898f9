"""Search: ranks in their order, typos of one and two edits, nothing that is further away."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from config.catalogue import load_catalogue
from engine.kinds import Phase, PriceSource
from engine.state import Instrument
from server.instrument_search import edits, search


def instrument(symbol: str, name: str) -> Instrument:
    terms = (symbol, name, "USD", 100, 10**6, 10**4, 10**9, "24x7", PriceSource.OWN, 2_000, "standard", 10**6)
    return Instrument(*terms, Phase.CONTINUOUS)


LISTED = [instrument(each.symbol, each.name) for each in load_catalogue().instruments]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("V", ["V"]),
        ("aapl", ["AAPL"]),
        (" AAPL ", ["AAPL"]),
        ("A", ["AAPL", "ABBV", "AIG", "AMD", "AMZN"]),
        ("ma", ["MA"]),
        ("morgan", ["JPM"]),
        ("chase", ["JPM"]),
        ("micro", ["MSFT", "AMD"]),
        ("johnson &", ["JNJ"]),
        ("APPL", ["AAPL"]),
        ("aple", ["AAPL"]),
        ("microsfot", ["MSFT"]),
        ("nvdia", ["NVDA"]),
        ("amazn", ["AMZN"]),
        ("wallmart", ["WMT"]),
        ("goggle", ["GOOGL"]),
        ("zzzz", []),
        ("  ", []),
    ],
)
def test_what_people_type_finds_what_they_mean(text: str, first: list[str]) -> None:
    found = [each.symbol for each in search(LISTED, text, 10)]
    assert found[: len(first)] == first
    assert first or not found


def test_ranks_come_in_their_order() -> None:
    listed = [
        instrument("ZTYPO", "Kirb"),
        instrument("YIN", "Xkerbx"),
        instrument("XNAME", "Old Kerbstone"),
        instrument("KERBX", "Another"),
        instrument("KERB", "The One"),
    ]
    assert [each.symbol for each in search(listed, "kerb", 9)] == ["KERB", "KERBX", "XNAME", "YIN", "ZTYPO"]
    assert [each.symbol for each in search(listed, "kerb", 2)] == ["KERB", "KERBX"]
    assert next(each.symbol for each in search(reversed(listed), "kerb", 9)) == "KERB"


def naive_edits(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    costs = [
        naive_edits(one[1:], other) + 1,
        naive_edits(one, other[1:]) + 1,
        naive_edits(one[1:], other[1:]) + (one[0] != other[0]),
    ]
    if len(one) > 1 and len(other) > 1 and one[0] == other[1] and one[1] == other[0]:
        costs.append(naive_edits(one[2:], other[2:]) + 1)
    return min(costs)


def test_the_distance_is_that_of_a_naive_one() -> None:
    words = ["".join(letters) for length in range(5) for letters in product("ab", repeat=length)]
    dice = Random(3)
    for one, other in (dice.choices(words, k=2) for _ in range(2_000)):
        for most in (1, 2):
            assert edits(one, other, most) == min(naive_edits(one, other), most + 1), (one, other)
