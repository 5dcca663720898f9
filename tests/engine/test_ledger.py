"""Money and units of fills: holds, fees, rounding, lots, and that nothing is made or lost."""

from __future__ import annotations

import pytest

from engine.events import Traded
from engine.state import CUSTODY_ACCOUNT_ID, FEES_ACCOUNT_ID
from tests.engine.world import BUY, IOC, SELL, World, e4, of_kind, refusal, stock


def two_traders(*, maker_ppm: int = 0, taker_ppm: int = 0) -> World:
    world = World(maker_ppm=maker_ppm, taker_ppm=taker_ppm)
    world.open("ann", cash="10000")
    world.open("cal", shares="100")
    return world


# maker ppm, taker ppm, quantity, price | hold of the buy: notional and the dearer fee on it, rounded up
HOLDS = [
    (0, 0, "10", "100", "1000"),
    (500, 1_000, "10", "100", "1001"),
    (1_000, 500, "10", "100", "1001"),
    (0, 333, "0.01", "99.99", "1.0003"),
]


@pytest.mark.parametrize(("maker_ppm", "taker_ppm", "quantity", "price", "held"), HOLDS)
def test_a_buy_holds_its_worst_case(
    maker_ppm: int, taker_ppm: int, quantity: str, price: str, held: str
) -> None:
    world = two_traders(maker_ppm=maker_ppm, taker_ppm=taker_ppm)
    world.buy("ann", quantity, price)
    assert world.cash("ann") == ("10000", held)


def test_a_sell_holds_its_units() -> None:
    world = two_traders()
    world.sell("cal", "30", "100")
    assert world.shares("cal") == ("100", "30")


@pytest.mark.parametrize(("cash", "outcome"), [("1001", "accepted"), ("1000.9999", "INSUFFICIENT_FUNDS")])
def test_the_balance_must_cover_the_fee_too(cash: str, outcome: str) -> None:
    world = World(taker_ppm=1_000)
    world.open("ann", cash=cash)
    assert refusal(world.place("ann", BUY, "10", "100")) == outcome


def test_of_two_buys_that_the_balance_covers_once_one_is_accepted() -> None:
    world = World(taker_ppm=1_000)
    world.open("ann", cash="1001")
    outcomes = [refusal(world.place("ann", BUY, "10", "100")) for _ in range(2)]
    assert outcomes == ["accepted", "INSUFFICIENT_FUNDS"]


def test_a_fill_moves_cash_units_and_fees() -> None:
    """Cal offers 10 at 100 (maker, 0.05 %), Ann takes 4 (taker, 0.1 %)."""
    world = two_traders(maker_ppm=500, taker_ppm=1_000)
    world.sell("cal", "10", "100")
    applied = world.place("ann", BUY, "4", "110")
    (trade,) = of_kind(applied, Traded)
    assert (trade.notional_e4, trade.buy_fee_e4, trade.sell_fee_e4) == (e4("400"), e4("0.4"), e4("0.2"))
    assert world.cash("ann") == ("9599.6", "0")
    assert world.cash("cal") == ("399.8", "0")
    assert world.shares("ann") == ("4", "0")
    assert world.shares("cal") == ("96", "6")
    assert world.state.outside[FEES_ACCOUNT_ID, "USD"] == e4("0.6")
    assert world.state.outside[CUSTODY_ACCOUNT_ID, "AAPL"] == -100 * 10**8
    assert (trade.buy_cash_e4, trade.sell_cash_e4) == (e4("9599.6"), e4("399.8"))


def test_a_fill_below_the_limit_gives_the_difference_back() -> None:
    world = two_traders(taker_ppm=1_000)
    world.sell("cal", "4", "100")
    order = world.buy("ann", "10", "110")
    assert order.hold_e4 == e4("660.66")  # 6 at 110 and 0.1 % of it; the fee on the 4 filled has been charged
    assert world.cash("ann") == ("9599.6", "660.66")


def test_a_filled_maker_gets_the_dearer_fee_that_was_held_back() -> None:
    world = two_traders(maker_ppm=0, taker_ppm=1_000)
    world.buy("ann", "10", "100")
    assert world.cash("ann") == ("10000", "1001")
    world.sell("cal", "10", "100")
    assert world.cash("ann") == ("9000", "0")


def test_notionals_round_down_and_both_sides_use_the_same() -> None:
    """0.01 at 1.2345 is 0.012345: 0.0123 is paid and received."""
    world = World(listings=[stock(tick="0.0001", reference="1.2345")])
    world.open("ann", cash="10")
    world.open("cal", shares="1")
    world.sell("cal", "0.01", "1.2345")
    world.buy("ann", "0.01", "1.2345")
    assert world.cash("ann") == ("9.9877", "0")
    assert world.cash("cal") == ("0.0123", "0")


def test_fees_are_charged_on_the_cumulative_notional() -> None:
    """Ten fills of 1.00 at 0.0333 % owe 0.0034 in all, not ten times a rounded-up 0.0004."""
    world = World(taker_ppm=333)
    world.open("ann", cash="100")
    world.open("cal", shares="1")
    for _ in range(10):
        world.sell("cal", "0.01", "100")
    applied = world.place("ann", BUY, "0.1", "100")
    fees = [trade.buy_fee_e4 for trade in of_kind(applied, Traded)]
    assert fees == [4, 3, 3, 4, 3, 3, 4, 3, 3, 4]  # 3.33, 6.66, 9.99, 13.32 … rounded up
    assert world.accepted(applied).fee_e4 == sum(fees) == 34


@pytest.mark.parametrize("rate_ppm", [1, 333, 99_999, 100_000])
def test_a_sells_fees_never_exceed_its_proceeds(rate_ppm: int) -> None:
    """Fills worth one ten-thousandth each, at rates up to a tenth."""
    world = World(
        maker_ppm=rate_ppm,
        taker_ppm=rate_ppm,
        listings=[stock(low="0.01", reference="0.01", tick="0.01", high="1")],
    )
    world.open("ann", cash="10")
    world.open("cal", shares="1")
    for _ in range(15):
        world.buy("ann", "0.01", "0.01")
    applied = world.place("cal", SELL, "0.15", "0.01", IOC)
    trades = of_kind(applied, Traded)
    assert len(trades) == 15
    for trade in trades:
        assert trade.notional_e4 == 1
        assert trade.sell_fee_e4 <= trade.notional_e4
    assert world.account("cal").cash_e4 == 15 - sum(trade.sell_fee_e4 for trade in trades) >= 0


def test_lots_are_sold_oldest_first_and_their_cost_with_them() -> None:
    world = World()
    world.open("ann", cash="10000")
    world.open("cal", cash="10000", shares="100")
    for price in ("100", "110", "120"):
        world.sell("cal", "10", price)
        world.buy("ann", "10", price)
    world.buy("cal", "15", "115")
    world.sell("ann", "15", "115")
    position = world.account("ann").positions["AAPL"]
    assert [(lot.units_e8 // 10**8, lot.cost_e4) for lot in position.lots.values()] == [
        (5, e4("550")),
        (10, e4("1200")),
    ]
    assert position.cost_e4 == e4("1750")
    assert position.realized_e4 == e4("1725") - e4("1000") - e4("550")
    assert world.account("ann").realized_e4 == e4("175")


def test_the_parts_of_a_lots_cost_never_exceed_it() -> None:
    """A third of a lot takes its share of the cost rounded down; the last part takes what is left."""
    world = World()
    world.open("ann", cash="1000")
    world.open("cal", shares="1")
    world.sell("cal", "0.03", "100.01")
    world.buy("ann", "0.03", "100.01")
    world.buy("cal", "0.03", "100")
    position = world.account("ann").positions["AAPL"]
    costs = [position.cost_e4]
    for _ in range(3):
        world.sell("ann", "0.01", "100")
        costs.append(position.cost_e4)
    assert costs == [30_003, 20_002, 10_001, 0]


def test_a_market_maker_keeps_one_pooled_lot() -> None:
    world = World()
    world.open("mm", cash="10000", maker=True)
    world.open("cal", shares="100")
    for price in ("100", "110"):
        world.sell("cal", "10", price)
        world.buy("mm", "10", price)
    lots = list(world.account("mm").positions["AAPL"].lots.values())
    assert [(lot.units_e8 // 10**8, lot.cost_e4) for lot in lots] == [(20, e4("2100"))]


def test_nothing_is_worth_nothing() -> None:
    """The smallest lot at the lowest price is still one ten-thousandth."""
    world = World(listings=[stock(lot="0.01", low="0.01", reference="0.01", high="1", tick="0.01")])
    world.open("ann", cash="1")
    world.open("cal", shares="1")
    world.sell("cal", "0.01", "0.01")
    (trade,) = of_kind(world.place("ann", BUY, "0.01", "0.01"), Traded)
    assert trade.notional_e4 == 1
