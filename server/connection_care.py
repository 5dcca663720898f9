"""What time does to connections: pings, sign-in deadlines, expired sessions, slow clients, unanswered closes.

One turn of the hub's wheel serves all of them; no connection has a timer of its own.
"""

from __future__ import annotations

from typing import Final

from config.settings import StreamSettings
from server.clock import Clock
from server.outlet import Outlet
from server.ws_frames import PING_FRAME, CloseCode

TURN_MS: Final = 250
"""Time between two turns."""

PING_MS: Final = 5
"""Those who are pinged in one go are those whose time comes within so long: a few, even of thousands who came together."""

FAREWELL_S: Final = 30.0
"""How long a peer may take to answer a close frame before it is cut."""

PINGS_UNANSWERED_MAX: Final = 2
"""A peer that has not been heard of for so many pings is gone."""


class ConnectionCare:
    """`stuck`: connections with unsent bytes. `closing`: those whose close frame is out."""

    __slots__ = (
        "_bucket",
        "_clock",
        "_expiries",
        "_ping_ring",
        "_settings",
        "_spread",
        "_unproven",
        "closing",
        "expired",
        "lost",
        "slow",
        "stuck",
    )

    def __init__(self, settings: StreamSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._ping_ring: list[dict[Outlet, None]] = [{} for _ in range(settings.ping_s * 1000 // PING_MS)]
        self._bucket = 0
        self._spread = 0
        self._unproven: dict[Outlet, float] = {}
        self._expiries: dict[int, dict[Outlet, None]] = {}  # by wall-clock second
        self.stuck: dict[Outlet, None] = {}
        self.closing: dict[Outlet, None] = {}
        self.slow = 0
        self.expired = 0
        self.lost = 0

    def admit(self, outlet: Outlet, now_s: float) -> None:
        """Look after a new connection. Its first ping is almost a whole period away; many arrivals are spread."""
        self._spread = (self._spread + 1) % (len(self._ping_ring) // 8 + 1)
        outlet.ping_bucket = (self._bucket - self._spread) % len(self._ping_ring)
        self._ping_ring[outlet.ping_bucket][outlet] = None
        self._unproven[outlet] = now_s + self._settings.auth_timeout_s

    def prove(self, outlet: Outlet) -> None:
        """The client has signed in or subscribed to something public: its sign-in deadline falls away."""
        self._unproven.pop(outlet, None)

    def expire_at(self, outlet: Outlet, expires_s: int) -> None:
        """Close the connection at that time; an earlier decision falls away."""
        self._forget_expiry(outlet)
        outlet.expires_s = expires_s
        self._expiries.setdefault(expires_s, {})[outlet] = None

    def _forget_expiry(self, outlet: Outlet) -> None:
        bucket = self._expiries.get(outlet.expires_s)
        if bucket is not None:
            bucket.pop(outlet, None)
            if not bucket:
                del self._expiries[outlet.expires_s]

    def mark_stuck(self, outlet: Outlet, now_s: float) -> None:
        """Remember since when a connection has had unsent bytes."""
        if not outlet.stuck_since:
            outlet.stuck_since = now_s
            self.stuck[outlet] = None

    def forget(self, outlet: Outlet) -> None:
        """The connection is gone."""
        del self._ping_ring[outlet.ping_bucket][outlet]
        self._forget_expiry(outlet)
        self._unproven.pop(outlet, None)
        self.stuck.pop(outlet, None)
        self.closing.pop(outlet, None)

    def turn(self, now_s: float) -> None:
        """Do what is due, but for pings."""
        self._check_stuck(now_s)
        self._check_unproven(now_s)
        self._check_expired()
        self._cut(now_s)

    def ping(self, now_s: float) -> None:
        """`PING_MS` have passed: ping those whose time has come, and cut those who did not answer for too long."""
        self._bucket = (self._bucket + 1) % len(self._ping_ring)
        for outlet in self._ping_ring[self._bucket]:
            if outlet.unsent_bytes():
                self.mark_stuck(outlet, now_s)
            elif outlet.pings_unanswered >= PINGS_UNANSWERED_MAX:
                self.lost += 1
                outlet.is_open = False
                outlet.transport.abort()
            else:
                outlet.pings_unanswered += 1
                outlet.write(PING_FRAME)

    def _check_stuck(self, now_s: float) -> None:
        for outlet in list(self.stuck):
            if not outlet.unsent_bytes():
                outlet.stuck_since = 0.0
                del self.stuck[outlet]
            elif now_s - outlet.stuck_since >= self._settings.slow_consumer_s:
                del self.stuck[outlet]
                if outlet.close(CloseCode.SLOW_CONSUMER, "slow consumer"):
                    self.slow += 1

    def _check_unproven(self, now_s: float) -> None:
        while self._unproven:
            outlet, deadline_s = next(iter(self._unproven.items()))
            if deadline_s > now_s:
                return
            del self._unproven[outlet]
            outlet.close(CloseCode.NOT_AUTHENTICATED, "sign in or subscribe")

    def _check_expired(self) -> None:
        now_s = self._clock.now_us() // 1_000_000
        while self._expiries and (first_s := min(self._expiries)) <= now_s:
            for outlet in self._expiries.pop(first_s):
                if outlet.close(CloseCode.NOT_AUTHENTICATED, "the session has expired"):
                    self.expired += 1

    def _cut(self, now_s: float) -> None:
        for outlet in list(self.closing):
            if not outlet.cut_at_s:
                outlet.cut_at_s = now_s + FAREWELL_S
            elif now_s >= outlet.cut_at_s:
                outlet.transport.abort()
                del self.closing[outlet]
