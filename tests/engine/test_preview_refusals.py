"""A preview names every refusal that an order would meet, one behind the other, and the rules that would report it."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.apply import apply
from engine.commands import (
    HaltSymbol,
    PlaceOrder,
    SetAccountStatus,
    SetKillSwitch,
    SetLimits,
    SetRiskRule,
)
from engine.events import RiskViolated
from engine.kinds import AccountStatus, KillScope, OrderType, RiskRule, Side, TimeInForce
from engine.preview import Preview, preview_order
from engine.state import State
from engine.state_hash import state_hash
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands
from tests.engine.risk_world import BLOCK, FLAG, OFF, RiskWorld
from tests.engine.test_preview import sets_off
from tests.engine.test_risk_property import TIGHT
from tests.engine.world import BUY, FOK, GTC, IOC, LIMIT, MARKET, SELL, e4, e8


def previewed(world: RiskWorld, command: PlaceOrder) -> tuple[Preview, list[str]]:
    """A preview for ann, and the names of its refusals; nothing has changed after it."""
    before = state_hash(world.state)
    found = preview_order(world.state, world.ids["ann"], command, world.now_us)
    assert state_hash(world.state) == before
    return found, [each.refusal.name for each in found.refusals]


def stopped_world() -> RiskWorld:
    """Ann is disabled, the market is stopped, AAPL halted, limits are small and rules on."""
    world = RiskWorld()
    world.open("ann", cash="1000")
    world.place("ann", BUY, "1", "50", client_id="mine")
    world.do(SetAccountStatus(world.ids["ann"], AccountStatus.DISABLED, ""))
    world.do(SetKillSwitch(KillScope.MARKET, "", on=True, reason=""))
    world.do(HaltSymbol("AAPL", ""))
    world.do(SetLimits(e8("5"), e4("500"), 100, 500, 10, 100, 10**12))
    world.rule(RiskRule.FAT_FINGER, BLOCK, (e8("1"), e4("1")))
    world.rule(RiskRule.POSITION_LIMIT, FLAG, (e8("1"), e4("1")))
    return world


# order type, quantity, price, time in force, client order id | refusals
ROWS = [
    (
        LIMIT, "10.001", "150.005", FOK, "mine",
        [
            "ACCOUNT_DISABLED", "DUPLICATE_CLIENT_ORDER_ID", "KILL_SWITCH_ON", "SYMBOL_HALTED", "INVALID_LOT_SIZE",
            "INVALID_TICK_SIZE", "PRICE_OUT_OF_BAND", "ORDER_TOO_LARGE", "ORDER_VALUE_TOO_LARGE", "INSUFFICIENT_FUNDS",
            "FILL_OR_KILL", "FAT_FINGER",
        ],
    ),
    (
        LIMIT, "10", "110", GTC, "",
        [
            "ACCOUNT_DISABLED", "KILL_SWITCH_ON", "SYMBOL_HALTED", "ORDER_TOO_LARGE", "ORDER_VALUE_TOO_LARGE",
            "INSUFFICIENT_FUNDS", "FAT_FINGER",
        ],
    ),
    (LIMIT, "1", "100", GTC, "", ["ACCOUNT_DISABLED", "KILL_SWITCH_ON", "SYMBOL_HALTED", "FAT_FINGER"]),
    (MARKET, "4", None, IOC, "", ["ACCOUNT_DISABLED", "KILL_SWITCH_ON", "SYMBOL_HALTED", "FAT_FINGER"]),
    (LIMIT, "0", "100", GTC, "", ["ACCOUNT_DISABLED", "KILL_SWITCH_ON", "SYMBOL_HALTED", "INVALID_QUANTITY"]),
]  # fmt: skip


@pytest.mark.parametrize(("order_type", "quantity", "price", "tif", "client_id", "expected"), ROWS)
def test_every_refusal_is_named_in_the_order_in_which_it_would_be_met(
    order_type: OrderType,
    quantity: str,
    price: str | None,
    tif: TimeInForce,
    client_id: str,
    expected: list[str],
) -> None:
    world = stopped_world()
    price_e4 = 0 if price is None else int(float(price) * 10_000)
    command = PlaceOrder("AAPL", BUY, order_type, e8(quantity), price_e4, tif, client_id)
    found, names = previewed(world, command)
    assert names == expected
    if "INVALID_QUANTITY" in names:
        assert (found.order, found.flags) == (None, ())
        return
    assert found.order is not None
    assert found.flags == (RiskRule.POSITION_LIMIT,)
    account = world.account("ann")
    assert (found.cash_e4, found.held_e4) == (account.cash_e4, account.held_e4)


def test_what_nothing_can_be_seen_behind_ends_the_list() -> None:
    world = stopped_world()
    _, names = previewed(world, PlaceOrder("NOPE", BUY, LIMIT, e8("1"), e4("100"), GTC))
    assert names == ["ACCOUNT_DISABLED", "UNKNOWN_SYMBOL"]
    world.go_to_day(5)  # a Saturday: closed behind the halt
    _, names = previewed(world, PlaceOrder("AAPL", SELL, LIMIT, e8("1"), e4("100"), GTC))
    assert names == [
        "ACCOUNT_DISABLED",
        "KILL_SWITCH_ON",
        "SYMBOL_HALTED",
        "INSUFFICIENT_SHARES",
        "FAT_FINGER",
    ]


def test_a_closed_market_is_put_aside_too() -> None:
    world = RiskWorld()
    world.open("ann", cash="10")
    world.go_to_day(5)
    _, names = previewed(world, PlaceOrder("AAPL", BUY, LIMIT, e8("1"), e4("100"), GTC))
    assert names == ["SESSION_CLOSED", "INSUFFICIENT_FUNDS"]


@pytest.mark.parametrize("seed", range(2))
def test_preview_and_placing_agree_under_risk_rules(seed: int) -> None:
    """Half of the rules flag and half block: what is refused, and what is reported, the preview has said."""
    state, naive = State(), NaiveExchange()
    seen: Counter[str] = Counter()
    rules = [
        SetRiskRule(rule, (FLAG, BLOCK)[(number + seed) % 2], TIGHT[rule])
        for number, rule in enumerate(RiskRule)
        if rule is not RiskRule.WASH_TRADE
    ]
    for count, (envelope, command, now_us) in enumerate(RandomCommands(seed, naive).steps(4_000)):
        if count == 30:
            for each in rules:
                naive.apply(envelope, each, now_us)
                assert apply(state, type(envelope)(envelope.source), each, now_us).refused is None
        found = None
        if type(command) is PlaceOrder:
            found = preview_order(state, envelope.account_id, command, now_us)
        naive.apply(envelope, command, now_us)
        applied = apply(state, envelope, command, now_us)
        if found is None or not applied.recorded:
            continue
        if applied.refused is not None:
            assert found.refusals[0] == applied.refused
            seen[applied.refused.refusal.name] += 1
            continue
        assert found.refusals == ()
        assert found.order is not None
        special = found.order.special
        if not sets_off(applied.events, found.order.order_id, now_us) and not (special and special.children):
            assert applied.answer == (found.order,)
        reported = [event.rule for event in applied.events if isinstance(event, RiskViolated)]
        assert list(found.flags) == reported
        seen.update(rule.name for rule in reported)
    assert len({rule.name for rule in RiskRule} & seen.keys()) >= 6


def test_a_rule_that_is_off_says_nothing() -> None:
    world = RiskWorld()
    world.open("ann", cash="1000")
    world.rule(RiskRule.FAT_FINGER, OFF, (1, 1))
    found, names = previewed(world, PlaceOrder("AAPL", Side.BUY, LIMIT, e8("1"), e4("100"), GTC))
    assert (names, found.flags) == ([], ())
