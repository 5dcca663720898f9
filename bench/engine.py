"""How many commands a second the engine carries out, and how many messages a second the bare book takes.

    python -m bench.engine

`engine_commands`: `apply` whole (risk, holds, matching, ledger, events, dirty marks) on 45 % new, 40 % cancel, 10 % crossing,
5 % replace; 100 books, 10 000 accounts. Its ceiling is what `apply` cannot avoid for the same commands: making
the order and the events, with no rules at all.
`book_messages`: the same mix of adds, removes, crossings (best, part fills, removes) and replaces on `engine.book`
alone, in one book, orders made before the clock starts. Its peer is the same on plain dicts, deques and a heap.
Each is run five times, interleaved with its peer; the medians are printed.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from statistics import median
from time import perf_counter

from engine.apply import apply
from engine.book import Book
from engine.commands import (
    AnyCommand,
    CancelOrder,
    Deposit,
    Envelope,
    OpenAccount,
    PlaceOrder,
    ReplaceOrder,
    SetCalendar,
    SetFees,
    SetInstrument,
    TransferIn,
)
from engine.events import BalanceChanged, BookChanged
from engine.kinds import (
    AccountKind,
    OrderType,
    PriceSource,
    SelfTradePrevention,
    Side,
    Source,
    TimeInForce,
)
from engine.orders import Order
from engine.state import State, new_dirty

ROUNDS = 5
BOOKS = 100
ACCOUNTS = 10_000
COMMANDS = 60_000
MESSAGES = 120_000
RESTING_BEFORE = 10_000
COMMANDS_PER_CUT = 2_000
TICK_E4 = 100
LOT_E8 = 10**8
MIDDLE_E4 = 1_000_000
BUY, SELL = Side.BUY, Side.SELL

Asked = tuple[Envelope, AnyCommand]


def new_market() -> tuple[State, list[int]]:
    """A state with all books open and all accounts able to buy and to sell in each; and the accounts' ids."""
    state = State()
    config = Envelope(Source.CONFIG)
    set_up: list[AnyCommand] = [SetCalendar("24x7", ((0, 10**15),)), SetFees("std", 500, 1_000)]
    set_up += [
        SetInstrument(
            f"S{book}",
            "",
            "USD",
            TICK_E4,
            LOT_E8,
            TICK_E4,
            10**8,
            MIDDLE_E4,
            "24x7",
            PriceSource.TAPE,
            2_000,
            "std",
        )
        for book in range(BOOKS)
    ]
    set_up += [OpenAccount(user_id, AccountKind.USER, "USD") for user_id in range(1, ACCOUNTS + 1)]
    for command in set_up:
        apply(state, config, command, 1)
    account_ids = list(state.accounts)
    for index, account_id in enumerate(account_ids):
        apply(state, Envelope(Source.CONFIG, 0, account_id), Deposit(10**11, "CARD"), 1)
        # Each account trades in ten books, as a customer does, and has shares in those.
        for book in books_of(index):
            apply(state, config, TransferIn(account_id, f"S{book}", 10**4 * LOT_E8, 10**6), 1)
    state.dirty = new_dirty()
    return state, account_ids


def books_of(account_index: int) -> list[int]:
    """The ten books that an account trades in."""
    return [(account_index * 10 + nth) % BOOKS for nth in range(10)]


def command_stream(count: int) -> list[Asked]:
    """Commands of the mix, and before them the orders that rest at the start.

    Made by playing them through an engine, so that every cancel and replace names an order that is open then.
    """
    state, account_ids = new_market()
    random = Random(1)
    stream: list[Asked] = []

    def play(account_id: int, command: AnyCommand) -> None:
        envelope = Envelope(Source.HTTP, account_id, account_id, "req_0123456789")
        stream.append((envelope, command))
        applied = apply(state, envelope, command, 2)
        if applied.refused is not None:
            raise RuntimeError(f"the mix must be accepted: {applied.refused}")
        open_ids.append(state.seq << 20)

    def place(crossing: bool) -> None:
        index = random.randrange(ACCOUNTS)
        side = random.choice((BUY, SELL))
        away = -40 if crossing else random.randrange(1, 40)
        price_e4 = MIDDLE_E4 + (-away if side is BUY else away) * TICK_E4
        quantity_e8 = random.randrange(1, 10) * LOT_E8
        tif = TimeInForce.IOC if crossing else TimeInForce.DAY
        symbol = f"S{random.choice(books_of(index))}"
        play(account_ids[index], PlaceOrder(symbol, side, OrderType.LIMIT, quantity_e8, price_e4, tif))

    open_ids: list[int] = []

    def some_open() -> Order:
        while True:
            at = random.randrange(len(open_ids))
            order_id, open_ids[at] = open_ids[at], open_ids[-1]
            open_ids.pop()
            order = state.orders.get(order_id)
            if order is not None:
                return order

    for _ in range(RESTING_BEFORE):
        place(crossing=False)
    for _ in range(count):
        dice = random.random()
        if dice < 0.45:
            place(crossing=False)
        elif dice < 0.85:
            order = some_open()
            play(order.account_id, CancelOrder(order.order_id))
        elif dice < 0.95:
            place(crossing=True)
        else:
            order = some_open()
            more = random.random() < 0.5
            quantity_e8 = (
                order.quantity_e8 + LOT_E8
                if more or order.leaves_e8 <= LOT_E8
                else order.quantity_e8 - LOT_E8
            )
            play(order.account_id, ReplaceOrder(order.order_id, quantity_e8, 0))
    return stream


def timed(work: Callable[[], None]) -> float:
    """Seconds of work, with the garbage collector as `run.py` sets it: what exists is frozen, full runs are rare."""
    gc.collect()
    gc.freeze()
    start = perf_counter()
    work()
    seconds = perf_counter() - start
    gc.unfreeze()
    return seconds


def engine_rate(stream: list[Asked]) -> float:
    """Commands a second through `apply`, on a state of its own."""
    state, _ = new_market()
    for envelope, command in stream[:RESTING_BEFORE]:
        apply(state, envelope, command, 2)
    asked = stream[RESTING_BEFORE:]

    def work() -> None:
        now_us = 3
        for envelope, command in asked:
            apply(state, envelope, command, now_us)
            now_us += 1
            if not now_us % COMMANDS_PER_CUT:
                state.dirty = new_dirty()

    return len(asked) / timed(work)


def events_rate(stream: list[Asked]) -> float:
    """Commands a second when each only makes an order and the three events that a resting order has."""
    asked = stream[RESTING_BEFORE:]
    kept: dict[int, Order] = {}

    def work() -> None:
        for seq, (envelope, _) in enumerate(asked):
            order = made_order(seq, envelope.account_id, BUY, MIDDLE_E4, LOT_E8)
            kept[seq % 1_000] = order
            events = [
                order.snapshot(),
                BookChanged("S1", ((BUY, MIDDLE_E4, LOT_E8, 1),)),
                BalanceChanged(envelope.account_id, seq, seq),
            ]
            tuple(events)

    return len(asked) / timed(work)


def made_order(order_id: int, account_id: int, side: Side, price_e4: int, quantity_e8: int) -> Order:
    """An order as `engine.trading` makes it."""
    return Order(
        order_id, account_id, "S1", side, OrderType.LIMIT, TimeInForce.DAY, quantity_e8, price_e4, price_e4,
        500, 1_000, 2, 2, "", SelfTradePrevention.CANCEL_NEWEST, 0, False, order_id,
    )  # fmt: skip


# -- the book alone

ADD, CANCEL, CROSS, REPLACE = range(4)
Message = tuple[int, Order]


def message_stream() -> list[tuple[int, int, Side, int, int]]:
    """(what, which earlier order, side, price, quantity) in the engine's mix; cancels may come too late."""
    random = Random(2)
    messages = []
    for number in range(RESTING_BEFORE + MESSAGES):
        dice = random.random() if number >= RESTING_BEFORE else 0.0
        what = ADD if dice < 0.45 else CANCEL if dice < 0.85 else CROSS if dice < 0.95 else REPLACE
        side = random.choice((BUY, SELL))
        away = -400 if what is CROSS else random.randrange(1, 400)
        price_e4 = MIDDLE_E4 + (-away if side is BUY else away) * TICK_E4
        messages.append(
            (what, random.randrange(number + 1), side, price_e4, random.randrange(1, 10) * LOT_E8)
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


def report(name: str, unit: str, must: int, aim: int, ours: list[float], peers: list[float]) -> None:
    """One line that a machine can read."""
    value, peer = median(ours), median(peers)
    ratio = median(one / other for one, other in zip(ours, peers, strict=True))
    print(
        f"bench name={name} value={value:.0f} unit={unit} must={must} aim={aim} "
        f"met={'aim' if value >= aim else 'must' if value >= must else 'no'} peer={peer:.0f} ratio={ratio:.3f}"
    )


def main() -> None:
    """Run both benchmarks, each interleaved with its peer."""
    gc.set_threshold(50_000, 50, 1_000)
    stream, messages = command_stream(COMMANDS), message_stream()
    ours: list[float] = []
    peers: list[float] = []
    for _ in range(ROUNDS):
        ours.append(engine_rate(stream))
        peers.append(events_rate(stream))
    report("engine_commands", "commands/s", 120_000, 160_000, ours, peers)
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(book_rate(messages))
        peers.append(plain_rate(messages))
    report("book_messages", "messages/s", 700_000, 1_000_000, ours, peers)


if __name__ == "__main__":
    main()
