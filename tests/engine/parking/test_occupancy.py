"""The tree of bitmaps says which spaces are taken, across the borders of its blocks too, and forgets what is given back."""

from __future__ import annotations

from random import Random

import pytest

from engine.parking.occupancy import SIZE, Occupancy

EDGE = 400 * SIZE
"""Where a block begins."""


def taken(occupancy: Occupancy, begin: int, end: int) -> list[int]:
    bits = occupancy.taken(begin, end)
    return [index for index in range(bits.bit_length()) if bits >> index & 1]


@pytest.mark.parametrize(("begin", "end"), [(10, 20), (EDGE - 5, EDGE + 5), (EDGE - 3 * SIZE, EDGE + SIZE)])
def test_a_claim_takes_its_minutes_and_no_others(begin: int, end: int) -> None:
    occupancy = Occupancy()
    occupancy.add(3, begin, end, 1)
    for at, expected in ((begin - 1, []), (begin, [3]), (end - 1, [3]), (end, [])):
        assert taken(occupancy, at, at + 1) == expected
    assert taken(occupancy, begin - 9, end + 9) == [3]
    assert taken(occupancy, begin + 4, begin + 4) == []
    occupancy.remove(3, begin, end, 1)
    assert occupancy == Occupancy()


def test_neighbours_in_time_and_space_do_not_disturb_each_other() -> None:
    occupancy = Occupancy()
    occupancy.add(0, 0, 64, 1)
    occupancy.add(0, 64, 128, 2)
    occupancy.add(9_999, 32, 96, 3)
    assert taken(occupancy, 60, 70) == [0, 9_999]
    occupancy.remove(0, 0, 64, 1)
    assert taken(occupancy, 0, 32) == []
    assert taken(occupancy, 40, 50) == [9_999]
    assert taken(occupancy, 96, 200) == [0]


def test_random_claims_against_a_plain_list() -> None:
    random, occupancy = Random(7), Occupancy()
    claims: list[tuple[int, int, int]] = []
    for number in range(3_000):
        begin = EDGE + random.randrange(-2_000, 2_000)
        end = begin + random.randrange(1, 500)
        index = random.randrange(12)
        busy = {each for each, other, other_end in claims if other < end and begin < other_end}
        assert taken(occupancy, begin, end) == sorted(busy), number
        if index not in busy:
            occupancy.add(index, begin, end, number)
            claims.append((index, begin, end))
        if len(claims) > 60:
            index, begin, end = claims.pop(random.randrange(len(claims)))
            owner = next(claim[2] for claim in occupancy.claims[index] if claim[0] == begin)
            occupancy.remove(index, begin, end, owner)


def test_what_was_asked_before_stays_true_while_claims_come_and_go() -> None:
    """The same intervals again and again, as walk-ins ask for them; a space may have other claims in one that loses a claim."""
    random, occupancy = Random(9), Occupancy()
    asked = [(EDGE + at, EDGE + at + length) for at in (-90, -7, 0, 3, 60) for length in (1, 16, 61, 240)]
    claims: dict[tuple[int, int, int], None] = {}
    for number in range(1_500):
        index, begin = random.randrange(6), EDGE + random.randrange(-150, 300)
        claim = (index, begin, begin + random.randrange(1, 40))
        if all(other[0] != index or other[1] >= claim[2] or claim[1] >= other[2] for other in claims):
            occupancy.add(*claim, number)
            claims[claim] = None
        elif claims:
            index, begin, end = gone = random.choice(list(claims))
            owner = next(each[2] for each in occupancy.claims[index] if each[0] == begin)
            occupancy.remove(index, begin, end, owner)
            del claims[gone]
        for since, until in asked:
            busy = {other[0] for other in claims if other[1] < until and since < other[2]}
            assert taken(occupancy, since, until) == sorted(busy), number


def test_how_long_a_space_is_free() -> None:
    occupancy = Occupancy()
    occupancy.add(1, 100, 200, 7)
    assert occupancy.free_until(1, 50, 400) == 100
    assert occupancy.free_until(1, 50, 90) == 90
    assert occupancy.free_until(1, 100, 400) == 100
    assert occupancy.free_until(1, 199, 400) == 199
    assert occupancy.free_until(1, 200, 400) == 400
    assert occupancy.free_until(2, 0, 400) == 400
    assert [occupancy.claim_at(1, at) for at in (99, 100, 199, 200)] == [
        None,
        (100, 200, 7),
        (100, 200, 7),
        None,
    ]
    assert occupancy.claim_at(2, 100) is None
    assert "claims=1" in repr(occupancy)
