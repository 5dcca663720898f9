"""One client's way out: everything that is sent on a WebSocket goes through its outlet, one whole frame a write.

The server's event loop is the only writer and a write never waits, so frames cannot interleave, neither with
each other nor with those few that aiohttp writes itself when a peer breaks the protocol.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from server.wire import Wire
from server.ws_frames import CloseCode, close_frame, text_frame

if TYPE_CHECKING:
    from server.cohorts import Cohort
    from server.live_values import ValueFollower
    from server.principal import Principal
    from server.private_streams import Cursor


Follows = dict[str, dict[str, Any]]
"""Public channel → name → what the channel shows: server/cohorts.py knows the types."""


class Outlet:
    """A connection as the hub sees it. The hub and the session share it; nobody else writes to the transport.

    `wire` is the form in which the client gets data; it stands before anything is followed. `follows` holds what it
    follows of the public channels. `seen` is the market change up to which it has been told everything. `stuck_since`
    is the loop time since when its transport has held unsent bytes, 0 when it does not. `expires_s` is wall-clock time,
    0 while nobody has signed in. `closing` is the hub's list of connections whose close frame is out; `cut_at_s` the
    loop time when such a one is cut. `on_end` is called when our close frame goes out, or when the connection ends
    without one.
    """

    __slots__ = (
        "account_id",
        "close_code",
        "closing",
        "cohort",
        "cursors",
        "cut_at_s",
        "expires_s",
        "follows",
        "interval_ms",
        "is_open",
        "on_end",
        "ping_bucket",
        "pings_unanswered",
        "principal",
        "seen",
        "session_id",
        "stuck_since",
        "transport",
        "user_id",
        "value",
        "wire",
    )

    def __init__(self, transport: Transport, interval_ms: int, closing: dict[Outlet, None]) -> None:
        self.transport = transport
        self.interval_ms = interval_ms
        self.wire = Wire.JSON
        self.closing = closing
        self.cut_at_s = 0.0
        self.is_open = True
        self.close_code = 0
        self.on_end: Callable[[], None] | None = None
        self.seen = 0
        self.follows: Follows = {}
        self.cohort: Cohort | None = None
        self.cursors: dict[str, Cursor] = {}
        self.value: ValueFollower | None = None
        self.stuck_since = 0.0
        self.ping_bucket = 0
        self.pings_unanswered = 0
        self.user_id = 0
        self.account_id = 0
        self.session_id = 0
        self.expires_s = 0
        self.principal: Principal | None = None

    def __repr__(self) -> str:
        state = "open" if self.is_open else f"closed {self.close_code}"
        return (
            f"<Outlet {state} user_id={self.user_id} follows={self.follow_count()}"
            f" private={','.join(self.cursors)} unsent={self.unsent_bytes()}>"
        )

    def follow_count(self) -> int:
        """How many sources of public channels the client follows."""
        return sum(len(sources) for sources in self.follows.values())

    def unsent_bytes(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self.transport.get_write_buffer_size()

    def write(self, frame: bytes) -> None:
        """Write a whole frame, or several; nothing once the connection is closed."""
        if self.is_open and not self.transport.is_closing():
            self.transport.write(frame)

    def send(self, payload: bytes) -> None:
        """Write a text message."""
        self.write(text_frame(payload))

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Write the close frame; what is written afterwards goes nowhere. False when it was closed before.

        The connection itself stays until the peer answers; the hub cuts it when that takes too long.
        """
        if not self.is_open:
            return False
        self.write(close_frame(code, reason))
        self.is_open = False
        self.close_code = int(code)
        self.closing[self] = None
        self.end()
        return True

    def end(self) -> None:
        """Nothing the client says counts any more: call `on_end`, once, however often and for whatever reason."""
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()
