"""The hub: everything that is sent to WebSocket clients, driven by one timer and by the durable records.

Market data is conflated (server/cohorts.py), private events are never dropped (server/private_streams.py),
and answers to commands wait here until what they answer is durable.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Transport
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from config.settings import StreamSettings
from engine.parking.records import Gate
from engine.state import Account
from server.candle_streams import CandleSeries, CandleStreams
from server.clock import Clock
from server.codec import Record
from server.cohorts import CLIENTS_MAX, SLOT_MS, CohortWheel, snapshot_frames
from server.connection_care import TURN_MS, ConnectionCare
from server.depth_log import DepthLog
from server.gate_stream import NO_GATES
from server.live_values import LiveValues, ValueOf
from server.market_view import MarketView
from server.outlet import Follows, Outlet
from server.principal import Principal
from server.private_channels import Told
from server.private_streams import EncodeEvent, PackEvent, PrivateStreams
from server.ws_frames import CloseCode, text_frame
from sql.notifications import NO_ACCOUNTS

_log = logging.getLogger("kerb.stream")

_SLOT_S: Final = SLOT_MS / 1000
_ROUNDED_S: Final = 0.0005
"""The loop's timers round to milliseconds: one that fires before the slot's time would be set again and again."""

_TURN_MAX_S: Final = 0.001
"""After so long the hub lets others run before it goes on with the slots that are due."""

_FRAMES_MAX: Final = CLIENTS_MAX
"""The same after so many frames: the loop sends them when the turn is over, which no clock in it can see. An order that has
come needs several turns of the loop until it is answered, so it waits for several times as many frames.
"""

CONNECTIONS_PER_USER_MAX: Final = 32
"""One more signed-in connection of a user closes the oldest one with 4409."""

COUNTED: Final = (DepthLog, CandleSeries)
"""Sources that are kept up only while somebody follows them."""

_SHUTDOWN_FRAME: Final = text_frame(
    b'{"type":"shutdown","message":"The server restarts, come back in a moment."}'
)


class Hub:
    """All clients. `attach` and `detach` frame a connection's life; both are called by its session.

    `encoders` make the JSON object of a private event, `packers` its protobuf message, by the event's type.
    """

    def __init__(
        self,
        market: MarketView,
        settings: StreamSettings,
        encoders: Mapping[type[Told], EncodeEvent],
        packers: Mapping[type[Told], PackEvent],
        clock: Clock,
        candles: CandleStreams,
        value_of: ValueOf,
        accounts: Mapping[int, Account] = NO_ACCOUNTS,
        gates: Mapping[str, Gate] = NO_GATES,
    ) -> None:
        self.market = market
        self.candles = candles
        self.settings = settings
        self.private = PrivateStreams(
            dict(encoders), dict(packers), settings.resume_events_max, accounts, gates
        )
        self.care = ConnectionCare(settings, clock)
        self.wheel = CohortWheel(market, settings.interval_max_ms)
        self.values = LiveValues(market, value_of, self.when_durable, SLOT_MS, settings.interval_max_ms)
        self.outlets: dict[Outlet, None] = {}
        self.frames_written = 0
        self.is_shutting_down = False
        self._ending: dict[object, None] = {}
        self._orders_ended: asyncio.Event | None = None
        self._by_session: dict[int, dict[Outlet, None]] = {}
        self._by_user: dict[int, dict[Outlet, None]] = {}
        self._answers: deque[tuple[int, Callable[[], None]]] = deque()
        self._timer: asyncio.Handle | None = None
        self._origin_s = 0.0
        self._emptied: asyncio.Event | None = None

    def __repr__(self) -> str:
        return (
            f"<Hub clients={len(self.outlets)} cohorts={len(self.wheel.cohorts)} stuck={len(self.care.stuck)}"
            f" answers={len(self._answers)} {self.private!r}>"
        )

    @property
    def is_running(self) -> bool:
        """Whether the timer runs: it does while anybody is connected."""
        return self._timer is not None

    @property
    def slow(self) -> int:
        """How many connections were closed with 4408: stuck for too long, or their next private event forgotten."""
        return self.care.slow + self.private.slow

    # -- connections

    def attach(self, transport: Transport) -> Outlet | None:
        """Take a connection in. None when there are too many, or when the server is shutting down."""
        if self.is_shutting_down or len(self.outlets) >= self.settings.connections_max:
            return None
        loop = asyncio.get_running_loop()
        outlet = Outlet(transport, self.settings.interval_ms, self.care.closing)
        outlet.seen = self.market.changes
        self.outlets[outlet] = None
        self.care.admit(outlet, loop.time())
        if self._timer is None:
            self._origin_s = loop.time() - self.wheel.tick * _SLOT_S
            self._timer = loop.call_later(_SLOT_S, self._turn)
        return outlet

    def detach(self, outlet: Outlet) -> None:
        """Let a connection go. The timer stops with the last one."""
        outlet.is_open = False
        outlet.end()
        self.unfollow_market(outlet, {channel: tuple(names) for channel, names in outlet.follows.items()})
        for channel in list(outlet.cursors):
            self.private.unsubscribe(outlet, channel)
        self.values.unfollow(outlet)
        self.care.forget(outlet)
        _discard(self._by_session, outlet.session_id, outlet)
        _discard(self._by_user, outlet.user_id, outlet)
        del self.outlets[outlet]
        if not self.outlets:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._emptied is not None:
                self._emptied.set()

    def sign_in(self, outlet: Outlet, principal: Principal) -> bool:
        """Say whose connection it is; a new token of the same user moves its end. False for another user."""
        if outlet.user_id and outlet.user_id != principal.user_id:
            return False
        _discard(self._by_session, outlet.session_id, outlet)
        outlet.user_id = principal.user_id
        outlet.account_id = principal.account_id
        outlet.session_id = principal.session_id
        outlet.principal = principal
        self._by_session.setdefault(principal.session_id, {})[outlet] = None
        self._make_room(outlet)
        self.care.expire_at(outlet, principal.expires_s)
        self.care.prove(outlet)
        return True

    def _make_room(self, outlet: Outlet) -> None:
        """A user has so many connections; the newest one replaces the oldest."""
        mine = self._by_user.setdefault(outlet.user_id, {})
        mine[outlet] = None
        if len(mine) > CONNECTIONS_PER_USER_MAX:
            oldest = next(iter(mine))
            del mine[oldest]
            oldest.close(CloseCode.REPLACED, "replaced by a newer connection")

    def close_session(self, session_id: int) -> None:
        """A session was revoked: close its connections at once."""
        for outlet in self._by_session.get(session_id, {}):
            outlet.close(CloseCode.NOT_AUTHENTICATED, "the session was revoked")

    def close_user(
        self,
        user_id: int,
        code: CloseCode,
        reason: str,
        *,
        unless: Callable[[Principal], bool] = lambda _: False,
    ) -> None:
        """Close a user's connections at once, but for those whose caller is spared."""
        for outlet in self._by_user.get(user_id, {}):
            if outlet.principal is None or not unless(outlet.principal):
                outlet.close(code, reason)

    # -- what clients follow

    def follow_market(self, outlet: Outlet, wanted: Follows, interval_ms: int) -> None:
        """Add to what a client follows and set its cadence. What was added is sent at once, as a snapshot.

        What the client had not been told of what it followed before goes out first, so nothing is told twice.
        """
        if outlet.cohort is not None:
            outlet.write(outlet.cohort.frame(outlet.seen))
        for channel, sources in wanted.items():
            known = outlet.follows.setdefault(channel, {})
            for name, source in sources.items():
                if name not in known and isinstance(source, COUNTED):
                    source.join(self.market.changes)
            known.update(sources)
        outlet.seen = self.market.changes
        outlet.write(snapshot_frames(wanted, outlet.wire))
        outlet.interval_ms = interval_ms
        self.wheel.place(outlet)
        self.care.prove(outlet)

    def unfollow_market(self, outlet: Outlet, unwanted: Mapping[str, Sequence[str]]) -> None:
        """Take names away from what a client follows, by channel; those it does not follow are ignored."""
        for channel, names in unwanted.items():
            known = outlet.follows.get(channel, {})
            for name in names:
                source = known.pop(name, None)
                if isinstance(source, COUNTED):
                    source.leave()
        self.wheel.place(outlet)

    def follow_value(self, outlet: Outlet, interval_ms: int) -> None:
        """Tell a client what its account is worth, at once and when that has changed; set its cadence."""
        outlet.interval_ms = interval_ms
        self.wheel.place(outlet)
        self.values.follow(outlet)

    def when_durable(self, seq: int, answer: Callable[[], None]) -> None:
        """Call `answer` once the record `seq` is durable; at once when it is."""
        if seq <= self.private.seq:
            answer()
        else:
            self._answers.append((seq, answer))

    # -- what drives the hub

    def listener(self, records: Sequence[Record]) -> None:
        """Newly durable records, in order: private events go out, then the answers that waited for them."""
        self.private.take(records)
        self.values.take(records)
        answers = self._answers
        durable_seq = self.private.seq
        while answers and answers[0][0] <= durable_seq:
            answers.popleft()[1]()

    def _turn(self) -> None:
        """Serve the slots that are due, at most `_TURN_MAX_S` and about `_FRAMES_MAX` in one go."""
        loop = asyncio.get_running_loop()
        started_s = now_s = loop.time()
        wheel = self.wheel
        due = int((now_s - self._origin_s) / _SLOT_S)
        if (
            due - wheel.tick > wheel.slots
        ):  # the process was stopped or overloaded: lost turns are not made up for
            self._origin_s = now_s - (wheel.tick + 1) * _SLOT_S
            due = wheel.tick + 1
        written = 0
        while wheel.is_serving or wheel.tick < due:
            if wheel.is_serving:
                written += wheel.serve_some(now_s, self.care.stuck)
            else:
                self._advance(now_s)
            now_s = loop.time()
            if written >= _FRAMES_MAX or now_s - started_s > _TURN_MAX_S:
                break
        self.frames_written += written
        if wheel.is_serving or wheel.tick < due:
            self._timer = loop.call_soon(self._turn)
        else:
            wait_s = self._origin_s + (wheel.tick + 1) * _SLOT_S - now_s
            self._timer = loop.call_later(wait_s + _ROUNDED_S, self._turn)

    def _advance(self, now_s: float) -> None:
        """The next slot has come: see what is due in it, all but the clients of the wheel."""
        self.candles.turn(SLOT_MS)
        self.wheel.advance()
        self.values.turn(now_s, self.care.stuck)
        self.care.ping(now_s)
        if self.wheel.tick % (TURN_MS // SLOT_MS) == 0:
            self.care.turn(now_s)
        if self.private.is_behind:
            for outlet in self.private.retry():
                self.care.mark_stuck(outlet, now_s)

    # -- the end

    async def end_orders(self) -> None:
        """The server is about to stop: cancel what is to be cancelled with its connection, while commands are taken."""
        for outlet in self.outlets:
            outlet.end()
        if self._ending:
            self._orders_ended = asyncio.Event()
            await self._orders_ended.wait()

    def ending(self, tied: object) -> None:
        """Orders of a connection that has ended are about to be cancelled; `ended` follows."""
        self._ending[tied] = None

    def ended(self, tied: object) -> None:
        """They are."""
        del self._ending[tied]
        if not self._ending and self._orders_ended is not None:
            self._orders_ended.set()

    async def shutdown(self, timeout_s: float) -> None:
        """Announce the end to every client, give the answers that are due, close with 1012, and wait until all
        have gone or the time is up.
        """
        self.is_shutting_down = True
        if not self.outlets:
            return
        _log.info("closing %d streams", len(self.outlets))
        self._emptied = asyncio.Event()
        for outlet in self.outlets:
            outlet.write(_SHUTDOWN_FRAME)
        try:
            async with asyncio.timeout(timeout_s):
                await self._answered()
                for outlet in self.outlets:
                    outlet.close(CloseCode.RESTART, "restart")
                await self._emptied.wait()
        except TimeoutError:
            for outlet in self.outlets:
                outlet.transport.abort()

    async def _answered(self) -> None:
        """Come back when what waits for the disk now has been answered."""
        if self._answers:
            answered = asyncio.Event()
            self._answers.append((self._answers[-1][0], answered.set))
            await answered.wait()


def _discard(index: dict[int, dict[Outlet, None]], key: int, outlet: Outlet) -> None:
    """Take a connection out of an index of connections."""
    bucket = index.get(key)
    if bucket is not None:
        bucket.pop(outlet, None)
        if not bucket:
            del index[key]
