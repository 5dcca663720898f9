"""What accounts are worth, told to those who follow their own: at each client's cadence, when it has changed.

The value is taken from the engine's state and the published prices in one turn of the loop, and told when the sequence
of that state is durable. Nothing is queued: a client that is late is told the value of then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from engine.events import BalanceChanged, OrderUpdated, Posted
from server.codec import Record
from server.market_view import MarketView
from server.outlet import Outlet
from server.stream_proto import portfolio_frame
from server.wire import Wire
from server.ws_frames import text_frame

PORTFOLIO: Final = "portfolio"


class LiveValue(Struct, frozen=True, gc=False):
    """An account's worth in a client's form, from the state at `seq`; `symbols` are those whose prices are in it."""

    seq: int
    symbols: tuple[str, ...]
    text: bytes


ValueOf = Callable[[int, Wire], LiveValue | None]
"""The worth of an account, as JSON or as a packed `Portfolio`; None when there is no such account."""

WhenDurable = Callable[[int, Callable[[], None]], None]


class ValueFollower:
    """One client that follows its account. `told_at` and `told_seq`: what it has been told of prices and of commands."""

    __slots__ = ("account_id", "is_open", "is_waiting", "outlet", "symbols", "text", "told_at", "told_seq")

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.account_id = outlet.account_id
        self.symbols: tuple[str, ...] = ()
        self.text = b""
        self.told_at = -1
        self.told_seq = -1
        self.is_open = True
        self.is_waiting = False


class LiveValues:
    """All followers, in slots of `slot_ms`; `turn` is driven by the hub's timer."""

    __slots__ = ("_accounts", "_market", "_slot_ms", "_slots", "_tick", "_value_of", "_when_durable")

    def __init__(
        self,
        market: MarketView,
        value_of: ValueOf,
        when_durable: WhenDurable,
        slot_ms: int,
        interval_max_ms: int,
    ) -> None:
        self._market = market
        self._value_of = value_of
        self._when_durable = when_durable
        self._slot_ms = slot_ms
        self._slots: list[list[ValueFollower]] = [[] for _ in range(interval_max_ms // slot_ms + 2)]
        self._tick = 0
        self._accounts: dict[int, tuple[dict[ValueFollower, None], list[int]]] = {}

    def __len__(self) -> int:
        """How many accounts are followed."""
        return len(self._accounts)

    def follow(self, outlet: Outlet) -> None:
        """Tell a client its account's worth from now on: at once, then when it has changed."""
        self.unfollow(outlet)
        follower = outlet.value = ValueFollower(outlet)
        followers, _ = self._accounts.setdefault(follower.account_id, ({}, [0]))
        followers[follower] = None
        self._serve(follower)
        self._schedule(follower)

    def unfollow(self, outlet: Outlet) -> bool:
        """Stop telling it. False when the client did not follow it."""
        follower = outlet.value
        if follower is None:
            return False
        outlet.value = None
        follower.is_open = False
        followers, _ = self._accounts[follower.account_id]
        del followers[follower]
        if not followers:
            del self._accounts[follower.account_id]
        return True

    def take(self, records: Sequence[Record]) -> None:
        """Newly durable records: remember which of the followed accounts they touched."""
        if not self._accounts:
            return
        for record in records:
            for event in record.events:
                if type(event) is OrderUpdated or type(event) is BalanceChanged:
                    self._touch(event.account_id, record.seq)
                elif type(event) is Posted:
                    for posting in event.postings:
                        self._touch(posting[0], record.seq)

    def _touch(self, account_id: int, seq: int) -> None:
        followed = self._accounts.get(account_id)
        if followed is not None:
            followed[1][0] = seq

    def _schedule(self, follower: ValueFollower) -> None:
        period = max(1, follower.outlet.interval_ms // self._slot_ms)
        self._slots[(self._tick + period) % len(self._slots)].append(follower)

    def turn(self, now_s: float, stuck: dict[Outlet, None]) -> None:
        """Serve the next slot. Clients whose transport is not empty are skipped and put into `stuck`."""
        self._tick += 1
        index = self._tick % len(self._slots)
        followers = self._slots[index]
        if not followers:
            return
        self._slots[index] = []
        for follower in followers:
            if not follower.is_open:
                continue
            outlet = follower.outlet
            if outlet.unsent_bytes():
                if not outlet.stuck_since:
                    outlet.stuck_since = now_s
                    stuck[outlet] = None
            elif not follower.is_waiting and self._has_changed(follower):
                self._serve(follower)
            self._schedule(follower)

    def _has_changed(self, follower: ValueFollower) -> bool:
        if self._accounts[follower.account_id][1][0] > follower.told_seq:
            return True
        symbols, told_at = self._market.symbols, follower.told_at
        return any(symbols[symbol].changed_at > told_at for symbol in follower.symbols)

    def _serve(self, follower: ValueFollower) -> None:
        """Take the value now, and send it when what it is made of is durable."""
        wire = follower.outlet.wire
        value = self._value_of(follower.account_id, wire)
        follower.told_at = self._market.changes
        if value is None:
            return
        follower.told_seq = value.seq
        follower.symbols = value.symbols
        if value.text == follower.text:
            return
        follower.text = value.text
        follower.is_waiting = True

        def send() -> None:
            follower.is_waiting = False
            if follower.is_open:
                follower.outlet.write(_FRAMES[wire](value.seq, value.text))

        self._when_durable(value.seq, send)


def _json_frame(seq: int, text: bytes) -> bytes:
    return text_frame(b'{"channel":"portfolio","seq":%d,"data":%b}' % (seq, text))


_FRAMES: Final = {Wire.JSON: _json_frame, Wire.PROTO: portfolio_frame}
