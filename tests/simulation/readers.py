"""Who looks on in a simulated life: sockets that follow private streams, GETs, the public market. Nothing they saw may be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from config.settings import StreamSettings
from engine.kinds import AccountKind
from feeds.candles import CandleBook
from handlers.ws_hub import make_hub
from server.codec import decode_record
from server.core import Core
from server.errors import KerbError
from server.fan_out import Hub
from server.journal_errors import JournalError
from server.market_view import MarketView
from server.outlet import Outlet
from server.principal import Principal, Role
from server.private_channels import BALANCE, NOTIFICATIONS, ORDERS
from server.private_streams import PrivateStreams, Remembered
from tests.simulation.genesis import Genesis, History, View, view_of
from tests.simulation.traffic import PAUSES_S, VirtualClock

CHANNELS: Final = (ORDERS, BALANCE, NOTIFICATIONS)
FOR_EVER_S: Final = 1 << 40
REMEMBERED_MAX: Final = 1 << 20

Place = tuple[int, str]
"""An account and a channel of it."""

Cursors = dict[Place, int]
"""Up to which sequence somebody has read."""


class Told(msgspec.Struct, frozen=True):
    """A message of a private stream, as it stands on the wire."""

    channel: str
    seq: int
    prev_seq: int
    data: msgspec.Raw
    more: bool = False


class Socket(asyncio.Transport):
    """A client's end, in memory. While it does not read, what is written stays with the server."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Told] = []
        self.reads = True
        self.is_gone = False
        self._unread = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._unread += bytes(data)
        if self.reads:
            self.read()

    def read(self) -> None:
        """Take everything that has come."""
        data, self._unread = self._unread, b""
        while data:
            head = {126: 4, 127: 10}.get(data[1], 2)
            length = int.from_bytes(data[2:head], "big") if head > 2 else data[1]
            if data[0] == 0x81:  # a text; the others are pings and the end
                self.messages.append(msgspec.json.decode(data[head : head + length], type=Told))
            data = data[head + length :]

    def get_write_buffer_size(self) -> int:
        return len(self._unread)

    def is_closing(self) -> bool:
        return self.is_gone

    def close(self) -> None:
        self.is_gone = True

    abort = close


class Client:
    """One socket that follows what is its account's, each channel from after what it had read before."""

    def __init__(self, hub: Hub, account_id: int, cursors: Cursors, oldest_seq: int) -> None:
        self.account_id = account_id
        self.socket = Socket()
        outlet = hub.attach(self.socket)
        assert outlet is not None
        self.outlet: Outlet = outlet
        assert hub.sign_in(
            outlet, Principal(account_id, account_id, frozenset({Role.TRADER}), account_id, FOR_EVER_S)
        )
        self.began: Cursors = {}
        for channel in CHANNELS:
            known = hub.private.subscribe(outlet, channel, cursors.get((account_id, channel)))
            if (
                known is None
            ):  # what it does not know is older than the journal: it asks for the state, and begins anew
                assert cursors[account_id, channel] < oldest_seq - 1, (
                    f"account {account_id} cannot resume {channel}"
                )
                known = hub.private.subscribe(outlet, channel, None)
            assert known is not None
            self.began[account_id, channel] = known
        hub.private.send_behind()

    def cursors(self) -> Cursors:
        """How far it has read: the messages of its last whole record in each channel."""
        found = dict(self.began)
        for message in self.socket.messages:
            if not message.more:
                found[self.account_id, message.channel] = message.seq
        return found


class Readers:
    """All of them. `told` hears of each sequence that somebody has seen something of."""

    def __init__(
        self,
        core: Core,
        settings: StreamSettings,
        clock: VirtualClock,
        cursors: Cursors,
        told: Callable[[int], None],
        random: Random,
    ) -> None:
        self._core = core
        self._told = told
        self._random = random
        self._cursors = cursors
        self._gets: list[tuple[int, int, View]] = []
        self.clients: dict[int, Client] = {}
        self.looks = 0
        runtime, self.market = core.runtime, MarketView()
        candles = CandleBook()
        settings = msgspec.structs.replace(settings, resume_events_max=REMEMBERED_MAX)
        self.hub = make_hub(self.market, runtime, candles, settings, clock)
        self.hub.private.seed_from_records(runtime.durable_records(after=0), runtime.durable_seq)
        self.market.seed(core.state, now_us=runtime.now_us(), candles=candles)
        for listener in (self.market.listener, self.hub.listener):
            runtime.add_listener(listener)

    def connect(self) -> None:
        """A client for each trader who has none yet."""
        for account in self._core.state.accounts.values():
            if account.kind is AccountKind.USER and account.account_id not in self.clients:
                oldest_seq = self._core.runtime.journal.first_seq
                self.clients[account.account_id] = Client(
                    self.hub, account.account_id, self._cursors, oldest_seq
                )

    def cursors(self) -> Cursors:
        """How far all have read."""
        found = dict(self._cursors)
        for client in self.clients.values():
            found |= client.cursors()
        return found

    def seen_seq(self) -> int:
        """The highest sequence that any message or the public market has shown."""
        shown = [message.seq for client in self.clients.values() for message in client.socket.messages[-3:]]
        return max([*shown, *(view.depth_seq for view in self.market.symbols.values())], default=0)

    async def look(self, turns: int) -> None:
        """So many turns of reading something."""
        try:
            for _ in range(turns):
                self.connect()
                for client in self.clients.values():
                    client.socket.reads = self._random.random() < 0.7
                    if client.socket.reads:
                        client.socket.read()
                if self.clients and self._random.random() < 0.7:
                    await self._get(self._random.choice(list(self.clients)))
                await asyncio.sleep(self._random.choice(PAUSES_S))
        except (JournalError, KerbError):
            return

    async def _get(self, account_id: int) -> None:
        """As a handler answers a GET of engine state."""
        runtime = self._core.runtime
        seq, view = runtime.state.seq, view_of(runtime.state, account_id)
        await runtime.wait_durable(seq)
        self._gets.append((seq, account_id, view))
        self._told(seq)

    async def settle(self) -> None:
        """Everybody reads all that there is."""
        self.connect()
        for client in self.clients.values():
            client.socket.reads = True
            client.socket.read()
        self.hub.private.retry()
        for client in self.clients.values():
            client.socket.read()
        self.hub.private.retry()

    def leave(self) -> None:
        """The sockets end, and the hub's timer with them."""
        for client in self.clients.values():
            self.hub.detach(client.outlet)

    def check(self, history: History, genesis: Genesis, *, whole: bool) -> None:
        """What was seen is what the records say, message for message; all of it when the life ended in peace."""
        streams = PrivateStreams(self.hub.private._encoders, {}, REMEMBERED_MAX, self._core.state.accounts)
        streams.seed_from_records([decode_record(data) for data in history.records], len(history.records))
        for client in self.clients.values():
            for channel in CHANNELS:
                began = client.began[client.account_id, channel]
                stream = streams._streams.get((client.account_id, channel))
                expected = (
                    [entry for entry in stream.entries if entry.seq > began] if stream is not None else []
                )
                got = [message for message in client.socket.messages if message.channel == channel]
                is_all = whole and client.outlet.is_open
                self._compare(f"account {client.account_id} {channel}", got, expected, is_all=is_all)
                self.looks += len(got)
        for seq, account_id, view in self._gets:
            assert genesis.points[history.digests[seq]].views[account_id] == view, f"GET at {seq}"
        self.looks += len(self._gets)

    def _compare(
        self, who: str, got: Sequence[Told], expected: Sequence[Remembered], *, is_all: bool
    ) -> None:
        assert len(got) <= len(expected), f"{who} got {len(got)} messages of {len(expected)}"
        assert not is_all or len(got) == len(expected), f"{who} got {len(got)} messages of {len(expected)}"
        encoders = self.hub.private._encoders
        for place, (message, entry) in enumerate(zip(got, expected, strict=False)):
            assert (message.seq, message.more) == (entry.seq, entry.more), who
            assert bytes(message.data) == encoders[type(entry.event)](entry.event), f"{who} at {message.seq}"
            assert place == 0 or message.prev_seq == got[place - 1].seq, who
