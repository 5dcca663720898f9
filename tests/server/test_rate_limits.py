"""A bucket lets a period's calls through at once, then one an interval."""

from __future__ import annotations

from config.settings import Settings
from server.principal import Principal, Role
from server.rate_limits import LimitClass, Rate, RateLimiter, RateLimits

SECOND_NS = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.ns = 10**15

    def __call__(self) -> int:
        return self.ns


def limiter(clock: Clock, buckets_max: int = 100) -> RateLimiter:
    return RateLimiter(buckets_max=buckets_max, clock_ns=clock)


def test_a_burst_passes_then_it_is_one_an_interval() -> None:
    clock = Clock()
    calls = limiter(clock)
    rate = Rate(10, 60)
    remaining = [calls.take("me", rate).remaining for _ in range(10)]
    assert remaining == list(range(9, -1, -1))
    refused = calls.take("me", rate)
    assert (refused.limit, refused.remaining, refused.reset_s, refused.retry_after_s) == (10, 0, 60, 6.0)
    clock.ns += 6 * SECOND_NS - 1
    assert calls.take("me", rate).retry_after_s > 0
    clock.ns += 1
    assert calls.take("me", rate).retry_after_s == 0
    assert calls.take("me", rate).retry_after_s > 0


def test_keys_do_not_share() -> None:
    calls = limiter(Clock())
    rate = Rate(1, 60)
    assert calls.take("a", rate).retry_after_s == 0
    assert calls.take("b", rate).retry_after_s == 0
    assert calls.take("a", rate).retry_after_s > 0


def test_buckets_are_bounded_and_full_ones_go_first() -> None:
    clock = Clock()
    calls = limiter(clock, buckets_max=3)
    rate = Rate(1, 60)
    for key in "abcdef":
        calls.take(key, rate)
    assert len(calls._full_at_ns) == 3
    clock.ns += 61 * SECOND_NS
    calls.take("g", rate)
    assert list(calls._full_at_ns) == ["g"]


def test_role_and_tier_decide_the_rate(settings: Settings) -> None:
    limits = RateLimits(settings.limits)

    def limit_of(limit_class: LimitClass, *roles: Role, premium: bool = False) -> int:
        principal = Principal(1, 1, frozenset(roles), 1, 0, premium)
        return limits.take_user(limit_class, principal).limit

    configured = settings.limits
    assert limit_of(LimitClass.ORDERS, Role.TRADER) == configured.orders_per_minute
    assert limit_of(LimitClass.ORDERS, Role.MARKET_MAKER) == configured.orders_market_maker_per_minute
    assert limit_of(LimitClass.CALLS, Role.TRADER, premium=True) == configured.calls_premium_per_minute
    assert limit_of(LimitClass.PORTFOLIO, Role.TRADER) == configured.portfolio_per_minute
    assert limits.take_address(LimitClass.REGISTRATION, "::1").limit == configured.registrations_per_hour
