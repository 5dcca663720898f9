"""One side of a public book against the plainest one there is: a dict, and the best of its keys."""

from __future__ import annotations

from random import Random

import pytest

from engine.kinds import Side
from server.book_side import BookSide


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_best_and_whether_it_changed_are_those_of_a_plain_dict(side: Side) -> None:
    random = Random(7)
    book = BookSide(side)
    plain: dict[int, tuple[int, int]] = {}
    best_of = max if side is Side.BUY else min

    def best() -> tuple[int, int]:
        return (best_of(plain), plain[best_of(plain)][0]) if plain else (0, 0)

    for _ in range(20_000):
        price_e4, quantity_e8 = random.randrange(1, 200), random.choice((0, 0, 1, 2, 3))
        before = best()
        if quantity_e8:
            plain[price_e4] = (quantity_e8, 1)
        else:
            plain.pop(price_e4, None)

        assert book.set_level(price_e4, quantity_e8, 1) is (best() != before)
        assert (book.best(), len(book)) == (best(), len(plain))
    assert [level[0] for level in book.best_first()] == sorted(plain, reverse=side is Side.BUY)
    assert len(book._heap) <= 2 * len(book) + 65
