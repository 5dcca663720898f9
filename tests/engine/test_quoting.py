"""Mass quotes: all or none, funded together, replaced together, silent until they trade."""

from __future__ import annotations

import pytest

from engine.commands import CancelAll
from engine.events import BalanceChanged, BookChanged, OrderUpdated
from engine.kinds import CloseReason, OrderStatus
from tests.engine.world import BUY, SELL, World, fills, of_kind, refusal


@pytest.fixture
def world() -> World:
    world = World()
    world.open("mm", cash="10000", shares="100", maker=True)
    world.open("ann", cash="10000", shares="100")
    return world


def test_quotes_rest_and_make_no_order_reports(world: World) -> None:
    applied = world.quote("mm", [("10", "99"), ("20", "98")], [("10", "101")])
    assert world.book() == (["10@99", "20@98"], ["10@101"])
    assert [type(event) for event in applied.events] == [BookChanged, BalanceChanged]
    assert world.cash("mm") == ("10000", "2950")
    assert world.shares("mm") == ("100", "10")


def test_new_quotes_take_the_place_of_the_old(world: World) -> None:
    world.quote("mm", [("10", "99")], [("10", "101")])
    world.quote("mm", [("5", "98")], [("5", "102")])
    assert world.book() == (["5@98"], ["5@102"])
    assert world.cash("mm") == ("10000", "490")
    assert len(world.state.orders) == 2


def test_no_quotes_take_the_old_ones_off(world: World) -> None:
    world.quote("mm", [("10", "99")], [("10", "101")])
    world.quote("mm", [], [])
    assert world.book() == ([], [])
    assert world.cash("mm") == ("10000", "0")


def test_old_quotes_pay_for_new_ones(world: World) -> None:
    """100 of 100 shares and 9 900 of 10 000 dollars are held, and all of it may be quoted anew."""
    world.quote("mm", [("100", "99")], [("100", "101")])
    assert refusal(world.quote("mm", [("100", "98")], [("100", "102")])) == "accepted"


def test_quotes_of_another_symbol_stay_out_of_it(world: World) -> None:
    world.quote("mm", [("10", "99")], [])
    assert world.quote("mm", [], [], symbol="NOPE").refused is not None
    assert world.book() == (["10@99"], [])


# bids, asks | refusal (at most 10 000 dollars and 100 shares)
REFUSALS = [
    ([("1", "101")], [("1", "101")], "INVALID_QUOTE"),
    ([("1", "102")], [("1", "101")], "INVALID_QUOTE"),
    ([("1", "98"), ("1", "101")], [("1", "103"), ("1", "100")], "INVALID_QUOTE"),
    ([("1", "99")] * 21, [], "INVALID_QUOTE"),
    ([("0", "99")], [], "INVALID_QUANTITY"),
    ([("1.001", "99")], [], "INVALID_LOT_SIZE"),
    ([("1", "99.001")], [], "INVALID_TICK_SIZE"),
    ([("1", "0")], [], "INVALID_PRICE"),
    ([("1", "121")], [], "PRICE_OUT_OF_BAND"),
    ([("1", "99")], [("1", "99.5"), ("1", "79.99")], "INVALID_QUOTE"),
    ([], [("1", "79.99")], "PRICE_OUT_OF_BAND"),
    ([("60", "99"), ("60", "98")], [], "INSUFFICIENT_FUNDS"),
    ([], [("60", "101"), ("41", "102")], "INSUFFICIENT_SHARES"),
]


@pytest.mark.parametrize(("bids", "asks", "outcome"), REFUSALS)
def test_bad_quotes_are_refused_and_the_old_ones_stay(
    world: World, bids: list[tuple[str, str]], asks: list[tuple[str, str]], outcome: str
) -> None:
    world.quote("mm", [("1", "90")], [("1", "110")])
    assert refusal(world.quote("mm", bids, asks)) == outcome
    assert world.book() == (["1@90"], ["1@110"])


def test_only_market_makers_quote(world: World) -> None:
    assert refusal(world.quote("ann", [("1", "99")], [])) == "INVALID_QUOTE"


def test_a_quote_that_trades_is_reported(world: World) -> None:
    world.quote("mm", [("10", "99")], [])
    applied = world.place("ann", SELL, "4", "99")
    quotes = [order for order in of_kind(applied, OrderUpdated) if order.is_quote]
    assert [(order.status, order.filled_e8) for order in quotes] == [(OrderStatus.PARTIAL, 4 * 10**8)]
    requoted = world.quote("mm", [("10", "98")], [])
    (gone,) = of_kind(requoted, OrderUpdated)
    assert (gone.status, gone.reason) == (OrderStatus.CANCELLED, CloseReason.REQUOTED)


def test_quotes_trade_with_what_they_cross(world: World) -> None:
    world.sell("ann", "4", "98")
    applied = world.quote("mm", [("10", "99")], [("10", "101")])
    assert fills(applied) == ["4@98"]
    assert world.book() == (["6@99"], ["10@101"])


def test_a_quote_that_meets_ones_own_order_is_cancelled(world: World) -> None:
    world.sell("mm", "4", "98")
    world.quote("mm", [("10", "99")], [])
    assert world.book() == ([], ["4@98"])
    assert world.cash("mm") == ("10000", "0")


def test_a_fully_traded_quote_is_no_burden_for_the_next_quotes(world: World) -> None:
    world.quote("mm", [("100", "100")], [])
    world.sell("ann", "100", "100")
    assert world.cash("mm") == ("0", "0")
    assert refusal(world.quote("mm", [("0.01", "1")], [])) == "INSUFFICIENT_FUNDS"
    assert refusal(world.quote("mm", [], [("200", "101")])) == "accepted"


def test_cancel_all_takes_quotes_too(world: World) -> None:
    world.quote("mm", [("10", "99")], [("10", "101")])
    world.buy("mm", "1", "97")
    world.do(CancelAll("AAPL"), "mm")
    assert world.book() == ([], [])


def test_quotes_do_not_count_as_open_orders(world: World) -> None:
    world.quote("mm", [("1", "99")], [])
    assert refusal(world.place("mm", BUY, "1", "98")) == "accepted"
    assert len(world.account("mm").orders) == 1
