"""Private streams: each account's events in order, never dropped, resumable from a bounded memory.

A stream is the events of one kind of one account. A message carries the journal sequence of its record and
`prev_seq`: between the two there is no other event of the stream. A client is a cursor into the stream, so a
client that is behind costs no memory of its own; one whose next event is no longer remembered is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any, Final

from msgspec import Struct

from engine.events import AnyEvent, BalanceChanged, BookChanged, OrderUpdated, Traded
from engine.kinds import OrderStatus
from engine.parking.records import Gate
from engine.state import Account
from server.codec import Record
from server.gate_stream import NO_GATES
from server.outlet import Outlet
from server.private_channels import BALANCE, NOTIFICATIONS, ORDERS, STREAMED, Told, reader_of, told_of
from server.wire import Wire
from server.ws_frames import CloseCode, binary_frame, text_frame
from sql.notifications import NO_ACCOUNTS, NOTABLE, PENDING, USER, notifications_of

WRITE_MAX_BYTES: Final = 262_144
"""What one client is written in one turn; the rest follows when the kernel has taken it."""

JOINED_MAX_BYTES: Final = 16_384
"""What is longer is not held back for what comes from another channel."""

STREAMS_PER_LIMIT: Final = 20
"""All streams together remember this many times what one of them may: who is closed for reading too slowly has missed
all that happened in `stream.slow_consumer_s`, and shall find it when it comes back.
"""

RECORDS_PER_LIMIT: Final = 5
"""At the start the memory is filled from this many times as many records; one holds several events."""

RETRIES_MAX: Final = 100
"""So many clients whose transports were full are tried again in one turn of the hub: thousands that do not read cost no
more than these.
"""

PROTO: Final = Wire.PROTO
STATUSES: Final = max(OrderStatus) + 1
UNTOLD: Final = (BookChanged, Traded)  # they come often and tell no account anything

Notable = list[AnyEvent] | None
EncodeEvent = Callable[[Any], bytes]
"""The JSON object of an event."""


class Remembered(Struct, gc=False):
    """An event of a stream. `more`: another event of the same record follows in this stream. `text`: its JSON, where
    that was made already.
    """

    seq: int
    prev_seq: int
    event: Told
    text: bytes | None
    more: bool = False


PackEvent = Callable[[Remembered], bytes]
"""The whole protobuf message of an event (server/kerb.proto, `Data`)."""


class PrivateStream:
    """The newest events of one account and channel. `count` is how many there were in all since the start.

    `evicted_seq`: nothing after this sequence has been forgotten.
    """

    __slots__ = ("channel", "count", "cursors", "entries", "evicted_seq", "key", "last_seq", "trimmed")

    def __init__(self, key: tuple[int, str], floor_seq: int) -> None:
        self.key, self.channel = key, key[1].partition(" ")[0]
        self.entries: deque[Remembered] = deque()
        self.count = 0
        self.evicted_seq = floor_seq
        self.last_seq = floor_seq
        self.trimmed = 0  # entries dropped here that still stand in the order of all
        self.cursors: dict[Cursor, None] = {}

    def forget_oldest(self) -> None:
        """Drop the oldest event."""
        self.evicted_seq = self.entries.popleft().seq

    def position_after(self, seq: int) -> int | None:
        """The number of the first event after `seq`; None when some of those are forgotten."""
        if seq < self.evicted_seq:
            return None
        return self.count - sum(1 for _ in takewhile(lambda entry: entry.seq > seq, reversed(self.entries)))

    def from_position(self, position: int) -> Iterator[Remembered]:
        """The events from a position on, oldest first; it must still be remembered."""
        newer = self.count - position
        older = len(self.entries) - newer
        if newer < older:
            return reversed(list(islice(reversed(self.entries), newer)))
        return islice(self.entries, older, None)


class Cursor:
    """How far one client has been told one stream: `position` is the number of its next event."""

    __slots__ = ("key", "outlet", "position", "stream")

    def __init__(self, key: tuple[int, str], stream: PrivateStream, outlet: Outlet, position: int) -> None:
        self.key = key
        self.stream = stream
        self.outlet = outlet
        self.position = position


class PrivateStreams:
    """The private streams of all accounts. `seq` is the newest durable record that was taken.

    `encoders` and `packers` make what is told of an event, by its type, each when somebody wants it in that form. `accounts`
    say who is a market maker (sql/notifications.py), `gates` in which car park a gate is.
    """

    __slots__ = (
        *(
            "_accounts",
            "_behind",
            "_encoders",
            "_floor_seq",
            "_full",
            "_gates",
            "_order",
            "_packers",
            "_per_stream_max",
        ),
        *("_prepared", "_reported", "_streams", "_total_max", "seq", "slow"),
    )

    def __init__(
        self,
        encoders: dict[type[Told], EncodeEvent],
        packers: dict[type[Told], PackEvent],
        events_max: int,
        accounts: Mapping[int, Account] = NO_ACCOUNTS,
        gates: Mapping[str, Gate] = NO_GATES,
    ) -> None:
        self._accounts = accounts
        self._gates = gates
        self._encoders = encoders
        self._packers = packers
        self._per_stream_max = events_max
        self._total_max = events_max * STREAMS_PER_LIMIT
        self._streams: dict[tuple[int, str], PrivateStream] = {}
        self._order: deque[tuple[int, str]] = deque()  # the stream of each remembered event, oldest first
        self._behind: dict[Cursor, None] = {}
        self._full: dict[Cursor, None] = {}
        self._floor_seq = 0
        self._prepared: dict[int, tuple[OrderUpdated, bytes]] = {}
        self._reported = [0] * STATUSES
        self.seq = 0
        self.slow = 0

    def __repr__(self) -> str:
        return (
            f"<PrivateStreams seq={self.seq} streams={len(self._streams)} events={len(self._order)}"
            f" behind={len(self._behind)} full={len(self._full)}>"
        )

    @property
    def is_behind(self) -> bool:
        """Whether any client still has events to be sent."""
        return bool(self._behind or self._full)

    def seed_from_records(self, records: Sequence[Record], applied_seq: int) -> None:
        """Fill the memory from the newest records of the journal, in order, up to `applied_seq`.

        What happened before the first of them counts as forgotten: resuming from there needs a resync.
        """
        self._floor_seq = records[0].seq - 1 if records else applied_seq
        self._remember(records)
        self._reported = [0] * STATUSES
        self.seq = applied_seq

    def ended(self, status: OrderStatus) -> int:
        """How many orders have ended so since the start. An order ends once; quotes count when they have traded."""
        return self._reported[status]

    def take(self, records: Sequence[Record]) -> None:
        """Remember newly durable events and send them to who is waiting for them."""
        self._remember(records)
        if self._behind:
            self.send_behind()

    def has_readers(self, account_id: int, channel: str) -> bool:
        """Whether anybody follows a channel of an account."""
        stream = self._streams.get((account_id, channel))
        return stream is not None and bool(stream.cursors)

    def prepare(self, seq: int, event: OrderUpdated, text: bytes) -> None:
        """The JSON of an event of the record `seq`, not durable yet, from whom has made it to answer a command: it is
        the most expensive part of telling somebody of it.
        """
        if seq > self.seq:
            self._prepared[seq] = (event, text)

    def _remember(self, records: Sequence[Record]) -> None:
        """Each event in the stream of the account it names. A notification is made of its whole record, of an order's report
        too (sql/notifications.py); a bust is also told in `orders`, to both sides.
        """
        prepared, reported = self._prepared, self._reported
        for record in records:
            seq = record.seq
            made = prepared.pop(seq, None) if prepared else None
            notable: Notable = None
            for event in record.events:
                if type(event) is OrderUpdated:
                    text = made[1] if made is not None and made[0] is event else None
                    self._add((event.account_id, ORDERS), seq, event, text)
                    if event.status is not PENDING:
                        reported[event.status] += 1
                    elif event.special is None:
                        continue
                    if event.reason is not USER:
                        notable = [event] if notable is None else [*notable, event]
                elif type(event) in UNTOLD:
                    continue
                elif type(event) is BalanceChanged:
                    self._add((event.account_id, BALANCE), seq, event, None)
                else:
                    notable = self._remember_rare(record, event, notable)
            if notable is not None:
                for told in notifications_of(record, notable, self._accounts):
                    self._add((told.account_id, NOTIFICATIONS), seq, told, None)
            self.seq = seq

    def _remember_rare(self, record: Record, event: AnyEvent, notable: Notable) -> Notable:
        if type(event) in NOTABLE:
            notable = [*(notable or ()), event]
        for key, told in told_of(record, event, self._gates) if type(event) in STREAMED else ():
            self._add(key, record.seq, told, None)
        return notable

    def _add(self, key: tuple[int, str], seq: int, event: Told, text: bytes | None) -> None:
        """Append an event of the record `seq` to a stream."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._stream(key)
        entries, last_seq = stream.entries, stream.last_seq
        if last_seq == seq and entries:
            entries[-1].more = True
        entries.append(Remembered(seq, last_seq, event, text))
        stream.last_seq = seq
        stream.count += 1
        self._order.append(stream.key)  # the same each time: a tuple less to keep and to look through
        if len(entries) > self._per_stream_max:
            stream.forget_oldest()
            stream.trimmed += 1
        if len(self._order) > self._total_max:
            self._forget_oldest()
        if stream.cursors:
            self._behind.update(stream.cursors)

    def _stream(self, key: tuple[int, str]) -> PrivateStream:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = PrivateStream(key, self._floor_seq)
        return stream

    def _forget_oldest(self) -> None:
        key = self._order.popleft()
        stream = self._streams[key]
        if stream.trimmed:
            stream.trimmed -= 1
        else:
            stream.evicted_seq = seq = stream.entries.popleft().seq
            if seq > self._floor_seq:
                self._floor_seq = seq
        if not stream.entries:
            self._drop_if_idle(key, stream)

    def _drop_if_idle(self, key: tuple[int, str], stream: PrivateStream) -> None:
        """Let go of a stream that remembers nothing and that nobody reads."""
        if not stream.entries and not stream.cursors and not stream.trimmed:
            self._floor_seq = max(self._floor_seq, stream.evicted_seq)
            del self._streams[key]

    # -- clients

    def subscribe(self, outlet: Outlet, channel: str, resume_from: int | None) -> int | None:
        """Let a client follow a channel of its account, from after `resume_from` or from now.

        Returns the sequence up to which the client is taken to know everything, None when that cannot be
        served: the events are forgotten, or the sequence lies in the future. Nothing is sent before the next
        `send_behind`.
        """
        key = (reader_of(channel, outlet.account_id), channel)
        stream = self._stream(key)
        position: int | None = stream.count
        if resume_from is not None:
            position = stream.position_after(resume_from) if resume_from <= self.seq else None
        if position is None:
            self._drop_if_idle(key, stream)
            return None
        self.unsubscribe(outlet, channel)
        cursor = Cursor(key, stream, outlet, position)
        self._streams[key] = stream
        stream.cursors[cursor] = None
        outlet.cursors[channel] = cursor
        if position < stream.count:
            self._behind[cursor] = None
        return self.seq if resume_from is None else resume_from

    def unsubscribe(self, outlet: Outlet, channel: str) -> bool:
        """Stop following a channel. False when the client did not follow it."""
        cursor = outlet.cursors.pop(channel, None)
        if cursor is None:
            return False
        del cursor.stream.cursors[cursor]
        self._behind.pop(cursor, None)
        self._full.pop(cursor, None)
        self._drop_if_idle(cursor.key, cursor.stream)
        return True

    def retry(self) -> list[Outlet]:
        """Send what is due, also to clients that could not take it before. Returns those that still cannot."""
        for cursor in list(islice(self._full, RETRIES_MAX)):
            del self._full[cursor]
            if cursor.position < cursor.stream.count:
                self._behind[cursor] = None
        return self.send_behind()

    def send_behind(self) -> list[Outlet]:
        """Send what is due to every client whose transport is empty. Returns the clients that could not take it: they
        wait for `retry`, or for the next event of their stream.

        A client whose next event is no longer remembered is closed: it comes back and resyncs. Clients at
        the same place share their bytes when they get them in the same form. What one client gets of several channels
        goes out in one write, as the kernel's send costs more than all else.
        """
        full = []
        due: dict[Outlet, bytes] = {}
        chunks: dict[tuple[PrivateStream, int, bool], tuple[int, bytes]] = {}
        for cursor in list(self._behind):
            outlet = cursor.outlet
            if not outlet.is_open:
                del self._behind[cursor]
            elif outlet.unsent_bytes():
                full.append(outlet)
                del self._behind[cursor]
                self._full[cursor] = None
            elif cursor.position < cursor.stream.count - len(cursor.stream.entries):
                if outlet.close(CloseCode.SLOW_CONSUMER, "too far behind"):
                    self.slow += 1
                del self._behind[cursor]
            else:
                place = (cursor.stream, cursor.position, outlet.wire is PROTO)
                chunk = chunks.get(place)
                if chunk is None:
                    chunk = chunks[place] = self._chunk(*place)
                cursor.position = chunk[0]
                frames = chunk[1]
                if (
                    len(outlet.cursors) > 1
                    and len(frames := due.pop(outlet, b"") + frames) < JOINED_MAX_BYTES
                ):
                    due[outlet] = frames
                else:
                    outlet.write(frames)
                if cursor.position == cursor.stream.count:
                    del self._behind[cursor]
        for outlet, frames in due.items():
            outlet.write(frames)
        return full

    def _chunk(self, stream: PrivateStream, position: int, is_packed: bool) -> tuple[int, bytes]:
        """The next events of a stream as frames, at most about `WRITE_MAX_BYTES`, and the position after them."""
        frames = []
        size = 0
        for entry in stream.from_position(position):
            if is_packed:
                frame = binary_frame(self._packers[type(entry.event)](entry))
            else:
                frame = self._frame(stream.channel, entry)
            frames.append(frame)
            size += len(frame)
            if size >= WRITE_MAX_BYTES:
                break
        return position + len(frames), b"".join(frames)

    def _frame(self, channel: str, entry: Remembered) -> bytes:
        data = entry.text or self._encoders[type(entry.event)](entry.event)
        more = b',"more":true' if entry.more else b""
        return text_frame(
            b'{"channel":"%b","seq":%d,"prev_seq":%d%b,"data":%b}'
            % (channel.encode(), entry.seq, entry.prev_seq, more, data)
        )
