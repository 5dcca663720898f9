"""A book as a snapshot and steps: whoever applies them has the book, whenever it looks and however late it is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.kinds import Side
from server.depth_log import ENTRIES_MAX, book_checksum
from server.market_view import MarketView
from server.stream_json import depth_frame
from tests.server.market_records import book, durable, listing
from tests.server.stream_book import ClientBook, steps_of

BUY, SELL = Side.BUY, Side.SELL

levels = st.tuples(st.sampled_from(Side), st.integers(1, 30), st.integers(0, 3), st.integers(1, 9))
changes = st.lists(st.lists(levels, min_size=1, max_size=6, unique_by=lambda level: level[:2]), max_size=40)
looks = st.sets(st.integers(0, 40))


class Follower:
    """A client of one symbol that looks now and then."""

    def __init__(self, view: MarketView) -> None:
        self.view = view
        self.log = view.symbols["AAPL"].depth
        self.log.join(view.changes)
        self.book = ClientBook()
        self.seen = view.changes
        self._take(-1)

    def look(self) -> None:
        since, self.seen = self.seen, self.view.changes
        self._take(since)

    def _take(self, since: int) -> None:
        for step in steps_of(depth_frame((self.log,), since)):
            self.book.apply(step)

    def has_the_book(self) -> bool:
        found = self.view.depth("AAPL", 1_000)
        assert found is not None
        seq, bids, asks = found
        ours = [
            [
                (int(price * 10**4), int(quantity * 10**8), orders)
                for price, quantity, orders in self.book.side(name)
            ]
            for name in ("bids", "asks")
        ]
        return (self.book.seq, *ours) == (seq, bids, asks)


def listed() -> MarketView:
    view = MarketView()
    view.listener([durable(1, listing("AAPL"))])
    return view


@given(changes=changes, first=looks, second=looks)
def test_snapshot_and_steps_are_the_book_whenever_one_looks(
    changes: list[list[tuple[Side, int, int, int]]], first: set[int], second: set[int]
) -> None:
    view = listed()
    followers = [Follower(view), Follower(view)]
    for number, changed in enumerate(changes):
        view.listener([durable(number + 2, book("AAPL", *changed))])
        for follower, chosen in zip(followers, (first, second), strict=True):
            if number in chosen:
                follower.look()
                assert follower.has_the_book()
    for follower in followers:
        follower.look()
        assert follower.has_the_book()
        assert follower.book.snapshots == 1


def test_a_client_that_is_too_far_behind_gets_the_whole_book_again() -> None:
    view = listed()
    late, later = Follower(view), Follower(view)
    for number in range(ENTRIES_MAX):
        view.listener([durable(number + 2, book("AAPL", (BUY, 100, number + 1, 1)))])
    late.look()
    view.listener([durable(ENTRIES_MAX + 2, book("AAPL", (SELL, 101, 5, 1)))])
    later.look()

    assert (late.book.snapshots, late.book.deltas) == (1, 1)
    assert (later.book.snapshots, later.book.deltas) == (2, 0)
    assert later.has_the_book()
    late.look()
    assert (late.book.snapshots, late.book.deltas, late.has_the_book()) == (1, 2, True)


def test_several_changes_between_two_looks_are_one_step_of_the_newest_figures() -> None:
    view = listed()
    follower = Follower(view)
    view.listener([durable(5, book("AAPL", (BUY, 100, 7, 1), (BUY, 99, 1, 1)))])
    view.listener([durable(8, book("AAPL", (BUY, 100, 3, 2))), durable(9, book("AAPL", (SELL, 102, 4, 1)))])
    (step,) = steps_of(depth_frame((follower.log,), follower.seen))

    assert step == {
        "symbol": "AAPL",
        "type": "delta",
        "prev_seq": 0,
        "seq": 9,
        "bids": [[Decimal("1.00"), 3, 2], [Decimal("0.99"), 1, 1]],
        "asks": [[Decimal("1.02"), 4, 1]],
        "checksum": book_checksum(((10_000, 3 * 10**8, 2), (9_900, 10**8, 1)), ((10_200, 4 * 10**8, 1),)),
    }


def test_the_checksum_is_of_the_text_that_the_documentation_gives() -> None:
    bids = ((1_755_000, 10 * 10**8, 1), (1_754_900, 50_000_000, 3))
    asks = ((1_755_100, 10**8, 1),)

    assert book_checksum(bids, asks) == 2_351_214_286
    assert book_checksum((), ()) == 2_343_686_810 == book_checksum([], [])


def test_nothing_is_kept_while_nobody_follows() -> None:
    view = listed()
    before = view.changes
    view.listener([durable(2, book("AAPL", (BUY, 100, 1, 1))), durable(3, book("AAPL", (BUY, 50, 1, 1)))])
    assert view.changes == before + 1  # the best price changed once; the level behind it is no visible change

    follower = Follower(view)
    view.listener([durable(4, book("AAPL", (BUY, 60, 1, 1)))])
    follower.look()
    assert (follower.book.deltas, follower.has_the_book()) == (1, True)
    follower.log.leave()
    view.listener([durable(5, book("AAPL", (BUY, 70, 1, 1)))])
    assert repr(follower.log) == "<DepthLog AAPL followers=0 entries=0>"
    assert Follower(view).has_the_book()
