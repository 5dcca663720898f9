"""How many commands a second the engine carries out, and how many messages a second the bare book takes.

    python -m bench.engine

`engine_commands`: `apply` whole (risk, holds, matching, ledger, events, dirty marks, as cut by the write-behind) on 45 % new,
40 % cancel, 10 % crossing, 5 % replace; 100 books, 10 000 accounts. Its ceiling is what `apply` cannot avoid for the same
commands: making the order and the events, with no rules at all.
`engine_keyed_commands`: the same with an idempotency key on all that has one over HTTP, for which nothing is promised.
`book_messages`: the same mix on one bare book (bench/book.py), and others; the figure that counts is the worst's.

Commands are decoded a few hundred at a time while the clock stands, as the border decodes them just before they are applied; a
minute's commands made beforehand would be measured by how fast they come out of main memory. The clock is the process's CPU time,
for the engine does nothing but compute. Each is run five times, interleaved with its peer; the medians are printed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from random import Random
from statistics import median
from time import process_time
from typing import Final

import msgspec

from bench.book import (
    BUY,
    LOT_E8,
    MIDDLE_E4,
    MIXES,
    RESTING_BEFORE,
    SELL,
    STATIC,
    TICK_E4,
    book_rate,
    made_order,
    message_stream,
    plain_rate,
    timed,
)
from engine.apply import apply
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
from engine.kinds import AccountKind, OrderType, PriceSource, Source, TimeInForce
from engine.orders import Order
from engine.state import State, new_dirty
from engine.units import IDS_PER_SEQ
from run import GC_THRESHOLDS

ROUNDS = 5
BOOKS = 100
ACCOUNTS = 10_000
COMMANDS = 60_000
COMMANDS_PER_CUT = 2_000
COMMANDS_PER_DECODE = 500

Asked = tuple[Envelope, AnyCommand]
encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(list[Asked]).decode


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
        open_ids.append(state.seq * IDS_PER_SEQ)

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


def keyed(stream: list[Asked]) -> list[Asked]:
    """The same commands, orders and replacements with an idempotency key of their own."""
    return [
        (msgspec.structs.replace(envelope, key=f"key-{number:012}", digest=number.to_bytes(16)), command)
        if isinstance(command, PlaceOrder | ReplaceOrder)
        else (envelope, command)
        for number, (envelope, command) in enumerate(stream)
    ]


def engine_rate(stream: list[Asked], prepare: Callable[[State], None] = lambda state: None) -> float:
    """Commands a second through `apply`, on a state of its own, which is prepared first."""
    state, _ = new_market()
    prepare(state)
    for envelope, command in stream[:RESTING_BEFORE]:
        apply(state, envelope, command, 2)
    encoded = [
        encode(stream[at : at + COMMANDS_PER_DECODE])
        for at in range(RESTING_BEFORE, len(stream), COMMANDS_PER_DECODE)
    ]
    gc.collect()
    gc.freeze()
    seconds, now_us = 0.0, 3
    for part in encoded:
        asked = decode(part)
        start = process_time()
        for envelope, command in asked:
            apply(state, envelope, command, now_us)
            now_us += 1
            if not now_us % COMMANDS_PER_CUT:
                state.dirty = new_dirty()
        seconds += process_time() - start
    gc.unfreeze()
    return (len(stream) - RESTING_BEFORE) / seconds


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


def report(name: str, unit: str, must: int, aim: int, ours: list[float], peers: list[float]) -> None:
    """One line that a machine can read; `must` is 0 where nothing is promised."""
    value, peer = median(ours), median(peers)
    ratio = median(one / other for one, other in zip(ours, peers, strict=True))
    met = "aim" if value >= aim else "must" if value >= must else "no"
    promised = f"must={must} aim={aim} met={met} " if must else ""
    print(
        f"bench name={name} value={value:.0f} unit={unit} clock=cpu {promised}peer={peer:.0f} ratio={ratio:.3f}"
    )


def main() -> None:
    """Run the benchmarks, each interleaved with its peer."""
    gc.set_threshold(*GC_THRESHOLDS)
    stream = command_stream(COMMANDS)
    with_keys = keyed(stream)
    plain: list[float] = []
    with_key: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        plain.append(engine_rate(stream))
        bare.append(events_rate(stream))
        with_key.append(engine_rate(with_keys))
    report("engine_commands", "commands/s", 120_000, 160_000, plain, bare)
    report("engine_keyed_commands", "commands/s", 0, 0, with_key, bare)
    for mix in MIXES:
        messages = message_stream(mix)
        ours: list[float] = []
        peers: list[float] = []
        for _ in range(ROUNDS):
            ours.append(book_rate(messages))
            peers.append(plain_rate(messages))
        name = "book_messages" if mix is STATIC else f"book_messages_{mix.name}"
        report(name, "messages/s", 700_000, 1_000_000, ours, peers)


if __name__ == "__main__":
    main()
