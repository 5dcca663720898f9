"""Guessing gets slower, for accounts that exist and for those that do not, and the memory of it is bounded."""

from __future__ import annotations

import pytest

from server.errors import TooManyRequests
from server.login_throttle import FORGET_S, Failures, LoginThrottle


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


def failures(clock: Clock, free: int = 3, keys_max: int = 100) -> Failures:
    return Failures(free=free, wait_max_s=60, keys_max=keys_max, clock_s=clock)


def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(failures(clock), failures(clock, free=10))


def test_the_wait_doubles_after_the_free_attempts_up_to_a_bound() -> None:
    clock = Clock()
    accounts = failures(clock)
    waits = []
    for _ in range(11):
        accounts.begin("a")
        waits.append(accounts.wait_s("a"))
        clock.s += accounts.wait_s("a")
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_many_at_once_count_although_none_has_failed_yet() -> None:
    guesses = throttle(Clock())
    for _ in range(3):
        guesses.begin("me@example.com", "1.2.3.4")
    with pytest.raises(TooManyRequests) as refused:
        guesses.begin("me@example.com", "1.2.3.5")
    assert refused.value.retry_after_s == 1


def test_a_refused_attempt_does_not_make_the_wait_longer() -> None:
    clock = Clock()
    guesses = throttle(clock)
    for _ in range(3):
        guesses.begin("me@example.com", "1.2.3.4")
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            guesses.begin("me@example.com", "1.2.3.4")
    clock.s += 1
    guesses.begin("me@example.com", "1.2.3.4")


def test_an_account_is_the_same_in_any_case_and_others_are_not_affected() -> None:
    guesses = throttle(Clock())
    for email in ("Me@example.com", "me@EXAMPLE.com", " me@example.com"):
        guesses.begin(email, "1.2.3.4")
    with pytest.raises(TooManyRequests):
        guesses.begin("me@example.com", "9.9.9.9")
    guesses.begin("you@example.com", "9.9.9.9")


def test_one_address_cannot_try_a_password_on_many_accounts() -> None:
    guesses = throttle(Clock())
    for number in range(10):
        guesses.begin(f"user{number}@example.com", "1.2.3.4")
    with pytest.raises(TooManyRequests):
        guesses.begin("another@example.com", "1.2.3.4")
    guesses.begin("another@example.com", "1.2.3.5")


def test_a_host_s_ipv6_addresses_are_one() -> None:
    guesses = throttle(Clock())
    for number in range(10):
        guesses.begin(f"user{number}@example.com", f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyRequests):
        guesses.begin("another@example.com", "2001:db8:1:2:ffff::1")
    guesses.begin("another@example.com", "2001:db8:1:3::1")
    assert len(guesses.addresses) == 2


def test_success_forgives_the_account_and_takes_back_one_attempt_of_the_address() -> None:
    guesses = throttle(Clock())
    for number in range(9):
        guesses.begin(f"user{number}@example.com", "1.2.3.4")
    guesses.begin("me@example.com", "1.2.3.4")
    guesses.succeeded("me@example.com", "1.2.3.4")
    guesses.begin("other@example.com", "1.2.3.4")
    with pytest.raises(TooManyRequests):
        guesses.begin("another@example.com", "1.2.3.4")


def test_an_attempt_that_nobody_looked_at_does_not_count() -> None:
    guesses = throttle(Clock())
    for _ in range(20):
        guesses.begin("me@example.com", "1.2.3.4")
        guesses.undecided("me@example.com", "1.2.3.4")
    assert (len(guesses.accounts), len(guesses.addresses)) == (0, 0)


def test_failures_are_forgotten_in_time() -> None:
    clock = Clock()
    accounts = failures(clock)
    for _ in range(5):
        accounts.begin("a")
    clock.s += FORGET_S + 1
    accounts.begin("a")
    assert accounts.wait_s("a") == 0


def test_memory_is_bounded_and_the_one_tried_longest_ago_goes_first() -> None:
    clock = Clock()
    accounts = failures(clock, free=1, keys_max=3)
    for key in ("a", "b", "c", "a", "d"):
        accounts.begin(key)
    assert len(accounts) == 3
    assert [key for key in "abcd" if accounts.wait_s(key)] == ["a", "c", "d"]
