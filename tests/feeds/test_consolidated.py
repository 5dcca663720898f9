"""The consolidated quote: best of the fresh, never crossed, and what was dropped is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.consolidated import SIDE_AGE_MAX_US, Best, ConsolidatedBook
from feeds.quote_file import QuoteFile

BID, ASK = True, False
N, Q, P = ord("N"), ord("Q"), ord("P")
T = 1_381_291_200_000_000


def book_of(*rows: tuple[int, bool, int, int, int]) -> ConsolidatedBook:
    book = ConsolidatedBook()
    for time_us, is_bid, price_e4, size_e8, exchange in rows:
        book.update(T + time_us, is_bid, price_e4, size_e8, exchange)
    return book


def test_best_of_all_exchanges_with_their_sizes_together() -> None:
    book = book_of(
        (0, BID, 99, 2, N), (0, BID, 100, 3, Q), (0, BID, 100, 4, P), (0, ASK, 102, 5, N), (0, ASK, 103, 6, Q)
    )
    assert book.best() == Best(100, 7, 102, 5)
    assert book.best().is_two_sided


@pytest.mark.parametrize(
    ("newest", "best"),
    [
        ((1, BID, 98, 1, Q), Best(99, 2, 102, 5)),  # the best exchange steps back
        ((1, BID, 100, 9, Q), Best(100, 9, 102, 5)),  # it changes its size
        ((1, BID, 101, 1, N), Best(101, 1, 102, 5)),  # another one takes the lead
        ((1, BID, 100, 0, Q), Best(99, 2, 102, 5)),  # it withdraws
        ((1, ASK, 102, 0, N), Best(100, 3, 0, 0)),  # the only ask withdraws
    ],
)
def test_a_row_replaces_its_exchanges_side(newest: tuple[int, bool, int, int, int], best: Best) -> None:
    assert book_of((0, BID, 99, 2, N), (0, BID, 100, 3, Q), (0, ASK, 102, 5, N), newest).best() == best


def test_a_side_is_dropped_at_one_second_and_not_before() -> None:
    book = book_of((0, BID, 100, 3, Q), (1, BID, 99, 2, N), (1, ASK, 102, 5, N))
    book.expire(T + SIDE_AGE_MAX_US - 1)
    assert book.best() == Best(100, 3, 102, 5)
    book.expire(T + SIDE_AGE_MAX_US)
    assert book.best() == Best(99, 2, 102, 5)
    assert (book.dropped.old, book.dropped.crossed) == (1, 0)


def test_the_older_side_of_a_crossed_pair_is_dropped() -> None:
    book = book_of((0, ASK, 101, 1, N), (0, ASK, 103, 1, P), (0, ASK, 104, 1, Q), (1, BID, 104, 2, Q))
    assert book.best() == Best(104, 2, 104, 1)  # locked is not crossed
    assert (book.dropped.old, book.dropped.crossed) == (0, 2)
    book.update(T + 2, ASK, 103, 7, N)
    assert book.best() == Best(0, 0, 103, 7)
    assert book.dropped.crossed == 3


def test_a_locked_market_is_not_two_sided() -> None:
    assert not book_of((0, BID, 100, 1, N), (0, ASK, 100, 1, Q)).best().is_two_sided


rows = st.lists(
    st.tuples(
        st.integers(0, 900_000),
        st.booleans(),
        st.integers(95, 105),
        st.integers(0, 3),
        st.sampled_from([N, Q, P]),
    ),
    max_size=60,
)


@given(rows)
def test_it_equals_a_book_that_recomputes_everything(steps: list[tuple[int, bool, int, int, int]]) -> None:
    book, now_us = ConsolidatedBook(), T
    sides: dict[bool, dict[int, tuple[int, int, int]]] = {BID: {}, ASK: {}}
    for step_us, is_bid, price_e4, size_e8, exchange in steps:
        now_us += step_us
        book.update(now_us, is_bid, price_e4, size_e8, exchange)
        for side in sides.values():
            for old in [code for code, quoted in side.items() if now_us - quoted[2] >= SIDE_AGE_MAX_US]:
                del side[old]
        sides[is_bid].pop(exchange, None)
        if size_e8:
            sides[is_bid][exchange] = (price_e4, size_e8, now_us)
            for code, quoted in list(sides[not is_bid].items()):
                if (quoted[0] < price_e4) if is_bid else (quoted[0] > price_e4):
                    del sides[not is_bid][code]
        expected_bid = max((price for price, _, _ in sides[BID].values()), default=0)
        expected_ask = min((price for price, _, _ in sides[ASK].values()), default=0)
        assert book.prices() == (expected_bid, expected_ask)
        assert not 0 < expected_ask < expected_bid


def recorded_rows(path: Path) -> Iterator[tuple[int, bool, int, int, int]]:
    for chunk in QuoteFile(path).chunks():
        yield from chunk.each()


def test_on_the_recorded_day_the_naive_best_is_crossed_on_nearly_all_rows_and_ours_on_none(
    aig_quotes: Path,
) -> None:
    book = ConsolidatedBook()
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    count = naive_crossed = crossed = two_sided = 0
    for row in recorded_rows(aig_quotes):
        _, is_bid, price_e4, _, exchange = row
        (bids if is_bid else asks)[exchange] = price_e4
        naive_crossed += bool(bids and asks) and max(bids.values()) > min(asks.values())
        book.update_all((row,))
        bid_e4, ask_e4 = book.prices()
        crossed += 0 < ask_e4 < bid_e4
        two_sided += bid_e4 > 0 and ask_e4 > 0
        count += 1
    assert count == 1_424_012
    assert crossed == 0
    assert round(100 * naive_crossed / count, 1) == 99.9
    assert two_sided / count > 0.9
    assert book.dropped.old > 0
    assert book.dropped.crossed > 0
