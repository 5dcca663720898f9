"""What readers saw of a running Kerb, and whether the journal says the same: each sighting names the sequence it is of.

A sighting of sequence S is true when the engine, given the journal up to S, has just that. The journal is what a restart
recovers, so a sighting that is not true of it, or of a sequence that it has not got, was taken back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from engine.apply import apply
from engine.book import BookSide
from engine.events import AnyEvent, BalanceChanged, OrderUpdated, Traded
from engine.kinds import OrderStatus
from engine.state import State
from handlers.balance_json import balance_json
from handlers.order_json import encode_order
from server.codec import Record

Json = Any
OPEN_LIMIT: Final = 500
DEPTH_LEVELS: Final = 50
OPEN: Final = (OrderStatus.PENDING, OrderStatus.PARTIAL)

Top = tuple[float | None, ...]
"""Price, bid, ask, bid size and ask size of a quote."""


@dataclass(slots=True)
class Sighting:
    """What was seen: `kind` of `who` (an account) or `symbol`, as of a sequence."""

    kind: str
    seq: int
    data: Json
    who: int = 0
    symbol: str = ""
    order_id: int = 0


class Sightings:
    """All that was seen since the last crash."""

    def __init__(self) -> None:
        self.seen: list[Sighting] = []
        self.quotes: dict[str, set[Top]] = defaultdict(set)
        self.trades: dict[str, tuple[str, float, float]] = {}

    def __len__(self) -> int:
        return len(self.seen) + sum(map(len, self.quotes.values())) + len(self.trades)

    @property
    def last_seq(self) -> int:
        """The newest sequence that anybody saw something of."""
        return max((sighting.seq for sighting in self.seen), default=0)

    def add(self, sighting: Sighting) -> None:
        """Something with a sequence."""
        self.seen.append(sighting)

    def quote(self, symbol: str, quote: Json) -> None:
        """A quote, which has no sequence: some state of the journal must have shown it."""
        figures = (quote["price"], quote["bid"], quote["ask"], quote["bid_size"], quote["ask_size"])
        self.quotes[symbol].add(figures)

    def trade(self, symbol: str, trade: Json) -> None:
        """A public trade."""
        if trade["trade_id"] is not None:
            self.trades[trade["trade_id"]] = (symbol, trade["price"], trade["quantity"])


class Witness:
    """A second engine that goes through the journal and says of each sighting whether it was so."""

    def __init__(self) -> None:
        self.state = State()
        self._trades: dict[str, tuple[str, float, float]] = {}
        self._fills: dict[int, int] = {}
        self._reports: dict[int, OrderUpdated] = {}
        self._tops: dict[str, Top] = {}
        self._wanted: dict[int, list[Sighting]] = {}
        self._unseen: dict[str, set[Top]] = {}
        self._counted: list[Sighting] = []

    def hear(self, records: list[Record], sightings: Sightings) -> None:
        """Go on to the end of these records. Raises AssertionError with the first sighting that was taken back."""
        last_seq = records[-1].seq if records else self.state.seq
        assert sightings.last_seq <= last_seq, (
            f"{sightings.last_seq} was seen, the journal ends at {last_seq}"
        )
        self._wanted = defaultdict(list)
        for sighting in sightings.seen:
            self._wanted[sighting.seq].append(sighting)
        self._unseen = {symbol: set(tops) for symbol, tops in sightings.quotes.items()}
        early = [seq for seq in self._wanted if seq < self.state.seq]
        assert not early, (
            f"a reader was shown {early[0]}, which was before the last restart at {self.state.seq}"
        )
        for symbol in self._unseen:
            self._look_at_top(symbol)
        self._check(())
        for record in records:
            applied = apply(self.state, record.envelope, record.command, record.now_us)
            assert applied.seq == record.seq, f"record {record.seq} gives {applied.seq}"
            self._note(record.events)
            self._check(record.events)
        left = {symbol: tops for symbol, tops in self._unseen.items() if tops}
        assert not left, f"quotes that no state of the journal shows: {left}"
        strange = [trade for key, trade in sightings.trades.items() if self._trades.get(key) != trade]
        assert not strange, f"trades that are not in the journal: {strange}"
        for sighting in self._counted:
            fills = self._fills.get(sighting.order_id, 0)
            assert sighting.data <= fills, f"{sighting} was seen, and there are {fills}"
        self._counted = []

    def _note(self, events: tuple[AnyEvent, ...]) -> None:
        touched = set()
        for event in events:
            if isinstance(event, OrderUpdated):
                self._reports[event.order_id] = event
            elif isinstance(event, Traded):
                shown = (event.symbol, event.price_e4 / 1e4, event.quantity_e8 / 1e8)
                self._trades[f"trd_{event.trade_id}"] = shown
                for order_id in (event.buy_order_id, event.sell_order_id):
                    self._fills[order_id] = self._fills.get(order_id, 0) + 1
            symbol = getattr(event, "symbol", "")
            if symbol in self._unseen:
                touched.add(symbol)
        for symbol in touched:
            self._look_at_top(symbol)

    def _look_at_top(self, symbol: str) -> None:
        instrument, book = self.state.instruments.get(symbol), self.state.books.get(symbol)
        if instrument is None or book is None:
            return
        bid, bid_size = _best(book.bids)
        ask, ask_size = _best(book.asks)
        price = instrument.last_e4 / 1e4 if instrument.last_e4 else None
        self._unseen[symbol].discard((price, bid, ask, bid_size, ask_size))

    def _check(self, events: tuple[AnyEvent, ...]) -> None:
        for sighting in self._wanted.pop(self.state.seq, ()):
            expected = getattr(self, f"_{sighting.kind}")(sighting, events)
            assert sighting.data == expected, f"{sighting} was seen, and it was {expected}"

    # -- what there was, by kind of sighting: the state is that of its sequence, `events` those of its record

    def _balance(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        account = self.state.accounts[sighting.who]
        return _json(balance_json(account.currency, account.cash_e4, account.held_e4, account.unsettled_e4))

    def _open(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        orders = self.state.accounts[sighting.who].orders.values()
        found = sorted((order for order in orders if order.status in OPEN), key=lambda each: -each.order_id)
        return [_order(order.snapshot()) for order in found[:OPEN_LIMIT]]

    def _order(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        """The newest report of one order."""
        return _order(self._reports[sighting.order_id])

    def _portfolio(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        account = self.state.accounts[sighting.who]
        held = {
            symbol: [position.units_e8 / 1e8, (position.units_e8 - position.held_e8) / 1e8]
            for symbol, position in account.positions.items()
            if position.units_e8
        }
        return [account.cash_e4 / 1e4, held]

    def _executions(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        """How many there were, at least: rows of later records may be there too, but not more than the journal has."""
        self._counted.append(sighting)
        return max(self._fills.get(sighting.order_id, 0), sighting.data)

    def _told(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        """Private events of one account in one record, by channel."""
        if sighting.symbol == "orders":
            mine = [
                _order(event)
                for event in events
                if isinstance(event, OrderUpdated) and event.account_id == sighting.who
            ]
        else:
            mine = [
                _json(balance_json("USD", event.cash_e4, event.held_e4, event.unsettled_e4))
                for event in events
                if isinstance(event, BalanceChanged) and event.account_id == sighting.who
            ]
        return sighting.data if sighting.data in mine else mine

    def _depth(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        """As many levels as were asked for."""
        book = self.state.books[sighting.symbol]
        return [_levels(book.bids)[:DEPTH_LEVELS], _levels(book.asks)[:DEPTH_LEVELS]]

    def _book(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        """All levels."""
        book = self.state.books[sighting.symbol]
        return [_levels(book.bids), _levels(book.asks)]

    def _delta(self, sighting: Sighting, events: tuple[AnyEvent, ...]) -> Json:
        """Levels that changed, as they are now; one that is gone has nothing."""
        book = self.state.books[sighting.symbol]
        result = []
        for levels, side in zip(sighting.data, (book.bids, book.asks), strict=True):
            now = {level[0]: level for level in _levels(side)}
            result.append([now.get(price, [price, 0, 0]) for price, _, _ in levels])
        return result


def _json(value: object) -> Json:
    return msgspec.json.decode(msgspec.json.encode(value))


def _order(order: OrderUpdated) -> Json:
    return msgspec.json.decode(encode_order(order))


def _best(side: BookSide) -> tuple[float | None, float]:
    level = side.best()
    return (None, 0) if level is None else (level.price_e4 / 1e4, level.quantity_e8 / 1e8)


def _levels(side: BookSide) -> list[list[float]]:
    return [[level.price_e4 / 1e4, level.quantity_e8 / 1e8, level.count] for level in side.best_first()]
