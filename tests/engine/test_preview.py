"""A preview says what placing the order then does, and changes nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.apply import apply
from engine.commands import PlaceOrder
from engine.events import AnyEvent, OrderUpdated, Traded
from engine.kinds import OrderStatus
from engine.preview import Preview, preview_order
from engine.state import State
from engine.state_hash import state_hash
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands
from tests.engine.random_orders import FEATURES
from tests.engine.world import BUY, FOK, LIMIT, MARKET, SELL, World, e4, e8, refusal

COMMANDS = 6_000
WITH_LEGS = FEATURES | {"oco", "bracket"}
SEEN = ("refused", "HELD", "PENDING", "PARTIAL", "FILLED", "CANCELLED", "own", "fired", "entry")


def fired(event: AnyEvent, now_us: int) -> bool:
    """Whether an order's stop was reached just now."""
    return type(event) is OrderUpdated and event.special is not None and event.special.triggered_us == now_us


def sets_off(events: tuple[AnyEvent, ...], order_id: int, now_us: int) -> bool:
    """Whether an order's trades made others trade: stops fired, or legs were armed that traded."""
    return any(
        fired(event, now_us)
        or (type(event) is Traded and order_id not in (event.buy_order_id, event.sell_order_id))
        for event in events
    )


def figures(report: AnyEvent) -> tuple[int, int, int]:
    """What an order has filled, and at which cost."""
    assert type(report) is OrderUpdated
    return report.filled_e8, report.notional_e4, report.fee_e4


@pytest.mark.parametrize("seed", range(4))
def test_preview_and_placing_agree_on_random_orders(seed: int) -> None:
    state, naive = State(), NaiveExchange()
    seen: Counter[str] = Counter()
    previewed: Preview | None
    for count, (envelope, command, now_us) in enumerate(
        RandomCommands(seed, naive, WITH_LEGS).steps(COMMANDS)
    ):
        previewed = None
        if type(command) is PlaceOrder:
            before = state_hash(state) if count % 20 == 0 else ""
            previewed = preview_order(state, envelope.account_id, command, now_us)
            assert not before or state_hash(state) == before
        naive.apply(envelope, command, now_us)
        applied = apply(state, envelope, command, now_us)
        if previewed is None or not applied.recorded:
            continue
        if applied.refused is not None:
            assert previewed.refusals[0] == applied.refused
            seen["refused"] += 1
            continue
        assert previewed.refusals == ()
        assert previewed.order is not None
        if sets_off(applied.events, previewed.order.order_id, now_us):
            seen["fired"] += 1
            continue
        if previewed.order.special is not None and previewed.order.special.children:
            seen["entry"] += 1
            if previewed.order.filled_e8:  # what its legs do then is not looked at
                assert figures(applied.answer[0]) == figures(previewed.order)
                continue
        assert applied.answer == (previewed.order,)
        account = state.accounts[envelope.account_id]
        assert (previewed.cash_e4, previewed.held_e4) == (account.cash_e4, account.held_e4)
        seen[previewed.order.status.name] += 1
        seen["own"] += previewed.meets_own
    assert min(seen[what] for what in SEEN) > 10


def test_a_refused_order_still_says_what_it_would_cost_and_hold() -> None:
    world = World(taker_ppm=1_000)
    world.open("seller", shares="10")
    world.open("buyer", cash="50")
    world.sell("seller", "10", "100")
    before = state_hash(world.state)

    previewed = preview_order(
        world.state,
        world.ids["buyer"],
        PlaceOrder("AAPL", BUY, LIMIT, e8("20"), e4("101"), FOK),
        world.now_us,
    )

    assert [each.refusal.name for each in previewed.refusals] == ["INSUFFICIENT_FUNDS", "FILL_OR_KILL"]
    assert previewed.worst_hold_e4 == e4("2022.02")
    assert previewed.order is not None
    assert (previewed.order.notional_e4, previewed.order.fee_e4) == (e4("1000"), e4("1"))
    assert (previewed.cash_e4, previewed.held_e4) == (e4("50"), 0)
    assert state_hash(world.state) == before


def test_a_sale_to_ones_own_bid_gives_back_what_the_bid_held() -> None:
    world = World()
    world.open("me", cash="1000", shares="5")
    bid = world.buy("me", "2", "100")
    command = PlaceOrder("AAPL", SELL, MARKET, e8("1"), 0, FOK)
    previewed = preview_order(world.state, world.ids["me"], command, world.now_us)
    assert previewed.meets_own
    assert [each.refusal.name for each in previewed.refusals] == ["FILL_OR_KILL"]
    assert bid.status is OrderStatus.PENDING


def test_a_client_order_id_is_free_again_when_its_day_is_over() -> None:
    world = World()
    world.open("me", cash="1000")
    world.place("me", BUY, "1", "100", client_id="mine")
    world.cancel_all("me")
    command = PlaceOrder("AAPL", BUY, LIMIT, e8("1"), e4("100"), FOK, "mine")

    def refusals(now_us: int) -> list[str]:
        previewed = preview_order(world.state, world.ids["me"], command, now_us)
        return [each.refusal.name for each in previewed.refusals]

    day_over_us = world.now_us + world.state.limits.key_ttl_us
    assert refusals(day_over_us - 1) == ["DUPLICATE_CLIENT_ORDER_ID", "FILL_OR_KILL"]
    assert refusals(day_over_us) == ["FILL_OR_KILL"]


def test_nobody_and_nothing_are_refused() -> None:
    world = World()
    command = PlaceOrder("NOPE", BUY, LIMIT, e8("1"), e4("100"), FOK)
    assert [each.refusal.name for each in preview_order(world.state, 5, command, 1).refusals] == [
        "ACCOUNT_NOT_FOUND"
    ]
    world.open("me", cash="1")
    assert refusal(world.place("me", BUY, "1", "100", symbol="NOPE")) == "UNKNOWN_SYMBOL"
    found = preview_order(world.state, world.ids["me"], command, world.now_us)
    assert [each.refusal.name for each in found.refusals] == ["UNKNOWN_SYMBOL"]
    assert found.order is None
    assert (found.cash_e4, found.held_e4) == (e4("1"), 0)
