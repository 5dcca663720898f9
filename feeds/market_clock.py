"""The market's clock: wall time, or a recorded day that passes at a chosen speed. It stamps commands and candles."""

from __future__ import annotations

from typing import Final, Protocol

SPEED_MAX: Final = 1_000


class WallSource(Protocol):
    """What the market clock needs of the machine's clock (server.clock.WallClock)."""

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC; may go back."""
        ...

    def elapsed_us(self) -> int:
        """Microseconds since an arbitrary moment; never goes back."""
        ...


class MarketClock:
    """Wall time, or `base_us` + elapsed wall time x speed. What `now_us` has shown it never takes back."""

    __slots__ = ("_base_us", "_paused", "_replay", "_shown_us", "_since_us", "_speed", "_wall")

    def __init__(self, wall: WallSource, *, base_us: int | None = None, speed: int = 1) -> None:
        """With `base_us` a replay that stands at that time now; without, wall time. Speed 1 to 1 000."""
        self._wall = wall
        self._replay = base_us is not None
        self._base_us = base_us or 0
        self._since_us = wall.elapsed_us()
        self._speed = _checked(speed)
        self._paused = False
        self._shown_us = 0

    def __repr__(self) -> str:
        if not self._replay:
            return "MarketClock(wall)"
        state = "paused" if self._paused else f"{self._speed}x"
        return f"MarketClock(replay {state}, {self._shown_us})"

    @property
    def is_replay(self) -> bool:
        """Whether a recorded day is shown instead of wall time."""
        return self._replay

    @property
    def speed(self) -> int:
        """Market time per wall time."""
        return self._speed if self._replay else 1

    @property
    def is_paused(self) -> bool:
        """Whether a replay's time stands still."""
        return self._paused

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC; never less than the last answer."""
        now_us = self._replayed_us() if self._replay else self._wall.now_us()
        if now_us > self._shown_us:
            self._shown_us = now_us
        return self._shown_us

    def pause(self) -> None:
        """Lets a replay's time stand still. Wall time cannot: ValueError."""
        self._need_replay()
        self._rebase(self.now_us())
        self._paused = True

    def resume(self) -> None:
        """Lets it pass again, from where it stood."""
        self._need_replay()
        self._rebase(self.now_us())
        self._paused = False

    def set_speed(self, speed: int) -> None:
        """Changes a replay's speed from now on; 1 to 1 000, else ValueError."""
        self._need_replay()
        self._rebase(self.now_us())
        self._speed = _checked(speed)

    def restart_from(self, time_us: int) -> None:
        """Jumps ahead to a time, as after a restart of the process. ValueError for a time before the last one shown."""
        self._need_replay()
        if time_us < self._shown_us:
            raise ValueError("the market clock never goes back")
        self._rebase(time_us)

    def _replayed_us(self) -> int:
        if self._paused:
            return self._base_us
        return self._base_us + (self._wall.elapsed_us() - self._since_us) * self._speed

    def _rebase(self, base_us: int) -> None:
        self._base_us = base_us
        self._since_us = self._wall.elapsed_us()

    def _need_replay(self) -> None:
        if not self._replay:
            raise ValueError("only a replay's clock can be set")


def _checked(speed: int) -> int:
    if not 1 <= speed <= SPEED_MAX:
        raise ValueError(f"a replay's speed is 1 to {SPEED_MAX}")
    return speed
