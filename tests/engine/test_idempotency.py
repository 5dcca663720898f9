"""Idempotency keys: one command, one answer, for a day; a refusal is an answer too, lack of room is not."""

from __future__ import annotations

import pytest

from engine.commands import Deposit, SetLimits
from engine.units import DAY_US, NOTIONAL_MAX_E4, QUANTITY_MAX_E8
from tests.engine.world import BUY, World, refusal


@pytest.fixture
def world() -> World:
    world = World()
    world.open("ann", cash="1000")
    world.open("bob", cash="1000")
    return world


def set_keys(world: World, *, per_user: int, in_all: int, ttl_us: int = DAY_US) -> None:
    world.do(SetLimits(QUANTITY_MAX_E8, NOTIONAL_MAX_E4, 1_000, 500, per_user, in_all, ttl_us))


def test_a_hundred_times_the_same_key_is_one_order_and_one_answer(world: World) -> None:
    first = world.place("ann", BUY, "1", "99", key="k", digest=b"1")
    seq = world.state.seq
    for _ in range(99):
        again = world.place("ann", BUY, "1", "99", key="k", digest=b"1")
        assert (again.answer, again.duplicate, again.events) == (first.answer, True, ())
        assert (again.seq, again.recorded, again.now_us) == (first.seq, False, first.now_us)
    assert world.state.seq == seq
    assert len(world.state.orders) == 1


def test_the_same_key_with_another_command_is_refused_and_changes_nothing(world: World) -> None:
    first = world.place("ann", BUY, "1", "99", key="k", digest=b"1")
    other = world.place("ann", BUY, "2", "99", key="k", digest=b"2")
    assert refusal(other) == "IDEMPOTENCY_KEY_REUSED"
    assert (other.seq, other.recorded) == (first.seq, False)
    assert world.place("ann", BUY, "1", "99", key="k", digest=b"1").answer == first.answer


def test_keys_belong_to_their_user(world: World) -> None:
    world.place("ann", BUY, "1", "99", key="k", digest=b"1")
    assert not world.place("bob", BUY, "1", "99", key="k", digest=b"1").duplicate
    assert len(world.state.orders) == 2


def test_a_refusal_is_remembered_and_given_again(world: World) -> None:
    first = world.place("ann", BUY, "100", "99", key="k", digest=b"1")
    assert refusal(first) == "INSUFFICIENT_FUNDS"
    world.do(Deposit(10**10, "CARD"), "ann")
    again = world.place("ann", BUY, "100", "99", key="k", digest=b"1")
    assert (again.answer, again.duplicate) == (first.answer, True)


@pytest.mark.parametrize(("later_us", "duplicate"), [(DAY_US - 1, True), (DAY_US, False)])
def test_a_key_is_kept_for_a_day(world: World, later_us: int, duplicate: bool) -> None:
    first = world.place("ann", BUY, "1", "99", key="k", digest=b"1")
    world.now_us = first.now_us + later_us - 1
    again = world.place("ann", BUY, "1", "98", key="k", digest=b"1")
    assert again.duplicate is duplicate


def test_an_expired_key_may_come_with_another_command(world: World) -> None:
    world.place("ann", BUY, "1", "99", key="k", digest=b"1")
    world.now_us += DAY_US
    assert refusal(world.place("ann", BUY, "1", "98", key="k", digest=b"2")) == "accepted"
    assert len(world.state.keys) == 1


# keys per user, keys in all | outcomes of: Ann's first, second and third key, then Bob's first
CAPACITY = [
    (2, 10, ["accepted", "accepted", "IDEMPOTENCY_CAPACITY", "accepted"]),
    (2, 2, ["accepted", "accepted", "IDEMPOTENCY_CAPACITY", "IDEMPOTENCY_CAPACITY"]),
    (3, 3, ["accepted", "accepted", "accepted", "IDEMPOTENCY_CAPACITY"]),
]


@pytest.mark.parametrize(("per_user", "in_all", "outcomes"), CAPACITY)
def test_there_is_room_for_so_many_keys(
    world: World, per_user: int, in_all: int, outcomes: list[str]
) -> None:
    set_keys(world, per_user=per_user, in_all=in_all)
    tries = [("ann", "1"), ("ann", "2"), ("ann", "3"), ("bob", "1")]
    seen = [refusal(world.place(who, BUY, "1", "9", key=key, digest=b"d")) for who, key in tries]
    assert seen == outcomes


def test_lack_of_room_consumes_no_key_and_is_not_recorded(world: World) -> None:
    set_keys(world, per_user=1, in_all=1, ttl_us=1_000)
    world.place("ann", BUY, "1", "99", key="a", digest=b"1")
    seq = world.state.seq
    full = world.place("ann", BUY, "1", "99", key="b", digest=b"1")
    assert (refusal(full), full.recorded, world.state.seq) == ("IDEMPOTENCY_CAPACITY", False, seq)
    assert world.place("ann", BUY, "1", "99", key="a", digest=b"1").duplicate
    world.now_us += 1_000
    assert refusal(world.place("ann", BUY, "1", "99", key="b", digest=b"1")) == "accepted"
    assert list(world.state.keys) == [(world.ids["ann"], "b")]


def test_old_keys_are_forgotten_by_any_command(world: World) -> None:
    world.place("ann", BUY, "1", "99", key="a", digest=b"1")
    world.place("bob", BUY, "1", "99", key="a", digest=b"1")
    world.now_us += DAY_US - 2
    world.do(Deposit(1, "CARD"), "ann")
    assert list(world.state.keys) == [(world.ids["bob"], "a")]
    assert world.state.keys_by_principal == {world.ids["bob"]: 1}
    world.now_us += 2
    world.do(Deposit(1, "CARD"), "ann")
    assert not world.state.keys
    assert not world.state.keys_by_principal


def test_keys_of_one_microsecond_are_forgotten_together(world: World) -> None:
    set_keys(world, per_user=10, in_all=10, ttl_us=1_000)
    at_us = world.now_us
    for key in ("a", "b", "c"):
        world.now_us = at_us
        world.place("ann", BUY, "1", "9", key=key, digest=b"1")
    world.now_us = at_us + 1_000
    world.do(Deposit(1, "CARD"), "ann")
    assert not world.state.keys


def test_a_shorter_life_holds_for_keys_that_are_there(world: World) -> None:
    world.place("ann", BUY, "1", "99", key="a", digest=b"1")
    set_keys(world, per_user=10, in_all=10, ttl_us=1_000)
    world.now_us += 1_000
    world.do(Deposit(1, "CARD"), "ann")
    assert not world.state.keys


def test_a_command_without_a_key_is_done_every_time(world: World) -> None:
    for _ in range(2):
        world.place("ann", BUY, "1", "99")
    assert len(world.state.orders) == 2
    assert world.cash("ann") == ("1000", "198")
