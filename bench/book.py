"""The bare book: mixes of adds, removes, crossings (best, part fills, removes) and replaces.

In one book, on `engine.book` alone, orders made before the clock starts. Its peer is the same on plain dicts, deques and a heap.
`STATIC` is the mix of bench/engine.py; the others move the prices, deepen the book, or cancel nearly all they place.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from time import process_time
from typing import Final, NamedTuple

from engine.book import Book
from engine.kinds import OrderType, SelfTradePrevention, Side, TimeInForce
from engine.orders import Order

MESSAGES = 120_000
RESTING_BEFORE = 10_000
TICK_E4 = 100
LOT_E8 = 10**8
MIDDLE_E4 = 1_000_000
BUY, SELL = Side.BUY, Side.SELL
ADD, CANCEL, CROSS, REPLACE = range(4)


def timed(work: Callable[[], None]) -> float:
    """CPU seconds of work, with the garbage collector as `run.py` sets it: what exists is frozen, full runs are rare."""
    gc.collect()
    gc.freeze()
    start = process_time()
    work()
    seconds = process_time() - start
    gc.unfreeze()
    return seconds


def made_order(order_id: int, account_id: int, side: Side, price_e4: int, quantity_e8: int) -> Order:
    """An order as `engine.trading` makes it."""
    return Order(
        order_id, account_id, "S1", side, OrderType.LIMIT, TimeInForce.DAY, quantity_e8, price_e4, price_e4,
        500, 1_000, 2, 2, "", SelfTradePrevention.CANCEL_NEWEST, 0, False, order_id,
    )  # fmt: skip


class Mix(NamedTuple):
    """What a stream of messages is like.

    `shares` are the cumulated shares of adds, cancels and crossings; the rest replaces. Prices are up to `ticks` from a
    middle that is `middle(number)` ticks from where it began. Cancels and replaces name one of the last `recent` orders,
    0 for any.
    """

    name: str
    shares: tuple[float, float, float] = (0.45, 0.85, 0.95)
    ticks: int = 400
    recent: int = 0
    middle: Callable[[int], int] = lambda number: 0


STATIC: Final = Mix("static")
MIXES: Final = (
    STATIC,
    Mix("trending", middle=lambda number: number // 50, recent=20_000),
    Mix("swinging", middle=lambda number: abs(number // 10 % 2_000 - 1_000), recent=20_000),
    Mix("deep", ticks=5_000),
    Mix("cancel_heavy", (0.48, 0.96, 0.98), recent=200),
)


def message_stream(mix: Mix = STATIC) -> list[tuple[int, int, Side, int, int]]:
    """(what, which earlier order, side, price, quantity); cancels may come too late."""
    random = Random(2)
    messages = []
    adds, cancels, crossings = mix.shares
    for number in range(RESTING_BEFORE + MESSAGES):
        dice = random.random() if number >= RESTING_BEFORE else 0.0
        what = ADD if dice < adds else CANCEL if dice < cancels else CROSS if dice < crossings else REPLACE
        side = random.choice((BUY, SELL))
        away = -mix.ticks if what is CROSS else random.randrange(1, mix.ticks)
        price_e4 = MIDDLE_E4 + (mix.middle(number) + (-away if side is BUY else away)) * TICK_E4
        earliest = max(0, number - mix.recent) if mix.recent else 0
        messages.append(
            (what, random.randrange(earliest, number + 1), side, price_e4, random.randrange(1, 10) * LOT_E8)
        )
    return messages


def book_rate(messages: list[tuple[int, int, Side, int, int]]) -> float:
    """Messages a second on `engine.book`: add; remove; best and part fills; remove and add for a replace."""
    made = [
        made_order(number, number, side, price_e4, quantity_e8)
        for number, (_, _, side, price_e4, quantity_e8) in enumerate(messages)
    ]
    book = Book("S1")
    for order in made[:RESTING_BEFORE]:
        book.side(order.side).add(order)
    asked = [
        (message[0], made[message[1]], made[number])
        for number, message in enumerate(messages)
        if number >= RESTING_BEFORE
    ]

    def work() -> None:
        bids, asks = book.bids, book.asks
        for what, earlier, order in asked:
            if what == CROSS:
                side = asks if order.side is BUY else bids
                limit_key = order.limit_e4 * side.sign
                left_e8 = order.quantity_e8
                while left_e8:
                    level = side.best()
                    if level is None or level.key > limit_key:
                        break
                    resting = level.first
                    assert resting is not None
                    there_e8 = resting.quantity_e8 - resting.filled_e8
                    if there_e8 <= left_e8:
                        side.remove(resting)
                        left_e8 -= there_e8
                    else:
                        level.quantity_e8 -= left_e8
                        resting.filled_e8 += left_e8
                        left_e8 = 0
                continue
            if what != ADD and earlier.level is not None:
                (bids if earlier.side is BUY else asks).remove(earlier)
            if what != CANCEL:
                (bids if order.side is BUY else asks).add(order)

    return len(asked) / timed(work)


class PlainBook:
    """A book of plain containers: per side a dict of deques of [left, key, side], and a heap of the keys."""

    def __init__(self) -> None:
        self.levels: tuple[dict[int, deque[list[int]]], dict[int, deque[list[int]]]] = ({}, {})
        self.heaps: tuple[list[int], list[int]] = ([], [])

    def add(self, order: list[int]) -> None:
        queues = self.levels[order[2]]
        queue = queues.get(order[1])
        if queue is None:
            queue = queues[order[1]] = deque()
            heappush(self.heaps[order[2]], order[1])
        queue.append(order)

    def cross(self, order: list[int]) -> None:
        of = 1 - order[2]
        queues, heap, limit_key = self.levels[of], self.heaps[of], -order[1]
        left_e8 = order[0]
        while left_e8 and heap and heap[0] <= limit_key:
            queue = queues[heap[0]]
            while queue and left_e8:
                there_e8 = queue[0][0]
                if there_e8 <= left_e8:
                    queue.popleft()[0] = 0
                    left_e8 -= there_e8
                else:
                    queue[0][0] = there_e8 - left_e8
                    left_e8 = 0
            if not queue:
                del queues[heappop(heap)]


def plain_rate(messages: list[tuple[int, int, Side, int, int]]) -> float:
    """The same on plain containers; a cancelled order stays in its queue, empty, until it comes to the front."""
    made: list[list[int]] = []
    asked = []
    for number, (what, earlier, side, price_e4, quantity_e8) in enumerate(messages):
        of = 0 if side is BUY else 1
        made.append([quantity_e8, price_e4 if of else -price_e4, of])
        asked.append((what, made[earlier], made[number]))
    book = PlainBook()
    for _, _, order in asked[:RESTING_BEFORE]:
        book.add(order)

    def work() -> None:
        add, cross = book.add, book.cross
        for what, earlier, order in asked[RESTING_BEFORE:]:
            if what == CROSS:
                cross(order)
                continue
            if what != ADD:
                earlier[0] = 0
            if what != CANCEL:
                add(order)

    return MESSAGES / timed(work)
