"""Rate limits by user and by address: a token bucket each, bounded in number.

A bucket is one number, the time at which it will be full again (the generic cell rate algorithm): a call moves
it by one interval and is refused when that would be more than a whole period ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Final

from msgspec import Struct

from config.settings import LimitSettings
from server.principal import Principal, Role

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
_NS: Final = 1_000_000_000


class LimitClass(Enum):
    """What is counted together."""

    NONE = "none"
    CALLS = "calls"
    ORDERS = "orders"
    PORTFOLIO = "portfolio"
    REGISTRATION = "registration"
    LOGIN = "login"
    READINGS = "readings"

    __hash__ = object.__hash__  # Enum's own takes a call to Python's for each lookup


class Verdict(Struct, frozen=True, gc=False):
    """What a limit said to one call. `reset_s` is when the bucket is full again, `retry_after_s` 0 if it passed."""

    limit: int
    remaining: int
    reset_s: int
    retry_after_s: float


class Rate:
    """So many calls in a period: one each `interval_ns`, and `burst_ns` of them at once."""

    __slots__ = ("burst_ns", "calls", "interval_ns")

    def __init__(self, calls: int, period_s: int) -> None:
        self.calls = calls
        self.interval_ns = period_s * _NS // calls
        self.burst_ns = self.interval_ns * calls


class RateLimiter:
    """All buckets of one class."""

    __slots__ = ("_buckets_max", "_clock_ns", "_full_at_ns")

    def __init__(self, *, buckets_max: int, clock_ns: Callable[[], int]) -> None:
        self._buckets_max = buckets_max
        self._clock_ns = clock_ns
        self._full_at_ns: dict[int | str, int] = {}

    def take(self, key: int | str, rate: Rate) -> Verdict:
        """Count one call of `key`. A call that is over the limit costs nothing."""
        now_ns = self._clock_ns()
        interval_ns = rate.interval_ns
        full_at_ns = self._full_at_ns.get(key, 0)
        if full_at_ns <= now_ns:
            ahead_ns = interval_ns
            if not full_at_ns and len(self._full_at_ns) >= self._buckets_max:
                self._make_room(now_ns)
        else:
            ahead_ns = full_at_ns - now_ns + interval_ns
            if ahead_ns > rate.burst_ns:
                waiting_ns = ahead_ns - interval_ns
                return Verdict(rate.calls, 0, -(-waiting_ns // _NS), (ahead_ns - rate.burst_ns) / _NS)
        self._full_at_ns[key] = now_ns + ahead_ns
        return Verdict(rate.calls, rate.calls - -(-ahead_ns // interval_ns), -(-ahead_ns // _NS), 0.0)

    def _make_room(self, now_ns: int) -> None:
        """Forget the buckets that are full; if none is, the one that was made first."""
        self._full_at_ns = {key: at_ns for key, at_ns in self._full_at_ns.items() if at_ns > now_ns}
        if len(self._full_at_ns) >= self._buckets_max:
            del self._full_at_ns[next(iter(self._full_at_ns))]


class RateLimits:
    """The limits of the profile in force (config `[limits]`)."""

    def __init__(self, settings: LimitSettings, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._limiters = {
            limit_class: RateLimiter(buckets_max=settings.buckets_max, clock_ns=clock_ns)
            for limit_class in LimitClass
        }
        self._calls = Rate(settings.calls_per_minute, MINUTE_S)
        self._calls_premium = Rate(settings.calls_premium_per_minute, MINUTE_S)
        self._orders = Rate(settings.orders_per_minute, MINUTE_S)
        self._orders_premium = Rate(settings.orders_premium_per_minute, MINUTE_S)
        self._orders_market_maker = Rate(settings.orders_market_maker_per_minute, MINUTE_S)
        self._orders_api_key = Rate(settings.orders_api_key_per_minute, MINUTE_S)
        self._portfolio = Rate(settings.portfolio_per_minute, MINUTE_S)
        self._by_address = {
            LimitClass.REGISTRATION: Rate(settings.registrations_per_hour, HOUR_S),
            LimitClass.LOGIN: Rate(settings.logins_per_minute, MINUTE_S),
            LimitClass.READINGS: Rate(settings.readings_per_minute, MINUTE_S),
            LimitClass.CALLS: self._calls,
        }

    def take_user(self, limit_class: LimitClass, principal: Principal) -> Verdict:
        """Count a signed-in call; each API key counts by itself."""
        counted = -principal.key_id or principal.user_id
        return self._limiters[limit_class].take(counted, self._rate(limit_class, principal))

    def take_address(self, limit_class: LimitClass, address: str) -> Verdict:
        """Count a call of somebody who has not signed in."""
        return self._limiters[limit_class].take(address, self._by_address[limit_class])

    def _rate(self, limit_class: LimitClass, principal: Principal) -> Rate:
        if limit_class is LimitClass.ORDERS:
            if principal.key_id:
                return self._orders_api_key
            if Role.MARKET_MAKER in principal.roles:
                return self._orders_market_maker
            return self._orders_premium if principal.premium else self._orders
        if limit_class is LimitClass.PORTFOLIO:
            return self._portfolio
        return self._calls_premium if principal.premium else self._calls
