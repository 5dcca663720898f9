"""Trade busts: everything goes back, nothing twice, nothing by halves."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from engine.apply import Applied
from engine.bust import BUST_WINDOW_US
from engine.commands import AdjustCash, BustTrade, CancelAll, RequestWithdrawal
from engine.events import BalanceChanged, OrderUpdated, TradeBusted, Traded
from engine.kinds import OrderStatus, Source
from engine.state import FEES_ACCOUNT_ID, State
from engine.state_hash import state_hash
from tests.engine.bust_facts import facts_of
from tests.engine.mirror import all_rows, restored
from tests.engine.world import BUY, SELL, World, e4, e8, of_kind, refusal


def market(*, maker_ppm: int = 500, taker_ppm: int = 1_000) -> World:
    """Ann and bob with cash, cal with shares, the market maker dan and eve with both."""
    world = World(maker_ppm=maker_ppm, taker_ppm=taker_ppm)
    world.open("ann", cash="100000")
    world.open("bob", cash="100000")
    world.open("cal", shares="5")
    world.open("dan", cash="100000", shares="100", maker=True)
    world.open("eve", cash="100000", shares="5")
    return world


def trade(world: World, buyer: str, seller: str, quantity: str, price: str) -> BustTrade:
    """A fill between the two, the seller resting; the facts that a bust of it needs."""
    world.sell(seller, quantity, price)
    applied = world.place(buyer, BUY, quantity, price)
    (fill,) = of_kind(applied, Traded)
    return facts_of(fill, world.now_us)


def bust(world: World, facts: BustTrade) -> Applied:
    return world.do(facts, source=Source.OPERATOR)


def books(state: State) -> dict[str, Any]:
    """All that people own, paid and realised, and the outside."""
    rows = all_rows(state)
    kinds = ("account", "position", "lot", "outside", "order")
    return {kind: {key: row for key, row in rows[kind].items() if key != "clock"} for kind in kinds}


def lots(world: World, who: str) -> list[tuple[int, int]]:
    held = world.account(who).positions["AAPL"].lots.values()
    return [(lot.units_e8 // 10**8, lot.cost_e4 // 10**4) for lot in held]


def test_a_bust_gives_everything_back() -> None:
    world = market()
    trade(world, "ann", "eve", "1", "90")  # so that positions exist and lots are broken into
    before = books(world.state)
    facts = trade(world, "ann", "cal", "3", "100")
    assert world.cash("ann") == ("99609.61", "0")
    applied = bust(world, facts)
    assert books(world.state) == before
    (event,) = of_kind(applied, TradeBusted)
    assert (event.trade_id, event.reason, event.operator_id) == (facts.trade_id, "a fat finger", 1_001)
    assert event.buy_cash_e4 == world.account("ann").cash_e4
    assert event.sell_units_e8 == e8("5")
    assert [type(each) for each in applied.events] == [TradeBusted, BalanceChanged, BalanceChanged]
    assert world.state.outside[FEES_ACCOUNT_ID, "USD"] == e4("0.135")


def test_a_market_makers_pool_becomes_what_it_was() -> None:
    world = market()
    trade(world, "ann", "dan", "7", "100")
    before = books(world.state)
    facts = [trade(world, "dan", "ann", "3", "110"), trade(world, "ann", "dan", "50", "120")]
    for each in reversed(facts):
        assert refusal(bust(world, each)) == "accepted"
    assert books(world.state) == before


def test_a_whole_position_that_was_sold_comes_back_with_its_lots() -> None:
    world = market()
    trade(world, "ann", "eve", "2", "100")
    trade(world, "ann", "cal", "3", "110")
    before = books(world.state)
    facts = trade(world, "bob", "ann", "5", "130")
    assert lots(world, "ann") == []
    bust(world, facts)
    assert lots(world, "ann") == [(2, 200), (3, 330)]
    assert books(world.state)["lot"] == before["lot"]
    assert world.account("ann").realized_e4 == 0
    assert state_hash(restored(all_rows(world.state))) == state_hash(world.state)


def test_what_was_sold_of_the_lot_is_replaced_by_the_oldest_others() -> None:
    """Bought at 100, sold at 115, bought at 110: without the first, 110 was paid for what was sold at 115."""
    world = market(maker_ppm=0, taker_ppm=0)
    facts = trade(world, "ann", "cal", "2", "100")
    trade(world, "bob", "ann", "2", "115")
    trade(world, "ann", "eve", "2", "110")
    assert world.account("ann").realized_e4 == e4("30")
    bust(world, facts)
    assert lots(world, "ann") == []
    assert world.account("ann").realized_e4 == e4("10")
    assert world.cash("ann") == ("100010", "0")


def test_the_order_stays_as_it_was_and_its_rest_goes_on() -> None:
    world = market()
    world.sell("cal", "2", "100")
    (fill,) = of_kind(world.place("ann", BUY, "3", "100"), Traded)
    (order,) = world.account("ann").orders.values()
    bust(world, facts_of(fill, world.now_us))
    assert world.book() == (["1@100"], [])
    assert (order.filled_e8, order.leaves_e8) == (e8("2"), e8("1"))
    world.sell("eve", "1", "100")
    assert order.leaves_e8 == 0
    assert world.shares("ann") == ("1", "0")


def test_twice_is_refused() -> None:
    world = market()
    facts = trade(world, "ann", "cal", "2", "100")
    assert refusal(bust(world, facts)) == "accepted"
    after = books(world.state)
    assert refusal(bust(world, facts)) == "TRADE_BUSTED"
    assert books(world.state) == after


@pytest.mark.parametrize(
    ("hide", "expected"),
    [
        ("sold", "BUYER_LACKS_SHARES"),
        ("promised", "BUYER_LACKS_SHARES"),
        ("taken", "SELLER_LACKS_FUNDS"),
        ("withdrawing", "SELLER_LACKS_FUNDS"),
    ],
)
def test_who_cannot_give_back_is_a_refusal_and_nothing_happens(hide: str, expected: str) -> None:
    world = market()
    facts = trade(world, "ann", "cal", "2", "100")
    if hide == "sold":
        trade(world, "bob", "ann", "1", "100")
    elif hide == "promised":
        world.sell("ann", "2", "150")
    elif hide == "taken":
        world.do(AdjustCash(world.ids["cal"], -1, "adj_1"))
    else:
        world.do(RequestWithdrawal(1), "cal")
    before = books(world.state)
    applied = bust(world, facts)
    assert refusal(applied) == expected
    assert applied.events == applied.answer
    assert books(world.state) == before
    world.do(CancelAll(""), "ann")
    assert world.state.busts == {}


WRONG = {
    "trade_id": 10**15,
    "executed_us": -BUST_WINDOW_US,
    "symbol": "NOPE",
    "price_e4": e4("101"),
    "quantity_e8": e8("1"),
    "notional_e4": e4("201"),
    "buy_account_id": 4,
    "buy_fee_e4": e4("5"),
    "sell_account_id": 0,
    "sell_fee_e4": -1,
    "sold_lots": (),
}


@pytest.mark.parametrize("name", WRONG)
def test_facts_that_the_state_contradicts_are_refused(name: str) -> None:
    world = market()
    facts = trade(world, "ann", "cal", "2", "100")
    before = books(world.state)
    expected = "TRADE_TOO_OLD" if name in ("executed_us", "sold_lots") else "TRADE_NOT_FOUND"
    if name == "executed_us":
        world.now_us += BUST_WINDOW_US
        assert refusal(bust(world, facts)) == expected
    else:
        assert refusal(bust(world, replace(facts, **{name: WRONG[name]}))) == expected
    assert books(world.state) == before


def test_lots_and_orders_of_somebody_else_are_refused() -> None:
    world = market()
    world.buy("bob", "1", "50")
    (other,) = world.account("bob").orders
    facts = trade(world, "ann", "cal", "2", "100")
    (lot_id, units_e8, cost_e4, acquired_us) = facts.sold_lots[0]
    (foreign,) = world.account("eve").positions["AAPL"].lots
    for wrong in (
        {"buy_order_id": other},
        {"sell_order_id": other},
        {"sold_lots": ((foreign, units_e8, cost_e4, acquired_us),)},
        {"sold_lots": ((lot_id, units_e8, cost_e4, acquired_us - 1),)},
        {"sold_lots": ((lot_id, units_e8 + 1, cost_e4, acquired_us),)},
        {"sold_lots": ((facts.trade_id, units_e8, cost_e4, acquired_us),)},
        {"sell_account_id": facts.buy_account_id},
    ):
        assert refusal(bust(world, replace(facts, **wrong))) == "TRADE_NOT_FOUND", wrong


def test_busted_trades_are_forgotten_when_they_are_too_old_to_be_busted() -> None:
    world = market()
    first = trade(world, "ann", "cal", "1", "100")
    bust(world, first)
    assert list(world.state.busts) == [first.trade_id]
    world.now_us += BUST_WINDOW_US
    second = trade(world, "ann", "cal", "1", "100")
    bust(world, second)
    assert list(world.state.busts) == [second.trade_id]
    assert refusal(bust(world, first)) == "TRADE_TOO_OLD"
    assert list(all_rows(world.state)["bust"]) == [second.trade_id]


def test_whatever_is_busted_the_books_balance() -> None:
    """Random trades, busted in any order: `World.do` checks every invariant, and all that was made is still there."""
    dice = Random(7)
    world = market()
    people = list(world.ids)
    total_e4 = sum(world.account(who).cash_e4 for who in people)
    made: list[BustTrade] = []
    results = []
    for _ in range(400):
        buyer, seller = dice.sample(people, 2)
        position = world.account(seller).positions.get("AAPL")
        if position is not None and position.units_e8 >= e8("1"):
            price = str(dice.randrange(95, 106))
            made.append(trade(world, buyer, seller, dice.choice(("0.25", "1")), price))
        if made and dice.random() < 0.4:
            results.append(refusal(bust(world, dice.choice(made[-20:]))))
    assert {"accepted", "TRADE_BUSTED", "BUYER_LACKS_SHARES"} <= set(results)
    fees_e4 = world.state.outside[FEES_ACCOUNT_ID, "USD"]
    assert sum(world.account(who).cash_e4 for who in people) + fees_e4 == total_e4
    assert sum(world.account(who).fees_e4 for who in people) == fees_e4
    standing = [each for each in made if each.trade_id not in world.state.busts]
    assert fees_e4 == sum(each.buy_fee_e4 + each.sell_fee_e4 for each in standing)
    assert sum(world.account(who).positions["AAPL"].units_e8 for who in people) == e8("110")


def test_a_bust_reports_both_orders_as_they_stay() -> None:
    """An open one as the state has it now, whatever the command says of it; a closed one as the command has it."""
    world = market()
    resting = world.buy("ann", "5", "100")
    applied = world.place("cal", SELL, "2", "100")
    (fill,) = of_kind(applied, Traded)
    before = {order.side: order for order in of_kind(applied, OrderUpdated)}
    world.place("eve", SELL, "1", "100")
    facts = facts_of(fill, world.now_us, buy_order=before[BUY], sell_order=before[SELL])
    (event,) = of_kind(bust(world, facts), TradeBusted)
    assert event.buy_order == world.state.orders[resting.order_id].snapshot()
    assert (event.buy_order.filled_e8, event.buy_order.is_open) == (e8("3"), True)
    assert event.sell_order == before[SELL]


def test_without_reports_a_bust_has_none() -> None:
    world = market()
    world.buy("ann", "5", "100")
    (fill,) = of_kind(world.place("cal", SELL, "2", "100"), Traded)
    (event,) = of_kind(bust(world, facts_of(fill, world.now_us)), TradeBusted)
    assert (event.buy_order, event.sell_order) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": OrderStatus.PARTIAL},
        {"order_id": 1},
        {"account_id": 1},
        {"symbol": "TINY"},
        {"side": BUY},
        {"filled_e8": 1},
        {"notional_e4": 1},
    ],
)
def test_a_report_that_cannot_be_of_a_closed_order_is_refused(wrong: dict[str, Any]) -> None:
    world = market()
    world.buy("ann", "2", "100")
    applied = world.place("cal", SELL, "2", "100")
    (fill,) = of_kind(applied, Traded)
    (sold,) = [order for order in of_kind(applied, OrderUpdated) if order.side is SELL]
    before = books(world.state)
    facts = facts_of(fill, world.now_us, sell_order=replace(sold, **wrong))
    assert refusal(bust(world, facts)) == "TRADE_NOT_FOUND"
    assert books(world.state) == before


def test_side_of_the_taker_does_not_matter() -> None:
    world = market()
    before = books(world.state)["account"]
    world.buy("ann", "2", "100")
    (fill,) = of_kind(world.place("cal", SELL, "2", "100"), Traded)
    assert refusal(bust(world, facts_of(fill, world.now_us))) == "accepted"
    assert books(world.state)["account"] == before
